//! `schema`: the published JSON Schemas.

use crate::cli::SchemaName;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, write_to_all};
use crate::verdict;

/// Writes one schema, which is JSON in whatever format it is asked for.
pub(super) fn run(name: SchemaName, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let schema = match name {
        SchemaName::Facts => factgate_collector::fact::schema(),
        SchemaName::Verdict => verdict::schema(),
    };
    write_to_all(&format!("{schema:#}\n"), outputs)?;
    Ok(ExitCode::Go)
}
