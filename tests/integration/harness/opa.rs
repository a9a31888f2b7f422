//! Real OPA, for comparison with the project's own engine.

use std::time::Duration;

use assert_cmd::Command;
use serde_json::{Value, json};

use super::tools;

/// Only what hangs takes longer: on two busy cores, all Rego tests need some three minutes.
const PATIENCE: Duration = Duration::from_secs(1200);

/// Evaluates jobs, each as `tests/opa/evaluate.py` describes it, and gives one result per job. Relative paths of
/// policies are relative to the repository.
pub(crate) fn evaluate(jobs: &[Value]) -> Vec<Value> {
    let mut command = Command::new(tools::python());
    command.arg(tools::repository().join("tests/opa/evaluate.py")).current_dir(tools::repository()).timeout(PATIENCE);
    let output = command.write_stdin(json!({"jobs": jobs}).to_string()).output().expect("OPA runs");
    assert!(output.status.success(), "OPA failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut answer: Value = serde_json::from_slice(&output.stdout).expect("OPA answers in JSON");
    serde_json::from_value(answer["jobs"].take()).expect("one result per job")
}
