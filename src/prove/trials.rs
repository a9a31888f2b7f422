//! Every knock-out, tried on the rules that can read what it changes.
//!
//! ```text
//! observations removed ─► the codes that can read them ─► who notices? ─► the same in other ways, then their values, then members of those
//!                                                                                                       │
//!                                                         blocks? ─ nobody ─► the other codes, too ◄────┘
//! ```
//!
//! Whether a fact is guarded is found by every code that can read it. Whether checks come and go with it is asked of every code as the
//! fact is removed; in other ways, and of the parts of it, only of the codes that notice that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::Value;

use super::facts::{self, KnockOut, Way};
use super::knock_outs::{CheckWithFact, UnprovenCheck};
use super::program::{Program, Term, Values, all_values};
use super::trial::{Claims, Identity, Trial, TrialOutcome, digest};
use super::{Half, ProveProgress};
use crate::policy::{EngineValue, PolicyError};
use crate::verdict::Verdict;

/// What came of every knock-out.
pub(super) struct Trials {
    pub(super) trials: Vec<Trial>,
    pub(super) vacuous: BTreeSet<String>,
    /// The checks that no knock-out makes fail.
    pub(super) never_failing: BTreeSet<UnprovenCheck>,
    /// Checks that hold and name what the document lacks as it is.
    pub(super) fail_open: Vec<CheckWithFact>,
}

struct Context<'program> {
    program: &'program Program,
    input: EngineValue,
    /// What the terms are on the whole document.
    values: Values,
    /// Code → its identities on the whole document.
    identities: BTreeMap<String, BTreeSet<Identity>>,
    /// Place of an observation or a handle → code → the checks that name it or a part of it; and of what they name itself.
    resting_on: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<Identity>>>,
    /// JSON pointer → the codes whose checks name it.
    cited_by: BTreeMap<String, BTreeSet<String>>,
    /// Checks that hold and name what the document lacks.
    fail_open: Vec<CheckWithFact>,
    /// Key of a receipt → the places of the observations that list it.
    listed_at: BTreeMap<String, Vec<Vec<String>>>,
    observations: BTreeSet<Vec<String>>,
    /// The places that were knocked out, each with the codes that noticed it.
    noticed: BTreeMap<Vec<String>, BTreeSet<String>>,
}

/// Tries every knock-out on the rules that can read what it changes.
pub(super) fn try_all(
    program: &Program,
    document: &Value,
    mut knock_outs: Vec<KnockOut>,
    verdict: &Verdict,
    is_selection: bool,
    progress: &(dyn Fn(ProveProgress) + Sync),
) -> Result<Trials, PolicyError> {
    let mut context = Context::new(program, document, verdict)?;
    if is_selection {
        // Whether anybody guards a fact that none of these lanes reads, they do not say.
        knock_outs.retain(|knock_out| context.is_read(knock_out));
    }
    let total = knock_outs.len();
    let done = AtomicUsize::new(0);
    let inert = context.inert(&knock_outs)?;
    let try_these = |context: &Context<'_>, knock_outs: &[KnockOut]| {
        let trials = knock_outs.par_iter().map(|knock_out| {
            let is_inert = inert.contains(&knock_out.name());
            let trial = if is_inert { Ok(Trial::new(knock_out)) } else { context.try_one(knock_out) };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(ProveProgress { half: Half::KnockOuts, done, total });
            trial
        });
        trials.collect::<Result<Vec<Trial>, PolicyError>>()
    };
    let mut waves: BTreeMap<_, Vec<KnockOut>> = BTreeMap::new();
    for knock_out in knock_outs {
        waves.entry((context.depth(&knock_out.place), knock_out.way != Way::Removed)).or_default().push(knock_out);
    }
    let mut trials = Vec::new();
    for wave in waves.values() {
        let found = try_these(&context, wave)?;
        context.notice(&found);
        trials.extend(found);
    }
    trials.sort_by_key(|trial| trial.knock_out.name());
    let mut trials = Trials {
        trials,
        vacuous: BTreeSet::new(),
        never_failing: BTreeSet::new(),
        fail_open: context.fail_open.clone(),
    };
    let claimless = context.identities.iter().filter(|(_, identities)| identities.is_empty());
    trials.vacuous.extend(claimless.map(|(code, _)| code.clone()));
    context.try_rollups(&mut trials.trials)?;
    let all =
        context.identities.iter().flat_map(|(code, identities)| identities.iter().map(move |found| (code, found)));
    trials.never_failing.extend(all.map(|(code, identity)| UnprovenCheck::new(code, identity)));
    for check in trials.trials.iter_mut().flat_map(|trial| std::mem::take(&mut trial.blocking)) {
        trials.never_failing.remove(&check);
    }
    Ok(trials)
}

impl<'program> Context<'program> {
    fn new(program: &'program Program, document: &Value, verdict: &Verdict) -> Result<Self, PolicyError> {
        let input = EngineValue::new(document)?;
        let values = all_values(program, &input)?;
        let mut identities = BTreeMap::new();
        for term in program.lanes.iter().flat_map(|lane| &lane.terms).filter(|term| term.is_code) {
            identities.insert(term.name.clone(), Claims::read(values.get(&term.name))?.identities);
        }
        let mut listed_at: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        let mut observations = BTreeSet::new();
        for (place, observation) in facts::observations(document) {
            observations.insert(place.clone());
            let keys = observation.get("receipts").and_then(Value::as_array).into_iter().flatten();
            for key in keys.filter_map(Value::as_str) {
                listed_at.entry(key.to_owned()).or_default().push(place.clone());
            }
        }
        let mut cited_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut resting_on: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<Identity>>> = BTreeMap::new();
        let mut fail_open = Vec::new();
        let is_handle = |place: &[String]| place.len() == 2 && place[0] == "handles";
        for code in verdict.lanes.iter().flat_map(|lane| &lane.codes) {
            for (check, fact) in code.checks.iter().flat_map(|check| check.facts.iter().map(move |fact| (check, fact)))
            {
                cited_by.entry(fact.clone()).or_default().insert(code.code.clone());
                let identity = (check.subject.clone(), check.claim.clone());
                let place = facts::steps(fact);
                let mut above = (1..=place.len()).map(|length| &place[..length]);
                if document.pointer(fact).is_none() {
                    fail_open.push(CheckWithFact::new(&code.code, identity.clone(), fact, Way::Removed));
                }
                let above = above.find(|above| observations.contains(*above) || is_handle(above));
                // No document has an observation that is present and has no value.
                let is_whole = above.is_some_and(|above| place.len() == above.len() + 1);
                let itself = Some(place.as_slice()).filter(|_| !is_whole);
                for named in [above, itself].into_iter().flatten() {
                    let checks = resting_on.entry(named.to_vec()).or_default();
                    checks.entry(code.code.clone()).or_default().insert(identity.clone());
                }
            }
        }
        let noticed = BTreeMap::new();
        Ok(Self {
            program,
            input,
            values,
            identities,
            cited_by,
            resting_on,
            fail_open,
            listed_at,
            observations,
            noticed,
        })
    }

    /// Whether a code reads what a knock-out takes away. Every rule can read every handle; a check names those that it reads.
    fn is_read(&self, knock_out: &KnockOut) -> bool {
        if knock_out.is_handle {
            return self.cited_by.contains_key(&format!("{}/value", knock_out.pointer));
        }
        let mut codes = self.program.lanes.iter().flat_map(|lane| &lane.terms).filter(|term| term.is_code);
        codes.any(|term| self.can_notice(term, &knock_out.place))
    }

    /// Whether a rule can notice a knock-out. A receipt is found through the observations that list it, unless a rule goes through all.
    fn can_notice(&self, term: &Term, place: &[String]) -> bool {
        let through_observations = match place {
            [section, key, ..] if section == "receipts" && !term.reach.reads_around(&place[..2]) => {
                let listed_at = self.listed_at.get(key).into_iter().flatten();
                Some(listed_at.into_iter().any(|observation| term.reach.reads(observation)))
            }
            _ => None,
        };
        term.reach.reads(place) && through_observations.unwrap_or(true)
    }

    /// An observation, its value, or anything else: a part comes after what it is part of.
    fn depth(&self, place: &[String]) -> usize {
        match place.split_last() {
            _ if self.observations.contains(place) => 0,
            Some((last, above)) if last == "value" && self.observations.contains(above) => 1,
            _ => 2,
        }
    }

    /// Remembers which codes notice a knock-out.
    fn notice(&mut self, trials: &[Trial]) {
        for trial in trials {
            self.noticed.entry(trial.knock_out.place.clone()).or_default().extend(trial.changed.keys().cloned());
        }
    }

    /// The codes that notice that a fact is removed, or that the nearest thing is that it is part of; nothing if that was not tried. A
    /// receipt is a part of the observations that list it.
    fn noticing(&self, knock_out: &KnockOut) -> Option<BTreeSet<&String>> {
        let place = knock_out.place.as_slice();
        let of = |place: &[String]| self.noticed.get(place);
        let itself = of(place).filter(|_| knock_out.way != Way::Removed);
        let noticing: Vec<&BTreeSet<String>> = match (itself, place) {
            (Some(codes), _) => vec![codes],
            (None, [section, key, ..]) if section == "receipts" => {
                self.listed_at.get(key)?.iter().filter_map(|observation| of(observation)).collect()
            }
            (None, _) => vec![(1..place.len()).rev().find_map(|length| of(&place[..length]))?],
        };
        Some(noticing.into_iter().flatten().collect())
    }

    /// Of the handles that no check names, those that change nothing when they are all knocked out together in the same way. What is
    /// unguarded together is told as unguarded alone, never the other way round.
    fn inert(&self, knock_outs: &[KnockOut]) -> Result<BTreeSet<(String, Way)>, PolicyError> {
        let is_candidate = |knock_out: &&KnockOut| {
            knock_out.is_handle && !self.cited_by.contains_key(&format!("{}/value", knock_out.pointer))
        };
        let mut inert = BTreeSet::new();
        for way in [Way::Removed, Way::Unpinned, Way::TypeChanged, Way::ValueChanged] {
            let chosen: Vec<&KnockOut> =
                knock_outs.iter().filter(|found| found.way == way).filter(is_candidate).collect();
            let mut input = self.input.clone();
            for knock_out in &chosen {
                input = knock_out.input(&input)?;
            }
            let changes_nothing = self
                .program
                .lanes
                .par_iter()
                .map(|lane| {
                    let codes = || lane.terms.iter().filter(|term| term.is_code);
                    // If a code of another lane is another one, that lane tells.
                    let values = lane.values(&input, &self.values, codes());
                    values.is_ok_and(|values| codes().all(|term| values.get(&term.name) == self.values.get(&term.name)))
                })
                .all(|is_same| is_same);
            if changes_nothing {
                inert.extend(chosen.into_iter().map(KnockOut::name));
            }
        }
        Ok(inert)
    }

    fn try_one(&self, knock_out: &KnockOut) -> Result<Trial, PolicyError> {
        let mut trial = Trial::new(knock_out);
        let mut known = None;
        let input = knock_out.input(&self.input)?;
        let can_read = |term: &Term| self.can_notice(term, &knock_out.place);
        if knock_out.is_handle {
            // Every rule can read every handle, and what they are about depends on them: it is enough that something blocks, and those
            // that name the handle know best.
            let cited = self.cited_by.get(&format!("{}/value", knock_out.pointer));
            let cites = |term: &Term| cited.is_some_and(|codes| codes.contains(&term.name));
            self.evaluate(&mut trial, &input, &mut known, |term| can_read(term) && cites(term))?;
            if trial.passes() {
                self.evaluate(&mut trial, &input, &mut known, |term| can_read(term) && !cites(term))?;
            }
        } else if let Some(noticing) = self.noticing(knock_out) {
            // The other codes are asked only if none of these blocks.
            self.evaluate(&mut trial, &input, &mut known, |term| can_read(term) && noticing.contains(&term.name))?;
            if trial.passes() {
                self.evaluate(&mut trial, &input, &mut known, |term| can_read(term) && !noticing.contains(&term.name))?;
            }
        } else {
            self.evaluate(&mut trial, &input, &mut known, can_read)?;
        }
        if trial.passes() && !trial.changed.is_empty() {
            let changed: Vec<String> = trial.changed.keys().cloned().collect();
            self.evaluate(&mut trial, &input, &mut known, |term| self.rolls_up_any(term, &changed))?;
        }
        Ok(trial)
    }

    fn rolls_up_any(&self, term: &Term, codes: &[String]) -> bool {
        codes.iter().any(|code| self.program.rolls_up(&term.name, code))
    }

    /// Puts a knock-out to some of the codes. `known` becomes what the terms are then, if it changes one.
    fn evaluate(
        &self,
        trial: &mut Trial,
        input: &EngineValue,
        known: &mut Option<Values>,
        select: impl Fn(&Term) -> bool,
    ) -> Result<(), PolicyError> {
        for lane in &self.program.lanes {
            if trial.knock_out.is_handle
                && !trial.knock_out.way.is_unknown()
                && matches!(trial.outcome, TrialOutcome::Blocks)
            {
                break;
            }
            let terms: Vec<&Term> = lane.terms.iter().filter(|term| term.is_code && select(term)).collect();
            if terms.is_empty() {
                continue;
            }
            match lane.values(input, known.as_ref().unwrap_or(&self.values), terms.iter().copied()) {
                Ok(values) => {
                    self.judge(trial, &terms, &values)?;
                    if !trial.changed.is_empty() {
                        known.get_or_insert_with(|| self.values.clone()).extend(values);
                    }
                }
                Err(error) => trial.outcome = TrialOutcome::Breaks(error.to_string()),
            }
        }
        Ok(())
    }

    fn judge(&self, trial: &mut Trial, terms: &[&Term], values: &Values) -> Result<(), PolicyError> {
        for term in terms {
            let value = values.get(&term.name);
            self.find_fail_open(trial, term, value)?;
            if value == self.values.get(&term.name) {
                continue;
            }
            trial.changed.insert(term.name.clone(), digest(value)?);
            let claims = Claims::read(value)?;
            if !claims.failing.is_empty() {
                let failing = claims.failing.iter().map(|identity| UnprovenCheck::new(&term.name, identity));
                trial.blocking.extend(failing);
                if trial.passes() {
                    trial.outcome = TrialOutcome::Blocks;
                }
            }
            if claims.identities.is_empty() {
                trial.vacuous.insert(term.name.clone());
            }
            // What a document is about depends on its handles.
            if let Some(expected) = self.identities.get(&term.name).filter(|_| !trial.knock_out.is_handle) {
                let differing = expected.symmetric_difference(&claims.identities);
                let unstable: Vec<_> = differing.map(|identity| trial.check(term, identity.clone())).collect();
                trial.unstable.extend(unstable);
            }
        }
        Ok(())
    }

    /// Finds the checks that hold although the observation that they name is not there to be read.
    fn find_fail_open(&self, trial: &mut Trial, term: &Term, value: Option<&EngineValue>) -> Result<(), PolicyError> {
        let resting = self.resting_on.get(&trial.knock_out.place).and_then(|codes| codes.get(&term.name));
        let Some(resting) = resting.filter(|_| trial.knock_out.way.is_unknown()) else { return Ok(()) };
        let claims = Claims::read(value)?;
        for identity in resting.iter().filter(|identity| claims.holds(identity)) {
            trial.fail_open.insert(trial.check(term, identity.clone()));
        }
        Ok(())
    }

    /// A rule that rolls up the codes of other lanes sees most facts through them only, so it gets one knock-out for each code that one changes,
    /// and one for each that one makes block; a handle, where nothing else does.
    fn try_rollups(&self, trials: &mut [Trial]) -> Result<(), PolicyError> {
        let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
        let (handles, others): (Vec<_>, Vec<_>) = trials.iter_mut().partition(|trial| trial.knock_out.is_handle);
        for trial in others.into_iter().chain(handles) {
            let blocking = trial.blocking.iter().map(|check| (check.code.clone(), true));
            let changed = trial.changed.keys().map(|code| (code.clone(), false)).chain(blocking);
            let new: BTreeSet<(String, bool)> = changed.filter(|code| !seen.contains(code)).collect();
            if !new.is_empty() {
                let input = trial.knock_out.input(&self.input)?;
                let place = trial.knock_out.place.clone();
                let codes: Vec<String> = new.iter().map(|(code, _)| code.clone()).collect();
                let select = |term: &Term| self.can_notice(term, &place) || self.rolls_up_any(term, &codes);
                let mut known = None;
                self.evaluate(trial, &input, &mut known, select)?;
                trial.known = known;
                seen.extend(new);
            }
        }
        Ok(())
    }
}
