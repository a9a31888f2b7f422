//! `iam-policy`: what the collector's principal must be allowed.

use std::collections::BTreeMap;
use std::path::Path;

use factgate_collector::aws::policy;
use factgate_collector::registry::Registry;

use super::collect::defaults;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, write_to_all};
use crate::settings::PolicySettings;

/// Writes the policy, as JSON; narrowed to a registry's resources if there is one.
pub(super) fn run(
    registry: Option<&Path>,
    settings: &PolicySettings,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    let handles = match registry {
        Some(path) => Registry::read(path)?.handles,
        None => BTreeMap::new(),
    };
    let needed = policy::needed(&handles, &defaults(settings));
    write_to_all(&format!("{needed:#}\n"), outputs)?;
    Ok(ExitCode::Go)
}
