//! What can be wrong with a fact document.

use super::sealed::LARGEST_DOCUMENT;
use super::{Digest, FORMAT};
use crate::help::Help;
use crate::json::{DEEPEST_NESTING, StrictError};
use crate::location::Location;

/// Every format that a factgate ever read, with the first version that reads it.
const FORMATS: [(&str, &str); 1] = [(FORMAT, "0.1.0")];

/// The format's name without its version.
const FORMAT_FAMILY: &str = "factgate.facts/";

/// Why a fact document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FactError {
    /// The file system refused.
    #[error("{name}: the fact document cannot be read")]
    Io {
        /// The file.
        name: String,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The path names a folder.
    #[error("{name}: a directory, not a fact document")]
    Directory {
        /// The folder.
        name: String,
    },
    /// Nothing but white space.
    #[error("{name}: the file is empty")]
    Empty {
        /// The file.
        name: String,
    },
    /// Larger than [`LARGEST_DOCUMENT`].
    #[error("{name}: larger than {} MiB, the largest fact document that is read", LARGEST_DOCUMENT >> 20)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The content is at fault.
    #[error("{location}: {problem}")]
    Invalid {
        /// Where.
        location: Location,
        /// What.
        problem: FactProblem,
    },
}

/// What is wrong with the content of a fact document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactProblem {
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// U+FEFF in front.
    #[error("the file starts with a byte order mark")]
    ByteOrderMark,
    /// No JSON.
    #[error("not JSON: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// The end is missing.
    #[error("the document ends too early: it is truncated")]
    Truncated,
    /// Nested deeper than [`DEEPEST_NESTING`].
    #[error("arrays and objects nest deeper than {DEEPEST_NESTING} levels")]
    TooDeep,
    /// An object has a key twice.
    #[error("the key {key:?} occurs twice in one object")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A number that RFC 8785 cannot carry.
    #[error("the number {number} is beyond ±2^53")]
    Number {
        /// The number.
        number: String,
    },
    /// JSON of another kind.
    #[error("not a fact document: there is no object with a `format`")]
    NotADocument,
    /// A format that this version does not read.
    #[error("the format is {format:?}; factgate {} reads {FORMAT:?}", env!("CARGO_PKG_VERSION"))]
    UnknownFormat {
        /// The format.
        format: String,
        /// The version of factgate that wrote the document, as it says itself.
        written_by: Option<String>,
    },
    /// A part of ours that has an unknown field, lacks one, or has a value of another type.
    #[error("{}{message}", place(pointer))]
    Shape {
        /// JSON pointer to the part.
        pointer: String,
        /// What is wrong.
        message: String,
    },
    /// `collected_at` is not RFC 3339 in UTC.
    #[error("run.collected_at is {text:?}, which is no RFC 3339 time with the offset Z")]
    Clock {
        /// What it is instead.
        text: String,
    },
    /// The phase execution id has another form.
    #[error("run.phase_execution_id is {id:?}, which is not of the form m2_<YYYYMMDDTHHMMSSZ>")]
    PhaseExecutionId {
        /// What it is instead.
        id: String,
    },
    /// The two instants of a run differ.
    #[error("run.phase_execution_id is {id:?}, but run.collected_at makes it …{expected}")]
    ClocksDiffer {
        /// The phase execution id.
        id: String,
        /// The timestamp that it should have.
        expected: String,
    },
    /// The digest has another form.
    #[error("the digest {text:?} is not of the form sha256:<64 lower-case hexadecimal digits>")]
    MalformedDigest {
        /// What it is instead.
        text: String,
    },
    /// The document is not what was sealed.
    #[error("the digest does not match: the document says {stated}, its content gives {actual}")]
    WrongDigest {
        /// The digest that the document carries.
        stated: Digest,
        /// The digest of its content.
        actual: Digest,
    },
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!("{pointer}: ") }
}

impl From<StrictError> for FactProblem {
    fn from(error: StrictError) -> Self {
        match error {
            StrictError::DuplicateKey(key, _) => Self::DuplicateKey { key },
            StrictError::Number(number, _) => Self::Number { number },
            StrictError::TooDeep(_) => Self::TooDeep,
            StrictError::Truncated(_) => Self::Truncated,
            StrictError::Syntax(error) => Self::Syntax { message: crate::json::message(&error) },
        }
    }
}

impl Help for FactError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "name a file that exists and that you may read".to_owned(),
            Self::Directory { .. } => "name the fact document itself, not its folder".to_owned(),
            Self::Empty { .. } => "was the run that wrote it stopped? collect the facts again".to_owned(),
            Self::TooLarge { .. } => "factgate writes no document of that size; is this the right file?".to_owned(),
            Self::Invalid { problem, .. } => return problem.help(),
        })
    }
}

impl Help for FactProblem {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotUtf8 => "a fact document is UTF-8 text; is this one compressed, or another file?".to_owned(),
            Self::ByteOrderMark => "save it as UTF-8 without a byte order mark; its digest stays the same".to_owned(),
            Self::Syntax { .. } | Self::Truncated | Self::TooDeep => {
                "restore the document from its archive, or collect the facts again".to_owned()
            }
            Self::DuplicateKey { .. } => {
                "factgate writes every key once, so the document was edited; restore it from its archive".to_owned()
            }
            Self::Number { .. } => {
                "RFC 8785 carries numbers as doubles, which would round it; factgate writes such a number as a string"
                    .to_owned()
            }
            Self::NotADocument => {
                format!("`factgate collect` writes fact documents; they say \"format\": \"{FORMAT}\"")
            }
            Self::UnknownFormat { format, written_by } => help_for_format(format, written_by.as_deref()),
            Self::Shape { .. } => "`factgate schema facts` prints the schema of the format".to_owned(),
            Self::Clock { .. } => "write the time in UTC, such as 2026-01-31T23:59:59Z".to_owned(),
            Self::PhaseExecutionId { .. } => "write it as m2_20260131T235959Z, or m2a_… for one lane".to_owned(),
            Self::ClocksDiffer { .. } => "both name the instant of the run; they must agree to the second".to_owned(),
            Self::MalformedDigest { .. } | Self::WrongDigest { .. } => {
                "the document was altered after it was sealed; restore it from its archive (without its `digest` it is \
                 read as unsealed, which is never GO)"
                    .to_owned()
            }
        })
    }
}

/// Names the version that reads a format, as far as anybody knows.
fn help_for_format(format: &str, written_by: Option<&str>) -> String {
    if let Some((_, version)) = FORMATS.iter().find(|(known, _)| *known == format) {
        return format!("{format} is read by factgate {version} or later");
    }
    let is_ours = format.strip_prefix(FORMAT_FAMILY).is_some_and(|version| version.starts_with('v'));
    match written_by {
        Some(version) if is_ours => {
            format!("it was written by a newer factgate; use version {version} or later to read {format}")
        }
        None if is_ours => format!("it was written by a newer factgate; use the version that wrote {format}"),
        _ => {
            let known: Vec<_> =
                FORMATS.iter().map(|(format, version)| format!("{format} (factgate {version} or later)")).collect();
            format!("known formats: {}", known.join(", "))
        }
    }
}
