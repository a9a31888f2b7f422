//! `iam-policy`: what the collector's principal must be allowed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use factgate_collector::aws::{Defaults, policy};
use factgate_collector::registry::Registry;

use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::OutputError;

/// Prints the policy; narrowed to a registry's resources if there is one.
pub(super) fn run(registry: Option<&Path>) -> Result<ExitCode, Error> {
    let handles = match registry {
        Some(path) => Registry::read(path)?.handles,
        None => BTreeMap::new(),
    };
    let policy = policy::needed(&handles, &Defaults::default());
    writeln!(std::io::stdout().lock(), "{policy:#}").map_err(OutputError::standard_output)?;
    Ok(ExitCode::Go)
}
