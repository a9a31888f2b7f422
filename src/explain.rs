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

/// How many facts an edit may touch, beside those that are not there.
const MOST_EDITS: usize = 2;

/// How many sets of edits are tried for a check.
const MOST_TRIALS: usize = 50;

/// Where the handles are.
const HANDLES: &str = "/handles/";

/// What is known about a code.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// What its METADATA says.
    pub code: Code,
    /// The definitions of its rule.
    pub rule: Vec<SourceExcerpt>,
    /// Its checks that do not hold on a document; none if no document is given.
    pub blockers: Option<Vec<ExplainedCheck>>,
    /// What its checks are about on that document.
    #[serde(skip)]
    pub subjects: BTreeSet<String>,
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
    let rule = rule(set, policies, code)?;
    let mut explanation = Explanation { code: code.clone(), rule, blockers: None, subjects: BTreeSet::new() };
    if let Some(facts) = facts {
        let found = checks(policies, code, facts)?;
        explanation.subjects = found.iter().map(|check| check.subject.clone()).collect();
        let blocking =
            found.into_iter().filter(|check| !check.ok && subject.is_none_or(|subject| check.subject == subject));
        let explained = blocking.map(|check| explained(policies, code, facts, check));
        explanation.blockers = Some(explained.collect::<Result<_, EvaluateError>>()?);
    }
    Ok(explanation)
}

fn rule(set: &PolicySet, policies: &Policies, code: &Code) -> Result<Vec<SourceExcerpt>, PolicyError> {
    let Some(lane) = lane(policies, code) else { return Ok(Vec::new()) };
    let sources = rule_sources(set, &lane.package, &code.rule)?;
    Ok(sources.into_iter().map(|(location, text)| SourceExcerpt { location, text }).collect())
}

fn lane<'policies>(policies: &'policies Policies, code: &Code) -> Option<&'policies Lane> {
    policies.lanes().iter().find(|lane| lane.lane == code.lane)
}

fn explained(policies: &Policies, code: &Code, facts: &Value, check: Check) -> Result<ExplainedCheck, EvaluateError> {
    let edits = smallest(policies, code, facts, &check)?;
    let explained = check.facts.iter().map(|pointer| explained_fact(facts, pointer)).collect();
    Ok(ExplainedCheck { actions: actions(facts, &check), facts: explained, edits, check })
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

/// The smallest set of edits, tried from one fact on, after which the check holds. What is not there, or could not be read, is looked at as
/// if it were there; the edit is then of the whole observation.
fn smallest(
    policies: &Policies,
    code: &Code,
    facts: &Value,
    check: &Check,
) -> Result<Option<Vec<Edit>>, EvaluateError> {
    let (opened, places) = opened(facts, check);
    // Only of what is there does a check name the very member that it reads.
    let named = found_again(policies, code, &opened, check)?.unwrap_or_else(|| check.clone());
    let candidates: Vec<Edit> = named.facts.iter().flat_map(|pointer| candidates(&opened, pointer, &named)).collect();
    let least = if places.is_empty() { 1 } else { 0 };
    let sizes = least..=MOST_EDITS.min(candidates.len());
    for edits in sizes.flat_map(|size| combinations(&candidates, size)).take(MOST_TRIALS) {
        if let Some(edited) = edited(&opened, &edits)
            && holds(policies, code, &edited, check)?
        {
            return needed(policies, code, facts, check, whole(&edited, &places, edits));
        }
    }
    Ok(None)
}

/// The document in which the observations that a check names are there and say nothing, and where those are that were not.
fn opened(facts: &Value, check: &Check) -> (Value, BTreeSet<String>) {
    let mut document = facts.clone();
    let mut places = BTreeSet::new();
    for pointer in check.facts.iter().filter(|pointer| !pointer.starts_with(HANDLES)) {
        let place = observation(facts, pointer).unwrap_or(pointer);
        let found = facts.pointer(place);
        if found.is_some_and(|found| found["status"] == "present") {
            continue;
        }
        let receipts = found.and_then(|found| found["receipts"].as_array()).cloned().unwrap_or_default();
        if put(&mut document, place, json!({"status": "present", "value": {}, "receipts": receipts})) {
            places.insert(place.to_owned());
        }
    }
    (document, places)
}

/// The edits of the document as it is: of an observation that was not there, the whole.
fn whole(edited: &Value, places: &BTreeSet<String>, edits: Vec<Edit>) -> Vec<Edit> {
    let is_within = |edit: &Edit, place: &String| {
        edit.pointer.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let others = edits.into_iter().filter(|edit| !places.iter().any(|place| is_within(edit, place)));
    let observations =
        places.iter().filter_map(|place| Some(Edit { pointer: place.clone(), value: edited.pointer(place)?.clone() }));
    observations.chain(others).collect()
}

/// Those of the edits without which the check does not hold; nothing if it does not hold with all of them.
fn needed(
    policies: &Policies,
    code: &Code,
    facts: &Value,
    check: &Check,
    mut edits: Vec<Edit>,
) -> Result<Option<Vec<Edit>>, EvaluateError> {
    let clears =
        |edits: &[Edit]| edited(facts, edits).map_or(Ok(false), |edited| holds(policies, code, &edited, check));
    if !clears(&edits)? {
        return Ok(None);
    }
    for index in (0..edits.len()).rev() {
        let mut fewer = edits.clone();
        fewer.remove(index);
        if clears(&fewer)? {
            edits = fewer;
        }
    }
    Ok(Some(edits))
}

/// The check of a document that claims the same.
fn found_again(policies: &Policies, code: &Code, facts: &Value, check: &Check) -> Result<Option<Check>, EvaluateError> {
    let found = checks(policies, code, facts)?;
    Ok(found.into_iter().find(|found| found.subject == check.subject && found.claim == check.claim))
}

fn holds(policies: &Policies, code: &Code, facts: &Value, check: &Check) -> Result<bool, EvaluateError> {
    Ok(found_again(policies, code, facts, check)?.is_some_and(|found| found.ok))
}

/// What a fact could be changed to: what is expected of it, or the opposite of what it is. A handle, to what is expected of it, or to what
/// was found where the handle itself is what is expected.
fn candidates(facts: &Value, pointer: &str, check: &Check) -> Vec<Edit> {
    let now = facts.pointer(pointer);
    let is_handle = pointer.starts_with(HANDLES);
    let mut values = match now {
        Some(now) if is_handle && *now == check.expected => vec![check.actual.clone()],
        Some(now) if is_handle && *now != check.actual && check.cause != Cause::Unpinned => Vec::new(),
        _ => vec![check.expected.clone()],
    };
    match now {
        Some(Value::Bool(value)) => values.push(json!(!value)),
        Some(Value::Number(_)) => values.push(json!(1)),
        Some(Value::Array(_)) => values.push(json!([])),
        Some(Value::Object(_)) | None => values.push(Value::Null),
        _ => {}
    }
    let edits = values.into_iter().filter(|value| now != Some(value));
    edits.map(|value| Edit { pointer: pointer.to_owned(), value }).collect()
}

/// The document after edits, if they can be made.
fn edited(document: &Value, edits: &[Edit]) -> Option<Value> {
    let mut edited = document.clone();
    edits.iter().all(|edit| put(&mut edited, &edit.pointer, edit.value.clone())).then_some(edited)
}

/// Puts a value where a pointer leads, with what is missing on the way.
fn put(document: &mut Value, pointer: &str, value: Value) -> bool {
    let mut place = document;
    for step in pointer.split('/').skip(1).map(unescape) {
        place = match place {
            Value::Array(items) => {
                let Some(item) = step.parse().ok().and_then(|index: usize| items.get_mut(index)) else { return false };
                item
            }
            _ => {
                if place.is_null() {
                    *place = json!({});
                }
                let Some(fields) = place.as_object_mut() else { return false };
                fields.entry(step).or_insert(Value::Null)
            }
        };
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
