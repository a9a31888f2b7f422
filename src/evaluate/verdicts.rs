//! From checks to verdicts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::checks::Findings;
use super::document::Document;
use crate::check::{Cause, Check};
use crate::policy::{Code, INHERITED, LANES, Lane, Policies};
use crate::verdict::{Blocker, CodeVerdict, DefinitionOfDone, LaneStatus, LaneVerdict, Outcome, P0};
use crate::waiver::{Judged, WaiverVerdict, sentence};

/// What P0 is called.
const P0_NAME: &str = "SUBSTRATE_READY";

/// The lane that rolls all others up.
const ROLLUP: &str = "M2.J";

/// The code of the rollup that judges the evidence of the lanes before it: each of its checks has a lane for its subject.
const EVIDENCE_CODE: &str = "M2J-B1";

/// The gate of a lane that does not pass.
const NO_GATE: &str = "BLOCKED";

/// How much of a value a sentence quotes.
const QUOTE: usize = 160;

/// The class of a blocker whose taxonomy is inherited from what is no code.
const EVIDENCE_CLASS: &str = "M2-B8";

/// How many classes the M2 taxonomy has.
const CLASSES: u32 = 12;

/// What the verdicts of one evaluation have in common.
pub(super) struct Scope<'run> {
    pub(super) document: &'run Document,
    pub(super) policies: &'run Policies,
    pub(super) covered: &'run [&'run Lane],
    pub(super) waivers: &'run Judged<'run>,
    pub(super) evidence: Option<BTreeMap<String, Vec<Check>>>,
}

/// Why something does not pass although no blocker of its own says so.
pub(super) struct Obstacle {
    pub(super) text: String,
    /// Whether reading again what could not be read may take it away.
    is_unreadable: bool,
}

impl Obstacle {
    fn lasting(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_unreadable: false }
    }
}

/// What the rollup has to say about the evidence of each lane, if the policies have a rollup.
pub(super) fn evidence(lanes: &[Lane], findings: &[Findings]) -> Option<BTreeMap<String, Vec<Check>>> {
    let (_, rollup) = lanes.iter().zip(findings).find(|(lane, _)| lane.lane == ROLLUP)?;
    let mut evidence: BTreeMap<String, Vec<Check>> = BTreeMap::new();
    for check in rollup.codes.iter().filter(|code| code.code == EVIDENCE_CODE).flat_map(|code| &code.checks) {
        evidence.entry(check.subject.clone()).or_default().push(check.clone());
    }
    Some(evidence)
}

impl Scope<'_> {
    /// Whether the verdict covers a lane.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.covered.iter().any(|lane| lane.lane == name)
    }

    /// The verdict on one lane, given those on the lanes before it.
    pub(super) fn lane(&self, lane: &Lane, findings: Findings, before: &[LaneVerdict]) -> LaneVerdict {
        let mut blocked_by = Vec::new();
        let mut reasons = Vec::new();
        if !self.document.identity().sealed {
            reasons.push("the fact document is unsealed".to_owned());
        }
        for upstream in &lane.upstream {
            if let Some(problem) = self.upstream_problem(upstream, before) {
                reasons.push(format!("{upstream} {}", problem.text));
                blocked_by.push(upstream.clone());
            }
        }
        let mut blockers = self.blockers(lane, &findings.codes);
        self.waivers.mark(&mut blockers);
        reasons.extend(self.waivers.problems(lane, &blockers));
        let passes = reasons.is_empty() && !blockers.iter().any(Blocker::is_open);
        let status = if passes { LaneStatus::Pass } else { LaneStatus::Blocked };
        LaneVerdict {
            lane: lane.lane.clone(),
            title: lane.title.clone(),
            status,
            blocked_by,
            reasons,
            next_gate: match status {
                LaneStatus::Pass => lane.gate(),
                LaneStatus::Blocked => NO_GATE.to_owned(),
            },
            phase_execution_id: self.document.phase_execution_id(lane.letter()),
            definition_of_done: definition_of_done(lane, &blockers, self.document.identity().sealed),
            codes: findings.codes,
            blockers,
            observations: findings.observations,
        }
    }

    /// Why a lane upstream does not pass, if so. One that is not covered passes by its evidence pack: as long as the rollup would
    /// take it, and while nothing blocks the lane, or one before it, on the facts of today.
    fn upstream_problem(&self, name: &str, before: &[LaneVerdict]) -> Option<Obstacle> {
        let Some(verdict) = before.iter().find(|verdict| verdict.lane == name) else {
            return Some(Obstacle::lasting("was not evaluated"));
        };
        if self.covers(name) {
            return (verdict.status != LaneStatus::Pass).then(|| Obstacle::lasting("does not pass"));
        }
        let (mut today, mut packs) = (Vec::new(), Vec::new());
        self.open(verdict, before, &mut today, &mut packs);
        let what = if !self.document.has_accepted_pack(name) {
            "is not covered, and the facts hold no accepted pack in which it passes"
        } else if today.is_empty() {
            "is not covered, and its pack, or one that it rests on, is missing, altered, too old or no longer true"
        } else {
            "is not covered, and its pack does not hold on the facts of today"
        };
        let open: Vec<(String, Cause)> = today.into_iter().chain(packs).collect();
        let codes: BTreeSet<&str> = open.iter().map(|(code, _)| code.as_str()).filter(|code| *code != name).collect();
        let codes = codes.into_iter().collect::<Vec<_>>().join(", ");
        (!open.is_empty()).then(|| Obstacle {
            text: if codes.is_empty() { what.to_owned() } else { format!("{what} ({codes})") },
            is_unreadable: open.iter().all(|(_, cause)| *cause == Cause::Unreadable),
        })
    }

    /// What is held against the evidence of a lane, by the collector and by the rollup. Policies without a rollup have nothing to
    /// say; a rollup that says nothing of a lane does not take its evidence.
    fn faults_of_evidence(&self, name: &str) -> Vec<(String, Cause)> {
        if !self.document.has_accepted_pack(name) {
            let is_unreadable = self.document.is_evidence_unreadable(name);
            return vec![(name.to_owned(), if is_unreadable { Cause::Unreadable } else { Cause::Evidence })];
        }
        let Some(evidence) = &self.evidence else { return Vec::new() };
        match evidence.get(name) {
            Some(checks) => {
                let failed = checks.iter().filter(|check| !check.ok);
                failed.map(|check| (EVIDENCE_CODE.to_owned(), check.cause)).collect()
            }
            None => vec![(EVIDENCE_CODE.to_owned(), Cause::Evidence)],
        }
    }

    /// What blocks a lane or any lane before it, by code and cause: on the facts of `today`, and of the `packs` that stand for those
    /// that are not covered.
    fn open(
        &self,
        verdict: &LaneVerdict,
        before: &[LaneVerdict],
        today: &mut Vec<(String, Cause)>,
        packs: &mut Vec<(String, Cause)>,
    ) {
        let of_lane = verdict.blockers.iter().filter(|blocker| blocker.is_open());
        today.extend(of_lane.map(|blocker| (blocker.code.clone(), blocker.cause)));
        if !self.covers(&verdict.lane) {
            packs.extend(self.faults_of_evidence(&verdict.lane));
        }
        let Some(lane) = self.policies.lanes().iter().find(|lane| lane.lane == verdict.lane) else { return };
        let waivers = self.waivers.problems(lane, &verdict.blockers).into_iter();
        today.extend(waivers.map(|_| ("a waiver".to_owned(), Cause::Violated)));
        for upstream in &lane.upstream {
            match before.iter().find(|verdict| verdict.lane == *upstream) {
                Some(verdict) => self.open(verdict, before, today, packs),
                None => today.push((upstream.clone(), Cause::Violated)),
            }
        }
    }

    /// Codes come in the order of the lane's, checks are sorted already.
    fn blockers(&self, lane: &Lane, codes: &[CodeVerdict]) -> Vec<Blocker> {
        lane.codes
            .iter()
            .zip(codes)
            .flat_map(|(code, verdict)| {
                verdict.checks.iter().filter(|check| !check.ok).map(|check| self.blocker(code, check))
            })
            .collect()
    }

    fn blocker(&self, code: &Code, check: &Check) -> Blocker {
        Blocker {
            code: code.code.clone(),
            lane: code.lane.clone(),
            severity: code.severity,
            taxonomy: self.taxonomy_of(code, &check.subject).to_owned(),
            cause: check.cause,
            subject: check.subject.clone(),
            claim: check.claim.clone(),
            detail: detail(check),
            expected: check.expected.clone(),
            actual: check.actual.clone(),
            facts: check.facts.clone(),
            remediation: code.remediation.clone(),
            waived: None,
        }
    }

    /// The class of a code's blocker; an inherited one is that of the code that the subject names.
    fn taxonomy_of<'code>(&'code self, code: &'code Code, subject: &str) -> &'code str {
        if code.taxonomy != INHERITED {
            return &code.taxonomy;
        }
        let mut codes = self.policies.lanes().iter().flat_map(|lane| &lane.codes);
        let named = codes.find(|code| code.code == subject && code.taxonomy != INHERITED);
        named.map_or(EVIDENCE_CLASS, |code| &code.taxonomy)
    }

    /// Why the outcome is NO-GO beside the blockers of the covered lanes. `lanes` are the verdicts on all lanes.
    pub(super) fn obstacles(&self, lanes: &[LaneVerdict], waivers: &[WaiverVerdict]) -> Vec<Obstacle> {
        let mut obstacles = Vec::new();
        if !self.document.identity().sealed {
            let text = "the fact document is unsealed: nothing proves that it is what the collector wrote";
            obstacles.push(Obstacle::lasting(text));
        }
        for lane in lanes.iter().filter(|lane| self.covers(&lane.lane)) {
            // The rollup answers for every lane, whatever it declares to be upstream of it.
            let needed: Vec<&String> = match lane.lane == ROLLUP {
                true => lanes.iter().map(|lane| &lane.lane).collect(),
                false => lane.blocked_by.iter().collect(),
            };
            for upstream in needed.into_iter().filter(|upstream| !self.covers(upstream)) {
                if let Some(problem) = self.upstream_problem(upstream, lanes) {
                    obstacles.push(Obstacle {
                        text: format!("{} needs {upstream}, which {}", lane.lane, problem.text),
                        is_unreadable: problem.is_unreadable,
                    });
                }
            }
        }
        obstacles.extend(waivers.iter().filter_map(|waiver| {
            let problem = waiver.problem.as_ref()?;
            Some(Obstacle::lasting(sentence(&waiver.code, &waiver.subject, problem)))
        }));
        obstacles
    }

    /// The P0 verdict. It needs every lane of the contract: covered, or answered for by the rollup, which passes only if each of
    /// them passes here or by an accepted pack that holds on the facts of today (see [`Self::obstacles`]).
    pub(super) fn p0(&self, outcome: Outcome) -> P0 {
        let is_rolled_up = self.covers(ROLLUP);
        let is_known = |name: &str| self.policies.lanes().iter().any(|lane| lane.lane == name);
        let (uncovered, missing): (Vec<&str>, Vec<&str>) =
            LANES.into_iter().filter(|name| !self.covers(name)).partition(|name| is_rolled_up && is_known(name));
        let packs = uncovered.into_iter().filter(|name| self.document.has_accepted_pack(name));
        let packs = packs.map(str::to_owned).collect();
        let status = match (missing.is_empty(), outcome) {
            (false, _) => "not evaluated",
            (true, Outcome::Go) => "GO",
            (true, Outcome::NoGo) => "NO-GO",
        };
        let missing_lanes = missing.into_iter().map(str::to_owned).collect();
        P0 { name: P0_NAME.to_owned(), status: status.to_owned(), missing_lanes, packs }
    }
}

/// One sentence with what was expected and what was found.
fn detail(check: &Check) -> String {
    let why = match check.cause {
        Cause::None | Cause::Violated => "",
        Cause::Absent => " because it does not exist",
        Cause::Unreadable => " because it could not be read",
        Cause::Unpinned => " because the handle is not pinned",
        Cause::Evidence => " because evidence is missing or inconsistent",
    };
    format!(
        "{}: \"{}\" does not hold: expected {}, found {}{why}.",
        shortened(&check.subject),
        shortened(&check.claim),
        shortened(&check.expected.to_string()),
        shortened(&check.actual.to_string())
    )
}

/// A text on one line, cut where it gets long.
fn shortened(text: &str) -> String {
    let mut characters = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut short: String = characters.by_ref().take(QUOTE).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Facts that nobody vouches for show nothing to be done.
fn definition_of_done(lane: &Lane, blockers: &[Blocker], is_sealed: bool) -> Vec<DefinitionOfDone> {
    lane.definition_of_done
        .iter()
        .map(|item| DefinitionOfDone {
            item: item.item.clone(),
            done: is_sealed && !blockers.iter().any(|blocker| blocker.is_open() && item.codes.contains(&blocker.code)),
            codes: item.codes.clone(),
        })
        .collect()
}

/// GO only if every covered lane passes.
pub(super) fn outcome(lanes: &[LaneVerdict], reasons: &[String]) -> Outcome {
    let pass = !lanes.is_empty() && lanes.iter().all(|lane| lane.status == LaneStatus::Pass);
    if pass && reasons.is_empty() { Outcome::Go } else { Outcome::NoGo }
}

/// Whether a retry with readable facts could turn a NO-GO into GO: nothing but unreadable facts blocks. What else stands beside
/// the blockers (an unsealed document, a lane upstream without evidence, a waiver that blocks) stays whatever is read next time.
pub(super) fn is_only_unreadable(lanes: &[LaneVerdict], obstacles: &[Obstacle]) -> bool {
    let blockers = lanes.iter().flat_map(|lane| &lane.blockers).filter(|blocker| blocker.is_open());
    let mut are_unreadable = blockers
        .map(|blocker| blocker.cause == Cause::Unreadable)
        .chain(obstacles.iter().map(|obstacle| obstacle.is_unreadable))
        .peekable();
    are_unreadable.peek().is_some() && are_unreadable.all(|is_unreadable| is_unreadable)
}

/// The classes of the M2 taxonomy with the codes that are open in each.
pub(super) fn taxonomy(lanes: &[LaneVerdict]) -> BTreeMap<String, Vec<String>> {
    let open = || lanes.iter().flat_map(|lane| &lane.blockers).filter(|blocker| blocker.is_open());
    (1..=CLASSES)
        .map(|number| {
            let class = format!("M2-B{number}");
            // Lanes and codes come in order, so a code that repeats does so at once.
            let mut codes: Vec<String> =
                open().filter(|blocker| blocker.taxonomy == class).map(|blocker| blocker.code.clone()).collect();
            codes.dedup();
            (class, codes)
        })
        .collect()
}

/// The lane verdicts as policies see them in phase 2.
pub(super) fn as_data(lanes: &[LaneVerdict]) -> Result<Value, serde_json::Error> {
    let lanes = lanes
        .iter()
        .map(|lane| Ok((lane.lane.clone(), serde_json::to_value(lane)?)))
        .collect::<Result<serde_json::Map<_, _>, serde_json::Error>>()?;
    Ok(Value::Object(lanes))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::detail;
    use crate::check::{Cause, Check};

    fn check(cause: Cause, expected: Value, actual: Value) -> Check {
        Check {
            subject: "TF_STATE_BUCKET".into(),
            claim: "versioning is on".into(),
            ok: false,
            cause,
            expected,
            actual,
            facts: Vec::new(),
        }
    }

    #[test]
    fn the_detail_is_one_sentence_with_expected_and_actual() {
        assert_eq!(
            detail(&check(Cause::Violated, json!("Enabled"), json!("Suspended"))),
            "TF_STATE_BUCKET: \"versioning is on\" does not hold: expected \"Enabled\", found \"Suspended\"."
        );
        assert_eq!(
            detail(&check(Cause::Unreadable, json!("Enabled"), json!(null))),
            "TF_STATE_BUCKET: \"versioning is on\" does not hold: expected \"Enabled\", found null because it could not be read."
        );
    }

    #[test]
    fn long_values_are_cut_and_lines_joined() {
        let detail = detail(&check(Cause::Violated, json!("é".repeat(10_000)), json!("a\nb")));
        assert!(detail.chars().count() < 800, "{detail}");
        assert!(!detail.contains('\n'));
        assert!(detail.contains('…'));
    }
}
