//! An observation: the outcome of one read, never a bare value.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The outcome of reading one fact.
///
/// A policy that asks for a value always meets one of these four statuses, so the case in which a fact could not be read
/// cannot be forgotten. `T` is the shape of the value: the API's own field names for AWS reads, our own types for Terraform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case", deny_unknown_fields)]
pub enum Observation<T = serde_json::Value> {
    /// Read successfully.
    Present {
        /// What was read.
        value: T,
        /// Run-keyed fingerprints of some fields of `value`, by JSON pointer into it, so that a policy can compare a plain
        /// value with a redacted one.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fingerprints: BTreeMap<String, String>,
        /// The calls that the value came from: keys of the document's `receipts`.
        receipts: Vec<String>,
    },
    /// The peer said that it does not exist, or a complete list lacks it.
    Absent {
        /// What the peer said.
        error: ReadError,
        /// The calls that said so: keys of the document's `receipts`.
        receipts: Vec<String>,
    },
    /// It could not be read: denied, throttled out, timed out, 5xx, malformed answer.
    Unreadable {
        /// Why, and what would have been needed.
        error: ReadError,
        /// The calls that were tried: keys of the document's `receipts`.
        receipts: Vec<String>,
    },
    /// Out of this run's scope, or its handle is unpinned.
    NotCollected {
        /// Why no read was tried.
        reason: String,
    },
}

/// Why a read gave no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadError {
    /// The peer's own error code (`AccessDenied`, `NoSuchBucket`), or ours where the peer gave none (`Timeout`).
    pub code: String,
    /// The class of the failure.
    pub kind: ReadErrorKind,
    /// The peer's message, redacted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The IAM action that the read needs (`s3:GetBucketVersioning`); absent for reads that need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// The class of a failed read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadErrorKind {
    /// The peer says that the thing does not exist.
    NotFound,
    /// The caller may not read it.
    Denied,
    /// Throttled on every attempt.
    Throttled,
    /// No answer within the call's timeout or the run's deadline.
    Timeout,
    /// The peer failed (5xx) on every attempt.
    Server,
    /// The answer could not be understood.
    Malformed,
    /// The call never reached the peer: no credentials, no network, no TLS.
    Dispatch,
    /// The peer refused the request as wrong (4xx that is none of the above).
    Rejected,
    /// A local tool is missing or could not be started.
    Tool,
}

impl<T> Observation<T> {
    /// A value with the receipts of the calls that it came from.
    pub fn present(value: T, receipts: Vec<String>) -> Self {
        Self::Present { value, fingerprints: BTreeMap::new(), receipts }
    }

    /// A read that was not tried, and why.
    pub fn not_collected(reason: impl Into<String>) -> Self {
        Self::NotCollected { reason: reason.into() }
    }

    /// The value, if the status is `present`.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Present { value, .. } => Some(value),
            Self::Absent { .. } | Self::Unreadable { .. } | Self::NotCollected { .. } => None,
        }
    }

    /// The same observation with its value, if any, mapped.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observation<U> {
        match self {
            Self::Present { value, fingerprints, receipts } => {
                Observation::Present { value: f(value), fingerprints, receipts }
            }
            Self::Absent { error, receipts } => Observation::Absent { error, receipts },
            Self::Unreadable { error, receipts } => Observation::Unreadable { error, receipts },
            Self::NotCollected { reason } => Observation::NotCollected { reason },
        }
    }
}
