//! Real drift: one change on the live emulator or the stacks' files, and exactly the codes that follow from it.
//!
//! No fact is edited. Each test forks the applied world, in which the gate is open, changes one thing by an AWS call or in a
//! file, and runs the whole gate with real Terraform. What Terraform manages also shows in its plan, and a plan that nobody
//! applied blocks by itself (`M2B-B2`, `M2C-B2`); what only the bootstrap made does not.

mod core_stack;
mod state_backend;
mod streaming_stack;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::end_to_end::gate_first_lanes;
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
fn assert_blocks_with(world: &World, more: &[&str], codes: &[&str], (code, subject, cause): Key<'_>) {
    let run = gate_first_lanes(world, more);
    let verdict = fs::read(world.folder().join("verdict.json")).unwrap_or_else(|_| panic!("{}", run.stderr));
    let verdict: Value = serde_json::from_slice(&verdict).unwrap();
    let blockers: Vec<&Value> =
        verdict["lanes"].as_array().unwrap().iter().flat_map(|lane| lane["blockers"].as_array().unwrap()).collect();
    let found: BTreeSet<&str> = blockers.iter().map(|blocker| blocker["code"].as_str().unwrap()).collect();
    assert_eq!(found, codes.iter().copied().collect(), "{}\n{}", run.stdout, failed_logs(world));
    let is_key =
        |blocker: &&Value| blocker["code"] == code && blocker["subject"] == subject && blocker["cause"] == cause;
    assert!(blockers.iter().any(is_key), "no blocker {code} of {subject}: {cause}\n{}", run.stdout);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.starts_with("NO-GO"), "{}", run.stdout);
}

/// The logs of the Terraform commands that failed, for whoever reads why a test did.
fn failed_logs(world: &World) -> String {
    let facts: Value = serde_json::from_slice(&fs::read(world.folder().join("facts.json")).unwrap()).unwrap();
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
