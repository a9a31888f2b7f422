//! Redaction: what was learned to be secret, or looks it, is replaced by a fingerprint.
//!
//! ```text
//! plan, state, outputs, environment ─► learn ─► memory ─┐
//! log, message, JSON body ──────────────────────────────┼─► redact ─► the same text with fingerprints in it
//! credential shapes (keys, tokens, PEM, URLs) ──────────┘
//! ```
//!
//! A fingerprint is an HMAC-SHA-256 under a random key that lives as long as its [`Redactor`], which is one run: within the
//! run equal values have equal fingerprints, and nothing can be recovered or compared once the run is over.

mod credentials;
mod encodings;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use hmac::{Hmac, KeyInit, Mac};
use regex::Regex;
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) use credentials::{is_telling, may_name_credential, names_credential};

/// What every fingerprint begins with.
pub const FINGERPRINT_PREFIX: &str = "redacted:hmac-sha256:";

/// Shorter secrets are replaced only where their place is known: sweeping `admin` or `true` would shred every text.
const SHORTEST_SWEPT: usize = 6;

/// Lines of a multi-line secret that are worth sweeping on their own: a plan prints such a secret line by line.
const SHORTEST_LINE: usize = 8;

/// Replaces secrets by fingerprints. Shared by everything that collects, therefore `&self` throughout.
pub struct Redactor {
    /// 32 random bytes, padded with zeros to SHA-256's block, as HMAC itself pads a short key.
    key: Zeroizing<[u8; 64]>,
    memory: RwLock<Memory>,
    watched: Mutex<watch::Watched>,
}

#[derive(Default)]
struct Memory {
    secrets: Vec<Secret>,
    public: BTreeSet<String>,
    /// Values that are replaced only behind their names, by those.
    assigned: BTreeSet<(String, String)>,
    /// Public as long as nobody declares it a secret.
    shown: BTreeSet<String>,
    /// Built from the above when first needed; dropped when they change.
    sweep: Option<Arc<Sweep>>,
}

/// A value that is replaced wherever it stands.
struct Secret {
    text: Zeroizing<String>,
    /// Whether somebody declared it a secret; otherwise it only may be one.
    is_declared: bool,
}

/// What a place in a JSON value belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// A document of the tool's own.
    Document,
    /// What came from outside.
    Value,
    /// What stands below the name of a credential.
    Credential,
}

/// The learned secrets, ready to be found.
struct Sweep {
    literals: Option<AhoCorasick>,
    /// Fingerprint of the secret behind each literal, by pattern index.
    fingerprints: Vec<String>,
    /// Secrets with blanks in them, which Terraform may have wrapped anywhere.
    wrapped: Vec<(Regex, String)>,
    /// Values behind their names; the group `secret` is what is replaced.
    assigned: Vec<(Regex, String)>,
}

/// The operating system gave no randomness for the run's key.
#[derive(Debug, thiserror::Error)]
#[error("no random key for redaction\nhelp: the operating system's random source must be readable")]
pub struct NoRandomness(#[source] getrandom::Error);

impl Redactor {
    /// A redactor with a new random key, which knows no secret yet.
    ///
    /// # Errors
    ///
    /// If the operating system gives no randomness.
    pub fn new() -> Result<Self, NoRandomness> {
        let mut key = Zeroizing::new([0; 64]);
        getrandom::fill(&mut key[..32]).map_err(NoRandomness)?;
        Ok(Self { key, memory: RwLock::default(), watched: Mutex::default() })
    }

    /// `redacted:hmac-sha256:<64 hex>` of a value.
    pub fn fingerprint(&self, value: &str) -> String {
        let mut mac = Hmac::<Sha256>::new((&*self.key).into());
        mac.update(value.as_bytes());
        format!("{FINGERPRINT_PREFIX}{}", hex::encode(mac.finalize().into_bytes()))
    }

    /// The fingerprint of a JSON value: of a string, that of its text; of anything else, that of its JSON form.
    pub fn fingerprint_value(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.fingerprint(text),
            other => self.fingerprint(&Zeroizing::new(other.to_string())),
        }
    }

    /// Remembers a secret, so that it is replaced in every text from now on: as it is, trimmed, in its usual encodings, and by
    /// line. What is too short to be swept, or is public by its shape (ARNs, broker lists), is not remembered.
    ///
    /// Meant for what is declared a secret: in a place that must hold none it is a finding. See [`Redactor::suspect`].
    pub fn learn(&self, secret: &str) {
        self.remember(secret, true);
    }

    /// Remembers what may be a secret: it is replaced like one, but nobody says that it is one, so it is no finding.
    pub fn suspect(&self, value: &str) {
        self.remember(value, false);
    }

    /// Remembers what may be a secret and is too plain a word to be swept out of every text: it is replaced where a text assigns it
    /// to its name, `"NAME" = "value"`, `"NAME": "value"` or a pair of `name` and `value`.
    pub fn suspect_assigned(&self, name: &str, value: &str) {
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        if !value.is_empty() && memory.assigned.insert((name.to_owned(), value.to_owned())) {
            memory.sweep = None;
        }
    }

    fn remember(&self, secret: &str, is_declared: bool) {
        let trimmed = secret.trim();
        if trimmed.chars().count() < SHORTEST_SWEPT || credentials::is_public(trimmed) || contains_fingerprint(trimmed)
        {
            return;
        }
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        match memory.secrets.iter_mut().find(|known| *known.text == secret) {
            // Being declared makes a difference to what is shown.
            Some(known) if is_declared && !known.is_declared => {
                known.is_declared = true;
                memory.sweep = None;
            }
            Some(_) => {}
            None => {
                memory.secrets.push(Secret { text: Zeroizing::new(secret.to_owned()), is_declared });
                memory.sweep = None;
            }
        }
    }

    /// Remembers every string of a JSON value, and every number that is long enough to be a secret.
    pub fn learn_value(&self, secret: &Value) {
        each_text(secret, &|text| self.learn(text));
    }

    /// The same for what only may be secret.
    pub fn suspect_value(&self, value: &Value) {
        each_text(value, &|text| self.suspect(text));
    }

    /// Declares a value public: it, and what is part of it, is no longer replaced for having been learned.
    ///
    /// Meant for what stands in plain text in the same document anyway, such as the values that the registry pins: an SSM
    /// parameter or an environment variable often repeats a bucket's name, and hiding that would only break comparisons.
    pub fn exempt(&self, public: &str) {
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        if memory.public.insert(public.to_owned()) {
            memory.sweep = None;
        }
    }

    /// Declares every text of a JSON value shown: it, and what is part of it, is no longer replaced for being suspected. What
    /// was learned is replaced all the same.
    ///
    /// Meant for outputs that Terraform does not mark as sensitive: a parameter of type `String` often repeats one, and
    /// Terraform calls the value of every parameter sensitive.
    pub fn show_value(&self, shown: &Value) {
        each_text(shown, &|text| {
            let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
            if memory.shown.insert(text.to_owned()) {
                memory.sweep = None;
            }
        });
    }

    /// The text with every learned secret, and everything that looks like a credential, replaced by its fingerprint.
    ///
    /// Matches that overlap are replaced as one, so that no part of either is left. Redacting twice changes nothing.
    pub fn redact_text(&self, text: &str) -> String {
        let sweep = self.sweep();
        let mut redacted = text.to_owned();
        // A replacement can complete another match around it. Each round consumes at least one character that is not part of
        // a fingerprint, or joins two fingerprints, so this ends.
        while let Some(next) = self.redact_once(&sweep, &redacted) {
            redacted = next;
        }
        redacted
    }

    /// Redacts every string of a JSON value, keys included, and every number that was declared a secret. A string anywhere below
    /// a key that names a credential is replaced whole.
    ///
    /// Meant for what came from outside. See [`Redactor::redact_document`].
    pub fn redact_value(&self, value: &mut Value) {
        self.redact_below(value, Reach::Value);
    }

    /// The same for a value that stands under a name of its own.
    pub fn redact_named(&self, name: &str, value: &mut Value) {
        self.redact_below(value, if names_credential(name) { Reach::Credential } else { Reach::Value });
    }

    /// Redacts every string of a JSON document of the tool's own, keys included. What stands below a key may be the record of
    /// something that is named like a credential, so only a string directly under such a key is replaced whole, and numbers,
    /// which the tool wrote itself, stay.
    pub fn redact_document(&self, document: &mut Value) {
        self.redact_below(document, Reach::Document);
    }

    fn redact_below(&self, value: &mut Value, reach: Reach) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(_) if reach == Reach::Document => {}
            Value::Number(number) => {
                let text = Zeroizing::new(number.to_string());
                if self.is_declared(&text) {
                    *value = Value::String(self.fingerprint(&text));
                }
            }
            Value::String(text) if reach == Reach::Credential && is_telling(text) => {
                if !is_fingerprint(text) {
                    *text = self.fingerprint(text);
                }
            }
            Value::String(text) => *text = self.redact_text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_below(item, reach)),
            Value::Object(fields) => {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(key, mut field)| {
                        let is_credential = names_credential(&key) && (reach == Reach::Value || field.is_string());
                        self.redact_below(&mut field, if is_credential { Reach::Credential } else { reach });
                        (self.redact_text(&key), field)
                    })
                    .collect();
            }
        }
    }

    /// Whether somebody declared this very text a secret.
    fn is_declared(&self, text: &str) -> bool {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        memory.secrets.iter().any(|secret| secret.is_declared && secret.text.as_str() == text)
    }

    fn redact_once(&self, sweep: &Sweep, text: &str) -> Option<String> {
        let kept: Vec<Range<usize>> = FINGERPRINT.find_iter(text).map(|found| found.range()).collect();
        let is_kept = |hit: &Range<usize>| {
            let before = kept.partition_point(|kept| kept.start <= hit.start);
            before.checked_sub(1).is_some_and(|index| hit.end <= kept[index].end)
        };
        let learned: BTreeMap<(usize, usize), &str> = sweep
            .hits(text)
            .filter(|(hit, _)| !is_kept(hit))
            .map(|(hit, fingerprint)| ((hit.start, hit.end), fingerprint))
            .collect();
        let shaped: Vec<Range<usize>> = credentials::hits(text).into_iter().filter(|hit| !is_kept(hit)).collect();
        if learned.is_empty() && shaped.is_empty() {
            return None;
        }

        let mut spans: Vec<(Range<usize>, bool)> = kept.into_iter().map(|span| (span, false)).collect();
        spans.extend(learned.keys().map(|(start, end)| (*start..*end, true)));
        spans.extend(shaped.into_iter().map(|span| (span, true)));
        let mut redacted = String::with_capacity(text.len());
        let mut copied = 0;
        for (span, is_hit) in merge_overlapping(spans) {
            if !is_hit {
                continue;
            }
            redacted.push_str(&text[copied..span.start]);
            match learned.get(&(span.start, span.end)) {
                Some(fingerprint) => redacted.push_str(fingerprint),
                None => redacted.push_str(&self.fingerprint(&text[span.clone()])),
            }
            copied = span.end;
        }
        redacted.push_str(&text[copied..]);
        Some(redacted)
    }

    fn sweep(&self) -> Arc<Sweep> {
        if let Some(sweep) = &self.memory.read().unwrap_or_else(PoisonError::into_inner).sweep {
            return Arc::clone(sweep);
        }
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        let is_hidden = |secret: &&Secret| secret.is_declared || !memory.is_shown(&secret.text);
        let secrets = memory.secrets.iter().filter(is_hidden).map(|secret| secret.text.as_str()).collect();
        let assigned = memory.assigned.iter().filter(|(_, value)| !memory.is_public(value));
        let assigned = assigned.flat_map(|(name, value)| {
            let fingerprint = self.fingerprint(value);
            encodings::assigned(name, value).into_iter().map(move |pattern| (pattern, fingerprint.clone()))
        });
        let mut sweep = Sweep::new(self, &secrets, |pattern| !memory.is_public(pattern));
        sweep.assigned = assigned.collect();
        let sweep = Arc::new(sweep);
        memory.sweep = Some(Arc::clone(&sweep));
        sweep
    }
}

/// Says how much is known, never what.
impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        formatter.debug_struct("Redactor").field("secrets", &memory.secrets.len()).finish_non_exhaustive()
    }
}

impl Memory {
    /// Whether a text is, or is part of, what stands in plain text anyway.
    fn is_public(&self, text: &str) -> bool {
        self.public.iter().any(|public| public.contains(text))
    }

    /// Whether a text is, or is part of, what an output shows.
    fn is_shown(&self, text: &str) -> bool {
        self.shown.iter().any(|shown| shown.contains(text))
    }
}

impl Sweep {
    fn new(redactor: &Redactor, secrets: &BTreeSet<&str>, is_private: impl Fn(&str) -> bool) -> Self {
        let is_swept = |pattern: &str| pattern.chars().count() >= SHORTEST_SWEPT && is_private(pattern);
        let mut literals: Vec<Zeroizing<String>> = Vec::new();
        let mut fingerprints = Vec::new();
        let mut wrapped = Vec::new();
        for &secret in secrets {
            let fingerprint = redactor.fingerprint(secret);
            for form in encodings::forms(secret) {
                if is_swept(&form) {
                    literals.push(form);
                    fingerprints.push(fingerprint.clone());
                }
            }
            for line in secret.lines().map(str::trim) {
                if line.chars().count() >= SHORTEST_LINE && line != secret.trim() && is_swept(line) {
                    let fingerprint = redactor.fingerprint(line);
                    for form in encodings::forms(line) {
                        literals.push(form);
                        fingerprints.push(fingerprint.clone());
                    }
                }
            }
            if is_swept(secret)
                && let Some(regex) = encodings::wrapped(secret)
            {
                wrapped.push((regex, fingerprint));
            }
        }
        // Too many or too long patterns cannot be an automaton; then nothing is known to be safe, see `hits`.
        let literals = if literals.is_empty() {
            None
        } else {
            AhoCorasick::new(literals.iter().map(|literal| literal.as_bytes())).ok()
        };
        Self { literals, fingerprints, wrapped, assigned: Vec::new() }
    }

    fn hits<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Range<usize>, &'a str)> {
        let everything = (self.literals.is_none() && !self.fingerprints.is_empty() && !text.is_empty())
            .then(|| (0..text.len(), self.fingerprints[0].as_str()));
        let literals = self.literals.iter().flat_map(move |literals| {
            literals
                .find_overlapping_iter(text)
                .map(|found| (found.range(), self.fingerprints[found.pattern().as_usize()].as_str()))
        });
        let wrapped = self.wrapped.iter().flat_map(move |(regex, fingerprint)| {
            regex.find_iter(text).map(|found| (found.range(), fingerprint.as_str()))
        });
        let assigned = self.assigned.iter().flat_map(move |(regex, fingerprint)| {
            let found = regex.captures_iter(text).filter_map(|found| found.name("secret"));
            found.map(|secret| (secret.range(), fingerprint.as_str()))
        });
        everything.into_iter().chain(literals).chain(wrapped).chain(assigned)
    }
}

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test of this module")]
static FINGERPRINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("redacted:hmac-sha256:[0-9a-f]{64}").expect("the pattern of a fingerprint"));

/// Whether a text is a fingerprint and nothing else.
pub fn is_fingerprint(text: &str) -> bool {
    FINGERPRINT.find(text).is_some_and(|found| found.range() == (0..text.len()))
}

/// Every text of a JSON value, and every number as text.
fn each_text(value: &Value, use_text: &impl Fn(&str)) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => use_text(&number.to_string()),
        Value::String(text) => use_text(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, use_text)),
        Value::Object(fields) => fields.values().for_each(|field| each_text(field, use_text)),
    }
}

fn contains_fingerprint(text: &str) -> bool {
    FINGERPRINT.is_match(text)
}

/// Joins spans that share a character; a joined span is a hit if one of its parts is.
fn merge_overlapping(mut spans: Vec<(Range<usize>, bool)>) -> Vec<(Range<usize>, bool)> {
    spans.sort_by_key(|(span, _)| (span.start, span.end));
    let mut merged: Vec<(Range<usize>, bool)> = Vec::new();
    for (span, is_hit) in spans {
        match merged.last_mut() {
            Some((last, last_is_hit)) if span.start < last.end => {
                last.end = last.end.max(span.end);
                *last_is_hit |= is_hit;
            }
            _ => merged.push((span, is_hit)),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
