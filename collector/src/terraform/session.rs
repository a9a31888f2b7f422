//! What the stacks of one run share, and how a command is run for one of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::process::{self, Ending, Finished, Invocation};
use super::workspace::Workspace;
use super::{Event, Options, Progress, chain, environment, secrets, timestamp};
use crate::fact::{Handle, ReadError, ReadErrorKind, TerraformMode};
use crate::redact::Redactor;

/// `terraform version` reads no state and needs no network.
const VERSION_TIMEOUT: Duration = Duration::from_secs(30);

/// What the stacks of one run share.
pub(super) struct Session<'a> {
    pub(super) handles: &'a BTreeMap<String, Handle>,
    pub(super) options: &'a Options,
    pub(super) redactor: &'a Redactor,
    progress: &'a (dyn Fn(Event) + Sync),
    /// The root with its links resolved.
    pub(super) root: io::Result<PathBuf>,
    binary: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    version: Option<String>,
    /// Terraform's plugin cache is not safe for two `init` at a time.
    pub(super) init: Mutex<()>,
    /// Removed with the session; `None` if there is no folder for temporary files, which every working copy will report.
    _cache: Option<TempDir>,
}

/// A command that is over, as its receipt will tell it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) arguments: Vec<String>,
    pub(super) directory: String,
    pub(super) terraform_version: Option<String>,
    pub(super) started_at: String,
    pub(super) duration: Duration,
    pub(super) exit_code: Option<i32>,
    /// Not yet redacted.
    pub(super) log: String,
    /// Stands in the kept log for a standard output that is a document full of values: what the facts keep of it.
    pub(super) document: Option<String>,
}

/// Whether a command's standard output belongs to its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// It is text for people.
    Log,
    /// It is text for people that shows values, of which only a plan that came about says which are secret: kept of such a one.
    Plan,
    /// It is a document with values in it: never kept.
    Document,
}

/// A command that ended by itself.
pub(super) struct Answer {
    pub(super) exit_code: i32,
    pub(super) stdout: String,
    /// Whether the beginning of `stdout` is missing.
    pub(super) is_cut: bool,
}

/// The command to run for a stack.
pub(super) struct Request<'a> {
    pub(super) stack: &'static str,
    /// The stack's folder, relative to the root.
    pub(super) directory: &'a str,
    /// As receipts name it.
    pub(super) command: &'static str,
    pub(super) arguments: Vec<String>,
    pub(super) output: Output,
}

impl<'a> Session<'a> {
    pub(super) async fn start(
        handles: &'a BTreeMap<String, Handle>,
        options: &'a Options,
        redactor: &'a Redactor,
        progress: &'a (dyn Fn(Event) + Sync),
    ) -> Self {
        let cache = tempfile::Builder::new().prefix("factgate-plugins-").tempdir().ok();
        let folder = cache.as_ref().map_or(Path::new("/"), TempDir::path);
        let environment = environment::for_terraform(options, folder);
        secrets::learn_environment(redactor, &environment);
        // A relative path would be looked up in the working copy.
        let binary = match options.binary.components().count() {
            1 => options.binary.clone(),
            _ => std::path::absolute(&options.binary).unwrap_or_else(|_| options.binary.clone()),
        };
        let version = match options.mode {
            TerraformMode::Off => None,
            _ => version(&binary, folder, &environment, options.deadline).await,
        };
        Self {
            handles,
            options,
            redactor,
            progress,
            root: options.root.canonicalize(),
            binary,
            environment,
            version,
            init: Mutex::new(()),
            _cache: cache,
        }
    }

    /// Runs a command for a stack. What is returned first is recorded whatever came of it.
    pub(super) async fn run(&self, workspace: &Workspace, request: Request<'_>) -> (Call, Result<Answer, ReadError>) {
        let Request { stack, directory, command, arguments, output } = request;
        let event = |progress| (self.progress)(Event { stack, command, progress });
        let mut call = Call {
            arguments: arguments.iter().map(|argument| workspace.tidy(argument)).collect(),
            directory: directory.to_owned(),
            terraform_version: self.version.clone(),
            started_at: timestamp(),
            duration: Duration::ZERO,
            exit_code: None,
            log: String::new(),
            document: None,
        };
        let started = Instant::now();
        if started >= self.options.deadline {
            return (
                call,
                Err(timeout("DeadlineExceeded", "the run's deadline had passed before it could start".into())),
            );
        }
        let mut environment = self.environment.clone();
        environment.insert("TF_DATA_DIR".into(), workspace.data().into());
        if command == "init" && !workspace.has_lock_file() {
            // Without it Terraform uses its cache only for what a lock file lists. The lock file that it then writes is part of
            // the working copy, which is thrown away.
            environment.insert("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE".into(), "1".into());
        }
        let invocation = Invocation {
            binary: &self.binary,
            arguments: &arguments,
            directory: workspace.directory(),
            environment: &environment,
            until: self.options.deadline.min(started + self.options.command_timeout),
            grace: match command {
                "apply" => self.options.apply_interrupt_grace,
                _ => self.options.interrupt_grace,
            },
        };
        event(Progress::Started);
        let finished = process::run(&invocation).await;
        call.duration = started.elapsed();
        let result = match finished {
            Err(error) => Err(not_started(&self.binary, &error)),
            Ok(finished) => {
                call.exit_code = finished.exit_code;
                call.log = workspace.tidy(&log(&finished, output));
                self.answer(command, &finished, call.duration)
            }
        };
        event(Progress::Ended { exit_code: call.exit_code, duration: call.duration });
        (call, result)
    }

    fn answer(&self, command: &str, finished: &Finished, duration: Duration) -> Result<Answer, ReadError> {
        let seconds = duration.as_secs();
        let code = if Instant::now() >= self.options.deadline { "DeadlineExceeded" } else { "Timeout" };
        match (finished.ending, finished.exit_code) {
            (Ending::Exited, Some(exit_code)) => {
                Ok(Answer { exit_code, stdout: finished.stdout.text(), is_cut: finished.stdout.is_cut })
            }
            (Ending::Interrupted, _) => Err(timeout(
                code,
                format!("terraform {command} was interrupted after {seconds} s, when its time was up"),
            )),
            (Ending::Killed, _) => Err(timeout(
                code,
                format!(
                    "terraform {command} did not end when it was interrupted and was killed after {seconds} s\nhelp: it may \
                     have left the state locked; see `terraform force-unlock`"
                ),
            )),
            (Ending::Exited | Ending::Signalled(_), _) => Err(ReadError {
                code: "TerraformKilled".to_owned(),
                kind: ReadErrorKind::Tool,
                message: format!("terraform {command} was ended by a signal ({:?})", finished.ending),
                action: None,
            }),
        }
    }
}

fn timeout(code: &str, message: String) -> ReadError {
    ReadError { code: code.to_owned(), kind: ReadErrorKind::Timeout, message, action: None }
}

fn not_started(binary: &Path, error: &io::Error) -> ReadError {
    let (code, help) = match error.kind() {
        io::ErrorKind::NotFound => ("TerraformNotFound", "install Terraform, or name its binary"),
        io::ErrorKind::PermissionDenied => {
            ("TerraformNotExecutable", "make the file executable, or name another binary")
        }
        _ => ("TerraformNotStarted", "check that the file is Terraform's binary for this system"),
    };
    let name = binary.file_name().unwrap_or(binary.as_os_str()).to_string_lossy();
    ReadError {
        code: code.to_owned(),
        kind: ReadErrorKind::Tool,
        message: format!("`{name}` could not be started: {}\nhelp: {help}", chain(error)),
        action: None,
    }
}

/// Standard output, then standard error.
fn log(finished: &Finished, output: Output) -> String {
    let mut log = match output {
        Output::Log => finished.stdout.text(),
        Output::Plan if finished.ending == Ending::Exited && matches!(finished.exit_code, Some(0 | 2)) => {
            finished.stdout.text()
        }
        Output::Plan if finished.stdout.is_empty() => String::new(),
        Output::Plan => "(withheld: there is no plan, so the secrets that it would show are not known)\n".to_owned(),
        Output::Document => String::new(),
    };
    if !log.is_empty() && !log.ends_with('\n') {
        log.push('\n');
    }
    log.push_str(&finished.stderr.text());
    log
}

/// The binary's version, for receipts; that it cannot be asked shows when the first command is run.
async fn version(
    binary: &Path,
    directory: &Path,
    environment: &BTreeMap<OsString, OsString>,
    deadline: Instant,
) -> Option<String> {
    let arguments = ["version".to_owned(), "-json".to_owned()];
    let until = deadline.min(Instant::now() + VERSION_TIMEOUT);
    let grace = Duration::from_secs(1);
    let invocation = Invocation { binary, arguments: &arguments, directory, environment, until, grace };
    let finished = process::run(&invocation).await.ok()?;
    let answer: serde_json::Value = serde_json::from_str(&finished.stdout.text()).ok()?;
    answer["terraform_version"].as_str().map(str::to_owned)
}
