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
