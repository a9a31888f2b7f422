//! Values in the engine's own form: made of JSON, changed in places, given back as JSON or as Rego.

use serde::Deserialize;
use serde_json::Value;

use crate::policy::PolicyError;

/// A document in the engine's own form, converted once and shared by every query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EngineValue(pub(super) regorus::Value);

impl EngineValue {
    pub(crate) fn new(value: &Value) -> Result<Self, PolicyError> {
        regorus::Value::deserialize(value)
            .map(Self)
            .map_err(|error| PolicyError::internal(format!("the engine refuses a document: {error}")))
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Result<Value, PolicyError> {
        to_json(&self.0).map_err(|problem| PolicyError::internal(format!("a value is no JSON: {problem}")))
    }

    /// The elements of an array as Rego, which has more kinds of values than JSON: a set is none of its arrays.
    pub(crate) fn items(&self) -> Vec<String> {
        self.0.as_array().map(|items| items.iter().map(rego).collect()).unwrap_or_default()
    }

    /// The document with another value at a place, or without its member there; it shares all else with this one. Nothing if there
    /// is no such place.
    pub(crate) fn with(&self, steps: &[String], value: Option<Self>) -> Option<Self> {
        let (last, way) = steps.split_last()?;
        let mut document = self.clone();
        let changed = match value {
            Some(value) => place(&mut document.0, steps).map(|place| *place = value.0).is_some(),
            None => {
                let key = regorus::Value::from(last.as_str());
                place(&mut document.0, way).and_then(|parent| parent.as_object_mut().ok()?.remove(&key)).is_some()
            }
        };
        changed.then_some(document)
    }

    /// An object with values at places, which may be of more kinds than JSON has.
    pub(crate) fn object<'value>(members: impl Iterator<Item = (Vec<&'value str>, &'value Self)>) -> Self {
        let mut object = regorus::Value::new_object();
        for (steps, value) in members {
            let mut place = Some(&mut object);
            for step in steps {
                place = place.and_then(|place| {
                    let fields = place.as_object_mut().ok()?;
                    let key = regorus::Value::from(step);
                    if !fields.contains_key(&key) {
                        fields.insert(key.clone(), regorus::Value::new_object());
                    }
                    fields.get_mut(&key)
                });
            }
            if let Some(place) = place {
                *place = value.0.clone();
            }
        }
        Self(object)
    }
}

/// What stands at a place of a document.
fn place<'value>(document: &'value mut regorus::Value, steps: &[String]) -> Option<&'value mut regorus::Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(document) };
    let member = match document {
        regorus::Value::Array(_) => document.as_array_mut().ok()?.get_mut(step.parse().ok()?),
        _ => document.as_object_mut().ok()?.get_mut(&regorus::Value::from(step.as_str())),
    };
    place(member?, rest)
}

/// A value as it is written in Rego.
fn rego(value: &regorus::Value) -> String {
    let listed = |values: Vec<String>| values.join(", ");
    match value {
        regorus::Value::Array(items) => format!("[{}]", listed(items.iter().map(rego).collect())),
        regorus::Value::Set(items) if items.is_empty() => "set()".to_owned(),
        regorus::Value::Set(items) => format!("{{{}}}", listed(items.iter_sorted().map(rego).collect())),
        regorus::Value::Object(fields) => {
            let fields = fields.iter_sorted().map(|(key, value)| format!("{}: {}", rego(key), rego(value)));
            format!("{{{}}}", listed(fields.collect()))
        }
        other => other.to_string(),
    }
}

/// Converts a result. Sets become sorted arrays, as in OPA; an undefined part or a key that is no string has no JSON form.
pub(super) fn to_json(value: &regorus::Value) -> Result<Value, &'static str> {
    use regorus::Value as Rego;
    Ok(match value {
        Rego::Null => Value::Null,
        Rego::Bool(value) => Value::Bool(*value),
        Rego::String(value) => Value::String(value.to_string()),
        Rego::Number(_) => serde_json::to_value(value).map_err(|_| "a number is out of range")?,
        Rego::Array(values) => Value::Array(values.iter().map(to_json).collect::<Result<_, _>>()?),
        Rego::Set(values) => Value::Array(values.iter_sorted().map(to_json).collect::<Result<_, _>>()?),
        Rego::Object(fields) => Value::Object(
            fields
                .iter_sorted()
                .map(|(key, value)| match key {
                    Rego::String(key) => Ok((key.to_string(), to_json(value)?)),
                    _ => Err("a key of an object is no string"),
                })
                .collect::<Result<_, _>>()?,
        ),
        Rego::Undefined => return Err("a part of it is undefined"),
    })
}
