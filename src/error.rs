//! Errors of the commands: the one place that prints them, and the exit code that each one means.

use std::error::Error as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use factgate_collector::approval::ApprovalError;
use factgate_collector::fact::{FactError, SealError, WriteError};
use factgate_collector::help::Help as _;
use factgate_collector::registry::RegistryError;
use factgate_collector::rehearsal::ImportError;
use factgate_collector::terraform::rehearsal::RehearsalError;

use crate::baseline::BaselineError;
use crate::evaluate::EvaluateError;
use crate::evidence::EvidenceError;
use crate::evidence::mirror::UnpinnedMirror;
use crate::evidence::verify::VerifyError;
use crate::exit::ExitCode;
use crate::output::OutputError;
use crate::policy::PolicyError;
use crate::project::ProjectError;
use crate::prove::{AcceptedError, ProveError};
use crate::settings::SettingsError;
use crate::waiver::WaiverFileError;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The handle registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An approval cannot be used.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// The document of a rehearsal cannot be used.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A rehearsal was refused or cannot go on.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// A rehearsal left something unrecovered.
    #[error("the rehearsal did not go through: {state}")]
    RehearsalUnfinished {
        /// What it left.
        state: String,
        /// How to recover.
        help: String,
    },
    /// A rehearsal was stopped.
    #[error("the rehearsal was interrupted by {signal}: {state}")]
    RehearsalInterrupted {
        /// By what.
        signal: &'static str,
        /// What it left.
        state: String,
        /// How to recover.
        help: String,
    },
    /// A fact document cannot be read.
    #[error(transparent)]
    Document(#[from] FactError),
    /// A fact document cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A fact document cannot be written.
    #[error(transparent)]
    WriteDocument(#[from] WriteError),
    /// There is no fact document.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Collect(#[from] factgate_collector::collect::CollectError),
    /// The operating system gives no threads.
    #[error("the collector cannot be started")]
    Runtime(#[source] std::io::Error),
    /// The process was asked to end.
    #[error("interrupted by {0}; there is no fact document and no verdict")]
    Interrupted(&'static str),
    /// What a run would write has no place.
    #[error("{what} cannot be written to {}", path.display())]
    Unwritable {
        /// What.
        what: &'static str,
        /// Where.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The baseline cannot be used.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// Nothing can be proved.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// What is accepted cannot be read.
    #[error(transparent)]
    Accepted(#[from] AcceptedError),
    /// The policies cannot be watched.
    #[error("the policies cannot be watched for changes")]
    Watch(#[from] notify::Error),
    /// The mirror did not answer in time.
    #[error("the mirror did not answer before the deadline")]
    MirrorDeadline,
    /// The process was asked to end while it waited for the mirror.
    #[error("interrupted by {0} while the mirror was waited for; there is no verdict")]
    MirrorInterrupted(&'static str),
    /// The policies cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A project or a rule of it could not be written.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The policies could not be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// A pack could not be written.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A pack is not whole, or was altered.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The registry does not say where the mirror is.
    #[error(transparent)]
    UnpinnedMirror(#[from] UnpinnedMirror),
    /// A pack could not be mirrored, or not be read from the mirror.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Mirror(#[from] factgate_collector::aws::mirror::MirrorError),
    /// The waivers cannot be used.
    #[error(transparent)]
    Waivers(#[from] WaiverFileError),
    /// An output could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The values of a fact document that nobody sealed are pinned nowhere.
    #[error("{}: the fact document is not sealed", .0.display())]
    Unsealed(std::path::PathBuf),
    /// The handle registry could not be written.
    #[error("{}: the handle registry cannot be written", path.display())]
    WriteRegistry {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// What the system said becomes the reason why something has no place.
    #[cfg(feature = "aws")]
    pub(crate) fn unwritable(what: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unwritable { what, path, source }
    }

    /// What the caller of the process sees.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) => ExitCode::Usage,
            Self::Evaluate(error) => error.exit_code(),
            Self::Prove(error) => error.exit_code(),
            Self::Policy(error) => error.exit_code(),
            Self::Project(error) => error.exit_code(),
            Self::Registry(_)
            | Self::Approval(_)
            | Self::Import(_)
            | Self::Rehearsal(_)
            | Self::RehearsalUnfinished { .. }
            | Self::RehearsalInterrupted { .. }
            | Self::Document(_)
            | Self::Seal(_)
            | Self::WriteDocument(_)
            | Self::Runtime(_)
            | Self::Interrupted(_)
            | Self::Unwritable { .. }
            | Self::MirrorDeadline
            | Self::MirrorInterrupted(_)
            | Self::Watch(_)
            | Self::Evidence(_)
            | Self::Verify(_)
            | Self::UnpinnedMirror(_)
            | Self::Waivers(_)
            | Self::Accepted(_)
            | Self::Baseline(_)
            | Self::Output(_)
            | Self::Unsealed(_)
            | Self::WriteRegistry { .. } => ExitCode::Input,
            #[cfg(feature = "aws")]
            Self::Collect(_) | Self::Mirror(_) => ExitCode::Input,
        }
    }

    /// What to do next, where the message does not end with it.
    fn help(&self) -> Option<String> {
        match self {
            Self::Settings(error) => error.help(),
            Self::Registry(error) => error.help(),
            Self::Approval(error) => error.help(),
            Self::Import(error) => error.help(),
            Self::Rehearsal(error) => error.help(),
            Self::RehearsalUnfinished { help, .. } | Self::RehearsalInterrupted { help, .. } => Some(help.clone()),
            Self::Document(error) => error.help(),
            Self::Seal(error) => error.help(),
            Self::WriteDocument(error) => error.help(),
            Self::Evidence(error) => error.help(),
            Self::Verify(error) => error.help(),
            Self::UnpinnedMirror(error) => error.help(),
            #[cfg(feature = "aws")]
            Self::Mirror(error) => error.help(),
            Self::Waivers(error) => error.help(),
            Self::Prove(error) => error.help(),
            Self::Accepted(error) => error.help(),
            Self::Baseline(error) => error.help(),
            Self::Output(error) => error.help(),
            Self::Project(error) => error.help(),
            Self::Unsealed(_) => Some("name a document as `factgate collect` wrote it".to_owned()),
            Self::WriteRegistry { .. } => Some("the file and its folder must be writable".to_owned()),
            Self::Runtime(_) => Some("check the limits of the process (ulimit -u)".to_owned()),
            Self::Interrupted(_) => Some(
                "run it again; if a state lock was left, `terraform plan` names it and `terraform force-unlock` removes it"
                    .to_owned(),
            ),
            Self::Unwritable { .. } => Some("nothing was collected yet: name a place that can be written".to_owned()),
            Self::Watch(_) => Some("run the tests without --watch".to_owned()),
            Self::MirrorDeadline | Self::MirrorInterrupted(_) => {
                Some("run again: no pack stands here that is not in the mirror, and nothing is written twice".to_owned())
            }
            Self::Policy(_) | Self::Evaluate(_) => None,
            #[cfg(feature = "aws")]
            Self::Collect(_) => None,
        }
    }

    /// Prints the error with its causes and its help line to standard error.
    pub(crate) fn print(&self) {
        let message = self.to_string();
        let (message, inline_help) = match message.rsplit_once("\nhelp: ") {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (message, None),
        };
        let mut text = format!("{ERROR}error{ERROR:#}: {message}\n");
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!("  caused by: {error}\n"));
            cause = error.source();
        }
        if let Some(help) = inline_help.or_else(|| self.help()) {
            text.push_str(&format!("{HELP}help{HELP:#}: {help}\n"));
        }
        // There is nowhere left to report that standard error is closed.
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
    }
}
