//! Mutants, and what tells them from the rules: the unit tests that stand beside them, the documents, those of the lanes' tests, and what
//! the knock-outs changed.
//!
//! ```text
//! mutant ─► does it compile? ─► codes on documents, on tables ─► evidence ─► unit tests of its package ─► codes on knock-outs ─► survivor
//!                                       └── a value differs ────────┴── a test fails ──┴── a value differs ──────────┴──► killed
//! ```
//!
//! A value is everything that a rule exports: identities, outcomes, causes, and what a check says; on the tables of tests only what those
//! assert: identities and causes. Of the knock-outs a mutant is put to an even selection only, so a survivor may be one that some other
//! would tell; one that is told is told for good.

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::accepted::Accepted;
use super::program::{LaneProgram, Program, Term, Values, all_values, package_of};
use super::trials::Trials;
use super::unit_tests::UnitTests;
use super::{Half, ProveProgress};
use crate::policy::{Engine, EngineValue, Location, Mutant, MutationOperator, PolicyError, SourceFile};
use cases::{Case, Kind, cases, chosen, tabled};

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
    /// The paths of the unit tests that fail without any change: they can tell nothing.
    pub failing_tests: BTreeSet<String>,
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

    /// Whether every unit test passes, and every survivor is accepted that has to be.
    pub fn is_sound(&self) -> bool {
        self.failing_tests.is_empty()
            && (!self.is_strict || self.survivors.iter().all(|survivor| survivor.reason.is_some()))
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
    /// The unit tests of each package.
    tests: BTreeMap<&'program str, UnitTests>,
    /// The paths of the rules that are the tables of tests.
    tables: BTreeSet<&'program String>,
    nothing: EngineValue,
}

/// What a mutant is put to.
enum Test {
    Cases(Kind),
    /// The unit tests of its package.
    Units,
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
) -> Result<MutationProof, PolicyError> {
    let documents = documents.par_iter().map(|document| {
        let input = EngineValue::new(document)?;
        let values = all_values(program, &input)?;
        Ok((input, values))
    });
    let documents = documents.collect::<Result<Vec<(EngineValue, Values)>, PolicyError>>()?;
    let found = program.lanes.iter().map(|lane| program.tables_of(&lane.lane));
    let found = found.collect::<Result<Vec<_>, PolicyError>>()?;
    let tables = program.lanes.iter().zip(&found).map(|(lane, tables)| tabled(program, lane, tables));
    let tables = tables.collect::<Result<Vec<_>, PolicyError>>()?;
    let corpus = Corpus {
        program,
        cases: cases(program, &documents, &tables, trials)?,
        tests: program.unit_tests()?,
        tables: found.iter().flat_map(BTreeMap::keys).collect(),
        nothing: EngineValue::new(&serde_json::json!({}))?,
    };
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
    Ok(MutationProof {
        mutants: fates.len(),
        not_compiled: count(Fate::NotCompiled),
        killed_by_tests: count(Fate::KilledByTest),
        killed_by_documents: count(Fate::KilledByDocument),
        killed_by_knock_outs: count(Fate::KilledByKnockOut),
        survivors,
        failing_tests: corpus.tests.values().flat_map(|tests| tests.failing.iter().cloned()).collect(),
        is_strict: accepted.is_some(),
    })
}

impl<'program> Corpus<'program> {
    fn fate(&self, mutant: &Mutant, bases: &Bases) -> Result<Fate, PolicyError> {
        let file = mutant.file(self.program.file(&mutant.location.file)?);
        let mut compiled: Vec<Option<Compiled<'_>>> = self.program.lanes.iter().map(|_| None).collect();
        for test in self.order(mutant) {
            let Test::Cases(kind) = test else {
                match self.fate_by_tests(mutant, &file, bases)? {
                    Some(fate) => return Ok(fate),
                    None => continue,
                }
            };
            for (((lane, cases), slot), compiled) in
                self.program.lanes.iter().zip(&self.cases).zip(&bases.lanes).zip(&mut compiled)
            {
                let cases = chosen(lane, cases, kind, mutant);
                if cases.is_empty() {
                    continue;
                }
                if compiled.is_none() {
                    let base = base(slot, || self.program.without(lane, &file.name))?;
                    let Ok(engine) = self.program.with(base, file.clone()) else { return Ok(Fate::NotCompiled) };
                    *compiled = Some(Compiled { lane, engine, given: Vec::new() });
                }
                let Some(compiled) = compiled else { continue };
                for (case, terms) in cases {
                    if compiled.differs(case, &terms)? {
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

    /// In which order a mutant is put to what could tell it: what takes the least, first. The tests of a library take less than documents,
    /// those of a lane more.
    fn order(&self, mutant: &Mutant) -> [Test; 5] {
        let [document, table, knock_out, evidence] =
            [Kind::Document, Kind::Table, Kind::KnockOut, Kind::Evidence].map(Test::Cases);
        if self.program.lanes.iter().any(|lane| lane.has_rule(&mutant.rule)) {
            [document, table, evidence, Test::Units, knock_out]
        } else {
            [Test::Units, document, table, knock_out, evidence]
        }
    }

    /// What the unit tests of a mutant's package make of it; nothing if they cannot tell it. Where codes depend on its rule, it has been
    /// put to the documents in the tables of tests, and those that judge these are not asked.
    fn fate_by_tests(&self, mutant: &Mutant, file: &SourceFile, bases: &Bases) -> Result<Option<Fate>, PolicyError> {
        let Some(tests) = package_of(&mutant.rule).and_then(|package| self.tests.get(package)) else { return Ok(None) };
        let mut codes = self.program.lanes.iter().flat_map(|lane| &lane.terms).filter(|term| term.is_code);
        let is_of_code = codes.any(|term| term.reach.rules.contains(&mutant.rule));
        let none = BTreeSet::new();
        let reaching = tests.reaching(&mutant.rule, if is_of_code { &self.tables } else { &none });
        if reaching.is_empty() {
            return Ok(None);
        }
        let base = base(&bases.tests, || self.program.tests_without(tests, &file.name))?;
        let Ok(engine) = self.program.with_tests(base, file.clone()) else { return Ok(Some(Fate::NotCompiled)) };
        let is_told = reaching.into_iter().any(|test| !test.passes(&engine, &self.nothing));
        Ok(is_told.then_some(Fate::KilledByTest))
    }
}

/// A lane with a mutant in it.
struct Compiled<'program> {
    lane: &'program LaneProgram,
    engine: Engine,
    /// The same with what a rollup is given.
    given: Vec<(&'program Values, Engine)>,
}

impl<'program> Compiled<'program> {
    /// Whether it gives something else. What cannot be evaluated is told from what can.
    fn differs(&mut self, case: &Case<'program>, terms: &[&Term]) -> Result<bool, PolicyError> {
        if !self.given.iter().any(|(known, _)| std::ptr::eq(*known, case.known)) {
            let Ok(engine) = self.lane.given(&self.engine, case.known) else { return Ok(true) };
            self.given.push((case.known, engine.into_owned()));
        }
        let given = self.given.iter().find(|(known, _)| std::ptr::eq(*known, case.known));
        let (_, engine) = given.ok_or_else(|| PolicyError::internal("a lane is given nothing"))?;
        let Ok(values) = self.lane.values_by(engine, &case.input, terms.iter().copied()) else { return Ok(true) };
        for term in terms {
            let value = values.get(&term.name);
            if case.expected.get(&term.name) != Some(&case.kind.digest(value)?) {
                return Ok(true);
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
