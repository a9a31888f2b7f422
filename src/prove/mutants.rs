//! Mutants, and what tells them from the rules: the unit tests of a library, the documents, and what the knock-outs changed.
//!
//! ```text
//! mutant ─► does it compile? ─► unit tests of its package ─► documents ─► knock-outs that its rules noticed ─► survivor
//!                                        └── a test fails ────────┴── a value differs ──► killed
//! ```
//!
//! A value is everything that a rule exports: identities, outcomes, causes, and what a check says. Of the knock-outs a mutant is put to an even
//! selection only, so a survivor may be one that some other knock-out would tell; one that is told is told for good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::accepted::Accepted;
use super::knock_outs::{Trials, digest};
use super::program::{LaneProgram, Program, Values, all_values};
use super::{Half, ProveProgress};
use crate::policy::{Engine, EngineValue, Location, Mutant, MutationOperator, PolicyError};

/// How many knock-outs a mutant is put to in one lane.
const MOST_KNOCK_OUTS: usize = 60;

/// What the mutants showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MutationProof {
    /// How many mutants there are.
    pub mutants: usize,
    /// How many of them do not compile: they count as nothing.
    pub not_compiled: usize,
    /// How many a unit test tells from the rule.
    pub killed_by_tests: usize,
    /// How many give something else on a document.
    pub killed_by_documents: usize,
    /// How many give something else where a fact is knocked out.
    pub killed_by_knock_outs: usize,
    /// Those that nothing tells from the rule.
    pub survivors: Vec<Survivor>,
    /// Whether a survivor must be accepted.
    pub is_strict: bool,
}

/// A mutant that nothing tells from the rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Survivor {
    /// Where its change stands.
    pub location: Location,
    /// The path of the rule: `m2.a.b1`.
    pub rule: String,
    /// What kind of change it is.
    pub operator: MutationOperator,
    /// What is there, and what the mutant has in its place.
    pub change: String,
    /// Why that is accepted, if it is.
    pub reason: Option<String>,
}

impl MutationProof {
    /// The share of mutants that something tells from the rules, in percent; none if there is no mutant.
    pub fn score(&self) -> Option<f64> {
        let all = self.mutants - self.not_compiled;
        (all > 0).then(|| 100.0 * (all - self.survivors.len()) as f64 / all as f64)
    }

    /// Whether every survivor is accepted that has to be.
    pub fn is_accepted(&self) -> bool {
        !self.is_strict || self.survivors.iter().all(|survivor| survivor.reason.is_some())
    }
}

/// What became of a mutant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    NotCompiled,
    KilledByTest,
    KilledByDocument,
    KilledByKnockOut,
    Survives,
}

struct Corpus<'program> {
    program: &'program Program,
    /// The documents, each with what the terms are on it.
    documents: Vec<(EngineValue, Values)>,
    /// Of each lane the knock-outs that change something of it: the document, and the digests of what is changed.
    knock_outs: Vec<Vec<(EngineValue, &'program BTreeMap<String, String>)>>,
    nothing: EngineValue,
}

/// The engines to which the mutants of one file are added.
struct Bases {
    lanes: Vec<OnceLock<Result<Engine, String>>>,
    tests: OnceLock<Result<Engine, String>>,
}

/// Tries every mutant.
pub(super) fn try_all(
    program: &Program,
    documents: &[&Value],
    trials: &Trials,
    accepted: Option<&Accepted>,
    progress: &(dyn Fn(ProveProgress) + Sync),
    not_found: &mut Vec<String>,
) -> Result<MutationProof, PolicyError> {
    let corpus = Corpus::new(program, documents, trials)?;
    let files: BTreeSet<&str> = program.mutants.iter().map(|mutant| mutant.location.file.as_str()).collect();
    let bases: BTreeMap<&str, Bases> = files
        .into_iter()
        .map(|file| {
            let lanes = program.lanes.iter().map(|_| OnceLock::new()).collect();
            (file, Bases { lanes, tests: OnceLock::new() })
        })
        .collect();
    let done = AtomicUsize::new(0);
    let fates = program
        .mutants
        .par_iter()
        .map(|mutant| {
            let bases = bases.get(mutant.location.file.as_str());
            let bases = bases.ok_or_else(|| PolicyError::internal("a mutant has no file"))?;
            let fate = corpus.fate(mutant, bases);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(ProveProgress { half: Half::Mutants, done, total: program.mutants.len() });
            fate
        })
        .collect::<Result<Vec<Fate>, PolicyError>>()?;
    let count = |wanted: Fate| fates.iter().filter(|fate| **fate == wanted).count();
    let surviving = program.mutants.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Survives);
    let survivors: Vec<Survivor> = surviving
        .map(|(mutant, _)| {
            let change = format!("{} → {}", mutant.before, mutant.after);
            let reason = accepted.and_then(|accepted| accepted.survivor(&mutant.rule, &change)).map(str::to_owned);
            Survivor {
                location: mutant.location.clone(),
                rule: mutant.rule.clone(),
                operator: mutant.operator,
                change,
                reason,
            }
        })
        .collect();
    not_found.extend(accepted.iter().flat_map(|accepted| accepted.killed_after_all(&survivors)));
    Ok(MutationProof {
        mutants: fates.len(),
        not_compiled: count(Fate::NotCompiled),
        killed_by_tests: count(Fate::KilledByTest),
        killed_by_documents: count(Fate::KilledByDocument),
        killed_by_knock_outs: count(Fate::KilledByKnockOut),
        survivors,
        is_strict: accepted.is_some(),
    })
}

impl<'program> Corpus<'program> {
    fn new(program: &'program Program, documents: &[&Value], trials: &'program Trials) -> Result<Self, PolicyError> {
        let documents = documents.par_iter().map(|document| {
            let input = EngineValue::new(document)?;
            let values = all_values(program, &input)?;
            Ok((input, values))
        });
        let documents = documents.collect::<Result<Vec<(EngineValue, Values)>, PolicyError>>()?;
        let (passing, _) = documents.first().ok_or_else(|| PolicyError::internal("there is no document"))?;
        let lanes = program.lanes.iter().map(|lane| {
            let names: BTreeSet<&str> = lane.terms.iter().map(|term| term.name.as_str()).collect();
            let mut seen = BTreeSet::new();
            let changing: Vec<_> = trials
                .trials
                .iter()
                // Two that change the same in the same way are one.
                .filter(|trial| {
                    let changed: Vec<_> =
                        trial.changed.iter().filter(|(name, _)| names.contains(name.as_str())).collect();
                    !changed.is_empty() && seen.insert(changed)
                })
                .collect();
            changing
                .into_iter()
                .map(|trial| Ok((trial.knock_out.input(passing)?, &trial.changed)))
                .collect::<Result<Vec<_>, PolicyError>>()
        });
        let knock_outs = lanes.collect::<Result<Vec<_>, PolicyError>>()?;
        Ok(Self { program, documents, knock_outs, nothing: EngineValue::new(&serde_json::json!({}))? })
    }

    fn fate(&self, mutant: &Mutant, bases: &Bases) -> Result<Fate, PolicyError> {
        let file = mutant.file(self.program.file(&mutant.location.file)?);
        if let Some(tests) = self.program.tests_of(&mutant.rule) {
            let base = base(&bases.tests, || self.program.tests_without(tests, &file.name))?;
            let Ok(engine) = self.program.with(base, file.clone()) else { return Ok(Fate::NotCompiled) };
            if !tests.pass(&engine, &self.nothing) {
                return Ok(Fate::KilledByTest);
            }
        }
        let mut engines = Vec::new();
        for (index, (lane, slot)) in self.program.lanes.iter().zip(&bases.lanes).enumerate() {
            if lane.terms.iter().any(|term| term.reach.rules.contains(&mutant.rule)) {
                let base = base(slot, || self.program.without(lane, &file.name))?;
                let Ok(engine) = self.program.with(base, file.clone()) else { return Ok(Fate::NotCompiled) };
                if self.differs_on_a_document(lane, &engine, mutant) {
                    return Ok(Fate::KilledByDocument);
                }
                engines.push((index, lane, engine));
            }
        }
        for (index, lane, engine) in &engines {
            if self.differs_on_a_knock_out(*index, lane, engine, mutant)? {
                return Ok(Fate::KilledByKnockOut);
            }
        }
        Ok(Fate::Survives)
    }

    fn differs_on_a_document(&self, lane: &LaneProgram, engine: &Engine, mutant: &Mutant) -> bool {
        let terms = || lane.terms.iter().filter(|term| term.reach.rules.contains(&mutant.rule));
        self.documents.iter().any(|(input, expected)| {
            // What cannot be evaluated is told from what can.
            lane.values_by(engine, input, expected, terms())
                .map_or(true, |values| terms().any(|term| values.get(&term.name) != expected.get(&term.name)))
        })
    }

    fn differs_on_a_knock_out(
        &self,
        index: usize,
        lane: &LaneProgram,
        engine: &Engine,
        mutant: &Mutant,
    ) -> Result<bool, PolicyError> {
        let changing = self.knock_outs.get(index).into_iter().flatten();
        let relevant: Vec<_> = changing
            .filter_map(|(input, changed)| {
                let terms = lane
                    .terms
                    .iter()
                    .filter(|term| changed.contains_key(&term.name) && term.reach.rules.contains(&mutant.rule));
                let terms: Vec<_> = terms.collect();
                (!terms.is_empty()).then_some((input, *changed, terms))
            })
            .collect();
        // What a rollup was given when it was tried is not kept; what it makes of the codes of a document is compared above.
        let Some((_, known)) = self.documents.first().filter(|_| !lane.is_rollup()) else { return Ok(false) };
        let step = relevant.len().div_ceil(MOST_KNOCK_OUTS).max(1);
        for (input, changed, terms) in relevant.into_iter().step_by(step) {
            let Ok(values) = lane.values_by(engine, input, known, terms.iter().copied()) else { return Ok(true) };
            for term in terms {
                if changed.get(&term.name) != Some(&digest(values.get(&term.name))?) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// An engine that is made when it is first asked for.
fn base(
    slot: &OnceLock<Result<Engine, String>>,
    make: impl FnOnce() -> Result<Engine, PolicyError>,
) -> Result<&Engine, PolicyError> {
    slot.get_or_init(|| make().map_err(|error| error.to_string())).as_ref().map_err(PolicyError::internal)
}
