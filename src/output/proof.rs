//! A proof, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Format, OutputError};
use crate::prove::{CheckWithFact, KnockOutProof, MutationProof, Proof, UnprovenCheck};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CODE: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// Renders a proof; none if there is no such form.
///
/// # Errors
///
/// If the proof cannot be written as JSON.
pub fn render(proof: &Proof, threshold: Option<f64>, format: Format) -> Result<Option<String>, OutputError> {
    Ok(match format {
        Format::Json => {
            let mut value = json!(proof);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("holds".to_owned(), json!(proof.holds(threshold)));
                fields.insert("score".to_owned(), json!(proof.mutants.as_ref().and_then(MutationProof::score)));
                fields.insert("threshold".to_owned(), json!(threshold));
            }
            let text = serde_json::to_string_pretty(&value);
            Some(text.map_err(|error| OutputError::unwritable(error.into()))? + "\n")
        }
        Format::Table => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = write_proof(&mut text, proof, threshold);
            Some(text)
        }
        _ => None,
    })
}

fn write_proof(text: &mut String, proof: &Proof, threshold: Option<f64>) -> std::fmt::Result {
    let (style, word) = if proof.holds(threshold) { (GOOD, "HOLDS") } else { (BAD, "DOES NOT HOLD") };
    writeln!(text, "{style}{word}{style:#} on {}: {}", proof.facts.phase_execution_id, proof.lanes.join(", "))?;
    if let Some(knock_outs) = &proof.knock_outs {
        write_knock_outs(text, knock_outs)?;
    }
    if let Some(mutants) = &proof.mutants {
        write_mutants(text, mutants, threshold)?;
    }
    for entry in &proof.accepted_wrongly {
        writeln!(text, "{BAD}✗ accepted wrongly{BAD:#}: {entry}")?;
    }
    Ok(())
}

fn write_knock_outs(text: &mut String, proof: &KnockOutProof) -> std::fmt::Result {
    let accepted = proof.unguarded.iter().filter(|fact| fact.reason.is_some()).count();
    writeln!(
        text,
        "\nknock-outs  {} on {} facts: {} block, {} leave a GO ({accepted} of them accepted)",
        proof.knock_outs,
        proof.facts,
        proof.guarded,
        proof.unguarded.len()
    )?;
    let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for fact in proof.unguarded.iter().filter(|fact| fact.reason.is_none()) {
        open.entry(&fact.fact).or_default().push(fact.way.to_string());
    }
    for (fact, ways) in open {
        writeln!(text, "  {BAD}✗ nobody guards{BAD:#} {fact} ({})", ways.join(", "))?;
    }
    write_with_facts(text, "comes or goes", proof.unstable.iter())?;
    let open = proof.fail_open.iter().filter(|found| found.reason.is_none()).map(|found| &found.check);
    write_with_facts(text, "holds without its fact", open)?;
    for broken in &proof.broken {
        writeln!(text, "  {BAD}✗ cannot be evaluated{BAD:#} with {} ({})", broken.fact, broken.way)?;
        writeln!(text, "      {FAINT}{}{FAINT:#}", broken.error.lines().next().unwrap_or_default())?;
    }
    for code in &proof.vacuous {
        writeln!(text, "  {BAD}✗ claims nothing{BAD:#} {code}")?;
    }
    let never_failing = proof.never_failing.iter().filter(|check| check.reason.is_none());
    for UnprovenCheck { code, subject, claim } in never_failing.map(|found| &found.check) {
        writeln!(text, "  {BAD}✗ never fails{BAD:#} {code} {subject}: {claim}")?;
        writeln!(text, "      {FAINT}no knock-out makes it: whatever the facts say, it holds{FAINT:#}")?;
    }
    Ok(())
}

/// Checks, each with the facts that show it, and those with their ways.
fn write_with_facts<'proof>(
    text: &mut String,
    problem: &str,
    checks: impl Iterator<Item = &'proof CheckWithFact>,
) -> std::fmt::Result {
    let mut shown: BTreeMap<_, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for check in checks {
        let facts = shown.entry((&check.code, &check.subject, &check.claim)).or_default();
        facts.entry(&check.fact).or_default().push(check.way.to_string());
    }
    for ((code, subject, claim), facts) in shown {
        writeln!(text, "  {BAD}✗ {problem}{BAD:#} {code} {subject}: {claim}")?;
        for (fact, ways) in facts {
            writeln!(text, "      {FAINT}{fact} ({}){FAINT:#}", ways.join(", "))?;
        }
    }
    Ok(())
}

fn write_mutants(text: &mut String, proof: &MutationProof, threshold: Option<f64>) -> std::fmt::Result {
    let score = proof.score().map_or("no mutant".to_owned(), |score| format!("score {score:.1} %"));
    let wanted = threshold.map_or(String::new(), |threshold| format!(" of {threshold} %"));
    writeln!(
        text,
        "\nmutants     {}: {} told by tests, {} by documents, {} by knock-outs, {} survive; {} do not compile; {score}{wanted}",
        proof.mutants,
        proof.killed_by_tests,
        proof.killed_by_documents,
        proof.killed_by_knock_outs,
        proof.survivors.len(),
        proof.not_compiled
    )?;
    for test in &proof.failing_tests {
        writeln!(text, "  {BAD}✗ fails without any change{BAD:#} {test}: it can tell nothing; see `factgate test`")?;
    }
    for survivor in &proof.survivors {
        match &survivor.reason {
            None => {
                // Without a threshold and a file of what is accepted, they are there to be looked at.
                let (style, word) = if proof.is_strict { (BAD, "✗ survives") } else { (CODE, "survives") };
                writeln!(
                    text,
                    "  {style}{word}{style:#} {} {}: {}",
                    survivor.location, survivor.rule, survivor.change
                )?;
            }
            Some(reason) => {
                writeln!(
                    text,
                    "  {FAINT}survives {} {}: {}{FAINT:#}",
                    survivor.location, survivor.rule, survivor.change
                )?;
                writeln!(text, "      {FAINT}{reason}{FAINT:#}")?;
            }
        }
    }
    Ok(())
}
