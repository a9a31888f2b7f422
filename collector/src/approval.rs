//! Approval files: what people allow, who, until when.
//!
//! ```text
//! TOML ─┐
//! JSON  ├─► fields (name, text or list, place) ─► strict ─► Approval ─► approvals.<kind>, file.approval/<kind>
//! YAML ─┘
//! ```
//!
//! An approval that is misread is worse than none: an unknown field, a time without an offset or a second file of one kind is
//! an error before anything is run. Whether an approval has expired is not judged here.

mod read;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::fact::{Digest, Observation, Receipt};
use crate::help::Help;
use crate::location::Location;

pub use schema::{SCHEMA_ID, schema};

/// The format that this version of the tool reads.
pub const FORMAT: &str = "factgate.approval/v1";

/// The largest file that is read as an approval.
const LARGEST_APPROVAL: usize = 1 << 20;

/// What an approval allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApprovalKind {
    /// The operator's go-ahead for M2.
    M2GoAhead,
    /// The confirmation of the hand-off to M3.
    M3Handoff,
    /// The destroy and recover rehearsal of some stacks.
    Rehearsal,
}

impl ApprovalKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::M2GoAhead, Self::M3Handoff, Self::Rehearsal];

    /// As files and facts name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::M2GoAhead => "m2_go_ahead",
            Self::M3Handoff => "m3_handoff",
            Self::Rehearsal => "rehearsal",
        }
    }
}

/// One approval, as its file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What it allows.
    pub kind: ApprovalKind,
    /// Who allows it.
    pub approved_by: String,
    /// When.
    pub approved_at: DateTime<Utc>,
    /// Until when it holds.
    pub expires_at: DateTime<Utc>,
    /// The stacks that may be destroyed and recovered, sorted; empty for the other kinds.
    pub stacks: Vec<String>,
    /// Why.
    pub reason: String,
    /// The file, as the user named it.
    pub path: String,
    /// Of the file's bytes.
    pub digest: Digest,
    /// When the file was read.
    pub read_at: DateTime<Utc>,
}

impl Approval {
    /// Reads a file; its extension names the format.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is not exactly an approval.
    pub fn read(path: &Path) -> Result<Self, ApprovalError> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| ApprovalError::Io { name: name.clone(), source })?;
        read::approval(&name, path, &bytes)
    }

    /// Reads some files, of which no two may be of one kind.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, is not exactly an approval, or is of the kind of another.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, ApprovalError> {
        let mut approvals: Vec<Self> = Vec::new();
        for path in paths {
            let approval = Self::read(path)?;
            if let Some(first) = approvals.iter().find(|first| first.kind == approval.kind) {
                let kind = approval.kind.name();
                return Err(ApprovalError::Repeated { kind, first: first.path.clone(), second: approval.path });
            }
            approvals.push(approval);
        }
        Ok(approvals)
    }

    /// Whether it no longer holds.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        now >= self.expires_at
    }

    /// The key of the receipt of the file.
    pub fn receipt_key(&self) -> String {
        format!("file.approval/{}", self.kind.name())
    }

    /// The file as a fact.
    pub fn observation(&self) -> Observation {
        let value = json!({
            "kind": self.kind.name(),
            "approved_by": self.approved_by,
            "approved_at": instant(self.approved_at),
            "expires_at": instant(self.expires_at),
            "stacks": self.stacks,
            "reason": self.reason,
            "path": self.path,
            "digest": self.digest.as_str(),
        });
        Observation::present(value, vec![self.receipt_key()])
    }

    /// The record of the read.
    pub fn receipt(&self) -> Receipt {
        Receipt::File {
            path: self.path.clone(),
            started_at: self.read_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            digest: Some(self.digest.to_string()),
        }
    }
}

/// One way of writing an instant, so that policies compare like with like; the file's digest stands for its own way.
fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The `approvals` section, with a reason for every kind that no file was given for, and its receipts.
pub fn facts(approvals: &[Approval]) -> (BTreeMap<String, Observation>, BTreeMap<String, Receipt>) {
    let mut observations = BTreeMap::new();
    let mut receipts = BTreeMap::new();
    for kind in ApprovalKind::ALL {
        let observation = match approvals.iter().find(|approval| approval.kind == kind) {
            Some(approval) => {
                receipts.insert(approval.receipt_key(), approval.receipt());
                approval.observation()
            }
            None => Observation::not_collected(format!("no approval file of the kind {} is configured", kind.name())),
        };
        observations.insert(kind.name().to_owned(), observation);
    }
    (observations, receipts)
}

/// Why an approval cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The file system refused.
    #[error("{name}: the approval cannot be read")]
    Io {
        /// The file.
        name: String,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The extension names none of the three formats.
    #[error("{name}: the format of an approval is known by its extension, and this one is not known")]
    UnknownFormat {
        /// The file.
        name: String,
    },
    /// Larger than any approval.
    #[error("{name}: larger than {} MiB, the largest approval that is read", LARGEST_APPROVAL >> 20)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The content is at fault.
    #[error("{location}: {message}")]
    Invalid {
        /// Where.
        location: Location,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Two files say who allows the same.
    #[error("{first} and {second} are both approvals of the kind {kind}")]
    Repeated {
        /// The kind.
        kind: &'static str,
        /// The file that was named first.
        first: String,
        /// The other one.
        second: String,
    },
}

impl Help for ApprovalError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "name a file that exists and that you may read".to_owned(),
            Self::UnknownFormat { .. } => "use .toml, .json, .yaml or .yml".to_owned(),
            Self::TooLarge { .. } => "an approval has seven fields; is this the right file?".to_owned(),
            Self::Invalid { help, .. } => help.clone(),
            Self::Repeated { .. } => "name the one that holds".to_owned(),
        })
    }
}
