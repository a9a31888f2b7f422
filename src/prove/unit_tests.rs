//! The Rego unit tests that stand beside rules, and which of them can tell a mutant.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::policy::{Dependencies, Engine, EngineValue, Policy, Reach};

/// One test.
pub(super) struct UnitTest {
    /// `data.lib.a_test.test_x`.
    query: String,
    /// What it refers to.
    pub(super) reach: Reach,
    /// The files that it needs.
    files: BTreeSet<String>,
}

impl UnitTest {
    /// The tests of each package, by the package that they are about.
    pub(super) fn of(policies: &[Policy], dependencies: &Dependencies) -> BTreeMap<String, Vec<Self>> {
        let mut found: BTreeMap<String, Vec<Self>> = BTreeMap::new();
        for policy in policies {
            let package = policy.ast.package_path().join(".");
            let Some(tested) = package.strip_suffix("_test") else { continue };
            for rule in &policy.ast.rules {
                if let [name] = rule.name().as_slice()
                    && name.starts_with("test_")
                {
                    let path = format!("{package}.{name}");
                    let reach = dependencies.reach(&path, |_| false);
                    let files = dependencies.with_needed(reach.files.clone());
                    let test = Self { query: format!("data.{path}"), reach, files };
                    found.entry(tested.to_owned()).or_default().push(test);
                }
            }
        }
        found
    }

    /// Whether it passes. A test that cannot be evaluated does not.
    pub(super) fn passes(&self, engine: &Engine, nothing: &EngineValue) -> bool {
        let terms = BTreeMap::from([(self.query.clone(), self.query.clone())]);
        let value =
            engine.values(&self.query, nothing, &terms).ok().and_then(|values| values.get(&self.query)?.json().ok());
        value == Some(Value::Bool(true))
    }
}

/// The tests that are about one package, with the files that they need: first those that come by the fewest rules.
pub(super) struct UnitTests<'program> {
    tests: Vec<&'program UnitTest>,
    pub(super) files: BTreeSet<&'program String>,
}

impl<'program> UnitTests<'program> {
    pub(super) fn new(mut tests: Vec<&'program UnitTest>) -> Self {
        tests.sort_by_key(|test| test.reach.rules.len());
        let files = tests.iter().flat_map(|test| &test.files).collect();
        Self { tests, files }
    }

    /// Those that pass.
    pub(super) fn passing(self, engine: &Engine, nothing: &EngineValue) -> Self {
        Self::new(self.tests.into_iter().filter(|test| test.passes(engine, nothing)).collect())
    }

    /// Those that come by a rule, and by none of these.
    pub(super) fn reaching(&self, rule: &str, none_of: &BTreeSet<&String>) -> Vec<&'program UnitTest> {
        let tests = self.tests.iter().copied().filter(|test| test.reach.rules.contains(rule));
        tests.filter(|test| none_of.iter().all(|rule| !test.reach.rules.contains(*rule))).collect()
    }
}
