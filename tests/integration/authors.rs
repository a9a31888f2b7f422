//! The tools of policy authors: their tests run, their failures are explained, and documents are compared.

use std::collections::BTreeSet;
use std::fs;

use factgate::evaluate::{Document, judge};
use factgate_collector::fact::{Digest, Facts};
use factgate_collector::json::unescape;
use serde_json::{Value, json};

use crate::documents::{archive, policies};
use crate::fixtures;
use crate::harness::factgate::{Run, run_alone};

const POLICY: &str = "package lib.a\n\nx := 1\n\ny := 2 if input.y\n";

/// Runs `test` on a policy and its tests, in a folder of their own.
fn test(tests: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let lib = folder.path().join("policies/lib");
    fs::create_dir_all(&lib).unwrap();
    fs::write(lib.join("a.rego"), POLICY).unwrap();
    fs::write(lib.join("a_test.rego"), tests).unwrap();
    run_alone(folder.path(), ["test", "--policies", "policies"].iter().chain(more))
}

const PASSING: &str = "package lib.a_test\n\ntest_x if data.lib.a.x == 1\n\ntodo_test_y if false\n";
const FAILING: &str = "package lib.a_test\n\ntest_x if data.lib.a.x == 2\n";

#[test]
fn tests_that_pass_are_counted_and_those_to_be_written_are_named() {
    let run = test(PASSING, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("1 passed, 0 failed, 1 to do"), "{}", run.stdout);
    assert!(run.stdout.contains("lib.a_test.todo_test_y"), "{}", run.stdout);
}

#[test]
fn a_test_that_fails_shows_what_does_not_hold_and_what_it_found() {
    let run = test(FAILING, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    for part in ["FAILED lib.a_test.test_x", "a_test.rego:3:11: data.lib.a.x == 2", "data.lib.a.x is 1"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn an_every_that_fails_shows_the_members_of_which_it_does_not_hold_and_what_it_found_there() {
    let tests = "package lib.a_test\n\ntest_x if {\n\tevery name, n in {\"a\": 1, \"b\": 2} {\n\t\tis_number(n)\n\t\tn * 2 == \
                 data.lib.a.x * 2\n\t\tname != \"z\"\n\t}\n}\n";
    let shown = test(tests, &[]).stdout;
    for part in
        ["name where not n * 2 == data.lib.a.x * 2 is \"b\"\n", "n * 2 there is 4\n", "data.lib.a.x * 2 there is 2\n"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("where not is_number") && !shown.contains("where not name"), "{shown}");
}

#[test]
fn a_run_that_finds_no_test_is_no_success() {
    let run = test(PASSING, &["--run", "nothing_of_this_name"]);
    assert_eq!((run.code, run.stdout.as_str()), (5, ""), "{}", run.stderr);
    let run = test(PASSING, &["--run", "todo_"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert_eq!(test(PASSING, &["--run", "("]).code, 2);
}

#[test]
fn coverage_below_the_threshold_fails() {
    let run = test(PASSING, &["--threshold", "99"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("below the threshold of 99 %") && run.stdout.contains("y:5"), "{}", run.stdout);
    assert_eq!(test(PASSING, &["--threshold", "10"]).code, 0);
    assert_eq!(test(PASSING, &["--threshold", "101"]).code, 2);
}

#[test]
fn every_format_tells_the_same_of_the_tests() {
    for (tests, code, passed, failed) in [(PASSING, 0, 1, 0), (FAILING, 1, 0, 1)] {
        let json = test(tests, &["-o", "json"]);
        let junit = test(tests, &["-o", "junit"]);
        assert_eq!((json.code, junit.code), (code, code));
        let report: Value = json.json();
        assert_eq!(report["passed"], passed, "{report:#}");
        assert_eq!(junit.stdout.matches("<failure").count(), failed, "{}", junit.stdout);
        assert!(junit.stdout.contains("<testsuite name=\"lib.a_test\""), "{}", junit.stdout);
    }
}

#[test]
fn the_embedded_policies_are_watched_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_alone(folder.path(), ["test", "--watch"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stderr.contains("--policies"), "{}", run.stderr);
}

fn diff(before: &str, after: &str, more: &[&str]) -> Run {
    let facts = fixtures::folder();
    run_alone(&facts, ["diff", before, after].iter().chain(more))
}

#[test]
fn two_documents_differ_in_their_facts_and_in_what_blocks() {
    let run = diff("ready.json", "blocked.json", &["-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let difference = run.json();
    assert_eq!((&difference["before"]["outcome"], &difference["after"]["outcome"]), (&"GO".into(), &"NO-GO".into()));
    let changes = difference["verdicts"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["before"].is_null() && change["after"].is_string()));
    assert_eq!(changes.len(), difference["after"]["blockers"].as_u64().unwrap() as usize);
    let facts = difference["facts"].as_array().unwrap();
    let is_open = |fact: &&Value| {
        fact["pointer"] == "/aws/s3/buckets/fraud-platform-dev-full-tfstate/public_access_block"
            && fact["kind"] == "status"
    };
    assert!(facts.iter().any(|fact| is_open(&fact)), "{facts:#?}");
    let back = diff("blocked.json", "ready.json", &["-o", "json"]).json();
    assert_eq!(back["verdicts"].as_array().unwrap().len(), changes.len());
    assert!(back["verdicts"][0]["after"].is_null());
}

#[test]
fn a_difference_in_markdown_has_the_rows_of_the_one_in_json() {
    let json = diff("ready.json", "blocked.json", &["-o", "json"]).json();
    let markdown = diff("ready.json", "blocked.json", &["-o", "markdown"]).stdout;
    let rows = |sign: &str| markdown.lines().filter(|line| line.starts_with(&format!("| {sign} | "))).count();
    assert!(markdown.starts_with("## GO → NO-GO\n"), "{markdown}");
    assert_eq!(rows("appeared"), json["verdicts"].as_array().unwrap().len());
    let facts = json["facts"].as_array().unwrap();
    for kind in ["added", "removed", "status", "changed"] {
        assert_eq!(rows(kind), facts.iter().filter(|fact| fact["kind"] == kind).count(), "{kind}");
    }
    assert!(
        markdown.contains("| appeared | M2A-B2 | TF\\_STATE\\_BUCKET | BlockPublicAcls is on |  | absent |"),
        "{markdown}"
    );
    assert!(diff("ready.json", "ready.json", &["-o", "markdown"]).stdout.matches("The same.").count() == 2);
}

#[test]
fn a_document_does_not_differ_from_itself() {
    let run = diff("ready.json", "ready.json", &[]);
    assert_eq!((run.code, run.stdout.matches("the same").count()), (0, 2), "{}", run.stdout);
    let run = diff("ready.json", "ready.json", &["-o", "junit"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert!(run.stderr.contains("help: name another format: -o table, -o json, -o markdown"), "{}", run.stderr);
}

fn explain(arguments: &[&str]) -> Run {
    run_alone(&fixtures::folder(), ["explain"].iter().chain(arguments))
}

#[test]
fn junit_tells_of_the_coverage_that_was_asked_for() {
    for (threshold, code, failures) in [("100", 1, 2), ("10", 0, 0)] {
        let run = test(PASSING, &["--threshold", threshold, "-o", "junit"]);
        assert_eq!(run.code, code, "{} {}", run.stdout, run.stderr);
        assert_eq!(run.stdout.matches("<failure").count(), failures, "{}", run.stdout);
        assert!(run.stdout.contains("<testsuite name=\"coverage\""), "{}", run.stdout);
        let json = test(PASSING, &["--threshold", threshold, "-o", "json"]).json();
        assert_eq!(json["has_passed"], code == 0, "{json:#}");
    }
}

#[test]
fn a_test_that_walks_is_explained_without_a_complaint_of_the_engine() {
    let run = test(
        "package lib.a_test\n\ntest_x if {\n\twalk({\"a\": 1}, [path, value])\n\tvalue == 4\n\tcount(path) > 0\n}\n",
        &[],
    );
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{}", run.stdout);
    assert!(run.stdout.contains("value == 4"), "{}", run.stdout);
}

#[test]
fn a_code_is_explained_with_its_rule() {
    let run = explain(&["m2a-b2"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in ["M2A-B2 S1 M2-B1 of M2.A", "to do: ", "m2/a/state_backend.rego:", "b2 contains "] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let run = explain(&["M2A-B9"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("did you mean `M2A-B"), "{}", run.stderr);
}

#[test]
fn a_blocker_is_explained_with_its_receipts_and_what_would_clear_it() {
    let run = explain(&["M2A-B2", "--facts", "blocked.json", "--subject", "TF_STATE_BUCKET", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let explanation = run.json();
    let blockers = explanation["blockers"].as_array().unwrap();
    assert_eq!(blockers.len(), 4, "{blockers:#?}");
    for blocker in blockers {
        assert_eq!(blocker["check"]["cause"], "absent");
        let mut facts = blocker["facts"].as_array().unwrap().iter();
        let receipt = &facts.find(|fact| fact["status"] == "absent").unwrap()["receipts"][0];
        assert!(receipt["key"].as_str().unwrap().starts_with("s3.GetPublicAccessBlock/"), "{receipt:#}");
        assert!(receipt["receipt"]["request_id"].is_string(), "{receipt:#}");
        assert_eq!(blocker["edits"].as_array().map(Vec::len), Some(1), "{blocker:#}");
    }
    let run = explain(&["M2A-B2", "--facts", "unreadable.json", "-o", "json"]).json();
    let actions: Vec<&Value> = run["blockers"].as_array().unwrap().iter().map(|blocker| &blocker["actions"]).collect();
    assert!(actions.iter().all(|actions| !actions.as_array().unwrap().is_empty()), "{actions:#?}");
    let run = explain(&["M2A-B2", "--facts", "ready.json"]);
    assert!(run.stdout.contains("Nothing blocks under it."), "{}", run.stdout);
}

#[test]
fn the_edits_of_a_code_clear_all_of_it() {
    let explanation = explain(&["M2A-B2", "--facts", "blocked.json", "-o", "json"]).json();
    let edits = explanation["edits"].as_array().unwrap();
    assert_eq!(edits.len(), 1, "{edits:#?}");
    let settings = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    assert_eq!(edits[0]["value"]["value"], settings.map(|setting| (setting, true)).into_iter().collect::<Value>());
    let run = explain(&["M2A-B2", "--facts", "blocked.json"]);
    assert!(run.stdout.contains("all of them would hold with"), "{}", run.stdout);
    // What was not read is written anyway: what is missing goes there, and nothing else is taken away.
    let explanation = explain(&["M2I-B5", "--facts", "blocked.json", "-o", "json"]).json();
    let pointers: Vec<&Value> = explanation["edits"].as_array().unwrap().iter().map(|edit| &edit["pointer"]).collect();
    assert_eq!(pointers, ["/terraform/stacks/ops/state"], "{:#}", explanation["edits"]);
}

#[test]
fn what_follows_from_blockers_of_other_lanes_is_cleared_by_what_clears_them() {
    let run = explain(&["M2J-B2", "--facts", "blocked.json", "--subject", "M2A-B2", "-o", "json"]).json();
    let edits = run["blockers"][0]["edits"].as_array().unwrap();
    assert_eq!(edits.len(), 1, "{edits:#?}");
    let settings = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    assert_eq!(edits[0]["value"]["value"], settings.map(|setting| (setting, true)).into_iter().collect::<Value>());
}

/// The checks that do not hold on an edited document, as code, subject and claim. The document is read as any other is.
fn open_checks(document: &Value, edits: &Value, lane: &str) -> Vec<[String; 3]> {
    let mut document = document.clone();
    document.as_object_mut().unwrap().remove("digest");
    for edit in edits.as_array().unwrap() {
        put(&mut document, edit["pointer"].as_str().unwrap(), edit["value"].clone());
    }
    let facts = Facts::parse("edited.json", document.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{edits:#}: {error}"));
    let document = Document::new(facts.json().clone(), false).unwrap();
    let verdict = judge(&document, policies(), &[lane.to_owned()], &[]).unwrap();
    let codes = verdict.lanes.into_iter().flat_map(|lane| lane.codes);
    let checks = codes.flat_map(|code| code.checks.into_iter().map(move |check| (code.code.clone(), check)));
    checks.filter(|(_, check)| !check.ok).map(|(code, check)| [code, check.subject, check.claim]).collect()
}

/// The codes that block on an archived document, but for the rollup's.
fn blocking_codes(name: &str) -> Vec<String> {
    let verdict = judge(&Document::new(archive(name), true).unwrap(), policies(), &[], &[]).unwrap();
    let blockers = verdict.lanes.iter().filter(|lane| lane.lane != "M2.J").flat_map(|lane| &lane.blockers);
    let codes: BTreeSet<String> = blockers.map(|blocker| blocker.code.clone()).collect();
    codes.into_iter().collect()
}

#[test]
fn what_would_clear_a_blocker_clears_it_on_the_document_as_it_is() {
    // On the document that blocks, every blocker and every code. Where reads were denied, most.
    for (name, least) in [("blocked.json", 1.0), ("unreadable.json", 0.95)] {
        let document = archive(name);
        let (mut blockers, mut cleared) = (0, 0);
        for code in blocking_codes(name).iter().filter(|code| name == "blocked.json" || *code != "M2F-B3") {
            let lane = code.split('-').next().unwrap().replace("M2", "M2.");
            let explanation = explain(&[code, "--facts", name, "-o", "json"]).json();
            for blocker in explanation["blockers"].as_array().unwrap() {
                blockers += 1;
                if blocker["edits"].is_null() {
                    continue;
                }
                let [subject, claim] =
                    ["subject", "claim"].map(|name| blocker["check"][name].as_str().unwrap().to_owned());
                let open = open_checks(&document, &blocker["edits"], &lane);
                assert!(!open.contains(&[code.clone(), subject, claim]), "{code}: {blocker:#}");
                cleared += 1;
            }
            if !explanation["edits"].is_null() {
                let open = open_checks(&document, &explanation["edits"], &lane);
                assert!(open.iter().all(|[other, ..]| other != code), "{code}: {open:?} {:#}", explanation["edits"]);
            } else if name == "blocked.json" {
                // The receipts of what was not collected cannot be made up.
                assert_eq!(code, "M2H-B7");
            }
        }
        assert!(f64::from(cleared) >= least * f64::from(blockers), "{name}: {cleared} of {blockers}");
    }
}

#[test]
fn a_handle_that_pins_nothing_is_pinned_to_what_was_collected() {
    let folder = tempfile::tempdir().unwrap();
    let mut document = archive("ready.json");
    document.as_object_mut().unwrap().remove("digest");
    let pinned = document["handles"].as_object_mut().unwrap().remove("S3_EVIDENCE_BUCKET").unwrap();
    fs::write(folder.path().join("facts.json"), document.to_string()).unwrap();
    let subject = ["--subject", "S3_EVIDENCE_BUCKET"];
    let run =
        run_alone(folder.path(), ["explain", "M2B-B4", "--facts", "facts.json", "-o", "json"].iter().chain(&subject));
    let explanation = run.json();
    assert!(explanation["blockers"].as_array().unwrap().len() > 3, "{explanation:#}");
    let expected = json!([{"pointer": "/handles/S3_EVIDENCE_BUCKET", "value": {"value": pinned["value"], "line": 1}}]);
    assert_eq!(explanation["edits"], expected, "{explanation:#}");
}

#[test]
fn bytes_are_shown_if_they_are_those_of_the_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("raw");
    fs::create_dir(&raw).unwrap();
    let explain = || run_alone(folder.path(), ["explain", "M2A-B2", "--facts", "facts.json", "--raw", "raw"]);
    let mut document = archive("blocked.json");
    document.as_object_mut().unwrap().remove("digest");
    let answer = "<PublicAccessBlockConfiguration/>";
    let digest = Digest::of(answer.as_bytes()).to_string();
    let name = digest.trim_start_matches("sha256:");
    let receipts = document["receipts"].as_object_mut().unwrap();
    let (_, receipt) = receipts
        .iter_mut()
        .find(|(key, _)| key.starts_with("s3.GetPublicAccessBlock/") && key.ends_with("-tfstate"))
        .unwrap();
    receipt["body_digest"] = json!(digest);
    fs::write(folder.path().join("facts.json"), document.to_string()).unwrap();
    let run = explain();
    assert!(run.stdout.contains("its bytes are not kept there"), "{} {}", run.stdout, run.stderr);
    fs::write(raw.join(name), "forged").unwrap();
    let run = explain();
    assert!(run.stdout.contains("have another digest") && !run.stdout.contains("forged"), "{}", run.stdout);
    fs::write(raw.join(name), answer).unwrap();
    let run = explain();
    assert!(run.stdout.contains(answer) && !run.stdout.contains("have another digest"), "{}", run.stdout);
}

/// Puts a value at a pointer, with the objects that are missing on the way.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let steps = pointer.split('/').skip(1).map(unescape);
    *steps.fold(document, |place, step| match place {
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        _ => &mut place[step],
    }) = value;
}

#[test]
fn what_a_code_claims_nothing_about_cannot_be_explained() {
    let run = explain(&["M2A-B2", "--facts", "blocked.json", "--subject", "TF_STATE_BUCKT"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("claims nothing about `TF_STATE_BUCKT`"), "{}", run.stderr);
    assert!(run.stderr.contains("did you mean `TF_STATE_BUCKET`"), "{}", run.stderr);
    let run = explain(&["M2A-B2", "--facts", "blocked.json", "--raw", "nowhere"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("there is no folder nowhere"), "{}", run.stderr);
}

/// A NO-GO never looks like a success, in any form.
#[test]
fn a_verdict_as_junit_tells_what_the_json_does() {
    for (name, code) in [("ready.json", 0), ("blocked.json", 1), ("unreadable.json", 3)] {
        let facts = fixtures::folder();
        let json = run_alone(&facts, ["eval", name, "-o", "json"]);
        let junit = run_alone(&facts, ["eval", name, "-o", "junit"]);
        assert_eq!((json.code, junit.code), (code, code), "{name}");
        let verdict = json.json();
        let lanes = verdict["lanes"].as_array().unwrap();
        let causes =
            lanes.iter().flat_map(|lane| lane["blockers"].as_array().unwrap()).map(|blocker| &blocker["cause"]);
        let (unreadable, other): (Vec<_>, Vec<_>) = causes.partition(|cause| **cause == "unreadable");
        assert_eq!(junit.stdout.matches("<error").count(), unreadable.len(), "{name}");
        assert_eq!(junit.stdout.matches("<failure").count(), other.len(), "{name}");
    }
}

#[test]
fn shells_and_man_get_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run_alone(folder.path(), ["completions", shell]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(["eval", "prove", "policies"].iter().all(|word| run.stdout.contains(word)), "{shell}");
    }
    assert_eq!(run_alone(folder.path(), ["completions", "tcsh"]).code, 2);
    let page = run_alone(folder.path(), ["man"]);
    assert!(page.code == 0 && page.stdout.contains(".TH factgate 1"), "{}", page.stdout);
    assert_eq!(run_alone(folder.path(), ["man", "--out", "pages/man1"]).code, 0);
    let eval = fs::read_to_string(folder.path().join("pages/man1/factgate-eval.1")).unwrap();
    assert!(eval.contains("waivers"), "{eval}");
    fs::write(folder.path().join("file"), "").unwrap();
    let run = run_alone(folder.path(), ["man", "--out", "file"]);
    assert_eq!(run.code, 4);
    assert!(run.stderr.contains("file cannot be written"), "{}", run.stderr);
    assert_eq!(run_alone(folder.path(), ["man", "-o", "json"]).code, 2);
}

#[test]
fn the_reference_has_every_code_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let reference = run_alone(folder.path(), ["codes", "-o", "markdown"]).stdout;
    let codes: Value = run_alone(folder.path(), ["codes", "-o", "json"]).json();
    for code in codes.as_array().unwrap() {
        let text = |key: &str| code[key].as_str().unwrap();
        assert!(reference.contains(&format!("\n### {}: {}\n", text("code"), text("title"))), "{}", text("code"));
        assert!(reference.contains(text("remediation")), "{}", text("code"));
    }
}
