//! The destroy and recover rehearsal: what Terraform does in it, and the journal that outlives whoever stops it.
//!
//! ```text
//! baseline: init, plan (clean or refused), output, state ─► destroy, last stack first ─► recover, first stack first
//!                                                            └─ journal before every step that changes something ─┘
//! ```
//!
//! Only stacks of the scope are planned with a change in mind. A step that fails ends the destruction; what was destroyed until
//! then is recovered all the same, since that is the state that everybody expects to find.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::session::Session;
use super::stack::{DESTROY, Run, prepare};
use super::{Event, Options, STACKS, finish, key_handle, timestamp};
use crate::fact::{Digest, Handle, Observation, Receipt};
use crate::file::write_atomically;
use crate::help::Help;
use crate::redact::Redactor;

/// How the scan for secrets names the logs of a rehearsal.
pub const SCANNED_SOURCE: &str = "rehearsal";

/// The format of the journal.
pub const JOURNAL_FORMAT: &str = "factgate.rehearsal/v1";

/// What a rehearsal is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// A stack is being destroyed.
    Destroy,
    /// A stack is being recovered.
    Recover,
    /// Every stack is recovered; the facts are being collected.
    Collect,
}

/// What a rehearsal has done so far. Stands in a file from before the first destructive step until the fact document is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Always [`JOURNAL_FORMAT`].
    pub format: String,
    /// Names the rehearsal.
    pub phase_execution_id: String,
    /// RFC 3339 UTC.
    pub started_at: String,
    /// What was being done when this was written.
    pub doing: Doing,
    /// The stack that it was being done to.
    pub stack: Option<String>,
    /// The approved stacks, sorted.
    pub scope: Vec<String>,
    /// The approval, as a fact.
    pub approval: Observation,
    /// The calls so far.
    pub receipts: BTreeMap<String, Receipt>,
    /// By stack of the scope, before anything was touched.
    pub baseline: BTreeMap<String, Value>,
    /// Stacks whose destruction was begun, in that order.
    pub touched: Vec<String>,
    /// By stack.
    pub destroy: BTreeMap<String, Value>,
    /// By stack.
    pub recover: BTreeMap<String, Value>,
    /// By stack that was recovered.
    pub post_recovery: BTreeMap<String, Value>,
    /// Whether an earlier process was stopped in the middle of it.
    pub resumed: bool,
}

impl Journal {
    /// Reads the journal of an unfinished rehearsal, if there is one.
    ///
    /// # Errors
    ///
    /// If there is a file that is no journal: what state it stands for cannot be told.
    pub fn read(path: &Path) -> Result<Option<Self>, RehearsalError> {
        let malformed = |message: String| RehearsalError::Journal { path: path.to_owned(), message };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(malformed(error.to_string())),
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        if journal.format != JOURNAL_FORMAT {
            return Err(malformed(format!("its format is {:?}", journal.format)));
        }
        Ok(Some(journal))
    }

    /// Stacks that were touched and are not shown to be whole again, in the order of their recovery.
    pub fn unrecovered(&self) -> Vec<&'static str> {
        let is_whole = |stack: &str| self.post_recovery.contains_key(stack);
        STACKS
            .into_iter()
            .filter(|stack| self.touched.iter().any(|touched| touched == stack) && !is_whole(stack))
            .collect()
    }

    /// What state a rehearsal that stopped here left.
    pub fn state(&self) -> String {
        let stack = self.stack.as_deref().unwrap_or_default();
        let doing = match self.doing {
            Doing::Destroy => format!("it was destroying {stack}"),
            Doing::Recover => format!("it was recovering {stack}"),
            Doing::Collect => "every stack was recovered and the facts were being collected".to_owned(),
        };
        match self.unrecovered().as_slice() {
            [] => doing,
            stacks => format!("{doing}; to be recovered: {}", stacks.join(", ")),
        }
    }

    fn write(&self, path: &Path, redactor: &Redactor) -> Result<(), RehearsalError> {
        let failed = |message: String| RehearsalError::Journal { path: path.to_owned(), message };
        let mut value = serde_json::to_value(self).map_err(|error| failed(error.to_string()))?;
        redactor.redact_document(&mut value);
        let bytes = serde_json::to_vec_pretty(&value).map_err(|error| failed(error.to_string()))?;
        write_atomically(path, &bytes).map_err(|error| failed(error.to_string()))
    }
}

/// Why a rehearsal was not begun, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// Nothing was touched.
    #[error("the rehearsal was refused and nothing was touched: {message}")]
    Refused {
        /// Why.
        message: String,
        /// What to do.
        help: String,
    },
    /// An earlier rehearsal cannot be finished yet; nothing was changed by this attempt.
    #[error("the rehearsal cannot be finished yet: {message}; {state}")]
    Stuck {
        /// Why.
        message: String,
        /// What state the earlier one left.
        state: String,
        /// What to do.
        help: String,
    },
    /// The journal cannot be read or written; without it nothing is destroyed.
    #[error("{}: the journal of the rehearsal cannot be used: {message}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl Help for RehearsalError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Refused { help, .. } | Self::Stuck { help, .. } => help.clone(),
            Self::Journal { .. } => {
                "the folder must exist and be writable; a damaged journal is removed only once `terraform plan` is clean for \
                 every stack of the scope"
                    .to_owned()
            }
        })
    }
}

fn refused(message: impl Into<String>, help: impl Into<String>) -> RehearsalError {
    RehearsalError::Refused { message: message.into(), help: help.into() }
}

/// Holds a scope to what may be rehearsed: known stacks, none of which another stack outside of the scope is built on.
///
/// `core` is never in it, since everything is built on it. Other stacks are built on one if their files name its state.
///
/// # Errors
///
/// If the scope may not be rehearsed.
pub fn check_scope(scope: &[String], root: &Path, handles: &BTreeMap<String, Handle>) -> Result<(), RehearsalError> {
    if scope.is_empty() {
        return Err(refused("the scope is empty", format!("name some of {}", STACKS[1..].join(", "))));
    }
    for stack in scope {
        if !STACKS.contains(&stack.as_str()) {
            return Err(refused(
                format!("there is no stack {stack}"),
                format!("name some of {}", STACKS[1..].join(", ")),
            ));
        }
        if stack == STACKS[0] {
            return Err(refused("every other stack is built on core", "leave core out of the scope"));
        }
        let Ok(key) = super::folder::pinned(handles, &key_handle(stack)) else { continue };
        for other in STACKS.into_iter().filter(|other| !scope.iter().any(|stack| stack == other)) {
            let directory = super::folder::directory(root, other, handles).observation;
            let files = directory
                .value()
                .into_iter()
                .flat_map(|directory| directory.files.iter().map(|file| root.join(&directory.path).join(file)));
            for file in files {
                if std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&format!("\"{key}\""))) {
                    return Err(refused(
                        format!("the stack {other} reads the state of {stack} and is not in the scope"),
                        format!("leave {stack} out of the scope, or have {other} approved with it"),
                    ));
                }
            }
        }
    }
    Ok(())
}

/// What a rehearsal left.
#[derive(Debug)]
pub struct Rehearsed {
    /// All that was done, still open: it is closed when the fact document is written.
    pub journal: Journal,
    /// What kept it from going through, in the order in which it happened.
    pub failures: Vec<String>,
    /// Redacted logs in full, by digest.
    pub raw: BTreeMap<String, Vec<u8>>,
}

/// Rehearses the scope of a journal: a new one from its baseline on, an unfinished one from the recovery of what was destroyed.
///
/// Dropping the future interrupts a running command and returns when it has ended; the journal then says what was being done.
///
/// # Errors
///
/// If nothing was touched, or the journal could not be written.
pub async fn rehearse(
    mut journal: Journal,
    path: &Path,
    handles: &BTreeMap<String, Handle>,
    options: &Options,
    redactor: &Redactor,
    progress: &(dyn Fn(Event) + Sync),
) -> Result<Rehearsed, RehearsalError> {
    let session = Session::start(handles, options, redactor, progress).await;
    let scope: Vec<&'static str> =
        STACKS.into_iter().filter(|stack| journal.scope.iter().any(|named| named == stack)).collect();
    let mut stage = Stage { redactor, runs: BTreeMap::new(), raw: BTreeMap::new(), failures: Vec::new() };
    for name in &scope {
        stage.prepare(&session, name).await.map_err(|error| match error {
            RehearsalError::Refused { message, help } if journal.resumed => {
                RehearsalError::Stuck { message, state: journal.state(), help }
            }
            error => error,
        })?;
    }
    if !journal.resumed {
        for name in &scope {
            let baseline = stage.baseline(name).await?;
            journal.baseline.insert((*name).to_owned(), baseline);
        }
        for name in scope.iter().rev() {
            if let Some(lapse) = lapse(&journal.approval) {
                stage.failures.push(format!("{name} was not destroyed: {lapse}"));
                break;
            }
            (journal.doing, journal.stack) = (Doing::Destroy, Some((*name).to_owned()));
            journal.touched.push((*name).to_owned());
            stage.settle(&mut journal);
            journal.write(path, redactor)?;
            let (outcome, is_done) = stage.destroy(name, &journal.baseline).await;
            journal.destroy.insert((*name).to_owned(), outcome);
            if !is_done {
                break;
            }
        }
    }
    if journal.resumed {
        for name in journal.unrecovered() {
            stage.check_lineage(name, &journal).await?;
        }
    }
    for name in journal.unrecovered() {
        (journal.doing, journal.stack) = (Doing::Recover, Some(name.to_owned()));
        stage.settle(&mut journal);
        journal.write(path, redactor)?;
        let (outcome, after) = stage.recover(name).await;
        journal.recover.insert(name.to_owned(), outcome);
        let Some(after) = after else { break };
        journal.post_recovery.insert(name.to_owned(), after);
    }
    for name in scope.iter().filter(|name| journal.resumed && !journal.touched.iter().any(|touched| touched == *name)) {
        stage.failures.push(format!("{name} was not destroyed before the rehearsal was stopped; rehearse it anew"));
    }
    if journal.unrecovered().is_empty() {
        (journal.doing, journal.stack) = (Doing::Collect, None);
    }
    stage.settle(&mut journal);
    journal.write(path, redactor)?;
    Ok(Rehearsed { journal, failures: stage.failures, raw: stage.raw })
}

/// Why the approval no longer covers what is about to be done, if so.
fn lapse(approval: &Observation) -> Option<String> {
    let expires_at = approval.value().and_then(|approval| approval["expires_at"].as_str());
    match expires_at.and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
        Some(instant) if Utc::now() < instant => None,
        Some(instant) => {
            Some(format!("the approval expired at {}", instant.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)))
        }
        None => Some("the approval does not say when it expires".to_owned()),
    }
}

/// The stacks of the scope while they are worked on.
struct Stage<'a> {
    redactor: &'a Redactor,
    runs: BTreeMap<&'static str, Run<'a>>,
    raw: BTreeMap<String, Vec<u8>>,
    failures: Vec<String>,
}

impl<'a> Stage<'a> {
    async fn prepare(&mut self, session: &'a Session<'a>, name: &'static str) -> Result<(), RehearsalError> {
        let help = "bring the stack in order first; `factgate gate --lane M2.A` says what is wrong";
        let (mut run, arguments) =
            prepare(session, name).map_err(|_| refused(format!("the stack {name} cannot be initialised"), help))?;
        run.step = Some("rehearsal");
        let is_initialised = run.init(arguments).await;
        let log = run.draft.calls.get(&run.receipt_key("init")).map(|call| call.log.clone()).unwrap_or_default();
        self.runs.insert(name, run);
        if is_initialised {
            return Ok(());
        }
        let log = finish::tail(&self.redactor.redact_text(&log));
        Err(refused(format!("terraform init of {name} did not succeed\n{log}"), help))
    }

    async fn baseline(&mut self, name: &'static str) -> Result<Value, RehearsalError> {
        let Some(snapshot) = self.snapshot(name, "baseline").await else {
            let why = lock_help(&self.log(name, "plan")).unwrap_or_else(|| "see that `terraform plan` runs".to_owned());
            return Err(refused(format!("the baseline of {name} cannot be read"), why));
        };
        match snapshot["exit_code"].as_i64() {
            Some(0) => Ok(snapshot),
            Some(2) => {
                Err(refused(format!("the plan of {name} is not clean"), "apply its changes or revert them first"))
            }
            _ => {
                let help =
                    lock_help(&self.log(name, "plan")).unwrap_or_else(|| "see that `terraform plan` runs".to_owned());
                Err(refused(format!("terraform plan of {name} did not succeed"), help))
            }
        }
    }

    /// The plan, outputs and state of a stack, in the shape of `baseline` and `post_recovery`.
    async fn snapshot(&mut self, name: &'static str, step: &'static str) -> Option<Value> {
        let run = self.runs.get_mut(name)?;
        run.step = Some(step);
        let plan = run.plan("plan", "show").await;
        run.outputs().await;
        run.state().await;
        let exit_code = plan.value()?.exit_code;
        let outputs = run.draft.stack.outputs.value().filter(|outputs| outputs.exit_code == 0)?;
        let state = run.draft.stack.state.value().filter(|state| state.exit_code == 0)?;
        let outputs: BTreeMap<&String, &Value> =
            outputs.values.iter().map(|(name, output)| (name, &output.value)).collect();
        Some(json!({
            "exit_code": exit_code,
            "resource_count": state.managed_resources.len(),
            "managed_resources": state.managed_resources,
            "outputs": outputs,
            "lineage": state.lineage,
            "serial": state.serial,
        }))
    }

    async fn destroy(&mut self, name: &'static str, baseline: &BTreeMap<String, Value>) -> (Value, bool) {
        let started_at = timestamp();
        let Some(run) = self.runs.get_mut(name) else { return (Value::Null, false) };
        run.step = Some(DESTROY);
        let plan = run.plan("plan", "show").await;
        // A plan that does anything else than to delete is not what was approved.
        let is_only_deletion = plan.value().is_some_and(|plan| {
            plan.resource_changes.iter().all(|change| change.actions == ["delete"] || change.actions == ["read"])
        });
        let planned = plan.value().filter(|_| is_only_deletion).and_then(|plan| plan.digest.clone());
        let applied = match planned {
            Some(digest) => run.apply_planned(digest).await,
            None => Observation::not_collected("there is no plan that only deletes"),
        };
        run.state().await;
        let remaining = match &run.draft.stack.state {
            Observation::Present { value, .. } if value.exit_code == 0 => Some(value.managed_resources.clone()),
            // A backend without a state holds no resource either.
            Observation::Absent { .. } => Some(Vec::new()),
            _ => None,
        };
        let exit_code = applied.value().map(|apply| apply.exit_code);
        let before = baseline.get(name).and_then(|baseline| baseline["resource_count"].as_u64()).unwrap_or_default();
        let destroyed = remaining.as_ref().map(|remaining| before.saturating_sub(remaining.len() as u64));
        let is_done = exit_code == Some(0) && remaining.as_ref().is_some_and(Vec::is_empty);
        if !is_done {
            self.fail(name, "destroy");
        }
        let outcome = json!({
            "exit_code": exit_code, "destroyed": destroyed, "remaining": remaining,
            "plan_digest": applied.value().map(|apply| &apply.plan_digest),
            "started_at": started_at, "ended_at": timestamp(), "log": self.log(name, "apply"),
        });
        (outcome, is_done)
    }

    /// Refuses to recover anything but what was destroyed: another registry, account or root may lead to another state.
    async fn check_lineage(&mut self, name: &'static str, journal: &Journal) -> Result<(), RehearsalError> {
        let Some(run) = self.runs.get_mut(name) else { return Ok(()) };
        run.step = Some("resume");
        run.state().await;
        let state = run.draft.stack.state.value().filter(|state| state.exit_code == 0);
        let found = state.map(|state| state.lineage.as_str());
        let expected = journal.baseline.get(name).and_then(|baseline| baseline["lineage"].as_str());
        if expected.is_some() && found == expected {
            return Ok(());
        }
        let message = match (found, expected) {
            (_, None) => format!("the journal does not say of which lineage the state of {name} was"),
            (None, _) => format!("the state of {name} cannot be read"),
            (Some(_), Some(_)) => format!("the state of {name} is not the one that the rehearsal began with"),
        };
        let help = "resume with the registry, the credentials and the Terraform root of the rehearsal".to_owned();
        Err(RehearsalError::Stuck { message, state: journal.state(), help })
    }

    async fn recover(&mut self, name: &'static str) -> (Value, Option<Value>) {
        let started_at = timestamp();
        let Some(run) = self.runs.get_mut(name) else { return (Value::Null, None) };
        run.step = Some("recover");
        let plan = run.plan("plan", "show").await;
        let (exit_code, digest) = match plan.value() {
            // The destruction did not get as far as to change anything.
            Some(plan) if plan.exit_code == 0 => (Some(0), plan.digest.clone()),
            Some(plan) if plan.exit_code == 2 => match plan.digest.clone() {
                Some(digest) => {
                    let applied = run.apply_planned(digest.clone()).await;
                    (applied.value().map(|apply| apply.exit_code), Some(digest))
                }
                None => (None, None),
            },
            _ => (plan.value().map(|plan| plan.exit_code), None),
        };
        let log = self.log(name, "apply");
        let ended_at = timestamp();
        let after = if exit_code == Some(0) { self.snapshot(name, "post_recovery").await } else { None };
        let is_clean = after.as_ref().is_some_and(|after| after["exit_code"] == 0);
        if !is_clean {
            self.fail(name, if exit_code == Some(0) { "plan after the recovery" } else { "recovery" });
        }
        let outcome = json!({
            "exit_code": exit_code, "plan_digest": digest, "started_at": started_at, "ended_at": ended_at, "log": log,
        });
        (outcome, after)
    }

    fn fail(&mut self, name: &str, what: &str) {
        let help = ["apply", "plan"].iter().find_map(|command| lock_help(&self.log(name, command)));
        let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
        self.failures.push(format!("the {what} of {name} did not succeed{help}"));
    }

    /// The end of the log of a command of the present step.
    fn log(&self, name: &str, command: &str) -> String {
        let run = self.runs.get(name);
        let call = run.and_then(|run| run.draft.calls.get(&run.receipt_key(command)));
        call.map(|call| finish::tail(&self.redactor.redact_text(&call.log))).unwrap_or_default()
    }

    /// Turns the calls so far into receipts. Secrets that are learned later are taken out when the document is put together.
    fn settle(&mut self, journal: &mut Journal) {
        for run in self.runs.values_mut() {
            journal.receipts.extend(std::mem::take(&mut run.draft.receipts));
            for (key, call) in std::mem::take(&mut run.draft.calls) {
                self.redactor.watch_log(SCANNED_SOURCE, &key, &call.log);
                let log = self.redactor.redact_text(&call.log);
                let kept = match &call.document {
                    Some(document) => format!("{}\n{log}", self.redactor.redact_text(document)),
                    None => log,
                };
                let digest = Digest::of(kept.as_bytes()).to_string();
                self.raw.insert(digest.clone(), kept.into_bytes());
                journal.receipts.insert(key, finish::receipt(call, digest, self.redactor));
            }
        }
    }
}

/// What to do about a state lock that somebody else holds, as the log of a command tells of it.
fn lock_help(log: &str) -> Option<String> {
    let (_, lock) = log.split_once("Error acquiring the state lock")?;
    let id = lock.lines().find_map(|line| line.trim_matches(['│', ' ', '\t']).strip_prefix("ID:"))?.trim();
    Some(format!(
        "the state is locked: wait for the Terraform that holds it; if none is running any more, `terraform force-unlock {id}`"
    ))
}
