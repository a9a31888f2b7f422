//! `gate`: collect, evaluate, write the evidence packs and mirror them; what CI runs.

use std::path::PathBuf;
use std::time::Instant;

use factgate_collector::aws;

use super::{collect, eval, mirror, packs, policies};
use crate::error::Error;
use crate::evaluate::select;
use crate::evidence::mirror::MirrorTarget;
use crate::evidence::{create_root, write_packs};
use crate::exit::ExitCode;
use crate::output::{self, Archive, OutputTarget};
use crate::settings::{LaneSettings, PolicySettings, SourceSettings};

/// Where packs go by default: the local root of the contract.
pub(super) const EVIDENCE_ROOT: &str = "runs/dev_substrate/dev_full/m2";

/// Runs the whole pipeline. The policies are held to their laws before anything is collected or applied.
pub(super) fn run(
    source: &SourceSettings,
    policy: &PolicySettings,
    lanes: &LaneSettings,
    target: &MirrorTarget,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    let policies = policies(policy)?;
    let waivers = eval::waivers(lanes)?;
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
    let evaluation = eval::evaluate_facts(&facts, &policies, &lanes.lanes, &waivers)?;
    let packs = write_packs(&root, &evaluation)?;
    let mut archive = Archive::default();
    archive.add(&packs);
    let options = aws::Options {
        region: source.region.clone(),
        endpoint_url: source.endpoint_url.clone(),
        call_timeout: source.call_timeout,
        deadline: Instant::now() + source.deadline,
        max_attempts: source.max_attempts,
        concurrency: source.concurrency,
        keep_bodies: false,
    };
    archive.mirror(&mirror::upload(target, &packs, &facts.document().handles, options)?);
    let code = evaluation.verdict.exit_code();
    output::write(&[evaluation.verdict], &archive, outputs)?;
    Ok(code)
}
