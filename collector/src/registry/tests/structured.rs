//! Claims about JSON, YAML and TOML registries.

use super::*;

const STRUCTURED: [Format; 3] = [Format::Json, Format::Yaml, Format::Toml];

#[test]
fn lines_are_kept() {
    for (format, text) in [
        (Format::Json, "{\n\n  \"A\": [\n 1],\n  \"B\": \"é\", \"C\": 3\n}"),
        (Format::Yaml, "# é\n\nA:\n  - 1\nB: é\n\"C\": 3\n"),
        (Format::Toml, "# é\n\nA = [\n 1]\nB = \"é\"\nC = 3\n"),
    ] {
        let handles = read(format, text).handles;
        let lines: Vec<_> = handles.values().map(|handle| handle.line).collect();
        let expected = if format == Format::Json { [3, 5, 5] } else { [3, 5, 6] };
        assert_eq!(lines, expected, "{format:?}");
        assert_eq!(handles["A"].value, json!([1]));
    }
}

#[test]
fn the_long_form_holds_objects_and_expected_tag_values() {
    for (format, text) in [
        (Format::Json, r#"{"TAG_A_KEY": {"value": "a", "expected_tag_value": "x"}, "B": {"value": {"value": [1]}}}"#),
        (Format::Yaml, "TAG_A_KEY:\n  value: a\n  expected_tag_value: x\nB: {value: {value: [1]}}\n"),
        (Format::Toml, "TAG_A_KEY = {value = 'a', expected_tag_value = 'x'}\nB.value.value = [1]\n"),
        (Format::Toml, "[TAG_A_KEY]\nvalue = 'a'\nexpected_tag_value = 'x'\n[B.value]\nvalue = [1]\n"),
    ] {
        let handles = read(format, text).handles;
        assert_eq!(handles["TAG_A_KEY"].value, json!("a"), "{format:?}");
        assert_eq!(handles["TAG_A_KEY"].expected_tag_value.as_deref(), Some("x"));
        assert_eq!(handles["B"].value, json!({"value": [1]}));
    }
}

#[test]
fn other_objects_are_refused() {
    for (members, message) in [
        (json!({"TF": {"TF_STATE_BUCKET": "x"}}), "TF is a nested table"),
        (json!({"TF": {}}), "TF is a nested table"),
        (json!({"TF": {"expected_tag_value": "x"}}), "TF is a nested table"),
        (json!({"TF": {"value": 1, "note": 2}}), "TF has an unknown key \"note\" beside `value`"),
        (
            json!({"TF": {"value": 1, "expected_tag_value": "x"}}),
            "TF has an expected_tag_value, but is not the key of a tag",
        ),
        (
            json!({"TAG_A_KEY": {"value": "a", "expected_tag_value": 1}}),
            "the expected_tag_value of TAG_A_KEY is not a text",
        ),
        (
            json!({"TAG_A_KEY": {"value": "a", "expected_tag_value": ""}}),
            "the expected_tag_value of TAG_A_KEY is not a text",
        ),
        (json!({"tf_bucket": "x"}), "\"tf_bucket\" is not the name of a handle"),
        (json!({"TF-BUCKET": "x"}), "\"TF-BUCKET\" is not the name of a handle"),
        (json!({"": "x"}), "\"\" is not the name of a handle"),
    ] {
        // Flow YAML is JSON.
        for format in [Format::Json, Format::Yaml] {
            let refusal = refusal(format, &members.to_string());
            assert_eq!(refusal, format!("registry:1:2: {message}"), "{format:?}");
        }
    }
    assert_eq!(refusal(Format::Toml, "A = 1\n[tags]\nB = 2"), "registry:2:2: \"tags\" is not the name of a handle");
    assert_eq!(refusal(Format::Toml, "A = 1\n[TAGS]\nB = 2"), "registry:2:2: TAGS is a nested table");
    assert_eq!(refusal(Format::Toml, "[[TAGS]]\nB = 2"), "registry:1:3: TAGS is a nested table");
}

#[test]
fn the_same_key_twice_follows_the_same_rule_as_in_markdown() {
    for (format, same, other) in
        [(Format::Json, "{\"A\": 1,\n\"A\": 1}", "{\"A\": 1,\n\"A\": 2}"), (Format::Yaml, "A: 1\nA: 1", "A: 1\nA: 2")]
    {
        let handle = &read(format, same).handles["A"];
        assert_eq!((handle.line, handle.repeated_on.as_slice()), (1, [2].as_slice()));
        assert_eq!(
            refusal(format, other),
            "registry:2:1: A is pinned twice, with different values: 1 on line 1, 2 on line 2"
        );
    }
    // TOML itself forbids it, whatever the values are.
    assert_eq!(refusal(Format::Toml, "A = 1\nA = 1"), "registry:2:1: not TOML: duplicate key");
}

#[test]
fn duplicate_keys_inside_of_a_value_are_refused() {
    for format in [Format::Json, Format::Yaml] {
        let refusal = refusal(format, r#"{"A": {"value": {"b": 1, "b": 1}}}"#);
        assert!(
            refusal.starts_with("registry:1:") && refusal.ends_with("the key \"b\" occurs twice in the value of A")
        );
    }
    assert!(refusal(Format::Toml, "A = {value = {b = 1, b = 1}}").contains("not TOML: duplicate key"));
}

#[test]
fn a_top_level_that_is_no_mapping_is_refused() {
    for text in ["[1]", "\"A\"", "1"] {
        for format in [Format::Json, Format::Yaml] {
            assert_eq!(refusal(format, text), "registry:1:1: the top level is not a mapping of handles to values");
        }
    }
}

#[test]
fn json_is_strict() {
    for (text, message) in [
        ("{'A': 1}", "registry:1:2: not JSON: Single-quoted strings are not allowed"),
        ("{A: 1}", "registry:1:2: not JSON: Expected string for object property"),
        ("{\"A\": 1,}", "registry:1:8: not JSON: Trailing commas are not allowed"),
        ("{\"A\": 1 // x\n}", "registry:1:9: not JSON: Comments are not allowed"),
        ("{\"A\": 1\n\"B\": 2}", "registry:1:8: not JSON: Expected comma"),
        ("{\"A\": 0x10}", "registry:1:7: not JSON: Hexadecimal numbers are not allowed"),
        ("{\"A\": 007}", "registry:1:8: not JSON: "),
        ("{\"A\": NaN}", "registry:1:7: not JSON: "),
        ("{\"A\": \"a\tb\"}", "registry:1:"),
        ("{\"A\": \"\\ud800\"}", "registry:1:"),
        ("{\"A\": 1", "registry:1:1: not JSON: Unterminated object"),
        ("{\"A\": 1} {}", "registry:1:10: not JSON: Text cannot contain more than one JSON value"),
    ] {
        assert!(refusal(Format::Json, text).starts_with(message), "{text}: {}", refusal(Format::Json, text));
    }
}

#[test]
fn yaml_scalars_with_two_readings_are_refused() {
    for scalar in [
        "012345678901",
        "+1",
        "0x10",
        "0o7",
        "1_000",
        ".5",
        "5.",
        "1e",
        ".inf",
        "-.inf",
        ".nan",
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "True",
        "FALSE",
        "Null",
    ] {
        let text = format!("B: 1\nA: {scalar}");
        if scalar == "1e" {
            assert_eq!(values(Format::Yaml, &text)["A"], json!("1e"));
        } else {
            assert_eq!(
                refusal(Format::Yaml, &text),
                format!("registry:2:4: {scalar:?} in the value of A can be read in more than one way")
            );
            assert!(advice(Format::Yaml, &text).contains(&format!("for a text write \"{scalar}\"")));
        }
        assert_eq!(values(Format::Yaml, &format!("A: \"{scalar}\"")), json!({"A": scalar}));
    }
    let text =
        "A: alias/x\nB: 7d\nC: 10.0.0.1\nD: 2026-01-31\nE: a, b\nF: http://x:8080\nG: |\n  two\n  lines\nNO: 'no'\n";
    let expected = json!({
        "A": "alias/x", "B": "7d", "C": "10.0.0.1", "D": "2026-01-31", "E": "a, b", "F": "http://x:8080", "G": "two\nlines\n",
        "NO": "no",
    });
    assert_eq!(values(Format::Yaml, text), expected);
}

#[test]
fn yaml_is_one_document_without_references() {
    for (text, message) in [
        ("A: &x 1", "registry:1:4: an anchor (&) in a handle registry"),
        ("A: *x", "registry:1:4: not YAML: "),
        ("A: &x 1\nB: *x", "registry:1:4: an anchor (&) in a handle registry"),
        ("A: !!str 1", "registry:1:4: a tag (!) in a handle registry"),
        ("A: !x [1]", "registry:1:"),
        ("? [a]\n: 1", "registry:1:3: a list or mapping as a key in a handle registry"),
        ("A: 1\n---\nB: 2", "registry:3:1: more than one YAML document"),
        ("A: 1\n  B: 2", "registry:2:4: not YAML: "),
        ("A: {value: {1: 2}}", "registry:1:13: \"1\" in the value of A can be read in more than one way"),
        ("A: [1", "registry:1:"),
        ("A:\n\t- 1", "registry:2:"),
    ] {
        assert!(refusal(Format::Yaml, text).starts_with(message), "{text}: {}", refusal(Format::Yaml, text));
    }
}

#[test]
fn toml_values_that_json_lacks_are_refused() {
    for (value, what) in [
        ("2026-01-31", "a date or time"),
        ("07:32:00", "a date or time"),
        ("inf", "a number that is infinite"),
        ("-nan", "a number that is infinite"),
    ] {
        let refusal = refusal(Format::Toml, &format!("A = [{value}]"));
        assert!(refusal.starts_with(&format!("registry:1:1: the value of A is {what}")), "{refusal}");
    }
    assert!(refusal(Format::Toml, "A = 1\nB = eu-west-2").starts_with("registry:2:5: not TOML: "));
}

#[test]
fn repetitions_and_references_are_found_in_every_format() {
    for format in STRUCTURED {
        let text = match format {
            Format::Toml => "A = \"B\"\nB = 1",
            _ => "{\"A\": \"B\",\n\"B\": 1}",
        };
        let registry = read(format, text);
        assert_eq!(registry.handles["A"].value, json!(1), "{format:?}");
        assert_eq!(registry.handles["A"].resolved_through, ["B"]);
    }
}
