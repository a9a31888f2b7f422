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

mod candidates;
mod change;
mod edits;
mod pins;
mod siblings;

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use crate::check::{Cause, Check};
use crate::evaluate::{EvaluateError, code_checks};
use crate::policy::{Code, Lane, Location, Policies, PolicyError, PolicySet, rule_sources};
use edits::Search;

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
    /// The smallest set of edits that was found to clear all of them at once, and that breaks no other claim of the code; none if none was found.
    pub edits: Option<Vec<Edit>>,
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
    /// The smallest set of edits that was found to clear it: none of them, and no member of an observation that they write, can be left out.
    /// None if none was found. Of what follows from other blockers on the same facts, the edits that clear those.
    pub edits: Option<Vec<Edit>>,
    /// Texts in the edits that stand neither in the document nor in the check: values of the shipped example, each for one of your own.
    pub examples: BTreeSet<String>,
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
    let mut explanation =
        Explanation { code: code.clone(), rule, blockers: None, edits: None, subjects: BTreeSet::new() };
    if let Some(facts) = facts {
        let found = checks(policies, code, facts)?;
        explanation.subjects = found.iter().map(|check| check.subject.clone()).collect();
        let is_blocking = |check: &Check| !check.ok && subject.is_none_or(|subject| check.subject == subject);
        let blocking: Vec<Check> = found.into_iter().filter(is_blocking).collect();
        let search = Search::new(set, policies, facts)?;
        let explained = blocking.into_par_iter().map(|check| explained(&search, code, check));
        let blockers = explained.collect::<Result<Vec<_>, EvaluateError>>()?;
        if !blockers.is_empty() {
            explanation.edits = search.edits_of_all(code, &blockers)?;
        }
        explanation.blockers = Some(blockers);
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

fn explained(search: &Search<'_>, code: &Code, check: Check) -> Result<ExplainedCheck, EvaluateError> {
    let (edits, facts) = (search.edits(code, &check)?, search.facts());
    let explained = check.facts.iter().map(|pointer| explained_fact(facts, pointer)).collect();
    let examples = search.examples(&check, edits.as_deref().unwrap_or_default());
    Ok(ExplainedCheck { actions: actions(facts, &check), facts: explained, edits, examples, check })
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
