//! Pins handles in a registry's text: what is `TO_PIN` there gets the value that a Terraform output of the same name has.
//!
//! ```text
//! text ─► pins with their places ─┐
//! outputs ────────────────────────┴─► new values, spliced in ─► read again: nothing else may have changed
//! ```
//!
//! Registries are kept by hand, so every byte that is no new value stays what it is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use super::pin::Pin;
use super::source::Source;
use super::{Format, Registry, RegistryError, RegistryProblem, pins_of};
use crate::fact::Terraform;
use crate::redact::FINGERPRINT_PREFIX;

/// What stands in a registry for a value that nobody knows yet.
pub const TO_PIN: &str = "TO_PIN";

/// What pinning would make of a registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Pinning {
    /// The text as it is.
    pub before: String,
    /// The text with the values in it; equal if there is nothing to pin.
    pub after: String,
    /// What is pinned, by handle.
    pub pinned: BTreeMap<String, Value>,
    /// `TO_PIN` handles that stay so, and why.
    pub skipped: BTreeMap<String, String>,
}

impl Pinning {
    /// What the outputs of these stacks give for the registry in a file.
    ///
    /// # Errors
    ///
    /// If the file is no registry, or a value cannot be written into it without changing anything else.
    pub fn of_file(path: &Path, terraform: &Terraform) -> Result<Self, RegistryError> {
        let (name, format, bytes) = super::read_bytes(path)?;
        // Whatever is wrong with the file, reading it says best.
        Registry::parse_bytes(&name, format, &bytes)?;
        Self::of_text(&name, format, &String::from_utf8_lossy(&bytes), terraform)
    }

    /// The same for text; `name` stands for it in errors.
    ///
    /// # Errors
    ///
    /// If the text is no registry, or a value cannot be written into it without changing anything else.
    pub fn of_text(name: &str, format: Format, text: &str, terraform: &Terraform) -> Result<Self, RegistryError> {
        let source = Source::new(name, text);
        let pins = pins_of(&source, format)?;
        let mut pinning =
            Self { before: text.to_owned(), after: text.to_owned(), pinned: BTreeMap::new(), skipped: BTreeMap::new() };
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for pin in pins.iter().filter(|pin| pin.value == TO_PIN) {
            match output(terraform, &pin.name.to_lowercase()) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let refused = || refusal(&source, pin);
                    let literal = literal(format, value).ok_or_else(refused)?;
                    let place = pin.place.clone().filter(|place| is_to_pin(source.text, place)).ok_or_else(refused)?;
                    edits.push((place, literal));
                    pinning.pinned.insert(pin.name.clone(), value.clone());
                }
                Err(reason) => drop(pinning.skipped.insert(pin.name.clone(), reason)),
            }
        }
        let mark = text.len() - source.text.len();
        // From behind, so that the places in front stay what they are.
        edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
        for (place, literal) in edits {
            pinning.after.replace_range(place.start + mark..place.end + mark, &literal);
        }
        pinning.verify(&source, format, &pins)?;
        Ok(pinning)
    }

    /// Reads the new text: it must pin what the old one does, but for the values that were pinned.
    fn verify(&self, old: &Source<'_>, format: Format, pins: &[Pin]) -> Result<(), RegistryError> {
        let new = Source::new(old.name, &self.after);
        let is_pinned = |pin: &Pin| pin.value == TO_PIN && self.pinned.contains_key(&pin.name);
        let refused = |pin: Option<&Pin>| match pin.or_else(|| pins.iter().find(|pin| is_pinned(pin))) {
            Some(pin) => refusal(old, pin),
            None => old.error(0, RegistryProblem::NoHandle { format }),
        };
        let read = pins_of(&new, format).map_err(|_| refused(None))?;
        if read.len() != pins.len() {
            return Err(refused(None));
        }
        for (before, after) in pins.iter().zip(&read) {
            let expected = if is_pinned(before) { self.pinned.get(&before.name) } else { Some(&before.value) };
            let is_same = before.name == after.name && before.expected_tag_value == after.expected_tag_value;
            if !is_same || expected != Some(&after.value) {
                return Err(refused(Some(before)));
            }
        }
        // A value that is another handle's name would be taken for that handle.
        let registry = Registry::parse(old.name, format, &self.after).map_err(|_| refused(None))?;
        let is_value =
            |(name, value): (&String, &Value)| registry.handles.get(name).map(|handle| &handle.value) == Some(value);
        match self.pinned.iter().find(|(name, value)| !is_value((name, value))) {
            Some((name, _)) => Err(refused(pins.iter().find(|pin| pin.name == *name))),
            None => Ok(()),
        }
    }
}

fn refusal(source: &Source<'_>, pin: &Pin) -> RegistryError {
    source.error(pin.offset, RegistryProblem::Unwritable { name: pin.name.clone() })
}

/// The value of the output of this name; `None` if no stack has one that can be read; an error says why it is not pinned.
fn output<'a>(terraform: &'a Terraform, name: &str) -> Result<Option<&'a Value>, String> {
    let mut found: Option<(&str, &Value)> = None;
    for (stack, facts) in &terraform.stacks {
        let Some(output) = facts.outputs.value().and_then(|outputs| outputs.values.get(name)) else { continue };
        if output.sensitive {
            return Err(format!(
                "the output {name} of stack {stack} is sensitive, and sensitive outputs are never pinned"
            ));
        }
        match &output.value {
            Value::Null => return Err(format!("the output {name} of stack {stack} is null")),
            Value::Object(_) => return Err(format!("the output {name} of stack {stack} is an object")),
            value if value == TO_PIN || *value == "" => {
                return Err(format!("the output {name} of stack {stack} has no value"));
            }
            value if value.to_string().contains(FINGERPRINT_PREFIX) => {
                return Err(format!("the output {name} of stack {stack} was redacted, for it looks like a secret"));
            }
            value => match found {
                Some((other, known)) if known != value => {
                    return Err(format!("the stacks {other} and {stack} give different values for the output {name}"));
                }
                _ => found = Some((stack, value)),
            },
        }
    }
    Ok(found.map(|(_, value)| value))
}

/// The value as the format writes it; `None` if it cannot.
fn literal(format: Format, value: &Value) -> Option<String> {
    let json = value.to_string();
    match format {
        // A backtick would end the code span.
        Format::Markdown => Some(json).filter(|json| !json.contains('`')),
        // JSON's own form means the same in YAML.
        Format::Json | Format::Yaml => Some(json),
        Format::Toml => toml(value).map(|value| value.to_string().trim().to_owned()),
    }
}

fn toml(value: &Value) -> Option<toml_edit::Value> {
    match value {
        Value::Bool(value) => Some((*value).into()),
        Value::Number(number) => number.as_i64().map(Into::into).or_else(|| number.as_f64().map(Into::into)),
        Value::String(text) => Some(text.into()),
        Value::Array(items) => {
            items.iter().map(toml).collect::<Option<Vec<_>>>().map(|items| items.into_iter().collect())
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Whether `TO_PIN` stands at a place, in whatever quotes, and nothing else does.
fn is_to_pin(text: &str, place: &Range<usize>) -> bool {
    text.get(place.clone())
        .is_some_and(|text| [TO_PIN, "\"TO_PIN\"", "'TO_PIN'", "\"\"\"TO_PIN\"\"\"", "'''TO_PIN'''"].contains(&text))
}
