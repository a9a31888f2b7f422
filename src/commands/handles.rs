//! `handles pin`: values for `TO_PIN` handles, from the Terraform outputs of a fact document.

use std::io::Write as _;

use factgate_collector::fact::Facts;
use factgate_collector::file::write_atomically;
use factgate_collector::registry::Pinning;
use similar::TextDiff;

use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::OutputError;
use crate::settings::PinSettings;

/// Prints the registry's new lines as a unified diff, and writes them if that is asked for. What is not pinned although there is
/// an output for it is said on standard error.
pub(super) fn pin(settings: &PinSettings) -> Result<ExitCode, Error> {
    let facts = Facts::read(&settings.facts)?;
    if !facts.is_sealed() {
        return Err(Error::Unsealed(settings.facts.clone()));
    }
    let pinning = Pinning::of_file(&settings.registry, &facts.document().terraform)?;
    let name = settings.registry.display().to_string();
    let diff = TextDiff::from_lines(&pinning.before, &pinning.after);
    let diff = diff.unified_diff().header(&name, &name).to_string();
    let mut out = std::io::stdout().lock();
    out.write_all(diff.as_bytes()).and_then(|()| out.flush()).map_err(OutputError::standard_output)?;

    let mut notes = String::new();
    for (handle, reason) in &pinning.skipped {
        notes.push_str(&format!("{handle} stays TO_PIN: {reason}\n"));
    }
    let count = pinning.pinned.len();
    notes.push_str(&match (count, settings.write) {
        (0, _) => "nothing to pin\n".to_owned(),
        (_, false) => format!("{count} to pin in {name}; --write writes them\n"),
        (_, true) => format!("{count} pinned in {name}\n"),
    });
    if settings.write && count > 0 {
        write(settings, &pinning.after)
            .map_err(|source| Error::WriteRegistry { path: settings.registry.clone(), source })?;
    }
    // There is nowhere left to report that standard error is closed.
    let _ = anstream::stderr().lock().write_all(notes.as_bytes());
    Ok(ExitCode::Go)
}

/// Replaces the registry: the file behind a link, not the link, and with the permissions that it has.
fn write(settings: &PinSettings, text: &str) -> std::io::Result<()> {
    let path = settings.registry.canonicalize()?;
    let permissions = path.metadata()?.permissions();
    write_atomically(&path, text.as_bytes())?;
    std::fs::set_permissions(&path, permissions)
}
