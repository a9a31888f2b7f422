//! `test`: the unit tests of policies, once or whenever a file changes.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

use super::{policy_options, policy_set, write_rendered};
use crate::cli::TestArguments;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, unit_tests};
use crate::policy::{UnitTestOptions, run_unit_tests};
use crate::settings::{PolicySettings, SettingsError};

/// An editor writes a file in several steps; what follows within this time belongs to the same change.
const SETTLED: Duration = Duration::from_millis(200);

/// Runs the tests.
pub(super) fn run(
    policy: &PolicySettings,
    arguments: &TestArguments,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    if !arguments.watch {
        return once(policy, arguments, outputs);
    }
    let Some(folder) = &policy.folder else {
        return Err(SettingsError::Missing("folder of policies to watch", "name it with --policies").into());
    };
    watch(folder, || {
        // What does not compile now may do so after the next change.
        if let Err(error) = once(policy, arguments, outputs) {
            error.print();
        }
    })
}

fn once(policy: &PolicySettings, arguments: &TestArguments, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let set = policy_set(policy)?;
    let what = UnitTestOptions {
        selection: arguments.selection.clone(),
        coverage: arguments.coverage || arguments.threshold.is_some(),
    };
    let report = run_unit_tests(&set, &policy_options(policy), &what)?;
    write_rendered(outputs, |format| unit_tests::render(&report, arguments.threshold, format), "test")?;
    let is_enough = report.is_covered(arguments.threshold);
    Ok(if report.has_passed() && is_enough { ExitCode::Go } else { ExitCode::NoGo })
}

/// Works now and after every change below a folder, until this process is ended.
fn watch(folder: &Path, work: impl Fn()) -> Result<ExitCode, Error> {
    let (sender, receiver) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // To read a file is an event, too, and not one that changes anything. The receiver lives as long as this does.
        if event.is_ok_and(|event| event.kind.is_create() || event.kind.is_modify() || event.kind.is_remove()) {
            let _ = sender.send(());
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    loop {
        work();
        if receiver.recv().is_err() {
            return Ok(ExitCode::Go);
        }
        while receiver.recv_timeout(SETTLED).is_ok() {}
    }
}
