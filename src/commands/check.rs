//! `check`: everything that can be said of policies without a fact document.

use super::{policy_options, policy_set, write_rendered};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, check as report};
use crate::policy::check;
use crate::settings::PolicySettings;

/// Checks the policies and their tests.
pub(super) fn run(policy: &PolicySettings, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let set = policy_set(policy)?;
    let found = check(&set, &policy_options(policy))?;
    write_rendered(outputs, |format| Ok(report::render(&found, &set, format)), "check")?;
    Ok(if found.defects.is_empty() { ExitCode::Go } else { ExitCode::Input })
}
