//! The Rego unit tests that stand beside rules, and which of them can tell a mutant.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::policy::{Dependencies, Engine, EngineValue, Policy, Reach};

/// The paths of the tests of each package, by the package that they are about.
pub(super) fn paths(policies: &[Policy]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for policy in policies {
        let package = policy.ast.package_path().join(".");
        let Some(tested) = package.strip_suffix("_test") else { continue };
        for rule in &policy.ast.rules {
            if let [name] = rule.name().as_slice()
                && name.starts_with("test_")
            {
                found.entry(tested.to_owned()).or_default().push(format!("{package}.{name}"));
            }
        }
    }
    found
}

/// One test.
pub(super) struct UnitTest {
    /// `lib.a_test.test_x`.
    path: String,
    /// What it refers to.
    pub(super) reach: Reach,
}

impl UnitTest {
    pub(super) fn new(path: &str, dependencies: &Dependencies) -> Self {
        Self { path: path.to_owned(), reach: dependencies.reach(path, |_| false) }
    }

    /// Whether it passes. A test that cannot be evaluated does not.
    pub(super) fn passes(&self, engine: &Engine, nothing: &EngineValue) -> bool {
        let value = engine.value(&format!("data.{}", self.path), nothing).ok().flatten();
        value.and_then(|value| value.json().ok()) == Some(Value::Bool(true))
    }
}

/// The tests that are about one package, with the files that they need: first those that come by the fewest rules.
pub(super) struct UnitTests {
    tests: Vec<UnitTest>,
    /// The paths of those that fail without any change, and so can tell nothing.
    pub(super) failing: Vec<String>,
    pub(super) files: BTreeSet<String>,
}

impl UnitTests {
    pub(super) fn new(mut tests: Vec<UnitTest>, dependencies: &Dependencies) -> Self {
        tests.sort_by_key(|test| test.reach.rules.len());
        let files = tests.iter().flat_map(|test| test.reach.files.iter().cloned()).collect();
        Self { tests, failing: Vec::new(), files: dependencies.with_needed(files) }
    }

    /// The same, with those that fail set apart.
    pub(super) fn tried(mut self, engine: &Engine, nothing: &EngineValue) -> Self {
        let (passing, failing): (Vec<_>, Vec<_>) =
            self.tests.into_iter().partition(|test| test.passes(engine, nothing));
        self.failing = failing.into_iter().map(|test| test.path).collect();
        Self { tests: passing, ..self }
    }

    /// Those that come by a rule, and by none of these.
    pub(super) fn reaching(&self, rule: &str, none_of: &BTreeSet<&String>) -> Vec<&UnitTest> {
        let tests = self.tests.iter().filter(|test| test.reach.rules.contains(rule));
        tests.filter(|test| none_of.iter().all(|rule| !test.reach.rules.contains(*rule))).collect()
    }
}
