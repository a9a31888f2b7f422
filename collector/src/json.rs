//! JSON as facts and handles need it: every key once, every number exact, never deeper than a reader can follow.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The largest magnitude of a number: beyond it RFC 8785, which knows doubles only, would round integers.
pub const LARGEST_NUMBER: u64 = 1 << 53;

/// How deep arrays and objects may nest; what `serde_json` reads back without overflowing the stack.
pub const DEEPEST_NESTING: usize = 127;

/// Why a JSON text is no value that factgate reads.
#[derive(Debug)]
pub(crate) enum StrictError {
    /// An object has a key twice: the key, and where the second one ends.
    DuplicateKey(String, serde_json::Error),
    /// A number that RFC 8785 cannot carry.
    Number(String, serde_json::Error),
    /// Arrays and objects nest deeper than [`DEEPEST_NESTING`].
    TooDeep(serde_json::Error),
    /// The text ends before the value does.
    Truncated(serde_json::Error),
    /// No JSON.
    Syntax(serde_json::Error),
}

impl StrictError {
    /// The error as `serde_json` places it.
    pub(crate) fn source(&self) -> &serde_json::Error {
        match self {
            Self::DuplicateKey(_, error)
            | Self::Number(_, error)
            | Self::TooDeep(error)
            | Self::Truncated(error)
            | Self::Syntax(error) => error,
        }
    }
}

impl fmt::Display for StrictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateKey(key, _) => write!(f, "the key {key:?} occurs twice in one object"),
            Self::Number(number, _) => write!(f, "the number {number} is beyond ±2^53"),
            Self::TooDeep(_) => write!(f, "arrays and objects nest deeper than {DEEPEST_NESTING} levels"),
            Self::Truncated(_) => write!(f, "the text ends in the middle of a value"),
            Self::Syntax(error) => write!(f, "{}", message(error)),
        }
    }
}

/// What an error of `serde_json` says, without its position.
pub(crate) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Reads one JSON value. A key that occurs twice in an object, at any depth, is an error instead of a silent choice; a number
/// that equals an integer becomes that integer, so that texts with the same canonical form give the same value.
pub(crate) fn parse(text: &str) -> Result<Value, StrictError> {
    let refusal = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { refusal: &refusal }.deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| match refusal.take() {
        Some(Refusal::DuplicateKey(key)) => StrictError::DuplicateKey(key, error),
        Some(Refusal::Number(number)) => StrictError::Number(number, error),
        None if error.is_eof() => StrictError::Truncated(error),
        // serde_json keeps its error codes to itself, so that this one is only known by its text.
        None if error.to_string().starts_with("recursion limit exceeded") => StrictError::TooDeep(error),
        None => StrictError::Syntax(error),
    })
}

/// What [`Strict`] refused; kept outside of the error, which carries text only.
enum Refusal {
    DuplicateKey(String),
    Number(String),
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    refusal: &'a Cell<Option<Refusal>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, refusal: Refusal) -> E {
        self.refusal.set(Some(refusal));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > LARGEST_NUMBER {
            return Err(self.refuse(Refusal::Number(value.to_string())));
        }
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > LARGEST_NUMBER {
            return Err(self.refuse(Refusal::Number(value.to_string())));
        }
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if is_inexact(value) {
            return Err(self.refuse(Refusal::Number(value.to_string())));
        }
        normal_number(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(self.refuse(Refusal::DuplicateKey(key)));
            }
            let value = entries.next_value_seed(self)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Doubles of this size are all integers, but not every integer of this size is one.
fn is_inexact(value: f64) -> bool {
    value.abs() > LARGEST_NUMBER as f64
}

/// `1.0` and `1` have the same canonical form, so that they must be the same value.
fn normal_number(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && !is_inexact(value) {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Why a value cannot stand in a fact document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncarriable {
    /// A number beyond [`LARGEST_NUMBER`].
    #[error("{pointer}: the number {number} is beyond ±2^53")]
    Number {
        /// JSON pointer to it.
        pointer: String,
        /// As it would be written.
        number: String,
    },
    /// Nested deeper than [`DEEPEST_NESTING`].
    #[error("{pointer}: arrays and objects nest deeper than {DEEPEST_NESTING} levels")]
    TooDeep {
        /// JSON pointer to the first level that is too deep.
        pointer: String,
    },
}

/// Brings a value that was built in memory into the form in which it would be read back from a file.
pub(crate) fn normalize(value: &mut Value) -> Result<(), Uncarriable> {
    normalize_below(value, 0).map_err(|(refused, path)| {
        let pointer = path.into_iter().rev().map(|key| format!("/{}", escape(&key))).collect();
        match refused {
            Some(number) => Uncarriable::Number { pointer, number },
            None => Uncarriable::TooDeep { pointer },
        }
    })
}

/// The number that was refused, or `None` where the nesting was; and the keys that lead to it, innermost first.
type Refused = (Option<String>, Vec<String>);

fn normalize_below(value: &mut Value, depth: usize) -> Result<(), Refused> {
    if (value.is_array() || value.is_object()) && depth >= DEEPEST_NESTING {
        return Err((None, Vec::new()));
    }
    let within = |key: String, result: Result<(), Refused>| {
        result.map_err(|(number, mut path)| {
            path.push(key);
            (number, path)
        })
    };
    match value {
        Value::Number(number) if !is_exact(number) => Err((Some(number.to_string()), Vec::new())),
        Value::Number(number) => {
            if let Some(normal) = number.as_f64().filter(|_| number.is_f64()).and_then(normal_number) {
                *number = normal;
            }
            Ok(())
        }
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, item)| within(index.to_string(), normalize_below(item, depth + 1))),
        Value::Object(entries) => {
            entries.iter_mut().try_for_each(|(key, item)| within(key.clone(), normalize_below(item, depth + 1)))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// A key as it stands in a JSON pointer (RFC 6901).
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The key that a step of a JSON pointer stands for (RFC 6901).
pub fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn is_exact(number: &Number) -> bool {
    number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64()).map_or_else(
        || number.as_f64().is_some_and(|value| !is_inexact(value)),
        |magnitude| magnitude <= LARGEST_NUMBER,
    )
}

/// Writes every number that a fact document cannot carry as a string, at any depth. For values that a peer sent: they must
/// neither be rounded nor end the run.
pub fn carry_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if !is_exact(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(carry_numbers),
        Value::Object(entries) => entries.values_mut().for_each(carry_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A value as factgate writes it into files: keys sorted, indented by two spaces, with a newline at the end.
pub fn to_pretty(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    // By way of `Value`, whose objects are sorted maps.
    let mut bytes = serde_json::to_vec_pretty(&serde_json::to_value(value)?)?;
    bytes.push(b'\n');
    Ok(bytes)
}
