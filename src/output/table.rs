//! The verdict for people: the answer first, then the lanes, then each blocker with what to do about it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::check::Cause;
use crate::verdict::{Blocker, LaneStatus, LaneVerdict, Outcome, Verdict};
use crate::waiver::WaiverStatus;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CODE: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// How much of a value is worth a line of a terminal; the JSON output has all of it.
const LONGEST_VALUE: usize = 160;

/// How many elements of a list are shown; the JSON output has all of them.
const MOST_ITEMS: usize = 12;

/// What to do where every blocker of a code is unreadable.
const MAKE_READABLE: &str =
    "Grant or restore what the reads above need, and run again; whether anything is wrong here is not known before.";

/// As wide as the longest status of a waiver.
const WAIVER_WIDTH: usize = 12;

/// As wide as the longest cause.
const CAUSE_WIDTH: usize = 10;

/// Renders with ANSI styles; whoever writes it strips them where they do not belong.
pub fn render(verdicts: &[&Verdict]) -> String {
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
    writeln!(text, "\n{}", lines(&lanes(&verdict.lanes)))?;
    if verdict.lanes.iter().filter(|lane| !lane.blockers.is_empty()).count() > 1 {
        writeln!(
            text,
            "\nFix from the top: a lane passes only after the lanes before it, and what is below often follows."
        )?;
    }
    for lane in &verdict.lanes {
        blockers(text, lane)?;
    }
    waivers(text, verdict)?;
    observations(text, verdict)
}

/// Once all of its lanes are covered, P0 is the answer; before, it is a remark.
fn headline(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let is_complete = verdict.p0.missing_lanes.is_empty();
    if is_complete {
        p0(text, verdict)?;
    }
    outcome(text, verdict)?;
    if is_complete { Ok(()) } else { p0(text, verdict) }
}

fn outcome(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let (style, word) = match verdict.outcome {
        Outcome::Go => (GOOD, "GO"),
        Outcome::NoGo => (BAD, "NO-GO"),
    };
    let (all, waived): (Vec<&Blocker>, Vec<&Blocker>) =
        verdict.lanes.iter().flat_map(|lane| &lane.blockers).partition(|blocker| blocker.is_open());
    let waived = if waived.is_empty() { String::new() } else { format!(", {} waived", waived.len()) };
    let checks: usize = verdict.lanes.iter().flat_map(|lane| &lane.codes).map(|code| code.checks.len()).sum();
    write!(text, "{style}{word}{style:#}  {}", verdict.covers.join(", "))?;
    if all.is_empty() {
        if waived.is_empty() {
            writeln!(text, ": all {checks} checks hold")?;
        } else {
            writeln!(text, ": nothing of {checks} checks blocks{waived}")?;
        }
    } else {
        let causes = [Cause::Violated, Cause::Absent, Cause::Unreadable, Cause::Unpinned, Cause::Evidence];
        let counts: Vec<String> = causes
            .iter()
            .map(|cause| (all.iter().filter(|blocker| blocker.cause == *cause).count(), cause_word(*cause)))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        writeln!(text, ": {} of {checks} checks block ({}){waived}", all.len(), counts.join(", "))?;
    }
    for reason in &verdict.reasons {
        writeln!(text, "       {BAD}{}{BAD:#}", on_one_line(reason))?;
    }
    Ok(())
}

fn p0(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let style = if verdict.p0.status == "GO" { GOOD } else { Style::new().bold() };
    write!(text, "P0     {} {style}{}{style:#}", verdict.p0.name, verdict.p0.status)?;
    if !verdict.p0.missing_lanes.is_empty() {
        write!(text, " {FAINT}(not covered: {}){FAINT:#}", verdict.p0.missing_lanes.join(", "))?;
    }
    if !verdict.p0.packs.is_empty() {
        write!(text, " {FAINT}(by evidence packs: {}){FAINT:#}", verdict.p0.packs.join(", "))?;
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
    if !verdict.policies.overrides.is_empty() {
        writeln!(text, "pinned {CODE}not as the policies have it{CODE:#}: {}", verdict.policies.overrides.join(", "))?;
    }
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
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A table without the blanks that fill its last column.
pub(crate) fn lines(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// `M2A-B2` once, if it is not waived, with how often it fired if more than once.
fn blocked_codes(lane: &LaneVerdict) -> Vec<String> {
    lane.codes
        .iter()
        .filter_map(|code| {
            let of_code = |blocker: &&Blocker| blocker.code == code.code && blocker.is_open();
            match lane.blockers.iter().filter(of_code).count() {
                0 => None,
                1 => Some(code.code.clone()),
                count => Some(format!("{}×{count}", code.code)),
            }
        })
        .collect()
}

/// One code a section, and in it what is known to be wrong before what merely could not be read: the second often follows
/// from the first.
fn blockers(text: &mut String, lane: &LaneVerdict) -> std::fmt::Result {
    for code in &lane.codes {
        let fired = grouped(lane.blockers.iter().filter(|blocker| blocker.code == code.code));
        let Some(first) = fired.first().and_then(|group| group.first()) else { continue };
        writeln!(text, "\n{CODE}{}{CODE:#} {:?} {}: {}", first.code, first.severity, first.taxonomy, code.title)?;
        for group in &fired {
            blocker(text, group)?;
        }
        // What the contract says to do mends something; here nothing is known to be broken.
        let is_known = fired.iter().flatten().any(|blocker| blocker.cause != Cause::Unreadable);
        writeln!(text, "  to do: {}", if is_known { &first.remediation } else { MAKE_READABLE })?;
    }
    Ok(())
}

/// Claims about one subject that fail by one and the same reading are one thing to fix.
fn grouped<'verdict>(blockers: impl Iterator<Item = &'verdict Blocker>) -> Vec<Vec<&'verdict Blocker>> {
    let mut groups: Vec<Vec<&Blocker>> = Vec::new();
    for blocker in blockers {
        let same = groups.iter_mut().find(|group| {
            group.first().is_some_and(|first| {
                is_unknown(first.cause)
                    && first.cause == blocker.cause
                    && first.waived == blocker.waived
                    && first.subject == blocker.subject
                    && first.actual == blocker.actual
            })
        });
        match same {
            Some(group) => group.push(blocker),
            None => groups.push(vec![blocker]),
        }
    }
    groups.sort_by_key(|group| group.first().map(|blocker| order(blocker.cause)));
    groups
}

fn blocker(text: &mut String, group: &[&Blocker]) -> std::fmt::Result {
    let Some(first) = group.first() else { return Ok(()) };
    let cause = cause_word(first.cause);
    writeln!(text, "  {BAD}✗ {cause:<CAUSE_WIDTH$}{BAD:#} {}: {}", first.subject, first.claim)?;
    for also in group.iter().skip(1) {
        let indent = first.subject.chars().count();
        writeln!(text, "    {:CAUSE_WIDTH$} {:indent$}  {}", "", "", also.claim)?;
    }
    if !first.expected.is_null() && group.iter().all(|blocker| blocker.expected == first.expected) {
        field(text, "expected", &shown(&first.expected, false))?;
    }
    field(text, "actual", &shown(&first.actual, is_unknown(first.cause)))?;
    let mut pointers: Vec<&String> = group.iter().flat_map(|blocker| &blocker.facts).collect();
    let mut seen = BTreeSet::new();
    pointers.retain(|pointer| seen.insert(*pointer));
    // The subject's own handle is where one looks anyway.
    let own = format!("/handles/{}/value", first.subject);
    if pointers.iter().any(|pointer| **pointer != own) {
        pointers.retain(|pointer| **pointer != own);
    }
    field(text, "facts", &pointers.iter().map(|pointer| format!("{FAINT}{pointer}{FAINT:#}")).collect::<Vec<_>>())?;
    let Some(waived) = &first.waived else { return Ok(()) };
    let (owner, reason) = (on_one_line(&waived.owner), on_one_line(&waived.reason));
    field(text, "waived", &[format!("{CODE}by {owner} until {}{CODE:#}: {reason}", waived.expires_at)])
}

fn waivers(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    if verdict.waivers.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nwaivers:")?;
    for waiver in &verdict.waivers {
        let style = if waiver.status == WaiverStatus::Applied { CODE } else { BAD };
        let words = waiver.status.words();
        let [code, subject, owner, reason] =
            [&waiver.code, &waiver.subject, &waiver.owner, &waiver.reason].map(|part| on_one_line(part));
        let until = &waiver.expires_at;
        writeln!(text, "  {style}{words:<WAIVER_WIDTH$}{style:#} {code} {subject}: {owner} until {until}: {reason}")?;
    }
    Ok(())
}

/// Users write waivers; what they write stays on its line and cannot speak to the terminal.
pub(super) fn on_one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn field(text: &mut String, name: &str, lines: &[String]) -> std::fmt::Result {
    for (position, line) in lines.iter().enumerate() {
        let name = if position == 0 { name } else { "" };
        writeln!(text, "      {name:<8}  {line}")?;
    }
    Ok(())
}

/// Whether the actual value is words about why there is none.
fn is_unknown(cause: Cause) -> bool {
    matches!(cause, Cause::Absent | Cause::Unreadable | Cause::Unpinned)
}

/// Which cause to look at first.
fn order(cause: Cause) -> u8 {
    match cause {
        Cause::Unpinned => 0,
        Cause::Absent => 1,
        Cause::Violated => 2,
        Cause::Evidence => 3,
        Cause::Unreadable => 4,
        Cause::None => 5,
    }
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

pub(super) fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::None => "none",
        Cause::Violated => "violated",
        Cause::Absent => "absent",
        Cause::Unreadable => "unreadable",
        Cause::Unpinned => "unpinned",
        Cause::Evidence => "evidence",
    }
}

/// A value in lines: words as they are, the members of an object and of a long list one a line.
fn shown(value: &Value, is_words: bool) -> Vec<String> {
    match value {
        Value::String(words) if is_words => vec![cut(words)],
        Value::Object(members) if !members.is_empty() => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| cut(&format!("{name}: {}", value.as_str().map_or(value.to_string(), str::to_owned))))
            .collect(),
        Value::Array(items) if value.to_string().chars().count() > LONGEST_VALUE => {
            let mut lines: Vec<String> = items.iter().take(MOST_ITEMS).map(|item| cut(&item.to_string())).collect();
            if let more @ 1.. = items.len().saturating_sub(MOST_ITEMS) {
                lines.push(format!("… and {more} more"));
            }
            lines
        }
        _ => vec![cut(&value.to_string())],
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((cut, _)) => format!("{}… ({} characters)", text.get(..cut).unwrap_or(text), text.chars().count()),
        None => text.to_owned(),
    }
}
