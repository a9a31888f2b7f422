//! The laws, shown by knocking out one fact at a time.
//!
//! ```text
//! observations as a whole ─► the codes that can read them ─► who notices? ─► parts of them ─► blocks?
//!                                                                                 └─ nobody ─► the other codes, too
//! ```
//!
//! Whether a fact is guarded is found by every code that can read it. Whether checks come and go with a part of an observation is only asked
//! of the codes that notice the observation itself going.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::accepted::Accepted;
use super::facts::{self, KnockOut, Way};
use super::program::{Program, Term, Values, all_values};
use super::{Half, ProveProgress};
use crate::policy::{EngineValue, PolicyError};
use crate::verdict::Verdict;

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
    pub unstable: Vec<UnstableIdentity>,
    /// Knock-outs that a rule cannot be evaluated with.
    pub broken: Vec<BrokenPolicy>,
    /// Codes that claim nothing, on the document or with a fact knocked out.
    pub vacuous: BTreeSet<String>,
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

/// A check that comes or goes with a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnstableIdentity {
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
            && self.broken.is_empty()
            && self.vacuous.is_empty()
    }
}

/// What came of every knock-out.
pub(super) struct Trials {
    pub(super) trials: Vec<Trial>,
    vacuous: BTreeSet<String>,
}

/// One knock-out and what came of it.
pub(super) struct Trial {
    pub(super) knock_out: KnockOut,
    outcome: TrialOutcome,
    unstable: Vec<UnstableIdentity>,
    vacuous: BTreeSet<String>,
    /// The terms that it changes, each with the digest of what they are then.
    pub(super) changed: BTreeMap<String, String>,
    /// What the terms are then, if it was put to a rollup.
    pub(super) known: Option<Values>,
}

impl Trial {
    fn new(knock_out: &KnockOut) -> Self {
        Self {
            knock_out: knock_out.clone(),
            outcome: TrialOutcome::Passes,
            unstable: Vec::new(),
            vacuous: BTreeSet::new(),
            changed: BTreeMap::new(),
            known: None,
        }
    }

    /// Whether an evaluation of the whole document could still find something: it also reads these sections itself.
    fn may_be_judged_otherwise(&self) -> bool {
        let section = self.knock_out.place.first().map(String::as_str);
        !self.changed.is_empty() || matches!(section, Some("run" | "evidence"))
    }
}

enum TrialOutcome {
    Blocks,
    Passes,
    Breaks(String),
}

/// The claims of one code.
#[derive(Default)]
struct Claims {
    identities: BTreeSet<(String, String)>,
    blocks: bool,
}

impl Claims {
    fn read(value: Option<&EngineValue>) -> Result<Self, PolicyError> {
        let json = value.map(EngineValue::json).transpose()?.unwrap_or_default();
        let mut claims = Self::default();
        for check in json.as_array().into_iter().flatten() {
            let text = |key| check.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            claims.identities.insert((text("subject"), text("claim")));
            claims.blocks |= check.get("ok") != Some(&Value::Bool(true));
        }
        Ok(claims)
    }
}

/// The digest of a value.
pub(super) fn digest(value: Option<&EngineValue>) -> Result<String, PolicyError> {
    let json = value.map(EngineValue::json).transpose()?;
    Ok(hex::encode(Sha256::digest(json.map(|json| json.to_string()).unwrap_or_default())))
}

struct Context<'program> {
    program: &'program Program,
    input: EngineValue,
    /// What the terms are on the whole document.
    values: Values,
    /// Code → its identities on the whole document.
    identities: BTreeMap<String, BTreeSet<(String, String)>>,
    /// JSON pointer → the codes whose checks name it.
    cited_by: BTreeMap<String, BTreeSet<String>>,
    /// Key of a receipt → the places of the observations that list it.
    listed_at: BTreeMap<String, Vec<Vec<String>>>,
    /// The places of the observations, each with the codes that notice one of its knock-outs as a whole.
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
    let (whole, parts): (Vec<KnockOut>, Vec<KnockOut>) =
        knock_outs.into_iter().partition(|knock_out| context.is_observation(&knock_out.place));
    let mut trials = try_these(&context, &whole)?;
    context.noticed = noticed(&trials);
    trials.extend(try_these(&context, &parts)?);
    trials.sort_by_key(|trial| trial.knock_out.name());
    let mut trials = Trials { trials, vacuous: BTreeSet::new() };
    let claimless = context.identities.iter().filter(|(_, identities)| identities.is_empty());
    trials.vacuous.extend(claimless.map(|(code, _)| code.clone()));
    context.try_rollups(&mut trials.trials)?;
    Ok(trials)
}

/// The codes that notice an observation going in one way or another, by its place.
fn noticed(trials: &[Trial]) -> BTreeMap<Vec<String>, BTreeSet<String>> {
    let mut noticed: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for trial in trials {
        noticed.entry(trial.knock_out.place.clone()).or_default().extend(trial.changed.keys().cloned());
    }
    noticed
}

impl<'program> Context<'program> {
    fn new(program: &'program Program, document: &Value, verdict: &Verdict) -> Result<Self, PolicyError> {
        let input = EngineValue::new(document)?;
        let values = all_values(program, &input)?;
        let mut identities = BTreeMap::new();
        for term in program.lanes.iter().flat_map(|lane| &lane.terms).filter(|term| term.is_code) {
            identities.insert(term.name.clone(), Claims::read(values.get(&term.name))?.identities);
        }
        let mut cited_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for code in verdict.lanes.iter().flat_map(|lane| &lane.codes) {
            for fact in code.checks.iter().flat_map(|check| &check.facts) {
                cited_by.entry(fact.clone()).or_default().insert(code.code.clone());
            }
        }
        let mut listed_at: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        let mut noticed = BTreeMap::new();
        for (place, observation) in facts::observations(document) {
            noticed.insert(place.clone(), BTreeSet::new());
            let keys = observation.get("receipts").and_then(Value::as_array).into_iter().flatten();
            for key in keys.filter_map(Value::as_str) {
                listed_at.entry(key.to_owned()).or_default().push(place.clone());
            }
        }
        Ok(Self { program, input, values, identities, cited_by, listed_at, noticed })
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

    /// Whether an observation stands at a place.
    fn is_observation(&self, place: &[String]) -> bool {
        self.noticed.contains_key(place)
    }

    /// The codes that notice whether what a part of an observation belongs to is there; nothing if the place is no part of one. A receipt is
    /// a part of the observations that list it.
    fn noticing(&self, place: &[String]) -> Option<BTreeSet<&String>> {
        let wholes: Vec<&[String]> = match place {
            [section, key, ..] if section == "receipts" => self.listed_at.get(key)?.iter().map(Vec::as_slice).collect(),
            _ => vec![(1..place.len()).map(|length| &place[..length]).find(|place| self.is_observation(place))?],
        };
        Some(wholes.into_iter().filter_map(|whole| self.noticed.get(whole)).flatten().collect())
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
        let input = knock_out.input(&self.input)?;
        let can_read = |term: &Term| self.can_notice(term, &knock_out.place);
        if knock_out.is_handle {
            // Every rule can read every handle, and what they are about depends on them: it is enough that something blocks, and those
            // that name the handle know best.
            let cited = self.cited_by.get(&format!("{}/value", knock_out.pointer));
            let cites = |term: &Term| cited.is_some_and(|codes| codes.contains(&term.name));
            self.evaluate(&mut trial, &input, |term| can_read(term) && cites(term))?;
            if matches!(trial.outcome, TrialOutcome::Passes) {
                self.evaluate(&mut trial, &input, |term| can_read(term) && !cites(term))?;
            }
        } else if let Some(noticing) = self.noticing(&knock_out.place) {
            // Codes that do not notice whether an observation is there at all are asked about its parts only if nobody else blocks.
            self.evaluate(&mut trial, &input, |term| can_read(term) && noticing.contains(&term.name))?;
            if matches!(trial.outcome, TrialOutcome::Passes) {
                self.evaluate(&mut trial, &input, |term| can_read(term) && !noticing.contains(&term.name))?;
            }
        } else {
            self.evaluate(&mut trial, &input, can_read)?;
        }
        Ok(trial)
    }

    /// Puts a knock-out to some of the codes; what the terms are then, if it changes one.
    fn evaluate(
        &self,
        trial: &mut Trial,
        input: &EngineValue,
        select: impl Fn(&Term) -> bool,
    ) -> Result<Option<Values>, PolicyError> {
        let mut known = None;
        for lane in &self.program.lanes {
            if trial.knock_out.is_handle && matches!(trial.outcome, TrialOutcome::Blocks) {
                break;
            }
            let terms: Vec<&Term> = lane.terms.iter().filter(|term| term.is_code && select(term)).collect();
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
        Ok(known)
    }

    fn judge(&self, trial: &mut Trial, terms: &[&Term], values: &Values) -> Result<(), PolicyError> {
        for term in terms {
            let value = values.get(&term.name);
            if value == self.values.get(&term.name) {
                continue;
            }
            trial.changed.insert(term.name.clone(), digest(value)?);
            let claims = Claims::read(value)?;
            if claims.blocks && matches!(trial.outcome, TrialOutcome::Passes) {
                trial.outcome = TrialOutcome::Blocks;
            }
            if claims.identities.is_empty() {
                trial.vacuous.insert(term.name.clone());
            }
            // What a document is about depends on its handles.
            if let Some(expected) = self.identities.get(&term.name).filter(|_| !trial.knock_out.is_handle) {
                let differing = expected.symmetric_difference(&claims.identities);
                trial.unstable.extend(differing.map(|(subject, claim)| UnstableIdentity {
                    code: term.name.clone(),
                    subject: subject.clone(),
                    claim: claim.clone(),
                    fact: trial.knock_out.pointer.clone(),
                    way: trial.knock_out.way,
                }));
            }
        }
        Ok(())
    }

    /// A rule that rolls up the codes of other lanes sees most facts through them only, so it gets one knock-out for each code.
    fn try_rollups(&self, trials: &mut [Trial]) -> Result<(), PolicyError> {
        let mut seen = BTreeSet::new();
        for trial in trials.iter_mut().filter(|trial| !trial.knock_out.is_handle) {
            let new: BTreeSet<String> = trial.changed.keys().filter(|code| !seen.contains(*code)).cloned().collect();
            if !new.is_empty() {
                let input = trial.knock_out.input(&self.input)?;
                let place = trial.knock_out.place.clone();
                let rolls_up = |term: &Term| new.iter().any(|code| self.program.rolls_up(&term.name, code));
                trial.known = self.evaluate(trial, &input, |term| self.can_notice(term, &place) || rolls_up(term))?;
                seen.extend(new);
            }
        }
        Ok(())
    }
}

impl Trials {
    /// What they show. A knock-out that no code blocks is told only if an evaluation of the whole document passes, too.
    pub(super) fn proof(
        &self,
        document: &Value,
        accepted: Option<&Accepted>,
        still_passes: &(dyn Fn(Value) -> bool + Sync),
        not_found: &mut Vec<String>,
    ) -> KnockOutProof {
        let passing: Vec<&KnockOut> = self
            .trials
            .par_iter()
            .filter(|trial| {
                matches!(trial.outcome, TrialOutcome::Passes)
                    && (!trial.may_be_judged_otherwise() || still_passes(trial.knock_out.apply(document)))
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
        not_found.extend(accepted.iter().flat_map(|accepted| accepted.guarded_after_all(&unguarded)));
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
        let vacuous = self.trials.iter().flat_map(|trial| trial.vacuous.iter().cloned());
        KnockOutProof {
            facts: facts.len(),
            knock_outs: self.trials.len(),
            guarded: self.trials.len() - unguarded.len() - broken.len(),
            unstable: self.trials.iter().flat_map(|trial| trial.unstable.iter().cloned()).collect(),
            vacuous: self.vacuous.iter().cloned().chain(vacuous).collect(),
            unguarded,
            broken,
        }
    }
}
