//! Data files: the pinned contract beside the policies, and what a user overrides of it.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Defect, Defects, Location, PolicyError};
use crate::suggestion::did_you_mean;

/// A parsed data file. Its folder says where in `data` its values belong: `contract/m2/data.json` is `data.contract.m2`.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    pub(crate) value: Map<String, Value>,
}

impl DataFile {
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Defect> {
        let value = parse_strictly(text).map_err(|error| {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX).max(1);
            let column = u32::try_from(error.column()).unwrap_or(u32::MAX).max(1);
            let message = error.to_string();
            let problem = message.split(" at line ").next().unwrap_or_default().to_owned();
            Defect::new(Location::new(name, line, column), problem, "data files hold one JSON object, without comments")
        })?;
        let mut path: Vec<String> = name.split('/').map(str::to_owned).collect();
        path.pop();
        match value {
            Value::Object(value) => Ok(Self { name: name.to_owned(), path, value }),
            _ => Err(Defect::new(
                Location::new(name, 1, 1),
                "the file holds no object",
                "data files hold one JSON object, without comments",
            )),
        }
    }
}

/// Merges data files into one document; two files may share folders but no value.
pub(crate) fn merge(files: &[DataFile]) -> Result<Map<String, Value>, PolicyError> {
    let mut merged = Map::new();
    let mut defects = Vec::new();
    for file in files {
        let mut value = file.value.clone();
        for step in file.path.iter().rev() {
            value = Map::from_iter([(step.clone(), Value::Object(value))]);
        }
        if let Err(key) = merge_object(&mut merged, value, "data") {
            defects.push(Defect::new(
                Location::new(&file.name, 1, 1),
                format!("`{key}` is also set by another data file"),
                "set every value in one place",
            ));
        }
    }
    Defects::check(defects)?;
    Ok(merged)
}

fn merge_object(into: &mut Map<String, Value>, from: Map<String, Value>, path: &str) -> Result<(), String> {
    for (key, value) in from {
        let path = format!("{path}.{key}");
        match (into.get_mut(&key), value) {
            (None, value) => {
                into.insert(key, value);
            }
            (Some(Value::Object(into)), Value::Object(from)) => merge_object(into, from, &path)?,
            (Some(_), _) => return Err(path),
        }
    }
    Ok(())
}

/// Lays an override over a value. An override only changes what is there: a key that the contract does not have would
/// change nothing, and a value of another type would turn rules undefined.
pub(crate) fn override_object(into: &mut Map<String, Value>, from: &Map<String, Value>) -> Result<(), PolicyError> {
    override_below(into, from, "")
}

fn override_below(into: &mut Map<String, Value>, from: &Map<String, Value>, prefix: &str) -> Result<(), PolicyError> {
    for (key, value) in from {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let Some(current) = into.get_mut(key) else {
            let help = did_you_mean(key, into.keys().map(String::as_str)).unwrap_or_else(|| {
                format!("the contract's keys here are: {}", into.keys().cloned().collect::<Vec<_>>().join(", "))
            });
            return Err(PolicyError::Override { key: path, problem: "is no key of the contract".into(), help });
        };
        match (current, value) {
            (Value::Object(current), Value::Object(value)) => override_below(current, value, &path)?,
            (current, value) if current.is_null() || kind(current) == kind(value) => *current = value.clone(),
            (current, value) => {
                return Err(PolicyError::Override {
                    key: path,
                    problem: format!("is {}", kind(value)),
                    help: format!("the contract has {} here", kind(current)),
                });
            }
        }
    }
    Ok(())
}

/// The dotted keys of an override's values, sorted.
pub(crate) fn leaves(contract: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in contract {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                found.extend(leaves(inner).into_iter().map(|leaf| format!("{key}.{leaf}")));
            }
            _ => found.push(key.clone()),
        }
    }
    found.sort();
    found
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Parses JSON in which no object has a key twice: of two values a reader and the engine could each see another one.
fn parse_strictly(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("the number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("the key `{key}` stands twice in its object")));
            }
            let value = access.next_value_seed(Strict)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{DataFile, merge, override_object};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn data_is_mounted_at_its_folder() {
        let files = [
            DataFile::parse("contract/m2/data.json", r#"{"a": {"b": 1}}"#).unwrap(),
            DataFile::parse("contract/data.json", r#"{"m3": 2}"#).unwrap(),
            DataFile::parse("data.json", r#"{"contract": {"m2": {"c": 3}}}"#).unwrap(),
        ];
        let merged = Value::Object(merge(&files).unwrap());
        assert_eq!(merged, json!({"contract": {"m2": {"a": {"b": 1}, "c": 3}, "m3": 2}}));
    }

    #[test]
    fn a_value_set_twice_is_refused() {
        let files = [
            DataFile::parse("a/data.json", r#"{"b": 1}"#).unwrap(),
            DataFile::parse("data.json", r#"{"a": {"b": 1}}"#).unwrap(),
        ];
        let error = merge(&files).unwrap_err().to_string();
        assert_eq!(
            error,
            "data.json:1:1: `data.a.b` is also set by another data file\nhelp: set every value in one place"
        );
    }

    #[test]
    fn an_override_replaces_values_and_keeps_the_rest() {
        let mut contract = object(json!({"owner": null, "limits": {"age": 1, "count": 2}, "names": ["a"]}));
        override_object(&mut contract, &object(json!({"owner": "x", "limits": {"age": 9}, "names": []}))).unwrap();
        assert_eq!(Value::Object(contract), json!({"owner": "x", "limits": {"age": 9, "count": 2}, "names": []}));
    }

    #[test]
    fn an_override_of_nothing_is_refused() {
        let contract = object(json!({"limits": {"age": 1}}));
        let refused = |value| override_object(&mut contract.clone(), &object(value)).unwrap_err().to_string();
        assert_eq!(
            refused(json!({"limits": {"agee": 9}})),
            "the contract override `limits.agee` is no key of the contract\nhelp: did you mean `age`?"
        );
        assert_eq!(
            refused(json!({"limits": {"age": "9"}})),
            "the contract override `limits.age` is a string\nhelp: the contract has a number here"
        );
        assert_eq!(
            refused(json!({"freshness": 9})),
            "the contract override `freshness` is no key of the contract\nhelp: the contract's keys here are: limits"
        );
    }
}
