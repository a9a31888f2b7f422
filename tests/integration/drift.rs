//! Real drift: one change on the live emulator or the stacks' files, and exactly the codes that follow from it.
//!
//! No fact is edited. Each test forks the applied world, in which the gate is open, changes one thing by an AWS call or in a
//! file, and runs the whole gate with real Terraform. What Terraform manages also shows in its plan, and a plan that nobody
//! applied blocks by itself (`M2B-B2`, `M2C-B2`); what only the bootstrap made does not.

mod core_stack;
mod later_lanes;
mod state_backend;
mod streaming_stack;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::harness::factgate::Run;
use crate::harness::gate::{blockers, failed_logs, gate_first_lanes};
use crate::harness::world::World;

/// The blocker that a drift is about, among all that follow from it: code, subject, cause.
type Key<'text> = (&'text str, &'text str, &'text str);

/// Runs the gate and asserts that it blocks by exactly these codes, and by the key blocker among them.
#[track_caller]
fn assert_blocks(world: &World, codes: &[&str], key: Key<'_>) {
    assert_blocks_with(world, &[], codes, key);
}

/// The same, with more arguments.
#[track_caller]
fn assert_blocks_with(world: &World, more: &[&str], codes: &[&str], key: Key<'_>) {
    assert_verdict(world, &gate_first_lanes(world, more), codes, &[key]);
}

/// Asserts that a gate blocked by exactly these codes, and by the key blockers among them.
#[track_caller]
fn assert_verdict(world: &World, run: &Run, codes: &[&str], keys: &[Key<'_>]) {
    assert!(world.folder().join("verdict.json").exists(), "{}", run.stderr);
    let verdict = world.json("verdict.json");
    let blockers: Vec<&Value> = blockers(&verdict).collect();
    let found: BTreeSet<&str> = blockers.iter().map(|blocker| blocker["code"].as_str().unwrap()).collect();
    let logs = failed_logs(&world.json("facts.json"));
    assert_eq!(found, codes.iter().copied().collect(), "{}\n{logs}", run.stdout);
    for (code, subject, cause) in keys {
        let is_key =
            |blocker: &&Value| blocker["code"] == *code && blocker["subject"] == *subject && blocker["cause"] == *cause;
        assert!(blockers.iter().any(is_key), "no blocker {code} of {subject}: {cause}\n{}", run.stdout);
    }
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("NO-GO"), "{}", run.stdout);
}

/// Replaces a piece of a stack's file; it must be there exactly once.
fn edit(world: &World, file: &str, from: &str, to: &str) {
    let path = world.terraform_root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {file}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Adds to a stack's file.
fn append(world: &World, file: &str, more: &str) {
    let path = world.terraform_root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text + more).unwrap();
}

/// The value that a handle is pinned to.
fn pinned(world: &World, handle: &str) -> Value {
    let text = fs::read_to_string(world.registry()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("* `{handle} = ")));
    let (literal, _) = line.and_then(|line| line.split_once('`')).expect("a handle's line");
    serde_json::from_str(literal).unwrap()
}
