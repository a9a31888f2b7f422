//! Why a code blocks: what it means, which facts decided, how they were read, and what would clear it.
//!
//! ```text
//! code ─► METADATA, source of its rule ──────────────────────────────┐
//! document ─► its checks ─► those that do not hold ─► facts, receipts ├─► Explanation
//!                               └─► candidate edits ─► evaluated ─────┘
//! ```
//!
//! An edit is only told if an evaluation of the edited document has shown that it clears the check. It says what would have to be
//! true, and is no way to make it so: an edited document has another digest, and no gate accepts it.

use std::collections::BTreeSet;

use factgate_collector::json::unescape;
use serde::Serialize;
use serde_json::{Value, json};

use crate::check::{Cause, Check};
use crate::evaluate::{EvaluateError, code_checks};
use crate::policy::{Code, Lane, Location, Policies, PolicyError, PolicySet, rule_sources};

/// How many facts an edit may touch.
const MOST_EDITS: usize = 2;

/// What is known about a code.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// What its METADATA says.
    pub code: Code,
    /// The definitions of its rule.
    pub rule: Vec<SourceExcerpt>,
    /// Its checks that do not hold on a document; none if no document is given.
    pub blockers: Option<Vec<ExplainedCheck>>,
}

/// A piece of a policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceExcerpt {
    /// Where it stands.
    pub location: Location,
    /// Its text.
    pub text: String,
}

/// A check that does not hold, with what decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedCheck {
    /// The check.
    pub check: Check,
    /// How each of its facts was read.
    pub facts: Vec<ExplainedFact>,
    /// The IAM actions that would make its unreadable facts readable, sorted.
    pub actions: Vec<String>,
    /// The smallest set of edits that was found to clear it; none if none was found.
    pub edits: Option<Vec<Edit>>,
}

/// A fact that a check reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedFact {
    /// Its JSON pointer.
    pub pointer: String,
    /// The status of the observation that it is part of; none of a handle.
    pub status: Option<String>,
    /// The calls that it came from, as the document keeps them.
    pub receipts: Vec<Receipt>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Receipt {
    /// `s3.GetBucketVersioning/name`.
    pub key: String,
    /// Operation, time, request id, digest of the answer; null if the document lacks it.
    pub receipt: Value,
}

/// One fact as it would have to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edit {
    /// Its JSON pointer.
    pub pointer: String,
    /// Its value then.
    pub value: Value,
}

/// Explains a code; on a document, also why it blocks. `subject` narrows that to one subject.
///
/// # Errors
///
/// If the policies or the document cannot be evaluated.
pub fn explain(
    set: &PolicySet,
    policies: &Policies,
    code: &Code,
    facts: Option<&Value>,
    subject: Option<&str>,
) -> Result<Explanation, EvaluateError> {
    let blockers = facts.map(|facts| blockers(policies, code, facts, subject)).transpose()?;
    Ok(Explanation { code: code.clone(), rule: rule(set, policies, code)?, blockers })
}

fn rule(set: &PolicySet, policies: &Policies, code: &Code) -> Result<Vec<SourceExcerpt>, PolicyError> {
    let Some(lane) = lane(policies, code) else { return Ok(Vec::new()) };
    let sources = rule_sources(set, &lane.package, &code.rule)?;
    Ok(sources.into_iter().map(|(location, text)| SourceExcerpt { location, text }).collect())
}

fn lane<'policies>(policies: &'policies Policies, code: &Code) -> Option<&'policies Lane> {
    policies.lanes().iter().find(|lane| lane.lane == code.lane)
}

fn blockers(
    policies: &Policies,
    code: &Code,
    facts: &Value,
    subject: Option<&str>,
) -> Result<Vec<ExplainedCheck>, EvaluateError> {
    let found = checks(policies, code, facts)?;
    let blocking =
        found.into_iter().filter(|check| !check.ok && subject.is_none_or(|subject| check.subject == subject));
    blocking
        .map(|check| {
            let edits = smallest(policies, code, facts, &check)?;
            let explained: Vec<ExplainedFact> =
                check.facts.iter().map(|pointer| explained_fact(facts, pointer)).collect();
            Ok(ExplainedCheck { actions: actions(facts, &check), facts: explained, edits, check })
        })
        .collect()
}

fn checks(policies: &Policies, code: &Code, facts: &Value) -> Result<Vec<Check>, EvaluateError> {
    let Some(lane) = lane(policies, code) else { return Ok(Vec::new()) };
    code_checks(policies, lane, code, facts)
}

/// The pointer of the observation that a fact is part of: the nearest object around it with a status.
fn observation<'pointer>(facts: &Value, pointer: &'pointer str) -> Option<&'pointer str> {
    let mut end = pointer.len();
    loop {
        let around = &pointer[..end];
        if facts.pointer(around).is_some_and(|value| value["status"].is_string()) {
            return Some(around);
        }
        end = around.rfind('/')?;
    }
}

fn explained_fact(facts: &Value, pointer: &str) -> ExplainedFact {
    let observation = observation(facts, pointer).and_then(|pointer| facts.pointer(pointer));
    let keys = observation.and_then(|observation| observation["receipts"].as_array()).into_iter().flatten();
    let receipts = keys
        .filter_map(Value::as_str)
        .map(|key| Receipt { key: key.to_owned(), receipt: facts["receipts"].get(key).cloned().unwrap_or_default() });
    ExplainedFact {
        pointer: pointer.to_owned(),
        status: observation.and_then(|observation| observation["status"].as_str()).map(str::to_owned),
        receipts: receipts.collect(),
    }
}

fn actions(facts: &Value, check: &Check) -> Vec<String> {
    if check.cause != Cause::Unreadable {
        return Vec::new();
    }
    let observations = check.facts.iter().filter_map(|pointer| facts.pointer(observation(facts, pointer)?));
    let unreadable = observations.filter(|observation| observation["status"] == "unreadable");
    let actions: BTreeSet<String> =
        unreadable.filter_map(|observation| observation["error"]["action"].as_str()).map(str::to_owned).collect();
    actions.into_iter().collect()
}

/// The smallest set of edits, tried from one fact on, after which the check holds.
fn smallest(
    policies: &Policies,
    code: &Code,
    facts: &Value,
    check: &Check,
) -> Result<Option<Vec<Edit>>, EvaluateError> {
    let (opened, check) = opened(policies, code, facts, check)?;
    let candidates: Vec<Edit> = check.facts.iter().flat_map(|pointer| candidates(&opened, pointer, &check)).collect();
    for size in 1..=MOST_EDITS.min(candidates.len()) {
        for edits in combinations(&candidates, size) {
            let mut edited = opened.clone();
            let applied = edits.iter().all(|edit| put(&mut edited, &edit.pointer, edit.value.clone()));
            if applied && holds(policies, code, &edited, &check)? {
                return Ok(Some(edits));
            }
        }
    }
    Ok(None)
}

/// The document in which the observations that a check reads are there and say nothing, and the check on that: only of what is there
/// does a check name the very member that it reads.
fn opened(policies: &Policies, code: &Code, facts: &Value, check: &Check) -> Result<(Value, Check), EvaluateError> {
    let mut document = facts.clone();
    for pointer in &check.facts {
        let Some(around) = observation(facts, pointer) else { continue };
        if let Some(found) = document.pointer_mut(around)
            && found["status"] != "present"
        {
            let receipts = found["receipts"].take();
            *found = json!({"status": "present", "value": {}, "receipts": receipts});
        }
    }
    let found = checks(policies, code, &document)?;
    let same = found.into_iter().find(|found| found.subject == check.subject && found.claim == check.claim);
    Ok((document, same.unwrap_or_else(|| check.clone())))
}

fn holds(policies: &Policies, code: &Code, facts: &Value, check: &Check) -> Result<bool, EvaluateError> {
    let found = checks(policies, code, facts)?;
    Ok(found.iter().any(|found| found.ok && found.subject == check.subject && found.claim == check.claim))
}

/// What a fact could be changed to: what is expected of it, the opposite of what it is, or, of a handle, what was found.
fn candidates(facts: &Value, pointer: &str, check: &Check) -> Vec<Edit> {
    let edit = |pointer: &str, value: Value| Edit { pointer: pointer.to_owned(), value };
    if pointer.starts_with("/handles/") {
        return vec![edit(pointer, check.actual.clone())];
    }
    let mut values = vec![check.expected.clone()];
    match facts.pointer(pointer) {
        Some(Value::Bool(value)) => values.push(json!(!value)),
        Some(Value::Array(_)) => values.push(json!([])),
        Some(Value::Object(_)) | None => values.push(Value::Null),
        _ => {}
    }
    values.into_iter().filter(|value| facts.pointer(pointer) != Some(value)).map(|value| edit(pointer, value)).collect()
}

/// Puts a value where a pointer leads, with what is missing on the way.
fn put(document: &mut Value, pointer: &str, value: Value) -> bool {
    if let Some(place) = document.pointer_mut(pointer) {
        *place = value;
        return true;
    }
    let Some(around) = observation(document, pointer).map(str::to_owned) else { return false };
    let Some(mut place) = document.pointer_mut(&around) else { return false };
    for step in pointer[around.len()..].split('/').skip(1) {
        let step = unescape(step);
        if place.is_null() {
            *place = json!({});
        }
        let Some(fields) = place.as_object_mut() else { return false };
        place = fields.entry(step).or_insert(Value::Null);
    }
    *place = value;
    true
}

/// Every combination of so many of the edits.
fn combinations(edits: &[Edit], size: usize) -> Vec<Vec<Edit>> {
    match (size, edits) {
        (0, _) => vec![Vec::new()],
        (_, []) => Vec::new(),
        (_, [first, rest @ ..]) => {
            let with_first = combinations(rest, size - 1).into_iter().map(|mut others| {
                others.insert(0, first.clone());
                others
            });
            with_first.chain(combinations(rest, size)).collect()
        }
    }
}
