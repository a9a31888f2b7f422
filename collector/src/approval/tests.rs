use std::path::Path;

use super::read::approval;
use super::*;

const TOML: &str = r#"format = "factgate.approval/v1"
kind = "rehearsal"
approved_by = "operator"
approved_at = 2026-01-31T10:00:00+01:00
expires_at = "2026-02-01T10:00:00Z"
stacks = ["ops", "data_ml"]
reason = "quarterly rehearsal"
"#;

const JSON: &str = r#"{
  "format": "factgate.approval/v1", "kind": "rehearsal", "approved_by": "operator",
  "approved_at": "2026-01-31T10:00:00+01:00", "expires_at": "2026-02-01T10:00:00Z",
  "stacks": ["ops", "data_ml"], "reason": "quarterly rehearsal"
}"#;

const YAML: &str = "format: factgate.approval/v1
kind: rehearsal
approved_by: operator
approved_at: 2026-01-31T10:00:00+01:00
expires_at: 2026-02-01T10:00:00Z
stacks: [ops, data_ml]
reason: quarterly rehearsal
";

fn read(file: &str, text: &str) -> Result<Approval, ApprovalError> {
    approval(file, Path::new(file), text.as_bytes())
}

fn refusal(file: &str, text: &str) -> (String, String) {
    let error = read(file, text).unwrap_err();
    (error.to_string(), error.help().unwrap())
}

#[test]
fn the_three_formats_say_the_same() {
    for (file, text) in [("a.toml", TOML), ("a.json", JSON), ("a.yaml", YAML)] {
        let approval = read(file, text).unwrap();
        assert_eq!((approval.kind, approval.approved_by.as_str()), (ApprovalKind::Rehearsal, "operator"), "{file}");
        assert_eq!(approval.stacks, ["data_ml", "ops"]);
        let value = approval.observation().value().cloned().unwrap();
        assert_eq!(value["approved_at"], "2026-01-31T09:00:00Z");
        assert_eq!(value["digest"], Digest::of(text.as_bytes()).as_str());
        assert!(!approval.has_expired(approval.approved_at) && approval.has_expired(approval.expires_at));
    }
}

#[test]
fn unknown_fields_are_refused_with_their_line() {
    for (file, text, place) in [
        ("a.toml", format!("{TOML}stack = \"ops\"\n"), "a.toml:8:1"),
        ("a.json", JSON.replace("\"reason\"", "\"raeson\""), "a.json:4:33"),
        ("a.yaml", format!("{YAML}stack: ops\n"), "a.yaml:8:1"),
    ] {
        let (message, help) = refusal(file, &text);
        assert!(message.starts_with(&format!("{place}: unknown field")), "{message}");
        assert!(help.starts_with("the fields are format, kind"));
    }
}

#[test]
fn what_is_no_approval_is_refused() {
    for (from, to, part) in [
        ("approval/v1", "approval/v2", "the format is"),
        ("\"rehearsal\"", "\"holiday\"", "unknown kind"),
        ("2026-02-01T10:00:00Z", "2026-02-01T10:00:00", "no RFC 3339 time with an offset"),
        ("2026-01-31T10:00:00+01:00", "2026-01-31T10:00:00", "no RFC 3339 time with an offset"),
        ("2026-02-01T10:00:00Z", "2026-01-31T09:00:00Z", "not later than"),
        ("\"operator\"", "\" \"", "`approved_by` is no text"),
        ("\"data_ml\"", "\"ops\"", "names a stack twice"),
        ("\"data_ml\"", "\"warehouse\"", "unknown stack"),
        ("[\"ops\", \"data_ml\"]", "\"ops\"", "no list of texts"),
        ("reason = \"quarterly rehearsal\"\n", "", "`reason` is missing"),
        ("stacks = [\"ops\", \"data_ml\"]\n", "", "`stacks` are missing"),
        ("kind = \"rehearsal\"", "kind = \"m3_handoff\"", "only a rehearsal names"),
        ("kind =", "kind", "not TOML"),
    ] {
        let text = TOML.replace(from, to);
        assert_ne!(text, TOML, "{from}");
        let (message, _) = refusal("a.toml", &text);
        assert!(message.contains(part), "{message}");
    }
    assert!(refusal("a.txt", TOML).0.contains("known by its extension"));
    assert!(refusal("a.yaml", "a: {b: c}").0.contains("no field of one flat mapping"));
    assert!(
        refusal("a.yaml", &YAML.replace("kind: rehearsal", "kind: rehearsal\nkind: rehearsal")).0.contains("twice")
    );
}

#[test]
fn kinds_without_a_file_say_so() {
    let (observations, receipts) = facts(&[read("a.toml", TOML).unwrap()]);
    assert!(observations["rehearsal"].value().is_some() && receipts.contains_key("file.approval/rehearsal"));
    for kind in ["m2_go_ahead", "m3_handoff"] {
        assert!(matches!(&observations[kind], Observation::NotCollected { reason } if reason.contains(kind)));
    }
}
