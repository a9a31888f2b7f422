//! The `factgate` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    factgate::run()
}
