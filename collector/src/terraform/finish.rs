//! Redaction of everything that was collected, once all that can be known to be secret is known.

use std::collections::BTreeMap;

use serde_json::Value;

use super::draft::Draft;
use super::outputs_source;
use super::session::Call;

use super::Collected;
use crate::fact::{Digest, Observation, Receipt, Stack, Terraform};
use crate::redact::Redactor;

/// How much of a log stands in the fact document. The end is what tells why a command failed.
const LOG_TAIL: usize = 32 * 1024;

/// Redacts drafts and puts them together.
pub(super) fn finish(drafts: Vec<Draft>, redactor: &Redactor) -> Collected {
    let mut terraform = Terraform::default();
    let mut receipts = BTreeMap::new();
    let mut raw = BTreeMap::new();
    for draft in drafts {
        watch(&draft, redactor);
        let mut logs = BTreeMap::new();
        for (key, call) in draft.calls {
            let log = redactor.redact_text(&call.log);
            let kept = match &call.document {
                Some(document) => format!("{}\n{log}", redactor.redact_text(document)),
                None => log.clone(),
            };
            let log_digest = Digest::of(kept.as_bytes()).to_string();
            raw.insert(log_digest.clone(), kept.into_bytes());
            receipts.insert(key.clone(), receipt(call, log_digest, redactor));
            logs.insert(key, log);
        }
        receipts.extend(draft.receipts);
        let mut stack = draft.stack;
        redact(&mut stack, redactor);
        insert_logs(&mut stack, draft.name, &logs);
        terraform.stacks.insert(draft.name.to_owned(), stack);
    }
    Collected { terraform, receipts, raw: raw.into_iter().collect() }
}

/// The facts of a stack, each with the commands whose logs belong to it.
const LOGS: [(&str, &[&str]); 7] = [
    ("init", &["init"]),
    ("validate", &["validate"]),
    ("plan", &["plan", "show"]),
    ("apply", &["apply"]),
    ("post_apply_plan", &["post_apply_plan", "post_apply_show"]),
    ("outputs", &["output"]),
    ("state", &["state"]),
];

/// Hands what must hold no secret to the scan, as Terraform gave it. The outputs' values were handed over when they were read.
fn watch(draft: &Draft, redactor: &Redactor) {
    let Stack { init, validate, plan, apply, post_apply_plan, outputs, state, .. } = &draft.stack;
    let source = |fact: &str| format!("terraform.stacks.{}.{fact}", draft.name);
    let are_outputs_read = outputs.value().is_some_and(|outputs| outputs.exit_code == 0);
    redactor.watch_source(&source("init"), init.value().is_some());
    redactor.watch_source(&source("validate"), validate.value().is_some());
    redactor.watch_source(&source("plan"), plan.value().is_some());
    redactor.watch_source(&outputs_source(draft.name), are_outputs_read);
    redactor.watch_source(&source("state"), state.value().is_some());
    // Where nothing was to be applied there is nothing that could show a secret.
    if !matches!(apply, Observation::NotCollected { .. }) {
        redactor.watch_source(&source("apply"), apply.value().is_some());
    }
    if !matches!(post_apply_plan, Observation::NotCollected { .. }) {
        redactor.watch_source(&source("post_apply_plan"), post_apply_plan.value().is_some());
    }
    for (fact, plan) in [("plan", plan), ("post_apply_plan", post_apply_plan)] {
        if let Some(plan) = plan.value() {
            for (index, change) in plan.resource_changes.iter().enumerate() {
                redactor.watch(&source(fact), &format!("resource_changes/{index}/address"), &change.address);
            }
            for (index, address) in plan.drifted.iter().enumerate() {
                redactor.watch(&source(fact), &format!("drifted/{index}"), address);
            }
        }
    }
    for (fact, commands) in LOGS {
        for command in commands {
            if let Some(call) = draft.calls.get(&format!("terraform.{command}/{}", draft.name)) {
                redactor.watch_log(&source(fact), command, &call.log);
            }
        }
    }
}

pub(super) fn receipt(call: Call, log_digest: String, redactor: &Redactor) -> Receipt {
    Receipt::Terraform {
        arguments: call.arguments.iter().map(|argument| redactor.redact_text(argument)).collect(),
        directory: call.directory,
        terraform_version: call.terraform_version,
        started_at: call.started_at,
        duration_ms: u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
        exit_code: call.exit_code,
        log_digest,
    }
}

/// Redacts every text that Terraform or a stack's files gave: values, addresses, messages. Names that are Terraform's own (types,
/// actions) are left alone, since a secret such as `update` must not change what they say.
fn redact(stack: &mut Stack, redactor: &Redactor) {
    let text = |text: &mut String| *text = redactor.redact_text(text);
    let Stack { directory, backend, init, validate, plan, apply, post_apply_plan, outputs, state } = stack;
    redact_reason(directory, &text);
    redact_reason(init, &text);
    redact_reason(apply, &text);
    if let Some(backend) = redact_reason(backend, &text) {
        for settings in [&mut backend.declared, &mut backend.effective] {
            let mut redacted = Value::Object(std::mem::take(settings).into_iter().collect());
            redactor.redact_value(&mut redacted);
            if let Value::Object(redacted) = redacted {
                settings.extend(redacted);
            }
        }
    }
    if let Some(validation) = redact_reason(validate, &text) {
        validation.diagnostics.iter_mut().for_each(text);
    }
    for plan in [plan, post_apply_plan] {
        if let Some(plan) = redact_reason(plan, &text) {
            plan.resource_changes.iter_mut().map(|change| &mut change.address).for_each(text);
            plan.drifted.iter_mut().for_each(text);
        }
    }
    if let Some(outputs) = redact_reason(outputs, &text) {
        outputs.values.values_mut().for_each(|output| redactor.redact_value(&mut output.value));
    }
    if let Some(state) = redact_reason(state, &text) {
        state.managed_resources.iter_mut().chain(&mut state.resource_arns).for_each(text);
    }
}

/// Redacts why there is no value; the value, if there is one.
fn redact_reason<'a, T>(observation: &'a mut Observation<T>, text: &impl Fn(&mut String)) -> Option<&'a mut T> {
    match observation {
        Observation::Present { value, .. } => return Some(value),
        Observation::Absent { error, .. } | Observation::Unreadable { error, .. } => text(&mut error.message),
        Observation::NotCollected { reason } => text(reason),
    }
    None
}

fn insert_logs(stack: &mut Stack, name: &str, logs: &BTreeMap<String, String>) {
    let tail =
        |command: &str| logs.get(&format!("terraform.{command}/{name}")).map(|log| tail(log)).unwrap_or_default();
    if let Observation::Present { value, .. } = &mut stack.init {
        value.log = tail("init");
    }
    if let Observation::Present { value, .. } = &mut stack.validate {
        value.log = tail("validate");
    }
    if let Observation::Present { value, .. } = &mut stack.plan {
        value.log = tail("plan");
    }
    if let Observation::Present { value, .. } = &mut stack.apply {
        value.log = tail("apply");
    }
    if let Observation::Present { value, .. } = &mut stack.post_apply_plan {
        value.log = tail("post_apply_plan");
    }
    if let Observation::Present { value, .. } = &mut stack.outputs {
        value.log = tail("output");
    }
    if let Observation::Present { value, .. } = &mut stack.state {
        value.log = tail("state");
    }
}

pub(super) fn tail(log: &str) -> String {
    log[log.ceil_char_boundary(log.len().saturating_sub(LOG_TAIL))..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_cut_between_characters() {
        let log = format!("{}{}", "ü".repeat(LOG_TAIL), "x");
        assert_eq!(tail(&log).len(), LOG_TAIL - 1);
        assert_eq!(tail("short"), "short");
    }
}
