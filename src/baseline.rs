//! A baseline: the blockers of an earlier verdict, so that a reader sees at once which are new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use factgate_collector::help::Help;
use serde::Deserialize;

use crate::check::Cause;
use crate::verdict::{Blocker, Verdict};

/// What identifies a blocker, whatever the facts are: code, subject, claim.
type Identity = (String, String, String);

/// The open and waived blockers of earlier verdicts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    blockers: BTreeMap<Identity, Blocker>,
}

/// What became of a blocker since the baseline, in the words of SARIF.
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
}

impl Help for BaselineError {
    fn help(&self) -> Option<String> {
        Some("name a verdict that `-o json=FILE` wrote".to_owned())
    }
}

/// One verdict, or those of several documents.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    One(Box<Verdict>),
    Several(Vec<Verdict>),
}

impl Baseline {
    /// Reads what `-o json` wrote.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no verdict.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let text = std::fs::read(path).map_err(|source| BaselineError::Read { path: path.to_owned(), source })?;
        let file =
            serde_json::from_slice(&text).map_err(|source| BaselineError::Invalid { path: path.to_owned(), source })?;
        Ok(Self::of(match file {
            File::One(verdict) => vec![*verdict],
            File::Several(verdicts) => verdicts,
        }))
    }

    fn of(verdicts: Vec<Verdict>) -> Self {
        let blockers = verdicts.into_iter().flat_map(|verdict| verdict.lanes).flat_map(|lane| lane.blockers);
        Self { blockers: blockers.map(|blocker| (identity(&blocker), blocker)).collect() }
    }

    /// What became of a blocker.
    pub fn state(&self, blocker: &Blocker) -> BaselineState {
        match self.blockers.get(&identity(blocker)) {
            None => BaselineState::New,
            Some(before) if essence(before) == essence(blocker) => BaselineState::Unchanged,
            Some(_) => BaselineState::Updated,
        }
    }

    /// The blockers that are there no longer, of the lanes that the verdict covers.
    pub fn cleared<'baseline>(&'baseline self, verdict: &Verdict) -> Vec<&'baseline Blocker> {
        let now: std::collections::BTreeSet<Identity> =
            verdict.lanes.iter().flat_map(|lane| &lane.blockers).map(identity).collect();
        let cleared =
            self.blockers.iter().filter(|(key, blocker)| !now.contains(*key) && verdict.covers.contains(&blocker.lane));
        cleared.map(|(_, blocker)| blocker).collect()
    }
}

fn identity(blocker: &Blocker) -> Identity {
    (blocker.code.clone(), blocker.subject.clone(), blocker.claim.clone())
}

fn essence(blocker: &Blocker) -> (Cause, &serde_json::Value, &serde_json::Value, bool) {
    (blocker.cause, &blocker.expected, &blocker.actual, blocker.is_open())
}
