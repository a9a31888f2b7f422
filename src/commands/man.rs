//! `man`: the manual in the form that `man` shows, from the definition of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputError, OutputTarget, write_text};

/// Prints the page of the program, or writes one page a command into a folder.
pub(super) fn run(folder: Option<&Path>) -> Result<ExitCode, Error> {
    match folder {
        Some(folder) => {
            let written =
                std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
            written.map_err(|source| OutputError::at(folder, source))?;
        }
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page).map_err(OutputError::standard_output)?;
            write_text(&String::from_utf8_lossy(&page), &OutputTarget::default())?;
        }
    }
    Ok(ExitCode::Go)
}
