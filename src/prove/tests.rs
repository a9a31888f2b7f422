//! Proofs of small policies: each test is a claim about what a rule with a mistake in it shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Accepted, Half, NamedDocument, Proof, ProveError, ProveOptions, prove};
use crate::evaluate::Document;
use crate::exit::ExitCode;
use crate::policy::{Origin, PolicyOptions, PolicySet};

/// A check on the versioning of a bucket, which holds if `holds` does; the facts are looked up by total functions.
const HELPERS: &str = r#"# METADATA
# title: Checks
package lib.check

versioning(subject, holds) := {
	"subject": subject,
	"claim": "versioning is on",
	"ok": holds,
	"cause": _cause(holds, status),
	"expected": "Enabled",
	"actual": object.get(input, array.concat(_at, ["value", "Status"]), null),
	"facts": ["/aws/s3/buckets/b/versioning/value/Status"],
} if {
	status := object.get(input, array.concat(_at, ["status"]), "missing")
}

is_on if {
	object.get(input, array.concat(_at, ["status"]), null) == "present"
	object.get(input, array.concat(_at, ["value", "Status"]), null) == "Enabled"
} else := false

_at := ["aws", "s3", "buckets", "b", "versioning"]

_cause(true, _) := "none"

_cause(false, "absent") := "absent"

_cause(false, "present") := "violated"

_cause(false, status) := "unreadable" if not status in {"absent", "present"}
"#;

/// The rule as it should be.
const SOUND: &str = "b1 contains check.versioning(\"b\", check.is_on)";

fn set(rule: &str) -> PolicySet {
    let lane = format!(
        "# METADATA\n# title: Lane A\n# custom: {{lane: M2.A, next: M2.B, upstream: [], \
         definition_of_done: [{{item: it is done, codes: [M2A-B1]}}], artifacts: []}}\n\
         package m2.a\n\nimport data.lib.check\n\n\
         # METADATA\n# title: Versioning is off\n\
         # custom: {{code: M2A-B1, severity: S1, taxonomy: M2-B1, remediation: Turn it on.}}\n{rule}\n"
    );
    let test = "package lib.check_test\n\nimport data.lib.check\n\n\
                test_a_bucket_that_is_gone_is_absent if {\n\
                \tcheck.versioning(\"b\", false).cause == \"absent\" with input as {\"aws\": {\"s3\": {\"buckets\": {\"b\": \
                {\"versioning\": {\"status\": \"absent\"}}}}}}\n}\n";
    let files = [("lib/check.rego", HELPERS), ("lib/check_test.rego", test), ("m2/a/rules.rego", &lane)];
    let files: BTreeMap<String, Vec<u8>> = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    PolicySet::from_files(Origin::Memory, files).unwrap()
}

fn document(status: &str) -> NamedDocument {
    let facts = json!({
        "run": {"phase_execution_id": "m2_20260101T000000Z", "collected_at": "2026-01-01T00:00:00Z"},
        "digest": "sha256:00",
        "aws": {"s3": {"buckets": {"b": {
            "versioning": {"status": "present", "value": {"Status": status}, "receipts": []},
            "tagging": {"status": "present", "value": {"TagSet": []}, "receipts": []},
        }}}},
    });
    NamedDocument { name: "facts.json".to_owned(), document: Document::new(facts, true).unwrap() }
}

fn proof_with(rule: &str, what: &ProveOptions) -> Proof {
    let found = prove(&set(rule), &PolicyOptions::default(), &document("Enabled"), &[], what, &|_| {});
    found.unwrap_or_else(|error| panic!("{error}"))
}

/// Only of what the lane reads.
fn proof(rule: &str) -> Proof {
    proof_with(rule, &ProveOptions { lanes: vec!["M2.A".to_owned()], ..ProveOptions::default() })
}

fn unguarded(proof: &Proof) -> Vec<String> {
    let facts = proof.knock_outs.as_ref().unwrap().unguarded.iter();
    facts.map(|fact| format!("{} {}", fact.fact, fact.way)).collect()
}

#[test]
fn a_sound_rule_guards_every_fact_that_it_reads() {
    let proof = proof(SOUND);
    assert_eq!(unguarded(&proof), [""; 0]);
    let knock_outs = proof.knock_outs.as_ref().unwrap();
    assert!(
        knock_outs.holds() && knock_outs.guarded == knock_outs.knock_outs && knock_outs.guarded >= 10,
        "{proof:#?}"
    );
    assert_eq!(proof.lanes, ["M2.A"]);
}

#[test]
fn facts_that_no_rule_reads_are_told_where_all_lanes_are_proved() {
    let proof = proof_with(SOUND, &ProveOptions::default());
    let found = unguarded(&proof);
    for fact in ["/aws/s3/buckets/b/tagging absent", "/aws/s3/buckets/b/tagging/value value_changed"] {
        assert!(found.contains(&fact.to_owned()), "{found:#?}");
    }
    assert!(found.iter().all(|fact| !fact.contains("versioning")), "{found:#?}");
    assert!(!proof.holds(None));
}

#[test]
fn a_default_that_passes_leaves_a_go() {
    let rule = "b1 contains check.versioning(\"b\", object.get(input, [\"aws\", \"s3\", \"buckets\", \"b\", \"versioning\", \"value\", \
                \"Status\"], \"Enabled\") == \"Enabled\")";
    let proof = proof(rule);
    let found = unguarded(&proof);
    for way in ["absent", "unreadable", "not_collected", "removed"] {
        assert!(found.contains(&format!("/aws/s3/buckets/b/versioning {way}")), "{way}: {found:#?}");
    }
    assert!(!proof.holds(None));
}

/// Another code of the lane, beside the sound one.
fn beside_the_sound_one(rule: &str) -> Proof {
    let metadata =
        "# METADATA\n# title: Tags\n# custom: {code: M2A-B2, severity: S1, taxonomy: M2-B1, remediation: Tag it.}";
    proof(&format!("{SOUND}\n\n{metadata}\n{rule}"))
}

/// Right Rego that `check` takes, and that passes where nothing is known.
const DO_NOT_LOOK: [(&str, &str); 5] = [
    (
        "a default that passes",
        "_holds := object.get(input, array.concat(_at, [\"value\", \"Status\"]), \"Enabled\") == \"Enabled\"",
    ),
    (
        "a negated function that looks into what it is given",
        "_is_off(observation) if observation.value.Status == \"Suspended\"\n\n\
         _holds if {\n\tobservation := object.get(input, _at, {})\n\tnot _is_off(observation)\n} else := false",
    ),
    (
        "a negated field",
        "_holds if {\n\tnot input.aws.s3.buckets.b.versioning.value.Status == \"Suspended\"\n} else := false",
    ),
    (
        "nothing among what is missing",
        "_holds := count([true | input.aws.s3.buckets.b.versioning.value.Status == \"Suspended\"]) == 0",
    ),
    (
        "every one of none",
        "_holds if {\n\tevery key, value in object.get(input, array.concat(_at, [\"value\"]), {}) {\n\t\t[key, value] == \
         [\"Status\", \"Enabled\"]\n\t}\n} else := false",
    ),
];

#[test]
fn a_rule_that_does_not_look_leaves_a_go_and_is_told_beside_one_that_does() {
    let at = "_at := [\"aws\", \"s3\", \"buckets\", \"b\", \"versioning\"]";
    for (what, rule) in DO_NOT_LOOK {
        let alone = proof(&format!("b1 contains check.versioning(\"b\", _holds)\n\n{at}\n\n{rule}"));
        let found = unguarded(&alone);
        assert!(found.contains(&"/aws/s3/buckets/b/versioning unreadable".to_owned()), "{what}: {found:#?}");
        let beside = beside_the_sound_one(&format!("b2 contains check.versioning(\"b\", _holds)\n\n{at}\n\n{rule}"));
        let knock_outs = beside.knock_outs.as_ref().unwrap();
        assert!(knock_outs.fail_open.iter().all(|found| found.check.code == "M2A-B2"), "{what}: {knock_outs:#?}");
        assert_eq!(knock_outs.fail_open.len(), 4, "{what}: {knock_outs:#?}");
        assert!(!alone.holds(None) && !beside.holds(None), "{what}");
    }
}

#[test]
fn a_check_that_holds_without_the_fact_that_it_names_is_told_though_another_code_guards_it() {
    let fail_open = "b2 contains check.versioning(\"b\", object.get(input, [\"aws\", \"s3\", \"buckets\", \"b\", \"versioning\", \
                     \"value\", \"Status\"], \"Enabled\") == \"Enabled\")";
    let proof = beside_the_sound_one(fail_open);
    assert_eq!(unguarded(&proof), [""; 0]);
    let knock_outs = proof.knock_outs.as_ref().unwrap();
    let found: Vec<_> = knock_outs
        .fail_open
        .iter()
        .map(|found| format!("{} {} {}", found.check.code, found.check.fact, found.check.way))
        .collect();
    let ways = ["unreadable", "not_collected", "removed"];
    let of_the_whole = ways.map(|way| format!("M2A-B2 /aws/s3/buckets/b/versioning {way}"));
    let of_the_field = "M2A-B2 /aws/s3/buckets/b/versioning/value/Status removed".to_owned();
    assert_eq!(found, [of_the_whole.as_slice(), &[of_the_field]].concat());
    assert!(!proof.holds(None));
    let accepted = "[[fail_open]]\nclaims = '^versioning'\nfacts = '/versioning(/value/Status)?$'\nways = [\"unreadable\", \"not_collected\", \
                    \"removed\"]\nreason = \"an example\"\n";
    let accepted: Accepted = toml::from_str(accepted).unwrap();
    assert!(knock_outs.fail_open.iter().all(|found| accepted.fail_open(&found.check) == Some("an example")));
}

#[test]
fn a_check_that_holds_though_the_document_lacks_what_it_names_is_told() {
    let other = "/aws/s3/buckets/other/versioning/value/Status";
    let names_both = format!(
        "b2 contains object.union(check.versioning(\"b\", check.is_on), {{\"facts\": [\"/aws/s3/buckets/b/versioning\", \"{other}\"]}})"
    );
    let proof = beside_the_sound_one(&names_both);
    let found = &proof.knock_outs.as_ref().unwrap().fail_open;
    assert_eq!(found.iter().map(|found| found.check.fact.as_str()).collect::<Vec<_>>(), [other]);
    assert!(!proof.holds(None));
}

#[test]
fn a_code_that_no_knock_out_makes_block_is_told() {
    let proof = beside_the_sound_one("b2 contains object.union(check.versioning(\"b\", true), {\"facts\": []})");
    let knock_outs = proof.knock_outs.as_ref().unwrap();
    assert_eq!((unguarded(&proof).len(), knock_outs.fail_open.len()), (0, 0));
    let never: Vec<&str> = knock_outs.never_failing.iter().map(|found| found.check.code.as_str()).collect();
    assert_eq!(never, ["M2A-B2"]);
    assert!(!knock_outs.holds() && !proof.holds(None));
}

#[test]
fn a_check_that_looks_at_the_status_and_holds_without_the_field_that_it_names_is_told() {
    let rule = "b2 contains check.versioning(\"b\", _is_kept)\n\n\
                _versioning := object.get(input, [\"aws\", \"s3\", \"buckets\", \"b\", \"versioning\"], {})\n\n\
                _is_kept if {\n\tobject.get(_versioning, \"status\", null) == \"present\"\n\t\
                object.get(_versioning, [\"value\", \"Status\"], null) != \"Suspended\"\n} else := false";
    let proof = beside_the_sound_one(rule);
    let found = &proof.knock_outs.as_ref().unwrap().fail_open;
    let found: Vec<String> = found.iter().map(|found| format!("{} {}", found.check.fact, found.check.way)).collect();
    assert_eq!(found, ["/aws/s3/buckets/b/versioning/value/Status removed"]);
    assert!(!proof.holds(None));
}

#[test]
fn a_check_that_no_knock_out_makes_fail_is_told_beside_those_of_its_code_that_do() {
    let proof = beside_the_sound_one(
        "b2 contains check.versioning(\"b\", check.is_on)\n\n\
         b2 contains object.union(check.versioning(\"b\", true), {\"claim\": \"it is encrypted\", \"facts\": []})",
    );
    let knock_outs = proof.knock_outs.as_ref().unwrap();
    let never: Vec<&str> = knock_outs.never_failing.iter().map(|found| found.check.claim.as_str()).collect();
    assert_eq!(never, ["it is encrypted"]);
    assert!(!knock_outs.holds() && !proof.holds(None));
}

#[test]
fn a_check_that_goes_with_its_fact_is_unstable_and_its_code_claims_nothing() {
    let rule =
        "b1 contains check.versioning(\"b\", true) if input.aws.s3.buckets.b.versioning.value.Status == \"Enabled\"";
    let proof = proof(rule);
    let knock_outs = proof.knock_outs.as_ref().unwrap();
    assert!(knock_outs.unstable.iter().any(|check| check.code == "M2A-B1" && check.claim == "versioning is on"));
    assert!(knock_outs.vacuous.contains("M2A-B1"));
    assert!(!proof.holds(None));
}

#[test]
fn a_rule_that_passes_whatever_the_facts_say_guards_nothing() {
    let proof = proof_with("b1 contains check.versioning(\"b\", true)", &ProveOptions::default());
    let knock_outs = proof.knock_outs.as_ref().unwrap();
    assert_eq!(knock_outs.unguarded.iter().filter(|fact| fact.fact.contains("versioning")).count(), 10);
}

#[test]
fn a_rule_that_cannot_be_evaluated_without_a_fact_is_told() {
    let rule = "b1 contains check.versioning(\"b\", to_number(replace(input.aws.s3.buckets.b.versioning.value.Status, \"Enabled\", \"1\")) == 1)";
    let proof = proof(rule);
    let broken = &proof.knock_outs.as_ref().unwrap().broken;
    assert!(broken.iter().any(|broken| broken.error.contains("could not parse string as number")), "{broken:#?}");
    assert!(!proof.holds(None));
}

#[test]
fn mutants_are_told_by_tests_by_documents_and_by_knock_outs() {
    let proof = proof(SOUND);
    let mutants = proof.mutants.as_ref().unwrap();
    assert!(
        mutants.killed_by_tests > 0 && mutants.killed_by_documents > 0 && mutants.killed_by_knock_outs > 0,
        "{mutants:#?}"
    );
    let survivors: Vec<&str> = mutants.survivors.iter().map(|survivor| survivor.change.as_str()).collect();
    // Any other status would do as well, and there is a value only where the status says so.
    let equivalent = [
        "object.get(input, array.concat(_at, [\"status\"]), \"missing\") → object.get(input, array.concat(_at, [\"status\"]), \"mutant\")",
        "object.get(input, array.concat(_at, [\"status\"]), null) == \"present\" → true",
    ];
    assert_eq!(survivors, equivalent);
    assert!(proof.holds(Some(90.0)) && !proof.holds(Some(99.0)), "{:?}", mutants.score());
}

#[test]
fn a_unit_test_that_fails_without_any_change_is_told() {
    let sound = set(SOUND);
    let files = sound.policies().iter().chain(sound.tests()).map(|file| {
        let more = if file.name.ends_with("_test.rego") { "\ntest_that_is_wrong if check.is_on\n" } else { "" };
        (file.name.clone(), format!("{}{more}", file.text).into_bytes())
    });
    let set = PolicySet::from_files(Origin::Memory, files.collect()).unwrap();
    let what = ProveOptions { lanes: vec!["M2.A".to_owned()], ..ProveOptions::default() };
    let proof = prove(&set, &PolicyOptions::default(), &document("Enabled"), &[], &what, &|_| {}).unwrap();
    let failing = &proof.mutants.as_ref().unwrap().failing_tests;
    assert_eq!(*failing, ["lib.check_test.test_that_is_wrong".to_owned()].into());
    assert!(!proof.holds(None));
}

/// As `new rule` writes them.
#[test]
fn the_tests_named_for_one_rule_of_a_package_are_about_the_package() {
    let sound = set(SOUND);
    let test = "package m2.a.b1_test\n\ntest_that_is_wrong if data.m2.a.b1 == {\"x\"}\n";
    let files = sound.policies().iter().chain(sound.tests());
    let files = files.map(|file| (file.name.clone(), file.text.clone().into_bytes()));
    let more = ("m2/a/b1_test.rego".to_owned(), test.as_bytes().to_vec());
    let set = PolicySet::from_files(Origin::Memory, files.chain([more]).collect()).unwrap();
    let what = ProveOptions { lanes: vec!["M2.A".to_owned()], ..ProveOptions::default() };
    let proof = prove(&set, &PolicyOptions::default(), &document("Enabled"), &[], &what, &|_| {}).unwrap();
    let failing = &proof.mutants.as_ref().unwrap().failing_tests;
    assert_eq!(*failing, ["m2.a.b1_test.test_that_is_wrong".to_owned()].into());
}

/// The second condition is needed by nothing that is known.
const NEEDLESS: &str = "b1 contains check.versioning(\"b\", _holds)\n\n_holds if {\n\tcheck.is_on\n\t\"needless\" != \"condition\"\n} else := false";

#[test]
fn a_condition_that_nothing_needs_survives_without_it() {
    let proof = proof(NEEDLESS);
    let mutants = proof.mutants.as_ref().unwrap();
    let survivor = mutants.survivors.iter().find(|survivor| survivor.change == "\"needless\" != \"condition\" → true");
    let survivor = survivor.unwrap_or_else(|| panic!("{mutants:#?}"));
    assert_eq!((survivor.rule.as_str(), survivor.location.line), ("m2.a._holds", 15));
    assert!(!proof.holds(Some(99.0)) && proof.holds(Some(50.0)) && proof.holds(None));
}

fn accepted(text: &str) -> ProveOptions {
    ProveOptions {
        lanes: vec!["M2.A".to_owned()],
        accepted: Some(toml::from_str::<Accepted>(text).unwrap()),
        only: None,
    }
}

#[test]
fn what_is_accepted_must_be_all_that_survives_and_must_be_there() {
    let survivors = proof(NEEDLESS).mutants.unwrap().survivors;
    let entry = |rule: &str, change: &str| {
        format!("[[survivors]]\nrule = \"{rule}\"\nchange = {}\nreason = \"an example\"\n", Value::from(change))
    };
    let all: String = survivors.iter().map(|survivor| entry(&survivor.rule, &survivor.change)).collect();
    assert!(proof_with(NEEDLESS, &accepted(&all)).holds(None));
    assert!(
        !proof_with(NEEDLESS, &accepted(&entry(&survivors[0].rule, &survivors[0].change))).holds(None),
        "one of several"
    );
    let stale = proof_with(NEEDLESS, &accepted(&(all + &entry("m2.a._holds", "1 → 2"))));
    assert_eq!(stale.accepted_wrongly, ["survivor m2.a._holds: `1 → 2`: something tells it"]);
    assert!(!stale.holds(None));
}

#[test]
fn an_unguarded_fact_can_be_accepted() {
    let entry = |ways: &str| {
        format!(
            "[[unguarded]]\nfacts = '/tagging(/value(/TagSet)?)?$'\nways = [{ways}]\nreason = \"no posture is pinned\"\n"
        )
    };
    let all = "\"absent\", \"unreadable\", \"not_collected\", \"removed\", \"type_changed\", \"value_changed\"";
    let of_all_lanes = |ways: &str| {
        let what = ProveOptions { lanes: Vec::new(), only: Some(Half::KnockOuts), ..accepted(&entry(ways)) };
        proof_with(SOUND, &what)
    };
    let proof = of_all_lanes(all);
    let open: Vec<String> = proof
        .knock_outs
        .as_ref()
        .unwrap()
        .unguarded
        .iter()
        .filter(|fact| fact.reason.is_none())
        .map(|fact| fact.fact.clone())
        .collect();
    assert!(open.iter().all(|fact| fact.starts_with("/run/")), "{open:?}");
    assert!(proof.mutants.is_none() && proof.accepted_wrongly.is_empty());
    let stale = of_all_lanes(&format!("{all}, \"unpinned\""));
    assert_eq!(
        stale.accepted_wrongly,
        ["unguarded `/tagging(/value(/TagSet)?)?$` unpinned: it fits nothing that is unguarded"]
    );
    let of_one = proof_with(SOUND, &ProveOptions { only: Some(Half::KnockOuts), ..accepted(&entry(all)) });
    assert!(
        of_one.accepted_wrongly.is_empty() && of_one.holds(None),
        "what no lane of a selection reads is accepted for others"
    );
}

#[test]
fn a_document_that_does_not_pass_proves_nothing() {
    let found =
        prove(&set(SOUND), &PolicyOptions::default(), &document("Suspended"), &[], &ProveOptions::default(), &|_| {});
    let error = found.unwrap_err();
    assert!(matches!(&error, ProveError::NoGo { name } if name == "facts.json"));
    assert_eq!(error.exit_code(), ExitCode::Input);
    assert!(error.help().is_some());
}
