//! Handles whose value names another handle.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pin::Pinned;
use super::source::Source;
use super::{RegistryError, RegistryProblem};

/// How many handles a value may go through. Operators use one step; the bound keeps a hostile file from making many.
const LONGEST_CHAIN: usize = 32;

/// Replaces every value that is the name of a pinned handle by that handle's value.
pub(super) fn resolve(source: &Source<'_>, handles: &mut BTreeMap<String, Pinned>) -> Result<(), RegistryError> {
    let mut resolved = Vec::new();
    for (name, pinned) in handles.iter() {
        let mut through: Vec<String> = Vec::new();
        let mut value = &pinned.handle.value;
        while let Some((next, target)) = named(handles, value) {
            through.push(next.to_owned());
            if through.len() > LONGEST_CHAIN || next == name {
                return Err(source.error(pinned.offset, endless(handles, name)));
            }
            value = &target.handle.value;
        }
        if !through.is_empty() {
            resolved.push((name.clone(), value.clone(), through));
        }
    }
    for (name, value, through) in resolved {
        if let Some(pinned) = handles.get_mut(&name) {
            pinned.handle.value = value;
            pinned.handle.resolved_through = through;
        }
    }
    Ok(())
}

/// The handle that a value names.
fn named<'a>(handles: &'a BTreeMap<String, Pinned>, value: &Value) -> Option<(&'a str, &'a Pinned)> {
    handles.get_key_value(value.as_str()?).map(|(name, pinned)| (name.as_str(), pinned))
}

/// What is wrong with a chain that does not end in time: it comes back to itself, or it is only long.
fn endless(handles: &BTreeMap<String, Pinned>, start: &str) -> RegistryProblem {
    let mut chain: Vec<(String, u32)> = Vec::new();
    let mut position = BTreeMap::new();
    let mut next = handles.get_key_value(start).map(|(name, pinned)| (name.as_str(), pinned));
    while let Some((name, pinned)) = next {
        if let Some(&first) = position.get(name) {
            // Only the circle itself, not what leads into it.
            return RegistryProblem::Cycle { chain: chain.split_off(first) };
        }
        position.insert(name, chain.len());
        chain.push((name.to_owned(), pinned.handle.line));
        next = named(handles, &pinned.handle.value);
    }
    RegistryProblem::LongChain { name: start.to_owned(), length: chain.len() - 1 }
}
