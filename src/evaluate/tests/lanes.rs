//! From lanes to the outcome and P0: what is covered, what is upstream, and what rests on a pack.

use super::*;

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
    let reason = "M2.C needs M2.B, which is not covered, and the facts hold no accepted pack in which it passes (M2.A)";
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
    let evidence = json!({"M2.A": pack("M2.A"), "M2.B": pack("M2.B")});
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
        let code = format!("M2{}-B1", letter.to_uppercase());
        let reason = "M2.C needs M2.B, which is not covered, and its pack does not hold on the facts of today";
        assert_eq!(verdict.reasons, [format!("{reason} ({code})")]);
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

/// What the rollup would not take as evidence, a single lane does not take either.
#[test]
fn a_pack_upstream_that_the_rollup_does_not_take_blocks() {
    let rules =
        "b1 contains object.union(check.is_true(\"fresh\"), {\"subject\": lane}) if some lane in [\"M2.A\", \"M2.B\"]";
    let rollup = ("m2/j/rules.rego".to_owned(), lane('j', "M2.C", rules));
    let policies = compile(chain().into_iter().chain([rollup]).collect());
    let covering = |lane: &str, fresh: Value| {
        let evidence = json!({"M2.A": pack("M2.A"), "M2.B": pack("M2.B"), "M2.C": pack("M2.C")});
        let mut facts = json!({"a": true, "b": true, "c": true, "d": true, "evidence": evidence});
        facts["fresh"] = fresh;
        evaluate(&document(facts, true), &policies, &[lane.to_owned()], &[]).unwrap().verdict
    };
    assert_eq!(covering("M2.C", json!(true)).exit_code(), ExitCode::Go);
    let verdict = covering("M2.C", json!(false));
    let reason = "M2.C needs M2.B, which is not covered, and its pack, or one that it rests on, is missing, altered, too old or no \
                  longer true (M2J-B1)";
    assert_eq!((verdict.exit_code(), verdict.reasons), (ExitCode::NoGo, vec![reason.to_owned()]));
    assert_eq!(covering("M2.C", json!("unreadable")).exit_code(), ExitCode::Unreadable);
    // A rollup that says nothing of a lane vouches for none of its packs.
    let verdict = covering("M2.J", json!(true));
    assert!(verdict.reasons.iter().any(|reason| reason.starts_with("M2.J needs M2.C")), "{:?}", verdict.reasons);
}

/// What could not be read upstream may be readable next time, as it may in the lane itself.
#[test]
fn an_upstream_that_is_only_unreadable_is_worth_a_retry() {
    let exit = |facts: Value| {
        evaluate(&document(facts, true), &compile(chain()), &["M2.C".into()], &[]).unwrap().verdict.exit_code()
    };
    let unread = |kind: &str| json!({"status": "unreadable", "error": {"kind": kind}, "receipts": []});
    let with = |a: Value, b: Value| json!({"a": true, "b": true, "c": true, "evidence": {"M2.A": a, "M2.B": b}});
    assert_eq!(exit(with(pack("M2.A"), pack("M2.B"))), ExitCode::Go);
    assert_eq!(exit(with(pack("M2.A"), unread("rejected"))), ExitCode::Unreadable);
    // A pack that a pack rests on counts as much; one that was altered stays so.
    assert_eq!(exit(with(unread("rejected"), pack("M2.B"))), ExitCode::Unreadable);
    assert_eq!(exit(with(pack("M2.A"), unread("malformed"))), ExitCode::NoGo);
    assert_eq!(exit(with(unread("malformed"), pack("M2.B"))), ExitCode::NoGo);
    assert_eq!(exit(with(json!({"status": "absent"}), pack("M2.B"))), ExitCode::NoGo);
    let mut facts = with(pack("M2.A"), pack("M2.B"));
    facts["b"] = json!("unreadable");
    assert_eq!(exit(facts.clone()), ExitCode::Unreadable);
    facts["a"] = json!(false);
    assert_eq!(exit(facts), ExitCode::NoGo);
    // Nothing that is read next time mends what is violated today.
    let mut facts = with(pack("M2.A"), unread("rejected"));
    facts["b"] = json!(false);
    assert_eq!(exit(facts), ExitCode::NoGo);
}

#[test]
fn a_lane_that_is_covered_passes_by_its_facts_and_not_by_a_pack() {
    let facts = json!({"a": true, "b": false, "c": true, "evidence": {"M2.B": pack("M2.B")}});
    assert_eq!(run(chain(), facts).unwrap().verdict.lanes[2].blocked_by, ["M2.B"]);
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

/// All ten lanes, each with a code that claims the same.
fn ten(upstream: impl Fn(char) -> String) -> Vec<(String, String)> {
    let lanes = ('a'..='j').map(|letter| {
        let rules = match letter {
            'j' => {
                "b1 contains object.union(check.is_true(\"a\"), {\"subject\": sprintf(\"M2.%v\", [lane])}) if {\n\t\
                 some lane in [\"A\", \"B\", \"C\", \"D\", \"E\", \"F\", \"G\", \"H\", \"I\"]\n}"
            }
            _ => "b1 contains check.is_true(\"a\")",
        };
        (format!("m2/{letter}/rules.rego"), lane(letter, &upstream(letter), rules))
    });
    [("lib/check.rego".to_owned(), CHECK.to_owned())].into_iter().chain(lanes).collect()
}

#[test]
fn all_ten_lanes_make_a_p0_verdict() {
    let files = ten(|letter| match letter {
        'a' => String::new(),
        _ => format!("M2.{}", char::from(letter as u8 - 1).to_ascii_uppercase()),
    });
    let verdict = run(files.clone(), json!({"a": true})).unwrap().verdict;
    assert_eq!(verdict.p0.status, "GO");
    assert_eq!(verdict.lanes[9].next_gate, "M2_DONE_M3_READY");
    assert_eq!(run(files, json!({"a": false})).unwrap().verdict.p0.status, "NO-GO");
}

/// The rollup alone is asked: the lanes before it pass by their packs, each and all of them.
#[test]
fn a_rollup_answers_for_the_lanes_whose_packs_were_accepted() {
    // What a rollup declares to be upstream of it does not matter: it needs them all.
    let policies = compile(ten(|_| String::new()));
    let rolled_up = |holds: bool, lanes: &[&str]| {
        let packs: Map<String, Value> = lanes.iter().map(|lane| ((*lane).to_owned(), pack(lane))).collect();
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
