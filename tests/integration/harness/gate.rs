//! Runs of `gate`, and what their verdicts and facts say.

use serde_json::Value;

use super::factgate::{Run, run_in};
use super::world::World;

/// Runs `gate` in a world; the fact document goes to `facts.json`, the packs to `packs`, the verdict to `verdict.json`.
pub(crate) fn gate(world: &World, more: &[&str]) -> Run {
    let fixed = [
        "gate",
        "--registry",
        "dev_full.registry.md",
        "--terraform-root",
        "terraform",
        "--facts",
        "facts.json",
        "--evidence-root",
        "packs",
        "-o",
        "json=verdict.json",
        "-o",
        "table",
    ];
    run_in(world, fixed.iter().chain(more))
}

/// Runs `gate` over the lanes that judge the state backend and the first two stacks.
pub(crate) fn gate_first_lanes(world: &World, more: &[&str]) -> Run {
    gate(world, &[&["--lane", "M2.A,M2.B,M2.C"], more].concat())
}

/// Runs `gate` over all lanes in a rehearsed world, with its rehearsal and approvals.
pub(crate) fn gate_all(world: &World, more: &[&str]) -> Run {
    let given = ["--rehearsal", "rehearsal.json", "--approval", "m2_go_ahead.toml", "--approval", "m3_handoff.toml"];
    gate(world, &[&given, more].concat())
}

/// The blockers of a verdict, in the order of its lanes.
pub(crate) fn blockers(verdict: &Value) -> impl Iterator<Item = &Value> {
    verdict["lanes"].as_array().unwrap().iter().flat_map(|lane| lane["blockers"].as_array().unwrap())
}

/// The logs of the Terraform commands that failed, by the facts of a run, for whoever reads why a test did.
pub(crate) fn failed_logs(facts: &Value) -> String {
    let mut logs = String::new();
    for (name, stack) in facts["terraform"]["stacks"].as_object().unwrap() {
        for (step, observation) in stack.as_object().unwrap() {
            let value = &observation["value"];
            if value["exit_code"].as_i64().is_some_and(|code| ![0, 2].contains(&code)) {
                logs.push_str(&format!("terraform {step} of {name}:\n{}\n", value["log"].as_str().unwrap_or_default()));
            }
        }
    }
    logs
}
