//! What mutants are put to in a lane: documents, those of its tests, knock-outs, and evidence.
//!
//! Of each case it is known which lines it does not come by, where that is cheap to know: a mutant there cannot show itself.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::policy::{Coverage, EngineValue, Mutant, PolicyError};
use crate::prove::program::{LaneProgram, Program, Term, Values, all_values};
use crate::prove::trial::digest;
use crate::prove::trials::Trials;

/// How many knock-outs a mutant is put to in its lane.
const MOST_KNOCK_OUTS: usize = 60;

/// How many knock-outs, and documents of tests, a mutant of a library is put to in one lane: there are ten, and it has tests of its own.
const MOST_OF_LIBRARIES: usize = 10;

/// Something that terms of a lane are evaluated on.
pub(super) struct Case<'program> {
    pub(super) kind: Kind,
    pub(super) input: EngineValue,
    /// What a rollup is given of the terms: the same one wherever that comes to the same.
    pub(super) known: &'program Values,
    /// The digests of those terms that are looked at.
    pub(super) expected: BTreeMap<String, String>,
    unreached: Unreached,
}

/// Lines of files that are not come by, as far as that is known: no mutant there can make a difference.
type Unreached = BTreeMap<String, Vec<u32>>;

/// What a case is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
    /// The terms of a lane that are looked at.
    fn terms(self, lane: &LaneProgram) -> impl Iterator<Item = &Term> {
        lane.terms.iter().filter(move |term| term.is_code == (self != Self::Evidence))
    }

    /// The digest of what is looked at of a term's value.
    pub(super) fn digest(self, value: Option<&EngineValue>) -> Result<String, PolicyError> {
        if self == Self::Table { claims_digest(value) } else { digest(value) }
    }
}

fn unreached(coverage: Vec<Coverage>) -> Unreached {
    coverage.into_iter().map(|file| (file.file, file.not_covered)).collect()
}

/// The cases of each lane.
pub(super) fn cases<'program>(
    program: &'program Program,
    documents: &'program [(EngineValue, Values)],
    tables: &'program [Vec<Tabled>],
    trials: &'program Trials,
) -> Result<Vec<Vec<Case<'program>>>, PolicyError> {
    let (input, passing) = documents.first().ok_or_else(|| PolicyError::internal("there is no document"))?;
    let mut cases = Vec::new();
    for (lane, tables) in program.lanes.iter().zip(tables) {
        let mut found = Vec::new();
        for Tabled { input, values: known, unreached } in tables {
            let expected = expected(lane, Kind::Table, known)?;
            found.push(Case { kind: Kind::Table, input: input.clone(), known, expected, unreached: unreached.clone() });
        }
        for (document, known) in documents {
            for kind in [Kind::Document, Kind::Evidence] {
                let expected = expected(lane, kind, known)?;
                let (_, coverage) = lane.traced(document, known, kind.terms(lane))?;
                let unreached = unreached(coverage);
                found.push(Case { kind, input: document.clone(), known, expected, unreached });
            }
        }
        let mut seen = BTreeSet::new();
        for trial in &trials.trials {
            let changed = trial.changed.iter().filter(|(name, _)| lane.terms.iter().any(|term| term.name == **name));
            let expected: BTreeMap<String, String> =
                changed.map(|(name, digest)| (name.clone(), digest.clone())).collect();
            // What a rollup was given is known only of some; two that change the same in the same way are one.
            if !expected.is_empty() && (!lane.is_rollup() || trial.known.is_some()) && seen.insert(expected.clone()) {
                found.push(Case {
                    kind: Kind::KnockOut,
                    input: trial.knock_out.input(input)?,
                    known: trial.known.as_ref().unwrap_or(passing),
                    expected,
                    unreached: Unreached::new(),
                });
            }
        }
        let mut shared: Vec<&Values> = Vec::new();
        for case in &mut found {
            match shared.iter().find(|other| lane.gives_the_same(other, case.known)) {
                Some(other) => case.known = other,
                None => shared.push(case.known),
            }
        }
        cases.push(found);
    }
    Ok(cases)
}

/// The digests of the terms that a case of a kind looks at.
fn expected(lane: &LaneProgram, kind: Kind, values: &Values) -> Result<BTreeMap<String, String>, PolicyError> {
    kind.terms(lane).map(|term| Ok((term.name.clone(), kind.digest(values.get(&term.name))?))).collect()
}

/// A document of a lane's tests.
pub(super) struct Tabled {
    input: EngineValue,
    /// What the codes are on it, and those that a rollup is given.
    values: Values,
    unreached: Unreached,
}

/// The documents of a lane's tests. One that cannot be evaluated says nothing of mutants, nor does one that takes the rules the same way as
/// another does, to the same claims.
pub(super) fn tabled(
    program: &Program,
    lane: &LaneProgram,
    tables: &BTreeMap<String, Vec<Value>>,
) -> Result<Vec<Tabled>, PolicyError> {
    let documents: Vec<&Value> = tables.values().flatten().collect();
    let evaluate = |document: &Value| {
        let input = EngineValue::new(document)?;
        let mut values = if lane.is_rollup() { all_values(program, &input)? } else { Values::new() };
        let (own, coverage) = lane.traced(&input, &values, Kind::Table.terms(lane))?;
        values.extend(own);
        Ok::<_, PolicyError>(Tabled { input, values, unreached: unreached(coverage) })
    };
    let evaluated: Vec<_> = documents.into_par_iter().map(evaluate).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for tabled in evaluated.into_iter().flatten() {
        let claims = Kind::Table.terms(lane).map(|term| Kind::Table.digest(tabled.values.get(&term.name)));
        if seen.insert((claims.collect::<Result<Vec<String>, PolicyError>>()?, tabled.unreached.clone())) {
            found.push(tabled);
        }
    }
    Ok(found)
}

/// The digest of what a code claims, and how each claim ends.
fn claims_digest(value: Option<&EngineValue>) -> Result<String, PolicyError> {
    let checks = value.map(EngineValue::json).transpose()?.unwrap_or_default();
    let of = |check: &Value| ["subject", "claim", "cause"].map(|key| check.get(key).cloned().unwrap_or_default());
    let claims: BTreeSet<String> =
        checks.as_array().into_iter().flatten().map(|check| Value::from(of(check).to_vec()).to_string()).collect();
    Ok(hex::encode(Sha256::digest(Value::from_iter(claims).to_string())))
}

/// The cases of a kind that a mutant is put to, each with the terms that its rule is a part of: where they are many, an even
/// selection.
pub(super) fn chosen<'case, 'lane>(
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
    let location = &mutant.location;
    let is_reached = |case: &&Case<'_>| {
        case.unreached.get(&location.file).is_none_or(|lines| lines.binary_search(&location.line).is_err())
    };
    let relevant = cases.iter().filter(|case| case.kind == kind).filter(is_reached);
    let relevant: Vec<_> = relevant.filter_map(with_terms).collect();
    let most = match kind {
        Kind::Table | Kind::KnockOut if !lane.has_rule(&mutant.rule) => MOST_OF_LIBRARIES,
        Kind::KnockOut => MOST_KNOCK_OUTS,
        Kind::Document | Kind::Table | Kind::Evidence => usize::MAX,
    };
    let step = relevant.len().div_ceil(most).max(1);
    relevant.into_iter().step_by(step).collect()
}
