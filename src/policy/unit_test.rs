//! Unit tests of policies: rules `test_*` of packages `*_test`, as `opa test` runs them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, Engine, EngineValue, Location, PolicyError, PolicyOptions, PolicySet, SourceFile};

/// What the tests of a policy set gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitTestReport {
    /// Every test, by place.
    pub tests: Vec<UnitTest>,
    /// Which lines of the policies the tests went through, by file; empty unless asked for.
    pub coverage: BTreeMap<String, LineCoverage>,
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

impl UnitTestReport {
    /// Whether every test passed. There is at least one.
    pub fn has_passed(&self) -> bool {
        !self.tests.is_empty() && self.tests.iter().all(|test| test.outcome == UnitTestOutcome::Passed)
    }
}

/// Runs the unit tests of a policy set.
///
/// # Errors
/// Fails if policies or tests break a law, or if there is no test: a run that tests nothing must not look like success.
pub fn run_unit_tests(
    set: &PolicySet,
    options: &PolicyOptions,
    with_coverage: bool,
) -> Result<UnitTestReport, PolicyError> {
    let files: Vec<SourceFile> = set.policies().iter().chain(set.tests()).cloned().collect();
    let (engine, _, policies) = super::load(set, &files, options)?;
    let tested: BTreeSet<&str> = set.policies().iter().map(|file| file.name.as_str()).collect();
    let mut found = BTreeMap::new();
    for policy in &policies {
        let package = policy.ast.package_path().join(".");
        if !package.ends_with("_test") {
            continue;
        }
        for rule in &policy.ast.rules {
            if let [name] = rule.name().as_slice()
                && name.starts_with("test_")
            {
                // A test in several definitions is one test; its first place names it.
                found.entry((package.clone(), (*name).to_owned())).or_insert_with(|| policy.rule_location(rule));
            }
        }
    }
    if found.is_empty() {
        return Err(PolicyError::NoTests { origin: set.origin().to_string() });
    }
    let input = EngineValue::new(&json!({}))?;
    let mut report = UnitTestReport { tests: Vec::new(), coverage: BTreeMap::new() };
    for ((package, name), location) in found {
        let (outcome, prints) = match run(&engine, &input, &package, &name, with_coverage) {
            Ok(answer) => {
                let outcome = match answer.values.get(&name) {
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
            Err(error) => (UnitTestOutcome::Error(error.to_string()), Vec::new()),
        };
        report.tests.push(UnitTest { location, package, name, outcome, prints });
    }
    for lines in report.coverage.values_mut() {
        lines.not_covered = &lines.not_covered - &lines.covered;
    }
    report.tests.sort();
    Ok(report)
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
    use super::{UnitTestOutcome, run_unit_tests};
    use crate::exit::ExitCode;
    use crate::policy::tests::set;
    use crate::policy::{PolicyError, PolicyOptions};

    const POLICY: (&str, &str) = ("lib/a.rego", "package lib.a\n\nx := 1\n\ny := 2 if input.y\n");

    #[test]
    fn tests_pass_fail_and_err_with_their_places() {
        let tests = "package lib.a_test\n\nimport data.lib.a\n\n\
                     test_passes if {\n\tprint(\"seen\", a.x)\n\ta.x == 1\n}\n\n\
                     test_fails if a.x == 2\n\ntest_errs if to_number(\"x\") == 1\n\n\
                     test_uses_input if a.y == 2 with input as {\"y\": true}\n\ntest_is_no_boolean := 7\n\nhelper := 1\n";
        let set = set(&[POLICY, ("lib/a_test.rego", tests)]).unwrap();
        let report = run_unit_tests(&set, &PolicyOptions::default(), false).unwrap();
        let outcomes: Vec<(String, &str, &str)> = report
            .tests
            .iter()
            .map(|test| {
                let outcome = match &test.outcome {
                    UnitTestOutcome::Passed => "passed",
                    UnitTestOutcome::Failed => "failed",
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
        for tests in ["package lib.a_test\n\nhelper := 1\n", "package lib.a_test\n\ntest := 1\n"] {
            let set = set(&[POLICY, ("lib/a_test.rego", tests)]).unwrap();
            let error = run_unit_tests(&set, &PolicyOptions::default(), false).unwrap_err();
            assert!(matches!(error, PolicyError::NoTests { .. }));
            assert_eq!(error.exit_code(), ExitCode::NothingEvaluated);
        }
        let error = run_unit_tests(&set(&[POLICY]).unwrap(), &PolicyOptions::default(), false).unwrap_err();
        assert!(matches!(error, PolicyError::NoTests { .. }));
    }

    #[test]
    fn coverage_unites_the_lines_of_all_tests() {
        let tests = "package lib.a_test\n\ntest_x if data.lib.a.x == 1\n";
        let set = set(&[POLICY, ("lib/a_test.rego", tests)]).unwrap();
        let report = run_unit_tests(&set, &PolicyOptions::default(), true).unwrap();
        let files: Vec<&String> = report.coverage.keys().collect();
        assert_eq!(files, ["lib/a.rego"]);
        let lines = &report.coverage["lib/a.rego"];
        assert!(lines.covered.contains(&3), "{lines:?}");
        assert!(lines.not_covered.contains(&5), "{lines:?}");
    }
}
