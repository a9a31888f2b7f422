//! Mutants, and what tells them from the rules: the unit tests of a library, the documents, those of the lanes' tests, and what the
//! knock-outs changed.
//!
//! ```text
//! mutant ─► does it compile? ─► unit tests of its package ─► codes on documents, on tables, on knock-outs ─► evidence of documents ─► survivor
//!                                        └── a test fails ───────────┴── a value differs ─────────────────────┴──► killed
//! ```
//!
//! A value is everything that a rule exports: identities, outcomes, causes, and what a check says; on the tables of tests only what those
//! assert: identities and causes. Of the knock-outs a mutant is put to an even selection only, so a survivor may be one that some other
//! would tell; one that is told is told for good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::accepted::Accepted;
use super::program::{LaneProgram, Program, Term, Values, all_values};
use super::trials::{Trials, digest};
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

/// What mutants are put to.
struct Corpus<'program> {
    program: &'program Program,
    /// Of each lane.
    cases: Vec<Vec<Case<'program>>>,
    nothing: EngineValue,
}

/// Something that terms of a lane are evaluated on.
struct Case<'program> {
    kind: Kind,
    input: EngineValue,
    /// What a rollup is given of the terms.
    known: &'program Values,
    /// The digests of those terms that are looked at.
    expected: BTreeMap<String, String>,
}

/// What a case is, in the order in which mutants are put to them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The codes on a document.
    Document,
    /// The codes on a document of the lane's tests.
    Table,
    /// The codes where a fact is knocked out.
    KnockOut,
    /// The evidence of a document, which takes the longest.
    Evidence,
}

impl Kind {
    /// The digest of what is looked at of a term's value.
    fn digest(self, value: Option<&EngineValue>) -> Result<String, PolicyError> {
        if self == Self::Table { claims_digest(value) } else { digest(value) }
    }
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
    let documents = documents.par_iter().map(|document| {
        let input = EngineValue::new(document)?;
        let values = all_values(program, &input)?;
        Ok((input, values))
    });
    let documents = documents.collect::<Result<Vec<(EngineValue, Values)>, PolicyError>>()?;
    let tables = program.lanes.iter().map(|lane| tabled(program, lane));
    let tables = tables.collect::<Result<Vec<_>, PolicyError>>()?;
    let corpus = Corpus::new(program, &documents, &tables, trials)?;
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
    fn new(
        program: &'program Program,
        documents: &'program [(EngineValue, Values)],
        tables: &'program [Vec<(EngineValue, Values)>],
        trials: &'program Trials,
    ) -> Result<Self, PolicyError> {
        let (input, passing) = documents.first().ok_or_else(|| PolicyError::internal("there is no document"))?;
        let mut cases = Vec::new();
        for (lane, tables) in program.lanes.iter().zip(tables) {
            let mut found = cases_of_tables(lane, tables)?;
            for (document, known) in documents {
                for kind in [Kind::Document, Kind::Evidence] {
                    let terms = lane.terms.iter().filter(|term| term.is_code == (kind == Kind::Document));
                    let expected = terms.map(|term| Ok((term.name.clone(), kind.digest(known.get(&term.name))?)));
                    let expected = expected.collect::<Result<_, PolicyError>>()?;
                    found.push(Case { kind, input: document.clone(), known, expected });
                }
            }
            let mut seen = BTreeSet::new();
            for trial in &trials.trials {
                let changed =
                    trial.changed.iter().filter(|(name, _)| lane.terms.iter().any(|term| term.name == **name));
                let expected: BTreeMap<String, String> =
                    changed.map(|(name, digest)| (name.clone(), digest.clone())).collect();
                // What a rollup was given is known only of some; two that change the same in the same way are one.
                if !expected.is_empty() && (!lane.is_rollup() || trial.known.is_some()) && seen.insert(expected.clone())
                {
                    found.push(Case {
                        kind: Kind::KnockOut,
                        input: trial.knock_out.input(input)?,
                        known: trial.known.as_ref().unwrap_or(passing),
                        expected,
                    });
                }
            }
            cases.push(found);
        }
        Ok(Self { program, cases, nothing: EngineValue::new(&serde_json::json!({}))? })
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
        let mut engines: Vec<Option<Engine>> = self.program.lanes.iter().map(|_| None).collect();
        for kind in [Kind::Document, Kind::Table, Kind::KnockOut, Kind::Evidence] {
            for (((lane, cases), slot), engine) in
                self.program.lanes.iter().zip(&self.cases).zip(&bases.lanes).zip(&mut engines)
            {
                let cases = chosen(lane, cases, kind, mutant);
                if cases.is_empty() {
                    continue;
                }
                if engine.is_none() {
                    let base = base(slot, || self.program.without(lane, &file.name))?;
                    let Ok(made) = self.program.with(base, file.clone()) else { return Ok(Fate::NotCompiled) };
                    *engine = Some(made);
                }
                let Some(engine) = engine else { continue };
                for (case, terms) in cases {
                    if differs(lane, engine, case, &terms)? {
                        return Ok(if kind == Kind::KnockOut {
                            Fate::KilledByKnockOut
                        } else {
                            Fate::KilledByDocument
                        });
                    }
                }
            }
        }
        Ok(Fate::Survives)
    }
}

/// Whether a mutant gives something else. What cannot be evaluated is told from what can.
fn differs(lane: &LaneProgram, engine: &Engine, case: &Case<'_>, terms: &[&Term]) -> Result<bool, PolicyError> {
    let Ok(values) = lane.values_by(engine, &case.input, case.known, terms.iter().copied()) else { return Ok(true) };
    for term in terms {
        let value = values.get(&term.name);
        if case.expected.get(&term.name) != Some(&case.kind.digest(value)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The documents of a lane's tests, each with the values of its terms; one that cannot be evaluated says nothing of mutants.
fn tabled(program: &Program, lane: &LaneProgram) -> Result<Vec<(EngineValue, Values)>, PolicyError> {
    let documents = program.tables_of(&lane.lane)?;
    let evaluated = documents.par_iter().map(|document| {
        let input = EngineValue::new(document)?;
        let values = if lane.is_rollup() {
            all_values(program, &input)
        } else {
            lane.values(&input, &Values::new(), lane.terms.iter().filter(|term| term.is_code))
        };
        Ok(values.ok().map(|values| (input, values)))
    });
    Ok(evaluated.collect::<Result<Vec<_>, PolicyError>>()?.into_iter().flatten().collect())
}

/// The cases that the documents of a lane's tests are: of each the terms that no document before it has like this.
fn cases_of_tables<'program>(
    lane: &LaneProgram,
    documents: &'program [(EngineValue, Values)],
) -> Result<Vec<Case<'program>>, PolicyError> {
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    for (document, known) in documents {
        let mut expected = BTreeMap::new();
        for term in lane.terms.iter().filter(|term| term.is_code) {
            let claims = Kind::Table.digest(known.get(&term.name))?;
            if seen.insert((term.name.clone(), claims.clone())) {
                expected.insert(term.name.clone(), claims);
            }
        }
        if !expected.is_empty() {
            cases.push(Case { kind: Kind::Table, input: document.clone(), known, expected });
        }
    }
    Ok(cases)
}

/// The digest of what a code claims, and how each claim ends.
fn claims_digest(value: Option<&EngineValue>) -> Result<String, PolicyError> {
    let checks = value.map(EngineValue::json).transpose()?.unwrap_or_default();
    let of = |check: &Value| ["subject", "claim", "cause"].map(|key| check.get(key).cloned().unwrap_or_default());
    let claims: BTreeSet<String> =
        checks.as_array().into_iter().flatten().map(|check| Value::from(of(check).to_vec()).to_string()).collect();
    Ok(hex::encode(Sha256::digest(Value::from_iter(claims).to_string())))
}

/// The cases of a kind that a mutant is put to, each with the terms that its rule is a part of: of the knock-outs an even selection.
fn chosen<'case, 'lane>(
    lane: &'lane LaneProgram,
    cases: &'case [Case<'case>],
    kind: Kind,
    mutant: &Mutant,
) -> Vec<(&'case Case<'case>, Vec<&'lane Term>)> {
    let reaching: Vec<&Term> = lane.terms.iter().filter(|term| term.reach.rules.contains(&mutant.rule)).collect();
    let with_terms = |case: &'case Case<'case>| {
        let terms: Vec<&Term> =
            reaching.iter().copied().filter(|term| case.expected.contains_key(&term.name)).collect();
        (!terms.is_empty()).then_some((case, terms))
    };
    let relevant: Vec<_> = cases.iter().filter(|case| case.kind == kind).filter_map(with_terms).collect();
    let step = if kind == Kind::KnockOut { relevant.len().div_ceil(MOST_KNOCK_OUTS).max(1) } else { 1 };
    relevant.into_iter().step_by(step).collect()
}

/// An engine that is made when it is first asked for.
fn base(
    slot: &OnceLock<Result<Engine, String>>,
    make: impl FnOnce() -> Result<Engine, PolicyError>,
) -> Result<&Engine, PolicyError> {
    slot.get_or_init(|| make().map_err(|error| error.to_string())).as_ref().map_err(PolicyError::internal)
}
