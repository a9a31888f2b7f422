//! The forms in which a secret can stand in a log or a body.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use zeroize::Zeroizing;

/// What RFC 3986 leaves unescaped beside letters and digits.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The longest text that is looked for in four levels of JSON.
const LONGEST_NESTED: usize = 4096;

/// The secret itself and everything that common tools write in its place, each form once.
pub(super) fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let trimmed = secret.trim();
    let mut forms = BTreeSet::new();
    for text in [secret, trimmed] {
        forms.insert(text.to_owned());
        forms.extend(json_forms(text));
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.insert(engine.encode(text));
        }
        let url = utf8_percent_encode(text, RESERVED).to_string();
        forms.insert(url.replace("%20", "+"));
        forms.insert(url);
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

/// JSON strings of the text, inside of JSON strings, … as deep as they occur: a policy in a `jsonencode` that a plan prints and
/// that a log in JSON quotes. At each level the encoder can be another one.
fn json_forms(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut outermost = BTreeSet::from([text.to_owned()]);
    // Quotes double with every level: of a large text only the first levels are worth their size.
    let levels = if text.len() > LONGEST_NESTED { 2 } else { 4 };
    for _ in 0..levels {
        outermost = outermost
            .iter()
            .flat_map(|inner| {
                let json = json_escaped(inner);
                // Go's encoder, which is Terraform's, escapes these three inside JSON strings.
                let go = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
                // Python's escapes what is beyond ASCII.
                [ascii(&json), go, json]
            })
            .collect();
        all.extend(outermost.iter().map(|json| json.replace("${", "$${").replace("%{", "%%{")));
        all.extend(outermost.iter().cloned());
    }
    all
}

fn ascii(json: &str) -> String {
    let mut units = [0; 2];
    json.chars().fold(String::with_capacity(json.len()), |mut ascii, character| {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            ascii.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        ascii
    })
}

/// A pattern for a secret with blanks in it: Terraform wraps diagnostics at 78 columns and may draw a rule at their left.
pub(super) fn wrapped(secret: &str) -> Option<Regex> {
    let words: Vec<String> = secret.split_whitespace().map(regex::escape).collect();
    if words.len() < 2 { None } else { Regex::new(&words.join(r"\s+(?:│\s*)?")).ok() }
}

/// Patterns for a value behind its name, in HCL or JSON, and in a string of either: as it is, as it was, or as it will be. A task's
/// environment is a list of pairs, `name = "NAME"` and `value = "value"`, in the lines of a plan.
pub(super) fn assigned(name: &str, value: &str) -> Vec<Regex> {
    let (name, value) = (regex::escape(name), regex::escape(&json_escaped(value)));
    let value = format!(r#"\\*"?\s*[=:]\s*\\*"(?:[^"\n]*"\s*->\s*\\*")?(?<secret>{value})\\*""#);
    // ASCII boundaries: with Unicode's the engine would give up its fast path at the first rule that Terraform draws.
    let patterns = [
        format!(r#"(?-u:\b){name}{value}"#),
        format!(r#"(?i-u:\bname)\\*"?\s*[=:]\s*\\*"{name}\\*"[\s,+~-]*\\*"?(?i-u:value){value}"#),
    ];
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
