//! The file of what is accepted: facts that nothing guards and mutants that survive, each with the reason why.
//!
//! ```toml
//! [[unguarded]]
//! facts = '^/aws/s3/buckets/[^/]+/location$'
//! ways = ["absent"]
//! reason = "only evidence: of a bucket that is gone the head blocks"
//!
//! [[survivors]]
//! rule = "lib.fact._error"
//! change = 'is_string(text) → true'
//! reason = "the document's schema admits texts only"
//! ```
//!
//! An entry that fits nothing is an error: it would go on to excuse what nobody looks at.

use std::path::{Path, PathBuf};

use factgate_collector::help::Help;
use regex::Regex;
use serde::Deserialize;

use super::facts::Way;
use super::knock_outs::UnguardedFact;
use super::mutants::Survivor;

/// What is accepted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    #[serde(default)]
    unguarded: Vec<AcceptedFacts>,
    #[serde(default)]
    survivors: Vec<AcceptedSurvivor>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedFacts {
    /// What the JSON pointers of the facts match.
    facts: Pattern,
    /// The ways in which they may be knocked out.
    ways: Vec<Way>,
    reason: Reason,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedSurvivor {
    /// The path of the rule.
    rule: String,
    /// What is there and what the mutant has, as `prove` tells it.
    change: String,
    reason: Reason,
}

/// A regular expression.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Regex::new(&text).map(Self)
    }
}

/// A text that says something.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() { Err("a reason must say something") } else { Ok(Self(text)) }
    }
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum AcceptedError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: toml::de::Error,
    },
}

impl Help for AcceptedError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "check the path given by --accepted".to_owned(),
            Self::Invalid { .. } => {
                "it is TOML with `[[unguarded]]` (facts, ways, reason) and `[[survivors]]` (rule, change, reason)"
                    .to_owned()
            }
        })
    }
}

impl Accepted {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, has an unknown field or lacks one, or gives no reason.
    pub fn read(path: &Path) -> Result<Self, AcceptedError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| AcceptedError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| AcceptedError::Invalid { path: path.to_owned(), source })
    }

    /// Why a knock-out may leave a GO.
    pub(super) fn unguarded(&self, fact: &str, way: Way) -> Option<&str> {
        let entry = self.unguarded.iter().find(|entry| entry.covers(fact, way))?;
        Some(&entry.reason.0)
    }

    /// Why a mutant may survive.
    pub(super) fn survivor(&self, rule: &str, change: &str) -> Option<&str> {
        let entry = self.survivors.iter().find(|entry| entry.rule == rule && entry.change == change)?;
        Some(&entry.reason.0)
    }

    /// The entries, each with a way, that no unguarded fact fits.
    pub(super) fn guarded_after_all(&self, found: &[UnguardedFact]) -> Vec<String> {
        let mut stale = Vec::new();
        for entry in &self.unguarded {
            for way in &entry.ways {
                if !found.iter().any(|fact| fact.way == *way && entry.facts.0.is_match(&fact.fact)) {
                    stale.push(format!("unguarded `{}` {way}", entry.facts.0));
                }
            }
        }
        stale
    }

    /// The entries that no survivor fits, of the rules that were changed.
    pub(super) fn killed_after_all(&self, found: &[Survivor], is_changed: impl Fn(&str) -> bool) -> Vec<String> {
        let is_stale = |entry: &&AcceptedSurvivor| {
            is_changed(&entry.rule)
                && !found.iter().any(|survivor| survivor.rule == entry.rule && survivor.change == entry.change)
        };
        self.survivors
            .iter()
            .filter(is_stale)
            .map(|entry| format!("survivor {}: `{}`", entry.rule, entry.change))
            .collect()
    }
}

impl AcceptedFacts {
    fn covers(&self, fact: &str, way: Way) -> bool {
        self.ways.contains(&way) && self.facts.0.is_match(fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Accepted, toml::de::Error> {
        toml::from_str(text)
    }

    const FILE: &str = "[[unguarded]]\nfacts = '^/a/[^/]+$'\nways = [\"absent\"]\nreason = \"r\"\n\n\
                        [[survivors]]\nrule = \"lib.a.x\"\nchange = '1 → 2'\nreason = \"s\"\n";

    #[test]
    fn what_is_accepted_is_found_by_its_fact_and_way_or_its_rule_and_change() {
        let accepted = parse(FILE).unwrap();
        assert_eq!(accepted.unguarded("/a/b", Way::Absent), Some("r"));
        assert_eq!(accepted.unguarded("/a/b", Way::Removed), None);
        assert_eq!(accepted.unguarded("/a/b/c", Way::Absent), None);
        assert_eq!(accepted.survivor("lib.a.x", "1 → 2"), Some("s"));
        assert_eq!(accepted.survivor("lib.a.y", "1 → 2"), None);
    }

    #[test]
    fn an_entry_that_fits_nothing_is_told() {
        let accepted = parse(FILE).unwrap();
        let fact = UnguardedFact { fact: "/a/b".into(), way: Way::Absent, reason: None };
        assert_eq!(accepted.guarded_after_all(&[fact]), [""; 0]);
        assert_eq!(accepted.guarded_after_all(&[]), ["unguarded `^/a/[^/]+$` absent"]);
        assert_eq!(accepted.killed_after_all(&[], |_| true), ["survivor lib.a.x: `1 → 2`"]);
    }

    #[test]
    fn an_entry_of_a_rule_that_was_not_looked_at_is_not_told() {
        assert_eq!(parse(FILE).unwrap().killed_after_all(&[], |rule| rule != "lib.a.x"), [""; 0]);
    }

    #[test]
    fn an_entry_without_a_reason_or_with_an_unknown_key_is_refused() {
        for (from, to) in [
            ("reason = \"r\"", "reason = \" \""),
            ("reason = \"r\"\n", ""),
            ("facts", "fcats"),
            ("'^/a/[^/]+$'", "'('"),
        ] {
            assert!(parse(&FILE.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
