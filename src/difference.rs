//! What differs between two fact documents, and between the verdicts on them.
//!
//! ```text
//! document A ─┬─► facts, by JSON pointer ─► added, removed, changed, other status ─┐
//! document B ─┤                                                                    ├─► Difference
//!             └─► verdicts ─► blockers, by code, subject and claim ────────────────┘
//! ```
//!
//! What is another in every run is no difference: its name, its instant, its receipts, the logs of its commands.

use std::collections::{BTreeMap, BTreeSet};

use factgate_collector::json::escape;
use serde::Serialize;
use serde_json::Value;

use crate::check::Cause;
use crate::verdict::{Blocker, FactsIdentity, Outcome, Verdict};

/// The statuses of an observation.
const STATUSES: [&str; 4] = ["present", "absent", "unreadable", "not_collected"];

/// Members of the document, and of its run, that are another in every run.
const OF_EACH_RUN: [&str; 5] =
    ["/digest", "/receipts", "/run/phase_execution_id", "/run/collected_at", "/run/rehearsal"];

/// Members of observations that are another in every run.
const OF_EACH_READ: [&str; 2] = ["receipts", "log"];

/// What differs between two documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The document that is compared.
    pub before: Side,
    /// The document that it is compared with.
    pub after: Side,
    /// Differences between the facts, by JSON pointer.
    pub facts: Vec<FactChange>,
    /// Differences between the verdicts, by code, subject and claim.
    pub verdicts: Vec<BlockerChange>,
    /// Reasons beside the blockers that only one of the verdicts has: an unsealed document, say.
    pub reasons: Vec<ReasonChange>,
}

/// One of the two documents, and the verdict on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Which document.
    pub facts: FactsIdentity,
    /// GO or NO-GO.
    pub outcome: Outcome,
    /// The status of P0.
    pub p0: String,
    /// How many blockers are open.
    pub blockers: usize,
}

/// A fact that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactChange {
    /// Where it stands, as checks name it.
    pub pointer: String,
    /// How it differs.
    pub kind: FactChangeKind,
    /// What it was; the status where that is another.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

/// How a fact differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another status: it was present and is unreadable now.
    Status,
    /// It has another value.
    Changed,
}

/// A blocker that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BlockerChange {
    /// `M2A-B2`.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// What must hold.
    pub claim: String,
    /// Why it did not hold before; none if it did.
    pub before: Option<Cause>,
    /// Why it does not hold now; none if it does.
    pub after: Option<Cause>,
}

/// A reason that only one of the verdicts has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReasonChange {
    /// As the verdict words it.
    pub reason: String,
    /// Whether it has come; it has gone otherwise.
    pub has_appeared: bool,
}

/// Compares two documents and the verdicts on them.
pub fn compare(before: (&Value, &Verdict), after: (&Value, &Verdict)) -> Difference {
    let mut facts = Vec::new();
    walk(String::new(), before.0, after.0, &mut facts);
    Difference {
        before: side(before.1),
        after: side(after.1),
        facts,
        verdicts: blockers(before.1, after.1),
        reasons: reasons(&before.1.reasons, &after.1.reasons),
    }
}

fn reasons(before: &[String], after: &[String]) -> Vec<ReasonChange> {
    let [before, after] = [before, after].map(|reasons| reasons.iter().collect::<BTreeSet<_>>());
    let change = |reason: &String| ReasonChange { reason: reason.clone(), has_appeared: after.contains(reason) };
    before.symmetric_difference(&after).map(|reason| change(reason)).collect()
}

fn side(verdict: &Verdict) -> Side {
    Side {
        facts: verdict.facts.clone(),
        outcome: verdict.outcome,
        p0: verdict.p0.status.clone(),
        blockers: open(verdict).count(),
    }
}

fn open(verdict: &Verdict) -> impl Iterator<Item = &Blocker> {
    verdict.lanes.iter().flat_map(|lane| &lane.blockers).filter(|blocker| blocker.is_open())
}

fn blockers(before: &Verdict, after: &Verdict) -> Vec<BlockerChange> {
    let causes = |verdict| {
        let causes = open(verdict)
            .map(|blocker| ((blocker.code.as_str(), blocker.subject.as_str(), blocker.claim.as_str()), blocker.cause));
        causes.collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (causes(before), causes(after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    keys.into_iter()
        .map(|key @ (code, subject, claim)| BlockerChange {
            code: code.to_owned(),
            subject: subject.to_owned(),
            claim: claim.to_owned(),
            before: before.get(&key).copied(),
            after: after.get(&key).copied(),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

fn walk(pointer: String, before: &Value, after: &Value, changes: &mut Vec<FactChange>) {
    if before == after || OF_EACH_RUN.contains(&pointer.as_str()) {
        return;
    }
    match (status(before), status(after)) {
        (Some(was), Some(is)) if was != is => {
            let text = |status: &str| Some(Value::from(status));
            changes.push(FactChange { pointer, kind: FactChangeKind::Status, before: text(was), after: text(is) });
            return;
        }
        _ => {}
    }
    match (before, after) {
        (Value::Object(was), Value::Object(is)) => {
            let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            for key in keys.into_iter().filter(|key| !OF_EACH_READ.contains(&key.as_str())) {
                let pointer = format!("{pointer}/{}", escape(key));
                match (was.get(key), is.get(key)) {
                    (Some(was), Some(is)) => walk(pointer, was, is, changes),
                    (was, is) if !OF_EACH_RUN.contains(&pointer.as_str()) => changes.push(FactChange {
                        pointer,
                        kind: if was.is_none() { FactChangeKind::Added } else { FactChangeKind::Removed },
                        before: was.cloned(),
                        after: is.cloned(),
                    }),
                    _ => {}
                }
            }
        }
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                walk(format!("{pointer}/{index}"), was, is, changes);
            }
        }
        (was, is) => changes.push(FactChange {
            pointer,
            kind: FactChangeKind::Changed,
            before: Some(was.clone()),
            after: Some(is.clone()),
        }),
    }
}

/// The status of an observation, if it is one.
fn status(value: &Value) -> Option<&str> {
    value.get("status").and_then(Value::as_str).filter(|status| STATUSES.contains(status))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasons_beside_the_blockers_come_and_go() {
        let [before, after] = [["old", "same"], ["same", "new"]].map(|reasons| reasons.map(str::to_owned));
        let change = |reason: &str, has_appeared| ReasonChange { reason: reason.to_owned(), has_appeared };
        assert_eq!(reasons(&before, &after), [change("new", true), change("old", false)]);
    }

    fn changes(before: Value, after: Value) -> Vec<(String, FactChangeKind)> {
        let mut changes = Vec::new();
        walk(String::new(), &before, &after, &mut changes);
        changes.into_iter().map(|change| (change.pointer, change.kind)).collect()
    }

    #[test]
    fn facts_differ_by_where_they_stand_and_how() {
        let observation = |status: &str, value: Value| json!({"status": status, "value": value, "receipts": ["a"]});
        let before = json!({"aws": {"s3": {
            "a/b": {"head": observation("present", json!({"x": [1, 2], "y": 1})), "tags": observation("present", json!(1))},
            "gone": 1,
        }}});
        let after = json!({"aws": {"s3": {
            "a/b": {"head": observation("present", json!({"x": [1, 3], "y": [1]})), "tags": observation("absent", json!(1))},
            "new": 1,
        }}});
        assert_eq!(
            changes(before, after),
            [
                ("/aws/s3/a~1b/head/value/x/1".to_owned(), FactChangeKind::Changed),
                ("/aws/s3/a~1b/head/value/y".to_owned(), FactChangeKind::Changed),
                ("/aws/s3/a~1b/tags".to_owned(), FactChangeKind::Status),
                ("/aws/s3/gone".to_owned(), FactChangeKind::Removed),
                ("/aws/s3/new".to_owned(), FactChangeKind::Added),
            ]
        );
    }

    #[test]
    fn what_is_another_in_every_run_is_no_difference() {
        let run = |number: u8| {
            json!({
                "digest": number, "receipts": {"a": number},
                "run": {"phase_execution_id": number, "collected_at": number, "region": "eu-west-2"},
                "terraform": {"plan": {"status": "present", "value": {"log": number, "exit_code": 0}, "receipts": [number]}},
            })
        };
        assert_eq!(changes(run(1), run(2)), []);
    }
}
