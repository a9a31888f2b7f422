//! The facts of a document, and the ways to knock one out.
//!
//! A fact is what a verdict may rest on by itself: an observation (with its status), a member of an observation's value that a check
//! cites, a handle, a receipt, a member of the run. The members of an answer that no check cites belong to the observation: they are
//! changed together with its value.

use std::collections::{BTreeMap, BTreeSet};

use factgate_collector::json::{escape, unescape};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::policy::{EngineValue, PolicyError};

/// A way to knock a fact out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The peer said that it does not exist.
    Absent,
    /// The read was denied.
    Unreadable,
    /// Nothing was tried.
    NotCollected,
    /// The document does not mention it.
    Removed,
    /// The handle is `TO_PIN`.
    Unpinned,
    /// Its value has another type.
    TypeChanged,
    /// Its value is another one of the same type.
    ValueChanged,
}

impl Way {
    /// Whether an observation or a handle says nothing then, be it good or bad.
    pub(super) fn is_unknown(self) -> bool {
        matches!(self, Self::Unreadable | Self::NotCollected | Self::Removed | Self::Unpinned)
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "absent",
            Self::Unreadable => "unreadable",
            Self::NotCollected => "not_collected",
            Self::Removed => "removed",
            Self::Unpinned => "unpinned",
            Self::TypeChanged => "type_changed",
            Self::ValueChanged => "value_changed",
        })
    }
}

/// One fact, knocked out in one way.
#[derive(Clone, Debug)]
pub(super) struct KnockOut {
    /// The JSON pointer of the fact.
    pub(super) pointer: String,
    pub(super) way: Way,
    /// Whether it is a handle: what a document is about depends on those.
    pub(super) is_handle: bool,
    /// Where the document is changed.
    pub(super) place: Vec<String>,
    /// What stands there then; nothing if the member is gone.
    pub(super) value: Option<Value>,
}

impl KnockOut {
    /// What tells it from others.
    pub(super) fn name(&self) -> (String, Way) {
        (self.pointer.clone(), self.way)
    }

    /// The changed document in the engine's form.
    pub(super) fn input(&self, document: &EngineValue) -> Result<EngineValue, PolicyError> {
        let value = self.value.as_ref().map(EngineValue::new).transpose()?;
        let changed = document.with(&self.place, value);
        changed.ok_or_else(|| PolicyError::internal(format!("there is no fact {}", self.pointer)))
    }

    /// The changed document.
    pub(super) fn apply(&self, document: &Value) -> Value {
        let mut document = document.clone();
        match &self.value {
            Some(value) => {
                if let Some(place) = document.pointer_mut(&pointer(&self.place)) {
                    *place = value.clone();
                }
            }
            None => {
                if let Some((last, above)) = self.place.split_last()
                    && let Some(Value::Object(fields)) = document.pointer_mut(&pointer(above))
                {
                    fields.remove(last);
                }
            }
        }
        document
    }
}

/// Every knock-out of a document, by pointer. `cited` are the pointers that its checks name.
pub(super) fn knock_outs(document: &Value, cited: &BTreeSet<String>) -> Vec<KnockOut> {
    let mut finder = Finder { found: BTreeMap::new() };
    let Value::Object(sections) = document else { return Vec::new() };
    for (section, value) in sections {
        let place = vec![section.clone()];
        match section.as_str() {
            // They say which format it is and that it is whole, which the reader of a document judges.
            "digest" | "format" => {}
            "handles" => finder.members(&place, value, Finder::handle),
            "receipts" => finder.members(&place, value, |finder, place, value| finder.field(place, value, true)),
            "run" => {
                finder.members(&place, value, |finder, place, value| {
                    if status(value).is_none() {
                        finder.field(place, value, true);
                    }
                });
            }
            _ => {}
        }
    }
    for (place, observation) in observations(document) {
        finder.observation(&place, observation);
    }
    for pointer in cited.iter().filter(|pointer| !pointer.starts_with("/handles/")) {
        let place = steps(pointer);
        // What is no part of a value is the observation itself, or is not there.
        if place.iter().any(|step| step == "value")
            && let Some(value) = document.pointer(pointer)
        {
            finder.field(&place, value, place.last().is_none_or(|last| last.parse::<usize>().is_err()));
        }
    }
    finder.found.into_values().collect()
}

/// Every observation of a document with its place.
pub(super) fn observations(document: &Value) -> Vec<(Vec<String>, &Value)> {
    let mut found = Vec::new();
    for (section, value) in document.as_object().into_iter().flatten() {
        if !matches!(section.as_str(), "handles" | "receipts" | "digest" | "format") {
            find_observations(std::slice::from_ref(section), value, &mut found);
        }
    }
    found
}

/// The steps of a JSON pointer (RFC 6901).
pub(super) fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(unescape).collect()
}

/// The JSON pointer of steps (RFC 6901).
fn pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", escape(step))).collect()
}

/// The status of an observation, if it is one.
fn status(value: &Value) -> Option<&str> {
    value.get("status").and_then(Value::as_str)
}

fn find_observations<'value>(place: &[String], value: &'value Value, found: &mut Vec<(Vec<String>, &'value Value)>) {
    if status(value).is_some() {
        found.push((place.to_vec(), value));
        return;
    }
    if let Value::Object(fields) = value {
        for (name, inner) in fields {
            find_observations(&below(place, name), inner, found);
        }
    }
}

fn below(place: &[String], name: &str) -> Vec<String> {
    place.iter().cloned().chain([name.to_owned()]).collect()
}

struct Finder {
    found: BTreeMap<(String, Way), KnockOut>,
}

impl Finder {
    fn add(&mut self, fact: &[String], way: Way, is_handle: bool, place: Vec<String>, value: Option<Value>) {
        let pointer = pointer(fact);
        self.found.entry((pointer.clone(), way)).or_insert(KnockOut { pointer, way, is_handle, place, value });
    }

    fn members(&mut self, place: &[String], value: &Value, each: impl Fn(&mut Self, &[String], &Value)) {
        for (name, value) in value.as_object().into_iter().flatten() {
            each(self, &below(place, name), value);
        }
    }

    fn handle(&mut self, place: &[String], handle: &Value) {
        self.add(place, Way::Removed, true, place.to_vec(), None);
        let Some(value) = handle.get("value") else { return };
        let at = below(place, "value");
        self.add(place, Way::Unpinned, true, at.clone(), Some("TO_PIN".into()));
        self.add(place, Way::TypeChanged, true, at.clone(), Some(of_another_type(value)));
        self.add(place, Way::ValueChanged, true, at, Some(another(value)));
    }

    fn field(&mut self, place: &[String], value: &Value, can_be_removed: bool) {
        if can_be_removed {
            self.add(place, Way::Removed, false, place.to_vec(), None);
        }
        self.add(place, Way::TypeChanged, false, place.to_vec(), Some(of_another_type(value)));
        self.add(place, Way::ValueChanged, false, place.to_vec(), Some(another(value)));
    }

    fn observation(&mut self, place: &[String], observation: &Value) {
        let receipts = observation.get("receipts").cloned().unwrap_or_else(|| json!([]));
        let error = |code: &str, kind: &str| json!({"code": code, "kind": kind, "action": "service:Read"});
        let with = |status: &str, error: Value| json!({"status": status, "error": error, "receipts": &receipts});
        for (way, value) in [
            (Way::Absent, Some(with("absent", error("NotFound", "not_found")))),
            (Way::Unreadable, Some(with("unreadable", error("AccessDenied", "denied")))),
            (Way::NotCollected, Some(json!({"status": "not_collected", "reason": "out of scope"}))),
            (Way::Removed, None),
        ] {
            if status(observation) != value.as_ref().and_then(status) || value.is_none() {
                self.add(place, way, false, place.to_vec(), value);
            }
        }
        if let Some(value) = observation.get("value") {
            self.field(&below(place, "value"), value, true);
        }
    }
}

/// A value of another type that resembles it.
fn of_another_type(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        Value::String(text) => json!([text]),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.to_string(), item.clone()))
            .collect::<Map<_, _>>()
            .into(),
        Value::Object(fields) => fields.values().cloned().collect::<Vec<_>>().into(),
    }
}

/// Another value of the same type. A list that says something says nothing, and the other way round.
fn another(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(value) => json!(!value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => json!(number.saturating_add(1)),
            (None, number) => json!(number.unwrap_or_default() + 1.0),
        },
        Value::String(text) => format!("{text}-changed").into(),
        Value::Array(items) if items.is_empty() => json!(["changed"]),
        Value::Array(_) => json!([]),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), another(value))).collect::<Map<_, _>>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "format": "f", "digest": "d",
            "run": {"region": "eu-west-2", "caller_identity": {"status": "present", "value": {"Arn": "a"}}},
            "handles": {"A": {"value": "x"}},
            "receipts": {"s3.HeadBucket/a": {"http_status": 200}},
            "aws": {"s3": {"buckets": {"a/b": {
                "head": {"status": "present", "value": {"Region": "r", "Tags": [1]}, "receipts": ["s3.HeadBucket/a"]},
                "policy": {"status": "absent", "error": {"kind": "not_found"}},
            }}}},
        })
    }

    #[test]
    fn every_fact_is_knocked_out_in_every_way_that_changes_it() {
        let document = document();
        let cited = ["/aws/s3/buckets/a~1b/head/value/Region".to_owned(), "/handles/A/value".to_owned()].into();
        let found = knock_outs(&document, &cited);
        let names: Vec<String> = found.iter().map(|found| format!("{} {}", found.pointer, found.way)).collect();
        for expected in [
            "/aws/s3/buckets/a~1b/head absent",
            "/aws/s3/buckets/a~1b/head unreadable",
            "/aws/s3/buckets/a~1b/head not_collected",
            "/aws/s3/buckets/a~1b/head removed",
            "/aws/s3/buckets/a~1b/head/value type_changed",
            "/aws/s3/buckets/a~1b/head/value/Region removed",
            "/aws/s3/buckets/a~1b/head/value/Region value_changed",
            "/aws/s3/buckets/a~1b/policy unreadable",
            "/handles/A removed",
            "/handles/A unpinned",
            "/receipts/s3.HeadBucket~1a value_changed",
            "/run/caller_identity absent",
            "/run/region removed",
        ] {
            assert!(names.iter().any(|name| name == expected), "{expected}: {names:#?}");
        }
        // It is absent already, and what nobody cites is changed with the whole.
        assert!(!names.contains(&"/aws/s3/buckets/a~1b/policy absent".to_owned()));
        assert!(!names.iter().any(|name| name.contains("Tags") || name.starts_with("/digest")));
        for knock_out in &found {
            assert_ne!(knock_out.apply(&document), document, "{} {}", knock_out.pointer, knock_out.way);
        }
    }

    #[test]
    fn another_value_differs_and_has_the_same_type() {
        for value in [json!(true), json!(1), json!(1.5), json!("a"), json!([1]), json!([]), json!({"a": {"b": "c"}})] {
            let other = another(&value);
            assert_ne!(other, value);
            assert_eq!(std::mem::discriminant(&other), std::mem::discriminant(&value));
            assert_ne!(std::mem::discriminant(&of_another_type(&value)), std::mem::discriminant(&value));
        }
    }
}
