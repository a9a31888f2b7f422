//! `check`: everything that can be said of policies without a fact document.

use super::policy_options;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, check as report, write_text};
use crate::policy::{PolicySet, check};
use crate::settings::{PolicySettings, SettingsError};

/// Checks the policies and their tests.
pub(super) fn run(policy: &PolicySettings, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let set = match &policy.folder {
        Some(folder) => PolicySet::from_folder(folder)?,
        None => PolicySet::embedded()?,
    };
    let found = check(&set, &policy_options(policy))?;
    for target in outputs {
        let text = report::render(&found, &set, target.format);
        write_text(&text.ok_or(SettingsError::NoFormat("check", target.format))?, target)?;
    }
    Ok(if found.defects.is_empty() { ExitCode::Go } else { ExitCode::Input })
}
