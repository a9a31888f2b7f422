//! Policies: loaded, held to the laws, and made ready for evaluation.
//!
//! ```text
//! files ─► PolicySet ─► lexical scan ─► parse ─► METADATA ─► lanes and codes ─┐
//!             │                           └────► laws ───────────────────────┼─► Policies
//!             └──► data (contract, with the user's overrides) ───────────────┘
//! ```

mod annotation;
mod check;
mod data;
mod dependencies;
mod engine;
mod error;
mod lane;
mod laws;
mod lexical;
mod location;
mod model;
mod mutation;
mod paths;
mod reference;
mod source;
mod syntax;
#[cfg(test)]
pub(crate) mod tests;
mod unit_test;
pub(crate) mod yaml;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use annotation::schema::schema as metadata_schema;
pub use check::{CheckReport, check};
pub use error::{Defect, Defects, PolicyError};
pub use lane::{Code, DoneItem, INHERITED, LANES, Lane};
pub use location::Location;
pub(crate) use source::embedded_file;
pub use source::{Origin, PolicySet, SourceFile};
pub use unit_test::{
    Failure, LineCoverage, Part, RuleCoverage, UnitTest, UnitTestOptions, UnitTestOutcome, UnitTestReport,
    run_unit_tests,
};

pub use mutation::MutationOperator;

pub(crate) use dependencies::{Dependencies, Reach};
pub(crate) use engine::{Answer, Coverage, Engine, EngineValue};
pub(crate) use lane::lane_of_package;
pub(crate) use model::ready_document;
pub(crate) use mutation::{Mutant, mutants};
pub(crate) use syntax::{Head, Policy, Rule};

use crate::verdict::PoliciesIdentity;

/// Where the pinned contract stands in `data`.
const CONTRACT: [&str; 2] = ["contract", "m2"];

/// What of it settings may override, as dotted keys: a list beside it in `data.contract`.
const OVERRIDABLE: &str = "overridable";

/// How many times as long as a package a unit test may take: tables of tests evaluate a lane for each of their rows.
const ROWS: u32 = 30;

/// How policies are compiled.
#[derive(Clone, Debug)]
pub struct PolicyOptions {
    /// How long the evaluation of one package may take. A unit test may take thirty times as long.
    pub time_limit: Duration,
    /// What the user overrides of the contract: laid over `data.contract.m2`.
    pub contract: Map<String, Value>,
}

impl Default for PolicyOptions {
    fn default() -> Self {
        Self { time_limit: Duration::from_secs(10), contract: Map::new() }
    }
}

impl PolicyOptions {
    /// The same with the time that a unit test may take.
    pub(crate) fn of_unit_tests(&self) -> Self {
        Self { time_limit: self.time_limit.saturating_mul(ROWS), ..self.clone() }
    }
}

/// Policies that broke no law, ready for evaluation. They can be shared between threads.
#[derive(Clone, Debug)]
pub struct Policies {
    identity: PoliciesIdentity,
    origin: Origin,
    lanes: Vec<Lane>,
    /// With nothing waived: what nearly every evaluation uses.
    engine: Engine,
    /// Before the evaluator has said anything as `data.factgate`.
    bare: Engine,
}

impl Policies {
    /// The policies that this binary was built with.
    ///
    /// # Errors
    /// Fails if an override does not fit the contract.
    pub fn embedded(options: &PolicyOptions) -> Result<Self, PolicyError> {
        Self::compile(PolicySet::embedded()?, options)
    }

    /// The policies of a folder.
    ///
    /// # Errors
    /// Fails if the folder cannot be read, or its policies break a law.
    pub fn from_folder(folder: &Path, options: &PolicyOptions) -> Result<Self, PolicyError> {
        Self::compile(PolicySet::from_folder(folder)?, options)
    }

    /// Holds a policy set to the laws and makes it ready.
    ///
    /// # Errors
    /// Fails with every broken law, each with its place.
    pub fn compile(set: PolicySet, options: &PolicyOptions) -> Result<Self, PolicyError> {
        let origin = set.origin().clone();
        let (bare, lanes, _) = load(&set, set.policies(), options).map_err(|error| error.below(&origin))?;
        let identity = identity(&set, options);
        let engine = with_evaluator(&bare, &serde_json::json!({"waived": []}))?;
        Ok(Self { identity, origin, lanes, engine, bare })
    }

    /// The lanes, in order, with their codes.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Which policies these are.
    pub fn identity(&self) -> &PoliciesIdentity {
        &self.identity
    }

    /// Where they come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// With nothing waived.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// With what the evaluator has to say to the policies, as `data.factgate`.
    pub(crate) fn engine_with(&self, evaluator: &Value) -> Result<Engine, PolicyError> {
        with_evaluator(&self.bare, evaluator)
    }
}

/// The definitions of a rule, with their places and texts: what its author wrote, METADATA left out.
///
/// # Errors
/// Fails if the policies cannot be parsed.
pub(crate) fn rule_sources(set: &PolicySet, package: &str, rule: &str) -> Result<Vec<(Location, String)>, PolicyError> {
    let (_, policies) = Engine::parse(set.policies(), PolicyOptions::default().time_limit)?;
    let mut sources = Vec::new();
    for policy in policies.iter().filter(|policy| policy.ast.package_path().join(".") == package) {
        for definition in policy.ast.rules.iter().filter(|definition| definition.name() == [rule]) {
            let span = definition.span();
            let text = span.excerpt(&policy.source.contents);
            sources.push((policy.rule_location(definition), text.to_owned()));
        }
    }
    Ok(sources)
}

/// The codes whose rules look at codes of other lanes: they follow from those.
pub(crate) fn rollups(set: &PolicySet, lanes: &[Lane]) -> Result<BTreeSet<String>, PolicyError> {
    let (_, policies) = Engine::parse(set.policies(), PolicyOptions::default().time_limit)?;
    let dependencies = Dependencies::of(&policies, &BTreeSet::new());
    let path = |lane: &Lane, code: &Code| format!("{}.{}", lane.package, code.rule);
    let codes = lanes.iter().flat_map(|lane| lane.codes.iter().map(move |code| (lane, code)));
    let paths: BTreeSet<String> = codes.clone().map(|(lane, code)| path(lane, code)).collect();
    let is_rollup = |lane: &Lane, code: &Code| {
        let own = format!("{}.", lane.package);
        let reach = dependencies.reach(&path(lane, code), |rule| paths.contains(rule) && !rule.starts_with(&own));
        !reach.stopped_at.is_empty()
    };
    Ok(codes.filter(|(lane, code)| is_rollup(lane, code)).map(|(_, code)| code.code.clone()).collect())
}

fn with_evaluator(bare: &Engine, evaluator: &Value) -> Result<Engine, PolicyError> {
    let mut engine = bare.clone();
    engine.add_data(&EngineValue::new(&serde_json::json!({"factgate": evaluator}))?)?;
    engine.prepare()
}

/// The way from files to an engine that is ready for queries; the tests of policies go it, too.
fn load(
    set: &PolicySet,
    files: &[SourceFile],
    options: &PolicyOptions,
) -> Result<(Engine, Vec<Lane>, Vec<syntax::Policy>), PolicyError> {
    let mut defects = Vec::new();
    let mut scans = Vec::new();
    for file in files {
        let mut scan = lexical::scan(&file.name, &file.text);
        defects.append(&mut scan.defects);
        scans.push(scan);
    }
    // The parser must not see what the scan refuses.
    Defects::check(std::mem::take(&mut defects))?;

    let (mut engine, policies) = Engine::parse(files, options.time_limit)?;
    let annotated = policies
        .iter()
        .zip(&scans)
        .map(|(policy, scan)| lane::AnnotatedPolicy {
            policy,
            annotations: annotation::read(policy, &scan.comments, &mut defects),
        })
        .collect();
    let lanes = lane::read(annotated, &mut defects);
    defects.extend(laws::check(&policies, set.data_files()));
    Defects::check(defects)?;

    engine.add_data(&evaluated_data(set, options)?)?;
    Ok((engine.prepare()?, lanes, policies))
}

/// The data of a set, with what is overridden of the contract.
pub(crate) fn evaluated_data(set: &PolicySet, options: &PolicyOptions) -> Result<EngineValue, PolicyError> {
    let mut data = set.data()?;
    override_contract(&mut data, &options.contract)?;
    EngineValue::new(&Value::Object(data))
}

fn override_contract(data: &mut Map<String, Value>, contract: &Map<String, Value>) -> Result<(), PolicyError> {
    if contract.is_empty() {
        return Ok(());
    }
    let overridable = data.get(CONTRACT[0]).and_then(|contract| contract.get(OVERRIDABLE)).and_then(Value::as_array);
    let overridable: Vec<String> =
        overridable.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut object = data;
    for step in CONTRACT {
        object = match object.entry(step).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(inner) => inner,
            _ => return Err(PolicyError::internal(format!("`data.{}` is no object", CONTRACT.join(".")))),
        };
    }
    data::override_object(object, contract)?;
    // What the registry pins, and what is judged by it, is no setting: to change that is to change the policies.
    let is_below = |key: &String, open: &String| key == open || key.starts_with(&format!("{open}."));
    match data::leaves(contract).into_iter().find(|key| !overridable.iter().any(|open| is_below(key, open))) {
        None => Ok(()),
        Some(key) => Err(PolicyError::Override {
            key,
            problem: "is not left to settings".into(),
            help: match overridable.is_empty() {
                true => format!(
                    "these policies leave nothing to settings; `data.{}.{OVERRIDABLE}` lists what is",
                    CONTRACT[0]
                ),
                false => format!(
                    "settings may change {}; anything else takes policies of your own (--policies)",
                    overridable.join(", ")
                ),
            },
        }),
    }
}

/// An override changes what is evaluated as much as an edit of the data file would, so the digest covers it.
fn identity(set: &PolicySet, options: &PolicyOptions) -> PoliciesIdentity {
    let digest = if options.contract.is_empty() {
        set.digest().to_owned()
    } else {
        let contract = sorted(&Value::Object(options.contract.clone())).to_string();
        let mut hasher = Sha256::new();
        hasher.update(set.digest().as_bytes());
        hasher.update(contract.as_bytes());
        format!("sha256:{}", hex::encode(hasher.finalize()))
    };
    PoliciesIdentity { digest, source: set.origin().to_string(), overrides: data::leaves(&options.contract) }
}

/// The same value with every object's keys in order, however the map type keeps them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: std::collections::BTreeMap<&String, Value> =
                fields.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(fields.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
