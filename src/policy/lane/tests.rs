//! What METADATA may say, and what is refused.

use crate::check::Severity;
use crate::policy::tests::{compile, defects, problems};

const PACKAGE: &str = "\
# METADATA
# title: State backend
# description: The state is safe.
# custom:
#   lane: M2.A
#   next: M2.B
#   upstream: []
#   definition_of_done:
#     - item: it is done
#       codes: [M2A-B1]
#   artifacts: [m2a_execution_summary.json]
package m2.a

# METADATA
# title: Bucket missing
# related_resources:
#   - https://example.org/a
#   - ref: https://example.org/b
#     description: More.
# custom:
#   code: M2A-B1
#   severity: S1
#   taxonomy: M2-B1
#   remediation: Create it.
b1 contains 1

artifacts := {\"m2a_execution_summary.json\": {}}
";

/// The broken laws of the package with one text replaced by another.
fn with(from: &str, to: &str) -> Vec<String> {
    assert!(PACKAGE.contains(from), "{from}");
    problems(&[("m2/a/x.rego", &PACKAGE.replacen(from, to, 1))])
}

fn one(from: &str, to: &str) -> String {
    let found = with(from, to);
    assert_eq!(found.len(), 1, "{from} → {to}: {found:?}");
    found[0].clone()
}

#[test]
fn metadata_becomes_lanes_and_codes() {
    let policies = compile(&[("m2/a/x.rego", PACKAGE)]).unwrap();
    let [lane] = policies.lanes() else { panic!() };
    assert_eq!((lane.lane.as_str(), lane.package.as_str(), lane.title.as_str()), ("M2.A", "m2.a", "State backend"));
    assert_eq!(lane.gate(), "M2.B_READY");
    assert_eq!(lane.artifacts, ["m2a_execution_summary.json"]);
    assert_eq!(lane.definition_of_done[0].codes, ["M2A-B1"]);
    let [code] = lane.codes.as_slice() else { panic!() };
    assert_eq!((code.code.as_str(), code.severity, code.taxonomy.as_str()), ("M2A-B1", Severity::S1, "M2-B1"));
    assert_eq!((code.title.as_str(), code.remediation.as_str()), ("Bucket missing", "Create it."));
    assert_eq!(code.related_resources, ["https://example.org/a", "https://example.org/b"]);
    assert_eq!(code.location.to_string(), "m2/a/x.rego:25:1");
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion() {
    for (from, to, line, key, expected) in [
        ("#   severity: S1", "#   severty: S1", 22, "severty", "did you mean `severity`?"),
        ("#   artifacts: [", "#   artefacts: [", 11, "artefacts", "did you mean `artifacts`?"),
        ("# description: The", "# descripton: The", 3, "descripton", "did you mean `description`?"),
        ("#   upstream: []", "#   upstream: []\n#   dod: []", 8, "dod", "the keys here are: "),
    ] {
        let found = defects(&[("m2/a/x.rego", &PACKAGE.replacen(from, to, 1))]);
        let unknown = found.iter().find(|defect| defect.problem == format!("unknown key `{key}`")).unwrap();
        assert_eq!(unknown.location.line, line);
        assert!(unknown.help.starts_with(expected), "{unknown}");
    }
}

#[test]
fn a_code_must_be_the_one_of_its_rule() {
    assert_eq!(one("code: M2A-B1", "code: M2A-B2"), "m2/a/x.rego:21:5: `code` does not fit here");
    assert_eq!(one("code: M2A-B1", "code: M2B-B1"), "m2/a/x.rego:21:5: `code` does not fit here");
    assert_eq!(one("code: M2A-B1", "code: 7"), "m2/a/x.rego:21:11: `code` is no text");
}

#[test]
fn severity_taxonomy_and_remediation_are_checked() {
    let starts = |found: Vec<String>, start: &str| assert!(found[0].starts_with(start), "{found:?}");
    starts(with("severity: S1", "severity: S3"), "m2/a/x.rego:22:5: there is no severity `S3` of a blocker");
    starts(with("taxonomy: M2-B1", "taxonomy: M2-B13"), "m2/a/x.rego:23:5: there is no class `M2-B13`");
    starts(with("taxonomy: M2-B1", "taxonomy: B1"), "m2/a/x.rego:23:5: there is no class `B1`");
    for empty in ["\"\"", "\" \"", "{}", "[]", "~"] {
        let found = with("remediation: Create it.", &format!("remediation: {empty}"));
        assert!(found.iter().any(|problem| problem.contains("`remediation` is ")), "{empty}: {found:?}");
    }
    let found = with("#   remediation: Create it.\n", "");
    assert!(found.iter().any(|problem| problem.ends_with("`remediation` is missing")), "{found:?}");
}

#[test]
fn a_code_rule_without_metadata_is_refused() {
    let found = with("artifacts :=", "b2 contains 1\n\nartifacts :=");
    assert_eq!(found, ["m2/a/x.rego:27:1: the rule `b2` says nothing about M2A-B2"]);
    let found = with("artifacts :=", "# METADATA\n# title: Other\nb2 contains 1\n\nartifacts :=");
    assert_eq!(found, ["m2/a/x.rego:27:1: the rule `b2` says nothing about M2A-B2"]);
}

#[test]
fn metadata_stands_once_and_directly_above_its_rule() {
    let again = "# METADATA\n# title: Again\nb1 contains 2\n\nartifacts :=";
    assert_eq!(one("artifacts :=", again), "m2/a/x.rego:27:1: `b1` has METADATA a second time");
    let found = with("b1 contains 1", "\nb1 contains 1");
    assert_eq!(found[0], "m2/a/x.rego:14:1: this METADATA belongs to nothing");
    let found = with("# METADATA\n# title: Bucket", "# Metadata:\n# title: Bucket");
    assert_eq!(found[0], "m2/a/x.rego:14:1: `# Metadata:` opens no METADATA block");
}

#[test]
fn metadata_inside_a_string_is_text() {
    assert_eq!(with("artifacts :=", "text := `\n# METADATA\n# nonsense\n`\n\nartifacts :="), [""; 0]);
}

#[test]
fn broken_yaml_is_reported_with_its_place() {
    let found = with("# title: Bucket missing", "# title: Bucket: missing");
    assert!(found[0].starts_with("m2/a/x.rego:15:16: METADATA is no valid YAML: "), "{found:?}");
    let found = with("# title: Bucket missing", "# title: Bucket missing\n# title: Twice");
    assert!(found[0].starts_with("m2/a/x.rego:16:3: METADATA is no valid YAML: duplicated key"), "{found:?}");
    let found = with("# title: Bucket missing\n", "# - a list\n");
    assert!(found[0].starts_with("m2/a/x.rego:1"), "{found:?}");
}

#[test]
fn code_rules_must_be_partial_sets() {
    for rule in [
        "b2 := set()",
        "b2 := {1}",
        "b2[x] := 1 if some x in [1]",
        "default b2 := {1}",
        "b2(x) := x",
        "b2.c contains 1",
    ] {
        let found = with("artifacts :=", &format!("{rule}\n\nartifacts :="));
        assert!(found.contains(&"m2/a/x.rego:27:1: `b2` is no partial set".to_owned()), "{rule}: {found:?}");
    }
    for name in ["b01", "b0", "B2"] {
        let found = with("artifacts :=", &format!("{name} contains 1\n\nartifacts :="));
        assert_eq!(found, [format!("m2/a/x.rego:27:1: `{name}` is no name of a code rule")]);
    }
    assert_eq!(with("artifacts :=", "base := 1\n\nb := 2\n\nartifacts :="), [""; 0]);
}

#[test]
fn observations_and_artifacts_have_their_kinds() {
    assert_eq!(
        one("artifacts :=", "observations := [1]\n\nartifacts :="),
        "m2/a/x.rego:27:1: `observations` is no partial set"
    );
    let found = with("artifacts := {\"m2a_execution_summary.json\": {}}", "artifacts contains 1");
    assert!(found.contains(&"m2/a/x.rego:27:1: `artifacts` is no object".to_owned()), "{found:?}");
    assert_eq!(
        one("artifacts := {\"m2a_execution_summary.json\": {}}", ""),
        "m2/a/x.rego:1:1: artifacts are declared, but there is no rule `artifacts`"
    );
}

#[test]
fn a_lane_package_must_declare_its_lane_once() {
    assert_eq!(
        problems(&[("m2/a/x.rego", "package m2.a\n\nx := 1\n")]),
        ["m2/a/x.rego:1:1: the package `m2.a` declares no lane"]
    );
    assert_eq!(one("lane: M2.A", "lane: M2.B"), "m2/a/x.rego:5:5: `lane` does not fit here");
    let second = "# METADATA\n# title: Again\n# custom: {lane: M2.A}\npackage m2.a\n\nx := 1\n";
    assert_eq!(
        problems(&[("m2/a/x.rego", PACKAGE), ("m2/a/y.rego", second)]),
        ["m2/a/y.rego:1:1: M2.A is declared a second time"]
    );
    let more = "# METADATA\n# title: More of it\npackage m2.a\n\nx := 1\n";
    assert_eq!(problems(&[("m2/a/x.rego", PACKAGE), ("m2/a/y.rego", more)]), [""; 0]);
}

#[test]
fn the_chain_of_lanes_is_the_contracts() {
    assert_eq!(one("next: M2.B", "next: M2.C"), "m2/a/x.rego:6:5: `next` does not fit here");
    assert_eq!(one("#   next: M2.B\n", ""), "m2/a/x.rego:5:5: `next` is missing");
    assert_eq!(one("upstream: []", "upstream: [M2.K]"), "m2/a/x.rego:7:16: there is no lane `M2.K`");
    assert_eq!(one("upstream: []", "upstream: [M2.A]"), "m2/a/x.rego:7:16: `M2.A` does not come before M2.A");
    assert_eq!(one("#   upstream: []\n", ""), "m2/a/x.rego:5:5: `upstream` is missing");
}

#[test]
fn the_definition_of_done_is_held_by_codes_of_the_lane() {
    assert_eq!(with("codes: [M2A-B1]", "codes: [M2A-B9]")[0], "m2/a/x.rego:10:17: the lane has no code `M2A-B9`");
    assert_eq!(one("codes: [M2A-B1]", "codes: []"), "m2/a/x.rego:9:9: no code holds this item");
    let found = with("#   definition_of_done:\n#     - item: it is done\n#       codes: [M2A-B1]\n", "");
    assert_eq!(found, ["m2/a/x.rego:5:5: the lane has no definition of done"]);
}

#[test]
fn artifacts_have_plain_names_with_the_lanes_prefix() {
    for name in ["summary.json", "m2b_summary.json", "../m2a_x.json", "m2a_.json", "m2a_x.txt", "m2a_a/b.json"] {
        let found = with("[m2a_execution_summary.json]", &format!("[\"{name}\"]"));
        assert_eq!(found[0], format!("m2/a/x.rego:11:17: `{name}` is no name for an artifact of M2.A"));
    }
    let found = with("[m2a_execution_summary.json]", "[m2a_x.json, m2a_x.json]");
    assert_eq!(found, ["m2/a/x.rego:11:29: the artifact `m2a_x.json` stands twice"]);
}

#[test]
fn custom_metadata_that_nobody_reads_is_refused() {
    let library = "# METADATA\n# title: Checks\n# custom: {code: M2A-B1}\npackage lib.a\n\nx := 1\n";
    assert_eq!(problems(&[("lib/a.rego", library)]), ["lib/a.rego:3:12: unknown key `code`"]);
    let found = with("artifacts :=", "# METADATA\n# title: A\n# custom: {code: M2A-B2}\nartifacts :=");
    assert_eq!(found, ["m2/a/x.rego:29:12: unknown key `code`"]);
}

#[test]
fn a_scope_beyond_the_target_is_refused() {
    let found = with("# title: Bucket missing", "# title: Bucket missing\n# scope: document");
    assert_eq!(found, ["m2/a/x.rego:16:3: the scope `document` is not supported"]);
    assert_eq!(with("# title: Bucket missing", "# title: Bucket missing\n# scope: rule"), [""; 0]);
}

#[test]
fn a_missing_title_is_refused() {
    assert_eq!(one("# title: Bucket missing\n", ""), "m2/a/x.rego:15:3: `title` is missing");
}
