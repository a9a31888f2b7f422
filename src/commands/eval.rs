//! `eval`: archived fact documents to verdicts, without network or credentials.

use std::path::PathBuf;

use factgate_collector::fact::Facts;

use super::{keep_apart, policies};
use crate::baseline::Baseline;
use crate::error::Error;
use crate::evaluate::{Document, Evaluation, evaluate};
use crate::evidence::write_packs;
use crate::exit::ExitCode;
use crate::output::{self, Archive, Evaluated, OutputTarget, Report};
use crate::policy::{Code, Policies};
use crate::settings::{LaneSettings, PolicySettings};
use crate::waiver::{self, Waiver};

/// Evaluates every document before anything is written, so that an unusable one leaves no half of an answer.
pub(super) fn run(
    paths: &[PathBuf],
    policy: &PolicySettings,
    lanes: &LaneSettings,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    keep_apart(outputs, paths.iter().map(PathBuf::as_path))?;
    let policies = policies(policy)?;
    let waivers = waivers(lanes)?;
    let baselines = baselines(lanes, paths.len())?;
    let mut evaluations = Vec::new();
    for path in paths {
        let facts = Facts::read(path)?;
        evaluations.push(evaluate_facts(&facts, &policies, &lanes.lanes, &waivers)?);
    }
    let mut archive = Archive::default();
    if let Some(root) = &lanes.evidence_root {
        for evaluation in &evaluations {
            archive.add(&write_packs(root, evaluation)?);
        }
    }
    let verdicts: Vec<_> = evaluations.into_iter().map(|evaluation| evaluation.verdict).collect();
    let documents = paths.iter().zip(&verdicts).enumerate();
    let evaluated = documents.map(|(index, (path, verdict))| Evaluated {
        document: path.display().to_string(),
        verdict,
        baseline: baselines.get(index),
    });
    let report = Report { evaluated: evaluated.collect(), codes: codes(&policies), archive: &archive };
    output::write(&report, outputs)?;
    Ok(worst(verdicts.iter().map(|verdict| verdict.exit_code())))
}

/// Evaluates one document.
pub(super) fn evaluate_facts(
    facts: &Facts,
    policies: &Policies,
    lanes: &[String],
    waivers: &[Waiver],
) -> Result<Evaluation, Error> {
    let document = Document::new(facts.json().clone(), facts.is_sealed())?;
    Ok(evaluate(&document, policies, lanes, waivers)?)
}

/// What blocked before in each of so many documents; none if the settings name no file.
pub(super) fn baselines(lanes: &LaneSettings, documents: usize) -> Result<Vec<Baseline>, Error> {
    Ok(lanes.baseline.as_deref().map(|path| Baseline::read(path, documents)).transpose()?.unwrap_or_default())
}

/// Every code of the policies.
pub(super) fn codes(policies: &Policies) -> Vec<&Code> {
    policies.lanes().iter().flat_map(|lane| &lane.codes).collect()
}

/// The waivers that the settings name; none if they name no file.
pub(super) fn waivers(lanes: &LaneSettings) -> Result<Vec<Waiver>, Error> {
    Ok(lanes.waivers.as_deref().map(waiver::read).transpose()?.unwrap_or_default())
}

/// Several documents are GO only if each is, and worth a retry only if nothing but unreadable facts blocks any of them.
fn worst(codes: impl Iterator<Item = ExitCode>) -> ExitCode {
    codes.fold(ExitCode::Go, |worst, code| match (worst, code) {
        (ExitCode::Go, code) => code,
        (worst, ExitCode::Go) => worst,
        (ExitCode::Unreadable, ExitCode::Unreadable) => ExitCode::Unreadable,
        _ => ExitCode::NoGo,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_blocked_document_blocks_all() {
        let worst = |codes: &[ExitCode]| worst(codes.iter().copied());
        assert_eq!(worst(&[ExitCode::Go, ExitCode::Go]), ExitCode::Go);
        assert_eq!(worst(&[ExitCode::Go, ExitCode::Unreadable]), ExitCode::Unreadable);
        assert_eq!(worst(&[ExitCode::Unreadable, ExitCode::NoGo, ExitCode::Go]), ExitCode::NoGo);
    }
}
