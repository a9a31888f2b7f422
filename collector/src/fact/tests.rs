//! Claims about sealing, writing and reading fact documents.

use serde_json::{Value, json};

use super::*;
use crate::help::Help;

/// A small document with one part of every kind.
fn document() -> FactDocument {
    let receipt = "s3.GetBucketVersioning/state";
    let value = json!({
        "format": FORMAT,
        "run": {
            "phase_execution_id": "m2_20260131T235959Z",
            "collected_at": "2026-01-31T23:59:59Z",
            "tool": {"name": "factgate", "version": "0.1.0"},
            "region": "eu-west-2",
            "caller_identity": {"status": "present", "value": {"Account": "123456789012"}, "receipts": []},
            "registry": {"path": "registry.md", "digest": Digest::of(b"").as_str()},
            "terraform_mode": "plan",
        },
        "handles": {"TF_STATE_BUCKET": {"value": "state", "line": 3}},
        "terraform": {"stacks": {"core": {
            "directory": {"status": "present", "value": {"path": "core", "files": ["main.tf"]}, "receipts": []},
            "backend": {"status": "not_collected", "reason": "out of scope"},
            "init": {"status": "present", "value": {"exit_code": 0, "log": ""}, "receipts": ["terraform.init/core"]},
            "validate": {"status": "not_collected", "reason": "out of scope"},
            "plan": {"status": "not_collected", "reason": "out of scope"},
            "apply": {"status": "not_collected", "reason": "out of scope"},
            "post_apply_plan": {"status": "not_collected", "reason": "out of scope"},
            "outputs": {"status": "not_collected", "reason": "out of scope"},
            "state": {"status": "not_collected", "reason": "out of scope"},
        }}},
        "aws": {"s3": {"buckets": {"state": {
            "versioning": {"status": "present", "value": {"Status": "Enabled", "AnyField": [1.5, 1.0]}, "receipts": [receipt]},
            "encryption": {"status": "unreadable", "receipts": [], "error": {
                "code": "AccessDenied", "kind": "denied", "action": "s3:GetEncryptionConfiguration",
            }},
        }}}},
        "plaintext_scan": {"status": "present", "receipts": ["terraform.init/core"], "value": {
            "sources": [{"source": "terraform.stacks.core.init", "scanned": true}],
            "findings": [{"source": "terraform.stacks.core.init", "at": "init log, line 2", "kind": "known_secret"}],
        }},
        "receipts": {receipt: {
            "kind": "aws", "service": "s3", "operation": "GetBucketVersioning", "parameters": {"Bucket": "state"},
            "region": "eu-west-2", "started_at": "2026-01-31T23:59:58.123Z", "duration_ms": 12, "attempts": 1,
            "http_status": 200,
        }},
    });
    serde_json::from_value(value).unwrap()
}

/// The sealed document as it stands in its file, after an edit.
fn edited(edit: impl FnOnce(&mut Value)) -> String {
    let mut json = document().seal().unwrap().json().clone();
    edit(&mut json);
    serde_json::to_string_pretty(&json).unwrap()
}

/// The message and the advice for a document that is refused.
fn refusal(text: impl AsRef<[u8]>) -> String {
    let error = Facts::parse("facts.json", text.as_ref()).unwrap_err();
    format!("{error}\nhelp: {}", error.help().unwrap())
}

#[track_caller]
fn assert_refused(text: impl AsRef<[u8]>, start: &str, help: &str) {
    let refusal = refusal(text);
    assert!(refusal.starts_with(start), "{refusal}");
    assert!(refusal.split_once("\nhelp: ").is_some_and(|(_, advice)| advice.contains(help)), "{refusal}");
}

#[test]
fn a_written_document_reads_back_sealed_and_equal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.json");
    let sealed = document().seal().unwrap();
    for _ in 0..2 {
        sealed.write(&path).unwrap();
        let read = Facts::read(&path).unwrap();
        assert!(read.is_sealed());
        assert_eq!(read, sealed);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\n  \"aws\": {") && text.ends_with("}\n"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_written_document_is_readable_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.json");
    document().seal().unwrap().write(&path).unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_document_that_cannot_be_written_is_an_error() {
    let error = document().seal().unwrap().write("/no/such/folder/facts.json".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "/no/such/folder/facts.json: the fact document cannot be written");
    assert!(error.help().is_some());
}

#[test]
fn the_digest_is_over_the_canonical_form_without_it() {
    let sealed = document().seal().unwrap();
    let mut json = sealed.json().clone();
    json.as_object_mut().unwrap().remove("digest");
    let canonical = serde_json_canonicalizer::to_vec(&json).unwrap();
    assert_eq!(sealed.digest(), Some(&Digest::of(&canonical)));
    assert_eq!(sealed.document().digest.as_deref(), sealed.digest().map(Digest::as_str));
}

#[test]
fn layout_and_key_order_do_not_break_the_seal() {
    let sealed = document().seal().unwrap();
    let compact = sealed.json().to_string();
    let moved = compact.replacen("\"format\":\"factgate.facts/v1\",", "", 1);
    let moved = format!("{{\"format\":\"factgate.facts/v1\",{}", &moved[1..]);
    assert_ne!(moved, compact);
    assert_eq!(Facts::parse("facts.json", moved.as_bytes()).unwrap(), sealed);
}

#[test]
fn numbers_with_one_canonical_form_are_one_value() {
    let text = edited(|_| ()).replace("\"line\": 3", "\"line\": 3.0");
    let facts = Facts::parse("facts.json", text.as_bytes()).unwrap();
    assert_eq!(facts, document().seal().unwrap());
}

#[test]
fn a_document_without_digest_is_unsealed() {
    for digest in [None, Some(Value::Null)] {
        let text = edited(|json| match digest {
            None => drop(json.as_object_mut().unwrap().remove("digest")),
            Some(digest) => json["digest"] = digest,
        });
        let facts = Facts::parse("facts.json", text.as_bytes()).unwrap();
        assert!(!facts.is_sealed());
        let sealed = document().seal().unwrap();
        assert_eq!(facts.document(), &FactDocument { digest: None, ..sealed.document().clone() });
        assert_eq!(facts.json().get("digest"), None);
    }
}

#[test]
fn an_altered_document_is_refused() {
    let text =
        edited(|json| json["aws"]["s3"]["buckets"]["state"]["versioning"]["value"]["Status"] = "Suspended".into());
    let line = text.lines().position(|line| line.starts_with("  \"digest\"")).unwrap() + 1;
    assert_refused(
        &text,
        &format!("facts.json:{line}:3: the digest does not match: the document says sha256:"),
        "restore",
    );
    let text = edited(|json| json["digest"] = "sha256:AB".into());
    assert_refused(text, &format!("facts.json:{line}:3: the digest \"sha256:AB\" is not of the form"), "restore");
}

#[test]
fn duplicate_keys_are_refused_at_any_depth() {
    let text = edited(|_| ()).replace("\"Status\": \"Enabled\"", "\"Status\": \"Suspended\", \"Status\": \"Enabled\"");
    let line = text.lines().position(|line| line.contains("Suspended")).unwrap() + 1;
    assert_refused(&text, &format!("facts.json:{line}:"), "restore");
    assert!(refusal(&text).contains("the key \"Status\" occurs twice in one object"));
    assert_refused("{\n\"a\": 1,\n\"a\": 1}", "facts.json:3:3: the key \"a\" occurs twice", "restore");
}

#[test]
fn unknown_fields_of_our_own_parts_are_refused_where_they_stand() {
    let parts = [
        "",
        "/run",
        "/run/tool",
        "/run/caller_identity",
        "/handles/TF_STATE_BUCKET",
        "/terraform",
        "/terraform/stacks/core",
        "/terraform/stacks/core/init",
        "/aws/s3/buckets/state/versioning",
        "/receipts/s3.GetBucketVersioning~1state",
    ];
    for part in parts {
        let text = edited(|json| json.pointer_mut(part).unwrap()["unknown_field"] = 1.into());
        let line = text.lines().position(|line| line.contains("unknown_field")).unwrap() + 1;
        let refusal = refusal(text);
        if part != "/run/tool" && part != "/terraform" {
            assert!(refusal.starts_with(&format!("facts.json:{line}:")), "{part}: {refusal}");
        }
        assert!(refusal.contains("unknown field `unknown_field`"), "{part}: {refusal}");
        assert!(refusal.ends_with("help: `factgate schema facts` prints the schema of the format"), "{refusal}");
    }
}

#[test]
fn values_that_peers_sent_are_free() {
    let mut document = document();
    let aspects = document.aws.get_mut("s3").unwrap().get_mut("buckets").unwrap().get_mut("state").unwrap();
    let value = json!({"status": "?", "receipts": {"unknown": [null, {"": 1e-7}]}});
    aspects.insert("tagging".to_owned(), Observation::present(value, Vec::new()));
    let sealed = document.seal().unwrap();
    assert_eq!(Facts::parse("facts.json", sealed.json().to_string().as_bytes()).unwrap(), sealed);
}

#[test]
fn an_unknown_status_or_a_missing_field_names_its_part() {
    let text = edited(|json| json["aws"]["s3"]["buckets"]["state"]["versioning"]["status"] = "maybe".into());
    assert!(refusal(&text).contains("/aws/s3/buckets/state/versioning: unknown variant `maybe`"), "{}", refusal(&text));
    let text = edited(|json| drop(json["handles"]["TF_STATE_BUCKET"].as_object_mut().unwrap().remove("line")));
    assert!(refusal(&text).contains("/handles/TF_STATE_BUCKET: missing field `line`"), "{}", refusal(&text));
}

#[test]
fn another_format_says_who_reads_it() {
    let text = edited(|json| {
        json["format"] = "factgate.facts/v2".into();
        json["new_section"] = json!({});
        json["run"]["tool"]["version"] = "1.4.0".into();
    });
    assert_refused(text, "facts.json:", "newer factgate; use version 1.4.0 or later to read factgate.facts/v2");
    assert_refused(r#"{"format": "factgate.facts/v2"}"#, "facts.json:1:2: the format is", "use the version that wrote");
    assert_refused(
        r#"{"format": 1}"#,
        "facts.json:1:2: the format is \"1\"; factgate",
        "factgate.facts/v1 (factgate 0.1.0",
    );
    assert_refused(r#"{"format": "factgate.verdict/v1"}"#, "facts.json:1:2:", "known formats: factgate.facts/v1");
}

#[test]
fn other_json_is_no_fact_document() {
    for text in ["[]", "null", "{}", "\"facts\"", "1"] {
        assert_refused(text, "facts.json:1:1: not a fact document", "factgate collect");
    }
}

#[test]
fn the_clock_of_a_run_is_utc_and_agrees_with_its_id() {
    let text = edited(|json| json["run"]["collected_at"] = "2026-01-31T23:59:59+00:00".into());
    assert!(refusal(text).contains("run.collected_at is \"2026-01-31T23:59:59+00:00\", which is no RFC 3339 time"));
    let text = edited(|json| json["run"]["phase_execution_id"] = "run-7".into());
    assert!(refusal(text).contains("run.phase_execution_id is \"run-7\", which is not of the form"));
    let text = edited(|json| json["run"]["phase_execution_id"] = "m2_20260131T235958Z".into());
    let line = text.lines().position(|line| line.contains("phase_execution_id")).unwrap() + 1;
    assert_refused(text, &format!("facts.json:{line}:5: run.phase_execution_id is"), "agree to the second");
    let mut document = document();
    document.run.collected_at = "yesterday".to_owned();
    assert!(document.seal().unwrap_err().help().unwrap().contains("UTC"));
}

#[test]
fn numbers_that_would_be_rounded_are_refused() {
    let text = edited(|_| ()).replace("1.5", "9007199254740993");
    assert_refused(&text, "facts.json:", "as a string");
    assert!(refusal(&text).contains("the number 9007199254740993 is beyond ±2^53"));
    for number in ["-9007199254740993", "18446744073709551616", "1e300", "1e999"] {
        let text = edited(|_| ()).replace("1.5", number);
        assert_refused(text, "facts.json:", "");
    }
    let text = edited(|json| drop(json.as_object_mut().unwrap().remove("digest"))).replace("1.5", "9007199254740992");
    assert!(Facts::parse("facts.json", text.as_bytes()).is_ok());

    let mut document = document();
    document.handles.get_mut("TF_STATE_BUCKET").unwrap().value = json!({"n": [0, u64::MAX]});
    let error = document.clone().seal().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "/handles/TF_STATE_BUCKET/value/n/1: the number 18446744073709551615 is beyond ±2^53");
    crate::json::carry_numbers(&mut document.handles.get_mut("TF_STATE_BUCKET").unwrap().value);
    assert_eq!(document.handles["TF_STATE_BUCKET"].value, json!({"n": [0, "18446744073709551615"]}));
    assert!(document.seal().is_ok());
}

#[test]
fn a_truncated_document_is_refused_wherever_it_ends() {
    let text = edited(|_| ());
    for end in (1..text.len()).filter(|&end| text.is_char_boundary(end)) {
        assert_refused(&text[..end], "facts.json:", "restore the document");
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    for opening in ["[", "{\"a\":"] {
        let text = opening.repeat(200_000);
        assert_refused(text, "facts.json:1:", "restore the document");
    }
    assert!(refusal("[".repeat(200_000)).contains("nest deeper than 127 levels"));
}

#[test]
fn what_can_be_sealed_can_be_read() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |value, _| json!([value]));
    // The value of a handle stands below document, handles and handle.
    for (levels, is_sound) in [(crate::json::DEEPEST_NESTING - 3, true), (crate::json::DEEPEST_NESTING - 2, false)] {
        let mut document = document();
        document.handles.get_mut("TF_STATE_BUCKET").unwrap().value = nested(levels);
        let sealed = document.seal();
        assert_eq!(sealed.is_ok(), is_sound);
        if let Ok(sealed) = sealed {
            assert_eq!(Facts::parse("facts.json", sealed.json().to_string().as_bytes()).unwrap(), sealed);
        }
    }
}

#[test]
fn other_bytes_are_refused() {
    assert_refused("", "facts.json: the file is empty", "collect the facts again");
    assert_refused(" \n\t", "facts.json: the file is empty", "collect the facts again");
    assert_refused(b"{\n\"\xff\"}", "facts.json:2:2: not UTF-8 text", "UTF-8");
    assert_refused("\u{feff}{}", "facts.json:1:1: the file starts with a byte order mark", "without");
    assert_refused("{'a': 1}", "facts.json:1:2: not JSON: key must be a string", "restore");
    assert_refused("{} {}", "facts.json:1:4: not JSON: trailing characters", "restore");
    assert_refused("{\"a\": \"\u{0}\"}", "facts.json:1:", "restore");
    assert_refused(vec![b' '; LARGEST_DOCUMENT + 1], "facts.json: larger than 64 MiB", "right file");
}

#[test]
fn paths_that_are_no_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Facts::read(folder.path()).unwrap_err();
    assert!(error.to_string().ends_with(": a directory, not a fact document"), "{error}");
    let error = Facts::read(&folder.path().join("none.json")).unwrap_err();
    assert!(error.to_string().ends_with("none.json: the fact document cannot be read"), "{error}");
    assert!(error.help().is_some());
}

#[cfg(unix)]
#[test]
fn an_endless_file_is_too_large() {
    let error = Facts::read("/dev/zero".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "/dev/zero: larger than 64 MiB, the largest fact document that is read");
}

#[test]
fn the_schema_accepts_what_is_written_and_refuses_unknown_fields() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let sealed = document().seal().unwrap();
    assert_eq!(validator.validate(sealed.json()).map_err(|error| error.to_string()), Ok(()));
    for part in [
        "",
        "/run",
        "/handles/TF_STATE_BUCKET",
        "/aws/s3/buckets/state/versioning",
        "/terraform/stacks/core/init/value",
    ] {
        let mut json = sealed.json().clone();
        json.pointer_mut(part).unwrap()["unknown_field"] = 1.into();
        assert!(!validator.is_valid(&json), "{part}");
    }
    for (pointer, value) in [("/digest", "sha256:ab"), ("/format", "factgate.facts/v2"), ("/run/collected_at", "today")]
    {
        let mut json = sealed.json().clone();
        *json.pointer_mut(pointer).unwrap() = value.into();
        assert!(!validator.is_valid(&json), "{pointer}");
    }
}

#[test]
fn the_schema_names_itself() {
    let schema = schema();
    assert_eq!(schema["$id"], SCHEMA_ID);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::meta::is_valid(&schema));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_edit_is_refused_or_changes_nothing(
        place in 0.0..1.0, length in 0..4_usize, piece in "[\\[\\]{}\",:0-9.eE+\\-\\\\ unltrf]{0,3}",
    ) {
        let sealed = document().seal().unwrap();
        let mut bytes = sealed.json().to_string().into_bytes();
        let start = (place * bytes.len() as f64) as usize;
        bytes.splice(start..(start + length).min(bytes.len()), piece.into_bytes());
        match Facts::parse("facts.json", &bytes) {
            Ok(facts) if facts.is_sealed() => proptest::prop_assert_eq!(facts, sealed),
            // Only an edit of the name or the value of the digest itself breaks the seal without breaking the document.
            Ok(facts) => proptest::prop_assert_eq!(facts.document().digest.as_deref(), None),
            Err(error) => proptest::prop_assert!(error.help().is_some()),
        }
    }
}
