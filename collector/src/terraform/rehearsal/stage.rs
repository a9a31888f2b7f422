//! The stacks of a rehearsal's scope: what Terraform does to each, and what came of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::session::Session;
use super::super::stack::{DESTROY, Run, prepare};
use super::super::{finish, timestamp};
use super::{Journal, RehearsalError, SCANNED_SOURCE, refused};
use crate::fact::{Digest, Observation};
use crate::redact::Redactor;

/// The stacks of the scope while they are worked on.
pub(super) struct Stage<'a> {
    redactor: &'a Redactor,
    runs: BTreeMap<&'static str, Run<'a>>,
    pub(super) raw: BTreeMap<String, Vec<u8>>,
    pub(super) failures: Vec<String>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, runs: BTreeMap::new(), raw: BTreeMap::new(), failures: Vec::new() }
    }

    pub(super) async fn prepare(&mut self, session: &'a Session<'a>, name: &'static str) -> Result<(), RehearsalError> {
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

    pub(super) async fn baseline(&mut self, name: &'static str) -> Result<Value, RehearsalError> {
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

    pub(super) async fn destroy(&mut self, name: &'static str, baseline: &BTreeMap<String, Value>) -> (Value, bool) {
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
    pub(super) async fn check_lineage(&mut self, name: &'static str, journal: &Journal) -> Result<(), RehearsalError> {
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

    pub(super) async fn recover(&mut self, name: &'static str) -> (Value, Option<Value>) {
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
    pub(super) fn settle(&mut self, journal: &mut Journal) {
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
