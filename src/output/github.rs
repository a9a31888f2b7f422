//! The verdict as GitHub Actions shows it: workflow commands, which become annotations, and the job summary.
//!
//! Every blocker is an annotation (`error`; `warning` if it is waived). GitHub shows ten of each kind a step, so a notice says how many there are, and
//! the summary has all of them.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use super::{Evaluated, Report, markdown};
use crate::baseline::BaselineState;
use crate::output::sarif::word;
use crate::verdict::Blocker;

/// The variable that names the file of the job summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Renders the annotations.
pub(super) fn render(report: &Report<'_>) -> String {
    let mut text = String::new();
    for evaluated in &report.evaluated {
        // Writing to a String cannot fail.
        let _ = annotations(&mut text, evaluated);
    }
    text
}

fn annotations(text: &mut String, evaluated: &Evaluated<'_>) -> std::fmt::Result {
    let verdict = evaluated.verdict;
    let blockers: Vec<&Blocker> = verdict.lanes.iter().flat_map(|lane| &lane.blockers).collect();
    let open = blockers.iter().filter(|blocker| blocker.is_open()).count();
    let title = format!("{}: {}", verdict.covers.join(", "), word(verdict.outcome));
    let mut message = format!("{open} blockers, {} waived", blockers.len() - open);
    if !verdict.reasons.is_empty() {
        write!(message, ", {} other reasons", verdict.reasons.len())?;
    }
    if let Some(baseline) = evaluated.baseline {
        let states = blockers.iter().map(|blocker| baseline.state(blocker));
        let states = states.chain(verdict.reasons.iter().map(|reason| baseline.reason_state(reason)));
        let new = states.filter(|state| *state == BaselineState::New).count();
        let cleared = baseline.cleared(verdict).len() + baseline.cleared_reasons(verdict).len();
        write!(message, "; {new} new, {cleared} cleared")?;
    }
    command(text, "notice", &evaluated.document, &title, &message)?;
    let mark = |state: Option<BaselineState>| if state == Some(BaselineState::New) { " (new)" } else { "" };
    for reason in &verdict.reasons {
        let state = mark(evaluated.baseline.map(|baseline| baseline.reason_state(reason)));
        command(text, "error", &evaluated.document, &format!("verdict{state}"), reason)?;
    }
    for blocker in blockers {
        let state = mark(evaluated.baseline.map(|baseline| baseline.state(blocker)));
        let title = format!("{} {}{state}", blocker.code, blocker.subject);
        match &blocker.waived {
            None => {
                let message = format!("{}\n{}", blocker.detail, blocker.remediation);
                command(text, "error", &evaluated.document, &title, &message)?;
            }
            Some(waived) => {
                let message = format!(
                    "{}\nwaived by {} until {}: {}",
                    blocker.detail, waived.owner, waived.expires_at, waived.reason
                );
                command(text, "warning", &evaluated.document, &title, &message)?;
            }
        }
    }
    Ok(())
}

/// A workflow command, escaped as the runner's own toolkit does.
fn command(text: &mut String, name: &str, file: &str, title: &str, message: &str) -> std::fmt::Result {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    writeln!(text, "::{name} file={},title={}::{}", property(file), property(title), data(message))
}

/// Appends the note on the verdicts to the job summary, where there is one.
///
/// # Errors
///
/// If the file of the summary cannot be written.
pub(super) fn summarize(report: &Report<'_>) -> Result<(), (PathBuf, std::io::Error)> {
    let Some(path) = std::env::var_os(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let text = markdown::render(report);
    let written =
        OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| (path, error))
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn what_a_command_would_end_at_is_escaped() {
        let mut text = String::new();
        command(&mut text, "error", "a,b.json", "M2A-B1: x", "50 %\nof\r\nit::").unwrap();
        assert_eq!(text, "::error file=a%2Cb.json,title=M2A-B1%3A x::50 %25%0Aof%0D%0Ait::\n");
    }
}
