//! `check` refuses what makes a verdict wrong without saying so, shows where, and accepts nothing that OPA refuses.

use std::fs;

use serde_json::{Value, json};

use crate::harness::factgate::{Run, run_alone};
use crate::harness::{opa, tools};

/// A library with one rule in it, in a folder of its own.
fn library(rule: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("policies/lib")).unwrap();
    fs::write(folder.path().join("policies/lib/a.rego"), format!("package lib.a\n\n{rule}\n")).unwrap();
    folder
}

fn check(rule: &str, more: &[&str]) -> Run {
    run_alone(library(rule).path(), ["check", "--policies", "policies"].iter().chain(more))
}

#[test]
fn the_shipped_policies_have_no_defect() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_alone(folder.path(), ["check"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.ends_with("10 lanes, 67 codes: no defect\n"), "{}", run.stdout);
}

#[test]
fn a_defect_is_shown_where_it_stands_with_what_to_do() {
    let run = check("x := input.run.regoin", &[]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    for part in [
        "error: `run` has no `regoin`",
        "policies/lib/a.rego:3:6",
        "3 | x := input.run.regoin\n",
        "^^^^^^^^^^^^^^^^",
        "= help: did you mean `region`?",
        "1 file, 0 lanes, 0 codes: 1 defect",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let report: Value = check("x := input.run.regoin", &["-o", "json"]).json();
    let defect = &report["defects"][0];
    assert_eq!((&defect["line"], &defect["column"], &defect["end_column"]), (&json!(3), &json!(6), &json!(22)));
    assert_eq!(defect["help"], "did you mean `region`?");
}

#[test]
fn every_defect_of_every_file_is_told_at_once() {
    let folder = library("x := input.runn\n\ny := input.handels");
    fs::write(folder.path().join("policies/lib/b.rego"), "package lib.b\n\nz := input.awss\n").unwrap();
    let run = run_alone(folder.path(), ["check", "--policies", "policies"]);
    assert!(run.code == 4 && run.stdout.contains("3 defects"), "{}", run.stdout);
}

/// Rules that would pass on missing data, or otherwise than under OPA, one for each way that is known, and what is said of it; `prove`
/// catches those that are right Rego and just do not look.
const FAIL_OPEN: [(&str, &str, &str); 42] = [
    (
        "a negated expression needs that is missing",
        "x if not startswith(input.run.region, \"eu\")",
        "a negated expression needs",
    ),
    ("another call", "x if not regex.match(\"^eu\", input.run.region)", "a negated expression needs"),
    ("a comparison of a call", "x if not count(input.handles) > 3", "a negated expression needs"),
    ("membership", "x if not input.run.region in {\"eu-west-2\"}", "a negated expression needs"),
    ("a comparison of a field", "x if not input.run.region < \"eu\"", "a negated expression needs"),
    ("a field within an array", "x if not [input.run.region] == [\"eu\"]", "a negated expression needs"),
    ("a sum", "x if not input.handles.A.value + 1 == 2", "a negated expression needs"),
    ("a function that gives nothing", "f(1) := 2\n\nx if not f(input) == 2", "a negated expression needs"),
    ("a variable", "x if {\n\trun := input.run\n\tnot startswith(run.region, \"eu\")\n}", "a negated expression needs"),
    ("a rule", "_region := input.run.region\n\nx if not startswith(_region, \"eu\")", "a negated expression needs"),
    ("a function of a field", "f(x) := x.region\n\nx if not f(input.run) in {\"eu\"}", "a negated expression needs"),
    (
        "a misspelled field behind a default",
        "x if object.get(input.run, \"regoin\", \"eu\") == \"eu\"",
        "`run` has no `regoin`",
    ),
    (
        "a misspelled aspect of each of several",
        "x if {\n\tsome b in input.aws.s3.buckets\n\tobject.get(b, [\"versoning\", \"value\"], 1) == 1\n}",
        "has no `versoning`",
    ),
    ("membership as a value", "x if (\"a\" in input.run.region) == false", "`in` as a value needs a field"),
    ("a walk without its pattern", "x := {p | walk(input, p)}", "`walk` works only as"),
    (
        "a glob across colons",
        "x if glob.match(\"arn:*\", [\":\"], \"arn:a:b\")",
        "`glob.match` needs literal delimiters",
    ),
    ("a number beyond 64 bits", "x := 18446744073709551616", "is another number"),
    ("a number that prints as another", "x := 1.0", "prints as another"),
    ("a wrong number of arguments", "x := count([], 1)", "`count` takes 1 arguments"),
    ("an argument of another type", "x := count(1)", "`count` takes a collection"),
    ("a verb that prints nothing", "x if sprintf(\"%d\", [input.handles]) == \"\"", "`sprintf` needs a literal format"),
    ("a set before an object", "x := {1} < {\"a\": 1}", "a set or an object comes before"),
    ("a month that has no 31st", "x := time.add_date(1706659200000000000, 0, 1, 0)", "`time.add_date` adds days only"),
    ("a date beyond all", "x := time.add_date(1706659200000000000, 99999, 0, 0)", "`time.add_date` adds days only"),
    ("a version with its letter", "x if semver.is_valid(\"v1.2.3\")", "`semver.is_valid` is not allowed"),
    ("digits of every script", "x if regex.match(`^\\d+$`, \"1\")", "`\\d` is about every script"),
    ("an interpolated string", "x := $\"{1}\"", "invalid character"),
    ("metadata at run time", "x := rego.metadata.rule()", "`rego.metadata.rule` is not allowed"),
    ("a digest", "x := crypto.sha256(\"a\")", "`crypto.sha256` is not allowed"),
    ("a token", "x := io.jwt.decode(\"a\")", "`io.jwt.decode` is not allowed"),
    (
        "networks that meet",
        "x := net.cidr_intersects(\"10.0.0.0/8\", \"10.0.0.0/8\")",
        "`net.cidr_intersects` is not allowed",
    ),
    ("networks that are one", "x := net.cidr_merge([\"10.0.0.0/8\"])", "`net.cidr_merge` is not allowed"),
    (
        "networks in networks",
        "x := net.cidr_contains_matches(\"a\", \"b\")",
        "`net.cidr_contains_matches` is not allowed",
    ),
    ("globs that meet", "x := regex.globs_match(\"a\", \"a\")", "`regex.globs_match` is not allowed"),
    ("a flattened array", "x := array.flatten([[1]])", "`array.flatten` is not allowed"),
    ("the clock", "x := time.now_ns()", "`time.now_ns` is not allowed"),
    ("chance", "x := rand.intn(\"a\", 2)", "`rand.intn` is not allowed"),
    ("recursion", "f(x) := f(x)", "recurs"),
    ("literals that nest too deeply", "x := [[[[[[[[[[1]]]]]]]]]]", "nest"),
    ("a range without end", "x := numbers.range(1, 60000000)", "`numbers.range` needs two literal bounds"),
    ("a rule that is not there", "y := x.z\n\nx := data.lib.a.w", "there is no"),
    (
        "schemas of annotations",
        "# METADATA\n# title: x\n# schemas: [{input: schema.x}]\nx := 1",
        "unknown key `schemas`",
    ),
];

#[test]
fn what_fails_open_is_refused() {
    let mut others = Vec::new();
    for (what, rule, expected) in FAIL_OPEN {
        let run = check(rule, &["-o", "json"]);
        assert_eq!(run.code, 4, "{what}: {}", run.stdout);
        let report = run.json();
        let problems: Vec<&str> =
            report["defects"].as_array().unwrap().iter().map(|defect| defect["problem"].as_str().unwrap()).collect();
        if !problems.iter().all(|problem| problem.contains(expected)) {
            others.push(format!("{what}: {problems:?}"));
        }
    }
    assert_eq!(others, [""; 0]);
}

const ACCEPTED: [&str; 8] = [
    "x := object.get(input, [\"run\", \"region\"], null)",
    "x if not startswith(object.get(input, [\"run\", \"region\"], \"\"), \"eu\")",
    "x contains y if some y in object.get(input, \"handles\", {})",
    "x := {p | walk(object.get(input, \"run\", {}), [p, _])}",
    "x if glob.match(\"a*\", [\".\"], \"a.b\")",
    "f(x) := y if {\n\ty := x + 1\n} else := 0",
    "x[name] := value if some name, value in object.get(input, \"handles\", {})",
    "x if {\n\tevery y in [1, 2] {\n\t\ty > 0\n\t}\n}",
];

#[test]
fn opa_accepts_what_is_accepted() {
    let folders: Vec<tempfile::TempDir> = ACCEPTED.iter().map(|rule| library(rule)).collect();
    for (folder, rule) in folders.iter().zip(ACCEPTED) {
        let run = run_alone(folder.path(), ["check", "--policies", "policies"]);
        assert_eq!(run.code, 0, "{rule}: {}", run.stdout);
    }
    let shipped = tools::repository().join("policies");
    let all = folders.iter().map(|folder| folder.path().join("policies")).chain([shipped]);
    let jobs: Vec<Value> =
        all.map(|folder| json!({"policies": [folder], "inputs": [{}], "queries": ["data.lib.a"]})).collect();
    for (result, rule) in opa::evaluate(&jobs).iter().zip(ACCEPTED.iter().chain([&"the shipped policies"])) {
        assert!(result.get("error").is_none(), "{rule}: {result}");
    }
}

/// What the engine would take.
const REFUSED_BY_OPA: [&str; 11] = [
    "x := undefined_function(1)",
    "x := undefined_thing",
    "x := count(1)",
    "x if startswith(1, \"a\")",
    "x := concat(\", \", 1)",
    "x := 1 + \"a\"",
    "x := 1\n\nx contains 2",
    "x := 1\n\nx(y) := y",
    "default x := 1\n\ndefault x := 2",
    "default x := input.run",
    "x if {\n\tsome y\n\tinput.run\n}",
];

#[test]
fn what_opa_refuses_is_refused() {
    let folders: Vec<tempfile::TempDir> = REFUSED_BY_OPA.iter().map(|rule| library(rule)).collect();
    let jobs = folders.iter().map(|folder| json!({"policies": [folder.path().join("policies")]}));
    let results = opa::evaluate(&jobs.collect::<Vec<Value>>());
    for ((folder, rule), result) in folders.iter().zip(REFUSED_BY_OPA).zip(results) {
        assert!(result["error"].is_string(), "{rule}: OPA gave {result}");
        let run = run_alone(folder.path(), ["check", "--policies", "policies"]);
        assert_eq!(run.code, 4, "{rule}: {}", run.stdout);
    }
}

#[test]
fn a_folder_without_policies_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    assert_eq!(run_alone(folder.path(), ["check", "--policies", "policies"]).code, 5);
    assert_eq!(run_alone(folder.path(), ["check", "--policies", "missing"]).code, 4);
}
