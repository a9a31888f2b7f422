//! Errors of the commands: the one place that prints them, and the exit code that each one means.

use std::fmt::Write as _;

use factgate_collector::fact::ReadDocumentError;
use factgate_collector::help::Help;
use factgate_collector::registry::RegistryError;

use crate::evaluate::EvaluateError;
use crate::evidence::EvidenceError;
use crate::exit::ExitCode;
use crate::output::OutputError;
use crate::policy::PolicyError;
use crate::settings::SettingsError;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The handle registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A fact document cannot be used.
    #[error(transparent)]
    Document(#[from] ReadDocumentError),
    /// The policies cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policies could not be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// A pack could not be written.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// An output could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}
