//! The destroy and recover rehearsal: in which order its scope is destroyed and recovered, and what it refuses.
//!
//! ```text
//! baseline: init, plan (clean or refused), output, state ─► destroy, last stack first ─► recover, first stack first
//!                                                            └─ journal before every step that changes something ─┘
//! ```
//!
//! Only stacks of the scope are planned with a change in mind. A step that fails ends the destruction; what was destroyed until
//! then is recovered all the same, since that is the state that everybody expects to find.

mod journal;
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use self::stage::Stage;
use super::session::Session;
use super::{Event, Options, STACKS, directory_handle, key_handle};
use crate::fact::{Directory, Handle, Observation};
use crate::help::Help;
use crate::redact::Redactor;

pub use journal::{Doing, JOURNAL_FORMAT, Journal};

/// How the scan for secrets names the logs of a rehearsal.
pub const SCANNED_SOURCE: &str = "rehearsal";

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

/// Holds a scope to what may be rehearsed: known stacks with folders and states of their own, none of which another stack outside
/// of the scope is built on.
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
    let root = root.canonicalize().map_err(|error| {
        refused(format!("the Terraform root {} cannot be read: {error}", root.display()), "correct --terraform-root")
    })?;
    let folders = folders(&root, handles)?;
    check_apart(&folders, handles)?;
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
        for (other, directory) in folders.iter().filter(|(other, _)| !scope.iter().any(|stack| stack == *other)) {
            for file in directory.files.iter().map(|file| root.join(&directory.path).join(file)) {
                let text = std::fs::read_to_string(&file).map_err(|error| {
                    refused(format!("{} cannot be read: {error}", file.display()), "see that every stack can be read")
                })?;
                if text.contains(&format!("\"{key}\"")) {
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

/// The folders of the stacks that the registry pins one for.
fn folders(
    root: &Path,
    handles: &BTreeMap<String, Handle>,
) -> Result<BTreeMap<&'static str, Directory>, RehearsalError> {
    let mut folders = BTreeMap::new();
    for stack in STACKS {
        match super::folder::directory(root, stack, handles).observation {
            Observation::Present { value, .. } => {
                folders.insert(stack, value);
            }
            Observation::NotCollected { .. } => {}
            Observation::Absent { error, .. } | Observation::Unreadable { error, .. } => {
                return Err(refused(
                    format!("the folder of the stack {stack} cannot be read: {}", error.message),
                    format!("correct {}", directory_handle(stack)),
                ));
            }
        }
    }
    Ok(folders)
}

/// Two stacks with one folder or one state are one: to destroy either would destroy the other.
fn check_apart(
    folders: &BTreeMap<&'static str, Directory>,
    handles: &BTreeMap<String, Handle>,
) -> Result<(), RehearsalError> {
    let key = |stack: &str| super::folder::pinned(handles, &key_handle(stack)).ok();
    for (index, one) in STACKS.into_iter().enumerate() {
        for other in STACKS.into_iter().skip(index + 1) {
            if key(one).is_some() && key(one) == key(other) {
                return Err(refused(
                    format!("the stacks {one} and {other} keep their state under one key"),
                    format!("correct {} or {}", key_handle(one), key_handle(other)),
                ));
            }
            // Paths are canonical: two names of one folder are one.
            let path = |stack| folders.get(stack).map(|folder| &folder.path);
            if path(one).is_some() && path(one) == path(other) {
                return Err(refused(
                    format!("the stacks {one} and {other} have one folder"),
                    format!("correct {} or {}", directory_handle(one), directory_handle(other)),
                ));
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
    let mut stage = Stage::new(redactor);
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
    for name in journal.touched.iter().filter(|name| !journal.destroy.contains_key(*name)) {
        stage.failures.push(format!(
            "the rehearsal was stopped while it destroyed {name}, so nobody has seen that it was gone; rehearse it anew"
        ));
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
