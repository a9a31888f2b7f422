//! What is known of one Terraform stack.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observation;

/// The `terraform` section.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terraform {
    /// By stack name: `core`, `streaming`, `runtime`, `data_ml`, `ops`.
    pub stacks: BTreeMap<String, Stack>,
}

/// One stack. A command that ran and failed is `present` with its exit code; a command that could not be run is
/// `unreadable`; a command that was not tried, because one before it failed or was not asked for, is `not_collected`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// The folder named by `TF_STACK_*_DIR`.
    pub directory: Observation<Directory>,
    /// The `backend` block of the folder, and the backend in force after `init`.
    pub backend: Observation<Backend>,
    /// `terraform init` against the pinned backend.
    pub init: Observation<Command>,
    /// `terraform validate -json`.
    pub validate: Observation<Validation>,
    /// `terraform plan -detailed-exitcode`.
    pub plan: Observation<Plan>,
    /// `terraform apply` of that very plan.
    pub apply: Observation<Apply>,
    /// A second `terraform plan -detailed-exitcode`, after `apply`.
    pub post_apply_plan: Observation<Plan>,
    /// `terraform output -json`.
    pub outputs: Observation<Outputs>,
    /// `terraform state pull`, reduced to identity and inventory.
    pub state: Observation<State>,
}

/// A stack's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Relative to the Terraform root.
    pub path: String,
    /// The folder's `*.tf` and `*.tf.json` files, sorted.
    pub files: Vec<String>,
}

/// A backend block and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The block's label: `s3`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `file:line` of the block.
    pub declared_at: String,
    /// The attributes that the block itself sets (`bucket`, `key`, `region`, `dynamodb_table`, `use_lockfile`, `encrypt`).
    /// An attribute that is left out is supplied by the handles at `init`.
    pub declared: BTreeMap<String, serde_json::Value>,
    /// The same attributes as Terraform recorded them at `init`; empty if `init` failed or did not run.
    pub effective: BTreeMap<String, serde_json::Value>,
}

/// A command and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Its exit code.
    pub exit_code: i32,
    /// Its redacted log; only the end of a long one.
    pub log: String,
}

/// The answer of `terraform validate -json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Its exit code.
    pub exit_code: i32,
    /// Terraform's own verdict.
    pub valid: bool,
    /// `severity: summary (file:line)`, redacted.
    pub diagnostics: Vec<String>,
    /// Its redacted log; only the end of a long one.
    pub log: String,
}

/// A plan, reduced to what changes: addresses and actions, never values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// 0 no changes, 2 changes, anything else failed (Terraform's `-detailed-exitcode`).
    pub exit_code: i32,
    /// `sha256:<hex>` of the plan file; absent if none was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How many resources each action touches: `create`, `update`, `delete`, `replace`, `read`, `no_op`, `import`, `forget`.
    pub summary: BTreeMap<String, u64>,
    /// Every resource change that is not a no-op.
    pub resource_changes: Vec<ResourceChange>,
    /// Every resource that changed outside Terraform, by address.
    pub drifted: Vec<String>,
    /// Every output that changes: name → actions.
    pub output_changes: BTreeMap<String, Vec<String>>,
    /// Its redacted log; only the end of a long one.
    pub log: String,
}

/// A planned change of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceChange {
    /// The resource's address.
    pub address: String,
    /// The resource's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Terraform's actions, in order: `["delete", "create"]` is a replacement.
    pub actions: Vec<String>,
}

/// An apply of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Its exit code.
    pub exit_code: i32,
    /// `sha256:<hex>` of the plan file that was applied.
    pub plan_digest: String,
    /// Its redacted log; only the end of a long one.
    pub log: String,
}

/// The answer of `terraform output -json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// Its exit code.
    pub exit_code: i32,
    /// By name.
    pub values: BTreeMap<String, Output>,
    /// Its redacted standard error; only the end of a long one.
    pub log: String,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The value; of a sensitive output, its run-keyed fingerprint.
    pub value: serde_json::Value,
    /// Whether Terraform marks it sensitive.
    pub sensitive: bool,
}

/// A state, reduced to its identity and inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The exit code of `terraform state pull`.
    pub exit_code: i32,
    /// Increases with every change of the state.
    pub serial: u64,
    /// Identifies the state over its whole life.
    pub lineage: String,
    /// The version that wrote it.
    pub terraform_version: String,
    /// Addresses of managed resource instances, sorted.
    pub managed_resources: Vec<String>,
    /// ARNs of managed resource instances, sorted: what the stack answers for in the account. Documents of earlier versions have
    /// none.
    #[serde(default)]
    pub resource_arns: Vec<String>,
    /// Names of the outputs that the state holds, sorted.
    pub outputs: Vec<String>,
    /// Its redacted standard error; only the end of a long one.
    pub log: String,
}
