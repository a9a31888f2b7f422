//! Values of JSON, YAML and TOML registries: a plain value, or the long form `{"value": …, "expected_tag_value": …}`.

use std::ops::Range;

use serde_json::Value;

use super::RegistryProblem;
use super::pin::{Pin, is_name, is_tag_key};

/// A pin from a key and its value.
///
/// An object is always the long form: a section of handles would otherwise be taken for a handle with an object as its value.
/// `place` is where the value stands: of the long form, what stands under its key `value`.
pub(super) fn pin(
    name: &str,
    value: Value,
    offset: usize,
    place: Option<Range<usize>>,
) -> Result<Pin, RegistryProblem> {
    if !is_name(name) {
        return Err(RegistryProblem::Name { text: name.to_owned() });
    }
    let name = name.to_owned();
    let Value::Object(mut members) = value else {
        return Ok(Pin { name, value, expected_tag_value: None, offset, place });
    };
    let Some(value) = members.remove("value") else {
        return Err(RegistryProblem::Nested { name });
    };
    let expected_tag_value = match members.remove("expected_tag_value") {
        None => None,
        Some(Value::String(expected)) if is_tag_key(&name) && !expected.is_empty() => Some(expected),
        Some(_) if is_tag_key(&name) => return Err(RegistryProblem::ExpectedTagValue { name }),
        Some(_) => return Err(RegistryProblem::NoTagKey { name }),
    };
    match members.keys().next() {
        Some(key) => Err(RegistryProblem::LongForm { name, key: key.clone() }),
        None => Ok(Pin { name, value, expected_tag_value, offset, place }),
    }
}
