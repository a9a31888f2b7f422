//! Every operation of the catalog fails in one way.
//!
//! ```text
//! applied world ─ fork ─► one operation of each service fails ─► collect (AWS only) ─┐
//!       └─► collect (all) ─► what Terraform said, what could be read ────────────────┴─► sealed document ─► eval ─► exit 3
//! ```
//!
//! Terraform says the same whatever AWS refuses to the collector, so it runs once. The reads that failed together are judged
//! together, as they came, and then the failure of each operation alone, with the rest as the clean run found it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use factgate::exit::ExitCode;
use factgate_collector::fact::{FactDocument, Facts, Observation, ReadErrorKind};
use serde_json::Value;

use super::{
    CLEAN, Operation, collect, document, eval, observations, operations, signed, took, unsigned, with_terraform, world,
};

/// The deadline of each run.
const DEADLINE: Duration = Duration::from_secs(120);

/// Operations that failed in one run, and what that led to that it should not have.
struct Round {
    failed: Vec<Operation>,
    wrong: Vec<String>,
}

/// Lets operations of different services fail in one run.
fn fail_together(operations: &[Operation], fault: &str, kind: ReadErrorKind) -> Round {
    let world = world();
    for (service, operation, _) in operations {
        world.aws.fail(signed(service), operation, fault);
    }
    let started = Instant::now();
    // Where nothing hangs, a slow machine must not make a call time out that is to fail otherwise. What hangs keeps its place.
    let (timeout, concurrency) = if fault == "hang" { ("6s", "16") } else { ("20s", "8") };
    let limits = ["--call-timeout", timeout, "--max-attempts", "2", "--deadline", "120s", "--concurrency", concurrency];
    let run = collect(&world, &[&["--terraform", "off"], &limits[..]].concat());
    assert!(
        run.code == 0 && started.elapsed() < DEADLINE,
        "exit {}, {:?}: {}",
        run.code,
        started.elapsed(),
        run.stderr
    );
    // What another failed read would have led to was not called.
    let hit: BTreeSet<(String, String)> = (world.aws.log().into_iter())
        .filter(|call| call.is_collectors() && call.ruled)
        .map(|call| (unsigned(call.service), call.operation))
        .collect();
    let is_hit = |(service, name, _): &&Operation| hit.contains(&((*service).to_owned(), (*name).to_owned()));
    let failed: Vec<Operation> = operations.iter().filter(is_hit).copied().collect();
    let document = document(&world);
    let mut wrong = misread(&document, &failed, kind);
    wrong.extend(misjudged(with_terraform(document.clone())).into_iter().map(|text| format!("{failed:?}: {text}")));
    for operation in &failed {
        let (alone, unread) = alone(&document, operation);
        if unread == 0 {
            wrong.push(format!("{operation:?}: no fact is unreadable"));
        }
        wrong.extend(misjudged(alone.seal().unwrap()).into_iter().map(|text| format!("{operation:?}: {text}")));
    }
    Round { failed, wrong }
}

/// Facts that are not what the failed operations make them: unreadable, each by the action that it needs; and no other fact is.
fn misread(document: &FactDocument, failed: &[Operation], kind: ReadErrorKind) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, operations, observation) in observations(document) {
        match observation {
            Observation::Unreadable { error, .. } => {
                let cause = failed.iter().find(|(_, _, action)| *action == error.action.as_deref());
                // S3's 503 to HEAD has no body that could say "slow down", so it is a failure like any other.
                let kind = match cause {
                    Some((_, "HeadBucket", _)) if kind == ReadErrorKind::Throttled => ReadErrorKind::Server,
                    _ => kind,
                };
                if cause.is_none() || error.kind != kind || error.code.is_empty() {
                    wrong.push(format!("{path}: {error:?}"));
                }
            }
            other => {
                let is_part = |(service, name, _): &&Operation| {
                    operations.contains(&(*service, *name)) && took(&path, service, name)
                };
                if failed.iter().any(|operation| is_part(&operation)) {
                    wrong.push(format!("{path}: {other:?}"));
                }
            }
        }
    }
    wrong
}

/// The clean document with what the failure of one operation left unread in another, and how many facts that is.
fn alone(failed: &FactDocument, (_, _, action): &Operation) -> (FactDocument, usize) {
    let mut document = CLEAN.document.clone();
    let mut unread = 0;
    let mut replace = |observation: &mut Observation, found: Option<&Observation>| {
        if let Some(found @ Observation::Unreadable { error, receipts }) = found
            && error.action.as_deref() == *action
        {
            *observation = found.clone();
            let made = receipts.iter().filter_map(|key| Some((key.clone(), failed.receipts.get(key)?.clone())));
            document.receipts.extend(made);
            unread += 1;
        }
    };
    replace(&mut document.run.caller_identity, Some(&failed.run.caller_identity));
    for (service, kinds) in &mut document.aws {
        for (kind, resources) in kinds {
            for (name, aspects) in resources {
                let found = failed.aws[service][kind].get(name);
                for (aspect, observation) in aspects {
                    replace(observation, found.and_then(|aspects| aspects.get(aspect)));
                }
            }
        }
    }
    (document, unread)
}

/// What a verdict is that it should not be where reads failed and nothing else is wrong. Every read of the catalog is guarded by
/// a rule: without any one of them there is no GO.
fn misjudged(facts: Facts) -> Vec<String> {
    let (code, verdict) = eval(&facts);
    let lanes = verdict["lanes"].as_array().unwrap();
    let blockers: Vec<&Value> = lanes.iter().flat_map(|lane| lane["blockers"].as_array().unwrap()).collect();
    let mut wrong = Vec::new();
    if code != ExitCode::Unreadable || verdict["outcome"] != "NO-GO" || blockers.is_empty() {
        wrong.push(format!("eval: exit {code:?}, {}, {} blockers", verdict["outcome"], blockers.len()));
    }
    for blocker in blockers.iter().filter(|blocker| blocker["cause"] != "unreadable") {
        wrong.push(format!(
            "{} {} blocks as {}: {}",
            blocker["code"], blocker["subject"], blocker["cause"], blocker["claim"]
        ));
    }
    wrong
}

/// Lets each operation of the catalog fail in one way: of each service one in a run, until every one has failed.
pub(super) fn sweep(fault: &str, kind: ReadErrorKind) {
    let mut left = operations();
    // An answer to HEAD has no body that could be malformed.
    left.retain(|(_, operation, _)| (*operation, fault) != ("HeadBucket", "malformed"));
    let mut wrong = Vec::new();
    while !left.is_empty() {
        let mut services = BTreeSet::new();
        let together: Vec<Operation> =
            left.iter().filter(|(service, _, _)| services.insert(*service)).copied().collect();
        let round = fail_together(&together, fault, kind);
        assert!(!round.failed.is_empty(), "none of these was called: {together:?}");
        left.retain(|operation| !round.failed.contains(operation));
        wrong.extend(round.wrong);
    }
    assert!(wrong.is_empty(), "{fault}:\n{}", wrong.join("\n"));
}
