//! Phase 2: the bodies of the evidence files. Policies shape what phase 1 computed; they never compute blockers again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::together::{term, together};
use super::verdicts;
use crate::policy::{EngineValue, Lane, Policies, PolicyError};
use crate::verdict::{LaneVerdict, ToolIdentity};

/// How the name of a file ends whose body is a text that is written as it is.
const LOG: &str = ".log";

/// The rule that gives them.
const RULE: &str = "artifacts";

/// Lane → file name → body. `lanes` are those whose artifacts are wanted, `verdicts` those on all lanes, `reasons` why the outcome
/// is NO-GO beside their blockers.
pub(super) fn evaluate(
    policies: &Policies,
    lanes: &[&Lane],
    input: &EngineValue,
    tool: &ToolIdentity,
    verdicts: &[LaneVerdict],
    reasons: &[String],
    waived: &Value,
) -> Result<BTreeMap<String, BTreeMap<String, Value>>, PolicyError> {
    let engine = policies.engine_with(&evaluator(policies, tool, verdicts, reasons, waived)?)?;
    let lanes = || lanes.iter().filter(|lane| !lane.artifacts.is_empty());
    let parts = lanes().map(|lane| (format!("the artifacts of `{}`", lane.package), vec![term(lane, RULE)]));
    let mut values = together(&engine, input, parts.collect())?;
    let bodies = lanes().map(|lane| Ok((lane.lane.clone(), bodies(lane, values.remove(&term(lane, RULE)))?)));
    bodies.collect()
}

/// What policies see as `data.factgate`.
pub(super) fn evaluator(
    policies: &Policies,
    tool: &ToolIdentity,
    verdicts: &[LaneVerdict],
    reasons: &[String],
    waived: &Value,
) -> Result<Value, PolicyError> {
    let shape = |error: serde_json::Error| PolicyError::Internal { message: format!("a verdict is no JSON: {error}") };
    Ok(json!({
        "tool": serde_json::to_value(tool).map_err(shape)?,
        "policies_digest": policies.identity().digest,
        "contract_overrides": policies.identity().overrides,
        "verdict": {"lanes": verdicts::as_data(verdicts).map_err(shape)?, "reasons": reasons},
        "waived": waived,
    }))
}

/// The bodies, if they are exactly those that the lane declares.
fn bodies(lane: &Lane, value: Option<Value>) -> Result<BTreeMap<String, Value>, PolicyError> {
    let wrong = |problem: String, help: &str| PolicyError::Result {
        location: lane.artifacts_location.clone(),
        problem: format!("`{}.{RULE}` {problem}", lane.package),
        help: help.to_owned(),
    };
    let bodies: BTreeMap<String, Value> = match value {
        Some(Value::Object(bodies)) => bodies.into_iter().collect(),
        Some(_) => return Err(wrong("is no object".into(), "it maps file names to bodies")),
        None => {
            let help = "some body is undefined for these facts: use total helpers, e.g. `object.get` with a default";
            return Err(wrong("is undefined".into(), help));
        }
    };
    let declared: BTreeSet<&String> = lane.artifacts.iter().collect();
    let given: BTreeSet<&String> = bodies.keys().collect();
    let list =
        |names: BTreeSet<&String>| names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let missing = &declared - &given;
    if !missing.is_empty() {
        return Err(wrong(format!("lacks {}", list(missing)), "every declared artifact is always written"));
    }
    let surplus = &given - &declared;
    if !surplus.is_empty() {
        return Err(wrong(format!("gives {}", list(surplus)), "declare it in the lane's METADATA, or leave it out"));
    }
    if let Some((name, _)) = bodies.iter().find(|(name, body)| name.ends_with(LOG) && !body.is_string()) {
        return Err(wrong(format!("gives no text for `{name}`"), "a log is written as it is: its body is a string"));
    }
    Ok(bodies)
}
