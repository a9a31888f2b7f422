//! Pins: what stands on one line of a registry, before it is known whether another line pins the same handle.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use serde_json::Value;

use super::source::Source;
use super::{RegistryError, RegistryProblem};
use crate::fact::Handle;

/// One pin as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pin {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) expected_tag_value: Option<String>,
    /// Where the name stands in the text.
    pub(super) offset: usize,
    /// Where the value stands in the text, quotes included; `None` where that cannot be told.
    pub(super) place: Option<Range<usize>>,
}

/// A handle, and where its first pin stands in the text.
pub(super) struct Pinned {
    pub(super) handle: Handle,
    pub(super) offset: usize,
}

/// Whether a text is a handle's name: upper-case letters, digits and underscores, a letter in front.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a handle pins the key of a tag, which may have an expected value.
pub(super) fn is_tag_key(name: &str) -> bool {
    name.starts_with("TAG_") && name.ends_with("_KEY")
}

/// Puts the pins of one handle together: the same value twice is worth an observation, another value is an error, for nobody
/// can tell which of the two was meant.
pub(super) fn handles(source: &Source<'_>, pins: Vec<Pin>) -> Result<BTreeMap<String, Pinned>, RegistryError> {
    let mut handles: BTreeMap<String, Pinned> = BTreeMap::new();
    for pin in pins {
        let Pin { name, value, expected_tag_value, offset, place: _ } = pin;
        if value.is_null() {
            return Err(source.error(offset, RegistryProblem::Null { name }));
        }
        let line = source.line(offset);
        match handles.entry(name) {
            Entry::Vacant(entry) => {
                let handle =
                    Handle { value, line, repeated_on: Vec::new(), resolved_through: Vec::new(), expected_tag_value };
                entry.insert(Pinned { handle, offset });
            }
            Entry::Occupied(mut entry) => {
                let name = entry.key().clone();
                let first = &mut entry.get_mut().handle;
                let conflict = |first_value: String, second_value: String| RegistryProblem::Conflict {
                    name,
                    first_line: first.line,
                    first_value,
                    second_line: line,
                    second_value,
                };
                if first.value != value {
                    return Err(source.error(offset, conflict(first.value.to_string(), value.to_string())));
                }
                if let (Some(expected), Some(other)) = (&first.expected_tag_value, &expected_tag_value)
                    && expected != other
                {
                    return Err(source.error(offset, conflict(format!("-> {expected}"), format!("-> {other}"))));
                }
                first.repeated_on.push(line);
                first.expected_tag_value = first.expected_tag_value.take().or(expected_tag_value);
            }
        }
    }
    Ok(handles)
}
