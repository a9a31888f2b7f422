//! One knock-out, tried on codes: what they claim then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::facts::KnockOut;
use super::knock_outs::{CheckWithFact, UnprovenCheck};
use super::program::{Term, Values};
use crate::policy::{EngineValue, PolicyError};

/// One knock-out and what came of it.
pub(super) struct Trial {
    pub(super) knock_out: KnockOut,
    pub(super) outcome: TrialOutcome,
    pub(super) unstable: BTreeSet<CheckWithFact>,
    /// Checks that name the fact and hold without it.
    pub(super) fail_open: BTreeSet<CheckWithFact>,
    pub(super) vacuous: BTreeSet<String>,
    /// The checks that do not hold then, among those of the codes that it was put to.
    pub(super) blocking: BTreeSet<UnprovenCheck>,
    /// The terms that it changes, each with the digest of what they are then.
    pub(super) changed: BTreeMap<String, String>,
    /// What the terms are then, if it was put to a rollup.
    pub(super) known: Option<Values>,
}

impl Trial {
    pub(super) fn new(knock_out: &KnockOut) -> Self {
        Self {
            knock_out: knock_out.clone(),
            outcome: TrialOutcome::Passes,
            unstable: BTreeSet::new(),
            fail_open: BTreeSet::new(),
            vacuous: BTreeSet::new(),
            blocking: BTreeSet::new(),
            changed: BTreeMap::new(),
            known: None,
        }
    }

    pub(super) fn check(&self, term: &Term, identity: Identity) -> CheckWithFact {
        CheckWithFact::new(&term.name, identity, &self.knock_out.pointer, self.knock_out.way)
    }

    /// Whether an evaluation of the whole document could still find something: it reads these sections itself.
    pub(super) fn may_be_judged_otherwise(&self) -> bool {
        matches!(self.knock_out.place.first().map(String::as_str), Some("run" | "evidence"))
    }

    pub(super) fn passes(&self) -> bool {
        matches!(self.outcome, TrialOutcome::Passes)
    }
}

pub(super) enum TrialOutcome {
    Blocks,
    Passes,
    Breaks(String),
}

/// What tells a check of a code from the others: its subject and its claim.
pub(super) type Identity = (String, String);

/// The claims of one code.
#[derive(Default)]
pub(super) struct Claims {
    pub(super) identities: BTreeSet<Identity>,
    pub(super) failing: BTreeSet<Identity>,
}

impl Claims {
    pub(super) fn read(value: Option<&EngineValue>) -> Result<Self, PolicyError> {
        let json = value.map(EngineValue::json).transpose()?.unwrap_or_default();
        let mut claims = Self::default();
        for check in json.as_array().into_iter().flatten() {
            let text = |key| check.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let identity = (text("subject"), text("claim"));
            if check.get("ok") != Some(&Value::Bool(true)) {
                claims.failing.insert(identity.clone());
            }
            claims.identities.insert(identity);
        }
        Ok(claims)
    }

    pub(super) fn holds(&self, identity: &Identity) -> bool {
        self.identities.contains(identity) && !self.failing.contains(identity)
    }
}

/// The digest of a value.
pub(super) fn digest(value: Option<&EngineValue>) -> Result<String, PolicyError> {
    let json = value.map(EngineValue::json).transpose()?;
    Ok(hex::encode(Sha256::digest(json.map(|json| json.to_string()).unwrap_or_default())))
}
