//! `completions`: what a shell completes, from the definition of the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, write_text};

/// Prints the script for one shell.
pub(super) fn run(shell: Shell) -> Result<ExitCode, Error> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    write_text(&String::from_utf8_lossy(&script), &OutputTarget::default())?;
    Ok(ExitCode::Go)
}
