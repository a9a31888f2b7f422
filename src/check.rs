//! Checks: what a policy claims about its subjects, and what follows from a claim that does not hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One claim about one subject, as a code rule of a policy states it. Its identity is (code, subject, claim), which never
/// depends on facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The handle, resource or stack that the claim is about.
    pub subject: String,
    /// What must hold, as a clause: `versioning is on`.
    pub claim: String,
    /// Whether it holds.
    pub ok: bool,
    /// Why it does not hold; `none` exactly if it holds.
    pub cause: Cause,
    /// What the contract pins.
    pub expected: Value,
    /// What was read.
    pub actual: Value,
    /// JSON pointers into the fact document.
    pub facts: Vec<String>,
}

/// Why a check is not ok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is ok.
    None,
    /// The fact contradicts the contract.
    Violated,
    /// The resource is not there.
    Absent,
    /// The fact could not be read.
    Unreadable,
    /// The handle is missing or `TO_PIN`.
    Unpinned,
    /// A receipt or artifact is missing or inconsistent.
    Evidence,
}

/// How much a blocker weighs. Both block; only S2 can be waived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Severity {
    /// Never waivable.
    S1,
    /// Waivable with owner, reason and expiry.
    S2,
}
