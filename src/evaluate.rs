//! Evaluation: a pure function of fact document, policies, contract and waivers.
//!
//! ```text
//! document ─┬─► phase 1: code rules ─► checks ─► blockers ─► lane verdicts (in order, with their upstream) ─► verdict
//! policies ─┤                                      ▲                                                       │
//! waivers ──┘                                      └─ waived                                               │
//!           └─► phase 2: `artifacts`, which read the lane verdicts as `data.factgate` ◄────────────────────┘
//! ```
//!
//! Every lane of the policies is evaluated, whichever are selected: the selection says which lanes the verdict covers.
//! A lane upstream that it does not cover passes only by an evidence pack that was accepted when the facts were collected, that
//! the rollup's `M2J-B1` finds young enough and unaltered, and only while nothing blocks it on the facts of today.
//!
//! Nothing here reads a clock, the network or the environment: the same inputs give the same bytes. The only clock is the
//! document's own. Evaluating runs on a thread of its own under a time limit; after [`PolicyError::TimeLimit`] that thread may
//! still be busy, and a process that sees the error should end.

mod artifacts;
mod checks;
mod document;
#[cfg(test)]
mod tests;
mod together;
mod verdicts;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use thiserror::Error;

pub use document::Document;
pub(crate) use document::is_time_stamp;

use crate::check::Check;
use crate::exit::ExitCode;
use crate::policy::{Code, EngineValue, LANES, Lane, Policies, PolicyError};
use crate::verdict::{FORMAT, ToolIdentity, Verdict};
use crate::waiver::{Judged, Waiver};

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

/// Evaluates a fact document. `selection` names the lanes that the verdict covers (`M2.A`); if it is empty, it covers all.
///
/// # Errors
/// Fails if there is nothing to evaluate, or if a policy does not do what its kind of rule has to do.
pub fn evaluate(
    document: &Document,
    policies: &Policies,
    selection: &[String],
    waivers: &[Waiver],
) -> Result<Evaluation, EvaluateError> {
    evaluation(document, policies, selection, waivers, true).map_err(|error| below(error, policies))
}

/// The verdict of [`evaluate`] alone. No artifact is made, which takes about half of the time.
///
/// # Errors
/// As those of [`evaluate`], but for what only an artifact could show.
pub fn judge(
    document: &Document,
    policies: &Policies,
    selection: &[String],
    waivers: &[Waiver],
) -> Result<Verdict, EvaluateError> {
    let evaluation = evaluation(document, policies, selection, waivers, false);
    evaluation.map(|evaluation| evaluation.verdict).map_err(|error| below(error, policies))
}

/// An error with the places of defects as the user would name them.
fn below(error: EvaluateError, policies: &Policies) -> EvaluateError {
    match error {
        EvaluateError::Policy(error) => EvaluateError::Policy(error.below(policies.origin())),
        other => other,
    }
}

fn evaluation(
    document: &Document,
    policies: &Policies,
    selection: &[String],
    waivers: &[Waiver],
    with_artifacts: bool,
) -> Result<Evaluation, EvaluateError> {
    let covered = select(policies, selection)?;
    let input = EngineValue::new(document.facts())?;
    let judged = Judged::new(waivers, policies.lanes(), clock(document, waivers)?);
    let waived = waived(&judged);
    let engine = match judged.valid().next() {
        None => policies.engine().clone(),
        Some(_) => policies.engine_with(&json!({"waived": waived}))?,
    };
    // All of them first: the rollup also judges the evidence of the lanes before it.
    let findings = checks::evaluate(&engine, policies.lanes(), &input)?;
    let evidence = verdicts::evidence(policies.lanes(), &findings);
    let scope = verdicts::Scope { document, policies, covered: &covered, waivers: &judged, evidence };
    let mut verdicts = Vec::new();
    for (lane, findings) in policies.lanes().iter().zip(findings) {
        let verdict = scope.lane(lane, findings, &verdicts);
        verdicts.push(verdict);
    }
    let tool = tool();
    let waivers = judged.verdicts(&verdicts);
    let obstacles = scope.obstacles(&verdicts, &waivers);
    let reasons: Vec<String> = obstacles.iter().map(|obstacle| obstacle.text.clone()).collect();
    let artifacts = if with_artifacts {
        artifacts::evaluate(policies, &covered, &input, &tool, &verdicts, &reasons, &waived)?
    } else {
        BTreeMap::new()
    };
    verdicts.retain(|verdict| scope.covers(&verdict.lane));
    let outcome = verdicts::outcome(&verdicts, &reasons);
    let verdict = Verdict {
        format: FORMAT.to_owned(),
        outcome,
        only_unreadable: verdicts::is_only_unreadable(&verdicts, &obstacles),
        p0: scope.p0(outcome),
        reasons,
        covers: covered.iter().map(|lane| lane.lane.clone()).collect(),
        facts: document.identity().clone(),
        policies: policies.identity().clone(),
        tool,
        taxonomy: verdicts::taxonomy(&verdicts),
        waivers,
        lanes: verdicts,
    };
    Ok(Evaluation { verdict, artifacts })
}

/// The checks of one code of a lane on a document; nothing is waived, and no other code of the lane is evaluated.
pub(crate) fn code_checks(
    policies: &Policies,
    lane: &Lane,
    code: &Code,
    facts: &Value,
) -> Result<Vec<Check>, EvaluateError> {
    let alone = Lane { codes: vec![code.clone()], has_observations: false, ..lane.clone() };
    let findings = checks::evaluate(policies.engine(), &[alone], &EngineValue::new(facts)?)?;
    let codes = findings.into_iter().flat_map(|findings| findings.codes);
    Ok(codes.flat_map(|code| code.checks).collect())
}

/// What policies saw as `data.factgate` when they gave the artifacts of a verdict without waivers.
pub(crate) fn evaluator_data(policies: &Policies, verdict: &Verdict) -> Result<Value, PolicyError> {
    artifacts::evaluator(policies, &verdict.tool, &verdict.lanes, &verdict.reasons, &json!([]))
}

/// What policies see of the waivers: `[{"code", "subject"}…]`, sorted.
fn waived(judged: &Judged<'_>) -> Value {
    let mut waived: Vec<(&str, &str)> =
        judged.valid().map(|waiver| (waiver.code.as_str(), waiver.subject.as_str())).collect();
    waived.sort_unstable();
    waived.into_iter().map(|(code, subject)| json!({"code": code, "subject": subject})).collect()
}

/// The run's pinned clock. Without waivers nothing asks for it.
fn clock(document: &Document, waivers: &[Waiver]) -> Result<DateTime<Utc>, EvaluateError> {
    match DateTime::parse_from_rfc3339(&document.identity().collected_at) {
        Ok(instant) => Ok(instant.to_utc()),
        Err(_) if waivers.is_empty() => Ok(DateTime::UNIX_EPOCH),
        Err(_) => Err(EvaluateError::Document { pointer: "/run/collected_at", problem: "is no instant" }),
    }
}

/// The lanes that a selection covers, in order. A name that matches nothing is never passed over: the run would cover less than its
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
