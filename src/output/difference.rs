//! What differs between two documents, for people and for machines.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::table::{cause_word, on_one_line};
use super::{Format, OutputError};
use crate::difference::{BlockerChange, Difference, FactChange, FactChangeKind, Side};
use crate::verdict::Outcome;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CODE: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// How much of a value is worth a line; the JSON output has all of it.
const LONGEST_VALUE: usize = 120;

/// Renders a difference; none if there is no such form.
///
/// # Errors
///
/// If the difference cannot be written as JSON.
pub fn render(difference: &Difference, format: Format) -> Result<Option<String>, OutputError> {
    Ok(match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(difference);
            Some(text.map_err(|error| OutputError::unwritable(error.into()))? + "\n")
        }
        Format::Table => Some(text(difference)),
        Format::Markdown => Some(format!("```text\n{}```\n", anstream::adapter::strip_str(&text(difference)))),
        _ => None,
    })
}

fn text(difference: &Difference) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_difference(&mut text, difference);
    text
}

fn write_difference(text: &mut String, difference: &Difference) -> std::fmt::Result {
    side(text, "from", &difference.before)?;
    side(text, "to  ", &difference.after)?;
    writeln!(text, "\nblockers")?;
    if difference.verdicts.is_empty() {
        writeln!(text, "  the same")?;
    }
    for change in &difference.verdicts {
        blocker(text, change)?;
    }
    writeln!(text, "\nfacts")?;
    if difference.facts.is_empty() {
        writeln!(text, "  the same")?;
    }
    difference.facts.iter().try_for_each(|change| fact(text, change))
}

fn side(text: &mut String, what: &str, side: &Side) -> std::fmt::Result {
    let (style, word) = match side.outcome {
        Outcome::Go => (GOOD, "GO"),
        Outcome::NoGo => (BAD, "NO-GO"),
    };
    writeln!(
        text,
        "{what}  {style}{word}{style:#}, P0 {}, {} blockers: {} of {}",
        side.p0, side.blockers, side.facts.phase_execution_id, side.facts.collected_at
    )
}

fn blocker(text: &mut String, change: &BlockerChange) -> std::fmt::Result {
    let what =
        format!("{CODE}{}{CODE:#} {}: {}", change.code, on_one_line(&change.subject), on_one_line(&change.claim));
    match (change.before, change.after) {
        (None, Some(after)) => writeln!(text, "  {BAD}+{BAD:#} {what} ({})", cause_word(after)),
        (Some(before), None) => writeln!(text, "  {GOOD}-{GOOD:#} {what} (was {})", cause_word(before)),
        (Some(before), Some(after)) => {
            writeln!(text, "  {CODE}~{CODE:#} {what} ({} → {})", cause_word(before), cause_word(after))
        }
        (None, None) => Ok(()),
    }
}

fn fact(text: &mut String, change: &FactChange) -> std::fmt::Result {
    let sign = match change.kind {
        FactChangeKind::Added => '+',
        FactChangeKind::Removed => '-',
        FactChangeKind::Status => '!',
        FactChangeKind::Changed => '~',
    };
    let values: Vec<String> = [&change.before, &change.after].into_iter().flatten().map(shown).collect();
    writeln!(text, "  {sign} {}\n      {FAINT}{}{FAINT:#}", change.pointer, values.join(" → "))
}

fn shown(value: &Value) -> String {
    let text = on_one_line(&value.to_string()).to_string();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
