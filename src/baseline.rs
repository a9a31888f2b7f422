//! A baseline: the blockers of an earlier verdict, so that a reader sees at once which are new.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use factgate_collector::help::Help;
use serde::Deserialize as _;
use serde_json::Value;

use crate::check::Cause;
use crate::verdict::{Blocker, Verdict};

/// What identifies a blocker, whatever the facts are: code, subject, claim.
type Identity = (String, String, String);

/// What an earlier verdict on a document told: its blockers, open and waived, and the reasons beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    blockers: BTreeMap<Identity, Blocker>,
    reasons: BTreeSet<String>,
    covers: BTreeSet<String>,
}

/// What became of a blocker or a reason since the baseline, in the words of SARIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaselineState {
    /// It was not there.
    New,
    /// It is as it was.
    Unchanged,
    /// It has another cause or another value.
    Updated,
}

impl BaselineState {
    /// As SARIF writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Updated => "updated",
        }
    }
}

/// What is wrong with the file of a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error("the baseline {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no verdict.
    #[error("the baseline {} is no verdict", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It is about another number of documents.
    #[error("the baseline {} has {verdicts} verdicts, and {documents} documents are evaluated", path.display())]
    Count {
        /// Which file.
        path: PathBuf,
        /// How many verdicts it has.
        verdicts: usize,
        /// How many documents are evaluated.
        documents: usize,
    },
}

impl Help for BaselineError {
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Read { .. } | Self::Invalid { .. } => "name a verdict that `-o json=FILE` wrote",
            Self::Count { .. } => {
                "name one verdict, which every document is compared with, or what `-o json=FILE` wrote for as many documents in the same order"
            }
        };
        Some(help.to_owned())
    }
}

impl Baseline {
    /// Reads what `-o json` wrote: the baseline of each of so many documents. A single verdict is the baseline of all of them; several are those
    /// of the documents in their order.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no verdict, or has another number of them.
    pub fn read(path: &Path, documents: usize) -> Result<Vec<Self>, BaselineError> {
        let text = std::fs::read(path).map_err(|source| BaselineError::Read { path: path.to_owned(), source })?;
        let invalid = |source| BaselineError::Invalid { path: path.to_owned(), source };
        let json: Value = serde_json::from_slice(&text).map_err(invalid)?;
        if !json.is_array() {
            let verdict = Verdict::deserialize(json).map_err(invalid)?;
            return Ok(vec![Self::of(verdict); documents]);
        }
        let verdicts = Vec::<Verdict>::deserialize(json).map_err(invalid)?;
        if verdicts.len() != documents {
            return Err(BaselineError::Count { path: path.to_owned(), verdicts: verdicts.len(), documents });
        }
        Ok(verdicts.into_iter().map(Self::of).collect())
    }

    fn of(verdict: Verdict) -> Self {
        let blockers = verdict.lanes.into_iter().flat_map(|lane| lane.blockers);
        Self {
            blockers: blockers.map(|blocker| (identity(&blocker), blocker)).collect(),
            reasons: verdict.reasons.into_iter().collect(),
            covers: verdict.covers.into_iter().collect(),
        }
    }

    /// What became of a blocker.
    pub fn state(&self, blocker: &Blocker) -> BaselineState {
        match self.blockers.get(&identity(blocker)) {
            None => BaselineState::New,
            Some(before) if essence(before) == essence(blocker) => BaselineState::Unchanged,
            Some(_) => BaselineState::Updated,
        }
    }

    /// What became of a reason that no blocker says.
    pub fn reason_state(&self, reason: &str) -> BaselineState {
        if self.reasons.contains(reason) { BaselineState::Unchanged } else { BaselineState::New }
    }

    /// The blockers that are there no longer, of the lanes that the verdict covers.
    pub fn cleared<'baseline>(&'baseline self, verdict: &Verdict) -> Vec<&'baseline Blocker> {
        let now: BTreeSet<Identity> = verdict.lanes.iter().flat_map(|lane| &lane.blockers).map(identity).collect();
        let cleared =
            self.blockers.iter().filter(|(key, blocker)| !now.contains(*key) && verdict.covers.contains(&blocker.lane));
        cleared.map(|(_, blocker)| blocker).collect()
    }

    /// The reasons that are there no longer. They are about the verdict as a whole: one that covers less does not clear them.
    pub fn cleared_reasons<'baseline>(&'baseline self, verdict: &Verdict) -> Vec<&'baseline str> {
        if !self.covers.iter().all(|lane| verdict.covers.contains(lane)) {
            return Vec::new();
        }
        self.reasons.iter().filter(|reason| !verdict.reasons.contains(reason)).map(String::as_str).collect()
    }
}

fn identity(blocker: &Blocker) -> Identity {
    (blocker.code.clone(), blocker.subject.clone(), blocker.claim.clone())
}

fn essence(blocker: &Blocker) -> (Cause, &serde_json::Value, &serde_json::Value, bool) {
    (blocker.cause, &blocker.expected, &blocker.actual, blocker.is_open())
}
