//! The whole pipeline on real input: Terraform and the emulator in, evidence and a verdict out.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::harness::factgate::run_alone;
use crate::harness::files::files;
use crate::harness::gate::{blockers, gate_all, gate_first_lanes};
use crate::harness::packs::{PACKS, pack_files};
use crate::harness::registry::pin_handles;
use crate::harness::world::World;

#[test]
fn a_rehearsed_world_is_go_and_its_archive_says_the_same_byte_for_byte() {
    let world = World::rehearsed();
    let run = gate_all(&world, &[]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("P0     SUBSTRATE_READY GO\n"), "{}", run.stdout);

    let verdict = world.json("verdict.json");
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

#[test]
fn the_gate_applies_its_own_plans_and_is_go_once_the_handles_are_pinned() {
    let world = World::bootstrapped();
    let run = gate_first_lanes(&world, &["--terraform", "apply"]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    // Everything was applied by the very plan that was made; all that is left is that nobody has pinned the outputs yet.
    let facts = world.json("facts.json");
    for stack in ["core", "streaming"] {
        let stack = &facts["terraform"]["stacks"][stack];
        assert_eq!(stack["plan"]["value"]["exit_code"], 2, "{stack:#}");
        assert_eq!(stack["apply"]["value"]["exit_code"], 0, "{stack:#}");
        assert_eq!(stack["apply"]["value"]["plan_digest"], stack["plan"]["value"]["digest"]);
        assert_eq!(stack["post_apply_plan"]["value"]["exit_code"], 0, "{stack:#}");
    }
    let verdict = world.json("verdict.json");
    let codes: BTreeSet<&str> = blockers(&verdict).map(|blocker| blocker["code"].as_str().unwrap()).collect();
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
