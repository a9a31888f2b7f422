//! Evidence packs as the contract names their files.

use std::collections::BTreeSet;

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
