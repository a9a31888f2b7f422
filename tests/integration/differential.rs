//! The same policies give the same result under real OPA.
//!
//! Every document is evaluated by both engines: each code's checks, the observations, and the artifacts, compared as whole
//! values. Documents are the archived ones, one without any fact, and `ready.json` with one thing knocked out at a time.

use std::collections::BTreeSet;

use factgate::evaluate::Evaluation;
use factgate::policy::Lane;
use serde_json::{Map, Value, json};

use crate::documents::{KnockOut, archived, evaluate_as_is, judge_as_is, observations, policies, ready, remove};
use crate::harness::opa;

/// Documents for one OPA process: its answer for so many is held in memory at once.
const BATCH: usize = 24;

/// Engines that run at a time.
const WORKERS: usize = 2;

/// Of the handles that no check of these lanes reads, the sample has every so manieth.
const UNREAD_HANDLES: usize = 24;

/// Of the handles that some check reads, the sample has every so manieth in either of two ways.
const READ_HANDLES: usize = 8;

/// Of the observations, the sample has every so manieth.
const SPARSE: usize = 6;

/// How many ways there are to change an observation: its status, the type of its value, and what its value says.
const WAYS: usize = KnockOut::ALL.len() + 2;

/// Of the receipts, the sample has every so manieth.
const RECEIPTS: usize = 32;

#[test]
fn opa_agrees_on_every_archived_document() {
    let mut documents = archived();
    let run = ready()["run"].clone();
    let identity = json!({"phase_execution_id": run["phase_execution_id"], "collected_at": run["collected_at"]});
    documents.push(("a document without any fact".to_owned(), json!({"run": identity, "digest": "sha256:0"})));
    agree(documents);
}

#[test]
fn opa_agrees_on_a_sample_of_the_knock_outs_of_the_ready_document() {
    let all = knock_outs();
    let documents: Vec<_> = all.into_iter().filter(|knock_out| knock_out.is_sampled).collect();
    let evaluations = documents.len() * policies().lanes().iter().map(|lane| lane.codes.len()).sum::<usize>();
    println!("{} documents, {evaluations} codes evaluated by both engines", documents.len());
    assert!(evaluations > 4000, "{evaluations}");
    agree(documents.into_iter().map(KnockedOut::named).collect());
}

#[test]
#[ignore = "takes minutes; run it after a change of the policies' helpers or of an engine's version"]
fn opa_agrees_on_every_knock_out_of_the_ready_document() {
    let documents = knock_outs();
    println!("{} documents", documents.len());
    assert!(documents.len() > 500, "{}", documents.len());
    agree(documents.into_iter().map(KnockedOut::named).collect());
}

/// `ready.json` with one thing knocked out.
struct KnockedOut {
    what: String,
    document: Value,
    is_sampled: bool,
}

impl KnockedOut {
    fn named(self) -> (String, Value) {
        (self.what, self.document)
    }
}

/// Every single knock-out. The sample has every so manieth observation in one of its ways and each handle that is read in one of its
/// two, in turn, and a few of the rest.
fn knock_outs() -> Vec<KnockedOut> {
    let ready = ready();
    let mut documents = Vec::new();
    for (turn, pointer) in observations(&ready).iter().enumerate() {
        let missing = KnockOut::ALL.map(|way| (format!("{way:?}"), way.apply(ready.clone(), pointer)));
        let value = format!("{pointer}/value");
        let with = |changed: Value| {
            let mut document = ready.clone();
            document.pointer_mut(&value).map(|value| *value = changed).map(|()| document)
        };
        let type_changed = with(json!(["another type"])).map(|document| ("type changed".to_owned(), document));
        let other = ready.pointer(&value).map(other);
        let value_changed = other.and_then(with).map(|document| ("value changed".to_owned(), document));
        let ways = missing.into_iter().map(Some).chain([type_changed, value_changed]);
        for (way, changed) in ways.enumerate() {
            let Some((how, document)) = changed else { continue };
            let is_sampled = turn % (WAYS * SPARSE) == way * SPARSE;
            documents.push(KnockedOut { what: format!("{pointer} {how}"), document, is_sampled });
        }
    }
    let read = read_handles();
    for (turn, name) in ready["handles"].as_object().unwrap().keys().enumerate() {
        let is_sampled = read.contains(name) || turn % UNREAD_HANDLES == 0;
        let mut removed = ready.clone();
        remove(&mut removed, &format!("/handles/{name}"));
        let what = format!("{name} removed");
        documents.push(KnockedOut { what, document: removed, is_sampled: is_sampled && turn % READ_HANDLES == 0 });
        let mut to_pin = ready.clone();
        to_pin["handles"][name]["value"] = json!("TO_PIN");
        let what = format!("{name} TO_PIN");
        documents.push(KnockedOut { what, document: to_pin, is_sampled: is_sampled && turn % READ_HANDLES == 1 });
    }
    for (turn, key) in ready["receipts"].as_object().unwrap().keys().enumerate() {
        let mut removed = ready.clone();
        removed["receipts"].as_object_mut().unwrap().remove(key);
        let what = format!("receipt {key} removed");
        documents.push(KnockedOut { what, document: removed, is_sampled: turn % RECEIPTS == 0 });
    }
    documents
}

/// A value of the same shape that says something else at every place.
fn other(value: &Value) -> Value {
    match value {
        Value::Null => json!("something"),
        Value::Bool(is_true) => json!(!is_true),
        Value::Number(number) => number.as_u64().map_or(json!(0.5), |number| json!(number + 1)),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) => items.iter().map(other).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), other(value))).collect(),
    }
}

/// The handles that some check on `ready.json` names.
fn read_handles() -> BTreeSet<String> {
    let verdict = judge_as_is(ready());
    let checks = verdict.lanes.iter().flat_map(|lane| &lane.codes).flat_map(|code| &code.checks);
    checks
        .flat_map(|check| &check.facts)
        .filter_map(|fact| fact.strip_prefix("/handles/")?.split('/').next().map(str::to_owned))
        .collect()
}

fn agree(documents: Vec<(String, Value)>) {
    let chunks: Vec<&[(String, Value)]> = documents.chunks(BATCH).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let mine: Vec<_> = chunks.iter().skip(worker).step_by(WORKERS).copied().collect();
                scope.spawn(move || mine.into_iter().for_each(compare))
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

fn compare(documents: &[(String, Value)]) {
    let lanes = policies().lanes();
    let query = query(lanes);
    let evaluations: Vec<Evaluation> = documents.iter().map(|(_, document)| evaluate_as_is(document.clone())).collect();
    let inputs: Vec<Value> = documents
        .iter()
        .zip(&evaluations)
        .map(|((_, document), evaluation)| json!({"input": document, "data": {"factgate": factgate(evaluation)}}))
        .collect();
    let job = json!({"policies": ["policies"], "documents": inputs, "queries": [query]});
    let mut result = opa::evaluate(&[job]).remove(0);
    assert!(result.get("error").is_none(), "{}", result["error"]);
    let results = result["results"].as_array_mut().unwrap();
    assert_eq!(results.len(), documents.len());
    for (((name, _), evaluation), result) in documents.iter().zip(&evaluations).zip(results) {
        let mut theirs = result[&query]["value"].take();
        assert!(theirs.is_object(), "{name}: OPA gave {result}");
        sort_sets(&mut theirs);
        if let Some(difference) = difference(&ours(evaluation), &theirs, String::new()) {
            panic!("{name}: the engines differ {difference}");
        }
    }
}

/// Everything that a lane says, in one query: the input is then given to OPA only once.
fn query(lanes: &[Lane]) -> String {
    let lanes = lanes.iter().map(|lane| {
        let package = &lane.package;
        let codes = lane.codes.iter().map(|code| format!("{:?}: data.{package}.{}", code.code, rule(&code.code)));
        let codes = codes.collect::<Vec<_>>().join(", ");
        format!(
            "{:?}: {{\"codes\": {{{codes}}}, \"observations\": data.{package}.observations, \
             \"artifacts\": data.{package}.artifacts}}",
            lane.lane
        )
    });
    format!("{{{}}}", lanes.collect::<Vec<_>>().join(", "))
}

/// `b2` of `M2A-B2`.
fn rule(code: &str) -> String {
    code.rsplit_once('-').unwrap().1.to_lowercase()
}

/// What policies see as `data.factgate` in phase 2.
fn factgate(evaluation: &Evaluation) -> Value {
    let verdict = &evaluation.verdict;
    let lanes: Map<String, Value> = verdict.lanes.iter().map(|lane| (lane.lane.clone(), json!(lane))).collect();
    json!({
        "tool": verdict.tool,
        "policies_digest": verdict.policies.digest,
        "contract_overrides": verdict.policies.overrides,
        "verdict": {"lanes": lanes, "reasons": verdict.reasons},
    })
}

/// The same shape as OPA's answer.
fn ours(evaluation: &Evaluation) -> Value {
    let lanes = evaluation.verdict.lanes.iter().map(|lane| {
        let codes: Map<String, Value> = lane
            .codes
            .iter()
            .map(|code| {
                // The evaluator's own blocker for a code without checks; OPA's set is empty then.
                let is_own = |subject: &str, claim: &str| subject == code.code && claim == "at least one check";
                let checks = code.checks.iter().filter(|check| !is_own(&check.subject, &check.claim));
                (code.code.clone(), json!(checks.collect::<Vec<_>>()))
            })
            .collect();
        let body = json!({
            "codes": codes,
            "observations": lane.observations,
            "artifacts": evaluation.artifacts[&lane.lane],
        });
        (lane.lane.clone(), body)
    });
    let mut all = Value::Object(lanes.collect());
    sort_sets(&mut all);
    all
}

/// Brings the sets of checks and observations into one order: engines list the members of a set as they please. Everything
/// else is left in the order that the policies gave it.
fn sort_sets(all: &mut Value) {
    for lane in all.as_object_mut().unwrap().values_mut() {
        let codes = lane["codes"].as_object_mut().unwrap();
        codes.values_mut().for_each(sort);
        sort(&mut lane["observations"]);
    }
}

fn sort(set: &mut Value) {
    set.as_array_mut().unwrap().sort_by_cached_key(Value::to_string);
}

/// The first place at which two values differ.
fn difference(ours: &Value, theirs: &Value, place: String) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            keys.into_iter().find_map(|key| {
                let place = format!("{place}/{key}");
                match (left.get(key), right.get(key)) {
                    (Some(ours), Some(theirs)) => difference(ours, theirs, place),
                    (ours, theirs) => Some(format!("at {place}: ours {ours:?}, OPA's {theirs:?}")),
                }
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let mut pairs = left.iter().zip(right).enumerate();
            pairs.find_map(|(index, (ours, theirs))| difference(ours, theirs, format!("{place}/{index}")))
        }
        _ if ours == theirs => None,
        _ => Some(format!("at {place}: ours {ours}, OPA's {theirs}")),
    }
}
