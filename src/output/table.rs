//! The verdict for people: the answer first, then the lanes, then each blocker with what to do about it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::check::Cause;
use crate::verdict::{Blocker, LaneStatus, LaneVerdict, Outcome, Verdict};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CODE: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// How much of a value is worth a line of a terminal; the JSON output has all of it.
const LONGEST_VALUE: usize = 160;

/// Renders with ANSI styles; whoever writes it strips them where they do not belong.
pub fn render(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for (position, verdict) in verdicts.iter().enumerate() {
        if position > 0 {
            text.push('\n');
        }
        // Writing to a String cannot fail.
        let _ = render_one(&mut text, verdict);
    }
    text
}

fn render_one(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    headline(text, verdict)?;
    identity(text, verdict)?;
    writeln!(text, "\n{}", lanes(&verdict.lanes))?;
    for lane in &verdict.lanes {
        blockers(text, lane)?;
    }
    observations(text, verdict)
}

fn headline(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let (style, word) = match verdict.outcome {
        Outcome::Go => (GOOD, "GO"),
        Outcome::NoGo => (BAD, "NO-GO"),
    };
    let all: Vec<&Blocker> = verdict.lanes.iter().flat_map(|lane| &lane.blockers).collect();
    let checks: usize = verdict.lanes.iter().flat_map(|lane| &lane.codes).map(|code| code.checks.len()).sum();
    write!(text, "{style}{word}{style:#}  {}", verdict.covers.join(", "))?;
    if all.is_empty() {
        writeln!(text, ": all {checks} checks hold")?;
    } else {
        let causes = [Cause::Violated, Cause::Absent, Cause::Unreadable, Cause::Unpinned, Cause::Evidence];
        let counts: Vec<String> = causes
            .iter()
            .map(|cause| (all.iter().filter(|blocker| blocker.cause == *cause).count(), cause_word(*cause)))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        writeln!(text, ": {} of {checks} checks block ({})", all.len(), counts.join(", "))?;
    }
    for reason in &verdict.reasons {
        writeln!(text, "       {BAD}{reason}{BAD:#}")?;
    }
    let style = if verdict.p0.status == "GO" { GOOD } else { Style::new().bold() };
    write!(text, "P0     {} {style}{}{style:#}", verdict.p0.name, verdict.p0.status)?;
    if !verdict.p0.missing_lanes.is_empty() {
        write!(text, " {FAINT}(not covered: {}){FAINT:#}", verdict.p0.missing_lanes.join(", "))?;
    }
    writeln!(text)
}

fn identity(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let facts = &verdict.facts;
    writeln!(text, "run    {}, collected {}", facts.phase_execution_id, facts.collected_at)?;
    match &facts.digest {
        Some(digest) => writeln!(text, "facts  {FAINT}{digest}{FAINT:#}")?,
        None => writeln!(text, "facts  {BAD}unsealed{BAD:#}: nothing shows that they are as they were collected")?,
    }
    writeln!(text, "rules  {FAINT}{}{FAINT:#} ({})", verdict.policies.digest, verdict.policies.source)?;
    if let Some(endpoint) = &facts.endpoint_url {
        writeln!(text, "read   through {CODE}{endpoint}{CODE:#}, not AWS's own endpoints")?;
    }
    Ok(())
}

fn lanes(lanes: &[LaneVerdict]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["lane", "status", "proves", "checks", "blockers", "next gate"]);
    for lane in lanes {
        let checks: usize = lane.codes.iter().map(|code| code.checks.len()).sum();
        let status = match lane.status {
            LaneStatus::Pass => format!("{GOOD}PASS{GOOD:#}"),
            LaneStatus::Blocked => format!("{BAD}BLOCKED{BAD:#}"),
        };
        let next_gate = if lane.blocked_by.is_empty() {
            lane.next_gate.clone()
        } else {
            format!("{} by {}", lane.next_gate, lane.blocked_by.join(", "))
        };
        let blockers = blocked_codes(lane);
        table.add_row([
            lane.lane.clone(),
            status,
            lane.title.clone(),
            checks.to_string(),
            if blockers.is_empty() { "none".to_owned() } else { blockers.join(" ") },
            next_gate,
        ]);
    }
    table
}

/// `M2A-B2` once, with how often it fired if more than once.
fn blocked_codes(lane: &LaneVerdict) -> Vec<String> {
    lane.codes
        .iter()
        .filter_map(|code| match lane.blockers.iter().filter(|blocker| blocker.code == code.code).count() {
            0 => None,
            1 => Some(code.code.clone()),
            count => Some(format!("{}×{count}", code.code)),
        })
        .collect()
}

fn blockers(text: &mut String, lane: &LaneVerdict) -> std::fmt::Result {
    for code in &lane.codes {
        let fired: Vec<&Blocker> = lane.blockers.iter().filter(|blocker| blocker.code == code.code).collect();
        let Some(first) = fired.first() else { continue };
        writeln!(text, "\n{CODE}{}{CODE:#} {:?} {}: {}", first.code, first.severity, first.taxonomy, code.title)?;
        for blocker in &fired {
            writeln!(text, "  {BAD}✗{BAD:#} {}: {}", blocker.subject, blocker.claim)?;
            writeln!(text, "      expected  {}", shown(&blocker.expected))?;
            writeln!(text, "      actual    {}", shown(&blocker.actual))?;
            writeln!(text, "      cause     {}", cause_word(blocker.cause))?;
            for pointer in &blocker.facts {
                writeln!(text, "      fact      {FAINT}{pointer}{FAINT:#}")?;
            }
        }
        writeln!(text, "  to do: {}", first.remediation)?;
    }
    Ok(())
}

fn observations(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let mut lines = verdict.lanes.iter().flat_map(|lane| {
        lane.observations.iter().map(move |observation| {
            let part = |key| observation.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("  {FAINT}{} {}: {}{FAINT:#}", lane.lane, part("subject"), part("message"))
        })
    });
    let Some(first) = lines.next() else { return Ok(()) };
    writeln!(text, "\nworth knowing (never blocks):\n{first}")?;
    lines.try_for_each(|line| writeln!(text, "{line}"))
}

fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::None => "none",
        Cause::Violated => "violated",
        Cause::Absent => "absent",
        Cause::Unreadable => "unreadable",
        Cause::Unpinned => "unpinned",
        Cause::Evidence => "evidence",
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((cut, _)) => format!("{}… ({} characters)", text.get(..cut).unwrap_or(&text), text.chars().count()),
        None => text,
    }
}
