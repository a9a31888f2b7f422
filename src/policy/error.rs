//! What can be wrong with policies. A defect of a policy is never reported as a blocker of the substrate.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::{Location, Origin};
use crate::exit::ExitCode;

/// Why policies could not be loaded, checked or evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy folder is not there or is no folder.
    #[error("{} is not a policy folder\nhelp: --policies names the folder that holds `lib/` and `m2/`", path.display())]
    NotAFolder {
        /// As it was given.
        path: PathBuf,
    },
    /// A file or folder below the policy folder cannot be read.
    #[error("{} cannot be read\nhelp: check that it exists and that you may read it", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// There is no policy in the policy folder.
    #[error(
        "{origin} holds no policy\nhelp: a policy is a file `m2/<lane>/<name>.rego`; without one nothing is evaluated"
    )]
    Empty {
        /// Which policies.
        origin: String,
    },
    /// There is no unit test among the policies.
    #[error("{origin} holds no unit test\nhelp: a test is a rule `test_<claim>` of a package `<package>_test`")]
    NoTests {
        /// Which policies.
        origin: String,
    },
    /// There are unit tests, and none was selected.
    #[error(
        "none of the {count} unit tests of {origin} is selected by `{selection}`\nhelp: it is matched against paths such as `{example}`"
    )]
    NoTestSelected {
        /// Which policies.
        origin: String,
        /// The regular expression.
        selection: String,
        /// How many tests there are.
        count: usize,
        /// The path of one of them.
        example: String,
    },
    /// A symbolic link leads out of the policy folder, so that its digest would not cover what is evaluated.
    #[error("{} leads out of the policy folder\nhelp: replace the symbolic link by the file itself", path.display())]
    Escapes {
        /// The link.
        path: PathBuf,
    },
    /// More than a policy folder may hold.
    #[error(
        "{what} is larger than {limit}\nhelp: is this the folder that holds `lib/` and `m2/`? Facts belong elsewhere"
    )]
    TooLarge {
        /// The file, or the folder as a whole.
        what: String,
        /// How much is allowed.
        limit: String,
    },
    /// A file name that is not UTF-8 has no place in a digest.
    #[error("{} is not a valid UTF-8 file name\nhelp: rename it", path.display())]
    FileName {
        /// The name.
        path: PathBuf,
    },
    /// Policies break the laws that are checked before anything is evaluated.
    #[error("{0}")]
    Defects(Defects),
    /// An override of the contract names a key that the contract does not have, or has with another type.
    #[error("the contract override `{key}` {problem}\nhelp: {help}")]
    Override {
        /// The key, with dots between its parts.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: String,
    },
    /// The engine stopped with an error.
    #[error("{}{message}\nhelp: {help}", At(location.as_ref()))]
    Evaluation {
        /// Where, if the engine says so.
        location: Option<Location>,
        /// What the engine says.
        message: String,
        /// What to do.
        help: String,
    },
    /// A package did not come to an end in time.
    #[error(
        "{}evaluating {what} took longer than {} s\nhelp: look for a comprehension over a product of large collections",
        At(location.as_ref()),
        limit.as_secs_f64()
    )]
    TimeLimit {
        /// What was evaluated.
        what: String,
        /// Where the engine was, if it says so.
        location: Option<Location>,
        /// How long it may take.
        limit: Duration,
    },
    /// A package needs more memory than any evaluation should.
    #[error("evaluating {what} took more than {} MiB of memory\nhelp: look for a comprehension that collects a product of large collections", limit >> 20)]
    MemoryLimit {
        /// What was evaluated.
        what: String,
        /// How many bytes it may take.
        limit: u64,
    },
    /// A rule gave something that is not what its kind of rule has to give.
    #[error("{location}: {problem}\nhelp: {help}")]
    Result {
        /// The rule.
        location: Location,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: String,
    },
    /// Something that only a defect of factgate itself can cause.
    #[error("{message}\nhelp: this is a defect of factgate; please report it with the policies that cause it")]
    Internal {
        /// What happened.
        message: String,
    },
}

impl PolicyError {
    /// The exit code of a run that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Empty { .. } | Self::NoTests { .. } | Self::NoTestSelected { .. } => ExitCode::NothingEvaluated,
            _ => ExitCode::Input,
        }
    }

    /// The same error with its places as they are named from where the program runs, not from within the policy folder.
    pub(crate) fn below(mut self, origin: &Origin) -> Self {
        let Origin::Folder(folder) = origin else { return self };
        let enter = |location: &mut Location| location.file = folder.join(&location.file).display().to_string();
        match &mut self {
            Self::Defects(Defects(defects)) => defects.iter_mut().for_each(|defect| enter(&mut defect.location)),
            Self::Result { location, .. } => enter(location),
            Self::Evaluation { location, .. } | Self::TimeLimit { location, .. } => location.iter_mut().for_each(enter),
            _ => {}
        }
        self
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Internal { message: message.into() }
    }
}

/// Prints a place, where there is one, before a message.
struct At<'a>(Option<&'a Location>);

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(location) => write!(formatter, "{location}: "),
            None => Ok(()),
        }
    }
}

/// One broken law.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Where.
    pub location: Location,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: String,
}

impl Defect {
    pub(crate) fn new(location: Location, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { location, problem: problem.into(), help: help.into() }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}\nhelp: {}", self.location, self.problem, self.help)
    }
}

/// How many defects are printed. More are one mistake made everywhere, such as the wrong folder.
const PRINTED: usize = 30;

/// Every broken law that was found, sorted by place: an author sees them all at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defects(Vec<Defect>);

impl Defects {
    /// Nothing if there is no defect.
    pub(crate) fn check(mut defects: Vec<Defect>) -> Result<(), PolicyError> {
        if defects.is_empty() {
            return Ok(());
        }
        defects.sort();
        defects.dedup();
        Err(PolicyError::Defects(Self(defects)))
    }

    /// The defects.
    pub fn as_slice(&self) -> &[Defect] {
        &self.0
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, defect) in self.0.iter().take(PRINTED).enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{defect}")?;
        }
        match self.0.len().checked_sub(PRINTED) {
            None | Some(0) => Ok(()),
            Some(more) => write!(formatter, "\nand {more} more\nhelp: is this the folder that holds `lib/` and `m2/`?"),
        }
    }
}
