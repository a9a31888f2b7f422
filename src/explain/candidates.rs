//! What a fact could be changed to, so that a check may hold: read off what the check expects and what it found, and off what else stands in
//! the document.

use factgate_collector::json::{escape, unescape};
use serde_json::{Value, json};

use super::change::leaves;
use super::pins::pinned;
use super::siblings::renamed;
use super::{Edit, HANDLES};
use crate::check::{Cause, Check};

/// How many texts of the document are tried that end as is expected.
const MOST_ENDINGS: usize = 3;

/// How many members of a list are copied.
const MOST_COPIES: usize = 4;

/// The edits of one of the facts that a check names.
pub(super) fn candidates(facts: &Value, pointer: &str, check: &Check) -> Vec<Edit> {
    let now = facts.pointer(pointer);
    let handles = named_handles(facts, check);
    let values = match now {
        _ if pointer == "/digest" => return Vec::new(),
        _ if pointer.starts_with(HANDLES) => handle_values(now, check),
        Some(Value::Array(items)) => list_values(items, check, &handles),
        _ => field_values(facts, now, check, &handles),
    };
    let edit = |pointer: &str, value| {
        if pointer.starts_with(HANDLES) {
            pinned(facts, pointer, value)
        } else {
            Edit { pointer: pointer.to_owned(), value }
        }
    };
    let mut edits: Vec<Edit> = Vec::new();
    for value in values {
        // A member of a map that is not there may have to have more than is named of it, as the others have.
        let like_others = now.is_none().then(|| like_others(facts, pointer, &value)).flatten();
        let candidates = [Some(edit(pointer, value)), like_others.map(|(pointer, value)| edit(pointer, value))];
        for candidate in candidates.into_iter().flatten() {
            if facts.pointer(&candidate.pointer) != Some(&candidate.value) && !edits.contains(&candidate) {
                edits.push(candidate);
            }
        }
    }
    edits
}

/// Where members of what is expected are named: all of them as they are expected, also those that nobody names.
pub(super) fn members(check: &Check) -> Vec<Edit> {
    let Value::Object(expected) = &check.expected else { return Vec::new() };
    let mut edits: Vec<Edit> = Vec::new();
    for pointer in check.facts.iter().filter(|pointer| !pointer.starts_with(HANDLES)) {
        let Some((around, last)) = pointer.rsplit_once('/') else { continue };
        if expected.contains_key(&unescape(last)) {
            let all = expected
                .iter()
                .map(|(name, value)| Edit { pointer: format!("{around}/{}", escape(name)), value: value.clone() });
            edits.extend(all.filter(|edit| !edits.contains(edit)).collect::<Vec<_>>());
        }
    }
    edits
}

/// What is expected of a handle, or what was found where the handle itself is what is expected.
fn handle_values(now: Option<&Value>, check: &Check) -> Vec<Value> {
    match now {
        Some(now) if *now == check.expected => vec![like(now, &check.actual)],
        Some(now) if *now != check.actual && check.cause != Cause::Unpinned => Vec::new(),
        Some(Value::Number(_)) => vec![check.expected.clone(), json!(0), json!(1)],
        Some(Value::Bool(value)) => vec![json!(!value)],
        _ => vec![check.expected.clone()],
    }
}

/// A value of the kind that another one has: a number that was found as a text.
fn like(now: &Value, value: &Value) -> Value {
    match (now, value) {
        (Value::Number(_), Value::String(text)) => {
            serde_json::from_str(text).ok().filter(Value::is_number).unwrap_or_else(|| value.clone())
        }
        _ => value.clone(),
    }
}

/// What is expected, or the opposite of what it is; where the other side of an equality is missing, that side may be right.
fn field_values(facts: &Value, now: Option<&Value>, check: &Check, handles: &Value) -> Vec<Value> {
    let mut values = vec![check.expected.clone()];
    // A list of what will do, of which one is enough.
    if let Value::Array(items) = &check.expected {
        values.extend(items.first().cloned());
    }
    // One of several values that are compared together.
    for (ones, others) in [(&check.actual, &check.expected), (&check.expected, &check.actual)] {
        if let (Value::Array(ones), Value::Array(others)) = (ones, others) {
            let pairs = ones.iter().zip(others).filter(|(one, _)| Some(*one) == now);
            values.extend(pairs.map(|(_, other)| other.clone()));
        }
    }
    match now {
        Some(Value::Bool(value)) => values.push(json!(!value)),
        Some(Value::Number(_)) => values.extend([json!(0), json!(1)]),
        None | Some(Value::Null | Value::String(_)) => {
            if let Value::String(expected) = &check.expected {
                values.extend(endings(facts, expected).into_iter().map(Value::String));
            }
            if now != Some(&check.actual) {
                values.push(check.actual.clone());
            }
            if now.is_none() {
                values.push(json!([]));
            }
        }
        Some(Value::Object(_) | Value::Array(_)) => {}
    }
    values.push(Value::Null);
    if now.is_none_or(|now| !now.is_object()) {
        values.extend(handles.as_array().into_iter().flatten().cloned());
    }
    values
}

/// What the handles pin that a check names.
fn named_handles(facts: &Value, check: &Check) -> Value {
    let handles = check.facts.iter().filter(|pointer| pointer.starts_with(HANDLES));
    handles.filter_map(|pointer| facts.pointer(pointer)).filter(|value| !value.is_null()).cloned().collect()
}

/// What is expected, nothing, or the list with more members, those that are expected, or with others or fewer, not those that were found.
///
/// What is expected may stand in the handles that the check names, and only be described by it.
fn list_values(items: &[Value], check: &Check, handles: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    if check.expected.is_array() {
        values.push(check.expected.clone());
    }
    for wanted in [&check.expected, &check.actual, handles].map(texts) {
        let missing: Vec<&str> = wanted.into_iter().filter(|text| !mentions(items, text)).collect();
        if missing.is_empty() {
            continue;
        }
        if items.iter().all(Value::is_string) {
            values.push(items.iter().cloned().chain(missing.iter().map(|text| json!(text))).collect());
        }
        let fields = items.first().and_then(Value::as_object).into_iter().flat_map(|fields| fields.values());
        for field in fields.filter_map(Value::as_str).filter(|field| !field.is_empty()).take(MOST_COPIES) {
            let copies = missing.iter().map(|text| renamed(&items[0], &[(field, text)]));
            values.push(items.iter().cloned().chain(copies).collect());
        }
    }
    // The same with numbers, wherever they stand in a member.
    let wanted = [&check.expected, handles]
        .map(numbers)
        .into_iter()
        .flatten()
        .filter(|number| !items.iter().any(|item| has_number(item, number)));
    for wanted in wanted {
        if let Some(first) = items.first().filter(|first| first.is_object()) {
            let copies = numbers_within(first).take(MOST_COPIES).map(|from| with_number(first, from, wanted));
            values.extend(copies.map(|copy| items.iter().cloned().chain([copy]).collect()));
        }
    }
    let found = texts(&check.actual);
    let is_found = |item: &Value| found.iter().any(|text| mentions(std::slice::from_ref(item), text));
    values.push(items.iter().map(|item| if is_found(item) { turned(item) } else { item.clone() }).collect());
    values.push(items.iter().filter(|item| !is_found(item)).cloned().collect());
    values.push(json!([]));
    values
}

/// An object with the opposite of each of its flags.
fn turned(item: &Value) -> Value {
    let mut turned = item.clone();
    for flag in turned.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Value::Bool(value) = flag {
            *value = !*value;
        }
    }
    turned
}

/// The texts of a value that is one or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The numbers of a value that is one or a list of them.
fn numbers(value: &Value) -> Vec<&Value> {
    match value {
        Value::Number(_) => vec![value],
        Value::Array(items) => items.iter().filter(|item| item.is_number()).collect(),
        _ => Vec::new(),
    }
}

/// Every number in a value.
fn numbers_within(value: &Value) -> impl Iterator<Item = &Value> {
    leaves(value).into_iter().filter(|leaf| leaf.is_number())
}

fn has_number(value: &Value, number: &Value) -> bool {
    numbers_within(value).any(|found| found.as_f64() == number.as_f64())
}

fn with_number(value: &Value, from: &Value, to: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| with_number(item, from, to)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), with_number(field, from, to))).collect())
        }
        other => {
            if other == from {
                to.clone()
            } else {
                other.clone()
            }
        }
    }
}

/// Whether one of the items is a text, or has it as a member.
fn mentions(items: &[Value], text: &str) -> bool {
    items.iter().any(|item| match item {
        Value::String(found) => found == text,
        Value::Array(items) => mentions(items, text),
        Value::Object(fields) => fields.values().any(|field| mentions(std::slice::from_ref(field), text)),
        _ => false,
    })
}

/// Texts of the document that are longer names of the same: an ARN or a path that ends so.
fn endings(value: &Value, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in leaves(value).into_iter().filter_map(Value::as_str) {
        let is_longer = text.strip_suffix(name).is_some_and(|before| before.ends_with([':', '/']));
        if is_longer && !found.iter().any(|other| other == text) && found.len() < MOST_ENDINGS {
            found.push(text.to_owned());
        }
    }
    found
}

/// The member of a map that a fact is, or is part of, and that is not there: as the first of the others, but for the fact.
fn like_others<'pointer>(facts: &Value, pointer: &'pointer str, value: &Value) -> Option<(&'pointer str, Value)> {
    let (member, field) = pointer.rsplit_once('/')?;
    let others =
        |map: &str| facts.pointer(map)?.as_object().map(|others| others.values().filter(|other| other.is_object()));
    if let Some(mut others) = others(member) {
        return others.next().map(|other| (pointer, other.clone()));
    }
    let (map, _) = member.rsplit_once('/')?;
    let field = unescape(field);
    let mut like = others(map)?.find(|other| other.get(&field).is_some())?.clone();
    like.as_object_mut()?.insert(field, value.clone());
    Some((member, like))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(facts: &Value, pointer: &str, expected: Value, actual: Value) -> Vec<(String, Value)> {
        let check = json!({
            "subject": "s", "claim": "c", "ok": false, "cause": "violated", "expected": expected, "actual": actual, "facts": [pointer],
        });
        let check: Check = serde_json::from_value(check).unwrap();
        candidates(facts, pointer, &check).into_iter().map(|edit| (edit.pointer, edit.value)).collect()
    }

    #[test]
    fn a_list_gets_what_is_expected_and_loses_what_was_found() {
        let facts =
            json!({"groups": [{"name": "/a/one", "arn": "arn:/a/one", "days": 1}, {"name": "/a/bad", "read": false}]});
        let found = values(&facts, "/groups", json!("/a/two"), json!(["/a/bad"]));
        let [first, bad] = [&facts["groups"][0], &facts["groups"][1]];
        for list in [
            json!([first, bad, {"name": "/a/two", "arn": "arn:/a/two", "days": 1}]),
            json!([first, {"name": "/a/bad", "read": true}]),
            json!([first]),
            json!([]),
        ] {
            assert!(found.contains(&("/groups".to_owned(), list.clone())), "{list}: {found:#?}");
        }
    }

    #[test]
    fn a_field_may_be_a_longer_name_of_what_is_expected() {
        let facts = json!({"aws": {"queue": {}}, "target": "arn:aws:sqs:eu-west-2:123456789012:letters", "other": "my-letters"});
        let found = values(&facts, "/aws/queue/QueueArn", json!("letters"), json!(null));
        assert!(found.contains(&("/aws/queue/QueueArn".to_owned(), facts["target"].clone())), "{found:#?}");
        assert!(found.iter().all(|(_, value)| *value != "my-letters"), "{found:#?}");
    }

    #[test]
    fn a_member_of_a_map_that_is_not_there_may_be_as_the_others_are() {
        let facts = json!({"values": {"one": {"sensitive": false, "value": "x"}}});
        let found = values(&facts, "/values/two/value", json!("y"), json!(null));
        assert!(found.contains(&("/values/two".to_owned(), json!({"sensitive": false, "value": "y"}))), "{found:#?}");
        let found = values(&facts, "/values/two", json!("an output"), json!(null));
        assert!(found.contains(&("/values/two".to_owned(), facts["values"]["one"].clone())), "{found:#?}");
    }

    #[test]
    fn a_list_gets_a_copy_with_the_number_that_is_expected() {
        let alert = |threshold: u64| json!({"notification": {"threshold": threshold}, "subscribers": ["a"]});
        let facts = json!({"alerts": [alert(120), alert(270)]});
        let with_third = ("/alerts".to_owned(), json!([alert(120), alert(270), alert(210)]));
        let found = values(&facts, "/alerts", json!(210), json!([120, 270]));
        assert!(found.contains(&with_third), "{found:#?}");
        let facts = json!({"alerts": facts["alerts"], "handles": {"A": {"value": 210}}});
        let check = json!({
            "subject": "s", "claim": "c", "ok": false, "cause": "violated", "expected": "one of it", "actual": "none",
            "facts": ["/handles/A/value", "/alerts"],
        });
        let found = candidates(&facts, "/alerts", &serde_json::from_value(check).unwrap());
        assert!(found.iter().any(|edit| edit.value == with_third.1), "{found:#?}");
    }

    #[test]
    fn one_of_several_values_becomes_what_stands_in_its_place() {
        let facts = json!({"scope": {"region": "a"}, "handles": {"N": {"value": 300}}});
        let found = values(&facts, "/scope/region", json!(["1", "b"]), json!(["1", "a"]));
        assert!(found.contains(&("/scope/region".to_owned(), json!("b"))), "{found:#?}");
        assert_eq!(
            values(&facts, "/handles/N/value", json!(300), json!("900")),
            [("/handles/N/value".to_owned(), json!(900))]
        );
    }

    #[test]
    fn no_edit_is_proposed_of_a_digest() {
        assert_eq!(values(&json!({"digest": "sha256:0"}), "/digest", json!("a digest"), json!(null)), []);
    }
}
