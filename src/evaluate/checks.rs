//! Phase 1: what the code rules of the lanes claim.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::together::{term, together};
use crate::check::{Cause, Check};
use crate::policy::{Code, Engine, EngineValue, Lane, Location, PolicyError};
use crate::verdict::CodeVerdict;

/// The claim that stands in for a code without checks.
const AT_LEAST_ONE_CHECK: &str = "at least one check";

/// The rule of a lane's observations.
const OBSERVATIONS: &str = "observations";

/// What phase 1 found in one lane.
pub(super) struct Findings {
    /// In the order of the lane's codes.
    pub(super) codes: Vec<CodeVerdict>,
    /// Sorted.
    pub(super) observations: Vec<Value>,
}

/// Evaluates the code rules and observations of lanes.
pub(super) fn evaluate(engine: &Engine, lanes: &[Lane], input: &EngineValue) -> Result<Vec<Findings>, PolicyError> {
    let parts = lanes.iter().map(|lane| (format!("the package `{}`", lane.package), terms(lane).collect()));
    let mut values = together(engine, input, parts.collect())?;
    lanes.iter().map(|lane| findings(lane, &mut values)).collect()
}

fn terms(lane: &Lane) -> impl Iterator<Item = String> {
    let rules = lane.codes.iter().map(|code| code.rule.as_str()).chain(lane.has_observations.then_some(OBSERVATIONS));
    rules.map(|rule| term(lane, rule))
}

/// What a lane claims, taken out of the values of the terms.
fn findings(lane: &Lane, values: &mut BTreeMap<String, Value>) -> Result<Findings, PolicyError> {
    let mut codes = Vec::new();
    for code in &lane.codes {
        let value = values.remove(&term(lane, &code.rule)).unwrap_or_default();
        codes.push(CodeVerdict {
            code: code.code.clone(),
            title: code.title.clone(),
            checks: checks(lane, code, value)?,
        });
    }
    let observations = match values.remove(&term(lane, OBSERVATIONS)) {
        Some(value) => observations(lane, value)?,
        None => Vec::new(),
    };
    Ok(Findings { codes, observations })
}

/// The checks of one code, sorted. A code that claims nothing proves nothing, so it gets a check that does not hold.
fn checks(lane: &Lane, code: &Code, value: Value) -> Result<Vec<Check>, PolicyError> {
    let rule = format!("{}.{}", lane.package, code.rule);
    let Value::Array(values) = value else {
        return Err(malformed(&code.location, format!("`{rule}` is no set of checks")));
    };
    let mut checks = values
        .into_iter()
        .map(|value| {
            check(value).map_err(|problem| malformed(&code.location, format!("`{rule}` gives a check that {problem}")))
        })
        .collect::<Result<Vec<Check>, PolicyError>>()?;
    checks.sort_by(|left, right| identity(left).cmp(&identity(right)));
    // Equal checks are one element of the set, so two of the same identity contradict each other.
    if let Some([check, _]) = checks.array_windows().find(|[left, right]| identity(left) == identity(right)) {
        return Err(malformed(
            &code.location,
            format!("`{rule}` gives two different checks that \"{}\" of {}", check.claim, check.subject),
        ));
    }
    if checks.is_empty() {
        checks.push(Check {
            subject: code.code.clone(),
            claim: AT_LEAST_ONE_CHECK.to_owned(),
            ok: false,
            cause: Cause::Evidence,
            expected: AT_LEAST_ONE_CHECK.into(),
            actual: "no check".into(),
            facts: Vec::new(),
        });
    }
    Ok(checks)
}

fn identity(check: &Check) -> (&str, &str) {
    (&check.subject, &check.claim)
}

fn check(value: Value) -> Result<Check, String> {
    let name = name_of(&value);
    let check: Check = serde_json::from_value(value).map_err(|error| format!("is malformed ({error}){name}"))?;
    if check.subject.trim().is_empty() || check.claim.trim().is_empty() {
        return Err(format!("lacks a subject or a claim{name}"));
    }
    if check.ok != (check.cause == Cause::None) {
        return Err(format!("contradicts itself: `ok` and `cause` do not fit{name}"));
    }
    if let Some(fact) = check.facts.iter().find(|fact| !fact.starts_with('/')) {
        return Err(format!("names a fact that is no JSON pointer, `{fact}`{name}"));
    }
    Ok(check)
}

/// As much of a malformed check's identity as it has.
fn name_of(value: &Value) -> String {
    let text = |key| value.get(key).and_then(Value::as_str).unwrap_or("?");
    format!(": subject {}, claim \"{}\"", text("subject"), text("claim"))
}

/// What an observation consists of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observation {
    subject: String,
    message: String,
    #[serde(rename = "facts")]
    _facts: Vec<String>,
}

fn observations(lane: &Lane, value: Value) -> Result<Vec<Value>, PolicyError> {
    let Value::Array(values) = value else {
        return Err(malformed(&lane.location, format!("`{}.observations` is no set", lane.package)));
    };
    let mut sorted = BTreeMap::new();
    for value in values {
        let observation = Observation::deserialize(&value).map_err(|error| {
            malformed(&lane.location, format!("`{}.observations` gives one that is malformed ({error})", lane.package))
        })?;
        sorted.insert((observation.subject, observation.message, value.to_string()), value);
    }
    Ok(sorted.into_values().collect())
}

fn malformed(location: &Location, problem: String) -> PolicyError {
    PolicyError::Result {
        location: location.clone(),
        problem,
        help: "build checks with the helpers in `lib`: {subject, claim, ok, cause, expected, actual, facts}, \
               each subject and claim once, and cause \"none\" exactly if ok"
            .into(),
    }
}
