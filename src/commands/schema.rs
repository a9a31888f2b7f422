//! `schema`: the published JSON Schemas.

use std::io::Write as _;

use crate::cli::SchemaName;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::OutputError;
use crate::verdict;

/// Prints one schema.
pub(super) fn run(name: SchemaName) -> Result<ExitCode, Error> {
    let schema = match name {
        SchemaName::Facts => factgate_collector::fact::schema(),
        SchemaName::Verdict => verdict::schema(),
    };
    writeln!(std::io::stdout().lock(), "{schema:#}").map_err(OutputError::standard_output)?;
    Ok(ExitCode::Go)
}
