//! factgate: a policy-as-code readiness gate.
//!
//! ```text
//! handle registry ─┐
//! terraform ───────┼─► collector ─► fact document ─► policies (regorus) ─► checks ─► lane verdicts ─► P0 verdict
//! AWS reads ───────┘                (archived)                                └────► evidence pack
//! ```
//!
//! Everything left of the fact document does I/O and lives in the `factgate-collector` crate. Everything right of it is a
//! pure function of fact document, policies, contract and waivers: no clock, no network, no environment.

pub mod baseline;
pub mod check;
pub mod cli;
mod commands;
pub mod difference;
pub mod error;
pub mod evaluate;
pub mod evidence;
pub mod exit;
pub mod explain;
mod fact_schema;
pub mod output;
pub mod policy;
#[cfg(feature = "aws")]
mod progress;
pub mod project;
pub mod prove;
pub mod settings;
mod suggestion;
pub mod verdict;
pub mod waiver;

/// This program, as fact documents name what wrote them.
pub(crate) fn tool() -> factgate_collector::fact::Tool {
    factgate_collector::fact::Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Runs the command line of this process and tells what its caller must see.
pub fn run() -> std::process::ExitCode {
    let cli = match cli::Cli::read() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { exit::ExitCode::Usage } else { exit::ExitCode::Go };
            // Nothing is left to do if even the usage cannot be printed.
            let _ = error.print();
            return code.into();
        }
    };
    cli.color.apply();
    match commands::run(cli) {
        Ok(code) => code.into(),
        Err(error) => {
            error.print();
            error.exit_code().into()
        }
    }
}
