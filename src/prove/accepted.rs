//! The file of what is accepted: facts that nothing guards, checks that hold without a fact, mutants that survive, each with the reason why.
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
//!
//! [[fail_open]]
//! claims = '^the receipts of '
//! facts = '^/aws/'
//! ways = ["unreadable"]
//! reason = "it is about the receipts alone"
//!
//! [[never_fails]]
//! code = "M2D-B4"
//! claims = '^its owner '
//! reason = "it is about the contract, and no fact says anything of that"
//! ```
//!
//! An entry that fits nothing is an error, and so is one that fits what is guarded: it would go on to excuse what nobody looks at.

use std::path::{Path, PathBuf};

use factgate_collector::help::Help;
use regex::Regex;
use serde::Deserialize;

use super::facts::{KnockOut, Way};
use super::knock_outs::{CheckWithFact, FailOpenCheck, NeverFailingCheck, UnguardedFact, UnprovenCheck};
use super::mutants::Survivor;

/// What is accepted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    #[serde(default)]
    unguarded: Vec<AcceptedFacts>,
    #[serde(default)]
    fail_open: Vec<AcceptedChecks>,
    #[serde(default)]
    never_fails: Vec<AcceptedNeverFailing>,
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
struct AcceptedChecks {
    /// What the claims of the checks match.
    claims: Pattern,
    /// What the JSON pointers of the facts match that they hold without.
    facts: Pattern,
    /// The ways in which those may be knocked out.
    ways: Vec<Way>,
    reason: Reason,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedNeverFailing {
    /// The code.
    code: String,
    /// What the claims of its checks match.
    claims: Pattern,
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
    #[error("{} does not say what is accepted", path.display())]
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
                "it is TOML with `[[unguarded]]` (facts, ways, reason), `[[fail_open]]` (claims, facts, ways, reason), \
                 `[[never_fails]]` (code, claims, reason) and `[[survivors]]` (rule, change, reason)"
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

    /// Why a check may hold without a fact that it names.
    pub(super) fn fail_open(&self, check: &CheckWithFact) -> Option<&str> {
        let entry = self.fail_open.iter().find(|entry| entry.covers(check))?;
        Some(&entry.reason.0)
    }

    /// Why no fact decides a check.
    pub(super) fn never_fails(&self, check: &UnprovenCheck) -> Option<&str> {
        let entry = self.never_fails.iter().find(|entry| entry.covers(check))?;
        Some(&entry.reason.0)
    }

    /// What is wrong with the entries of facts, each with a way: no unguarded fact fits it, or a guarded one does, too.
    pub(super) fn wrong_facts(&self, unguarded: &[UnguardedFact], guarded: &[&KnockOut]) -> Vec<String> {
        let mut wrong = Vec::new();
        for entry in &self.unguarded {
            for way in &entry.ways {
                let name = format!("unguarded `{}` {way}", entry.facts.0);
                let fits = |fact: &str, other: Way| other == *way && entry.facts.0.is_match(fact);
                if !unguarded.iter().any(|fact| fits(&fact.fact, fact.way)) {
                    wrong.push(format!("{name}: it fits nothing that is unguarded"));
                }
                if let Some(knock_out) = guarded.iter().find(|knock_out| fits(&knock_out.pointer, knock_out.way)) {
                    wrong.push(format!("{name}: it fits {}, too, which is guarded", knock_out.pointer));
                }
            }
        }
        wrong
    }

    /// The entries, each with a way, that no check fits.
    pub(super) fn wrong_checks(&self, found: &[FailOpenCheck]) -> Vec<String> {
        let mut wrong = Vec::new();
        for entry in &self.fail_open {
            for way in &entry.ways {
                if !found.iter().any(|found| found.check.way == *way && entry.covers(&found.check)) {
                    wrong.push(format!("fail_open `{}` {way}: every check that it fits blocks", entry.claims.0));
                }
            }
        }
        wrong
    }

    /// The entries of checks that never fail, and that none fits.
    pub(super) fn wrong_never_failing(&self, found: &[NeverFailingCheck]) -> Vec<String> {
        let is_stale = |entry: &&AcceptedNeverFailing| !found.iter().any(|found| entry.covers(&found.check));
        let stale = self.never_fails.iter().filter(is_stale);
        stale.map(|entry| format!("never_fails {} `{}`: something makes it fail", entry.code, entry.claims.0)).collect()
    }

    /// The entries that no survivor fits, of the rules that were changed.
    pub(super) fn wrong_survivors(&self, found: &[Survivor], is_changed: impl Fn(&str) -> bool) -> Vec<String> {
        let is_stale = |entry: &&AcceptedSurvivor| {
            is_changed(&entry.rule)
                && !found.iter().any(|survivor| survivor.rule == entry.rule && survivor.change == entry.change)
        };
        self.survivors
            .iter()
            .filter(is_stale)
            .map(|entry| format!("survivor {}: `{}`: something tells it", entry.rule, entry.change))
            .collect()
    }
}

impl AcceptedFacts {
    fn covers(&self, fact: &str, way: Way) -> bool {
        self.ways.contains(&way) && self.facts.0.is_match(fact)
    }
}

impl AcceptedChecks {
    fn covers(&self, check: &CheckWithFact) -> bool {
        self.ways.contains(&check.way) && self.claims.0.is_match(&check.claim) && self.facts.0.is_match(&check.fact)
    }
}

impl AcceptedNeverFailing {
    fn covers(&self, check: &UnprovenCheck) -> bool {
        self.code == check.code && self.claims.0.is_match(&check.claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Accepted, toml::de::Error> {
        toml::from_str(text)
    }

    const FILE: &str = "[[unguarded]]\nfacts = '^/a/[^/]+$'\nways = [\"absent\"]\nreason = \"r\"\n\n\
                        [[fail_open]]\nclaims = '^c'\nfacts = '^/f/'\nways = [\"unreadable\"]\nreason = \"t\"\n\n\
                        [[never_fails]]\ncode = \"M2A-B1\"\nclaims = '^n'\nreason = \"u\"\n\n\
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

    fn knock_out(pointer: &str, way: Way) -> KnockOut {
        KnockOut { pointer: pointer.to_owned(), way, is_handle: false, place: Vec::new(), value: None }
    }

    #[test]
    fn an_entry_that_fits_nothing_is_told() {
        let accepted = parse(FILE).unwrap();
        let fact = UnguardedFact { fact: "/a/b".into(), way: Way::Absent, reason: None };
        assert_eq!(accepted.wrong_facts(&[fact], &[]), [""; 0]);
        assert_eq!(
            accepted.wrong_facts(&[], &[]),
            ["unguarded `^/a/[^/]+$` absent: it fits nothing that is unguarded"]
        );
        assert_eq!(accepted.wrong_checks(&[]), ["fail_open `^c` unreadable: every check that it fits blocks"]);
        assert_eq!(accepted.wrong_survivors(&[], |_| true), ["survivor lib.a.x: `1 → 2`: something tells it"]);
    }

    #[test]
    fn an_entry_that_fits_what_is_guarded_is_told() {
        let accepted = parse(FILE).unwrap();
        let fact = UnguardedFact { fact: "/a/b".into(), way: Way::Absent, reason: None };
        let (other_way, guarded) = (knock_out("/a/c", Way::Removed), knock_out("/a/d", Way::Absent));
        assert_eq!(
            accepted.wrong_facts(&[fact], &[&other_way, &guarded]),
            ["unguarded `^/a/[^/]+$` absent: it fits /a/d, too, which is guarded"]
        );
    }

    #[test]
    fn a_check_may_hold_without_a_fact_by_its_claim_and_the_fact_and_the_way() {
        let accepted = parse(FILE).unwrap();
        let check =
            |claim: &str, fact, way| CheckWithFact::new("M2A-B1", ("s".to_owned(), claim.to_owned()), fact, way);
        let fitting = check("claim", "/f/x", Way::Unreadable);
        assert_eq!(accepted.fail_open(&fitting), Some("t"));
        for other in [
            check("other", "/f/x", Way::Unreadable),
            check("claim", "/g/x", Way::Unreadable),
            check("claim", "/f/x", Way::Removed),
        ] {
            assert_eq!(accepted.fail_open(&other), None);
            assert_eq!(accepted.wrong_checks(&[FailOpenCheck { check: other, reason: None }]).len(), 1);
        }
        assert_eq!(accepted.wrong_checks(&[FailOpenCheck { check: fitting, reason: None }]), [""; 0]);
    }

    #[test]
    fn a_check_may_never_fail_by_its_code_and_claim() {
        let accepted = parse(FILE).unwrap();
        let check = |code: &str, claim: &str| UnprovenCheck::new(code, &("s".to_owned(), claim.to_owned()));
        let found = |check| [NeverFailingCheck { check, reason: None }];
        let fitting = check("M2A-B1", "never");
        assert_eq!(accepted.never_fails(&fitting), Some("u"));
        assert_eq!(accepted.wrong_never_failing(&found(fitting)), [""; 0]);
        for other in [check("M2A-B2", "never"), check("M2A-B1", "other")] {
            assert_eq!(accepted.never_fails(&other), None);
            let wrong = accepted.wrong_never_failing(&found(other));
            assert_eq!(wrong, ["never_fails M2A-B1 `^n`: something makes it fail"]);
        }
    }

    #[test]
    fn an_entry_of_a_rule_that_was_not_looked_at_is_not_told() {
        assert_eq!(parse(FILE).unwrap().wrong_survivors(&[], |rule| rule != "lib.a.x"), [""; 0]);
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
