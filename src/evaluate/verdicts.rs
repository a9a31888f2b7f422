//! From checks to verdicts.

use serde_json::Value;

use super::checks::Findings;
use super::document::Document;
use crate::check::{Cause, Check};
use crate::policy::{Code, LANES, Lane};
use crate::verdict::{Blocker, CodeVerdict, DefinitionOfDone, LaneStatus, LaneVerdict, Outcome, P0};

/// What P0 is called.
const P0_NAME: &str = "SUBSTRATE_READY";

/// The gate of a lane that does not pass.
const NO_GATE: &str = "BLOCKED";

/// How much of a value a sentence quotes.
const QUOTE: usize = 160;

/// The verdict on one lane, given those on the lanes before it.
pub(super) fn lane(document: &Document, lane: &Lane, findings: Findings, before: &[LaneVerdict]) -> LaneVerdict {
    let mut blocked_by = Vec::new();
    let mut reasons = Vec::new();
    if !document.identity().sealed {
        reasons.push("the fact document is unsealed".to_owned());
    }
    for upstream in &lane.upstream {
        let status = before.iter().find(|verdict| verdict.lane == *upstream).map(|verdict| verdict.status);
        let problem = match status {
            Some(LaneStatus::Pass) => continue,
            Some(LaneStatus::Blocked) => "does not pass",
            None => "was not evaluated",
        };
        reasons.push(format!("{upstream} {problem}"));
        blocked_by.push(upstream.clone());
    }
    let blockers = blockers(lane, &findings.codes);
    let status = if blockers.is_empty() && reasons.is_empty() { LaneStatus::Pass } else { LaneStatus::Blocked };
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
        phase_execution_id: document.phase_execution_id(lane.letter()),
        definition_of_done: definition_of_done(lane, &blockers),
        codes: findings.codes,
        blockers,
        observations: findings.observations,
    }
}

/// Codes come in the order of the lane's, checks are sorted already.
fn blockers(lane: &Lane, codes: &[CodeVerdict]) -> Vec<Blocker> {
    lane.codes
        .iter()
        .zip(codes)
        .flat_map(|(code, verdict)| verdict.checks.iter().filter(|check| !check.ok).map(|check| blocker(code, check)))
        .collect()
}

fn blocker(code: &Code, check: &Check) -> Blocker {
    Blocker {
        code: code.code.clone(),
        lane: code.lane.clone(),
        severity: code.severity,
        taxonomy: code.taxonomy.clone(),
        cause: check.cause,
        subject: check.subject.clone(),
        claim: check.claim.clone(),
        detail: detail(check),
        expected: check.expected.clone(),
        actual: check.actual.clone(),
        facts: check.facts.clone(),
        remediation: code.remediation.clone(),
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

fn definition_of_done(lane: &Lane, blockers: &[Blocker]) -> Vec<DefinitionOfDone> {
    lane.definition_of_done
        .iter()
        .map(|item| DefinitionOfDone {
            item: item.item.clone(),
            done: !blockers.iter().any(|blocker| item.codes.contains(&blocker.code)),
            codes: item.codes.clone(),
        })
        .collect()
}

/// Why the outcome is NO-GO beside the blockers.
pub(super) fn reasons(document: &Document, lanes: &[LaneVerdict]) -> Vec<String> {
    let mut reasons = Vec::new();
    if !document.identity().sealed {
        reasons.push("the fact document is unsealed: nothing proves that it is what the collector wrote".to_owned());
    }
    for lane in lanes {
        for upstream in lane.blocked_by.iter().filter(|upstream| lanes.iter().all(|lane| lane.lane != **upstream)) {
            reasons.push(format!("{} needs {upstream}, which was not evaluated", lane.lane));
        }
    }
    reasons
}

/// GO only if every covered lane passes.
pub(super) fn outcome(lanes: &[LaneVerdict], reasons: &[String]) -> Outcome {
    let pass = !lanes.is_empty() && lanes.iter().all(|lane| lane.status == LaneStatus::Pass);
    if pass && reasons.is_empty() { Outcome::Go } else { Outcome::NoGo }
}

/// P0 needs every lane of the contract.
pub(super) fn p0(lanes: &[LaneVerdict], reasons: &[String]) -> P0 {
    let missing_lanes: Vec<String> =
        LANES.into_iter().filter(|name| lanes.iter().all(|lane| lane.lane != *name)).map(str::to_owned).collect();
    let status = match (missing_lanes.is_empty(), outcome(lanes, reasons)) {
        (false, _) => "not evaluated",
        (true, Outcome::Go) => "GO",
        (true, Outcome::NoGo) => "NO-GO",
    };
    P0 { name: P0_NAME.to_owned(), status: status.to_owned(), missing_lanes }
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
