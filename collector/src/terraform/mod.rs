//! Terraform: what is known of every stack, through the real binary.
//!
//! ```text
//! handles ─► folder ─► backend block ─► working copy ─► init ─► validate ─► plan, show ─► apply ─► plan, show
//!                                                        └────► output, state pull
//! every command ─► raw log, secrets learned ─► (all stacks done) ─► redact ─► facts, receipts, raw logs
//! ```
//!
//! Logs stay in memory until the last stack is done: a plan's log is written before the state that tells what in it is secret
//! has been read. No command is run in the folder that it judges (see `workspace`), and nothing here ends the run: whatever
//! goes wrong is an observation.

mod answer;
mod backend;
mod draft;
mod environment;
mod finish;
mod folder;
mod modules;
mod plan;
mod process;
pub mod rehearsal;
mod secrets;
mod session;
mod stack;
mod state;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::time::Instant;

use crate::fact::{Handle, Receipt, Terraform, TerraformMode};
use crate::redact::Redactor;

/// The stacks, in the order in which they build on each other.
pub const STACKS: [&str; 5] = ["core", "streaming", "runtime", "data_ml", "ops"];

/// The handle that names a stack's folder: `TF_STACK_CORE_DIR`.
pub fn directory_handle(stack: &str) -> String {
    format!("TF_STACK_{}_DIR", stack.to_uppercase())
}

/// The handle that names a stack's state: `TF_STATE_KEY_CORE`.
pub fn key_handle(stack: &str) -> String {
    format!("TF_STATE_KEY_{}", stack.to_uppercase())
}

/// How the scan for secrets in plain text names a stack's outputs.
fn outputs_source(stack: &str) -> String {
    format!("terraform.stacks.{stack}.outputs")
}

/// How Terraform is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What relative `TF_STACK_*_DIR` start from; every stack lies in it.
    pub root: PathBuf,
    /// The binary; a bare name is looked up on `PATH`.
    pub binary: PathBuf,
    /// What Terraform may do.
    pub mode: TerraformMode,
    /// How long one command may take.
    pub command_timeout: Duration,
    /// How long a plan or an apply waits for the state's lock.
    pub lock_timeout: Duration,
    /// How long an interrupted command may take to release its lock before it is killed.
    pub interrupt_grace: Duration,
    /// The same for an apply: one that is killed loses track of what it was creating.
    pub apply_interrupt_grace: Duration,
    /// When the run must be over. Commands that are still running are interrupted, others are not started.
    pub deadline: Instant,
    /// How many stacks are worked on at a time. An apply run takes one stack after the other, whatever is set here.
    pub concurrency: usize,
    /// The region of providers; without it, what the environment says.
    pub region: Option<String>,
    /// The endpoint of AWS; without it, what the environment says.
    pub endpoint_url: Option<String>,
    /// The stacks to validate, plan, apply and read. The others are only initialised.
    pub materialize: BTreeSet<String>,
}

impl Options {
    /// The defaults: `terraform` from `PATH`, ten minutes a command, two stacks at a time, no stack materialised.
    pub fn new(root: impl Into<PathBuf>, mode: TerraformMode, deadline: Instant) -> Self {
        Self {
            root: root.into(),
            binary: PathBuf::from("terraform"),
            mode,
            command_timeout: Duration::from_mins(10),
            lock_timeout: Duration::from_mins(1),
            interrupt_grace: Duration::from_secs(20),
            apply_interrupt_grace: Duration::from_mins(2),
            deadline,
            concurrency: 2,
            region: None,
            endpoint_url: None,
            materialize: BTreeSet::new(),
        }
    }
}

/// Something that happened, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The stack.
    pub stack: &'static str,
    /// The command, as receipts name it: `post_apply_plan`.
    pub command: &'static str,
    /// What became of it.
    pub progress: Progress,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was started.
    Started,
    /// It ended.
    Ended {
        /// Its exit code; none if it was killed or could not be started.
        exit_code: Option<i32>,
        /// How long it ran.
        duration: Duration,
    },
}

/// Everything that was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The facts.
    pub terraform: Terraform,
    /// The calls that they came from.
    pub receipts: BTreeMap<String, Receipt>,
    /// Redacted logs in full, by the digest that their receipts name.
    pub raw: Vec<(String, Vec<u8>)>,
}

/// Collects what is known of every stack.
///
/// The handles' values are declared public to the redactor first: they stand in the fact document as they are. Dropping the
/// future interrupts a running command and returns when it has ended, so that its lock is released.
pub async fn collect(
    handles: &BTreeMap<String, Handle>,
    options: &Options,
    redactor: &Redactor,
    progress: &(dyn Fn(Event) + Sync),
) -> Collected {
    for handle in handles.values() {
        exempt(redactor, &handle.value);
        handle.expected_tag_value.iter().for_each(|value| redactor.exempt(value));
    }
    let session = session::Session::start(handles, options, redactor, progress).await;
    let mut drafts = Vec::new();
    if options.mode == TerraformMode::Apply {
        // A stack reads the outputs of those before it, and must not be built on one that is not as planned.
        let mut unsettled = None;
        for name in STACKS {
            let draft = stack::collect(&session, name, unsettled).await;
            if unsettled.is_none() && options.materialize.contains(name) && !draft.is_settled() {
                unsettled = Some(name);
            }
            drafts.push(draft);
        }
    } else {
        drafts = futures::stream::iter(STACKS.map(|name| stack::collect(&session, name, None)))
            .buffer_unordered(options.concurrency.max(1))
            .collect()
            .await;
    }
    finish::finish(drafts, redactor)
}

fn exempt(redactor: &Redactor, value: &Value) {
    match value {
        Value::String(text) => redactor.exempt(text),
        Value::Number(number) => redactor.exempt(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| exempt(redactor, item)),
        Value::Object(fields) => fields.values().for_each(|field| exempt(redactor, field)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Now, as receipts write it.
fn timestamp() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// An error with everything that caused it, in one line. A `help:` line stays last.
fn chain(error: &dyn std::error::Error) -> String {
    let message = error.to_string();
    let (mut text, help) = match message.split_once("\nhelp:") {
        Some((text, help)) => (text.to_owned(), Some(help.to_owned())),
        None => (message, None),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    match help {
        Some(help) => format!("{text}\nhelp:{help}"),
        None => text,
    }
}

#[cfg(test)]
mod tests;
