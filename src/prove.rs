//! `prove`: what the policies are worth, on a document that passes.
//!
//! ```text
//! document ─► its facts ─► each knocked out in every way ─┬─► rules that can read it ─► does something block? same identities?
//!                                                         │            ▲
//! policies ─► syntax ─► what each rule can read ──────────┼────────────┘
//!               └─────► mutants ─► unit tests, documents, knock-outs: does anything tell the mutant from the rule?
//! ```
//!
//! Three laws are shown by knocking out every fact that the document holds, one at a time. Fail closed: something blocks, and no check holds
//! that names an observation or a handle which says nothing, or a field that is not there. Stable identity: no check comes or goes. No
//! vacuity: every code claims something, and something makes each of its checks fail. Whether the rules are needed as they are is shown by
//! mutants: a rule that nothing tells from one with a mistake in it is not tested.
//!
//! What a rule can read is found in its text, so that a knock-out is only put to the rules that can notice it. The same inputs give the same
//! result.

mod accepted;
mod facts;
mod knock_outs;
mod mutants;
mod program;
mod tables;
#[cfg(test)]
mod tests;
mod trial;
mod trials;
mod unit_tests;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

pub use accepted::{Accepted, AcceptedError};
pub use facts::Way;
pub use knock_outs::{
    BrokenPolicy, CheckWithFact, FailOpenCheck, KnockOutProof, NeverFailingCheck, UnguardedFact, UnprovenCheck,
};
pub use mutants::{MutationProof, Survivor};

use crate::evaluate::{Document, EvaluateError, judge};
use crate::exit::ExitCode;
use crate::policy::{Policies, PolicyError, PolicyOptions, PolicySet};
use crate::verdict::{FactsIdentity, Outcome};
use program::Program;

/// Why nothing can be proved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The document does not pass, so knocking something out of it shows nothing.
    #[error("the verdict on {name} is NO-GO: to take away a fact could not make it worse")]
    NoGo {
        /// Which document.
        name: String,
    },
    /// It cannot be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The policies are wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl ProveError {
    /// The exit code of a run that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoGo { .. } => ExitCode::Input,
            Self::Evaluate(error) => error.exit_code(),
            Self::Policy(error) => error.exit_code(),
        }
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoGo { .. } => {
                let help = "name a document on which the lanes pass, or those that do with --lane, together with the lanes that they \
                            follow";
                Some(help.to_owned())
            }
            Self::Evaluate(_) | Self::Policy(_) => None,
        }
    }
}

/// What is to be proved.
#[derive(Clone, Debug, Default)]
pub struct ProveOptions {
    /// The lanes whose rules are looked at, and the facts that they read; all of them if it is empty.
    pub lanes: Vec<String>,
    /// Which half is left out.
    pub only: Option<Half>,
    /// What is known to be unguarded or to survive, and why; with it, every survivor must be in it.
    pub accepted: Option<Accepted>,
}

/// One half of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The laws, by knocking out facts.
    KnockOuts,
    /// The rules, by mutants.
    Mutants,
}

/// How far a proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProveProgress {
    /// Which half.
    pub half: Half,
    /// How many knock-outs or mutants are done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// The document whose facts were knocked out.
    pub facts: FactsIdentity,
    /// The lanes whose rules were looked at.
    pub lanes: Vec<String>,
    /// The laws, unless they were left out.
    pub knock_outs: Option<KnockOutProof>,
    /// The mutants, unless they were left out.
    pub mutants: Option<MutationProof>,
    /// What is wrong with what is accepted: it was not found, or is more than that.
    pub accepted_wrongly: Vec<String>,
}

impl Proof {
    /// Whether the laws hold, the unit tests pass, as many mutants as the threshold asks for (in percent) were told from the rules, and
    /// nothing is accepted that is not there.
    pub fn holds(&self, threshold: Option<f64>) -> bool {
        let laws_hold = self.knock_outs.as_ref().is_none_or(KnockOutProof::holds);
        let is_tested = self.mutants.as_ref().is_none_or(|mutants| {
            let is_enough = threshold.is_none_or(|threshold| mutants.score().is_some_and(|score| score >= threshold));
            is_enough && mutants.is_sound()
        });
        laws_hold && is_tested && self.accepted_wrongly.is_empty()
    }
}

/// A document and how it is named.
#[derive(Clone, Debug)]
pub struct NamedDocument {
    /// As the caller named it.
    pub name: String,
    /// The document.
    pub document: Document,
}

/// Proves what can be proved on a document that passes. More documents help to tell mutants from the rules.
///
/// # Errors
///
/// If the policies break a law, the document does not pass, or a lane is unknown.
pub fn prove(
    set: &PolicySet,
    options: &PolicyOptions,
    passing: &NamedDocument,
    more: &[NamedDocument],
    what: &ProveOptions,
    progress: &(dyn Fn(ProveProgress) + Sync),
) -> Result<Proof, ProveError> {
    let policies = Policies::compile(set.clone(), options)?;
    let verdict = judge(&passing.document, &policies, &what.lanes, &[])?;
    if verdict.outcome != Outcome::Go {
        return Err(ProveError::NoGo { name: passing.name.clone() });
    }
    let document = passing.document.facts();
    let sections: BTreeSet<String> = document.as_object().into_iter().flat_map(|facts| facts.keys().cloned()).collect();
    let program = Program::new(set, options, &policies, &verdict, &sections)?;
    let cited: BTreeSet<String> = verdict
        .lanes
        .iter()
        .flat_map(|lane| &lane.codes)
        .flat_map(|code| &code.checks)
        .flat_map(|check| check.facts.iter().cloned())
        .collect();
    let knock_outs = facts::knock_outs(document, &cited);
    let is_selection = !what.lanes.is_empty();
    let trials = trials::try_all(&program, document, knock_outs, &verdict, is_selection, progress)?;
    let still_passes = |changed: Value| {
        let changed = Document::new(changed, passing.document.identity().sealed);
        changed.is_ok_and(|changed| {
            judge(&changed, &policies, &what.lanes, &[]).is_ok_and(|verdict| verdict.outcome == Outcome::Go)
        })
    };
    let accepted = what.accepted.as_ref();
    let mut proof = Proof {
        facts: verdict.facts.clone(),
        lanes: verdict.covers.clone(),
        knock_outs: None,
        mutants: None,
        accepted_wrongly: Vec::new(),
    };
    if what.only != Some(Half::Mutants) {
        let found = trials.proof(document, accepted, &still_passes);
        // What no lane of a selection reads is accepted for others.
        if let Some(accepted) = accepted.filter(|_| !is_selection) {
            let guarded = trials.guarded(&found.unguarded);
            proof.accepted_wrongly.extend(accepted.wrong_facts(&found.unguarded, &guarded));
            proof.accepted_wrongly.extend(accepted.wrong_checks(&found.fail_open));
            proof.accepted_wrongly.extend(accepted.wrong_never_failing(&found.never_failing));
        }
        proof.knock_outs = Some(found);
    }
    if what.only != Some(Half::KnockOuts) {
        let documents: Vec<&Value> =
            [document].into_iter().chain(more.iter().map(|named| named.document.facts())).collect();
        let found = mutants::try_all(&program, &documents, &trials, accepted, progress)?;
        let is_changed = |rule: &str| !is_selection || program.mutants.iter().any(|mutant| mutant.rule == rule);
        if let Some(accepted) = accepted {
            proof.accepted_wrongly.extend(accepted.wrong_survivors(&found.survivors, is_changed));
        }
        proof.mutants = Some(found);
    }
    Ok(proof)
}
