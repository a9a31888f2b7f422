//! The verdict as SARIF 2.1.0: one run a document, one rule a code, one result a check that does not hold.
//!
//! Fingerprints are over code, subject and claim, which never depend on facts: the same blocker is the same alert in every run. What is waived
//! is suppressed. Both severities block, so that each is an error. Reasons that no check gives (an unsealed document, a lane upstream) are results of a rule of their own, so that no NO-GO
//! looks clean. Written with the types of `serde-sarif`, which are generated from the published schema.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString, PhysicalLocation,
    PropertyBag, Region, ReportingConfiguration, ReportingDescriptor, Result as Finding, ResultKind, ResultLevel, Run,
    RunAutomationDetails, Sarif, Suppression, Tool, ToolComponent,
};
use sha2::{Digest, Sha256};

use super::{Evaluated, Report};
use crate::policy::Code;
use crate::verdict::{Blocker, Outcome, Verdict};

/// The published schema.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The rule of what no check says.
pub(super) const REASONS: &str = "verdict";

/// The name and version of the fingerprint.
const FINGERPRINT: &str = "factgate/v1";

/// What a path may not have in a URI reference.
const UNSAFE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'\\');

/// Renders the verdicts as one log.
///
/// # Errors
///
/// If the log cannot be written as JSON.
pub(super) fn render(report: &Report<'_>) -> Result<String, serde_json::Error> {
    let runs: Vec<Run> = report.evaluated.iter().map(|evaluated| run(report, evaluated)).collect();
    let log = Sarif::builder().schema(SCHEMA).version("2.1.0").runs(runs).build();
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn run(report: &Report<'_>, evaluated: &Evaluated<'_>) -> Run {
    let verdict = evaluated.verdict;
    let covered = report.codes.iter().filter(|code| verdict.covers.contains(&code.lane));
    let rules: Vec<ReportingDescriptor> = covered.map(|code| rule(code)).chain([reasons_rule()]).collect();
    let index: BTreeMap<&str, usize> =
        rules.iter().enumerate().map(|(index, rule)| (rule.id.as_str(), index)).collect();
    let blockers: Vec<&Blocker> = verdict.lanes.iter().flat_map(|lane| &lane.blockers).collect();
    let mut results = Vec::new();
    for blocker in &blockers {
        let mut finding = finding(&blocker.code, &index, &blocker.detail, ResultLevel::Error);
        finding.locations = Some(vec![location(evaluated, &blocker.facts)]);
        finding.partial_fingerprints = Some(fingerprint(&[&blocker.code, &blocker.subject, &blocker.claim]));
        finding.properties = Some(properties(json!({
            "lane": blocker.lane, "subject": blocker.subject, "claim": blocker.claim, "cause": blocker.cause,
            "severity": blocker.severity, "taxonomy": blocker.taxonomy, "expected": blocker.expected, "actual": blocker.actual,
        })));
        finding.baseline_state = evaluated.baseline.map(|baseline| baseline.state(blocker).as_str().into());
        finding.suppressions = Some(suppressions(blocker));
        results.push(finding);
    }
    for reason in &verdict.reasons {
        let mut finding = finding(REASONS, &index, reason, ResultLevel::Error);
        finding.locations = Some(vec![location(evaluated, &[])]);
        finding.partial_fingerprints = Some(fingerprint(&[REASONS, reason]));
        finding.baseline_state = evaluated.baseline.map(|baseline| baseline.reason_state(reason).as_str().into());
        finding.suppressions = Some(Vec::new());
        results.push(finding);
    }
    if let Some(baseline) = evaluated.baseline {
        for blocker in baseline.cleared(verdict) {
            let mut finding = cleared(evaluated, &index, &blocker.code, &blocker.detail);
            finding.locations = Some(vec![location(evaluated, &blocker.facts)]);
            finding.partial_fingerprints = Some(fingerprint(&[&blocker.code, &blocker.subject, &blocker.claim]));
            finding.properties = Some(properties(json!({
                "lane": blocker.lane, "subject": blocker.subject, "claim": blocker.claim,
            })));
            results.push(finding);
        }
        for reason in baseline.cleared_reasons(verdict) {
            let mut finding = cleared(evaluated, &index, REASONS, reason);
            finding.partial_fingerprints = Some(fingerprint(&[REASONS, reason]));
            results.push(finding);
        }
    }
    let driver = ToolComponent::builder()
        .name(verdict.tool.name.as_str())
        .version(verdict.tool.version.as_str())
        .rules(rules)
        .build();
    let invocation =
        Invocation::builder().execution_successful(true).exit_code(i64::from(verdict.exit_code().number())).build();
    Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .automation_details(RunAutomationDetails::builder().id(automation_id(verdict)).build())
        .invocations(vec![invocation])
        .properties(properties(json!({
            "outcome": verdict.outcome, "onlyUnreadable": verdict.only_unreadable, "p0": verdict.p0, "covers": verdict.covers,
            "facts": verdict.facts, "policies": verdict.policies, "reasons": verdict.reasons,
        })))
        .results(results)
        .build()
}

/// The category is what GitHub keeps apart: verdicts on the same lanes follow each other.
fn automation_id(verdict: &Verdict) -> String {
    format!("{}/{}/{}", verdict.tool.name, verdict.covers.join("-"), verdict.facts.phase_execution_id)
}

fn rule(code: &Code) -> ReportingDescriptor {
    let links: String = code.related_resources.iter().map(|link| format!("\n- <{link}>")).collect();
    let help = MultiformatMessageString::builder()
        .text(format!("{}\n\n{}", code.description.trim(), code.remediation))
        .markdown(format!("{}\n\n**What to do:** {}\n{links}", code.description.trim(), code.remediation))
        .build();
    let mut rule = ReportingDescriptor::builder()
        .id(code.code.as_str())
        .short_description(text(&code.title))
        .full_description(text(if code.description.trim().is_empty() { &code.title } else { code.description.trim() }))
        .help(help)
        .default_configuration(ReportingConfiguration::builder().level(json!("error")).build())
        .properties(properties(json!({
            "lane": code.lane, "severity": code.severity, "taxonomy": code.taxonomy, "tags": [code.lane, code.taxonomy],
        })))
        .build();
    rule.help_uri = code.related_resources.first().cloned();
    rule
}

fn reasons_rule() -> ReportingDescriptor {
    let help = "The outcome is NO-GO although no blocker says so: the fact document is not sealed, a lane before this one is not proved, \
                or a waiver blocks.";
    ReportingDescriptor::builder()
        .id(REASONS)
        .short_description(text("The verdict rests on more than its checks"))
        .full_description(text(help))
        .help(MultiformatMessageString::builder().text(help).markdown(help).build())
        .default_configuration(ReportingConfiguration::builder().level(json!("error")).build())
        .build()
}

fn finding(rule: &str, index: &BTreeMap<&str, usize>, message: &str, level: ResultLevel) -> Finding {
    let mut finding = Finding::builder()
        .rule_id(rule)
        .kind(ResultKind::Fail)
        .level(level)
        .message(Message::builder().text(message).build())
        .build();
    finding.rule_index = index.get(rule).and_then(|index| i64::try_from(*index).ok());
    finding
}

/// A result of the baseline that is there no longer.
fn cleared(evaluated: &Evaluated<'_>, index: &BTreeMap<&str, usize>, rule: &str, message: &str) -> Finding {
    let mut finding = finding(rule, index, message, ResultLevel::None);
    finding.kind = Some(ResultKind::Pass);
    finding.locations = Some(vec![location(evaluated, &[])]);
    finding.baseline_state = Some("absent".into());
    finding.suppressions = Some(Vec::new());
    finding
}

/// The document, and the places in it that decided.
fn location(evaluated: &Evaluated<'_>, facts: &[String]) -> Location {
    let uri = utf8_percent_encode(&evaluated.document.replace(std::path::MAIN_SEPARATOR, "/"), UNSAFE).to_string();
    let physical = PhysicalLocation::builder()
        .artifact_location(ArtifactLocation::builder().uri(uri).build())
        // Readers want a line; a pointer has none.
        .region(Region::builder().start_line(1).build())
        .build();
    let mut location = Location::builder().physical_location(physical).build();
    // A check may name a fact twice; the locations of a result must differ.
    let unique: BTreeSet<&str> = facts.iter().map(String::as_str).collect();
    let logical =
        unique.into_iter().map(|fact| LogicalLocation::builder().fully_qualified_name(fact).kind("member").build());
    location.logical_locations = Some(logical.collect::<Vec<_>>()).filter(|logical| !logical.is_empty());
    location
}

fn suppressions(blocker: &Blocker) -> Vec<Suppression> {
    let suppression = blocker.waived.as_ref().map(|waived| {
        let justification = format!("{} ({} answers for it until {})", waived.reason, waived.owner, waived.expires_at);
        Suppression::builder().kind("external").status("accepted").justification(justification).build()
    });
    suppression.into_iter().collect()
}

fn fingerprint(parts: &[&str]) -> BTreeMap<String, String> {
    let mut hasher = Sha256::new();
    for part in parts {
        // Lengths before contents, so that no two lists of parts feed the same bytes.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    BTreeMap::from([(FINGERPRINT.to_owned(), hex::encode(hasher.finalize()))])
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

fn properties(value: Value) -> PropertyBag {
    let mut bag = PropertyBag::default();
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("tags", Value::Array(tags)) => {
                    bag.tags = Some(tags.iter().filter_map(Value::as_str).map(str::to_owned).collect());
                }
                (_, value) => {
                    bag.additional_properties.insert(name, value);
                }
            }
        }
    }
    bag
}

/// The word of an outcome.
pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Go => "GO",
        Outcome::NoGo => "NO-GO",
    }
}
