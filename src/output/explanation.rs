//! Why a code blocks, for people and for machines.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::table::{cause_word, on_one_line};
use super::{Format, OutputError};
use crate::explain::{Edit, ExplainedCheck, Explanation, Receipt};

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const CODE: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// What there is of the answer or the log of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptBytes {
    /// The very bytes of which the receipt has the digest.
    Kept(String),
    /// Bytes under its name that have another digest.
    Altered,
    /// None.
    Missing,
}

/// Renders an explanation; none if there is no such form. `bytes` gives the kept answer of a digest; nothing if none is asked for.
///
/// # Errors
///
/// If the explanation cannot be written as JSON.
pub fn render(
    explanation: &Explanation,
    bytes: &impl Fn(&str) -> Option<KeptBytes>,
    format: Format,
) -> Result<Option<String>, OutputError> {
    let text = || {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write_explanation(&mut text, explanation, bytes);
        text
    };
    Ok(match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(explanation);
            Some(text.map_err(|error| OutputError::unwritable(error.into()))? + "\n")
        }
        Format::Table => Some(text()),
        Format::Markdown => Some(format!("```text\n{}```\n", anstream::adapter::strip_str(&text()))),
        _ => None,
    })
}

fn write_explanation(
    text: &mut String,
    explanation: &Explanation,
    bytes: &impl Fn(&str) -> Option<KeptBytes>,
) -> std::fmt::Result {
    let code = &explanation.code;
    writeln!(
        text,
        "{CODE}{}{CODE:#} {:?} {} of {}: {}",
        code.code, code.severity, code.taxonomy, code.lane, code.title
    )?;
    if !code.description.is_empty() {
        writeln!(text, "\n{}", code.description.trim_end())?;
    }
    writeln!(text, "\nto do: {}", on_one_line(&code.remediation))?;
    for resource in &code.related_resources {
        writeln!(text, "see:   {resource}")?;
    }
    match &explanation.blockers {
        None => {
            for excerpt in &explanation.rule {
                writeln!(text, "\n{FAINT}{}{FAINT:#}\n{}", excerpt.location, excerpt.text)?;
            }
            Ok(())
        }
        Some(blockers) if blockers.is_empty() => writeln!(text, "\n{GOOD}Nothing blocks under it.{GOOD:#}"),
        Some(blockers) => {
            blockers.iter().try_for_each(|blocker| write_blocker(text, blocker, bytes))?;
            match (blockers.as_slice(), &explanation.edits) {
                ([_, _, ..], Some(edits)) => {
                    writeln!(text, "\n{GOOD}all of them would hold with{GOOD:#}")?;
                    write_edits(text, "  ", edits)
                }
                ([_, _, ..], None) => {
                    writeln!(text, "\nno edits were found that clear all of them and break no other claim of the code")
                }
                _ => Ok(()),
            }
        }
    }
}

fn write_edits(text: &mut String, indent: &str, edits: &[Edit]) -> std::fmt::Result {
    edits
        .iter()
        .try_for_each(|edit| writeln!(text, "{indent}{} = {}", edit.pointer, on_one_line(&edit.value.to_string())))
}

fn write_blocker(
    text: &mut String,
    blocker: &ExplainedCheck,
    bytes: &impl Fn(&str) -> Option<KeptBytes>,
) -> std::fmt::Result {
    let check = &blocker.check;
    writeln!(
        text,
        "\n{BAD}✗ {}{BAD:#} {}: {}\n  expected  {}\n  actual    {}",
        cause_word(check.cause),
        on_one_line(&check.subject),
        on_one_line(&check.claim),
        on_one_line(&check.expected.to_string()),
        on_one_line(&check.actual.to_string())
    )?;
    for fact in &blocker.facts {
        let status = fact.status.as_deref().map_or(String::new(), |status| format!(" ({status})"));
        writeln!(text, "  fact      {}{status}", fact.pointer)?;
        for receipt in &fact.receipts {
            write_receipt(text, receipt, bytes)?;
        }
    }
    if !blocker.actions.is_empty() {
        writeln!(text, "  needs     {}", blocker.actions.join(", "))?;
    }
    match &blocker.edits {
        Some(edits) => {
            writeln!(text, "  would hold with")?;
            write_edits(text, "    ", edits)?;
            if !blocker.examples.is_empty() {
                let examples: Vec<String> = blocker.examples.iter().map(|text| on_one_line(text).to_string()).collect();
                writeln!(text, "    where these are examples for values of your own: {}", examples.join(", "))?;
            }
            Ok(())
        }
        None => writeln!(text, "  no edit of these facts was found to clear it"),
    }
}

fn write_receipt(text: &mut String, receipt: &Receipt, bytes: &impl Fn(&str) -> Option<KeptBytes>) -> std::fmt::Result {
    let part = |name: &str| match &receipt.receipt[name] {
        Value::Null => String::new(),
        Value::String(text) => format!(" {text}"),
        other => format!(" {other}"),
    };
    let parts: String =
        ["started_at", "http_status", "exit_code", "request_id"].iter().map(|name| part(name)).collect();
    writeln!(text, "    {FAINT}{}{parts}{FAINT:#}", receipt.key)?;
    for name in ["body_digest", "log_digest", "digest"] {
        match receipt.receipt[name].as_str().and_then(bytes) {
            None => {}
            Some(KeptBytes::Kept(kept)) => {
                let lines: Vec<String> = kept.lines().map(|line| format!("      {line}")).collect();
                writeln!(text, "{FAINT}{}{FAINT:#}", lines.join("\n"))?;
            }
            Some(KeptBytes::Altered) => {
                writeln!(
                    text,
                    "      {BAD}the bytes that are kept have another digest: they are not this answer{BAD:#}"
                )?;
            }
            Some(KeptBytes::Missing) => writeln!(text, "      {FAINT}its bytes are not kept there{FAINT:#}")?,
        }
    }
    Ok(())
}
