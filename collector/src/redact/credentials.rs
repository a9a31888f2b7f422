//! What looks like a credential, though nobody said that it is one.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Names whose value is a credential, at the end of a longer name (`db_password`, `MasterUserPassword`).
const CREDENTIAL_WORDS: &str = "passwords?|passwd|passphrase|pwd|secrets?|tokens?|api[_-]?keys?|secret[_-]?(?:string|binary|value)|\
     (?:private|secret|access|account|encryption|signing)[_-]?key|private[_-]?key[_-]?(?:pem|openssh|pem[_-]?pkcs8)|\
     smtp[_-]?password[_-]?v4|credentials?";

/// Names that may have a credential for their value, or a plain setting: what stands under them is hidden in logs, and is no finding.
const DOUBTFUL_WORDS: &str = "(?:(?-u:\\b)|[_-])(?:pass|auth|dsn)|connection[_-]?string|\
     (?:master|hmac|shared|session|webhook|stripe)[_-]?key";

/// Credentials that are recognised by their own form. The group `secret`, where there is one, is what is replaced.
const SHAPES: &[&str] = &[
    // AWS: access key ids; signatures and tokens of presigned URLs.
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"(?i)\bX-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D)(?<secret>[^&\s\x22']+)",
    r"(?i)secret[_-]?(?:access[_-]?)?key\\?[\x22']?\s*[=:]\s*\\?[\x22']?(?<secret>[A-Za-z0-9/+]{40})\b",
    // Private keys, also cut short.
    r"(?s)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\z)",
    // HTTP authorization.
    r"(?i)\bauthorization\\?[\x22']?\s*[:=]\s*\\?[\x22']?(?:basic|bearer|token|digest|negotiate)\s+(?<secret>[^\s\x22',\\]{6,})",
    r"(?i)\bbearer\s+(?<secret>[A-Za-z0-9._~+/-]{20,}=*)",
    r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}",
    // Vendors' tokens.
    r"\bgh[pousr]_[A-Za-z0-9]{30,}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{22,}\b",
    r"\bglpat-[A-Za-z0-9_-]{20,}",
    r"\bnpm_[A-Za-z0-9]{36}\b",
    r"\bd(?:api|kea|ose|sap)[0-9a-f]{32}(?:-\d+)?\b",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"\bxapp-\d-[A-Za-z0-9-]{10,}",
    r"\bhooks\.slack\.com/services/(?<secret>[A-Za-z0-9/]{10,})",
    r"\bhv[bsr]\.[A-Za-z0-9_-]{20,}",
    r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b",
    // User and password, or a token, in a URL.
    r"(?i)\b[a-z][a-z0-9+.-]*://(?<secret>[^\s/@\x22'<>]+)@",
];

#[expect(clippy::expect_used, reason = "constant patterns, compiled by every test of this module")]
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    Patterns {
    shapes: SHAPES.iter().map(|shape| Regex::new(shape).expect("a constant pattern")).collect(),
    // Behind `=`, behind a quoted name and `:`, behind `: `, or behind a flag. A plan also writes `"old" -> "new"`.
    assignment: Regex::new(&format!(
        r#"(?i)(?<key>[a-z0-9_.-]*?(?:{CREDENTIAL_WORDS}|{DOUBTFUL_WORDS})(?:[_-]?[0-9]+)?)(?<sign>\\?["']?\s*=>?\s*|\\?["']\s*:\s*|\s*:\s*|\s+)(?:{VALUE})(?:"?\s*->\s*"(?<new>(?:[^"\\\n]|\\.)+))?"#
    ))
    .expect("a constant pattern"),
    // One of several may be numbered: `api_key_2`.
    name: Regex::new(&format!("(?i)(?:{CREDENTIAL_WORDS})(?:[_-]?[0-9]+)?$")).expect("a constant pattern"),
    doubtful_name: Regex::new(&format!("(?i)(?:{DOUBTFUL_WORDS})(?:[_-]?[0-9]+)?$")).expect("a constant pattern"),
    harmless_name: Regex::new(
        "(?i)^(?:old)?pwd$|(?:next|continuation|pagination|page|start(?:ing)?|(?:client_?)?(?:request|idempotency|creator))[_-]?tokens?$",
    )
    .expect("a constant pattern"),
    reference: Regex::new(
        r#"^(?:var|local|data|module|each|self|path|terraform|[a-z][a-z0-9]*_[a-z0-9_]+)\.[\w.\[\]"*-]+$"#,
    )
    .expect("a constant pattern"),
    // What stands for a value: `(sensitive value)`, `<computed>`, `${var.password}`, `$PASSWORD`.
    placeholder: Regex::new(r"^(?:\([a-z][a-z ]*\)?|<[a-z][a-z -]*>?|\$\{.*|\$\(.*|\$[A-Z_][A-Z0-9_]*|\$)$").expect("a constant pattern"),
    path: Regex::new("^(?:/[a-z0-9_.{}-]+){2,}/?$").expect("a constant pattern"),
    arn: Regex::new(r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:\S+$").expect("a constant pattern"),
    brokers: Regex::new(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d{2,5}(?:,\s*[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d{2,5})*$")
        .expect("a constant pattern"),
    address: Regex::new(r"^(?:[a-z][a-z0-9+]*://)?[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+){2,}(?::\d{2,5})?/?$")
        .expect("a constant pattern"),
}
});

/// A value in double quotes, in quotes that are themselves escaped, in single quotes, or bare. Closing quotes are not asked for:
/// a text may be cut short.
const VALUE: &str = r#""(?<double>(?:[^"\\\n]|\\.)+)|\\"(?<escaped>(?:[^"\\\n]|\\[^"\n])+)|'(?<single>[^'\n]+)|(?<bare>[^\s"'\\,;&<>(){}\[\]]+)"#;

struct Patterns {
    shapes: Vec<Regex>,
    assignment: Regex,
    name: Regex,
    doubtful_name: Regex,
    harmless_name: Regex,
    reference: Regex,
    placeholder: Regex,
    path: Regex,
    arn: Regex,
    brokers: Regex,
    address: Regex,
}

/// Whether a key, attribute or variable of this name holds a credential.
pub(crate) fn names_credential(name: &str) -> bool {
    PATTERNS.name.is_match(name) && !PATTERNS.harmless_name.is_match(name)
}

/// Whether a key, attribute or variable of this name holds a credential, or may hold one.
pub(crate) fn may_name_credential(name: &str) -> bool {
    names_credential(name) || (PATTERNS.doubtful_name.is_match(name) && !PATTERNS.harmless_name.is_match(name))
}

/// Whether a value is public by its shape: ARNs and broker lists are names, wherever they stand.
pub(super) fn is_public(value: &str) -> bool {
    PATTERNS.arn.is_match(value) || PATTERNS.brokers.is_match(value)
}

/// Whether a value says where something is reached, and nothing more: a host, or a URL of one without path, user or query.
pub(super) fn is_address(value: &str) -> bool {
    PATTERNS.address.is_match(value)
}

/// Whether a value under a credential's name can be the credential: not a keyword, a path, an ARN or a mask.
pub(crate) fn is_telling(value: &str) -> bool {
    !(matches!(value, "null" | "true" | "false" | "sensitive" | "unknown")
        || PATTERNS.placeholder.is_match(value)
        || !value.contains(|character: char| character.is_alphanumeric())
        || PATTERNS.path.is_match(value)
        || is_public(value))
}

/// Where in a text credentials stand.
pub(super) fn hits(text: &str) -> Vec<Range<usize>> {
    let mut hits = shapes(text);
    hits.extend(assignments(text, may_name_credential));
    hits
}

/// Where credentials stand that are recognised by their own form.
pub(super) fn shapes(text: &str) -> Vec<Range<usize>> {
    let mut hits = Vec::new();
    for shape in &PATTERNS.shapes {
        for found in shape.captures_iter(text) {
            let secret = found.name("secret").or_else(|| found.get(0));
            // `git@` in a module's source is a user, not a secret.
            hits.extend(secret.filter(|secret| secret.as_str() != "git").map(|secret| secret.range()));
        }
    }
    hits
}

/// Where values stand that are assigned to a name of a kind.
pub(super) fn assignments(text: &str, is_meant: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut hits = Vec::new();
    let mut position = 0;
    while let Some(found) = PATTERNS.assignment.captures_at(text, position) {
        let (Some(key), Some(sign), Some(whole)) = (found.name("key"), found.name("sign"), found.get(0)) else { break };
        let is_meant = is_meant(key.as_str());
        let values: Vec<Range<usize>> = if is_meant { values(&found, key.as_str(), sign.as_str()) } else { Vec::new() };
        // What is not a value may begin with the name of the next assignment: `secret: password=…`.
        position = if values.is_empty() { sign.end() } else { whole.end() };
        hits.extend(values);
    }
    hits
}

fn values(found: &Captures<'_>, key: &str, sign: &str) -> Vec<Range<usize>> {
    let is_flag = key.starts_with('-');
    if sign.trim().is_empty() && !is_flag {
        return Vec::new();
    }
    let quoted = ["double", "escaped", "single", "new"].iter().filter_map(|group| found.name(group));
    let bare = found.name("bare").filter(|bare| {
        !PATTERNS.reference.is_match(bare.as_str())
            && (is_flag || sign.contains('=') || (sign != ":" && !is_prose(bare.as_str())))
    });
    quoted.chain(bare).filter(|value| is_telling(value.as_str())).map(|value| value.range()).collect()
}

/// `Invalid token: unexpected character` is an error message, not an assignment.
fn is_prose(word: &str) -> bool {
    let word = word.trim_end_matches(|character: char| character.is_ascii_punctuation());
    word.chars().count() < super::SHORTEST_SWEPT || word.chars().all(char::is_alphabetic)
}
