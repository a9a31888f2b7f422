//! `gate`: collect, evaluate, write the evidence packs; what CI runs.

use std::path::PathBuf;

use super::{collect, eval, packs, policies};
use crate::error::Error;
use crate::evaluate::select;
use crate::evidence::{create_root, write_packs};
use crate::exit::ExitCode;
use crate::output::{self, OutputTarget};
use crate::settings::{LaneSettings, PolicySettings, SourceSettings};

/// Where packs go by default: the local root of the contract.
pub(super) const EVIDENCE_ROOT: &str = "runs/dev_substrate/dev_full/m2";

/// Runs the whole pipeline. The policies are held to their laws before anything is collected or applied.
pub(super) fn run(
    source: &SourceSettings,
    policy: &PolicySettings,
    lanes: &LaneSettings,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    let policies = policies(policy)?;
    let covered: Vec<&str> = select(&policies, &lanes.lanes)?.iter().map(|lane| lane.lane.as_str()).collect();
    let root = lanes.evidence_root.clone().unwrap_or_else(|| PathBuf::from(EVIDENCE_ROOT));
    let facts = collect::facts(source, policy, |clock| packs::evidence(&covered, &root, clock))?;
    // The document is what every later question goes back to: it is kept before anything else can fail.
    let document = source
        .facts
        .clone()
        .unwrap_or_else(|| root.join(format!("{}.facts.json", facts.document().run.phase_execution_id)));
    if source.facts.is_none() {
        create_root(&root)?;
    }
    facts.write(&document)?;
    let evaluation = eval::evaluate_facts(&facts, &policies, &lanes.lanes)?;
    write_packs(&root, &evaluation)?;
    let code = evaluation.verdict.exit_code();
    output::write(&[evaluation.verdict], outputs)?;
    Ok(code)
}
