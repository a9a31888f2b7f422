//! The verdict as decision logs, one JSON object a line, with the field names of OPA's decision logs: one line a code, and one for the verdict.
//!
//! <https://www.openpolicyagent.org/docs/management-decision-logs>
//!
//! A decision's id is a digest over all that its line says, and its time the document's own, so that the same inputs give the same bytes. The input
//! is named by its digest: the fact document is kept as evidence.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Report;
use crate::verdict::{LaneVerdict, Verdict};

/// The path of the verdict as a whole.
const VERDICT: &str = "factgate/verdict";

/// Renders every decision of every verdict.
pub(super) fn render(report: &Report<'_>) -> String {
    let mut text = String::new();
    for verdict in report.evaluated.iter().map(|evaluated| evaluated.verdict) {
        for lane in &verdict.lanes {
            for code in &lane.codes {
                let rule = code.code.rsplit('-').next().unwrap_or_default().to_ascii_lowercase();
                let path = format!("{}/{rule}", lane.lane.to_ascii_lowercase().replace('.', "/"));
                let open: Vec<_> = blockers(lane, &code.code).filter(|blocker| blocker.is_open()).collect();
                let result = json!({
                    "code": code.code, "title": code.title, "ok": open.is_empty(), "checks": code.checks,
                    "blockers": blockers(lane, &code.code).collect::<Vec<_>>(),
                });
                line(&mut text, verdict, Some(lane), &path, result);
            }
        }
        let result = json!({
            "outcome": verdict.outcome, "only_unreadable": verdict.only_unreadable, "p0": verdict.p0, "covers": verdict.covers,
            "reasons": verdict.reasons, "waivers": verdict.waivers, "exit_code": verdict.exit_code().number(),
        });
        line(&mut text, verdict, None, VERDICT, result);
    }
    text
}

fn blockers<'lane>(lane: &'lane LaneVerdict, code: &'lane str) -> impl Iterator<Item = &'lane crate::verdict::Blocker> {
    lane.blockers.iter().filter(move |blocker| blocker.code == code)
}

fn line(text: &mut String, verdict: &Verdict, lane: Option<&LaneVerdict>, path: &str, result: Value) {
    let facts = &verdict.facts;
    let mut decision = json!({
        "labels": {
            "app": verdict.tool.name, "version": verdict.tool.version, "phase_execution_id": facts.phase_execution_id,
            "covers": verdict.covers.join(","), "policies": verdict.policies.source,
        },
        "bundles": {"policies": {"revision": verdict.policies.digest}},
        "path": path,
        "input": {"digest": facts.digest, "sealed": facts.sealed, "endpoint_url": facts.endpoint_url},
        "result": result,
        "timestamp": facts.collected_at,
    });
    if let Some(lane) = lane {
        decision["labels"]["lane"] = lane.lane.as_str().into();
    }
    let id = format!("sha256:{}", hex::encode(Sha256::digest(decision.to_string())));
    decision["decision_id"] = id.into();
    text.push_str(&decision.to_string());
    text.push('\n');
}
