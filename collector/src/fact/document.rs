//! The fact document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observation, PlaintextScan, Receipt, Terraform};

/// The format that this version of the tool writes and reads.
pub const FORMAT: &str = "factgate.facts/v1";

/// AWS facts: service → kind → name → aspect.
pub type AwsFacts = BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeMap<String, Observation>>>>;

/// Every fact of one run: the only input of the policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactDocument {
    /// Always [`FORMAT`].
    pub format: String,
    /// Who collected, when, from where.
    pub run: Run,
    /// The handle registry, by handle name.
    pub handles: BTreeMap<String, Handle>,
    /// Terraform, by stack.
    #[serde(default)]
    pub terraform: Terraform,
    /// AWS reads: service → kind → name → aspect (`aws.s3.buckets.<bucket>.versioning`).
    #[serde(default)]
    pub aws: AwsFacts,
    /// Evidence packs of lanes that were closed earlier, by lane.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, Observation>,
    /// The destroy and recover rehearsal, by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rehearsal: BTreeMap<String, Observation>,
    /// Approval files, by what they approve.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: BTreeMap<String, Observation>,
    /// Secrets in places that must hold none. Documents of earlier versions have no such scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext_scan: Option<Observation<PlaintextScan>>,
    /// Every recorded call.
    #[serde(default)]
    pub receipts: BTreeMap<String, Receipt>,
    /// `sha256:<hex>` over the RFC 8785 canonical form of everything else. A document without it is unsealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Who collected, when, from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// `m2_<YYYYMMDDTHHMMSSZ>`; a lane's own id has the lane's letter behind `m2` (`m2a_…`).
    pub phase_execution_id: String,
    /// The pinned clock, RFC 3339 UTC: the only notion of "now" that a policy has.
    pub collected_at: String,
    /// The tool that collected.
    pub tool: Tool,
    /// The region of the reads; `unknown` where none is configured.
    pub region: String,
    /// The endpoint override in force, if any: facts read through one are not AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// `sts:GetCallerIdentity`.
    pub caller_identity: Observation,
    /// The registry that the handles came from.
    pub registry: RegistrySource,
    /// What Terraform was allowed to do: `off`, `plan` or `apply`.
    pub terraform_mode: TerraformMode,
}

/// The tool that wrote a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `factgate`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The registry file that handles were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrySource {
    /// As given on the command line.
    pub path: String,
    /// `sha256:<hex>` of its bytes.
    pub digest: String,
}

/// What Terraform may do in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TerraformMode {
    /// Terraform is not run: its facts are `not_collected`.
    Off,
    /// Read only: init, validate, plan, output, state.
    Plan,
    /// Also applies a plan that has changes.
    Apply,
}

/// One pinned handle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handle {
    /// The pinned value; where the registry's value names another handle, that handle's value.
    pub value: serde_json::Value,
    /// The line of the registry that pins it, from 1.
    pub line: u32,
    /// Other lines that pin it to the same value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated_on: Vec<u32>,
    /// The handles that the value was resolved through, in order; empty for a literal value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved_through: Vec<String>,
    /// Behind `->` on a `TAG_*_KEY` line: the value that the tag must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_tag_value: Option<String>,
}
