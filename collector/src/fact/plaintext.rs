//! Secrets that stand where none may stand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was found in the places that must hold no secret: outputs that are not marked sensitive, Terraform's plans and logs, the
/// environment of functions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaintextScan {
    /// Every place that was to be looked at, sorted, whether anything was found in it or not.
    pub sources: Vec<ScannedSource>,
    /// What was found, sorted. Never the secret itself.
    pub findings: Vec<Finding>,
}

impl PlaintextScan {
    /// What the scan says of one source.
    pub fn of_source(&self, source: &str) -> Self {
        Self {
            sources: self.sources.iter().filter(|scanned| scanned.source == source).cloned().collect(),
            findings: self.findings.iter().filter(|finding| finding.source == source).cloned().collect(),
        }
    }

    /// Adds what another scan says of other sources.
    pub fn extend(&mut self, other: Self) {
        self.sources.extend(other.sources);
        self.sources.sort();
        self.findings.extend(other.findings);
        self.findings.sort();
    }
}

/// A place that must hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScannedSource {
    /// The path of the fact that it is read for: `terraform.stacks.core.outputs`.
    pub source: String,
    /// Whether all of it was looked at; `false` where it could not be read.
    pub scanned: bool,
}

/// A secret in plain text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The place, one of the scan's sources.
    pub source: String,
    /// Where in it: the name of an output with the JSON pointer of a part of it, a line of a command's log, a variable.
    pub at: String,
    /// By what it was recognised.
    pub kind: FindingKind,
}

/// By what a secret was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It has the form of a credential, or stands under the name of one.
    Credential,
    /// It is a value that is declared a secret elsewhere: marked sensitive in Terraform, or read from a parameter.
    KnownSecret,
}
