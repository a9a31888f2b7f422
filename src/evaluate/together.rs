//! Terms of several lanes in one query.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::policy::{Engine, EngineValue, Lane, PolicyError};

/// A rule of a lane, as a query names it.
pub(super) fn term(lane: &Lane, rule: &str) -> String {
    format!("data.{}.{rule}", lane.package)
}

/// The values of all terms of some parts, by the terms: in one query, since lanes share much and the rollup needs the others. If that
/// fails, they are evaluated part by part, each in the time that it has, so that the error says which part it is.
pub(super) fn together(
    engine: &Engine,
    input: &EngineValue,
    parts: Vec<(String, Vec<String>)>,
) -> Result<BTreeMap<String, Value>, PolicyError> {
    let query = |what: &str, terms: &mut dyn Iterator<Item = &String>| {
        let terms = terms.map(|term| (term.clone(), term.clone())).collect();
        engine.query(what, input, &terms, false).map(|answer| answer.values)
    };
    if let Ok(values) = query("the policies", &mut parts.iter().flat_map(|(_, terms)| terms)) {
        return Ok(values);
    }
    let mut values = BTreeMap::new();
    for (what, terms) in &parts {
        values.extend(query(what, &mut terms.iter())?);
    }
    Ok(values)
}
