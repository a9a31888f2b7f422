//! What a waiver does, and what it does not.

use super::*;

fn waiver(code: &str, subject: &str, expires_at: &str) -> Waiver {
    Waiver {
        code: code.into(),
        subject: subject.into(),
        owner: "platform".into(),
        reason: "known".into(),
        expires_at: expires_at.parse().unwrap(),
    }
}

/// The document's clock stands at the first second of 2026.
const LATER: &str = "2026-01-01T00:00:01Z";

fn waived(facts: Value, waivers: &[Waiver]) -> Evaluation {
    evaluate(&document(facts, true), &compile(waivable()), &[], waivers).unwrap()
}

#[test]
fn a_waived_blocker_is_shown_and_does_not_block() {
    let evaluation = waived(json!({"a": true, "b": true, "x": false, "y": true}), &[waiver("M2B-B2", "x", LATER)]);
    let verdict = &evaluation.verdict;
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Go, ExitCode::Go));
    let lane = &verdict.lanes[1];
    assert_eq!((lane.status, lane.next_gate.as_str()), (LaneStatus::Pass, "M2.C_READY"));
    let shown = lane.blockers[0].waived.as_ref().unwrap();
    assert_eq!((shown.owner.as_str(), shown.expires_at.as_str()), ("platform", LATER));
    assert_eq!((verdict.waivers[0].status, verdict.waivers[0].waives), (WaiverStatus::Applied, 1));
    assert_eq!(verdict.taxonomy["M2-B8"], [""; 0]);
    assert_eq!(evaluation.artifacts["M2.B"]["m2b_summary.json"]["blockers"][0]["waived"]["reason"], "known");
}

#[test]
fn only_the_named_subject_is_waived() {
    let verdict = waived(json!({"a": true, "b": true}), &[waiver("M2B-B2", "x", LATER)]).verdict;
    let open: Vec<_> = verdict.lanes[1].blockers.iter().map(|blocker| blocker.is_open()).collect();
    assert_eq!(open, [false, true]);
    assert_eq!(verdict.exit_code(), ExitCode::Unreadable);
    assert_eq!(verdict.taxonomy["M2-B8"], ["M2B-B2"]);
    assert_eq!(verdict.taxonomy.len(), 12);
}

#[test]
fn a_waiver_that_does_not_count_blocks() {
    let facts = json!({"a": true, "b": true, "x": false, "y": true});
    let good = || waiver("M2B-B2", "x", LATER);
    let is_refused = |waivers: &[Waiver], status: WaiverStatus, lane_is_blocked: bool| {
        let mut facts = facts.clone();
        // The one blocker is either the waiver's, or there is none.
        facts["x"] = json!(status != WaiverStatus::Expired);
        let verdict = waived(facts, waivers).verdict;
        assert_eq!(verdict.waivers.last().unwrap().status, status);
        assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::NoGo, ExitCode::NoGo), "{waivers:?}");
        let reason = verdict.reasons.last().unwrap();
        assert!(reason.starts_with("the waiver of "), "{reason}");
        let is_blocked = verdict.lanes.iter().any(|lane| lane.status == LaneStatus::Blocked);
        assert_eq!(is_blocked, lane_is_blocked, "{reason}");
        assert_eq!(verdict.p0.status, "not evaluated");
    };
    is_refused(&[waiver("M2B-B2", "x", "2026-01-01T00:00:00Z")], WaiverStatus::Expired, true);
    is_refused(&[good()], WaiverStatus::Unused, true);
    is_refused(&[waiver("M2B-B2", "z", LATER)], WaiverStatus::Unused, true);
    is_refused(&[waiver("M2A-B1", "a", LATER)], WaiverStatus::NotWaivable, true);
    is_refused(&[waiver("M2Z-B1", "a", LATER)], WaiverStatus::Malformed, false);
    is_refused(&[Waiver { reason: " ".into(), ..good() }], WaiverStatus::Malformed, true);
    is_refused(&[good(), good()], WaiverStatus::Malformed, true);
}

#[test]
fn an_s1_blocker_stays_open_under_a_waiver() {
    let verdict = waived(json!({"a": false, "b": true, "x": true, "y": true}), &[waiver("M2A-B1", "a", LATER)]).verdict;
    assert!(verdict.lanes[0].blockers[0].is_open());
    assert_eq!(verdict.reasons, ["the waiver of M2A-B1 on a cannot be: only S2 can be waived, and the code is S1"]);
}

#[test]
fn policies_see_the_valid_waivers_in_both_phases() {
    let mut files = waivable();
    files[1].1 = lane(
        'a',
        "",
        "b1 contains check.is_true(count(data.factgate.waived) == 1) if false\n\n\
        b1 contains check.is_true(data.factgate.waived[_].subject)\n\nb1 contains check.is_true(\"a\")",
    )
    .replace("\"tool\": data.factgate.tool.name", "\"tool\": data.factgate.waived");
    let waivers = [waiver("M2B-B2", "x", LATER), waiver("M2B-B2", "y", "2020-01-01T00:00:00Z")];
    let document = document(json!({"a": true, "b": true, "x": false}), true);
    let evaluation = evaluate(&document, &compile(files.clone()), &[], &waivers).unwrap();
    let subjects: Vec<_> =
        evaluation.verdict.lanes[0].codes[0].checks.iter().map(|check| check.subject.as_str()).collect();
    assert_eq!(subjects, ["a", "x"]);
    let seen = &evaluation.artifacts["M2.A"]["m2a_summary.json"]["tool"];
    assert_eq!(*seen, json!([{"code": "M2B-B2", "subject": "x"}]));
    let evaluation = evaluate(&document, &compile(files), &[], &[]).unwrap();
    assert_eq!(evaluation.verdict.lanes[0].codes[0].checks.len(), 1);
    assert_eq!(evaluation.artifacts["M2.A"]["m2a_summary.json"]["tool"], json!([]));
}
