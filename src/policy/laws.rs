//! The laws that policies are held to before anything is evaluated.
//!
//! The engine aborts the process on a recursive function and has builtins that reach outside of the fact document; both must
//! be found in the text. So must everything that would make a rule silently not count.

mod arguments;
mod builtins;
mod constants;
mod negation;
mod packages;
mod recursion;
mod rules;
mod unit_tests;
mod values;

#[cfg(test)]
pub(crate) use builtins::ALLOWED;

use std::collections::{BTreeMap, BTreeSet};

use super::reference::{Names, References};
use super::syntax::{Policy, Rule, Span};
use super::{Defect, Location};

/// Every broken law.
pub(crate) fn check(policies: &[Policy], data: &[super::data::DataFile]) -> Vec<Defect> {
    let rule_names = rule_names(policies);
    let program = Program::new(policies, &rule_names);
    let mut defects = packages::check(policies, data);
    defects.extend(builtins::check(&program));
    defects.extend(constants::check(&program));
    defects.extend(negation::check(&program));
    defects.extend(recursion::check(&program));
    defects.extend(rules::check(&program, data));
    defects.extend(unit_tests::check(&program));
    defects.extend(values::check(&program));
    defects
}

/// What is no broken law, and of no use either.
pub(crate) fn unused(policies: &[Policy]) -> Vec<Defect> {
    unit_tests::unused(&Program::new(policies, &rule_names(policies)))
}

/// The rules of all files with what they refer to.
struct Program<'tree> {
    rules: Vec<RuleView<'tree>>,
    /// Rule path → how many arguments it takes, if it is a function.
    arities: BTreeMap<Vec<String>, Option<usize>>,
    packages: BTreeSet<Vec<String>>,
}

/// One definition of a rule.
struct RuleView<'tree> {
    policy: &'tree Policy,
    rule: &'tree Rule,
    path: Vec<String>,
    references: References<'tree>,
    is_test: bool,
}

impl<'tree> Program<'tree> {
    fn new(policies: &'tree [Policy], rule_names: &'tree BTreeMap<Vec<String>, BTreeSet<String>>) -> Self {
        let none = const { &BTreeSet::new() };
        let mut program = Self { rules: Vec::new(), arities: BTreeMap::new(), packages: BTreeSet::new() };
        for policy in policies {
            let package = owned(&policy.ast.package_path());
            program.packages.insert(package.clone());
            let is_test = package.iter().any(|step| step.ends_with("_test"));
            let names = Names::new(&policy.source.contents, &policy.ast, rule_names.get(&package).unwrap_or(none));
            for rule in &policy.ast.rules {
                let mut path = package.clone();
                path.extend(owned(&rule.name()));
                program.arities.insert(path.clone(), rule.arity());
                program.rules.push(RuleView { policy, rule, path, references: names.references(rule), is_test });
            }
        }
        program
    }
}

impl Policy {
    pub(crate) fn location(&self, span: Span) -> Location {
        Location::of_offset(&self.source.file, &self.source.contents, span.start)
    }

    pub(crate) fn rule_location(&self, rule: &Rule) -> Location {
        self.location(rule.span())
    }
}

/// The first steps of the names of each package's rules: what a bare name in the package may mean.
pub(super) fn rule_names<'tree>(
    policies: impl IntoIterator<Item = &'tree Policy>,
) -> BTreeMap<Vec<String>, BTreeSet<String>> {
    let mut names: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for policy in policies {
        let package = names.entry(owned(&policy.ast.package_path())).or_default();
        package.extend(policy.ast.rules.iter().filter_map(|rule| rule.name().first().map(|name| (*name).to_owned())));
    }
    names
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|step| (*step).to_owned()).collect()
}
