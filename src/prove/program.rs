//! What is evaluated: the exported rules of every lane, each with what it reads, in an engine that holds no more than the lane needs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rayon::prelude::*;
use serde_json::Value;

use super::tables::Table;
use super::unit_tests::{self, UnitTest, UnitTests};
use crate::evaluate::evaluator_data;
use crate::policy::{
    Coverage, Dependencies, Engine, EngineValue, Mutant, Policies, PolicyError, PolicyOptions, PolicySet, Reach,
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
    /// The paths of the unit tests of each package.
    tests: BTreeMap<String, Vec<String>>,
    dependencies: Dependencies,
    files: BTreeMap<String, SourceFile>,
    /// What the contract says, and the evaluator.
    data: [EngineValue; 2],
    options: PolicyOptions,
}

/// What one lane exports.
pub(super) struct LaneProgram {
    /// `M2.A`.
    pub(super) lane: String,
    /// `m2.a`.
    package: String,
    pub(super) terms: Vec<Term>,
    /// The files that the lane's rules are in, and those that they refer to.
    files: BTreeSet<String>,
    engine: Engine,
    /// The codes of other lanes that it rolls up, by the paths of their rules. They are not evaluated for it: it is given what they are.
    given: BTreeMap<String, String>,
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
            tests: unit_tests::paths(&syntax),
            dependencies,
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
                    reach: program
                        .dependencies
                        .reach(&path, |rule| codes.contains_key(rule) && !rule.starts_with(&own_package)),
                    query: format!("data.{path}"),
                }
            });
            let terms: Vec<Term> = terms.collect();
            let files: BTreeSet<String> = terms.iter().flat_map(|term| term.reach.files.iter().cloned()).collect();
            let engine = program.prepared(program.engine_of(files.iter(), program.options.time_limit)?)?;
            let stopped_at: BTreeSet<&String> = terms.iter().flat_map(|term| &term.reach.stopped_at).collect();
            let given = codes.iter().filter(|(rule, _)| stopped_at.contains(rule));
            let given = given.map(|(rule, code)| (rule.clone(), code.clone())).collect();
            let package = lane.package.clone();
            program.lanes.push(LaneProgram { lane: lane.lane.clone(), package, terms, files, engine, given });
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

    /// The documents in the tables of a lane's tests, by the paths of the rules that are those tables.
    pub(super) fn tables_of(&self, lane: &str) -> Result<BTreeMap<String, Vec<Value>>, PolicyError> {
        let tables: Vec<_> = self.tables.iter().filter(|(table, _)| table.lane == lane).collect();
        let files: BTreeSet<&String> = tables.iter().flat_map(|(_, files)| files).collect();
        let engine = self.prepared_for_tests(self.test_engine_of(files.into_iter())?)?;
        let nothing = EngineValue::new(&serde_json::json!({}))?;
        let documents = tables.into_iter().map(|(table, _)| (table.rule.clone(), table.documents(&engine, &nothing)));
        Ok(documents.filter(|(_, documents)| !documents.is_empty()).collect())
    }

    /// The unit tests by the package that they are about: its own, whatever rule they are named for, and those of the packages around it that
    /// evaluate no code.
    pub(super) fn unit_tests(&self) -> Result<BTreeMap<&str, UnitTests>, PolicyError> {
        let nothing = EngineValue::new(&serde_json::json!({}))?;
        let codes: BTreeSet<&str> =
            self.lanes.iter().flat_map(|lane| &lane.terms).filter_map(Term::code_rule).collect();
        let packages: BTreeSet<&str> = self.mutants.iter().filter_map(|mutant| package_of(&mutant.rule)).collect();
        let found = packages.par_iter().map(|&package| {
            let test = |path: &String| UnitTest::new(path, &self.dependencies);
            // Beside `m2.b`, `m2.b_test` is about it, and so is `m2.b.b1_test`: there is no package `m2.b.b1`.
            let below = |other: &str| other.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'));
            let is_own = |other: &str| other == package || below(other) && !packages.contains(other);
            let own = self.tests.iter().filter(|(other, _)| is_own(other)).flat_map(|(_, tests)| tests).map(test);
            let around = self.tests.iter().filter(|(other, _)| package.starts_with(&format!("{other}.")));
            let around = around.flat_map(|(_, tests)| tests).map(test).filter(|test| {
                let mut rules = test.reach.rules.iter().map(String::as_str);
                rules.clone().all(|rule| !codes.contains(rule)) && rules.any(|rule| package_of(rule) == Some(package))
            });
            let tests = UnitTests::new(own.chain(around).collect(), &self.dependencies);
            let engine = self.prepared_for_tests(self.test_engine_of(tests.files.iter())?)?;
            Ok((package, tests.tried(&engine, &nothing)))
        });
        found.collect()
    }

    /// An engine with the tests of a package and a file more, made ready. An error says that a mutant cannot be compiled.
    pub(super) fn with_tests(&self, engine: &Engine, file: SourceFile) -> Result<Engine, PolicyError> {
        self.prepared_for_tests(engine.with_policies(&[file])?)
    }

    /// The policies that tests need, without one file.
    pub(super) fn tests_without(&self, tests: &UnitTests, file: &str) -> Result<Engine, PolicyError> {
        self.test_engine_of(tests.files.iter().filter(|name| *name != file))
    }

    fn test_engine_of<'name>(&self, names: impl Iterator<Item = &'name String>) -> Result<Engine, PolicyError> {
        self.engine_of(names, self.options.of_unit_tests().time_limit)
    }

    fn engine_of<'name>(
        &self,
        names: impl Iterator<Item = &'name String>,
        time_limit: Duration,
    ) -> Result<Engine, PolicyError> {
        let files: Vec<SourceFile> = names.filter_map(|name| self.files.get(name)).cloned().collect();
        Engine::empty(time_limit).with_policies(&files)
    }

    /// An engine for unit tests, made ready: those see nothing of the evaluator.
    fn prepared_for_tests(&self, mut engine: Engine) -> Result<Engine, PolicyError> {
        let [contract, _] = &self.data;
        engine.add_data(contract)?;
        engine.prepare()
    }

    fn prepared(&self, mut engine: Engine) -> Result<Engine, PolicyError> {
        let [_, evaluator] = &self.data;
        engine.add_data(evaluator)?;
        self.prepared_for_tests(engine)
    }

    /// A policy file, as it is.
    pub(super) fn file(&self, name: &str) -> Result<&SourceFile, PolicyError> {
        self.files.get(name).ok_or_else(|| PolicyError::internal(format!("there is no file {name}")))
    }

    /// The policies of a lane without one file, to which a mutant of it can be added.
    pub(super) fn without(&self, lane: &LaneProgram, file: &str) -> Result<Engine, PolicyError> {
        self.engine_of(lane.files.iter().filter(|name| *name != file), self.options.time_limit)
    }

    /// An engine with a file more, made ready. An error says that a mutant cannot be compiled.
    pub(super) fn with(&self, engine: &Engine, file: SourceFile) -> Result<Engine, PolicyError> {
        self.prepared(engine.with_policies(&[file])?)
    }
}

impl LaneProgram {
    /// Whether it rolls up the codes of other lanes.
    pub(super) fn is_rollup(&self) -> bool {
        !self.given.is_empty()
    }

    /// Whether a rule stands in the lane's own package.
    pub(super) fn has_rule(&self, rule: &str) -> bool {
        package_of(rule) == Some(&self.package)
    }

    /// The values of some of the lane's terms. `known` has the codes of the lanes before it.
    pub(super) fn values<'term>(
        &self,
        input: &EngineValue,
        known: &Values,
        terms: impl Iterator<Item = &'term Term>,
    ) -> Result<Values, PolicyError> {
        self.values_by(self.given(&self.engine, known)?.as_ref(), input, terms)
    }

    /// The same by another engine, that has been given what it needs.
    pub(super) fn values_by<'term>(
        &self,
        engine: &Engine,
        input: &EngineValue,
        terms: impl Iterator<Item = &'term Term>,
    ) -> Result<Values, PolicyError> {
        engine.values(&self.lane, input, &queries(terms))
    }

    /// The values of some of the lane's terms, with the lines that they go through.
    pub(super) fn traced<'term>(
        &self,
        input: &EngineValue,
        known: &Values,
        terms: impl Iterator<Item = &'term Term>,
    ) -> Result<(Values, Vec<Coverage>), PolicyError> {
        self.given(&self.engine, known)?.traced_values(&self.lane, input, &queries(terms))
    }

    /// An engine that is given what the codes of the lanes before are, if this lane rolls them up.
    pub(super) fn given<'engine>(
        &self,
        engine: &'engine Engine,
        known: &Values,
    ) -> Result<Cow<'engine, Engine>, PolicyError> {
        if self.given.is_empty() {
            return Ok(Cow::Borrowed(engine));
        }
        let given = self.given.iter().filter_map(|(rule, code)| Some((rule.split('.').collect(), known.get(code)?)));
        let mut engine = engine.clone();
        engine.add_data(&EngineValue::object(given))?;
        Ok(Cow::Owned(engine.prepare()?))
    }

    /// Whether both come to the same for what this lane is given.
    pub(super) fn gives_the_same(&self, known: &Values, other: &Values) -> bool {
        self.given.values().all(|code| known.get(code) == other.get(code))
    }
}

fn queries<'term>(terms: impl Iterator<Item = &'term Term>) -> BTreeMap<String, String> {
    terms.map(|term| (term.name.clone(), term.query.clone())).collect()
}

impl Term {
    /// The path of its rule, if that is a code's.
    fn code_rule(&self) -> Option<&str> {
        self.query.strip_prefix("data.").filter(|_| self.is_code)
    }
}

/// The package of a rule, by its path.
pub(super) fn package_of(rule: &str) -> Option<&str> {
    rule.rsplit_once('.').map(|(package, _)| package)
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
