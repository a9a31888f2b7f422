//! Reads archived fact documents, and refuses everything that is not one.
//!
//! ```text
//! bytes ─► UTF-8 ─► strict JSON ─► format ─► our own parts (closed) ─► clock ─► digest ─► Facts
//! ```
//!
//! Nothing here judges what was collected: that is what policies are for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::clock::RunClock;
use super::locate;
use super::problem::{FactError, FactProblem};
use super::sealed::{Facts, LARGEST_DOCUMENT, digest_of};
use super::{Digest, FORMAT, FactDocument};
use crate::json;
use crate::location::{Location, json_error_offset};

impl Facts {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, FactError> {
        let name = path.display().to_string();
        let failed = |source| FactError::Io { name: name.clone(), source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(FactError::Directory { name });
        }
        let mut bytes = Vec::new();
        // One byte more than is allowed shows that there is too much, whatever the file's metadata say.
        file.take(LARGEST_DOCUMENT as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        Self::parse(&name, &bytes)
    }

    /// Reads bytes; `name` stands for them in errors.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, FactError> {
        if bytes.len() > LARGEST_DOCUMENT {
            return Err(FactError::TooLarge { name: name.to_owned() });
        }
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let location = Location::of_offset(name, &before, before.len());
                return Err(FactError::Invalid { location, problem: FactProblem::NotUtf8 });
            }
        };
        if text.trim_ascii().is_empty() {
            return Err(FactError::Empty { name: name.to_owned() });
        }
        let start = Location::of_offset(name, text, 0);
        if text.starts_with('\u{feff}') {
            return Err(FactError::Invalid { location: start, problem: FactProblem::ByteOrderMark });
        }
        let json = json::parse(text).map_err(|error| FactError::Invalid {
            location: Location::of_offset(name, text, json_error_offset(text, error.source())),
            problem: FactProblem::from(error),
        })?;
        read_value(json).map_err(|refusal| {
            let location = locate::pointer(name, text, &refusal.pointer).unwrap_or(start);
            FactError::Invalid { location, problem: refusal.problem }
        })
    }

    /// Whether JSON has the shape of a fact document, in which the instants agree: with a digest that is its own, or without one, it
    /// would be read.
    pub fn has_shape(json: &Value) -> bool {
        check_format(json).is_ok()
            && FactDocument::deserialize(json).is_ok_and(|document| check_clock(&document).is_ok())
    }
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) pointer: String,
    pub(super) problem: FactProblem,
}

impl Refusal {
    fn at(pointer: &str, problem: FactProblem) -> Self {
        Self { pointer: pointer.to_owned(), problem }
    }
}

fn read_value(mut json: Value) -> Result<Facts, Refusal> {
    check_format(&json)?;
    let document = FactDocument::deserialize(&json).map_err(|error| locate::shape(&json, &error))?;
    check_clock(&document)?;
    // An explicit null says the same as nothing.
    let member = json.as_object_mut().and_then(|members| members.remove("digest"));
    let digest = document.digest.as_deref().map(|stated| verify(&json, stated)).transpose()?;
    if let (Some(members), Some(member), Some(_)) = (json.as_object_mut(), member, &digest) {
        members.insert("digest".to_owned(), member);
    }
    Ok(Facts { document, json, digest })
}

/// Comes before everything else: the fields of another format would only be called unknown.
fn check_format(json: &Value) -> Result<(), Refusal> {
    let Value::Object(members) = json else {
        return Err(Refusal::at("", FactProblem::NotADocument));
    };
    let Some(format) = members.get("format") else {
        return Err(Refusal::at("", FactProblem::NotADocument));
    };
    if format == FORMAT {
        return Ok(());
    }
    let written_by = json.pointer("/run/tool/version").and_then(Value::as_str).map(str::to_owned);
    let format = format.as_str().map_or_else(|| format.to_string(), str::to_owned);
    Err(Refusal::at("/format", FactProblem::UnknownFormat { format, written_by }))
}

/// The instants of a document must be written in one way only, and must agree.
pub(super) fn check_clock(document: &FactDocument) -> Result<(), Refusal> {
    let run = &document.run;
    let Some(collected_at) = RunClock::from_collected_at(&run.collected_at) else {
        return Err(Refusal::at("/run/collected_at", FactProblem::Clock { text: run.collected_at.clone() }));
    };
    let id = &run.phase_execution_id;
    let Some(executed_at) = RunClock::from_phase_execution_id(id) else {
        return Err(Refusal::at("/run/phase_execution_id", FactProblem::PhaseExecutionId { id: id.clone() }));
    };
    if collected_at != executed_at {
        let problem = FactProblem::ClocksDiffer {
            id: id.clone(),
            expected: collected_at.phase_execution_id().replacen("m2_", "", 1),
        };
        return Err(Refusal::at("/run/phase_execution_id", problem));
    }
    Ok(())
}

/// Compares the digest that a document states with the one of its content. `json` is the document without it.
fn verify(json: &Value, stated: &str) -> Result<Digest, Refusal> {
    let stated: Digest =
        stated.parse().map_err(|_| Refusal::at("/digest", FactProblem::MalformedDigest { text: stated.to_owned() }))?;
    let actual = digest_of(json).map_err(|error| {
        Refusal::at("", FactProblem::Shape { pointer: String::new(), message: json::message(&error) })
    })?;
    if actual != stated {
        return Err(Refusal::at("/digest", FactProblem::WrongDigest { stated, actual }));
    }
    Ok(stated)
}
