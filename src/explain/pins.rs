//! What handles that are not pinned could be pinned to: what was collected and no handle names yet, or a name of its own.

use factgate_collector::json::unescape;
use serde_json::{Value, json};

use super::{Edit, HANDLES};
use crate::check::Check;

/// How many names are tried.
const MOST_NAMES: usize = 20;

/// The edits that pin every handle of a check that is not pinned, and whether they name something that the document has nothing about.
pub(super) fn pins(facts: &Value, check: &Check) -> Vec<(Vec<Edit>, bool)> {
    let is_open = |pointer: &&String| pointer.starts_with(HANDLES) && !is_pinned(facts.pointer(pointer));
    let open: Vec<&String> = check.facts.iter().filter(is_open).collect();
    let mut all = Vec::new();
    if let [only] = open.as_slice() {
        let names = collected(facts).into_iter().take(MOST_NAMES);
        all.extend(names.map(|name| (vec![pinned(facts, only, json!(name))], false)));
    }
    let own = open.iter().map(|pointer| pinned(facts, pointer, json!(own_name(pointer))));
    all.push((own.collect(), true));
    all
}

/// The edit that pins a handle. One that the registry does not mention needs the line that does.
pub(super) fn pinned(facts: &Value, pointer: &str, value: Value) -> Edit {
    match pointer.rsplit_once('/') {
        Some((handle, "value")) if facts.pointer(handle).is_none() => {
            Edit { pointer: handle.to_owned(), value: json!({"value": value, "line": 1}) }
        }
        _ => Edit { pointer: pointer.to_owned(), value },
    }
}

/// As the shipped policies see it (`lib.handle`): nothing, blanks and `TO_PIN` pin nothing.
fn is_pinned(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !matches!(text.trim().to_uppercase().as_str(), "" | "TO_PIN"),
        Some(_) => true,
    }
}

/// The names of AWS resources that were read and that no handle pins, then those that one does.
fn collected(facts: &Value) -> Vec<&str> {
    let handles = facts["handles"].as_object().into_iter().flatten();
    let taken: Vec<&str> = handles.filter_map(|(_, handle)| handle["value"].as_str()).collect();
    let kinds = facts["aws"].as_object().into_iter().flatten().flat_map(|(_, kinds)| kinds.as_object()).flatten();
    let names = kinds.flat_map(|(_, names)| names.as_object()).flatten().map(|(name, _)| name.as_str());
    let (others, named): (Vec<&str>, Vec<&str>) = names.partition(|name| !taken.contains(name));
    others.into_iter().chain(named).collect()
}

/// `/handles/S3_EVIDENCE_BUCKET/value`: `s3-evidence-bucket`.
fn own_name(pointer: &str) -> String {
    let name = pointer.trim_start_matches(HANDLES).split('/').next().map(unescape).unwrap_or_default();
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_pinned_to_what_no_other_names_or_to_a_name_of_its_own() {
        let facts = json!({
            "handles": {"A": {"value": "a", "line": 1}, "B_C": {"value": "TO_PIN", "line": 2}},
            "aws": {"s3": {"buckets": {"a": {}, "b": {}}}},
        });
        let check = |handles: &[&str]| {
            let facts: Vec<String> = handles.iter().map(|name| format!("/handles/{name}/value")).collect();
            let check = json!({
                "subject": "s", "claim": "c", "ok": false, "cause": "unpinned", "expected": 1, "actual": 1, "facts": facts,
            });
            serde_json::from_value(check).unwrap()
        };
        let edit = |pointer: &str, value: Value| Edit { pointer: pointer.to_owned(), value };
        let pin = |name: &str| vec![edit("/handles/B_C/value", json!(name))];
        assert_eq!(pins(&facts, &check(&["A", "B_C"])), [(pin("b"), false), (pin("a"), false), (pin("b-c"), true)]);
        let new = edit("/handles/D", json!({"value": "d", "line": 1}));
        assert_eq!(pins(&facts, &check(&["B_C", "D"])), [([pin("b-c"), vec![new]].concat(), true)]);
    }
}
