//! The documents in the tables of the lanes' tests.
//!
//! A test that judges many documents holds them in a rule beside it, as members `document` of whatever the rule's value is. What the tests
//! are about is what a mutant should be put to, too.

use serde_json::Value;

use crate::policy::{Dependencies, Engine, EngineValue, Head, Policy, Rule, lane_of_package};

/// The member that holds a document.
const DOCUMENT: &str = "document";

/// A rule that may be such a table.
pub(super) struct Table {
    /// `M2.A`.
    pub(super) lane: &'static str,
    /// `m2.a_test._damaged`.
    pub(super) rule: String,
}

impl Table {
    /// The rules beside the tests of lanes, with the files that they need.
    pub(super) fn of(policies: &[Policy], dependencies: &Dependencies) -> Vec<(Self, Vec<String>)> {
        let mut tables = Vec::new();
        for policy in policies {
            let package = policy.ast.package_path();
            let ["m2", letter, ..] = package.as_slice() else { continue };
            let is_test = package.last().is_some_and(|last| last.ends_with("_test"));
            let Some(lane) = lane_of_package(&["m2", letter.trim_end_matches("_test")]).filter(|_| is_test) else {
                continue;
            };
            for rule in &policy.ast.rules {
                if let ([name], Rule::Spec { head: Head::Compr { .. }, .. }) = (rule.name().as_slice(), rule)
                    && !name.starts_with("test_")
                {
                    let rule = format!("{}.{name}", package.join("."));
                    let reach = dependencies.reach(&rule, |_| false);
                    tables.push((Self { lane, rule }, reach.files.into_iter().collect()));
                }
            }
        }
        tables
    }

    /// The documents that it holds. A rule that cannot be evaluated by itself is no table, nor is a value that JSON cannot say.
    pub(super) fn documents(&self, engine: &Engine, nothing: &EngineValue) -> Vec<Value> {
        let value = engine.value(&format!("data.{}", self.rule), nothing).ok().flatten();
        let mut documents = Vec::new();
        if let Some(value) = value.and_then(|value| value.json().ok()) {
            collect(&value, &mut documents);
        }
        documents
    }
}

fn collect(value: &Value, documents: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == DOCUMENT && member.is_object() {
                    documents.push(member.clone());
                } else {
                    collect(member, documents);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, documents)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::*;
    use crate::policy::{PolicyOptions, PolicySet, SourceFile, evaluated_data};

    #[test]
    fn every_shipped_lane_has_documents_in_the_tables_of_its_tests() {
        let set = PolicySet::embedded().unwrap();
        let files: Vec<SourceFile> = set.policies().iter().chain(set.tests()).cloned().collect();
        let (_, policies) = Engine::parse(&files, Duration::from_secs(60)).unwrap();
        let dependencies = Dependencies::of(&policies, &BTreeSet::new());
        let nothing = EngineValue::new(&serde_json::json!({})).unwrap();
        let mut engine = Engine::empty(Duration::from_secs(60)).with_policies(&files).unwrap();
        engine.add_data(&evaluated_data(&set, &PolicyOptions::default()).unwrap()).unwrap();
        let engine = engine.prepare().unwrap();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (table, _) in Table::of(&policies, &dependencies) {
            *counts.entry(table.lane).or_default() += table.documents(&engine, &nothing).len();
        }
        assert!(counts.len() == 10 && counts.values().all(|count| *count > 20), "{counts:?}");
    }
}
