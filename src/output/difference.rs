//! What differs between two documents, for people and for machines.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::markdown::{code, escaped, row, rule};
use super::sarif::word;
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
        Format::Markdown => Some(markdown(difference)),
        _ => None,
    })
}

fn text(difference: &Difference) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_difference(&mut text, difference);
    text
}

fn markdown(difference: &Difference) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_markdown(&mut text, difference);
    text
}

fn write_markdown(text: &mut String, difference: &Difference) -> std::fmt::Result {
    let Difference { before, after, .. } = difference;
    writeln!(text, "## {} → {}\n", word(before.outcome), word(after.outcome))?;
    row(text, ["", "outcome", "P0", "blockers", "run", "collected"])?;
    rule(text, 6)?;
    for (name, side) in [("from", before), ("to", after)] {
        let [outcome, p0, run, collected] =
            [word(side.outcome), &side.p0, &side.facts.phase_execution_id, &side.facts.collected_at].map(escaped);
        row(text, [name, &outcome, &p0, &side.blockers.to_string(), &run, &collected])?;
    }
    writeln!(text, "\n### Blockers\n")?;
    if difference.verdicts.is_empty() {
        writeln!(text, "The same.")?;
    } else {
        row(text, ["", "code", "subject", "claim", "before", "after"])?;
        rule(text, 6)?;
    }
    for change in &difference.verdicts {
        let [before, after] = [change.before, change.after].map(|cause| cause.map_or("", cause_word));
        let [code, subject, claim] = [&change.code, &change.subject, &change.claim].map(|part| escaped(part));
        let sign = match (change.before, change.after) {
            (None, _) => "appeared",
            (_, None) => "cleared",
            _ => "changed",
        };
        row(text, [sign, &code, &subject, &claim, before, after])?;
    }
    if !difference.reasons.is_empty() {
        writeln!(text, "\n### Reasons\n")?;
        row(text, ["", "reason"])?;
        rule(text, 2)?;
        for change in &difference.reasons {
            row(text, [if change.has_appeared { "appeared" } else { "gone" }, &escaped(&change.reason)])?;
        }
    }
    writeln!(text, "\n### Facts\n")?;
    if difference.facts.is_empty() {
        return writeln!(text, "The same.");
    }
    row(text, ["", "fact", "before", "after"])?;
    rule(text, 4)?;
    for change in &difference.facts {
        let [before, after] = both_shown(change).map(|value| value.map_or(String::new(), |value| code(&value)));
        let what = match change.kind {
            FactChangeKind::Added => "added",
            FactChangeKind::Removed => "removed",
            FactChangeKind::Status => "status",
            FactChangeKind::Changed => "changed",
        };
        row(text, [what, &code(&change.pointer), &before, &after])?;
    }
    Ok(())
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
    if !difference.reasons.is_empty() {
        writeln!(text, "\nreasons")?;
    }
    for change in &difference.reasons {
        let (style, sign) = if change.has_appeared { (BAD, '+') } else { (GOOD, '-') };
        writeln!(text, "  {style}{sign}{style:#} {}", on_one_line(&change.reason))?;
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
    let values: Vec<String> = both_shown(change).into_iter().flatten().collect();
    writeln!(text, "  {sign} {}\n      {FAINT}{}{FAINT:#}", change.pointer, values.join(" → "))
}

/// Both values of a change; of two lists, what only one of them has.
fn both_shown(change: &FactChange) -> [Option<String>; 2] {
    match (&change.before, &change.after) {
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            let [gone, come] = [without(before, after), without(after, before)];
            // The same members in another order are shown as they are.
            if gone.is_empty() && come.is_empty() {
                return [Some(shown(&json!(before))), Some(shown(&json!(after)))];
            }
            [gone, come].map(|members| {
                Some(if members.is_empty() { "…".to_owned() } else { format!("… {}", shown(&json!(members))) })
            })
        }
        (before, after) => [before, after].map(|value| value.as_ref().map(shown)),
    }
}

/// The members of a list that another one has not, or not as often.
fn without(list: &[Value], other: &[Value]) -> Vec<Value> {
    let mut rest: Vec<&Value> = other.iter().collect();
    let is_own = |member: &&Value| match rest.iter().position(|found| found == member) {
        Some(position) => {
            rest.swap_remove(position);
            false
        }
        None => true,
    };
    list.iter().filter(is_own).cloned().collect()
}

fn shown(value: &Value) -> String {
    let text = on_one_line(&value.to_string()).to_string();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
