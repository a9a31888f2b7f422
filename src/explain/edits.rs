//! What would clear a blocker: candidate edits, each tried by evaluating the edited document.
//!
//! ```text
//! blocker ─► its facts, as if they were there ─► edits of none, one, two ─► does it hold? ─► those that are needed
//!    └─ it follows from others on the same facts ─► what clears them, together ───┘
//! ```

use std::cell::OnceCell;
use std::collections::BTreeSet;

use factgate_collector::json::unescape;
use serde_json::{Value, json};

use super::{Edit, checks, observation};
use crate::check::{Cause, Check};
use crate::evaluate::EvaluateError;
use crate::policy::{Code, Policies};

/// How many facts an edit may touch, beside those that are not there.
const MOST_EDITS: usize = 2;

/// How many sets of edits are tried for a check.
const MOST_TRIALS: usize = 50;

/// How many for one that follows from others.
const MOST_TRIALS_OF_ROLLUPS: usize = 5;

/// Where the handles are.
const HANDLES: &str = "/handles/";

/// The search for edits of a document.
pub(super) struct Search<'run> {
    policies: &'run Policies,
    facts: &'run Value,
    /// Everything that blocks on the document, if it was asked for.
    blocking: OnceCell<Vec<(&'run Code, Check)>>,
}

impl<'run> Search<'run> {
    pub(super) fn new(policies: &'run Policies, facts: &'run Value) -> Self {
        Self { policies, facts, blocking: OnceCell::new() }
    }

    pub(super) fn facts(&self) -> &'run Value {
        self.facts
    }

    /// The smallest set of edits that is found to clear a check.
    pub(super) fn edits(&self, code: &Code, check: &Check) -> Result<Option<Vec<Edit>>, EvaluateError> {
        let beneath = self.beneath(code, check)?;
        let (upstream, beside): (Vec<_>, Vec<_>) =
            beneath.into_iter().partition(|(other, _)| self.is_upstream(&other.lane, &code.lane));
        if let Some(edits) = self.together(code, check, &upstream)? {
            return Ok(Some(edits));
        }
        // What rolls up other lanes costs the most to try, and is seldom cleared by an edit of its own.
        let most = if upstream.is_empty() { MOST_TRIALS } else { MOST_TRIALS_OF_ROLLUPS };
        match smallest(self.policies, code, self.facts, check, most)? {
            Some(edits) => Ok(Some(edits)),
            None => self.together(code, check, &beside),
        }
    }

    /// Whether a lane comes before another one, directly or not.
    fn is_upstream(&self, lane: &str, of: &str) -> bool {
        let upstream = self.policies.lanes().iter().filter(|other| other.lane == of).flat_map(|other| &other.upstream);
        upstream.into_iter().any(|before| before == lane || self.is_upstream(lane, before))
    }

    /// The blockers of other codes that rest on facts of this one only: it may follow from them.
    fn beneath(&self, code: &Code, check: &Check) -> Result<Vec<(&'run Code, &Check)>, EvaluateError> {
        let blocking = match self.blocking.get() {
            Some(blocking) => blocking,
            None => {
                let mut blocking = Vec::new();
                for code in self.policies.lanes().iter().flat_map(|lane| &lane.codes) {
                    let open = checks(self.policies, code, self.facts)?.into_iter().filter(|check| !check.ok);
                    blocking.extend(open.map(|check| (code, check)));
                }
                self.blocking.get_or_init(|| blocking)
            }
        };
        let facts: BTreeSet<&str> = check.facts.iter().map(String::as_str).collect();
        let is_beneath =
            |other: &Check| !other.facts.is_empty() && other.facts.iter().all(|fact| facts.contains(fact.as_str()));
        let beneath = blocking.iter().filter(|(other, check)| other.code != code.code && is_beneath(check));
        Ok(beneath.map(|(code, check)| (*code, check)).collect())
    }

    /// What clears all of these, if that clears the check.
    fn together(
        &self,
        code: &Code,
        check: &Check,
        beneath: &[(&Code, &Check)],
    ) -> Result<Option<Vec<Edit>>, EvaluateError> {
        let mut edits: Vec<Edit> = Vec::new();
        for (code, check) in beneath {
            for edit in smallest(self.policies, code, self.facts, check, MOST_TRIALS)?.into_iter().flatten() {
                match edits.iter_mut().find(|other| other.pointer == edit.pointer) {
                    Some(other) => merge(&mut other.value, edit.value),
                    None => edits.push(edit),
                }
            }
        }
        if edits.is_empty() { Ok(None) } else { needed(self.policies, code, self.facts, check, edits) }
    }
}

/// Adds the members of a value to another one.
fn merge(value: &mut Value, other: Value) {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => {
            for (name, other) in others {
                merge(fields.entry(name).or_insert(Value::Null), other);
            }
        }
        (value, other) => *value = other,
    }
}

/// The smallest set of edits, tried from one fact on, after which the check holds. What is not there, or could not be read, is looked at as
/// if it were there; the edit is then of the whole observation.
fn smallest(
    policies: &Policies,
    code: &Code,
    facts: &Value,
    check: &Check,
    most: usize,
) -> Result<Option<Vec<Edit>>, EvaluateError> {
    let (opened, places) = opened(facts, check);
    // Only of what is there does a check name the very member that it reads.
    let named = found_again(policies, code, &opened, check)?.unwrap_or_else(|| check.clone());
    let candidates: Vec<Edit> = named.facts.iter().flat_map(|pointer| candidates(&opened, pointer, &named)).collect();
    let least = if places.is_empty() { 1 } else { 0 };
    let sizes = least..=MOST_EDITS.min(candidates.len());
    let sets = sizes.flat_map(|size| combinations(&candidates, size));
    // Where several members are expected, all of them together.
    let members = Some(members(&named)).filter(|members| members.len() > 1);
    for edits in members.into_iter().chain(sets).take(most) {
        if let Some(edited) = edited(&opened, &edits)
            && holds(policies, code, &edited, check)?
        {
            return needed(policies, code, facts, check, whole(&edited, &places, edits));
        }
    }
    Ok(None)
}

/// The facts that are members of what is expected, as they are expected.
fn members(check: &Check) -> Vec<Edit> {
    let of = |pointer: &String| {
        let value = check.expected.as_object()?.get(&unescape(pointer.rsplit('/').next()?))?;
        Some(Edit { pointer: pointer.clone(), value: value.clone() })
    };
    check.facts.iter().filter(|pointer| !pointer.starts_with(HANDLES)).filter_map(of).collect()
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
    // A list of what will do, of which one is enough.
    if let (Value::Array(items), false) = (&check.expected, is_handle || now.is_some_and(Value::is_array)) {
        values.extend(items.first().cloned());
    }
    match now {
        Some(Value::Bool(value)) => values.push(json!(!value)),
        Some(Value::Number(_)) => values.extend([json!(0), json!(1)]),
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
