//! What the shipped policies are worth: they hold the three laws on the document of a ready world, whichever fact is knocked out of it,
//! and something tells nearly every mistake in a rule.

use factgate::evaluate::Document;
use factgate::policy::{PolicyOptions, PolicySet};
use factgate::prove::{Accepted, NamedDocument, ProveOptions, Way, prove};
use factgate::verdict::Outcome;
use factgate_collector::json::escape;
use serde_json::Value;

use crate::documents::{archived, judge_as_is, observations, ready, remove};
use crate::harness::tools;

/// The share of mutants, in percent, that something must tell from the rules.
const SCORE: f64 = 95.0;

/// Of the facts, every so manieth is also removed from a document that is judged as a whole.
const SPARSE: usize = 24;

#[test]
fn no_fact_can_be_knocked_out_and_no_rule_changed_unnoticed_but_for_what_is_accepted_with_a_reason() {
    let accepted = Accepted::read(&tools::repository().join("policies/accepted.toml"));
    let what =
        ProveOptions { accepted: Some(accepted.unwrap_or_else(|error| panic!("{error}"))), ..ProveOptions::default() };
    let document = ready();
    let named = |name: &str, document: Value| NamedDocument {
        name: name.to_owned(),
        document: Document::new(document, true).unwrap(),
    };
    let passing = named("ready.json", document.clone());
    let others = archived().into_iter().filter(|(name, _)| name != "ready.json");
    let more: Vec<_> = others.map(|(name, document)| named(&name, document)).collect();
    let set = PolicySet::embedded().unwrap();
    let proof = prove(&set, &PolicyOptions::default(), &passing, &more, &what, &|_| {});
    let proof = proof.unwrap_or_else(|error| panic!("{error}"));
    let found = proof.knock_outs.as_ref().unwrap();
    let open: Vec<_> = found.unguarded.iter().filter(|fact| fact.reason.is_none()).collect();
    assert!(open.is_empty(), "{open:#?}");
    let open: Vec<_> = found.fail_open.iter().filter(|check| check.reason.is_none()).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!((found.unstable.len(), found.broken.len(), found.vacuous.len()), (0, 0, 0), "{found:#?}");
    let open: Vec<_> = found.never_failing.iter().filter(|check| check.reason.is_none()).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert!(found.facts > 1000 && found.guarded > 3000, "{} {}", found.facts, found.guarded);

    let mutants = proof.mutants.as_ref().unwrap();
    let open: Vec<_> = mutants.survivors.iter().filter(|survivor| survivor.reason.is_none()).collect();
    assert!(open.is_empty(), "{open:#?}");
    println!("{} mutants, of which {:?} % are told", mutants.mutants, mutants.score());
    assert!(mutants.mutants > 3000, "{}", mutants.mutants);
    assert_eq!(proof.accepted_wrongly, [""; 0]);
    assert!(proof.holds(Some(SCORE)), "{:?}", mutants.score());

    // Which codes a knock-out is put to rests on what their texts say that they read; a judgement rests on no such thing.
    for fact in facts(&document).iter().step_by(SPARSE) {
        let mut without = document.clone();
        remove(&mut without, fact);
        let is_unguarded = found.unguarded.iter().any(|other| other.fact == *fact && other.way == Way::Removed);
        assert_eq!(judge_as_is(without).outcome == Outcome::Go, is_unguarded, "{fact}");
    }
}

/// The JSON pointers of observations, handles and receipts.
fn facts(document: &Value) -> Vec<String> {
    let members = |section: &str| -> Vec<String> {
        let names = document[section].as_object().unwrap().keys();
        names.map(|name| format!("/{section}/{}", escape(name))).collect()
    };
    [observations(document), members("handles"), members("receipts")].concat()
}
