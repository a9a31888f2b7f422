//! What a policy may say, and what is refused.

use super::*;

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
    files.push(("contract/m2/data.json".into(), "{\"subject\": \"a\", \"pinned\": \"c\"}".into()));
    files.push(("contract/data.json".into(), "{\"overridable\": [\"subject\"]}".into()));
    let contract = json!({"subject": "b"}).as_object().unwrap().clone();
    let options = PolicyOptions { contract, ..PolicyOptions::default() };
    let plain = compile(files.clone());
    let overridden = compile_with(files.clone(), &options).unwrap();
    assert_ne!(plain.identity().digest, overridden.identity().digest);
    assert_eq!(overridden.identity().overrides, ["subject"]);
    // What the policies do not leave to settings is not one.
    let pinned = json!({"pinned": "d"}).as_object().unwrap().clone();
    let error =
        compile_with(files.clone(), &PolicyOptions { contract: pinned, ..options.clone() }).unwrap_err().to_string();
    assert!(
        error.starts_with("the contract override `pinned` is not left to settings\nhelp: settings may change subject"),
        "{error}"
    );
    files.pop();
    let error = compile_with(files, &options).unwrap_err().to_string();
    assert!(error.contains("these policies leave nothing to settings"), "{error}");
    let document = document(json!({"a": true, "b": false}), true);
    assert_eq!(evaluate(&document, &plain, &[], &[]).unwrap().verdict.outcome, Outcome::Go);
    assert_eq!(evaluate(&document, &overridden, &[], &[]).unwrap().verdict.outcome, Outcome::NoGo);
}
