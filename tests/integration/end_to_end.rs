//! The whole pipeline on real input: Terraform and the emulator in, evidence and a verdict out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::factgate::{Run, run_alone, run_in};
use crate::harness::registry::pin_handles;
use crate::harness::world::World;

/// The packs of all lanes, with the exact file names of the contract; those without an ending are JSON.
pub(crate) const PACKS: [(&str, &[&str]); 10] = [
    ("m2a", &["backend_conformance_snapshot", "blocker_register", "execution_summary", "stack_backend_matrix"]),
    (
        "m2b",
        &[
            "blocker_register",
            "core_apply_snapshot",
            "core_output_handle_matrix",
            "core_plan_snapshot",
            "core_policy_tag_conformance",
            "execution_summary",
            "post_apply_stability_check",
        ],
    ),
    (
        "m2c",
        &[
            "blocker_register",
            "execution_summary",
            "msk_identity_snapshot",
            "schema_registry_snapshot",
            "stream_lane_contract_snapshot",
            "streaming_apply_snapshot",
            "streaming_plan_snapshot",
        ],
    ),
    (
        "m2d",
        &[
            "blocker_register",
            "execution_summary",
            "lane_binding_matrix",
            "schema_registry_snapshot",
            "sr_commit_authority_snapshot",
            "topic_surface_matrix",
        ],
    ),
    (
        "m2e",
        &[
            "api_edge_runtime_snapshot",
            "blocker_register",
            "execution_summary",
            "runtime_apply_snapshot",
            "runtime_path_governance_snapshot",
            "runtime_plan_snapshot",
            "runtime_role_conformance_matrix",
        ],
    ),
    (
        "m2f",
        &[
            "blocker_register",
            "execution_summary",
            "ig_secret_contract_snapshot",
            "plaintext_leakage_scan",
            "secret_inventory_snapshot",
            "secret_materialization_snapshot",
            "secret_role_readability_matrix",
        ],
    ),
    ("m2g", &["blocker_register", "data_ml_output", "execution_summary"]),
    ("m2h", &["blocker_register", "execution_summary", "ops_output"]),
    (
        "m2i",
        &[
            "blocker_register",
            "cost_posture_snapshot",
            "destroy_apply_receipts",
            "execution_summary",
            "post_recovery_integrity_snapshot",
            "recover_apply_receipts",
            "rehearsal_scope_snapshot",
            "residual_scan_snapshot",
        ],
    ),
    (
        "m2j",
        &[
            "blocker_adjudication",
            "blocker_register",
            "execution_summary",
            "m3_entry_readiness_receipt",
            "managed_control_rail_snapshot",
            "p0_rollup_matrix",
            "production_pattern_conformance_snapshot",
        ],
    ),
];

/// The logs of Terraform's commands, which the lanes of the last two stacks keep.
const LOGS: [&str; 4] = ["apply", "init", "plan", "validate"];

/// The files of a lane's pack (`m2a`), each in the folder of the run with this time stamp.
pub(crate) fn pack_files(lane: &str, stamp: &str) -> BTreeSet<String> {
    let (_, artifacts) = PACKS.iter().find(|(name, _)| *name == lane).unwrap();
    let folder = format!("{lane}_{stamp}");
    let whole = ["manifest.sha256", "statement.intoto.json"].map(|file| format!("{folder}/{file}"));
    let logs = if matches!(lane, "m2g" | "m2h") { &LOGS[..] } else { &[] };
    let logs = logs.iter().map(|log| format!("{folder}/terraform_{log}.log"));
    let artifacts = artifacts.iter().map(|artifact| format!("{folder}/{lane}_{artifact}.json"));
    artifacts.chain(logs).chain(whole).collect()
}

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

/// Every file below a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// The logs of the Terraform commands that failed, by the facts of a run, for whoever reads why a test did.
pub(crate) fn failed_logs(facts: &Path) -> String {
    let facts: Value = serde_json::from_slice(&fs::read(facts).unwrap()).unwrap();
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

#[test]
fn a_rehearsed_world_is_go_and_its_archive_says_the_same_byte_for_byte() {
    let world = World::rehearsed();
    let run = gate_all(&world, &[]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("P0     SUBSTRATE_READY GO\n"), "{}", run.stdout);

    let verdict: Value = serde_json::from_slice(&fs::read(world.folder().join("verdict.json")).unwrap()).unwrap();
    for lane in verdict["lanes"].as_array().unwrap() {
        assert_eq!(lane["status"], "PASS", "{lane:#}");
    }
    assert_eq!(verdict["p0"]["status"], "GO");

    let packs = files(&world.folder().join("packs"));
    let stamp = verdict["facts"]["phase_execution_id"].as_str().unwrap().trim_start_matches("m2_").to_owned();
    let expected: BTreeSet<String> = PACKS.iter().flat_map(|(lane, _)| pack_files(lane, &stamp)).collect();
    assert_eq!(packs.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for (lane, _) in PACKS {
        let pack = world.folder().join("packs").join(format!("{lane}_{stamp}"));
        let check =
            Command::new("sha256sum").args(["-c", "--strict", "manifest.sha256"]).current_dir(&pack).output().unwrap();
        assert!(check.status.success(), "{check:?}");
    }

    // The archive is evaluated where there is neither AWS nor Terraform.
    let archive = tempfile::tempdir().unwrap();
    fs::copy(world.folder().join("facts.json"), archive.path().join("facts.json")).unwrap();
    let again =
        run_alone(archive.path(), ["eval", "facts.json", "-o", "json=verdict.json", "--evidence-root", "packs"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(
        fs::read(archive.path().join("verdict.json")).unwrap(),
        fs::read(world.folder().join("verdict.json")).unwrap()
    );
    assert_eq!(files(&archive.path().join("packs")), packs);
}

/// The codes that block in the verdict of the last [`gate`].
pub(crate) fn blocked_codes(world: &World) -> BTreeSet<String> {
    let verdict: Value = serde_json::from_slice(&fs::read(world.folder().join("verdict.json")).unwrap()).unwrap();
    let lanes = verdict["lanes"].as_array().unwrap().iter();
    lanes
        .flat_map(|lane| lane["blockers"].as_array().unwrap())
        .map(|blocker| blocker["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_gate_applies_its_own_plans_and_is_go_once_the_handles_are_pinned() {
    let world = World::bootstrapped();
    let run = gate_first_lanes(&world, &["--terraform", "apply"]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    // Everything was applied by the very plan that was made; all that is left is that nobody has pinned the outputs yet.
    let facts: Value = serde_json::from_slice(&fs::read(world.folder().join("facts.json")).unwrap()).unwrap();
    for stack in ["core", "streaming"] {
        let stack = &facts["terraform"]["stacks"][stack];
        assert_eq!(stack["plan"]["value"]["exit_code"], 2, "{stack:#}");
        assert_eq!(stack["apply"]["value"]["exit_code"], 0, "{stack:#}");
        assert_eq!(stack["apply"]["value"]["plan_digest"], stack["plan"]["value"]["digest"]);
        assert_eq!(stack["post_apply_plan"]["value"]["exit_code"], 0, "{stack:#}");
    }
    let codes = blocked_codes(&world);
    assert!(!codes.contains("M2B-B1") && !codes.contains("M2B-B2") && !codes.contains("M2C-B2"), "{codes:?}");
    assert!(codes.contains("M2B-B3") && codes.contains("M2C-B3"), "{codes:?}");

    let mut outputs = serde_json::Map::new();
    for stack in ["core", "streaming"] {
        for (name, output) in facts["terraform"]["stacks"][stack]["outputs"]["value"]["values"].as_object().unwrap() {
            outputs.insert(name.clone(), output["value"].clone());
        }
    }
    world.change_registry(|text| pin_handles(text, &outputs));
    fs::remove_dir_all(world.folder().join("packs")).unwrap();
    let run = gate_first_lanes(&world, &[]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
}
