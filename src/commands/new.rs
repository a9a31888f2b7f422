//! `new`: what is added to policies of one's own.

use super::policy_options;
use crate::cli::NewRuleArguments;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, write_text};
use crate::policy::PolicySet;
use crate::project;
use crate::settings::{PolicySettings, SettingsError};

/// Writes the rule of a new code, and its tests.
pub(super) fn rule(arguments: &NewRuleArguments, policy: &PolicySettings) -> Result<ExitCode, Error> {
    let Some(folder) = &policy.folder else {
        let help = "name it with --policies or in factgate.toml; `factgate init` starts a project that has one";
        return Err(SettingsError::Missing("folder of policies of your own", help).into());
    };
    let set = PolicySet::from_folder(folder)?;
    let addition = project::rule(&set, &policy_options(policy), &arguments.code, arguments.title.as_deref())?;
    addition.write(folder)?;
    let mut text = String::new();
    for name in addition.new.keys() {
        text.push_str(&format!("new      {}\n", folder.join(name).display()));
    }
    if let Some((name, _)) = &addition.changed {
        text.push_str(&format!("changed  {}\n", folder.join(name).display()));
    }
    text.push_str(&format!("{} blocks until its claim is written\n", addition.code));
    write_text(&text, &OutputTarget::default())?;
    Ok(ExitCode::Go)
}
