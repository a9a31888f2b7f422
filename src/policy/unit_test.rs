//! Unit tests of policies: rules `test_*` of packages `*_test`, as `opa test` runs them.

mod failure;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use regex::Regex;
use serde::Serialize;
use serde_json::{Value, json};

use super::syntax::{Policy, Rule};
use super::{Answer, Engine, EngineValue, Location, PolicyError, PolicyOptions, PolicySet, SourceFile};

pub use failure::{Failure, Part};

/// What the name of a test begins with that is still to be written, as OPA has it.
const TODO: &str = "todo_test_";

/// Which tests are run, and what is told of them.
#[derive(Clone, Debug, Default)]
pub struct UnitTestOptions {
    /// Only tests whose path (`data.m2.a_test.test_missing_bucket_blocks`) this matches, as `opa test --run` selects them.
    pub selection: Option<Regex>,
    /// Whether coverage is measured.
    pub coverage: bool,
}

/// What the tests of a policy set gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitTestReport {
    /// Every test, by place.
    pub tests: Vec<UnitTest>,
    /// Which lines of the policies the tests went through, by file; empty unless asked for.
    pub coverage: BTreeMap<String, LineCoverage>,
    /// Which rules of the policies they went through, by file; empty unless asked for.
    pub rules: BTreeMap<String, RuleCoverage>,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnitTest {
    /// Where it stands.
    pub location: Location,
    /// `m2.a_test`.
    pub package: String,
    /// `test_missing_bucket_blocks`.
    pub name: String,
    /// How it ended.
    pub outcome: UnitTestOutcome,
    /// What did not hold, where it failed and that could be found.
    pub failure: Option<Failure>,
    /// What it printed.
    pub prints: Vec<String>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitTestOutcome {
    /// It is true.
    Passed,
    /// It is undefined, or something else than true.
    Failed,
    /// It is named `todo_test_…`: somebody means to write it.
    Skipped,
    /// It could not be evaluated.
    Error(String),
}

/// Which lines of a policy were evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineCoverage {
    /// Lines that some test went through.
    pub covered: BTreeSet<u32>,
    /// Lines that none did.
    pub not_covered: BTreeSet<u32>,
}

/// Which rules of a policy were evaluated, each definition as `name:line`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleCoverage {
    /// Definitions that some test went through.
    pub covered: BTreeSet<String>,
    /// Definitions that none did.
    pub not_covered: BTreeSet<String>,
}

impl UnitTestReport {
    /// Whether every test passed that is not to be written yet. There is at least one.
    pub fn has_passed(&self) -> bool {
        let is_fine = |test: &UnitTest| matches!(test.outcome, UnitTestOutcome::Passed | UnitTestOutcome::Skipped);
        self.tests.iter().all(is_fine) && self.count(&UnitTestOutcome::Passed) > 0
    }

    /// Whether the coverage of lines and that of rules reach the threshold, in percent, if there is one. What was not measured does not.
    pub fn is_covered(&self, threshold: Option<f64>) -> bool {
        let is_enough = |threshold| {
            [self.line_coverage(), self.rule_coverage()]
                .iter()
                .all(|share| share.is_some_and(|share| share >= threshold))
        };
        threshold.is_none_or(is_enough)
    }

    /// How many tests ended like this.
    pub fn count(&self, outcome: &UnitTestOutcome) -> usize {
        self.tests.iter().filter(|test| test.outcome == *outcome).count()
    }

    /// The share of lines that the tests went through, in percent; none if it was not measured.
    pub fn line_coverage(&self) -> Option<f64> {
        let lines = self.coverage.values();
        percentage(lines.map(|lines| (lines.covered.len(), lines.not_covered.len())))
    }

    /// The share of rules that the tests went through, in percent; none if it was not measured.
    pub fn rule_coverage(&self) -> Option<f64> {
        let rules = self.rules.values();
        percentage(rules.map(|rules| (rules.covered.len(), rules.not_covered.len())))
    }
}

fn percentage(counts: impl Iterator<Item = (usize, usize)>) -> Option<f64> {
    let (covered, missed) = counts.fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    (covered + missed > 0).then(|| 100.0 * covered as f64 / (covered + missed) as f64)
}

/// Runs the unit tests of a policy set.
///
/// # Errors
/// Fails if policies or tests break a law, or if there is no test: a run that tests nothing must not look like success.
pub fn run_unit_tests(
    set: &PolicySet,
    options: &PolicyOptions,
    what: &UnitTestOptions,
) -> Result<UnitTestReport, PolicyError> {
    run_tests(set, &options.of_unit_tests(), what).map_err(|error| error.below(set.origin()))
}

fn run_tests(set: &PolicySet, options: &PolicyOptions, what: &UnitTestOptions) -> Result<UnitTestReport, PolicyError> {
    let files: Vec<SourceFile> = set.policies().iter().chain(set.tests()).cloned().collect();
    let (engine, _, policies) = super::load(set, &files, options)?;
    let found = find(&policies, what.selection.as_ref());
    if found.is_empty() {
        return Err(no_tests(set, &policies, what));
    }
    let tested: BTreeSet<&str> = set.policies().iter().map(|file| file.name.as_str()).collect();
    let input = EngineValue::new(&json!({}))?;
    let mut report = UnitTestReport { tests: Vec::new(), coverage: BTreeMap::new(), rules: BTreeMap::new() };
    let mut failed = Vec::new();
    let answers: Vec<_> = found
        .par_iter()
        .map(|((package, name), _)| {
            (!name.starts_with(TODO)).then(|| run(&engine, &input, package, name, what.coverage))
        })
        .collect();
    for (((package, name), (policy, rule)), answer) in found.iter().zip(answers) {
        let (outcome, prints) = match answer {
            None => (UnitTestOutcome::Skipped, Vec::new()),
            Some(Ok(answer)) => {
                let outcome = match answer.values.get(name) {
                    Some(Value::Bool(true)) => UnitTestOutcome::Passed,
                    _ => UnitTestOutcome::Failed,
                };
                for file in answer.coverage.into_iter().filter(|file| tested.contains(file.file.as_str())) {
                    let lines = report.coverage.entry(file.file).or_default();
                    lines.covered.extend(file.covered);
                    lines.not_covered.extend(file.not_covered);
                }
                (outcome, answer.prints)
            }
            Some(Err(error)) => (UnitTestOutcome::Error(error.to_string()), Vec::new()),
        };
        if outcome == UnitTestOutcome::Failed {
            let same = policies.iter().filter(|other| other.ast.package_path() == policy.ast.package_path());
            let names = same.flat_map(|other| &other.ast.rules).filter_map(|rule| rule.name().first().copied());
            let names = names.collect();
            failed.push(failure::Failed { test: report.tests.len(), policy, rule, package, names });
        }
        report.tests.push(UnitTest {
            location: policy.rule_location(rule),
            package: package.clone(),
            name: name.clone(),
            outcome,
            failure: None,
            prints,
        });
    }
    if !failed.is_empty() {
        for (failed, found) in failed.iter().zip(failure::explain(set, options, &failed)?) {
            report.tests[failed.test].failure = found;
        }
    }
    for lines in report.coverage.values_mut() {
        lines.not_covered = &lines.not_covered - &lines.covered;
    }
    if what.coverage {
        // The engine says nothing of files that no test comes to.
        for policy in policies.iter().filter(|policy| tested.contains(policy.source.file.as_str())) {
            let lines = || LineCoverage { covered: BTreeSet::new(), not_covered: lines_of(policy) };
            report.coverage.entry(policy.source.file.clone()).or_insert_with(lines);
        }
    }
    for policy in &policies {
        if let Some(lines) = report.coverage.get(&policy.source.file) {
            report.rules.insert(policy.source.file.clone(), rules(policy, lines));
        }
    }
    report.tests.sort();
    Ok(report)
}

/// Why there is nothing to run.
fn no_tests(set: &PolicySet, policies: &[Policy], what: &UnitTestOptions) -> PolicyError {
    let origin = set.origin().to_string();
    let all = find(policies, None);
    match (&what.selection, all.keys().next()) {
        (Some(selection), Some((package, name))) => PolicyError::NoTestSelected {
            origin,
            selection: selection.to_string(),
            count: all.len(),
            example: format!("data.{package}.{name}"),
        },
        _ => PolicyError::NoTests { origin },
    }
}

/// The tests of packages `…_test`, by package and name, each with its first definition.
fn find<'policies>(
    policies: &'policies [Policy],
    selection: Option<&Regex>,
) -> BTreeMap<(String, String), (&'policies Policy, &'policies Rule)> {
    let mut found = BTreeMap::new();
    for policy in policies {
        let package = policy.ast.package_path().join(".");
        if !package.ends_with("_test") {
            continue;
        }
        for rule in &policy.ast.rules {
            if let [name] = rule.name().as_slice()
                && (name.starts_with("test_") || name.starts_with(TODO))
                && selection.is_none_or(|selection| selection.is_match(&format!("data.{package}.{name}")))
            {
                found.entry((package.clone(), (*name).to_owned())).or_insert((policy, rule));
            }
        }
    }
    found
}

/// The lines of a policy that an evaluation could go through: where its expressions begin.
fn lines_of(policy: &Policy) -> BTreeSet<u32> {
    let mut lines = BTreeSet::new();
    for rule in &policy.ast.rules {
        rule.outermost(&mut |expression| {
            expression.nested(&mut |inner| {
                lines.insert(inner.span().line);
            });
        });
    }
    lines
}

/// Which definitions of a policy's rules have a line that was gone through. A definition without any line that is evaluated (a
/// default, a constant of several lines) is left out.
fn rules(policy: &Policy, lines: &LineCoverage) -> RuleCoverage {
    let mut coverage = RuleCoverage::default();
    for rule in &policy.ast.rules {
        let first = rule.span().line;
        let text = rule.span().excerpt(&policy.source.contents);
        let last = first + u32::try_from(text.matches('\n').count()).unwrap_or(0);
        let definition = format!("{}:{first}", rule.name().join("."));
        if lines.covered.range(first..=last).next().is_some() {
            coverage.covered.insert(definition);
        } else if lines.not_covered.range(first..=last).next().is_some() {
            coverage.not_covered.insert(definition);
        }
    }
    coverage
}

fn run(
    engine: &Engine,
    input: &EngineValue,
    package: &str,
    name: &str,
    with_coverage: bool,
) -> Result<Answer, PolicyError> {
    let terms = BTreeMap::from([(name.to_owned(), format!("data.{package}.{name}"))]);
    engine.query(&format!("`{package}.{name}`"), input, &terms, with_coverage)
}

#[cfg(test)]
mod tests {
    use super::{LineCoverage, UnitTestOptions, UnitTestOutcome, UnitTestReport, run_unit_tests};
    use crate::exit::ExitCode;
    use crate::policy::tests::set;
    use crate::policy::{PolicyError, PolicyOptions, PolicySet};

    const POLICY: (&str, &str) = ("lib/a.rego", "package lib.a\n\nx := 1\n\ny := 2 if input.y\n");

    fn run(set: &PolicySet) -> Result<UnitTestReport, PolicyError> {
        run_unit_tests(set, &PolicyOptions::default(), &UnitTestOptions::default())
    }

    #[test]
    fn tests_pass_fail_and_err_with_their_places() {
        let tests = "package lib.a_test\n\nimport data.lib.a\n\n\
                     test_passes if {\n\tprint(\"seen\", a.x)\n\ta.x == 1\n}\n\n\
                     test_fails if a.x == 2\n\ntest_errs if to_number(\"x\") == 1\n\n\
                     test_uses_input if a.y == 2 with input as {\"y\": true}\n\ntest_is_no_boolean := 7\n";
        let set = set(&[POLICY, ("lib/a_test.rego", tests)]).unwrap();
        let report = run(&set).unwrap();
        let outcomes: Vec<(String, &str, &str)> = report
            .tests
            .iter()
            .map(|test| {
                let outcome = match &test.outcome {
                    UnitTestOutcome::Passed => "passed",
                    UnitTestOutcome::Failed => "failed",
                    UnitTestOutcome::Skipped => "skipped",
                    UnitTestOutcome::Error(message) => message.split(" (while").next().unwrap(),
                };
                (test.location.to_string(), test.name.as_str(), outcome)
            })
            .collect();
        assert_eq!(
            outcomes,
            [
                ("lib/a_test.rego:5:1".into(), "test_passes", "passed"),
                ("lib/a_test.rego:10:1".into(), "test_fails", "failed"),
                ("lib/a_test.rego:12:1".into(), "test_errs", "lib/a_test.rego:12:25: could not parse string as number"),
                ("lib/a_test.rego:14:1".into(), "test_uses_input", "passed"),
                ("lib/a_test.rego:16:1".into(), "test_is_no_boolean", "failed"),
            ]
        );
        assert_eq!(report.tests[0].prints, ["lib/a_test.rego:6: seen 1"]);
        assert!(!report.has_passed());
        assert!(report.coverage.is_empty());
    }

    #[test]
    fn a_run_without_tests_fails() {
        let without = set(&[POLICY, ("lib/a_test.rego", "package lib.a_test\n")]).unwrap();
        let error = run(&without).unwrap_err();
        assert!(matches!(error, PolicyError::NoTests { .. }));
        assert_eq!(error.exit_code(), ExitCode::NothingEvaluated);
        let error = run(&set(&[POLICY]).unwrap()).unwrap_err();
        assert!(matches!(error, PolicyError::NoTests { .. }));
    }

    #[test]
    fn coverage_unites_the_lines_of_all_tests() {
        let tests = "package lib.a_test\n\ntest_x if data.lib.a.x == 1\n";
        let unreached = ("lib/b.rego", "package lib.b\n\ny if {\n\tinput.run\n\tinput.handles\n}\n");
        let set = set(&[POLICY, unreached, ("lib/a_test.rego", tests)]).unwrap();
        let report = run_unit_tests(
            &set,
            &PolicyOptions::default(),
            &UnitTestOptions { coverage: true, ..UnitTestOptions::default() },
        )
        .unwrap();
        let files: Vec<&String> = report.coverage.keys().collect();
        assert_eq!(files, ["lib/a.rego", "lib/b.rego"]);
        let unreached = LineCoverage { covered: [].into(), not_covered: [4, 5].into() };
        assert_eq!(report.coverage["lib/b.rego"], unreached);
        assert_eq!(report.rules["lib/b.rego"].not_covered, ["y:3".to_owned()].into());
        let lines = &report.coverage["lib/a.rego"];
        assert!(lines.covered.contains(&3), "{lines:?}");
        assert!(lines.not_covered.contains(&5), "{lines:?}");
    }

    #[test]
    fn tests_are_selected_by_their_path_and_those_to_be_written_are_skipped() {
        let tests = "package lib.a_test\n\ntest_x if data.lib.a.x == 1\n\ntest_y if false\n\ntodo_test_z if false\n";
        let set = set(&[POLICY, ("lib/a_test.rego", tests)]).unwrap();
        let run = |selection: &str| {
            let selection = Some(regex::Regex::new(selection).unwrap());
            let what = UnitTestOptions { selection, ..UnitTestOptions::default() };
            run_unit_tests(&set, &PolicyOptions::default(), &what)
        };
        let report = run("test_[xz]$").unwrap();
        let names: Vec<(&str, &UnitTestOutcome)> =
            report.tests.iter().map(|test| (test.name.as_str(), &test.outcome)).collect();
        assert_eq!(names, [("test_x", &UnitTestOutcome::Passed), ("todo_test_z", &UnitTestOutcome::Skipped)]);
        assert!(report.has_passed());
        // What is to be written shows nothing.
        assert!(!run("todo_").unwrap().has_passed());
        assert!(!run("a_test").unwrap().has_passed());
        let error = run("nothing").unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::NothingEvaluated);
        let expected = "none of the 3 unit tests of memory is selected by `nothing`\n\
                        help: it is matched against paths such as `data.lib.a_test.test_x`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn rules_are_covered_by_their_definitions() {
        let policy = "package lib.a\n\nx := 1 if input.x\n\nx := 2 if {\n\tinput.y\n\tinput.z\n}\n\ny := 3\n";
        let tests = "package lib.a_test\n\ntest_x if data.lib.a.x == 1 with input as {\"x\": true}\n";
        let set = set(&[("lib/a.rego", policy), ("lib/a_test.rego", tests)]).unwrap();
        let what = UnitTestOptions { coverage: true, ..UnitTestOptions::default() };
        let report = run_unit_tests(&set, &PolicyOptions::default(), &what).unwrap();
        let rules = &report.rules["lib/a.rego"];
        assert!(rules.covered.contains("x:3") && rules.not_covered.contains("y:10"), "{rules:?}");
        assert!(report.rule_coverage().is_some_and(|share| share < 100.0), "{rules:?}");
    }

    #[test]
    fn a_failure_shows_what_does_not_hold_and_what_its_parts_are() {
        let tests = "package lib.a_test\n\nimport data.lib.a\n\n\
                     test_compared if {\n\tn := 3\n\ta.x == n\n\tfalse\n}\n\n\
                     test_undefined if {\n\tdoc := {\"p\": {\"q\": 1}}\n\tdoc.p.r == 1\n}\n\n\
                     test_each if {\n\tsome v in [1, 2, 3, 4]\n\tv > 5\n}\n\n\
                     test_with if {\n\ta.y == 9 with input as {\"y\": true}\n}\n\n\
                     test_not if not a.x\n\n\
                     test_value := a.x == 2\n\n\
                     test_union if is_string({a.x} | {2})\n\n\
                     test_object if a.x == {\n\t\"one\": 1,\n\t\"x\": [a.x],\n}\n";
        let set = set(&[POLICY, ("lib/a_test.rego", tests)]).unwrap();
        let report = run(&set).unwrap();
        let shown: Vec<(&str, String)> = report
            .tests
            .iter()
            .map(|test| {
                let failure = test.failure.as_ref().unwrap_or_else(|| panic!("{} is not explained", test.name));
                let parts =
                    failure.parts.iter().map(|part| format!("{} is {}", part.expression, part.values.join(" | ")));
                let parts = parts.collect::<Vec<_>>().join("; ");
                (test.name.as_str(), format!("{}: {}: {parts}", failure.location.line, failure.expression))
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("test_compared", "7: a.x == n: a.x is 1; n is 3".to_owned()),
                ("test_undefined", "13: doc.p.r == 1: doc.p.r is ".to_owned()),
                ("test_each", "18: v > 5: v is 1 | 2 | 3".to_owned()),
                ("test_with", "22: a.y == 9 with input as {\"y\": true}: a.y is 2".to_owned()),
                ("test_not", "25: not a.x: a.x is 1".to_owned()),
                ("test_value", "27: (a.x == 2) == true: a.x is 1".to_owned()),
                ("test_union", "29: is_string({a.x} | {2}): {a.x} | {2} is {1, 2}".to_owned()),
                (
                    "test_object",
                    "31: a.x == { \"one\": 1, \"x\": [a.x], }: a.x is 1; { \"one\": 1, \"x\": [a.x], } is {\"one\": 1, \"x\": [1]}"
                        .to_owned(),
                ),
            ]
        );
    }
}
