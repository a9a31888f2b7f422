//! The sample registry, and the pinning that an operator does by hand after an apply.

use std::fs;

use serde_json::{Map, Value};

use super::tools;

/// The sample registry, in which what only an apply makes known is still `TO_PIN`.
pub(crate) fn sample() -> String {
    fs::read_to_string(tools::repository().join("tests/fixtures/registry/dev_full.registry.md"))
        .expect("the sample registry")
}

/// A registry in which each `TO_PIN` has the value of the output that is named like its handle, in lower case.
pub(crate) fn pin_handles(registry: &str, outputs: &Map<String, Value>) -> String {
    registry
        .split_inclusive('\n')
        .map(|line| {
            let handle = line.strip_prefix("* `").and_then(|rest| rest.split_once(r#" = "TO_PIN"`"#));
            match handle.and_then(|(name, _)| outputs.get(&name.to_lowercase())) {
                Some(value) => line.replacen(r#""TO_PIN""#, &value.to_string(), 1),
                None => line.to_owned(),
            }
        })
        .collect()
}

/// A registry in which a handle has another value; it must be there exactly once.
pub(crate) fn set_handle(registry: &str, handle: &str, value: &Value) -> String {
    edit(registry, handle, |line| {
        let (_, rest) = line.split_once('`').and_then(|(_, rest)| rest.split_once('`')).expect("a handle's line");
        format!("* `{handle} = {value}`{rest}")
    })
}

/// A registry without a handle; it must be there exactly once.
pub(crate) fn remove_handle(registry: &str, handle: &str) -> String {
    edit(registry, handle, |_| String::new())
}

fn edit(registry: &str, handle: &str, change: impl Fn(&str) -> String) -> String {
    let start = format!("* `{handle} = ");
    let count = registry.lines().filter(|line| line.starts_with(&start)).count();
    assert_eq!(count, 1, "lines of {handle}");
    registry
        .split_inclusive('\n')
        .map(|line| if line.starts_with(&start) { change(line) } else { line.to_owned() })
        .collect()
}
