//! Policies with a defect: refused with file and line before anything is evaluated, or stopped when they do not end.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bad_input::{assert_refused, names};
use crate::fixtures;
use crate::harness::factgate::{Run, run_alone};
use crate::harness::tools;

const STATE_BACKEND: &str = "policies/m2/a/state_backend.rego";
const ARTIFACTS: &str = "policies/m2/a/evidence.rego";

/// A copy of the policies in a folder with the document of a ready world.
pub(crate) fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let policies = tools::repository().join("policies");
    for entry in walkdir::WalkDir::new(&policies).into_iter().map(Result::unwrap) {
        let target = folder.path().join("policies").join(entry.path().strip_prefix(&policies).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    fs::copy(fixtures::folder().join("ready.json"), folder.path().join("facts.json")).unwrap();
    folder
}

fn eval(folder: &Path, more: &[&str]) -> Run {
    let fixed = ["eval", "facts.json", "--policies", "policies", "--evidence-root", "packs", "-o", "json=verdict.json"];
    run_alone(folder, fixed.iter().chain(more))
}

/// Evaluates policies with this text added to one file; the refusal must leave the folder as it was.
fn refuse_with(file: &str, addition: &str, more: &[&str], says: &[&str]) {
    let folder = workspace();
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, format!("{text}\n{addition}\n")).unwrap();
    let listed = names(folder.path());
    let started = Instant::now();
    assert_refused(&eval(folder.path(), more), 4, says);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(names(folder.path()), listed);
}

#[test]
fn the_copied_policies_work() {
    let folder = workspace();
    let run = eval(folder.path(), &[]);
    assert_eq!(run.code, 0, "{run:#?}");
}

#[test]
fn a_rego_syntax_error_is_refused_with_its_place() {
    refuse_with(STATE_BACKEND, "broken if {", &[], &["policies/m2/a/state_backend.rego:"]);
    refuse_with("policies/m2/a/new.rego", "package m2.a\n\nbroken := [1, 2\n", &[], &["policies/m2/a/new.rego:"]);
    refuse_with("policies/contract/m2/data.json", ",", &[], &["policies/contract/m2/data.json:"]);
}

#[test]
fn recursion_is_refused_with_its_place() {
    let direct = "endless(n) := endless(n + 1)";
    refuse_with(STATE_BACKEND, direct, &[], &["policies/m2/a/state_backend.rego:", "endless"]);
    let mutual = "here(n) := there(n)\n\nthere(n) := here(n)";
    refuse_with(STATE_BACKEND, mutual, &[], &["policies/m2/a/state_backend.rego:", "here", "there"]);
}

#[test]
fn denied_builtins_are_refused_with_their_place() {
    for call in [
        r#"http.send({"method": "get", "url": "http://localhost"})"#,
        "time.now_ns()",
        "opa.runtime()",
        r#"rand.intn("x", 3)"#,
        r#"net.lookup_ip_addr("localhost")"#,
        r#"uuid.rfc4122("x")"#,
    ] {
        let name = call.split('(').next().unwrap();
        refuse_with(STATE_BACKEND, &format!("leak := {call}"), &[], &["policies/m2/a/state_backend.rego:", name]);
    }
}

#[test]
fn an_evaluation_that_does_not_end_is_stopped() {
    let numbers = "endless_numbers := numbers.range(1, 10000)\n\n";
    let product = "endless contains [a, b, c] if {\n\tsome a in endless_numbers\n\tsome b in endless_numbers\n\tsome c in endless_numbers\n\ta + b + c < 0\n}\n\n";
    let used = "b1 contains entry if {\n\tcount(endless) > 0\n\tentry := {}\n}";
    let addition = format!("{numbers}{product}{used}");
    refuse_with(
        STATE_BACKEND,
        &addition,
        &["--policy-timeout", "1s"],
        &["evaluating the package `m2.a` took longer than 1 s", "comprehension"],
    );
}

#[test]
fn policies_that_are_not_there_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixtures::folder().join("ready.json"), folder.path().join("facts.json")).unwrap();
    assert_refused(&eval(folder.path(), &[]), 4, &["policies is not a policy folder"]);
    fs::create_dir(folder.path().join("policies")).unwrap();
    let run = eval(folder.path(), &[]);
    assert!([4, 5].contains(&run.code), "{run:#?}");
    assert_refused(&run, run.code, &["policies"]);
    assert_eq!(names(folder.path()), ["facts.json", "policies"]);
}

#[test]
fn an_artifact_that_is_declared_and_not_given_is_refused() {
    let folder = workspace();
    let path = folder.path().join(ARTIFACTS);
    let text = fs::read_to_string(&path).unwrap();
    let renamed = text.replace("\"m2a_execution_summary.json\"", "\"m2a_another.json\"");
    assert_ne!(renamed, text);
    fs::write(&path, renamed).unwrap();
    let listed = names(folder.path());
    assert_refused(&eval(folder.path(), &[]), 4, &["m2a_execution_summary.json"]);
    assert_eq!(names(folder.path()), listed);
}

#[test]
fn a_rule_without_its_code_and_a_check_without_its_fields_are_refused() {
    let unnamed = "b9 contains {} if false";
    refuse_with(STATE_BACKEND, unnamed, &[], &["policies/m2/a/state_backend.rego:", "b9"]);
    let malformed = "b1 contains {\"subject\": 7, \"ok\": \"yes\"}";
    refuse_with(STATE_BACKEND, malformed, &[], &["b1"]);
}
