//! `init`: a starter project.

use std::path::Path;

use clap::ValueEnum as _;

use super::schema::schema;
use crate::cli::SchemaName;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, write_text};
use crate::project::{starter, write_starter};

/// Writes the starter into a folder.
pub(super) fn run(folder: &Path) -> Result<ExitCode, Error> {
    let name = |schema: &SchemaName| Some((schema.to_possible_value()?.get_name().to_owned(), *schema));
    let schemas = SchemaName::value_variants().iter().filter_map(name);
    let files = starter(&schemas.map(|(name, which)| (name, schema(which))).collect())?;
    write_starter(folder, &files)?;
    let enter = match folder == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", folder.display()),
    };
    let text = format!(
        "{} files in {}: lane M2.A with one code, its tests, and facts on which it is GO\nnext:\n{enter}  \
         factgate test\n  factgate eval facts.json\n  factgate new rule M2A-B2\n",
        files.len(),
        folder.display()
    );
    write_text(&text, &OutputTarget::default())?;
    Ok(ExitCode::Go)
}
