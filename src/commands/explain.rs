//! `explain`: what a code means, and why it blocks on a document.

use std::path::Path;

use factgate_collector::fact::{Digest, Facts};

use super::{policy_options, policy_set, write_rendered};
use crate::cli::ExplainArguments;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::explain::explain;
use crate::output::explanation::KeptBytes;
use crate::output::{OutputTarget, explanation};
use crate::policy::Policies;
use crate::settings::{PolicySettings, SettingsError};
use crate::suggestion::did_you_mean;

/// Explains one code.
pub(super) fn run(
    arguments: &ExplainArguments,
    policy: &PolicySettings,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    if let Some(folder) = arguments.raw.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(SettingsError::NoFolder(
            folder.to_owned(),
            "name the folder that `--raw` of the collection filled",
        )
        .into());
    }
    let set = policy_set(policy)?;
    let policies = Policies::compile(set.clone(), &policy_options(policy))?;
    let mut codes = policies.lanes().iter().flat_map(|lane| &lane.codes);
    let code = codes.find(|code| code.code.eq_ignore_ascii_case(&arguments.code)).ok_or_else(|| {
        let known: Vec<&str> =
            policies.lanes().iter().flat_map(|lane| &lane.codes).map(|code| code.code.as_str()).collect();
        let help = did_you_mean(&arguments.code.to_uppercase(), known);
        SettingsError::UnknownCode(arguments.code.clone(), help)
    })?;
    let facts = arguments.facts.as_deref().map(Facts::read).transpose()?;
    let found = explain(&set, &policies, code, facts.as_ref().map(Facts::json), arguments.subject.as_deref())?;
    if let Some(subject) = arguments.subject.as_deref()
        && !found.subjects.is_empty()
        && !found.subjects.contains(subject)
    {
        let help = did_you_mean(subject, found.subjects.iter().map(String::as_str));
        return Err(SettingsError::UnknownSubject(code.code.clone(), subject.to_owned(), help).into());
    }
    let bytes = |digest: &str| arguments.raw.as_deref().map(|folder| kept(folder, digest));
    write_rendered(outputs, |format| explanation::render(&found, &bytes, format), "explain")?;
    Ok(ExitCode::Go)
}

/// The answer or log of a digest, as `--raw` kept it. What has another digest is not what the receipt is about.
fn kept(folder: &Path, digest: &str) -> KeptBytes {
    let Ok(digest) = digest.parse::<Digest>() else { return KeptBytes::Missing };
    match std::fs::read(folder.join(digest.hex())) {
        Ok(bytes) if Digest::of(&bytes) == digest => KeptBytes::Kept(String::from_utf8_lossy(&bytes).into_owned()),
        Ok(_) => KeptBytes::Altered,
        Err(_) => KeptBytes::Missing,
    }
}
