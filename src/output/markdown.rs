//! The verdict as the note that closes the lanes, to be appended to a log: what was decided, on which facts, what is done and
//! what is not, and where the evidence is.
//!
//! Subjects, claims, reasons and owners come from people and peers, so that none of them may look like Markdown or HTML.

use std::fmt::Write as _;

use super::table::on_one_line;
use super::{Archive, Report};
use crate::verdict::{LaneStatus, LaneVerdict, Outcome, Verdict};

/// What Markdown and HTML give a meaning within a line.
const SPECIAL: [char; 16] = ['\\', '`', '*', '_', '{', '}', '[', ']', '<', '>', '#', '|', '~', '&', '!', '@'];

/// Renders one note a verdict.
pub fn render(report: &Report<'_>) -> String {
    let mut text = String::new();
    for (position, verdict) in report.verdicts().into_iter().enumerate() {
        if position > 0 {
            text.push('\n');
        }
        // Writing to a String cannot fail.
        let _ = render_one(&mut text, verdict, report.archive);
    }
    text
}

fn render_one(text: &mut String, verdict: &Verdict, archive: &Archive) -> std::fmt::Result {
    let outcome = match verdict.outcome {
        Outcome::Go => "GO",
        Outcome::NoGo => "NO-GO",
    };
    let covers = verdict.covers.join(", ");
    if verdict.p0.missing_lanes.is_empty() {
        writeln!(text, "## {}: {}", verdict.p0.name, verdict.p0.status)?;
    } else {
        writeln!(text, "## {covers}: {outcome}")?;
    }
    writeln!(text, "\n- Outcome: **{outcome}** for {covers}")?;
    write!(text, "- P0 {}: **{}**", code(&verdict.p0.name), escaped(&verdict.p0.status))?;
    if !verdict.p0.missing_lanes.is_empty() {
        write!(text, " (not covered: {})", verdict.p0.missing_lanes.join(", "))?;
    }
    if !verdict.p0.packs.is_empty() {
        write!(text, " (by evidence packs: {})", verdict.p0.packs.join(", "))?;
    }
    writeln!(text)?;
    identity(text, verdict)?;
    for reason in &verdict.reasons {
        writeln!(text, "- Blocks: {}", escaped(reason))?;
    }
    lanes(text, verdict)?;
    definition_of_done(text, verdict)?;
    blockers(text, verdict)?;
    waivers(text, verdict)?;
    observations(text, verdict)?;
    evidence(text, verdict, archive)
}

fn identity(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let facts = &verdict.facts;
    writeln!(text, "- Run: {}, collected {}", code(&facts.phase_execution_id), escaped(&facts.collected_at))?;
    match &facts.digest {
        Some(digest) => writeln!(text, "- Facts: {}", code(digest))?,
        None => writeln!(text, "- Facts: **unsealed**")?,
    }
    writeln!(text, "- Policies: {} ({})", code(&verdict.policies.digest), escaped(&verdict.policies.source))?;
    if !verdict.policies.overrides.is_empty() {
        let overrides: Vec<String> = verdict.policies.overrides.iter().map(|key| code(key)).collect();
        writeln!(text, "- Contract overrides: {}", overrides.join(", "))?;
    }
    writeln!(text, "- Tool: {} {}", escaped(&verdict.tool.name), escaped(&verdict.tool.version))?;
    match &facts.endpoint_url {
        Some(endpoint) => writeln!(text, "- Read through {}, not AWS's own endpoints", code(endpoint)),
        None => Ok(()),
    }
}

fn lanes(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    writeln!(text, "\n### Lanes\n")?;
    row(text, ["lane", "status", "proves", "open blockers", "waived", "next gate"])?;
    rule(text, 6)?;
    for lane in &verdict.lanes {
        let open = lane.blockers.iter().filter(|blocker| blocker.is_open()).count();
        let status = match lane.status {
            LaneStatus::Pass => "PASS",
            LaneStatus::Blocked => "**BLOCKED**",
        };
        let gate = match lane.blocked_by.as_slice() {
            [] => code(&lane.next_gate),
            upstream => format!("{} by {}", code(&lane.next_gate), upstream.join(", ")),
        };
        row(
            text,
            [
                lane.lane.as_str(),
                status,
                &escaped(&lane.title),
                &open.to_string(),
                &(lane.blockers.len() - open).to_string(),
                &gate,
            ],
        )?;
    }
    Ok(())
}

fn definition_of_done(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    writeln!(text, "\n### Definition of done")?;
    for lane in &verdict.lanes {
        writeln!(text, "\n{} {}:\n", lane.lane, escaped(&lane.title))?;
        for item in &lane.definition_of_done {
            let mark = if item.done { 'x' } else { ' ' };
            writeln!(text, "- [{mark}] {} ({})", escaped(&item.item), item.codes.join(", "))?;
        }
    }
    Ok(())
}

fn blockers(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    writeln!(text, "\n### Blockers\n")?;
    if verdict.lanes.iter().all(|lane| lane.blockers.is_empty()) {
        return writeln!(text, "None.");
    }
    row(text, ["code", "severity", "class", "cause", "what blocks", "what to do"])?;
    rule(text, 6)?;
    for blocker in verdict.lanes.iter().flat_map(|lane| &lane.blockers) {
        let cause = serde_json::to_value(blocker.cause).ok();
        let cause = cause.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        let to_do = match &blocker.waived {
            Some(waived) => {
                format!("waived by {} until {}", escaped(&waived.owner), escaped(&waived.expires_at))
            }
            None => escaped(&blocker.remediation),
        };
        row(
            text,
            [
                blocker.code.as_str(),
                &format!("{:?}", blocker.severity),
                &blocker.taxonomy,
                cause,
                &escaped(&blocker.detail),
                &to_do,
            ],
        )?;
    }
    let open: Vec<String> = (1..=verdict.taxonomy.len())
        .map(|number| format!("M2-B{number}"))
        .filter_map(|class| {
            let codes = verdict.taxonomy.get(&class).filter(|codes| !codes.is_empty())?;
            Some(format!("{class} ({})", codes.join(", ")))
        })
        .collect();
    if open.is_empty() { Ok(()) } else { writeln!(text, "\nOpen by class: {}.", open.join("; ")) }
}

fn waivers(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    writeln!(text, "\n### Waivers\n")?;
    if verdict.waivers.is_empty() {
        return writeln!(text, "None.");
    }
    row(text, ["status", "code", "subject", "owner", "reason", "expires", "waives"])?;
    rule(text, 7)?;
    for waiver in &verdict.waivers {
        row(
            text,
            [
                waiver.status.words(),
                &escaped(&waiver.code),
                &escaped(&waiver.subject),
                &escaped(&waiver.owner),
                &escaped(&waiver.reason),
                &waiver.expires_at,
                &waiver.waives.to_string(),
            ],
        )?;
    }
    Ok(())
}

/// What never blocks and belongs into the log all the same: approvals that are missing, for one.
fn observations(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    writeln!(text, "\n### Observations\n")?;
    if verdict.lanes.iter().all(|lane| lane.observations.is_empty()) {
        return writeln!(text, "None.");
    }
    for lane in &verdict.lanes {
        for observation in &lane.observations {
            let part = |key| observation.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            writeln!(text, "- {} {}: {}", lane.lane, escaped(part("subject")), escaped(part("message")))?;
        }
    }
    Ok(())
}

fn evidence(text: &mut String, verdict: &Verdict, archive: &Archive) -> std::fmt::Result {
    writeln!(text, "\n### Evidence\n")?;
    let packs: Vec<(&LaneVerdict, _)> =
        verdict.lanes.iter().filter_map(|lane| Some((lane, archive.pack(&lane.phase_execution_id)?))).collect();
    let Some((_, first)) = packs.first() else { return writeln!(text, "None was written.") };
    let root = first.folder.parent().map(|root| root.display().to_string()).unwrap_or_default();
    writeln!(text, "Root: {}\n", code(&root))?;
    row(text, ["lane", "pack", "mirror", "manifest"])?;
    rule(text, 4)?;
    for (lane, pack) in packs {
        let mirror = pack.mirror.as_ref().map_or("off".to_owned(), |folder| code(&folder.to_string()));
        row(text, [lane.lane.as_str(), &code(&lane.phase_execution_id), &mirror, &code(&pack.manifest_digest)])?;
    }
    Ok(())
}

pub(super) fn row<const N: usize>(text: &mut String, cells: [&str; N]) -> std::fmt::Result {
    writeln!(text, "| {} |", cells.join(" | "))
}

pub(super) fn rule(text: &mut String, columns: usize) -> std::fmt::Result {
    writeln!(text, "|{}", " --- |".repeat(columns))
}

/// A text as it reads, whatever it holds.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in on_one_line(text).chars() {
        if SPECIAL.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A name or digest; what could end the code, or the cell that it stands in, is escaped as a text instead.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() || text.contains(['`', '|', '\\']) { escaped(text) } else { format!("`{}`", on_one_line(text)) }
}

#[cfg(test)]
mod tests {
    use super::{code, escaped};

    #[test]
    fn what_people_write_is_text_and_nothing_else() {
        assert_eq!(
            escaped("a|b\n# c <img src=x> [l](u) *d* `e` @team"),
            "a\\|b \\# c \\<img src=x\\> \\[l\\](u) \\*d\\* \\`e\\` \\@team"
        );
        assert_eq!(code("sha256:00"), "`sha256:00`");
        assert_eq!(code("a`|b"), "a\\`\\|b");
    }
}
