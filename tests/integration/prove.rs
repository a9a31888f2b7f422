//! The shipped policies hold the three laws on the document of a ready world, whichever fact is knocked out of it.

use factgate::evaluate::Document;
use factgate::policy::{PolicyOptions, PolicySet};
use factgate::prove::{Accepted, Half, NamedDocument, ProveOptions, prove};

use crate::documents::ready;
use crate::harness::tools;

#[test]
#[ignore = "takes minutes; run it after a change of the policies"]
fn no_fact_of_ten_lanes_can_be_knocked_out_unnoticed_but_for_those_that_are_accepted_with_a_reason() {
    let accepted = Accepted::read(&tools::repository().join("policies/accepted.toml"));
    let what = ProveOptions {
        only: Some(Half::KnockOuts),
        accepted: Some(accepted.unwrap_or_else(|error| panic!("{error}"))),
        ..ProveOptions::default()
    };
    let document = Document::new(ready(), true).unwrap();
    let passing = NamedDocument { name: "ready.json".to_owned(), document };
    let set = PolicySet::embedded().unwrap();
    let proof = prove(&set, &PolicyOptions::default(), &passing, &[], &what, &|_| {});
    let proof = proof.unwrap_or_else(|error| panic!("{error}"));
    let found = proof.knock_outs.as_ref().unwrap();
    let open: Vec<_> = found.unguarded.iter().filter(|fact| fact.reason.is_none()).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!((found.unstable.len(), found.broken.len(), found.vacuous.len()), (0, 0, 0), "{found:#?}");
    assert_eq!(proof.not_found, [""; 0], "what is accepted is guarded after all");
    assert!(proof.holds(None) && found.facts > 1000 && found.guarded > 3000, "{} {}", found.facts, found.guarded);
}
