//! `prove`: what the policies are worth, on a document that passes.

use std::path::Path;

use factgate_collector::fact::Facts;
use indicatif::{ProgressBar, ProgressStyle};

use super::{policy_options, policy_set, write_rendered};
use crate::cli::ProveArguments;
use crate::error::Error;
use crate::evaluate::Document;
use crate::exit::ExitCode;
use crate::output::{OutputTarget, proof};
use crate::prove::{Accepted, Half, NamedDocument, ProveOptions, ProveProgress, prove};
use crate::settings::{PolicySettings, SettingsError};

/// Proves what can be proved, and says whether it holds.
pub(super) fn run(
    arguments: &ProveArguments,
    policy: &PolicySettings,
    outputs: &[OutputTarget],
) -> Result<ExitCode, Error> {
    let set = policy_set(policy)?;
    let documents = arguments.facts.iter().map(|path| document(path)).collect::<Result<Vec<_>, Error>>()?;
    let Some((passing, more)) = documents.split_first() else {
        return Err(SettingsError::Missing("fact document", "name one on which the lanes pass").into());
    };
    let what = ProveOptions {
        lanes: arguments.lanes.clone(),
        only: arguments.only.map(Half::from),
        accepted: arguments.accepted.as_deref().map(Accepted::read).transpose()?,
    };
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let show = |progress: ProveProgress| {
        bar.set_message(match progress.half {
            Half::KnockOuts => "knock-outs",
            Half::Mutants => "mutants",
        });
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    };
    let proof = prove(&set, &policy_options(policy), passing, more, &what, &show)?;
    bar.finish_and_clear();
    write_rendered(outputs, |format| proof::render(&proof, arguments.threshold, format), "prove")?;
    Ok(if proof.holds(arguments.threshold) { ExitCode::Go } else { ExitCode::NoGo })
}

fn document(path: &Path) -> Result<NamedDocument, Error> {
    let facts = Facts::read(path)?;
    let document = Document::new(facts.json().clone(), facts.is_sealed())?;
    Ok(NamedDocument { name: path.display().to_string(), document })
}
