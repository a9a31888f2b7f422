//! The 67 codes: each fires, does not fire, and blocks as unreadable for what it reads; the codes of the first lanes for every fact.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use factgate::check::Cause;
use factgate::verdict::{Outcome, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::documents::{KnockOut, first_policies, judge_as_is, judge_by, judge_sealed, observations, ready, sealed};
use crate::fixtures;
use crate::harness::factgate::run_alone;
use crate::laws::{FIRST_LANES, KNOCKED_OUT, unguarded};

/// Code, severity and taxonomy, as the contract fixes them.
pub(crate) const CODES: [(&str, &str, &str); 67] = [
    ("M2A-B1", "S1", "M2-B1"),
    ("M2A-B2", "S1", "M2-B1"),
    ("M2A-B3", "S1", "M2-B1"),
    ("M2A-B4", "S1", "M2-B1"),
    ("M2A-B5", "S1", "M2-B8"),
    ("M2B-B1", "S1", "M2-B2"),
    ("M2B-B2", "S1", "M2-B2"),
    ("M2B-B3", "S1", "M2-B2"),
    ("M2B-B4", "S1", "M2-B2"),
    ("M2B-B5", "S2", "M2-B8"),
    ("M2C-B1", "S1", "M2-B2"),
    ("M2C-B2", "S1", "M2-B2"),
    ("M2C-B3", "S1", "M2-B5"),
    ("M2C-B4", "S1", "M2-B5"),
    ("M2C-B5", "S1", "M2-B5"),
    ("M2C-B6", "S2", "M2-B5"),
    ("M2C-B7", "S2", "M2-B8"),
    ("M2D-B1", "S1", "M2-B5"),
    ("M2D-B2", "S1", "M2-B5"),
    ("M2D-B3", "S1", "M2-B5"),
    ("M2D-B4", "S1", "M2-B3"),
    ("M2D-B5", "S1", "M2-B10"),
    ("M2D-B6", "S2", "M2-B5"),
    ("M2D-B7", "S2", "M2-B8"),
    ("M2E-B1", "S1", "M2-B2"),
    ("M2E-B2", "S1", "M2-B2"),
    ("M2E-B3", "S1", "M2-B3"),
    ("M2E-B4", "S1", "M2-B11"),
    ("M2E-B5", "S1", "M2-B9"),
    ("M2E-B6", "S1", "M2-B3"),
    ("M2E-B7", "S2", "M2-B8"),
    ("M2F-B1", "S1", "M2-B4"),
    ("M2F-B2", "S1", "M2-B4"),
    ("M2F-B3", "S1", "M2-B3"),
    ("M2F-B4", "S1", "M2-B4"),
    ("M2F-B5", "S1", "M2-B11"),
    ("M2F-B6", "S1", "M2-B4"),
    ("M2F-B7", "S2", "M2-B8"),
    ("M2G-B1", "S1", "M2-B2"),
    ("M2G-B2", "S1", "M2-B2"),
    ("M2G-B3", "S1", "M2-B3"),
    ("M2G-B4", "S1", "M2-B4"),
    ("M2G-B5", "S1", "M2-B2"),
    ("M2G-B6", "S2", "M2-B8"),
    ("M2H-B1", "S1", "M2-B2"),
    ("M2H-B2", "S1", "M2-B2"),
    ("M2H-B3", "S1", "M2-B3"),
    ("M2H-B4", "S1", "M2-B4"),
    ("M2H-B5", "S1", "M2-B2"),
    ("M2H-B6", "S1", "M2-B6"),
    ("M2H-B7", "S2", "M2-B8"),
    ("M2H-B8", "S1", "M2-B12"),
    ("M2I-B1", "S1", "M2-B7"),
    ("M2I-B2", "S1", "M2-B7"),
    ("M2I-B3", "S1", "M2-B7"),
    ("M2I-B4", "S1", "M2-B7"),
    ("M2I-B5", "S1", "M2-B7"),
    ("M2I-B6", "S2", "M2-B7"),
    ("M2I-B7", "S2", "M2-B8"),
    ("M2J-B1", "S1", "M2-B8"),
    ("M2J-B2", "S1", "inherited"),
    ("M2J-B3", "S1", "M2-B9"),
    ("M2J-B4", "S1", "M2-B10"),
    ("M2J-B5", "S1", "M2-B11"),
    ("M2J-B6", "S1", "M2-B12"),
    ("M2J-B7", "S1", "M2-B8"),
    ("M2J-B8", "S1", "M2-B8"),
];

/// The codes that judge evidence.
const EVIDENCE: [&str; 10] =
    ["M2A-B5", "M2B-B5", "M2C-B7", "M2D-B7", "M2E-B7", "M2F-B7", "M2G-B6", "M2H-B7", "M2I-B7", "M2J-B8"];

/// The code of the rollup that is open while a blocker of any lane before it is.
const OPEN_ANYWHERE: &str = "M2J-B2";

/// The codes that do not fire alone: two lanes judge the same fact, or the code rests on another one.
const NEVER_ALONE: [&str; 12] = [
    "M2C-B5", "M2D-B2", "M2D-B3", "M2D-B4", "M2F-B1", "M2F-B7", "M2G-B4", "M2H-B4", "M2H-B5", "M2J-B3", "M2J-B4",
    "M2J-B6",
];

/// The codes that block.
pub(crate) fn fired(verdict: &Verdict) -> BTreeSet<String> {
    blockers(verdict).map(|(code, _)| code).collect()
}

fn blockers(verdict: &Verdict) -> impl Iterator<Item = (String, Cause)> {
    let blockers = verdict.lanes.iter().flat_map(|lane| &lane.blockers);
    blockers.map(|blocker| (blocker.code.clone(), blocker.cause))
}

fn is_of_first_lanes(code: &str) -> bool {
    FIRST_LANES.iter().any(|lane| code.starts_with(&lane.replace('.', "")))
}

/// What the checks of each code read in `ready.json`: observations and handles, by pointer.
fn reads() -> BTreeMap<String, BTreeSet<String>> {
    let observations = observations(&ready());
    let verdict = judge_as_is(ready());
    let mut reads = BTreeMap::new();
    for code in verdict.lanes.iter().flat_map(|lane| &lane.codes) {
        let read: &mut BTreeSet<String> = reads.entry(code.code.clone()).or_default();
        for fact in code.checks.iter().flat_map(|check| &check.facts) {
            let observation = observations.iter().find(|pointer| {
                fact.strip_prefix(pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            match observation {
                Some(pointer) => read.insert(pointer.clone()),
                None if fact.starts_with("/handles/") => read.insert(fact.clone()),
                // What the document says of itself is no observation: the seal, and the run.
                None if fact == "/digest" || fact.starts_with("/run/") => continue,
                None => panic!("{}: {fact} is neither an observation nor a handle", code.code),
            };
        }
    }
    reads
}

#[test]
fn the_program_lists_exactly_the_codes_of_the_contract() {
    let codes = run_alone(&fixtures::folder(), ["codes", "-o", "json"]).json();
    let field = |code: &Value, name: &str| code[name].as_str().unwrap().to_owned();
    let found: Vec<_> = codes
        .as_array()
        .unwrap()
        .iter()
        .map(|code| (field(code, "code"), field(code, "severity"), field(code, "taxonomy")))
        .collect();
    let expected: Vec<_> = CODES
        .iter()
        .map(|(code, severity, taxonomy)| (code.to_string(), severity.to_string(), taxonomy.to_string()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn no_code_fires_on_the_ready_document() {
    let verdict = judge_sealed(ready());
    assert_eq!(fired(&verdict), BTreeSet::new());
    assert_eq!(verdict.outcome, Outcome::Go);
}

/// A change of `ready.json` as `tests/fixtures/violations.json` holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Violation {
    code: String,
    edits: Vec<Edit>,
    /// All that it makes fire, but for the rollup's [`OPEN_ANYWHERE`], which follows from any.
    fires: BTreeSet<String>,
}

/// `{api}`, `{cluster}` and `{cluster_id}` stand for what only the archived document knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    at: String,
    /// What stands there afterwards; nothing removes it.
    value: Option<Value>,
}

fn violations() -> Vec<Violation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/violations.json");
    let ready = ready();
    let only = |pointer: &str| ready.pointer(pointer).unwrap().as_object().unwrap().keys().next().unwrap().clone();
    let cluster = only("/aws/kafka/clusters");
    let text = fs::read_to_string(path)
        .unwrap()
        .replace("{api}", &only("/aws/apigatewayv2/apis"))
        .replace("{cluster_id}", &cluster)
        .replace("{cluster}", &cluster.replace('/', "~1"));
    serde_json::from_str(&text).unwrap()
}

fn edited(edits: &[Edit]) -> Value {
    let mut document = ready();
    for Edit { at, value } in edits {
        match value {
            Some(value) => {
                let place = document.pointer_mut(at).unwrap_or_else(|| panic!("nothing at {at}"));
                assert_ne!(place, value, "{at} has the value already");
                *place = value.clone();
            }
            None => crate::documents::remove(&mut document, at),
        }
    }
    document
}

/// What a violation makes fire, with the rollup's answer to any blocker of a lane before it.
fn with_rollup(mut fires: BTreeSet<String>) -> BTreeSet<String> {
    if fires.iter().any(|code| !code.starts_with("M2J")) {
        fires.insert(OPEN_ANYWHERE.to_owned());
    }
    fires
}

#[test]
fn every_code_fires_on_its_violation_and_no_other_does() {
    let mut seen: BTreeSet<String> = BTreeSet::from([OPEN_ANYWHERE.to_owned()]);
    let mut faults = Vec::new();
    for Violation { code, edits, fires } in violations() {
        let verdict = judge_sealed(edited(&edits));
        let expected = with_rollup(fires);
        assert!(expected.contains(&code), "{code}");
        if fired(&verdict) != expected {
            faults.push(format!("{code}: {:#?}", blockers(&verdict).collect::<Vec<_>>()));
        }
        assert_eq!(verdict.outcome, Outcome::NoGo);
        let is_alone = expected.iter().all(|fired| *fired == code || fired.starts_with("M2J"));
        if is_alone || NEVER_ALONE.contains(&code.as_str()) {
            seen.insert(code);
        }
    }
    assert_eq!(faults, [""; 0]);
    let all: BTreeSet<String> = CODES.iter().map(|(code, ..)| (*code).to_owned()).collect();
    assert_eq!(seen, all, "every code fires alone at least once");
}

/// A code blocks as `unreadable` for every observation that it reads. A code that judges evidence also looks at the receipts
/// of observations that other rules need: a read that failed and is properly recorded is no fault of the evidence, so there the
/// rule that needs it must block instead.
#[test]
fn every_code_blocks_as_unreadable_for_each_observation_that_it_reads() {
    let all = reads();
    assert_eq!(all.len(), CODES.len());
    // Those whose observations are knocked out.
    let reads: BTreeMap<_, _> = all.into_iter().filter(|(code, _)| is_of_first_lanes(code)).collect();
    let mut count = 0;
    let mut faults = Vec::new();
    for (pointer, _, verdict) in KNOCKED_OUT.iter().filter(|(_, how, _)| *how == KnockOut::Unreadable) {
        let unreadable: BTreeSet<String> =
            blockers(verdict).filter(|(_, cause)| *cause == Cause::Unreadable).map(|(code, _)| code).collect();
        for (code, read) in &reads {
            if !read.contains(pointer) {
                continue;
            }
            count += 1;
            let is_judged_elsewhere = EVIDENCE.contains(&code.as_str()) && !unreadable.is_empty();
            let is_listed = unguarded(pointer, KnockOut::Unreadable).is_some();
            if !unreadable.contains(code) && !is_judged_elsewhere && !is_listed {
                faults.push(format!("{code} {pointer}: blocked as unreadable: {unreadable:?}"));
            }
        }
    }
    println!("{count} pairs of a code and an observation");
    assert!(count > 100, "{count}");
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_code_blocks_as_unpinned_for_each_handle_that_it_reads() {
    let reads: BTreeMap<_, _> = reads().into_iter().filter(|(code, _)| is_of_first_lanes(code)).collect();
    let handles: BTreeSet<&String> = reads.values().flatten().filter(|read| read.starts_with("/handles/")).collect();
    let mut faults = Vec::new();
    for pointer in handles {
        let name = pointer.trim_start_matches("/handles/").trim_end_matches("/value");
        let mut document = ready();
        if document["handles"].get(name).is_none() {
            faults.push(format!("{name} is read, and not in the registry"));
            continue;
        }
        document["handles"][name]["value"] = json!("TO_PIN");
        let verdict = judge_by(first_policies(), sealed(document));
        let unpinned: BTreeSet<String> =
            blockers(&verdict).filter(|(_, cause)| *cause == Cause::Unpinned).map(|(code, _)| code).collect();
        for (code, _) in reads.iter().filter(|(_, read)| read.contains(pointer)) {
            if !unpinned.contains(code) {
                faults.push(format!("{code} {name}"));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

/// The codes of the later lanes that read no observation: handles alone decide them, or other codes.
const WITHOUT_OBSERVATIONS: [&str; 10] =
    ["M2D-B1", "M2D-B4", "M2D-B6", "M2E-B5", "M2F-B1", "M2F-B6", "M2J-B2", "M2J-B3", "M2J-B4", "M2J-B6"];

/// A code that follows another, or reads only what a handle asks for, blocks as `unreadable` with it.
#[test]
fn codes_that_follow_others_or_read_on_demand_block_as_unreadable_too() {
    let mut probing = ready();
    probing["handles"]["TOPIC_PROBE_POLICY_M2D"]["value"] = json!("REQUIRED");
    for (document, service, aspect, expected) in [
        (ready(), "/aws/sfn/", "platform-run-v0/state_machine", &["M2D-B5", "M2J-B2", "M2J-B4"][..]),
        (ready(), "/aws/lambda/", "ig-handler/configuration", &["M2H-B8", "M2J-B2", "M2J-B6"]),
        (probing, "/aws/kafka/", "/topics", &["M2D-B6", "M2J-B2"]),
    ] {
        let pointer = observations(&document)
            .into_iter()
            .find(|pointer| pointer.starts_with(service) && pointer.ends_with(aspect))
            .unwrap_or_else(|| panic!("{service}…{aspect} is read"));
        let verdict = judge_sealed(KnockOut::Unreadable.apply(document, &pointer));
        let unreadable: BTreeSet<String> =
            blockers(&verdict).filter(|(_, cause)| *cause == Cause::Unreadable).map(|(code, _)| code).collect();
        for code in expected {
            assert!(unreadable.contains(*code), "{code} {pointer}: {unreadable:?}");
        }
    }
}

/// A code of the later lanes blocks as `unreadable` for the first and the last observation that it reads.
#[test]
fn every_later_code_blocks_as_unreadable_for_what_it_reads() {
    let mut readers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for (code, read) in reads().into_iter().filter(|(code, _)| !is_of_first_lanes(code)) {
        let observations: Vec<&String> = read.iter().filter(|read| !read.starts_with("/handles/")).collect();
        for pointer in observations.first().into_iter().chain(observations.last()) {
            readers.entry((*pointer).clone()).or_default().insert(code.clone());
        }
        if observations.is_empty() {
            without.push(code);
        }
    }
    assert_eq!(without, WITHOUT_OBSERVATIONS);
    let mut faults = Vec::new();
    for (pointer, codes) in readers {
        let verdict = judge_sealed(KnockOut::Unreadable.apply(ready(), &pointer));
        let unreadable: BTreeSet<String> =
            blockers(&verdict).filter(|(_, cause)| *cause == Cause::Unreadable).map(|(code, _)| code).collect();
        for code in codes.difference(&unreadable) {
            let is_judged_elsewhere = EVIDENCE.contains(&code.as_str()) && !unreadable.is_empty();
            if !is_judged_elsewhere {
                faults.push(format!("{code} {pointer}: blocked as unreadable: {unreadable:?}"));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}
