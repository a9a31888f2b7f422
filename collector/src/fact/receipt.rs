//! Receipts: the record of every call that a fact came from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One recorded call. Receipts stand in the document's `receipts`, under keys such as `s3.GetBucketVersioning/my-bucket`,
/// `iam.GetPolicyVersion/arn…#2` (second page) or `terraform.plan/core`: the same call has the same key in every run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Receipt {
    /// An AWS API call.
    Aws {
        /// The service's endpoint prefix (`s3`, `kafka`).
        service: String,
        /// The operation as the API names it (`GetBucketVersioning`).
        operation: String,
        /// The request's parameters, redacted.
        parameters: BTreeMap<String, serde_json::Value>,
        /// The region that was asked.
        region: String,
        /// RFC 3339, UTC, milliseconds.
        started_at: String,
        /// Milliseconds from the first attempt to the last answer.
        duration_ms: u64,
        /// How many requests were sent, retries included.
        attempts: u32,
        /// The HTTP status of the last answer; absent if none came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_status: Option<u16>,
        /// The peer's request id; absent if none came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// `sha256:<hex>` of the answer's body as kept by `--raw`; absent if none came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_digest: Option<String>,
        /// Whether the body was redacted before it was digested and kept.
        #[serde(default)]
        body_redacted: bool,
    },
    /// A run of the `terraform` binary.
    Terraform {
        /// The arguments behind `terraform`, redacted.
        arguments: Vec<String>,
        /// The stack's directory, relative to the Terraform root.
        directory: String,
        /// The binary's version; absent if it could not be asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terraform_version: Option<String>,
        /// RFC 3339, UTC, milliseconds.
        started_at: String,
        /// Milliseconds.
        duration_ms: u64,
        /// The exit code; absent if the process was killed or never started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// `sha256:<hex>` of the redacted log (stdout, then stderr) as kept by `--raw`.
        log_digest: String,
    },
    /// A read of the local file system.
    File {
        /// The path, relative to the Terraform root.
        path: String,
        /// RFC 3339, UTC, milliseconds.
        started_at: String,
        /// `sha256:<hex>` of what was read: a file's bytes, or the sorted listing of a directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
}
