//! A fact document as policies get it: typed and as JSON, with a seal that shows whether it is what was collected.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::problem::FactProblem;
use super::reader::check_clock;
use super::{Digest, FactDocument};
use crate::file::write_atomically;
use crate::help::Help;
use crate::json::{self, Uncarriable};

/// The largest file that is read or written as a fact document: some hundred times the largest that a run collects.
pub const LARGEST_DOCUMENT: usize = 64 << 20;

/// A fact document, typed and as the JSON that policies get.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub(super) document: FactDocument,
    pub(super) json: Value,
    pub(super) digest: Option<Digest>,
}

impl Facts {
    /// The document.
    pub fn document(&self) -> &FactDocument {
        &self.document
    }

    /// The document as JSON, exactly as it stands in its file: the input of the policies.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The digest that the document carries, verified; `None` if it is unsealed.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether the document carries its digest.
    pub fn is_sealed(&self) -> bool {
        self.digest.is_some()
    }

    /// Writes the document. The file appears whole or not at all; one that is already there is replaced.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        let failed = |source: std::io::Error| WriteError::Io { path: path.to_owned(), source };
        let bytes = json::to_pretty(&self.json).map_err(|error| failed(error.into()))?;
        if bytes.len() > LARGEST_DOCUMENT {
            return Err(WriteError::TooLarge { path: path.to_owned() });
        }
        write_atomically(path, &bytes).map_err(failed)
    }
}

impl FactDocument {
    /// Gives the document its digest, over the RFC 8785 canonical form of everything else.
    pub fn seal(mut self) -> Result<Facts, SealError> {
        self.digest = None;
        check_clock(&self).map_err(|refusal| SealError::Clock(refusal.problem))?;
        let mut json = serde_json::to_value(&self)?;
        json::normalize(&mut json)?;
        let digest = digest_of(&json)?;
        if let Value::Object(members) = &mut json {
            members.insert("digest".to_owned(), digest.as_str().into());
        }
        // Read back, so that what is sealed is known to be readable.
        let document = Self::deserialize(&json)?;
        Ok(Facts { document, json, digest: Some(digest) })
    }
}

/// The digest of a document as JSON that carries none.
pub(super) fn digest_of(json: &Value) -> Result<Digest, serde_json::Error> {
    serde_json_canonicalizer::to_vec(json).map(|canonical| Digest::of(&canonical))
}

/// Why a document cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Its instants are malformed or differ.
    #[error("the fact document cannot be sealed")]
    Clock(#[source] FactProblem),
    /// It holds something that its file could not carry.
    #[error("the fact document cannot be sealed")]
    Uncarriable(#[from] Uncarriable),
    /// It has no JSON form.
    #[error("the fact document cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Help for SealError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Clock(problem) => return problem.help(),
            Self::Uncarriable(Uncarriable::Number { .. }) => {
                "RFC 8785 carries numbers as doubles; pin a larger number as a string".to_owned()
            }
            Self::Uncarriable(Uncarriable::TooDeep { .. }) => "pin a flatter value".to_owned(),
            Self::Json(_) => "this is a defect of factgate; please report it".to_owned(),
        })
    }
}

/// Why a document cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file system refused.
    #[error("{}: the fact document cannot be written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// No reader would accept it.
    #[error("{}: the fact document is larger than {} MiB", path.display(), LARGEST_DOCUMENT >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

impl Help for WriteError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "the folder must exist and be writable".to_owned(),
            Self::TooLarge { .. } => "collect fewer lanes at a time".to_owned(),
        })
    }
}
