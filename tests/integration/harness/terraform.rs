//! The example stacks, in a Terraform root of their own, and the real binary that works on them.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::{Map, Value};

use super::tools;
use super::world::World;

/// The stacks, in the order in which they must be applied.
pub(crate) const STACKS: [&str; 5] = ["core", "streaming", "runtime", "data_ml", "ops"];

/// An apply takes seconds; a call that the emulator cannot answer would be retried for much longer.
const PATIENCE: Duration = Duration::from_secs(300);

/// Copies the example stacks into a Terraform root.
pub(crate) fn copy_stacks(root: &Path) {
    copy(&tools::repository().join("tests/stacks"), root);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != ".terraform" {
                copy(&entry.path(), &target);
            }
        } else if entry.path().extension() == Some(OsStr::new("tf")) {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs Terraform on a stack of a world; fails the test unless it succeeds. Gives its standard output.
pub(crate) fn run(world: &World, stack: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("terraform");
    command.args(arguments).current_dir(world.terraform_root().join(stack)).timeout(PATIENCE);
    let output = world.enter(&mut command).output().expect("terraform runs; help: run tests/setup");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "terraform {arguments:?} in {stack}: {}\n{stdout}{stderr}\nThe last calls about state and lock: {:?}",
        output.status,
        last_backend_calls(world)
    );
    stdout.into_owned()
}

/// What Terraform's backend asked for last, and how that was answered: a state that stays locked shows here who locked it.
fn last_backend_calls(world: &World) -> Vec<(String, Option<u16>)> {
    let log = world.aws.log();
    let calls = log.iter().filter(|call| matches!(call.service.as_str(), "dynamodb" | "s3"));
    let mut last: Vec<_> = calls.rev().take(20).map(|call| (call.operation.clone(), call.status)).collect();
    last.reverse();
    last
}

/// Initialises and applies a stack.
pub(crate) fn apply(world: &World, stack: &str) {
    run(world, stack, &["init", "-no-color"]);
    run(world, stack, &["apply", "-no-color", "-auto-approve"]);
}

/// The values of a stack's outputs, by name.
pub(crate) fn outputs(world: &World, stack: &str) -> Map<String, Value> {
    let outputs: Map<String, Value> = serde_json::from_str(&run(world, stack, &["output", "-json"])).unwrap();
    outputs.into_iter().map(|(name, output)| (name, output["value"].clone())).collect()
}
