//! Claims about registries in all four formats.

use serde_json::{Value, json};

use super::*;
use crate::help::Help;

mod markdown;
mod pinning;
mod properties;
mod structured;

/// A registry of the given text.
#[track_caller]
fn read(format: Format, text: &str) -> Registry {
    match Registry::parse("registry", format, text) {
        Ok(registry) => registry,
        Err(error) => panic!("{error}"),
    }
}

/// Names and values.
#[track_caller]
fn values(format: Format, text: &str) -> Value {
    read(format, text)
        .handles
        .into_iter()
        .map(|(name, handle)| (name, handle.value))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The message for a text that is refused; every refusal has advice.
#[track_caller]
fn refusal(format: Format, text: &str) -> String {
    match Registry::parse("registry", format, text) {
        Ok(registry) => panic!("{:?}", registry.handles),
        Err(error) => {
            assert!(error.help().is_some_and(|help| !help.is_empty()), "{error}");
            error.to_string()
        }
    }
}

/// The advice for a text that is refused.
#[track_caller]
fn advice(format: Format, text: &str) -> String {
    Registry::parse("registry", format, text).unwrap_err().help().unwrap()
}

const ALL: [Format; 4] = [Format::Markdown, Format::Json, Format::Yaml, Format::Toml];

/// Snapshots of the whole workspace stand in one folder.
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots");

#[test]
fn the_sample_registry_reads_as_recorded() {
    let text = include_str!("../../../tests/fixtures/registry/dev_full.registry.md");
    let registry = read(Format::Markdown, text);
    let state_machine = &registry.handles["SR_READY_COMMIT_STATE_MACHINE"];
    assert_eq!(state_machine.resolved_through, ["SFN_PLATFORM_RUN_ORCHESTRATOR_V0"]);
    assert_eq!(registry.handles["ROLE_TERRAFORM_APPLY_DEV_FULL"].repeated_on.len(), 1);
    assert_eq!(registry.handles["TAG_PROJECT_KEY"].expected_tag_value.as_deref(), Some("fraud-platform"));
    assert!(!registry.handles.contains_key("ROLE_EKS_IRSA_IG"));
    insta::with_settings!({snapshot_path => SNAPSHOTS, prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_json_snapshot!("registry__sample__json", registry.handles);
    });
}

#[test]
fn a_handle_that_names_another_has_its_value() {
    let text = "* `A_B = \"C_D\"`\n* `C_D = \"E_F\"`\n* `E_F = [1]`\n* `G_H = \"NOT_PINNED\"`\n";
    let registry = read(Format::Markdown, text);
    let handle = &registry.handles["A_B"];
    assert_eq!((&handle.value, handle.line), (&json!([1]), 1));
    assert_eq!(handle.resolved_through, ["C_D", "E_F"]);
    assert_eq!(registry.handles["C_D"].resolved_through, ["E_F"]);
    assert_eq!(registry.handles["E_F"].resolved_through, [""; 0]);
    assert_eq!(registry.handles["G_H"].value, json!("NOT_PINNED"));
}

#[test]
fn handles_that_name_each_other_are_an_error_with_every_line() {
    let text = "* `A_A = \"B_B\"`\n\n* `B_B = \"C_C\"`\n* `C_C = \"B_B\"`\n";
    assert_eq!(
        refusal(Format::Markdown, text),
        "registry:1:4: B_B names itself: B_B (line 3) -> C_C (line 4) -> B_B (line 3)"
    );
    assert_eq!(
        refusal(Format::Markdown, "* `A_A = \"A_A\"`"),
        "registry:1:4: A_A names itself: A_A (line 1) -> A_A (line 1)"
    );
}

#[test]
fn a_very_long_chain_is_an_error() {
    let text: String = (0..40).map(|step| format!("H_{step} = \"H_{}\"\n", step + 1)).collect();
    let text = text + "H_40 = 1\n";
    assert_eq!(refusal(Format::Toml, &text), "registry:1:1: the value of H_0 goes through 40 other handles");
}

#[test]
fn a_registry_without_handles_is_an_error() {
    for format in ALL {
        for text in ["", "\n", "\u{feff}"] {
            assert_eq!(refusal(format, text), "registry:1:1: no handle is pinned here", "{format:?}");
        }
    }
    assert_eq!(refusal(Format::Json, "{}"), "registry:1:1: no handle is pinned here");
    assert_eq!(refusal(Format::Yaml, "# only\n---\n# comments\n"), "registry:1:1: no handle is pinned here");
    assert!(advice(Format::Yaml, "{}").contains("AWS_REGION: \"eu-west-2\""));
}

#[test]
fn numbers_stay_numbers_and_texts_stay_texts() {
    let expected = json!({"A": 90, "B": "90", "C": true, "D": "true", "E": 0.5, "F": -1});
    for (format, text) in [
        (Format::Markdown, "* `A = 90`\n* `B = \"90\"`\n* `C = true`\n* `D = \"true\"`\n* `E = 0.5`\n* `F = -1`"),
        (Format::Json, r#"{"A": 90, "B": "90", "C": true, "D": "true", "E": 0.5, "F": -1}"#),
        (Format::Yaml, "A: 90\nB: \"90\"\nC: true\nD: 'true'\nE: 0.5\nF: -1"),
        (Format::Toml, "A = 90\nB = \"90\"\nC = true\nD = 'true'\nE = 0.5\nF = -1"),
    ] {
        assert_eq!(values(format, text), expected, "{format:?}");
    }
}

#[test]
fn numbers_that_facts_cannot_carry_are_refused() {
    for (format, text) in [
        (Format::Markdown, "* `A_A = 9007199254740993`"),
        (Format::Json, "{\"A_A\": 9007199254740993}"),
        (Format::Yaml, "A_A: 9007199254740993"),
        (Format::Toml, "A_A = 9007199254740993"),
    ] {
        let refusal = refusal(format, text);
        assert!(refusal.ends_with("the number 9007199254740993 of A_A is beyond ±2^53"), "{refusal}");
        assert!(advice(format, text).contains("double quotes"));
    }
}

#[test]
fn null_pins_nothing() {
    for (format, text) in [
        (Format::Markdown, "* `A_A = null`"),
        (Format::Json, "{\"A_A\": null}"),
        (Format::Yaml, "A_A:"),
        (Format::Yaml, "A_A: ~"),
    ] {
        assert!(refusal(format, text).ends_with(": A_A is null"), "{format:?}");
        assert!(advice(format, text).contains("TO_PIN"));
    }
}

#[test]
fn a_byte_order_mark_and_carriage_returns_change_nothing() {
    for (format, text) in [
        (Format::Markdown, "* `A = \"x\"`\r\n\r\n* `B = 1`\r\n"),
        (Format::Json, "{\"A\": \"x\",\r\n\r\n\"B\": 1}\r\n"),
        (Format::Yaml, "A: x\r\n\r\nB: 1\r\n"),
        (Format::Toml, "A = \"x\"\r\n\r\nB = 1\r\n"),
    ] {
        let registry = read(format, &format!("\u{feff}{text}"));
        assert_eq!(registry.handles["A"].value, json!("x"), "{format:?}");
        assert_eq!((registry.handles["A"].line, registry.handles["B"].line), (1, 3), "{format:?}");
    }
}

#[test]
fn the_source_is_the_file_and_the_digest_of_its_bytes() {
    let text = "\u{feff}A = 1\n";
    let source = read(Format::Toml, text).source;
    assert_eq!((source.path.as_str(), source.digest), ("registry", Digest::of(text.as_bytes()).to_string()));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for format in ALL {
        let error = Registry::parse_bytes("registry", format, b"A = 1\n\xff\xfe").unwrap_err();
        assert_eq!(error.to_string(), "registry:2:1: not UTF-8 text");
        assert!(refusal(format, "A = 1\nB\0 = 2").starts_with("registry:2:2: a NUL byte"));
        let error = Registry::parse_bytes("registry", format, &vec![b' '; LARGEST_REGISTRY + 1]).unwrap_err();
        assert!(error.to_string().starts_with("registry: larger than 4 MiB"));
    }
}

#[test]
fn the_extension_names_the_format() {
    let folder = tempfile::tempdir().unwrap();
    for (extension, text) in [
        ("md", "* `A = 1`"),
        ("markdown", "* `A = 1`"),
        ("json", "{\"A\": 1}"),
        ("yaml", "A: 1"),
        ("yml", "A: 1"),
        ("YML", "A: 1"),
        ("toml", "A = 1"),
    ] {
        let path = folder.path().join(format!("registry.{extension}"));
        std::fs::write(&path, text).unwrap();
        assert_eq!(Registry::read(&path).unwrap().handles["A"].value, json!(1), "{extension}");
    }
    for name in ["registry", "registry.txt", "md"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "* `A = 1`").unwrap();
        let error = Registry::read(&path).unwrap_err();
        assert!(error.to_string().contains("known by its extension") && error.help().unwrap().contains(".toml"));
    }
    let error = Registry::read(folder.path()).unwrap_err();
    assert!(error.to_string().ends_with(": a directory, not a handle registry"));
    assert!(error.help().is_some());
    let error = Registry::read(&folder.path().join("none.md")).unwrap_err();
    assert!(error.to_string().ends_with("none.md: the handle registry cannot be read"));
}

#[test]
fn hostile_nesting_is_an_error_and_no_crash() {
    for (format, text) in [
        (Format::Markdown, format!("* `A_A = {}`", "[".repeat(200_000))),
        (Format::Json, format!("{{\"A_A\": {}", "[".repeat(200_000))),
        (Format::Json, "{\"A_A\": ".repeat(100_000)),
        (Format::Yaml, format!("A_A: {}", "[".repeat(200_000))),
        (Format::Yaml, format!("A_A:\n {}", "- ".repeat(200_000))),
        (Format::Yaml, "{A: ".repeat(200_000)),
        (Format::Toml, format!("A_A = {}", "[".repeat(200_000))),
        (Format::Toml, format!("A_A = {}", "{A=".repeat(200_000))),
        (Format::Toml, format!("A_A{} = 1", ".A".repeat(200_000))),
    ] {
        assert!(refusal(format, &text).starts_with("registry:"), "{format:?}");
    }
}

#[test]
fn long_lines_take_no_long_time() {
    let started = std::time::Instant::now();
    for piece in ["`", "<!-- -->", "`` ` ", "* ", "1. ", "= `A_A = 1` ", "-> ", "é"] {
        let text = format!("* `TAG_A_KEY = \"x\"` {}", piece.repeat((1 << 20) / piece.len()));
        drop(Registry::parse("registry", Format::Markdown, &text));
        drop(Registry::parse("registry", Format::Markdown, &piece.repeat((1 << 20) / piece.len())));
    }
    let members: Vec<_> = (0..50_000).map(|index| format!("\"H_{index}\": {index}")).collect();
    let line = format!("{{{}}}", members.join(", "));
    assert_eq!(read(Format::Json, &line).handles.len(), members.len());
    assert_eq!(read(Format::Yaml, &line).handles.len(), members.len());
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
