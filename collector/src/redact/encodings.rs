//! The forms in which a secret can stand in a log or a body.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use zeroize::Zeroizing;

/// What RFC 3986 leaves unescaped beside letters and digits.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The secret itself and everything that common tools write in its place, each form once.
pub(super) fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let trimmed = secret.trim();
    let mut forms = BTreeSet::new();
    for text in [secret, trimmed] {
        forms.insert(text.to_owned());
        let json = json_escaped(text);
        // Go's encoder, which is Terraform's, escapes these three inside JSON strings; a JSON text inside a JSON text is
        // escaped twice.
        forms.insert(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"));
        forms.insert(json_escaped(&json));
        forms.insert(json.replace("${", "$${").replace("%{", "%%{"));
        forms.insert(json);
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.insert(engine.encode(text));
        }
        let url = utf8_percent_encode(text, RESERVED).to_string();
        forms.insert(url.replace("%20", "+"));
        forms.insert(url);
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

/// A pattern for a secret with blanks in it: Terraform wraps diagnostics at 78 columns and may draw a rule at their left.
pub(super) fn wrapped(secret: &str) -> Option<Regex> {
    let words: Vec<String> = secret.split_whitespace().map(regex::escape).collect();
    if words.len() < 2 { None } else { Regex::new(&words.join(r"\s+(?:│\s*)?")).ok() }
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
