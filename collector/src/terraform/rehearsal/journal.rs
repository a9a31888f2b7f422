//! The journal of a rehearsal: what it has done so far, for whoever has to go on after it was stopped.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::STACKS;
use super::RehearsalError;
use crate::fact::{Observation, Receipt};
use crate::file::write_atomically;
use crate::redact::Redactor;

/// The format of the journal.
pub const JOURNAL_FORMAT: &str = "factgate.rehearsal/v1";

/// What a rehearsal is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// A stack is being destroyed.
    Destroy,
    /// A stack is being recovered.
    Recover,
    /// Every stack is recovered; the facts are being collected.
    Collect,
}

/// What a rehearsal has done so far. Stands in a file from before the first destructive step until the fact document is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Always [`JOURNAL_FORMAT`].
    pub format: String,
    /// Names the rehearsal.
    pub phase_execution_id: String,
    /// RFC 3339 UTC.
    pub started_at: String,
    /// What was being done when this was written.
    pub doing: Doing,
    /// The stack that it was being done to.
    pub stack: Option<String>,
    /// The approved stacks, sorted.
    pub scope: Vec<String>,
    /// The approval, as a fact.
    pub approval: Observation,
    /// The calls so far.
    pub receipts: BTreeMap<String, Receipt>,
    /// By stack of the scope, before anything was touched.
    pub baseline: BTreeMap<String, Value>,
    /// Stacks whose destruction was begun, in that order.
    pub touched: Vec<String>,
    /// By stack.
    pub destroy: BTreeMap<String, Value>,
    /// By stack.
    pub recover: BTreeMap<String, Value>,
    /// By stack that was recovered.
    pub post_recovery: BTreeMap<String, Value>,
    /// Whether an earlier process was stopped in the middle of it.
    pub resumed: bool,
}

impl Journal {
    /// Reads the journal of an unfinished rehearsal, if there is one.
    ///
    /// # Errors
    ///
    /// If there is a file that is no journal: what state it stands for cannot be told.
    pub fn read(path: &Path) -> Result<Option<Self>, RehearsalError> {
        let malformed = |message: String| RehearsalError::Journal { path: path.to_owned(), message };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(malformed(error.to_string())),
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        if journal.format != JOURNAL_FORMAT {
            return Err(malformed(format!("its format is {:?}", journal.format)));
        }
        Ok(Some(journal))
    }

    /// Stacks that were touched and are not shown to be whole again, in the order of their recovery.
    pub fn unrecovered(&self) -> Vec<&'static str> {
        let is_whole = |stack: &str| self.post_recovery.contains_key(stack);
        STACKS
            .into_iter()
            .filter(|stack| self.touched.iter().any(|touched| touched == stack) && !is_whole(stack))
            .collect()
    }

    /// What state a rehearsal that stopped here left.
    pub fn state(&self) -> String {
        let stack = self.stack.as_deref().unwrap_or_default();
        let doing = match self.doing {
            Doing::Destroy => format!("it was destroying {stack}"),
            Doing::Recover => format!("it was recovering {stack}"),
            Doing::Collect => "every stack was recovered and the facts were being collected".to_owned(),
        };
        match self.unrecovered().as_slice() {
            [] => doing,
            stacks => format!("{doing}; to be recovered: {}", stacks.join(", ")),
        }
    }

    pub(super) fn write(&self, path: &Path, redactor: &Redactor) -> Result<(), RehearsalError> {
        let failed = |message: String| RehearsalError::Journal { path: path.to_owned(), message };
        let mut value = serde_json::to_value(self).map_err(|error| failed(error.to_string()))?;
        redactor.redact_document(&mut value);
        let bytes = serde_json::to_vec_pretty(&value).map_err(|error| failed(error.to_string()))?;
        write_atomically(path, &bytes).map_err(|error| failed(error.to_string()))
    }
}
