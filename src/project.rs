//! Projects of policy authors: how one starts, and how rules are added to it.
//!
//! ```text
//! templates, library, schemas ─► starter (`init`) ──┐
//!                                                   ├─► files: all of them appear, or none
//! policies, a code ─► rule, tests, lane (`new rule`)┘
//! ```
//!
//! What is written is ready for use: a starter is GO on its own facts, and a new rule passes every law, and blocks until its author
//! has given it a claim.

mod files;
mod rule;
mod starter;

use std::path::PathBuf;

use factgate_collector::help::Help;

use crate::exit::ExitCode;
use crate::policy::Location;

pub(crate) use files::create;
pub(crate) use rule::rule;
pub(crate) use starter::{starter, write_starter};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// What would be written is there already.
    #[error("{} there already: {}", if .0.len() == 1 { "this file is" } else { "these files are" }, listed(.0))]
    InTheWay(Vec<PathBuf>),
    /// The file system refuses.
    #[error("{} cannot be written", path.display())]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A code that is none.
    #[error("`{0}` is no blocker code")]
    NoCode(String),
    /// A code that has its rule.
    #[error("{location}: {code} has its rule")]
    Taken {
        /// The code.
        code: String,
        /// Where its rule stands.
        location: Location,
        /// The next number that is free.
        free: String,
    },
    /// A title that METADATA could not carry.
    #[error("the title {0:?} is no line of text")]
    Title(String),
    /// The folder lacks what every rule is built with.
    #[error("{} is missing, with which rules build their checks", .0.display())]
    NoLibrary(PathBuf),
    /// The METADATA of the lane is written in a way that is not understood well enough to add to it.
    #[error("{0}: the new code cannot be added to the lane's definition of done")]
    DefinitionOfDone(Location),
}

impl ProjectError {
    /// The exit code of a run that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::InTheWay(_) | Self::NoCode(_) | Self::Taken { .. } | Self::Title(_) => ExitCode::Usage,
            Self::Write { .. } | Self::NoLibrary(_) | Self::DefinitionOfDone(_) => ExitCode::Input,
        }
    }
}

impl Help for ProjectError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::InTheWay(_) => "nothing was written: name another folder, or move them away".to_owned(),
            Self::Write { .. } => {
                "nothing was written: the folder must be one, with room, that can be written".to_owned()
            }
            Self::NoCode(_) => "a code is M2<lane>-B<number>, such as M2B-B1; the lanes are A to J".to_owned(),
            Self::Taken { free, .. } => format!("codes are never used again; the next free one is {free}"),
            Self::Title(_) => "say on one line what the code blocks on".to_owned(),
            Self::NoLibrary(_) => {
                "`factgate init` in a new folder writes the library: copy its policies/lib and policies/contract"
                    .to_owned()
            }
            Self::DefinitionOfDone(_) => {
                "write `definition_of_done:` on a line of its own, and below it `- item: …` and `codes: […]`".to_owned()
            }
        })
    }
}

/// Files as a sentence names them.
fn listed(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}
