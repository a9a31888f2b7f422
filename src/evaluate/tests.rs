//! Evaluation of small policies: each test is a claim about what blocks, what passes and what is an error.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{Document, EvaluateError, Evaluation, evaluate};
use crate::check::Cause;
use crate::exit::ExitCode;
use crate::policy::{Origin, Policies, PolicyError, PolicyOptions, PolicySet};
use crate::verdict::{LaneStatus, Outcome};
use crate::waiver::{Waiver, WaiverStatus};

/// A check that holds if `input.<subject>` is true, as a policy's helper would build it.
const CHECK: &str = r#"# METADATA
# title: Checks
package lib.check

is_true(subject) := {
	"subject": subject,
	"claim": "it is true",
	"ok": ok,
	"cause": _cause(object.get(input, subject, "unreadable")),
	"expected": true,
	"actual": object.get(input, subject, null),
	"facts": [sprintf("/%s", [subject])],
} if {
	ok := object.get(input, subject, null) == true
}

_cause(value) := object.get({"true": "none", "false": "violated"}, sprintf("%v", [value]), value)
"#;

/// A lane whose codes claim that the input's fields of the same names are true.
fn lane(name: char, upstream: &str, rules: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let next = match name {
        'j' => String::new(),
        _ => format!("next: M2.{}, ", char::from(upper as u8 + 1)),
    };
    format!(
        "# METADATA\n# title: Lane {upper}\n# custom: {{lane: M2.{upper}, {next}upstream: [{upstream}], \
         definition_of_done: [{{item: it is done, codes: [M2{upper}-B1]}}], artifacts: [m2{name}_summary.json]}}\n\
         package m2.{name}\n\nimport data.lib.check\n\n\
         # METADATA\n# title: The first\n\
         # custom: {{code: M2{upper}-B1, severity: S1, taxonomy: M2-B1, remediation: Make it true.}}\n{rules}\n\n\
         artifacts := {{\"m2{name}_summary.json\": {{\"verdict\": data.factgate.verdict.lanes[\"M2.{upper}\"].status, \
         \"blockers\": data.factgate.verdict.lanes[\"M2.{upper}\"].blockers, \"tool\": data.factgate.tool.name, \
         \"policies\": data.factgate.policies_digest, \"facts\": object.get(input, \"digest\", null)}}}}\n"
    )
}

fn files(rules: &str) -> Vec<(String, String)> {
    vec![("lib/check.rego".into(), CHECK.into()), ("m2/a/rules.rego".into(), lane('a', "", rules))]
}

/// Lanes A, B and C in a chain, each with one code that claims its own letter.
fn chain() -> Vec<(String, String)> {
    let mut files = vec![("lib/check.rego".to_owned(), CHECK.to_owned())];
    for (letter, upstream) in [('a', ""), ('b', "M2.A"), ('c', "M2.B")] {
        let rules = format!("b1 contains check.is_true(\"{letter}\")");
        files.push((format!("m2/{letter}/rules.rego"), lane(letter, upstream, &rules)));
    }
    files
}

fn compile_with(files: Vec<(String, String)>, options: &PolicyOptions) -> Result<Policies, PolicyError> {
    let files: BTreeMap<String, Vec<u8>> = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    Policies::compile(PolicySet::from_files(Origin::Memory, files)?, options)
}

fn compile(files: Vec<(String, String)>) -> Policies {
    compile_with(files, &PolicyOptions::default()).unwrap()
}

fn document(facts: Value, sealed: bool) -> Document {
    let mut document = json!({
        "run": {"phase_execution_id": "m2_20260101T000000Z", "collected_at": "2026-01-01T00:00:00Z"},
        "digest": "sha256:00",
    });
    let fields: Map<String, Value> = facts.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(fields);
    Document::new(document, sealed).unwrap()
}

fn run(files: Vec<(String, String)>, facts: Value) -> Result<Evaluation, EvaluateError> {
    evaluate(&document(facts, true), &compile(files), &[], &[])
}

fn policy_error(rules: &str) -> String {
    match run(files(rules), json!({"a": true})) {
        Err(EvaluateError::Policy(error)) => {
            assert_eq!(error.exit_code(), ExitCode::Input);
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

fn statuses(evaluation: &Evaluation) -> Vec<(LaneStatus, Vec<String>, String)> {
    let lanes = evaluation.verdict.lanes.iter();
    lanes.map(|lane| (lane.status, lane.blocked_by.clone(), lane.next_gate.clone())).collect()
}

#[test]
fn everything_in_order_is_go() {
    let evaluation = run(chain(), json!({"a": true, "b": true, "c": true})).unwrap();
    let verdict = &evaluation.verdict;
    assert_eq!(verdict.outcome, Outcome::Go);
    assert_eq!(verdict.exit_code(), ExitCode::Go);
    assert_eq!(verdict.covers, ["M2.A", "M2.B", "M2.C"]);
    assert_eq!(verdict.reasons, [""; 0]);
    let gates: Vec<&str> = verdict.lanes.iter().map(|lane| lane.next_gate.as_str()).collect();
    assert_eq!(gates, ["M2.B_READY", "M2.C_READY", "M2.D_READY"]);
    assert_eq!(verdict.lanes[1].phase_execution_id, "m2b_20260101T000000Z");
    assert!(verdict.lanes.iter().all(|lane| lane.definition_of_done.iter().all(|item| item.done)));
    assert_eq!(verdict.p0.status, "not evaluated");
    assert_eq!(verdict.p0.missing_lanes.len(), 7);
    assert_eq!(verdict.policies.source, "memory");
}

#[test]
fn a_check_that_does_not_hold_blocks_its_lane_and_those_behind_it() {
    let evaluation = run(chain(), json!({"a": true, "b": false, "c": true})).unwrap();
    assert_eq!(
        statuses(&evaluation),
        [
            (LaneStatus::Pass, vec![], "M2.B_READY".into()),
            (LaneStatus::Blocked, vec![], "BLOCKED".into()),
            (LaneStatus::Blocked, vec!["M2.B".into()], "BLOCKED".into()),
        ]
    );
    assert_eq!(evaluation.verdict.exit_code(), ExitCode::NoGo);
    let lane = &evaluation.verdict.lanes[1];
    assert!(!lane.definition_of_done[0].done);
    let blocker = &lane.blockers[0];
    assert_eq!((blocker.code.as_str(), blocker.cause), ("M2B-B1", Cause::Violated));
    assert_eq!(blocker.remediation, "Make it true.");
    assert_eq!(blocker.detail, "b: \"it is true\" does not hold: expected true, found false.");
    // The blocked lane is evaluated all the same.
    assert_eq!(evaluation.verdict.lanes[2].codes[0].checks.len(), 1);
    assert!(evaluation.verdict.lanes[2].blockers.is_empty());
}

#[test]
fn the_chain_of_blocked_lanes_is_transitive() {
    let evaluation = run(chain(), json!({"a": false, "b": true, "c": true})).unwrap();
    let blocked_by: Vec<_> = evaluation.verdict.lanes.iter().map(|lane| lane.blocked_by.concat()).collect();
    assert_eq!(blocked_by, ["", "M2.A", "M2.B"]);
    assert_eq!(evaluation.verdict.lanes[2].reasons, ["M2.B does not pass"]);
}

#[test]
fn only_unreadable_facts_are_worth_a_retry() {
    let exit = |facts| run(chain(), facts).unwrap().verdict.exit_code();
    assert_eq!(exit(json!({"a": true, "b": true})), ExitCode::Unreadable);
    assert_eq!(exit(json!({})), ExitCode::Unreadable);
    assert_eq!(exit(json!({"a": false})), ExitCode::NoGo);
    assert_eq!(exit(json!({"a": "absent", "b": true, "c": true})), ExitCode::NoGo);
}

#[test]
fn an_unsealed_document_is_evaluated_but_opens_no_gate() {
    let facts = json!({"a": true, "b": true, "c": true});
    let evaluation = evaluate(&document(facts, false), &compile(chain()), &[], &[]).unwrap();
    let verdict = &evaluation.verdict;
    assert_eq!(verdict.outcome, Outcome::NoGo);
    assert_eq!(verdict.exit_code(), ExitCode::NoGo);
    assert_eq!(verdict.reasons, ["the fact document is unsealed: nothing proves that it is what the collector wrote"]);
    assert!(verdict.lanes.iter().all(|lane| lane.next_gate == "BLOCKED" && lane.blockers.is_empty()));
    assert_eq!(verdict.lanes[0].reasons, ["the fact document is unsealed"]);
    assert_eq!(evaluation.artifacts["M2.A"]["m2a_summary.json"]["facts"], json!(null));
    // A retry does not seal it.
    let unreadable = evaluate(&document(json!({}), false), &compile(chain()), &[], &[]).unwrap();
    assert_eq!(unreadable.verdict.exit_code(), ExitCode::NoGo);
}

#[test]
fn a_lane_whose_upstream_is_not_covered_is_blocked() {
    let document = document(json!({"a": true, "b": true, "c": true}), true);
    let evaluation = evaluate(&document, &compile(chain()), &["M2.C".into()], &[]).unwrap();
    assert_eq!(statuses(&evaluation), [(LaneStatus::Blocked, vec!["M2.B".into()], "BLOCKED".into())]);
    let reason = "M2.C needs M2.B, which is not covered, and the facts hold no accepted pack in which it passes";
    assert_eq!(evaluation.verdict.reasons, [reason]);
    assert_eq!(evaluation.verdict.exit_code(), ExitCode::NoGo);
    assert_eq!(evaluation.artifacts.keys().collect::<Vec<_>>(), ["M2.C"]);
    let evaluation = evaluate(&document, &compile(chain()), &["M2.B".into(), "M2.A".into()], &[]).unwrap();
    assert_eq!(evaluation.verdict.covers, ["M2.A", "M2.B"]);
    assert_eq!(evaluation.verdict.exit_code(), ExitCode::Go);
}

#[test]
fn a_lane_that_the_policies_lack_was_not_evaluated() {
    let files: Vec<_> = chain().into_iter().filter(|(name, _)| !name.starts_with("m2/b")).collect();
    let evaluation = run(files, json!({"a": true, "c": true, "evidence": {"M2.B": pack("M2.B")}})).unwrap();
    assert_eq!(evaluation.verdict.reasons, ["M2.C needs M2.B, which was not evaluated"]);
    assert_eq!(evaluation.verdict.lanes[1].blocked_by, ["M2.B"]);
}

/// An accepted pack, as the collector writes it down.
fn pack(lane: &str) -> Value {
    let value = json!({"origin": "pack", "summary": {"lane": lane, "overall_pass": true}});
    json!({"status": "present", "value": value, "receipts": []})
}

#[test]
fn a_lane_upstream_that_is_not_covered_passes_by_its_pack() {
    let evidence = json!({"M2.B": pack("M2.B")});
    let facts = json!({"a": true, "b": true, "c": true, "evidence": evidence});
    let covering_c =
        |facts: Value| evaluate(&document(facts, true), &compile(chain()), &["M2.C".into()], &[]).unwrap().verdict;
    let verdict = covering_c(facts.clone());
    assert_eq!(verdict.outcome, Outcome::Go);
    assert_eq!(verdict.covers, ["M2.C"]);
    assert_eq!((verdict.lanes.len(), verdict.lanes[0].next_gate.as_str()), (1, "M2.D_READY"));

    // The pack proves what was, the facts what is: of the lane itself, and of those before it.
    for letter in ["a", "b"] {
        let mut facts = facts.clone();
        facts[letter] = json!(false);
        let verdict = covering_c(facts);
        let reason = "M2.C needs M2.B, which is not covered, and its pack does not hold on the facts of today";
        assert_eq!(verdict.reasons, [reason]);
        assert_eq!(verdict.exit_code(), ExitCode::NoGo);
    }

    for (pointer, other) in [
        ("/status", json!("unreadable")),
        ("/value/origin", json!("run")),
        ("/value/summary/overall_pass", json!(false)),
        ("/value/summary/lane", json!("M2.A")),
    ] {
        let mut facts = facts.clone();
        *facts["evidence"]["M2.B"].pointer_mut(pointer).unwrap() = other;
        assert_eq!(covering_c(facts).outcome, Outcome::NoGo, "{pointer}");
    }
}

#[test]
fn a_lane_that_is_covered_passes_by_its_facts_and_not_by_a_pack() {
    let facts = json!({"a": true, "b": false, "c": true, "evidence": {"M2.B": pack("M2.B")}});
    assert_eq!(run(chain(), facts).unwrap().verdict.lanes[2].blocked_by, ["M2.B"]);
}

/// Lanes A and B; B's second code is S2 and can be waived.
fn waivable() -> Vec<(String, String)> {
    let mut files = chain();
    files.truncate(3);
    files[2].1.push_str(
        "\n# METADATA\n# title: The second\n\
         # custom: {code: M2B-B2, severity: S2, taxonomy: M2-B8, remediation: Make it true.}\n\
         b2 contains check.is_true(\"x\")\n\nb2 contains check.is_true(\"y\")\n",
    );
    files
}

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

#[test]
fn an_inherited_class_is_that_of_the_code_that_the_subject_names() {
    let mut files = waivable();
    files[1].1 = files[1].1.replace("taxonomy: M2-B1", "taxonomy: inherited").replace(
        "b1 contains check.is_true(\"a\")",
        "b1 contains check.is_true(name) if some name in [\"M2B-B1\", \"M2B-B2\", \"M2A-B1\", \"other\"]",
    );
    let verdict = run(files, json!({"b": true, "x": true, "y": true})).unwrap().verdict;
    let classes: Vec<_> =
        verdict.lanes[0].blockers.iter().map(|blocker| (blocker.subject.as_str(), blocker.taxonomy.as_str())).collect();
    assert_eq!(classes, [("M2A-B1", "M2-B8"), ("M2B-B1", "M2-B1"), ("M2B-B2", "M2-B8"), ("other", "M2-B8")]);
}

#[test]
fn a_log_is_a_text() {
    let with_log = |body: &str| {
        let mut files = files("b1 contains check.is_true(\"a\")");
        files[1].1 = files[1]
            .1
            .replace("[m2a_summary.json]", "[m2a_summary.json, plan.log]")
            .replace("artifacts := {", &format!("artifacts := {{\"plan.log\": {body}, "));
        run(files, json!({"a": true}))
    };
    assert_eq!(with_log("\"line\\n\"").unwrap().artifacts["M2.A"]["plan.log"], json!("line\n"));
    let error = with_log("{\"a\": 1}").unwrap_err().to_string();
    assert!(error.contains("`m2.a.artifacts` gives no text for `plan.log`"), "{error}");
}

#[test]
fn a_selection_that_matches_nothing_is_an_error() {
    for selection in [vec!["M2.D"], vec!["m2.a"], vec!["M2.A", "M2.AA"], vec![""]] {
        let selection: Vec<String> = selection.into_iter().map(str::to_owned).collect();
        let error = evaluate(&document(json!({}), true), &compile(chain()), &selection, &[]).unwrap_err();
        assert!(matches!(error, EvaluateError::UnknownLane { .. }), "{error}");
        assert_eq!(error.exit_code(), ExitCode::NothingEvaluated);
        assert!(error.to_string().contains("M2.A, M2.B, M2.C"), "{error}");
    }
}

#[test]
fn policies_without_lanes_are_an_error() {
    let error = run(vec![("lib/check.rego".into(), CHECK.into())], json!({})).unwrap_err();
    assert!(matches!(error, EvaluateError::NoLanes { .. }));
    assert_eq!(error.exit_code(), ExitCode::NothingEvaluated);
}

#[test]
fn a_code_without_checks_blocks() {
    let evaluation = run(files("b1 contains check.is_true(name) if some name in input.names"), json!({})).unwrap();
    let lane = &evaluation.verdict.lanes[0];
    assert_eq!(lane.status, LaneStatus::Blocked);
    let blocker = &lane.blockers[0];
    assert_eq!((blocker.code.as_str(), blocker.subject.as_str()), ("M2A-B1", "M2A-B1"));
    assert_eq!((blocker.claim.as_str(), blocker.cause), ("at least one check", Cause::Evidence));
    assert_eq!(lane.codes[0].checks.len(), 1);
    assert_eq!(evaluation.verdict.exit_code(), ExitCode::NoGo);
}

#[test]
fn malformed_checks_are_policy_errors_with_the_rule_named() {
    let whole =
        r#"{"subject": "s", "claim": "c", "ok": true, "cause": "none", "expected": 1, "actual": 1, "facts": ["/a"]}"#;
    assert!(run(files(&format!("b1 contains {whole}")), json!({})).is_ok());
    for (from, to, expected) in [
        ("\"claim\": \"c\", ", "", "missing field `claim`"),
        ("\"expected\": 1, ", "", "missing field `expected`"),
        ("\"ok\": true", "\"ok\": \"true\"", "invalid type"),
        ("\"none\"", "\"broken\"", "unknown variant `broken`"),
        ("\"none\"", "\"violated\"", "contradicts itself"),
        ("\"ok\": true", "\"ok\": false", "contradicts itself"),
        ("\"subject\": \"s\"", "\"subject\": \"s\", \"extra\": 1", "unknown field `extra`"),
        ("\"subject\": \"s\"", "\"subject\": \" \"", "lacks a subject or a claim"),
        ("[\"/a\"]", "[\"a\"]", "no JSON pointer, `a`"),
        ("[\"/a\"]", "[1]", "invalid type"),
    ] {
        let error = policy_error(&format!("b1 contains {}", whole.replace(from, to)));
        assert!(error.starts_with("m2/a/rules.rego:11:1: `m2.a.b1` gives a check that "), "{error}");
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.contains("\nhelp: "), "{error}");
    }
    let error = policy_error("b1 contains 7");
    assert!(error.contains("is malformed"), "{error}");
}

#[test]
fn checks_that_contradict_each_other_are_a_policy_error() {
    let error = policy_error(
        "b1 contains check.is_true(\"a\")\n\nb1 contains object.union(check.is_true(\"a\"), {\"expected\": \"yes\"})",
    );
    assert!(error.contains("`m2.a.b1` gives two different checks that \"it is true\" of a"), "{error}");
}

#[test]
fn checks_are_sorted_by_subject_and_claim() {
    let rules = "b1 contains check.is_true(name) if some name in [\"z\", \"b\", \"a\", \"b\"]";
    let evaluation = run(files(rules), json!({})).unwrap();
    let subjects: Vec<&str> =
        evaluation.verdict.lanes[0].codes[0].checks.iter().map(|check| check.subject.as_str()).collect();
    assert_eq!(subjects, ["a", "b", "z"]);
}

#[test]
fn observations_are_carried_and_never_block() {
    let rules = "b1 contains check.is_true(\"a\")\n\n\
                 observations contains {\"subject\": \"s\", \"message\": m, \"facts\": [\"/a\"]} if some m in [\"y\", \"x\"]";
    let evaluation = run(files(rules), json!({"a": true})).unwrap();
    let lane = &evaluation.verdict.lanes[0];
    assert_eq!(lane.status, LaneStatus::Pass);
    assert_eq!(lane.observations[0], json!({"subject": "s", "message": "x", "facts": ["/a"]}));
    assert_eq!(lane.observations.len(), 2);
    let error = policy_error("b1 contains check.is_true(\"a\")\n\nobservations contains {\"subject\": \"s\"}");
    assert!(error.contains("`m2.a.observations` gives one that is malformed"), "{error}");
}

#[test]
fn artifacts_see_the_verdict_of_phase_one() {
    let evaluation = run(chain(), json!({"a": false})).unwrap();
    let body = &evaluation.artifacts["M2.A"]["m2a_summary.json"];
    assert_eq!(body["verdict"], "BLOCKED");
    assert_eq!(body["tool"], "factgate");
    assert_eq!(body["facts"], "sha256:00");
    assert_eq!(body["policies"], json!(evaluation.verdict.policies.digest));
    assert_eq!(body["blockers"], serde_json::to_value(&evaluation.verdict.lanes[0].blockers).unwrap());
    assert_eq!(evaluation.artifacts.len(), 3);
}

#[test]
fn artifacts_must_be_exactly_the_declared_ones() {
    let replaced = |artifacts: &str| {
        let mut files = files("b1 contains check.is_true(\"a\")");
        let start = files[1].1.find("artifacts := ").unwrap();
        files[1].1.truncate(start);
        files[1].1.push_str(artifacts);
        match run(files, json!({})) {
            Err(EvaluateError::Policy(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let place = "m2/a/rules.rego:13:1: `m2.a.artifacts` ";
    for (artifacts, expected) in [
        ("artifacts := {}\n", "lacks `m2a_summary.json`"),
        ("artifacts := {\"m2a_summary.json\": 1, \"m2a_x.json\": 1}\n", "gives `m2a_x.json`"),
        ("artifacts := [1]\n", "is no object"),
        ("artifacts := {\"m2a_summary.json\": input.nowhere}\n", "is undefined"),
        ("artifacts[name] := 1 if some name in [\"m2a_other.json\"]\n", "lacks `m2a_summary.json`"),
    ] {
        let error = replaced(artifacts);
        assert!(error.starts_with(&format!("{place}{expected}")), "{error}");
    }
    let partial = "artifacts[\"m2a_summary.json\"] := {\"lane\": 1}\n";
    let mut files = files("b1 contains check.is_true(\"a\")");
    let start = files[1].1.find("artifacts := ").unwrap();
    files[1].1.replace_range(start.., partial);
    assert_eq!(run(files, json!({})).unwrap().artifacts["M2.A"]["m2a_summary.json"], json!({"lane": 1}));
}

#[test]
fn a_builtin_that_fails_is_a_policy_error_with_its_place() {
    let error = policy_error("b1 contains check.is_true(\"a\") if to_number(input.run.collected_at) > 0");
    assert!(error.starts_with("m2/a/rules.rego:11:54: could not parse string as number"), "{error}");
    assert!(error.contains("while evaluating the package `m2.a`"), "{error}");
    let error = policy_error("b1 contains check.is_true(name) if name := {\"x\": 1 / 0}.x");
    assert!(error.contains("divide by zero"), "{error}");
}

#[test]
fn errors_do_not_spill_what_the_engine_knows() {
    let error = policy_error("b1 contains check.is_true(name) if {\n\tname := [secret | x := \"hidden\"][0]\n}");
    assert!(!error.contains("hidden"), "{error}");
    let error = policy_error(
        "b1 contains check.is_true(\"a\") if x\n\nx := concat(\"\", [y | some y in numbers.range(1, 5000)])",
    );
    assert!(error.chars().count() < 900, "{error}");
}

#[test]
fn conflicting_values_are_a_policy_error() {
    let error = policy_error("b1 contains check.is_true(x)\n\nx := \"a\"\n\nx := \"b\" if input.a");
    assert!(error.starts_with("m2/a/rules.rego:1"), "{error}");
}

#[test]
fn an_endless_comprehension_ends_as_a_policy_error() {
    let rules = "b1 contains check.is_true(\"a\") if count(x) > 0\n\n\
                 x := [1 | some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i + j < 0]";
    let options = PolicyOptions { time_limit: Duration::from_millis(200), ..PolicyOptions::default() };
    let policies = compile_with(files(rules), &options).unwrap();
    let start = Instant::now();
    let error = evaluate(&document(json!({}), true), &policies, &[], &[]).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(matches!(error, EvaluateError::Policy(PolicyError::TimeLimit { .. })), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Input);
    assert!(error.to_string().contains("evaluating the package `m2.a` took longer than 0.2 s\nhelp: "), "{error}");
}

#[test]
fn the_deepest_chain_of_the_deepest_expressions_does_not_overflow() {
    let nested = |inner: &str| format!("{}{inner}{}", "1 * (".repeat(30), ")".repeat(30));
    let mut rules = String::from("b1 contains check.is_true(\"a\") if f120(1) == 120\n\nf1(x) := x\n\n");
    for index in 2..=120 {
        rules.push_str(&format!("f{index}(x) := {}\n\n", nested(&format!("f{}(x) + 1", index - 1))));
    }
    let evaluation = run(files(&rules), json!({"a": true})).unwrap();
    assert_eq!(evaluation.verdict.outcome, Outcome::Go);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let facts = json!({"a": false, "b": true});
    let bytes = |evaluation: &Evaluation| {
        (serde_json::to_string(&evaluation.verdict).unwrap(), serde_json::to_string(&evaluation.artifacts).unwrap())
    };
    let first = bytes(&run(chain(), facts.clone()).unwrap());
    let policies = compile(chain());
    for _ in 0..3 {
        assert_eq!(bytes(&evaluate(&document(facts.clone(), true), &policies, &[], &[]).unwrap()), first);
    }
}

#[test]
fn threads_share_policies_and_agree() {
    fn is_shareable<T: Send + Sync + Clone>(_: &T) {}
    let policies = compile(chain());
    is_shareable(&policies);
    let document = document(json!({"a": true, "b": false}), true);
    let expected = evaluate(&document, &policies, &[], &[]).unwrap();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| evaluate(&document, &policies, &[], &[]).unwrap())).collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), expected);
        }
    });
}

#[test]
fn an_override_of_the_contract_is_evaluated_and_changes_the_digest() {
    let mut files = files("b1 contains check.is_true(data.contract.m2.subject)");
    files.push(("contract/m2/data.json".into(), "{\"subject\": \"a\"}".into()));
    let contract = json!({"subject": "b"}).as_object().unwrap().clone();
    let options = PolicyOptions { contract, ..PolicyOptions::default() };
    let plain = compile(files.clone());
    let overridden = compile_with(files, &options).unwrap();
    assert_ne!(plain.identity().digest, overridden.identity().digest);
    assert_eq!(overridden.identity().overrides, ["subject"]);
    let document = document(json!({"a": true, "b": false}), true);
    assert_eq!(evaluate(&document, &plain, &[], &[]).unwrap().verdict.outcome, Outcome::Go);
    assert_eq!(evaluate(&document, &overridden, &[], &[]).unwrap().verdict.outcome, Outcome::NoGo);
}

#[test]
fn all_ten_lanes_make_a_p0_verdict() {
    let mut files = vec![("lib/check.rego".to_owned(), CHECK.to_owned())];
    let mut upstream = String::new();
    for letter in 'a'..='j' {
        let rules = "b1 contains check.is_true(\"a\")";
        files.push((format!("m2/{letter}/rules.rego"), lane(letter, &upstream, rules)));
        upstream = format!("M2.{}", letter.to_ascii_uppercase());
    }
    let verdict = run(files.clone(), json!({"a": true})).unwrap().verdict;
    assert_eq!(verdict.p0.status, "GO");
    assert_eq!(verdict.lanes[9].next_gate, "M2_DONE_M3_READY");
    assert_eq!(run(files, json!({"a": false})).unwrap().verdict.p0.status, "NO-GO");
}

/// The rollup alone is asked: the lanes before it pass by their packs, each and all of them.
#[test]
fn a_rollup_answers_for_the_lanes_whose_packs_were_accepted() {
    let mut files = vec![("lib/check.rego".to_owned(), CHECK.to_owned())];
    for letter in 'a'..='j' {
        // What a rollup declares to be upstream of it does not matter: it needs them all.
        files.push((format!("m2/{letter}/rules.rego"), lane(letter, "", "b1 contains check.is_true(\"a\")")));
    }
    let policies = compile(files);
    let pack = |lane: &str| {
        let summary = json!({"lane": lane, "overall_pass": true});
        (lane.to_owned(), json!({"status": "present", "value": {"origin": "pack", "summary": summary}}))
    };
    let rolled_up = |holds: bool, lanes: &[&str]| {
        let packs: serde_json::Map<String, Value> = lanes.iter().map(|lane| pack(lane)).collect();
        let document = document(json!({"a": holds, "evidence": packs}), true);
        evaluate(&document, &policies, &["M2.J".to_owned()], &[]).unwrap().verdict
    };
    let nine = ["M2.A", "M2.B", "M2.C", "M2.D", "M2.E", "M2.F", "M2.G", "M2.H", "M2.I"];
    let verdict = rolled_up(true, &nine);
    assert_eq!((verdict.outcome, verdict.p0.status.as_str()), (Outcome::Go, "GO"), "{:?}", verdict.reasons);
    assert_eq!((verdict.p0.packs, verdict.p0.missing_lanes), (nine.map(str::to_owned).to_vec(), vec![]));

    let verdict = rolled_up(true, &nine[..8]);
    assert_eq!((verdict.outcome, verdict.p0.status.as_str()), (Outcome::NoGo, "NO-GO"));
    assert_eq!(verdict.reasons.len(), 1, "{:?}", verdict.reasons);
    assert!(verdict.reasons[0].starts_with("M2.J needs M2.I"), "{:?}", verdict.reasons);
    assert_eq!(rolled_up(false, &nine).p0.status, "NO-GO");
}
