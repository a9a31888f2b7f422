//! `diff`: what differs between two fact documents, and between the verdicts on them.

use std::path::Path;

use factgate_collector::fact::Facts;

use super::{eval, policies, write_rendered};
use crate::difference::compare;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, difference};
use crate::settings::PolicySettings;

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
    write_rendered(outputs, |format| difference::render(&difference, format), "diff")?;
    Ok(ExitCode::Go)
}
