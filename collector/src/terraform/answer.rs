//! From what a command answered to an observation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::session::Answer;
use crate::fact::{Observation, ReadError, ReadErrorKind};

pub(super) fn observe<T, U>(
    result: Result<T, ReadError>,
    receipts: impl Into<Vec<String>>,
    value: impl FnOnce(T) -> U,
) -> Observation<U> {
    let receipts = receipts.into();
    match result {
        Ok(answer) => Observation::present(value(answer), receipts),
        Err(error) => Observation::Unreadable { error, receipts },
    }
}

pub(super) fn unreadable<T>(code: &str, kind: ReadErrorKind, message: String, receipts: Vec<String>) -> Observation<T> {
    Observation::Unreadable { error: ReadError { code: code.to_owned(), kind, message, action: None }, receipts }
}

pub(super) fn malformed(message: String) -> ReadError {
    ReadError { code: "MalformedAnswer".to_owned(), kind: ReadErrorKind::Malformed, message, action: None }
}

pub(super) fn parse(answer: &Answer) -> Result<Value, String> {
    if answer.is_cut {
        return Err("its answer is too large to be kept".to_owned());
    }
    // The error's own text could quote a value.
    serde_json::from_str(&answer.stdout)
        .map_err(|error| format!("its answer is not JSON (line {}, column {})", error.line(), error.column()))
}

/// `severity: summary (file:line)`.
pub(super) fn diagnostic(diagnostic: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let range = &diagnostic["range"];
    let place = match (range["filename"].as_str(), range["start"]["line"].as_u64()) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        _ => String::new(),
    };
    format!("{}: {}{place}", text(&diagnostic["severity"]), text(&diagnostic["summary"]))
}

/// The backend as `init` recorded it; settings that are not set are left out.
pub(super) fn effective_backend(data: &Path) -> BTreeMap<String, Value> {
    let recorded = fs::read(data.join("terraform.tfstate")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match recorded.map(|mut recorded: Value| recorded["backend"]["config"].take()) {
        Some(Value::Object(settings)) => settings.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => BTreeMap::new(),
    }
}
