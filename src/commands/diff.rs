//! `diff`: what differs between two fact documents, and between the verdicts on them.

use std::path::Path;

use factgate_collector::fact::Facts;

use super::{eval, policies};
use crate::difference::compare;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, difference, write_text};
use crate::settings::{PolicySettings, SettingsError};

/// Compares two documents under the same policies.
pub(super) fn run(
    before: &Path,
    after: &Path,
    policy: &PolicySettings,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    let policies = policies(policy)?;
    let (before, after) = (Facts::read(before)?, Facts::read(after)?);
    let verdict = |facts: &Facts| Ok::<_, Error>(eval::evaluate_facts(facts, &policies, &[], &[])?.verdict);
    let difference = compare((before.json(), &verdict(&before)?), (after.json(), &verdict(&after)?));
    for target in outputs {
        let text = difference::render(&difference, target.format)?;
        write_text(&text.ok_or(SettingsError::NoFormat("diff", target.format))?, target)?;
    }
    Ok(ExitCode::Go)
}
