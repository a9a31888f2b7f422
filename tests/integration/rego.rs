//! The unit tests that stand beside the policies, under both engines.

use std::collections::BTreeSet;

use factgate::policy::{PolicyOptions, PolicySet, UnitTestOptions, UnitTestOutcome, run_unit_tests};
use serde_json::json;

use crate::harness::opa;

/// The share of the shipped policies' lines that the tests must go through.
const COVERAGE: f64 = 0.98;

#[test]
fn every_rego_test_passes_and_they_cover_the_policies_and_opa_agrees() {
    let job = json!({"policies": ["policies"], "tests": true});
    let opa = std::thread::spawn(move || opa::evaluate(&[job]).remove(0));
    let set = PolicySet::embedded().unwrap();
    let what = UnitTestOptions { coverage: true, ..UnitTestOptions::default() };
    let report = run_unit_tests(&set, &PolicyOptions::default(), &what).unwrap_or_else(|error| panic!("{error}"));
    let failed: Vec<_> = report.tests.iter().filter(|test| test.outcome != UnitTestOutcome::Passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let ours: BTreeSet<String> =
        report.tests.iter().map(|test| format!("data.{}.{}", test.package, test.name)).collect();
    assert!(!ours.is_empty());

    let result = opa.join().unwrap();
    assert!(result.get("error").is_none(), "{result:#}");
    let theirs = result["tests"].as_object().unwrap();
    for (name, outcome) in theirs {
        assert_eq!(*outcome, json!({"value": true}), "{name} under OPA");
    }
    assert_eq!(theirs.keys().cloned().collect::<BTreeSet<_>>(), ours, "both engines run the same tests");
    assert!(theirs.len() > 120, "{}", theirs.len());

    for file in set.policies() {
        assert!(report.coverage.contains_key(&file.name), "no line of {} was evaluated", file.name);
        let rules = report.rules.get(&file.name).map_or(0, |rules| rules.covered.len());
        assert!(rules > 0, "no rule of {} was gone through", file.name);
    }
    let missed: Vec<_> = report.rules.iter().filter(|(_, rules)| !rules.not_covered.is_empty()).collect();
    assert!(missed.is_empty(), "rules that no test goes through: {missed:#?}");
    let covered: usize = report.coverage.values().map(|lines| lines.covered.len()).sum();
    let missed: Vec<String> = report
        .coverage
        .iter()
        .flat_map(|(file, lines)| lines.not_covered.iter().map(move |line| format!("{file}:{line}")))
        .collect();
    let share = covered as f64 / (covered + missed.len()) as f64;
    println!("{} tests; {covered} of {} lines, {share:.4}", ours.len(), covered + missed.len());
    assert!(share >= COVERAGE, "{share:.4}; missed: {missed:#?}");
}
