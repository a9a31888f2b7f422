//! Evaluation: a pure function of fact document, policies and contract.
//!
//! ```text
//! document ─┬─► phase 1: code rules ─► checks ─► blockers ─► lane verdicts (in order, with their upstream) ─► verdict
//! policies ─┘                                                                                              │
//!           └─► phase 2: `artifacts`, which read the lane verdicts as `data.factgate` ◄────────────────────┘
//! ```
//!
//! Nothing here reads a clock, the network or the environment: the same inputs give the same bytes. The only clock is the
//! document's own. Evaluating runs on a thread of its own under a time limit; after [`PolicyError::TimeLimit`] that thread may
//! still be busy, and a process that sees the error should end.

mod artifacts;
mod checks;
mod document;
#[cfg(test)]
mod tests;
mod verdicts;

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

pub use document::Document;

use crate::exit::ExitCode;
use crate::policy::{EngineValue, LANES, Lane, Policies, PolicyError};
use crate::verdict::{FORMAT, ToolIdentity, Verdict};

/// Why nothing could be evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The policies have no lane.
    #[error(
        "the policies in {source_name} have no lane, so nothing was evaluated\nhelp: a lane is a package `m2.<letter>` with METADATA"
    )]
    NoLanes {
        /// Which policies.
        source_name: String,
    },
    /// A lane was asked for that the policies do not have.
    #[error("there is no lane `{lane}`, so nothing was evaluated\nhelp: {help}")]
    UnknownLane {
        /// As it was asked for.
        lane: String,
        /// What there is.
        help: String,
    },
    /// The fact document lacks what every evaluation needs.
    #[error(
        "the fact document is not usable: {pointer} {problem}\nhelp: `factgate collect` writes it as RFC 3339 and `m2_<YYYYMMDDTHHMMSSZ>`"
    )]
    Document {
        /// The JSON pointer of what is wrong.
        pointer: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The policies are wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl EvaluateError {
    /// The exit code of a run that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoLanes { .. } | Self::UnknownLane { .. } => ExitCode::NothingEvaluated,
            Self::Document { .. } => ExitCode::Input,
            Self::Policy(error) => error.exit_code(),
        }
    }
}

/// What an evaluation gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The verdict.
    pub verdict: Verdict,
    /// Lane (`M2.A`) → file name → body of each of its artifacts.
    pub artifacts: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Evaluates a fact document. `selection` names the lanes to evaluate (`M2.A`); if it is empty, all of them are.
///
/// # Errors
/// Fails if there is nothing to evaluate, or if a policy does not do what its kind of rule has to do.
pub fn evaluate(document: &Document, policies: &Policies, selection: &[String]) -> Result<Evaluation, EvaluateError> {
    let lanes = select(policies, selection)?;
    let input = EngineValue::new(document.facts())?;
    let mut verdicts = Vec::new();
    for lane in &lanes {
        let findings = checks::evaluate(policies, lane, &input)?;
        let verdict = verdicts::lane(document, lane, findings, &verdicts);
        verdicts.push(verdict);
    }
    let tool = tool();
    let artifacts = artifacts::evaluate(policies, &lanes, &input, &tool, &verdicts)?;
    let reasons = verdicts::reasons(document, &verdicts);
    let verdict = Verdict {
        format: FORMAT.to_owned(),
        outcome: verdicts::outcome(&verdicts, &reasons),
        p0: verdicts::p0(&verdicts, &reasons),
        reasons,
        covers: lanes.iter().map(|lane| lane.lane.clone()).collect(),
        facts: document.identity().clone(),
        policies: policies.identity().clone(),
        tool,
        lanes: verdicts,
    };
    Ok(Evaluation { verdict, artifacts })
}

/// The lanes to evaluate, in order. A name that matches nothing is never passed over: the run would cover less than its
/// caller believes.
///
/// # Errors
/// Fails if the policies have no lane, or a selected lane is not among them.
pub fn select<'policies>(
    policies: &'policies Policies,
    selection: &[String],
) -> Result<Vec<&'policies Lane>, EvaluateError> {
    let all = policies.lanes();
    if all.is_empty() {
        return Err(EvaluateError::NoLanes { source_name: policies.identity().source.clone() });
    }
    if let Some(unknown) = selection.iter().find(|name| all.iter().all(|lane| lane.lane != **name)) {
        let names: Vec<&str> = all.iter().map(|lane| lane.lane.as_str()).collect();
        let help = if LANES.contains(&unknown.as_str()) {
            format!("these policies have only {}", names.join(", "))
        } else {
            format!("the lanes of these policies are {}", names.join(", "))
        };
        return Err(EvaluateError::UnknownLane { lane: unknown.clone(), help });
    }
    Ok(all.iter().filter(|lane| selection.is_empty() || selection.contains(&lane.lane)).collect())
}

fn tool() -> ToolIdentity {
    ToolIdentity { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
