//! `schema`: the published JSON Schemas.

use serde_json::Value;

use crate::cli::SchemaName;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, write_to_all};
use crate::{policy, settings, verdict, waiver};

/// Writes one schema, which is JSON in whatever format it is asked for.
pub(super) fn run(name: SchemaName, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    write_to_all(&format!("{:#}\n", schema(name)), outputs)?;
    Ok(ExitCode::Go)
}

/// One schema.
pub(super) fn schema(name: SchemaName) -> Value {
    match name {
        SchemaName::Facts => factgate_collector::fact::schema(),
        SchemaName::Verdict => verdict::schema(),
        SchemaName::Config => settings::schema(),
        SchemaName::Waivers => waiver::schema(),
        SchemaName::Approval => factgate_collector::approval::schema(),
        SchemaName::Metadata => policy::metadata_schema(),
    }
}
