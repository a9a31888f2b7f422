//! JSON literals as values of handles, with advice for what operators write instead.

use serde_json::Value;

use super::RegistryProblem;
use crate::json::{self, StrictError};
use crate::location::json_error_offset;

/// Reads one literal. An error says where in `text` it stands.
pub(super) fn parse(name: &str, text: &str) -> Result<Value, (usize, RegistryProblem)> {
    json::parse(text).map_err(|error| {
        let offset = json_error_offset(text, error.source());
        let name = name.to_owned();
        let problem = match error {
            StrictError::Number(number, _) => RegistryProblem::Number { name, number },
            StrictError::DuplicateKey(key, _) => RegistryProblem::DuplicateKey { name, key },
            StrictError::TooDeep(_) | StrictError::Truncated(_) | StrictError::Syntax(_) => {
                let message = if text.is_empty() { "there is none".to_owned() } else { error.to_string() };
                RegistryProblem::Literal { name, message, advice: advice(text) }
            }
        };
        (offset, problem)
    })
}

/// What the operator most likely meant.
fn advice(text: &str) -> String {
    let text = text.trim();
    let quoted = |text: &str| Value::from(text).to_string();
    let first = text.chars().next();
    match first {
        None => "give it a value; a handle that is not pinned yet is \"TO_PIN\"".to_owned(),
        Some('\'' | '‘' | '’' | '“' | '”' | '„') => {
            let inner = text.trim_matches(|c| matches!(c, '\'' | '"' | '‘' | '’' | '“' | '”' | '„'));
            format!("text stands in straight double quotes: {}", quoted(inner))
        }
        _ if text.ends_with([',', ';']) => "remove the mark at the end of the value".to_owned(),
        Some('"') => "one text in double quotes, with \\\" for a quote inside of it; a remark stands behind the \
                      closing backtick"
            .to_owned(),
        Some('[' | '{') => "JSON: double quotes around texts and keys, no comma behind the last entry".to_owned(),
        Some('+' | '-' | '.' | '0'..='9') if !text.contains(char::is_whitespace) => {
            format!("a number is written like 10, -1 or 0.5; a text stands in double quotes: {}", quoted(text))
        }
        _ => match text.to_ascii_lowercase().as_str() {
            "true" | "false" | "yes" | "no" | "on" | "off" => "a switch is true or false, in lower case".to_owned(),
            "none" | "nil" | "undefined" => "a handle that is not pinned yet is \"TO_PIN\"".to_owned(),
            _ => format!("text stands in double quotes: {}", quoted(text)),
        },
    }
}
