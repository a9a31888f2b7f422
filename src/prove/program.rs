//! What is evaluated: the exported rules of every lane, each with what it reads, in an engine that holds no more than the lane needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tables::Table;
use crate::evaluate::evaluator_data;
use crate::policy::{
    Dependencies, Engine, EngineValue, Mutant, Policies, Policy, PolicyError, PolicyOptions, PolicySet, Reach,
    SourceFile, evaluated_data, mutants,
};
use crate::verdict::Verdict;

/// The values of terms by their names.
pub(super) type Values = BTreeMap<String, EngineValue>;

/// The rules of a policy set, ready to be evaluated one by one.
pub(super) struct Program {
    pub(super) lanes: Vec<LaneProgram>,
    pub(super) mutants: Vec<Mutant>,
    /// The rules beside the tests of lanes that may hold documents, each with the files that it needs.
    tables: Vec<(Table, Vec<String>)>,
    /// The tests of each library, by its package.
    tests: BTreeMap<String, TestProgram>,
    files: BTreeMap<String, SourceFile>,
    data: [EngineValue; 2],
    options: PolicyOptions,
}

/// What one lane exports.
pub(super) struct LaneProgram {
    /// `M2.A`.
    pub(super) lane: String,
    pub(super) terms: Vec<Term>,
    /// The files that the lane's rules are in, and those that they refer to.
    files: BTreeSet<String>,
    engine: Engine,
    /// The codes of other lanes that it rolls up, by the paths of their rules. They are not evaluated for it: it is given what they are.
    given: BTreeMap<String, String>,
}

/// The unit tests of one package.
pub(super) struct TestProgram {
    /// Name of a test → `data.lib.a_test.test_x`; those that pass.
    tests: BTreeMap<String, String>,
    files: BTreeSet<String>,
}

/// An exported rule.
pub(super) struct Term {
    /// `M2A-B1`; `M2.A observations`.
    pub(super) name: String,
    /// Whether it is the rule of a code.
    pub(super) is_code: bool,
    /// What it reads, through everything that it refers to but the codes of other lanes.
    pub(super) reach: Reach,
    /// `data.m2.a.b1`.
    query: String,
}

impl Program {
    /// Prepares the rules of the lanes that a verdict covers; what they see of the evaluator is what led to that verdict.
    pub(super) fn new(
        set: &PolicySet,
        options: &PolicyOptions,
        policies: &Policies,
        verdict: &Verdict,
        sections: &BTreeSet<String>,
    ) -> Result<Self, PolicyError> {
        let files: Vec<SourceFile> = set.policies().iter().chain(set.tests()).cloned().collect();
        let (_, syntax) = Engine::parse(&files, options.time_limit)?;
        let dependencies = Dependencies::of(&syntax, sections);
        let tested: BTreeSet<&str> = set.policies().iter().map(|file| file.name.as_str()).collect();
        let evaluator = serde_json::json!({"factgate": evaluator_data(policies, verdict)?});
        let data = [evaluated_data(set, options)?, EngineValue::new(&evaluator)?];
        let mut program = Self {
            lanes: Vec::new(),
            mutants: syntax
                .iter()
                .filter(|policy| tested.contains(policy.source.file.as_str()))
                .flat_map(mutants)
                .collect(),
            tables: Table::of(&syntax, &dependencies),
            tests: BTreeMap::new(),
            files: files.into_iter().map(|file| (file.name.clone(), file)).collect(),
            data,
            options: options.clone(),
        };
        let codes = policies.lanes().iter().flat_map(|lane| {
            lane.codes.iter().map(move |code| (format!("{}.{}", lane.package, code.rule), code.code.clone()))
        });
        let codes: BTreeMap<String, String> = codes.collect();
        for lane in policies.lanes().iter().filter(|lane| verdict.covers.contains(&lane.lane)) {
            let exported = lane
                .codes
                .iter()
                .map(|code| (code.code.clone(), code.rule.as_str(), true))
                .chain(lane.has_observations.then(|| (format!("{} observations", lane.lane), "observations", false)))
                .chain((!lane.artifacts.is_empty()).then(|| (format!("{} artifacts", lane.lane), "artifacts", false)));
            let own_package = format!("{}.", lane.package);
            let terms = exported.map(|(name, rule, is_code)| {
                let path = format!("{}.{rule}", lane.package);
                Term {
                    name,
                    is_code,
                    reach: dependencies
                        .reach(&path, |rule| codes.contains_key(rule) && !rule.starts_with(&own_package)),
                    query: format!("data.{path}"),
                }
            });
            let terms: Vec<Term> = terms.collect();
            let files: BTreeSet<String> = terms.iter().flat_map(|term| term.reach.files.iter().cloned()).collect();
            let engine = program.prepared(program.engine_of(files.iter())?)?;
            let stopped_at: BTreeSet<&String> = terms.iter().flat_map(|term| &term.reach.stopped_at).collect();
            let given = codes.iter().filter(|(rule, _)| stopped_at.contains(rule));
            let given = given.map(|(rule, code)| (rule.clone(), code.clone())).collect();
            program.lanes.push(LaneProgram { lane: lane.lane.clone(), terms, files, engine, given });
        }
        for (package, rules) in libraries_tests(&syntax) {
            let reaches = rules.iter().map(|rule| dependencies.reach(rule, |_| false));
            let files: BTreeSet<String> = reaches.flat_map(|reach| reach.files).collect();
            let tests = rules.iter().map(|rule| (rule.clone(), format!("data.{rule}"))).collect();
            let tests = TestProgram { tests, files };
            let engine = program.prepared(program.engine_of(tests.files.iter())?)?;
            let passing = tests.passing(&engine, &EngineValue::new(&serde_json::json!({}))?)?;
            program.tests.insert(package, TestProgram { tests: passing, ..tests });
        }
        // A mutant that no lane comes by and no test is about changes nothing that is exported.
        let is_reached = |mutant: &Mutant| {
            let terms = program.lanes.iter().flat_map(|lane| &lane.terms);
            terms.into_iter().any(|term| term.reach.rules.contains(&mutant.rule))
        };
        let reached = program.mutants.iter().map(is_reached).collect::<Vec<_>>();
        let mut reached = reached.into_iter();
        program.mutants.retain(|_| reached.next().unwrap_or_default());
        Ok(program)
    }

    /// Whether a term is one of a lane that rolls up a code.
    pub(super) fn rolls_up(&self, term: &str, code: &str) -> bool {
        let lane = self.lanes.iter().find(|lane| lane.terms.iter().any(|found| found.name == term));
        lane.is_some_and(|lane| lane.given.values().any(|given| given == code))
    }

    /// The documents in the tables of a lane's tests.
    pub(super) fn tables_of(&self, lane: &str) -> Result<Vec<Value>, PolicyError> {
        let tables: Vec<_> = self.tables.iter().filter(|(table, _)| table.lane == lane).collect();
        let files: BTreeSet<&String> = tables.iter().flat_map(|(_, files)| files).collect();
        let engine = self.prepared(self.engine_of(files.into_iter())?)?;
        let nothing = EngineValue::new(&serde_json::json!({}))?;
        Ok(tables.into_iter().flat_map(|(table, _)| table.documents(&engine, &nothing)).collect())
    }

    /// The tests that stand beside a library's rule.
    pub(super) fn tests_of(&self, rule: &str) -> Option<&TestProgram> {
        self.tests.get(rule.rsplit_once('.')?.0)
    }

    /// The policies that tests need, without one file.
    pub(super) fn tests_without(&self, tests: &TestProgram, file: &str) -> Result<Engine, PolicyError> {
        self.engine_of(tests.files.iter().filter(|name| *name != file))
    }

    fn engine_of<'name>(&self, names: impl Iterator<Item = &'name String>) -> Result<Engine, PolicyError> {
        let files: Vec<SourceFile> = names.filter_map(|name| self.files.get(name)).cloned().collect();
        Engine::empty(self.options.time_limit).with_policies(&files)
    }

    fn prepared(&self, mut engine: Engine) -> Result<Engine, PolicyError> {
        self.data.iter().try_for_each(|data| engine.add_data(data))?;
        engine.prepare()
    }

    /// A policy file, as it is.
    pub(super) fn file(&self, name: &str) -> Result<&SourceFile, PolicyError> {
        self.files.get(name).ok_or_else(|| PolicyError::internal(format!("there is no file {name}")))
    }

    /// The policies of a lane without one file, to which a mutant of it can be added.
    pub(super) fn without(&self, lane: &LaneProgram, file: &str) -> Result<Engine, PolicyError> {
        self.engine_of(lane.files.iter().filter(|name| *name != file))
    }

    /// An engine with a file more, made ready. An error says that a mutant cannot be compiled.
    pub(super) fn with(&self, engine: &Engine, file: SourceFile) -> Result<Engine, PolicyError> {
        self.prepared(engine.with_policies(&[file])?)
    }
}

impl TestProgram {
    fn passing(&self, engine: &Engine, nothing: &EngineValue) -> Result<BTreeMap<String, String>, PolicyError> {
        let values = engine.values("the tests", nothing, &self.tests)?;
        let passes = |value: &EngineValue| Ok::<_, PolicyError>(value.json()? == Value::Bool(true));
        let mut passing = BTreeMap::new();
        for (name, query) in &self.tests {
            if values.get(name).map(passes).transpose()?.unwrap_or_default() {
                passing.insert(name.clone(), query.clone());
            }
        }
        Ok(passing)
    }

    /// Whether all of them still pass.
    pub(super) fn pass(&self, engine: &Engine, nothing: &EngineValue) -> bool {
        self.tests.is_empty() || self.passing(engine, nothing).is_ok_and(|passing| passing.len() == self.tests.len())
    }
}

/// The tests of every library, by its package: those of lanes evaluate whole lanes, and are about what the documents are about.
fn libraries_tests(policies: &[Policy]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for policy in policies {
        let package = policy.ast.package_path().join(".");
        let Some(tested) = package.strip_suffix("_test").filter(|tested| tested.starts_with("lib.")) else { continue };
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

impl LaneProgram {
    /// Whether it rolls up the codes of other lanes.
    pub(super) fn is_rollup(&self) -> bool {
        !self.given.is_empty()
    }

    /// The values of some of the lane's terms. `known` has the codes of the lanes before it.
    pub(super) fn values<'term>(
        &self,
        input: &EngineValue,
        known: &Values,
        terms: impl Iterator<Item = &'term Term>,
    ) -> Result<Values, PolicyError> {
        self.values_by(&self.engine, input, known, terms)
    }

    /// The same by another engine.
    pub(super) fn values_by<'term>(
        &self,
        engine: &Engine,
        input: &EngineValue,
        known: &Values,
        terms: impl Iterator<Item = &'term Term>,
    ) -> Result<Values, PolicyError> {
        let terms: BTreeMap<String, String> = terms.map(|term| (term.name.clone(), term.query.clone())).collect();
        if terms.is_empty() {
            return Ok(Values::new());
        }
        if self.given.is_empty() {
            return engine.values(&self.lane, input, &terms);
        }
        let given = self.given.iter().filter_map(|(rule, code)| Some((rule.split('.').collect(), known.get(code)?)));
        let mut engine = engine.clone();
        engine.add_data(&EngineValue::object(given))?;
        engine.prepare()?.values(&self.lane, input, &terms)
    }
}

/// What every lane's terms are on a document.
pub(super) fn all_values(program: &Program, input: &EngineValue) -> Result<Values, PolicyError> {
    let mut values = Values::new();
    for lane in &program.lanes {
        let found = lane.values(input, &values, lane.terms.iter())?;
        values.extend(found);
    }
    Ok(values)
}
