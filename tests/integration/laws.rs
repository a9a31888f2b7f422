//! The laws of every policy, by exhaustive single-fact knock-out: fail closed, stable identity, no vacuity.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use factgate::verdict::{LaneVerdict, Outcome, Verdict};
use factgate_collector::aws::catalog::{CATALOG, Kind};
use serde_json::{Value, json};

use crate::codes::{CODES, fired};
use crate::documents::{
    KnockOut, archived, first_policies, judge_as_is, judge_by, judge_sealed, observations, ready, sealed,
};
use crate::harness::tools;

/// The identity of every check.
fn identities(verdict: &Verdict) -> BTreeSet<(String, String, String)> {
    let codes = verdict.lanes.iter().flat_map(|lane: &LaneVerdict| &lane.codes);
    codes
        .flat_map(|code| {
            code.checks.iter().map(|check| (code.code.clone(), check.subject.clone(), check.claim.clone()))
        })
        .collect()
}

/// The observations that a check of the first three lanes reads.
fn read_by_the_first_lanes() -> BTreeSet<String> {
    let verdict = judge_by(first_policies(), ready());
    let lanes = verdict.lanes.iter();
    let facts: Vec<String> = lanes
        .flat_map(|lane| &lane.codes)
        .flat_map(|code| &code.checks)
        .flat_map(|check| check.facts.iter().cloned())
        .collect();
    observations(&ready())
        .into_iter()
        .filter(|pointer| {
            facts.iter().any(|fact| {
                fact.strip_prefix(pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
        .collect()
}

/// The lanes whose observations are all knocked out; the differential test samples those of every lane.
pub(crate) const FIRST_LANES: [&str; 3] = ["M2.A", "M2.B", "M2.C"];

/// `ready.json` with every observation of the first lanes knocked out in every way that changes it, one at a time.
pub(crate) static KNOCKED_OUT: LazyLock<Vec<(String, KnockOut, Verdict)>> = LazyLock::new(|| {
    let ready = ready();
    let mut documents = Vec::new();
    for pointer in read_by_the_first_lanes() {
        for knock_out in KnockOut::ALL {
            let document = knock_out.apply(ready.clone(), &pointer);
            if knock_out == KnockOut::NotCollected && ready.pointer(&pointer).unwrap()["status"] == "not_collected" {
                continue;
            }
            documents.push((pointer.clone(), knock_out, document));
        }
    }
    let half = documents.split_off(documents.len() / 2);
    let evaluated = |documents: Vec<(String, KnockOut, Value)>| -> Vec<_> {
        documents
            .into_iter()
            .map(|(pointer, knock_out, document)| {
                // Some observations cannot be left out of a document of this format.
                let document = if knock_out == KnockOut::Removed { document } else { sealed(document) };
                (pointer, knock_out, judge_by(first_policies(), document))
            })
            .collect()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| evaluated(half));
        let mut all = evaluated(documents);
        all.extend(other.join().unwrap());
        all
    })
});

/// `ready.json` without any observation.
fn without_observations() -> Value {
    let mut document = ready();
    document["aws"] = json!({});
    document["terraform"] = json!({"stacks": {}});
    for section in ["evidence", "rehearsal", "approvals", "receipts"] {
        document[section] = json!({});
    }
    document.as_object_mut().unwrap().remove("plaintext_scan");
    document["run"]["caller_identity"] = json!({"status": "not_collected", "reason": "nothing was asked"});
    document
}

#[test]
fn checks_are_the_same_whatever_the_facts_say() {
    let expected = identities(&judge_as_is(ready()));
    assert!(expected.len() > 100, "{}", expected.len());
    let mut documents = archived();
    documents.push(("without observations".to_owned(), without_observations()));
    let mut bare = without_observations();
    bare["handles"] = json!({});
    documents.push(("without observations and handles".to_owned(), bare));
    for (name, document) in documents {
        let found = identities(&judge_as_is(document));
        let differing: Vec<_> = expected.symmetric_difference(&found).collect();
        assert!(differing.is_empty(), "{name}: {differing:#?}");
    }
    let expected = identities(&judge_by(first_policies(), ready()));
    for (pointer, how, verdict) in KNOCKED_OUT.iter() {
        assert!(identities(verdict) == expected, "{pointer} {how:?}");
    }
}

/// The table that the receipts are held to, and the catalog that the collector reads by, name the same facts.
#[test]
fn every_fact_from_aws_is_tied_to_a_call_that_it_takes() {
    let file = tools::repository().join("policies/contract/receipts/data.json");
    let calls: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut tied = json!({});
    for entry in CATALOG {
        let Kind { service, kind, aspects, .. } = entry.kind;
        for aspect in *aspects {
            let call = &calls["aws"][service][kind][aspect.name];
            let takes_it = aspect.operations.iter().any(|operation| *call == operation.name);
            assert!(takes_it, "{service}.{kind}.{}: {call}", aspect.name);
            tied[*service][*kind][aspect.name] = call.clone();
        }
    }
    assert_eq!(tied, calls["aws"]);
}

/// Without any fact each code blocks, by checks of its own: none passes for want of something to judge.
#[test]
fn no_code_is_vacuous() {
    for document in [ready(), without_observations()] {
        let verdict = judge_sealed(document);
        for code in verdict.lanes.iter().flat_map(|lane| &lane.codes) {
            assert!(!code.checks.is_empty(), "{}", code.code);
            assert!(code.checks.iter().all(|check| check.claim != "at least one check"), "{}", code.code);
        }
    }
    let mut bare = without_observations();
    bare["handles"] = json!({});
    let expected: BTreeSet<String> = CODES.iter().map(|(code, ..)| code.to_string()).collect();
    assert_eq!(fired(&judge_sealed(bare)), expected);
    // These are judged by the handles alone.
    let by_handles = ["M2C-B6", "M2D-B1", "M2D-B4", "M2E-B5", "M2F-B1", "M2F-B6", "M2J-B3"];
    let by_facts = expected.into_iter().filter(|code| !by_handles.contains(&code.as_str())).collect();
    assert_eq!(fired(&judge_sealed(without_observations())), by_facts);
}

/// Knock-outs that the lanes pass with, and why.
pub(crate) struct Unguarded {
    /// How the observation's pointer starts: one of these.
    starts: &'static [&'static str],
    /// How it ends: one of these.
    ends: &'static [&'static str],
    ways: &'static [KnockOut],
    /// Why it leaves a GO.
    reason: &'static str,
}

const UNGUARDED: [Unguarded; 2] = [
    Unguarded {
        starts: &[
            "/aws/dynamodb/tables/",
            "/aws/kafka/clusters/",
            "/aws/kms/aliases/",
            "/aws/s3/buckets/fraud-platform-dev-full-tfstate/",
        ],
        ends: &["/continuous_backups", "/tags", "/time_to_live", "/policy", "/rotation", "/tagging"],
        ways: &[KnockOut::Absent],
        reason: "nothing is pinned for it, so that there is none is an answer",
    },
    Unguarded {
        starts: &[
            "/aws/s3/buckets/fraud-platform-dev-full-artifacts/",
            "/aws/s3/buckets/fraud-platform-dev-full-evidence/",
            "/aws/s3/buckets/fraud-platform-dev-full-object-store/",
        ],
        ends: &["/location"],
        ways: &[KnockOut::Absent],
        reason: "only evidence: every bucket has a location, and of one that is gone its head blocks",
    },
];

pub(crate) fn unguarded(pointer: &str, how: KnockOut) -> Option<&'static Unguarded> {
    UNGUARDED.iter().find(|entry| {
        entry.ways.contains(&how)
            && entry.starts.iter().any(|start| pointer.starts_with(start))
            && entry.ends.iter().any(|end| pointer.ends_with(end))
            // M2B-B4 needs the tags of the key.
            && !(pointer.contains("/kms/") && pointer.ends_with("/tags"))
    })
}

#[test]
fn whatever_is_knocked_out_blocks() {
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    for (pointer, how, verdict) in KNOCKED_OUT.iter() {
        match (verdict.outcome, unguarded(pointer, *how)) {
            (Outcome::NoGo, None) => {}
            (Outcome::Go, Some(entry)) => {
                used.insert(entry.reason);
            }
            (Outcome::Go, None) => faults.push(format!("{pointer} {how:?} leaves a GO")),
            (Outcome::NoGo, Some(_)) => faults.push(format!("{pointer} {how:?} is guarded after all")),
        }
    }
    assert_eq!(faults, [""; 0]);
    assert_eq!(used.len(), UNGUARDED.len(), "every entry of the list is needed");
}
