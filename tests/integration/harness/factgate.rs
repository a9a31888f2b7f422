//! The program under test.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

use super::world::World;

/// A gate run with five stacks takes a minute on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; a run that a signal ended fails the test.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON: {error}\n{self:#?}"))
    }
}

/// Runs the program in a world, whose folder is the current one.
pub(crate) fn run_in<S: AsRef<OsStr>>(world: &World, arguments: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_factgate"));
    run(world.enter(&mut command).args(arguments), world.folder())
}

/// Runs the program in a folder without any world: no AWS, no Terraform, an empty environment.
pub(crate) fn run_alone<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Run {
    run(Command::new(env!("CARGO_BIN_EXE_factgate")).env_clear().args(arguments), folder)
}

/// The same where no file can grow beyond 8 blocks of 512 bytes: to write more fails, as on a disk that is full.
pub(crate) fn run_without_room<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Run {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_factgate")]);
    run(shell.env_clear().args(arguments), folder)
}

fn run(command: &mut Command, folder: &Path) -> Run {
    let output = command.current_dir(folder).timeout(PATIENCE).output().expect("factgate runs");
    Run {
        code: output.status.code().unwrap_or_else(|| panic!("factgate ended by a signal or took too long: {output:?}")),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    }
}
