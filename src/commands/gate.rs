//! `gate`: collect, evaluate, write the evidence packs and mirror them; what CI runs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use factgate_collector::file::check_folder;

use super::{collect, eval, keep_apart, mirror, packs, policies};
use crate::error::Error;
use crate::evaluate::select;
use crate::evidence::mirror::MirrorTarget;
use crate::evidence::{create_root, prepare_packs};
use crate::exit::ExitCode;
use crate::output::{self, Archive, Evaluated, OutputTarget, Report};
use crate::policy::Lane;
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
    let baselines = eval::baselines(lanes, 1)?;
    let selected = select(&policies, &lanes.lanes)?;
    let covered: Vec<&str> = selected.iter().map(|lane| lane.lane.as_str()).collect();
    let stacks = stacks(policies.lanes(), &selected);
    let root = lanes.evidence_root.clone().unwrap_or_else(|| PathBuf::from(EVIDENCE_ROOT));
    keep_apart(outputs, source.facts.as_deref())?;
    check_folder(&root).map_err(Error::unwritable("evidence packs", &root))?;
    let shelf = packs::Shelf { root: &root, mirror: target, options: collect::aws_options(source) };
    let facts = collect::facts(source, policy, stacks, |clock, handles| shelf.evidence(&covered, handles, clock))?;
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
    let prepared = prepare_packs(&root, &evaluation)?;
    let options = collect::aws_options(source);
    // A pack that is not in the mirror is none here either, or a later lane would rest on it.
    let places = mirror::upload(target, prepared.packs(), &facts.document().handles, options)?;
    let mut archive = Archive::default();
    archive.add(&prepared.publish()?);
    archive.mirror(&places);
    let code = evaluation.verdict.exit_code();
    let evaluated = Evaluated {
        document: document.display().to_string(),
        verdict: &evaluation.verdict,
        baseline: baselines.first(),
    };
    let report = Report { evaluated: vec![evaluated], codes: eval::codes(&policies), archive: &archive };
    output::write(&report, outputs)?;
    Ok(code)
}

/// The stacks that the selected lanes and those before them read: no other is planned, let alone applied. `None` means all.
fn stacks(all: &[Lane], selected: &[&Lane]) -> Option<BTreeSet<String>> {
    let mut pending = selected.to_vec();
    let mut seen = BTreeSet::new();
    let mut stacks = BTreeSet::new();
    while let Some(lane) = pending.pop() {
        if seen.insert(&lane.lane) {
            stacks.extend(lane.stacks.clone()?);
            pending.extend(all.iter().filter(|other| lane.upstream.contains(&other.lane)));
        }
    }
    Some(stacks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policies, PolicyOptions};

    #[test]
    fn a_lane_needs_its_own_stacks_and_those_of_the_lanes_before_it() {
        let policies = Policies::embedded(&PolicyOptions::default()).unwrap();
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            stacks(policies.lanes(), &select(&policies, &names).unwrap())
        };
        let set = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(of(&["M2.A"]), set(&[]));
        assert_eq!(of(&["M2.C"]), set(&["core", "streaming"]));
        assert_eq!(of(&["M2.H"]), set(&["core", "streaming", "runtime", "data_ml", "ops"]));
        for all in ["M2.F", "M2.I", "M2.J"] {
            assert_eq!(of(&[all]), None);
        }
        assert_eq!(of(&[]), None);
    }
}
