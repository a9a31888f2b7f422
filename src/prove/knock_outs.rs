//! The laws, shown by knocking out one fact at a time: what the trials of all knock-outs prove.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::accepted::Accepted;
use super::facts::{KnockOut, Way};
use super::trial::{Identity, TrialOutcome};
use super::trials::Trials;

/// What the knock-outs showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KnockOutProof {
    /// How many facts were knocked out.
    pub facts: usize,
    /// In how many ways, all told.
    pub knock_outs: usize,
    /// How many of them block.
    pub guarded: usize,
    /// Those that leave a GO.
    pub unguarded: Vec<UnguardedFact>,
    /// Checks that come or go with a fact.
    pub unstable: Vec<CheckWithFact>,
    /// Checks that name an observation or a handle and hold although it says nothing.
    pub fail_open: Vec<FailOpenCheck>,
    /// Knock-outs that a rule cannot be evaluated with.
    pub broken: Vec<BrokenPolicy>,
    /// Codes that claim nothing, on the document or with a fact knocked out.
    pub vacuous: BTreeSet<String>,
    /// Checks that no knock-out makes fail: they would hold whatever the facts say.
    pub never_failing: Vec<NeverFailingCheck>,
}

/// A knock-out that leaves a GO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnguardedFact {
    /// The JSON pointer of the fact.
    pub fact: String,
    /// How it was knocked out.
    pub way: Way,
    /// Why that is accepted, if it is.
    pub reason: Option<String>,
}

/// A check, and the fact that was knocked out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CheckWithFact {
    /// `M2A-B2`.
    pub code: String,
    /// What the check is about.
    pub subject: String,
    /// What it claims.
    pub claim: String,
    /// The JSON pointer of the fact.
    pub fact: String,
    /// How it was knocked out.
    pub way: Way,
}

impl CheckWithFact {
    pub(super) fn new(code: &str, (subject, claim): Identity, fact: &str, way: Way) -> Self {
        Self { code: code.to_owned(), subject, claim, fact: fact.to_owned(), way }
    }
}

/// A check that nothing shows to depend on a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnprovenCheck {
    /// `M2A-B2`.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// What it claims.
    pub claim: String,
}

impl UnprovenCheck {
    pub(super) fn new(code: &str, (subject, claim): &Identity) -> Self {
        Self { code: code.to_owned(), subject: subject.clone(), claim: claim.clone() }
    }
}

/// A check that no knock-out makes fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeverFailingCheck {
    /// The check.
    #[serde(flatten)]
    pub check: UnprovenCheck,
    /// Why that is accepted, if it is.
    pub reason: Option<String>,
}

/// A check that holds although a fact that it names says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailOpenCheck {
    /// The check and the fact.
    #[serde(flatten)]
    pub check: CheckWithFact,
    /// Why that is accepted, if it is.
    pub reason: Option<String>,
}

/// A knock-out that a rule cannot be evaluated with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenPolicy {
    /// The JSON pointer of the fact.
    pub fact: String,
    /// How it was knocked out.
    pub way: Way,
    /// What the engine says.
    pub error: String,
}

impl KnockOutProof {
    /// Whether the laws hold but for what is accepted.
    pub fn holds(&self) -> bool {
        self.unguarded.iter().all(|fact| fact.reason.is_some())
            && self.unstable.is_empty()
            && self.fail_open.iter().all(|check| check.reason.is_some())
            && self.broken.is_empty()
            && self.vacuous.is_empty()
            && self.never_failing.iter().all(|check| check.reason.is_some())
    }
}

impl Trials {
    /// The knock-outs that block, of which these facts are not.
    pub(super) fn guarded(&self, unguarded: &[UnguardedFact]) -> Vec<&KnockOut> {
        let unguarded: BTreeSet<(&str, Way)> = unguarded.iter().map(|fact| (fact.fact.as_str(), fact.way)).collect();
        let trials = self.trials.iter().filter(|trial| !matches!(trial.outcome, TrialOutcome::Breaks(_)));
        let knock_outs = trials.map(|trial| &trial.knock_out);
        knock_outs.filter(|knock_out| !unguarded.contains(&(knock_out.pointer.as_str(), knock_out.way))).collect()
    }

    /// What they show. A knock-out that no code blocks is told only if an evaluation of the whole document passes, too.
    pub(super) fn proof(
        &self,
        document: &Value,
        accepted: Option<&Accepted>,
        still_passes: &(dyn Fn(Value) -> bool + Sync),
    ) -> KnockOutProof {
        let passing: Vec<&KnockOut> = self
            .trials
            .par_iter()
            .filter(|trial| {
                trial.passes() && (!trial.may_be_judged_otherwise() || still_passes(trial.knock_out.apply(document)))
            })
            .map(|trial| &trial.knock_out)
            .collect();
        let unguarded: Vec<UnguardedFact> = passing
            .into_iter()
            .map(|knock_out| UnguardedFact {
                fact: knock_out.pointer.clone(),
                way: knock_out.way,
                reason: accepted
                    .and_then(|accepted| accepted.unguarded(&knock_out.pointer, knock_out.way))
                    .map(str::to_owned),
            })
            .collect();
        let broken: Vec<BrokenPolicy> = self
            .trials
            .iter()
            .filter_map(|trial| match &trial.outcome {
                TrialOutcome::Breaks(error) => Some(BrokenPolicy {
                    fact: trial.knock_out.pointer.clone(),
                    way: trial.knock_out.way,
                    error: error.clone(),
                }),
                TrialOutcome::Blocks | TrialOutcome::Passes => None,
            })
            .collect();
        let facts: BTreeSet<&str> = self.trials.iter().map(|trial| trial.knock_out.pointer.as_str()).collect();
        let fail_open = self.trials.iter().flat_map(|trial| &trial.fail_open);
        let fail_open = self.fail_open.iter().chain(fail_open).map(|check| FailOpenCheck {
            check: check.clone(),
            reason: accepted.and_then(|accepted| accepted.fail_open(check)).map(str::to_owned),
        });
        let never_failing = self.never_failing.iter().map(|check| NeverFailingCheck {
            check: check.clone(),
            reason: accepted.and_then(|accepted| accepted.never_fails(check)).map(str::to_owned),
        });
        let vacuous = self.trials.iter().flat_map(|trial| trial.vacuous.iter().cloned());
        KnockOutProof {
            facts: facts.len(),
            knock_outs: self.trials.len(),
            guarded: self.trials.len() - unguarded.len() - broken.len(),
            unstable: self.trials.iter().flat_map(|trial| trial.unstable.iter().cloned()).collect(),
            fail_open: fail_open.collect(),
            never_failing: never_failing.collect(),
            vacuous: self.vacuous.iter().cloned().chain(vacuous).collect(),
            unguarded,
            broken,
        }
    }
}
