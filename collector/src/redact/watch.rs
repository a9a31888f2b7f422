//! The scan: which secrets stand in places that must hold none.
//!
//! ```text
//! outputs, plans, logs, variables ─► watch ─┐
//! learned secrets (all of them, at the end) ┴─► scan ─► findings: where, and why; never what
//! ```
//!
//! What is watched is kept until everything is collected, since a secret may be learned long after a log that shows it was
//! written. Redaction may hide too much at little cost; a finding blocks, so it takes more: evidence that a value is a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::PoisonError;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{FINGERPRINT, Memory, Redactor, SHORTEST_SWEPT, Sweep, credentials};
use crate::fact::{Finding, FindingKind, PlaintextScan, ScannedSource};
use crate::json::escape;

/// A learned secret that is shorter is too likely to be part of something else in a log.
const SHORTEST_EVIDENT: usize = 8;

/// What is watched, by the source that it belongs to.
#[derive(Default)]
pub(super) struct Watched {
    /// Whether everything of the source could be read.
    sources: BTreeMap<String, bool>,
    places: Vec<Place>,
}

/// A text that must hold no secret.
struct Place {
    source: String,
    at: String,
    text: Zeroizing<String>,
    /// A log is many lines; anything else is one value.
    is_log: bool,
}

impl Redactor {
    /// Says that a place belongs to what must hold no secret, and whether it could be read. A source of which one part could not
    /// be read counts as not scanned, whatever is said of its other parts.
    pub fn watch_source(&self, source: &str, is_readable: bool) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.sources.entry(source.to_owned()).and_modify(|known| *known &= is_readable).or_insert(is_readable);
    }

    /// Watches one value, such as a variable of a function's environment. The parts of `at`, between `/` and `.`, are the names
    /// that it stands under.
    pub fn watch(&self, source: &str, at: &str, text: &str) {
        self.watch_place(source, at, text, false);
    }

    /// Watches every text and number in a JSON value; `at` is continued by their JSON pointers.
    pub fn watch_value(&self, source: &str, at: &str, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => self.watch_source(source, true),
            Value::Number(number) => self.watch(source, at, &number.to_string()),
            Value::String(text) => self.watch(source, at, text),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.watch_value(source, &format!("{at}/{index}"), item);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    let name = escape(name);
                    self.watch_value(source, &format!("{at}/{name}"), field);
                }
            }
        }
    }

    /// Watches the log of a command, line by line.
    pub fn watch_log(&self, source: &str, command: &str, log: &str) {
        self.watch_place(source, command, log, true);
    }

    fn watch_place(&self, source: &str, at: &str, text: &str, is_log: bool) {
        self.watch_source(source, true);
        let place =
            Place { source: source.to_owned(), at: at.to_owned(), text: Zeroizing::new(text.to_owned()), is_log };
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).places.push(place);
    }

    /// What stands in the watched places, by everything that has been learned until now. The same places and secrets give the
    /// same scan, in whatever order they came.
    pub fn scan(&self) -> PlaintextScan {
        let declared = Declared::new(self, &self.memory.read().unwrap_or_else(PoisonError::into_inner));
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut findings = BTreeSet::new();
        for place in &watched.places {
            for (at, kind) in place.findings(&declared) {
                findings.insert(Finding { source: self.redact_text(&place.source), at: self.redact_text(&at), kind });
            }
        }
        let sources = watched.sources.iter();
        let sources: BTreeSet<ScannedSource> = sources
            .map(|(source, scanned)| ScannedSource { source: self.redact_text(source), scanned: *scanned })
            .collect();
        PlaintextScan { sources: sources.into_iter().collect(), findings: findings.into_iter().collect() }
    }
}

/// What is declared a secret, ready to be found.
struct Declared {
    /// Those that are known wherever they stand.
    sweep: Sweep,
    /// Those that are found only where they are a whole value: `admin` inside of a line says nothing.
    values: Vec<Zeroizing<String>>,
}

impl Declared {
    fn new(redactor: &Redactor, memory: &Memory) -> Self {
        let declared: Vec<&str> =
            memory.secrets.iter().filter(|secret| secret.is_declared).map(|secret| secret.text.as_str()).collect();
        let is_private = |text: &str| !memory.is_public(text) && !credentials::is_address(text);
        let evident: BTreeSet<&str> = declared
            .iter()
            .copied()
            .filter(|secret| is_private(secret.trim()) && is_evident(secret.trim(), SHORTEST_EVIDENT))
            .collect();
        let values = declared.iter().map(|secret| secret.trim()).filter(|secret| is_private(secret));
        let values = values.map(|secret| Zeroizing::new(secret.to_owned())).collect();
        Self { sweep: Sweep::new(redactor, &evident, |pattern| !memory.is_public(pattern)), values }
    }
}

impl Place {
    fn findings(&self, declared: &Declared) -> Vec<(String, FindingKind)> {
        let text = self.text.as_str();
        let kept: Vec<Range<usize>> = FINGERPRINT.find_iter(text).map(|found| found.range()).collect();
        let is_new = |hit: &Range<usize>| !kept.iter().any(|kept| kept.start <= hit.start && hit.end <= kept.end);
        let mut findings = Vec::new();
        let mut found = |hit: &Range<usize>, kind| findings.push((self.at(hit.start), kind));
        for (hit, _) in declared.sweep.hits(text).filter(|(hit, _)| is_new(hit)) {
            found(&hit, FindingKind::KnownSecret);
        }
        for hit in credentials::shapes(text).into_iter().filter(is_new) {
            found(&hit, FindingKind::Credential);
        }
        for hit in credentials::assignments(text, credentials::names_credential).into_iter().filter(is_new) {
            if is_evident(&text[hit.clone()], SHORTEST_SWEPT) {
                found(&hit, FindingKind::Credential);
            }
        }
        if self.is_log || super::is_fingerprint(text) {
            return findings;
        }
        let whole = 0..text.len();
        if declared.values.iter().any(|value| value.as_str() == text.trim()) {
            found(&whole, FindingKind::KnownSecret);
        }
        let mut names = self.at.split(['/', '.']);
        if names.any(credentials::names_credential) && is_evident(text, SHORTEST_SWEPT) {
            found(&whole, FindingKind::Credential);
        }
        findings
    }

    /// The place of a byte: in a log its line, otherwise the value.
    fn at(&self, offset: usize) -> String {
        if !self.is_log {
            return self.at.clone();
        }
        let line = self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1;
        format!("{} log, line {line}", self.at)
    }
}

/// Whether a value can only be a secret: not a number, and not the one word that a setting is (`enabled`, `AWS_IAM`).
fn is_evident(value: &str, shortest: usize) -> bool {
    let is_number = value.chars().all(|character| character.is_ascii_digit() || matches!(character, '.' | '-' | ','));
    let length = value.chars().count();
    let is_word = length <= 12 && value.chars().all(|character| character.is_alphabetic() || character == '_');
    length >= shortest && !is_number && !is_word && credentials::is_telling(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new().expect("randomness")
    }

    /// `source at kind` of every finding.
    fn found(redactor: &Redactor) -> Vec<String> {
        let kind = |finding: &Finding| json!(finding.kind).as_str().unwrap_or_default().to_owned();
        let findings = redactor.scan().findings;
        findings.iter().map(|finding| format!("{} {} {}", finding.source, finding.at, kind(finding))).collect()
    }

    #[test]
    fn a_secret_that_is_learned_after_its_log_was_written_is_found() {
        let redactor = redactor();
        redactor.watch_log("plan", "plan", "first\nuses s3cret-value here\nand czNjcmV0LXZhbHVl\n");
        assert_eq!(found(&redactor), [""; 0]);
        redactor.learn("s3cret-value");
        // As it is, and in base64.
        assert_eq!(found(&redactor), ["plan plan log, line 2 known_secret", "plan plan log, line 3 known_secret"]);
    }

    #[test]
    fn what_is_only_suspected_is_hidden_but_is_no_finding() {
        let redactor = redactor();
        redactor.suspect("1048576-bytes");
        redactor.watch("lambda", "Environment.Variables.IG_MAX", "1048576-bytes");
        assert_eq!(found(&redactor), [""; 0]);
        assert_ne!(redactor.redact_text("1048576-bytes"), "1048576-bytes");
        // Once somebody declares it a secret, it is one.
        redactor.learn("1048576-bytes");
        assert_eq!(found(&redactor), ["lambda Environment.Variables.IG_MAX known_secret"]);
    }

    #[test]
    fn credentials_are_found_by_their_form_and_by_their_name() {
        let redactor = redactor();
        let aws = format!("AKIA{}", "IOSFODNN7EXAMPLE");
        redactor.watch_value(
            "outputs",
            "db",
            &json!({"master_password": "hunter2", "api_tokens": {"billing": "tok-8871"}, "list": ["x", aws], "url": "https://user:pass@example.com/", "n/m": 3}),
        );
        redactor.watch_log("plan", "plan", "~ password = \"correct horse\" -> \"battery staple\"\n");
        let expected = [
            "outputs db/api_tokens/billing credential",
            "outputs db/list/1 credential",
            "outputs db/master_password credential",
            "outputs db/url credential",
            "plan plan log, line 1 credential",
        ];
        assert_eq!(found(&redactor), expected);
    }

    #[test]
    fn a_short_or_plain_secret_is_found_only_as_a_whole_value() {
        let redactor = redactor();
        redactor.learn("postgres");
        redactor.learn("5432543");
        redactor.watch_log("plan", "plan", "aws_rds_cluster.postgres: 5432543 rows\n");
        redactor.watch("outputs", "engine", "aurora-postgres");
        assert_eq!(found(&redactor), [""; 0]);
        redactor.watch("outputs", "user", "postgres");
        redactor.watch_value("outputs", "pin", &json!(5_432_543));
        assert_eq!(found(&redactor), ["outputs pin known_secret", "outputs user known_secret"]);
    }

    #[test]
    fn what_is_no_secret_is_no_finding() {
        let redactor = redactor();
        redactor.exempt("fraud-platform-dev-full-tfstate");
        for public in [
            "fraud-platform",
            "arn:aws:iam::123456789012:role/platform",
            "b-1.x.kafka.eu-west-2.amazonaws.com:9098,b-2.x.kafka.eu-west-2.amazonaws.com:9098",
            "https://dbc-1a2b3c4d.cloud.databricks.com",
            "platform.cluster-abc123.eu-west-2.rds.amazonaws.com",
        ] {
            redactor.learn(public);
            redactor.watch("outputs", "public", public);
            redactor.watch_log("plan", "plan", &format!("{public}\n"));
        }
        let print = redactor.fingerprint("hunter22");
        for line in [
            "digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "request 8843d7f9-2416-4211-9ebb-963ff4ce2812 id=KX93JZ5YQW",
            "+ password = (sensitive value)",
            "+ master_user_secret = (known after apply)",
            "+ manage_master_user_password = true",
            "+ max_tokens = 1000000",
            "+ authorizer_credentials = \"NONE\"",
            "+ api_key = \"/platform/dev_full/ig/api_key\"",
            "\"X-IG-Api-Key\" -> \"X-Correlation-Id\"",
            "\"NextToken\": \"abc123def456\"",
            "ExpiredToken: The security token included in the request is expired",
            &format!("password = {print}"),
        ] {
            redactor.watch_log("plan", "plan", line);
            redactor.watch("outputs", "line", line);
        }
        redactor.watch("outputs", "api_key", &print);
        redactor.watch("outputs", "edge_api_key", "/platform/edge/api_key");
        redactor.watch("outputs", "credentials", "arn:aws:iam::123456789012:role/x");
        redactor.watch("outputs", "auth_token", "required");
        assert_eq!(found(&redactor), [""; 0]);
    }

    #[test]
    fn sources_are_listed_whatever_is_found_and_an_unread_part_makes_them_unscanned() {
        let redactor = redactor();
        redactor.watch_source("b", true);
        redactor.watch_source("c", false);
        redactor.watch("c", "x", "text");
        redactor.watch_value("a", "x", &json!(null));
        let scan = redactor.scan();
        let sources: Vec<(&str, bool)> =
            scan.sources.iter().map(|source| (source.source.as_str(), source.scanned)).collect();
        assert_eq!(sources, [("a", true), ("b", true), ("c", false)]);
    }

    #[test]
    fn the_scan_is_the_same_in_any_order_and_holds_no_secret() {
        let secrets = ["s3cret-value-1", "s3cret-value-2"];
        let steps: [&dyn Fn(&Redactor); 4] = [
            &|redactor| redactor.learn(secrets[0]),
            &|redactor| redactor.learn(secrets[1]),
            &|redactor| redactor.watch("o", "map/s3cret-value-1", "x s3cret-value-2 s3cret-value-2"),
            &|redactor| redactor.watch_log("l", "plan", "s3cret-value-1\ns3cret-value-2"),
        ];
        let (forwards, backwards) = (redactor(), redactor());
        steps.iter().for_each(|step| step(&forwards));
        steps.iter().rev().for_each(|step| step(&backwards));
        let (scan, other) = (forwards.scan(), backwards.scan());
        assert_eq!(scan.findings.len(), 3);
        assert_eq!(scan.findings[..2], other.findings[..2]);
        let text = json!(scan).to_string();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}
