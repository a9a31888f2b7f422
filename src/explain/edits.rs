//! What would clear a blocker: candidate edits, each tried by evaluating the edited document.
//!
//! ```text
//! blocker ─► handles pinned ─► its facts as if they were there: the least of them, or as their siblings are
//!    │                              ├─ or in a document that passes
//!    │                              └─► edits of none, one, two ─► does it hold? ─► those that are needed, and no more of them
//!    └─ it follows from others on the same facts ─► what clears those, one after the other ───┘
//! ```
//!
//! Every set that is told has been made in the document as it is: the check holds on the result, and the result has the shape of a fact
//! document.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use factgate_collector::fact::Facts;
use factgate_collector::json::{escape, unescape};
use serde_json::{Value, json};

use super::candidates::{candidates, members};
use super::change::{add, combinations, differences, edited, fewest, leaves, put, rest};
use super::pins::pins;
use super::{Edit, ExplainedCheck, HANDLES, checks, observation, siblings};
use crate::check::{Cause, Check};
use crate::evaluate::EvaluateError;
use crate::fact_schema::FactSchema;
use crate::policy::{Code, Policies, PolicyError, PolicySet, ready_document, rollups};

/// How many facts edits may touch, beside those that are not there or are as their siblings.
const MOST_EDITS: usize = 2;

/// How many sets of edits are tried for a check, where its facts say the least.
const MOST_TRIALS: usize = 50;

/// How many single edits are followed by another one of the same fact.
const MOST_FOLLOWED: usize = 8;

/// How many where they are as their siblings.
const MOST_TRIALS_OF_SIBLINGS: usize = 15;

/// How many for one that follows from others.
const MOST_TRIALS_OF_ROLLUPS: usize = 5;

/// How many siblings are tried.
const MOST_SIBLINGS: usize = 4;

/// The search for edits of a document.
pub(super) struct Search<'run> {
    policies: &'run Policies,
    schema: FactSchema,
    facts: &'run Value,
    /// The same as JSON.
    text: String,
    /// A document that passes the shipped lanes, and speaks of the same things.
    model: Value,
    /// The codes that follow from those of other lanes.
    rollups: BTreeSet<String>,
    /// Everything else that blocks on the document, if it was asked for.
    blocking: OnceLock<Vec<(&'run Code, Check)>>,
}

/// What has to hold: checks of one code.
struct Goal<'goal> {
    code: &'goal Code,
    checks: Vec<&'goal Check>,
    /// Those that need not hold, if all others have to.
    others: Option<Vec<Check>>,
}

impl<'goal> Goal<'goal> {
    fn of(code: &'goal Code, check: &'goal Check) -> Self {
        Self { code, checks: vec![check], others: None }
    }

    /// The same, reached without breaking another claim of its code. `found` is what the code claims now.
    fn without_harm(self, found: &[Check]) -> Self {
        let is_other = |found: &&Check| !found.ok && !self.checks.iter().any(|check| is_same(found, check));
        Self { others: Some(found.iter().filter(is_other).cloned().collect()), ..self }
    }
}

/// What the facts of a check are looked at as.
#[derive(Clone, Copy)]
enum Opening {
    /// Those that are not there, as if they were, and said the least.
    Least,
    /// The same, but as in a document that passes, or as one of their siblings, counted from 0.
    AsSibling(usize),
    /// Those that are there, too.
    AllAsSibling(usize),
}

/// The document with the facts of a check looked at otherwise, and which observations those are.
struct Opened {
    document: Value,
    places: BTreeSet<String>,
}

impl<'run> Search<'run> {
    pub(super) fn new(set: &PolicySet, policies: &'run Policies, facts: &'run Value) -> Result<Self, PolicyError> {
        let rollups = rollups(set, policies.lanes())?;
        let model = siblings::adapted(&ready_document()?, facts);
        let (schema, text) = (FactSchema::new(), facts.to_string());
        Ok(Self { policies, schema, facts, text, model, rollups, blocking: OnceLock::new() })
    }

    pub(super) fn facts(&self) -> &'run Value {
        self.facts
    }

    /// The texts in edits that stand neither in the document nor in what a check expects or found.
    pub(super) fn examples(&self, check: &Check, edits: &[Edit]) -> BTreeSet<String> {
        let (expected, actual) = (check.expected.to_string(), check.actual.to_string());
        let is_known = |text: &&str| {
            let written = Value::from(*text).to_string();
            let written = written.trim_matches('"');
            [&self.text, &expected, &actual].iter().any(|known| known.contains(written))
        };
        let texts = edits.iter().flat_map(|edit| leaves(&edit.value)).filter_map(Value::as_str);
        texts.filter(|text| !is_known(text)).map(str::to_owned).collect()
    }

    /// The smallest set of edits that is found to clear a check.
    pub(super) fn edits(&self, code: &Code, check: &Check) -> Result<Option<Vec<Edit>>, EvaluateError> {
        let beneath = self.beneath(code, check)?;
        let goal = Goal::of(code, check);
        let (upstream, beside): (Vec<_>, Vec<_>) =
            beneath.into_iter().partition(|(other, _)| self.is_upstream(&other.lane, &code.lane));
        if let Some(edits) = self.together(&goal, &upstream)? {
            return Ok(Some(edits));
        }
        let found = self.smallest(self.facts, code, check)?;
        if found.is_some() { Ok(found) } else { self.together(&goal, &beside) }
    }

    /// The smallest set of edits that is found to clear all checks of a code that do not hold; what clears each of them is known.
    pub(super) fn edits_of_all(
        &self,
        code: &Code,
        blockers: &[ExplainedCheck],
    ) -> Result<Option<Vec<Edit>>, EvaluateError> {
        let mut edits = Vec::new();
        for blocker in blockers {
            let check = &blocker.check;
            let Some(document) = edited(self.facts, &edits) else { return Ok(None) };
            if found_again(self.policies, code, &document, check)?.is_some_and(|found| found.ok) {
                continue;
            }
            // Its own edits may undo others: of an observation that was not there, each writes the whole.
            let found = if edits.is_empty() { None } else { self.smallest(&document, code, check)? };
            let Some(found) = found.or_else(|| blocker.edits.clone()) else { return Ok(None) };
            found.into_iter().for_each(|edit| add(&mut edits, edit));
        }
        let checks: Vec<&Check> = blockers.iter().map(|blocker| &blocker.check).collect();
        // What is there now and was not before may break another claim of the code, such as that its receipts are on record.
        let found = self::checks(self.policies, code, self.facts)?;
        let goal = Goal { code, checks, others: None }.without_harm(&found);
        self.reduced(self.facts, &goal, edits)
    }

    /// Whether a lane comes before another one, directly or not.
    fn is_upstream(&self, lane: &str, of: &str) -> bool {
        let upstream = self.policies.lanes().iter().filter(|other| other.lane == of).flat_map(|other| &other.upstream);
        upstream.into_iter().any(|before| before == lane || self.is_upstream(lane, before))
    }

    /// The other blockers that rest on facts of this one only: it may follow from them.
    fn beneath(&self, code: &Code, check: &Check) -> Result<Vec<(&'run Code, &Check)>, EvaluateError> {
        let blocking = match self.blocking.get() {
            Some(blocking) => blocking,
            None => {
                let mut blocking = Vec::new();
                let codes = self.policies.lanes().iter().flat_map(|lane| &lane.codes);
                for code in codes.filter(|code| !self.rollups.contains(&code.code)) {
                    let open = checks(self.policies, code, self.facts)?.into_iter().filter(|check| !check.ok);
                    blocking.extend(open.map(|check| (code, check)));
                }
                self.blocking.get_or_init(|| blocking)
            }
        };
        let facts: BTreeSet<&str> = check.facts.iter().map(String::as_str).collect();
        let is_beneath =
            |other: &Check| !other.facts.is_empty() && other.facts.iter().all(|fact| facts.contains(fact.as_str()));
        let is_itself = |other: &Code, found: &Check| other.code == code.code && is_same(found, check);
        let beneath = blocking.iter().filter(|(other, found)| is_beneath(found) && !is_itself(other, found));
        Ok(beneath.map(|(code, check)| (*code, check)).collect())
    }

    /// What clears all of these, one after the other, if that reaches the goal.
    fn together(&self, goal: &Goal<'_>, beneath: &[(&Code, &Check)]) -> Result<Option<Vec<Edit>>, EvaluateError> {
        let mut edits = Vec::new();
        for (code, check) in beneath {
            let Some(document) = edited(self.facts, &edits) else { return Ok(None) };
            let found = self.smallest(&document, code, check)?;
            found.into_iter().flatten().for_each(|edit| add(&mut edits, edit));
        }
        if edits.is_empty() { Ok(None) } else { self.reduced(self.facts, goal, edits) }
    }

    /// The smallest set of edits that is found for a check by itself: none if it holds.
    fn smallest(&self, facts: &Value, code: &Code, check: &Check) -> Result<Option<Vec<Edit>>, EvaluateError> {
        let goal = Goal::of(code, check);
        let found = checks(self.policies, code, facts)?;
        let check = match found.iter().find(|found| is_same(found, check)) {
            Some(found) if found.ok => return Ok(Some(Vec::new())),
            Some(found) => found,
            None => check,
        };
        if check.cause == Cause::Unpinned {
            for (pinned, is_name_new) in pins(facts, check) {
                let Some(document) = edited(facts, &pinned) else { continue };
                let mut edits = pinned;
                if is_name_new && !self.holds(&goal, &document)? {
                    // What it leads to is not there either.
                    let then = checks(self.policies, code, &document)?;
                    let found = self.smallest_opened(&document, &then, code, check)?;
                    found.into_iter().flatten().for_each(|edit| add(&mut edits, edit));
                }
                if let Some(edits) = self.reduced(facts, &goal, edits)? {
                    return Ok(Some(edits));
                }
            }
        }
        self.smallest_opened(facts, &found, code, check)
    }

    /// The same, by looks at its facts. `found` is what the code claims.
    fn smallest_opened(
        &self,
        facts: &Value,
        found: &[Check],
        code: &Code,
        check: &Check,
    ) -> Result<Option<Vec<Edit>>, EvaluateError> {
        if self.rollups.contains(&code.code) {
            // It costs the most to try, and is seldom cleared by an edit of its own.
            return self.smallest_as(facts, found, code, check, Opening::Least, MOST_TRIALS_OF_ROLLUPS);
        }
        let siblings = (0..MOST_SIBLINGS).map(Opening::AsSibling).chain((0..MOST_SIBLINGS).map(Opening::AllAsSibling));
        if let Some(edits) = self.smallest_as(facts, found, code, check, Opening::Least, MOST_TRIALS)? {
            return Ok(Some(edits));
        }
        for opening in siblings {
            if let Some(edits) = self.smallest_as(facts, found, code, check, opening, MOST_TRIALS_OF_SIBLINGS)? {
                return Ok(Some(edits));
            }
        }
        Ok(None)
    }

    /// The smallest set of edits, tried from none on, after which the check holds, if its facts are looked at so. What is not there, or could
    /// not be read, is then edited as a whole.
    fn smallest_as(
        &self,
        facts: &Value,
        found: &[Check],
        code: &Code,
        check: &Check,
        opening: Opening,
        most: usize,
    ) -> Result<Option<Vec<Edit>>, EvaluateError> {
        // With a handle pinned, the check names other facts.
        let named = found.iter().find(|found| is_same(found, check)).unwrap_or(check);
        let Some(opened) = self.opened(facts, found, named, opening) else { return Ok(None) };
        // Only of what is there does a check name the very member that it reads.
        let named = found_again(self.policies, code, &opened.document, check)?.unwrap_or_else(|| named.clone());
        let of = |pointer: &String| candidates(&opened.document, pointer, &named);
        let groups: Vec<Vec<Edit>> = named.facts.iter().map(of).collect();
        let firsts: Vec<Edit> = groups.iter().filter_map(|group| group.first().cloned()).collect();
        let candidates: Vec<Edit> = groups.into_iter().flatten().collect();
        // What is written anyway can be written otherwise without one edit more.
        let is_written = |edit: &Edit| opened.places.iter().any(|place| rest(&edit.pointer, place).is_some());
        let (within, beside): (Vec<Edit>, Vec<Edit>) = candidates.iter().cloned().partition(is_written);
        let goal = Goal::of(code, check).without_harm(found);
        let mut harmful = None;
        let mut left = most;
        for stage in 0..4 {
            let sets: Vec<Vec<Edit>> = match stage {
                0 => {
                    // Where several members are expected, all of them together.
                    let members = Some(members(&named)).filter(|members| members.len() > 1);
                    let none = (!opened.places.is_empty()).then(Vec::new);
                    none.into_iter().chain(members).chain(combinations(&within, 1)).collect()
                }
                1 => {
                    self.followed(code, &opened.document, &named, if within.is_empty() { &beside } else { &within })?
                }
                2 => combinations(&beside, 1),
                _ => {
                    let all = Some(firsts.clone()).filter(|firsts| firsts.len() > MOST_EDITS);
                    all.into_iter().chain(combinations(&candidates, MOST_EDITS)).collect()
                }
            };
            for edits in sets.into_iter().take(left) {
                left -= 1;
                let Some(edited) = edited(&opened.document, &edits) else { continue };
                let is_harmless = self.holds(&goal, &edited)?;
                if !is_harmless && (harmful.is_some() || !self.holds(&Goal::of(code, check), &edited)?) {
                    continue;
                }
                let goal = if is_harmless { &goal } else { &Goal::of(code, check) };
                if let Some(edits) = self.reduced(facts, goal, written(facts, &edited, &opened.places, edits))? {
                    if is_harmless {
                        return Ok(Some(edits));
                    }
                    harmful = Some(edits);
                }
            }
        }
        Ok(harmful)
    }

    /// What single edits lead to: with one of them made, the check may tell what is still missing at that very place.
    fn followed(
        &self,
        code: &Code,
        opened: &Value,
        named: &Check,
        candidates: &[Edit],
    ) -> Result<Vec<Vec<Edit>>, EvaluateError> {
        let mut followed = Vec::new();
        for edit in candidates.iter().take(MOST_FOLLOWED) {
            let Some(document) = edited(opened, std::slice::from_ref(edit)) else { continue };
            let Some(then) = found_again(self.policies, code, &document, named)? else { continue };
            if then.actual != named.actual && !then.actual.is_null() {
                let next = self::candidates(&document, &edit.pointer, &then).into_iter();
                followed.extend(next.filter(|next| !candidates.contains(next)).map(|next| vec![next]));
            }
        }
        Ok(followed)
    }

    /// The document with the facts of a check looked at otherwise; nothing if there is no such look at them.
    fn opened(&self, facts: &Value, found: &[Check], check: &Check, opening: Opening) -> Option<Opened> {
        let mut opened = Opened { document: facts.clone(), places: BTreeSet::new() };
        let holding = found.iter().filter(|check| check.ok);
        let trusted: BTreeSet<&str> = holding.flat_map(|check| &check.facts).map(String::as_str).collect();
        let mut is_new = matches!(opening, Opening::Least);
        for pointer in check.facts.iter().filter(|pointer| !pointer.starts_with(HANDLES)) {
            let place = observation(facts, pointer).unwrap_or(pointer);
            let found = facts.pointer(place);
            let is_present = found.is_some_and(|found| found["status"] == "present");
            let is_chosen = !is_present || matches!(opening, Opening::AllAsSibling(_));
            if !is_chosen || opened.places.contains(place) {
                continue;
            }
            let value = match opening {
                Opening::Least => None,
                Opening::AsSibling(index) | Opening::AllAsSibling(index) => {
                    let of = if is_present { siblings::other_values } else { siblings::values };
                    of(facts, &self.model, place, &trusted).into_iter().nth(index)
                }
            };
            is_new |= value.is_some();
            if is_present && value.is_none() {
                continue;
            }
            let steps: Vec<String> = place.split('/').skip(1).map(unescape).collect();
            let mut value =
                value.unwrap_or_else(|| json!({"status": "present", "value": self.schema.least_observed(&steps)}));
            value["receipts"] = found.and_then(|found| found.get("receipts")).cloned().unwrap_or_else(|| json!([]));
            let edit = Edit { pointer: place.to_owned(), value };
            let Some(document) = edited(&opened.document, &[edit]) else { continue };
            opened.document = document;
            opened.places.insert(place.to_owned());
        }
        is_new.then_some(opened)
    }

    /// Those of the edits that are needed, and of a whole observation no more than is needed; nothing if the goal is not reached with all.
    fn reduced(&self, facts: &Value, goal: &Goal<'_>, edits: Vec<Edit>) -> Result<Option<Vec<Edit>>, EvaluateError> {
        if !self.clears(facts, goal, &edits)? {
            return Ok(None);
        }
        let mut edits = fewest(edits, &mut |edits: &[Edit]| self.clears(facts, goal, edits))?;
        if self.rollups.contains(&goal.code.code) {
            // They come from what lies beneath, and have no more than that needs.
            return Ok(Some(edits));
        }
        for index in 0..edits.len() {
            if edits[index].value["status"] == "present" {
                for part in ["/value", "/fingerprints"] {
                    edits = self.with_less(facts, goal, edits, index, part)?;
                }
                let observation = edits[index].value.as_object_mut();
                if let Some(fields) = observation.filter(|fields| fields.get("fingerprints") == Some(&json!({}))) {
                    fields.remove("fingerprints");
                }
            }
        }
        Ok(Some(edits))
    }

    /// The edits, one of them with no more members of its value than are needed, on all levels from a pointer on.
    fn with_less(
        &self,
        facts: &Value,
        goal: &Goal<'_>,
        edits: Vec<Edit>,
        index: usize,
        pointer: &str,
    ) -> Result<Vec<Edit>, EvaluateError> {
        let (members, is_list): (Vec<(String, Value)>, bool) = match edits[index].value.pointer(pointer) {
            Some(Value::Object(fields)) => (fields.clone().into_iter().collect(), false),
            Some(Value::Array(items)) => (items.iter().map(|item| (String::new(), item.clone())).collect(), true),
            _ => return Ok(edits),
        };
        let with = |members: &[(String, Value)]| {
            let value = if is_list {
                members.iter().map(|(_, item)| item.clone()).collect()
            } else {
                Value::Object(members.iter().cloned().collect())
            };
            let mut edits = edits.clone();
            put(&mut edits[index].value, pointer, value);
            edits
        };
        let members = fewest(members, &mut |members: &[_]| self.clears(facts, goal, &with(members)))?;
        let mut edits = with(&members);
        for (position, (name, _)) in members.iter().enumerate() {
            let step = if is_list { position.to_string() } else { escape(name) };
            edits = self.with_less(facts, goal, edits, index, &format!("{pointer}/{step}"))?;
        }
        Ok(edits)
    }

    /// Whether the goal is reached with edits, and what they make can be read.
    fn clears(&self, facts: &Value, goal: &Goal<'_>, edits: &[Edit]) -> Result<bool, EvaluateError> {
        match edited(facts, edits) {
            Some(edited) => Ok(self.holds(goal, &edited)? && Facts::has_shape(&edited)),
            None => Ok(false),
        }
    }

    fn holds(&self, goal: &Goal<'_>, facts: &Value) -> Result<bool, EvaluateError> {
        let found = checks(self.policies, goal.code, facts)?;
        let may_fail =
            |check: &Check| goal.others.as_ref().is_none_or(|others| others.iter().any(|other| is_same(other, check)));
        let is_reached = goal.checks.iter().all(|check| found.iter().any(|found| is_same(found, check) && found.ok));
        Ok(is_reached && found.iter().all(|check| check.ok || may_fail(check)))
    }
}

/// The check of a document that claims the same.
fn found_again(policies: &Policies, code: &Code, facts: &Value, check: &Check) -> Result<Option<Check>, EvaluateError> {
    Ok(checks(policies, code, facts)?.into_iter().find(|found| is_same(found, check)))
}

fn is_same(check: &Check, other: &Check) -> bool {
    check.subject == other.subject && check.claim == other.claim
}

/// The edits of the document as it is: of an observation that was not there, the whole; of one that was, what differs.
fn written(facts: &Value, edited: &Value, places: &BTreeSet<String>, edits: Vec<Edit>) -> Vec<Edit> {
    let is_within = |edit: &Edit| places.iter().any(|place| rest(&edit.pointer, place).is_some());
    let others = edits.into_iter().filter(|edit| !is_within(edit));
    let observations = places.iter().filter_map(|place| Some((place, edited.pointer(place)?)));
    let observations = observations.flat_map(|(place, value)| match facts.pointer(place) {
        Some(now) if now["status"] == "present" => differences(place, now, value),
        _ => vec![Edit { pointer: place.clone(), value: value.clone() }],
    });
    observations.chain(others).collect()
}
