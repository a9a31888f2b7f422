//! Claims about pinning handles from outputs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fact::Terraform;

/// Stacks with these outputs, each `[value, sensitive]`.
fn terraform(stacks: &Value) -> Terraform {
    let skipped = json!({"status": "not_collected", "reason": "not of interest here"});
    let mut terraform = json!({"stacks": {}});
    for (stack, outputs) in stacks.as_object().unwrap() {
        let values = outputs.as_object().unwrap().iter().map(|(name, output)| {
            let output = if output.get(1).is_some_and(Value::is_boolean) {
                json!({"value": output[0], "sensitive": output[1]})
            } else {
                json!({"value": output, "sensitive": false})
            };
            (name.clone(), output)
        });
        let values: serde_json::Map<String, Value> = values.collect();
        let mut facts: serde_json::Map<String, Value> =
            ["directory", "backend", "init", "validate", "plan", "apply", "post_apply_plan", "state"]
                .into_iter()
                .map(|fact| (fact.to_owned(), skipped.clone()))
                .collect();
        let outputs =
            json!({"status": "present", "receipts": [], "value": {"exit_code": 0, "values": values, "log": ""}});
        facts.insert("outputs".to_owned(), outputs);
        terraform["stacks"][stack] = Value::Object(facts);
    }
    serde_json::from_value(terraform).unwrap()
}

#[track_caller]
fn pin(format: Format, text: &str, outputs: &Value) -> Pinning {
    match Pinning::of_text("registry", format, text, &terraform(outputs)) {
        Ok(pinning) => pinning,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn only_the_value_changes_in_every_format() {
    let outputs = json!({"core": {"a_b": "arn:x", "c_d": ["s-1", "s-2"], "e_f": "not asked for", "g_h": 7}});
    for (format, before, after) in [
        (
            Format::Markdown,
            "\u{feff}# A\r\n\r\n- `A_B = \"TO_PIN\"` <!-- é --> set by `apply`\r\n  * ``C_D =  \"TO_PIN\" `` x\r\n* `E_F = \"y\"`\r\n* `G_H=\"TO_PIN\"`",
            "\u{feff}# A\r\n\r\n- `A_B = \"arn:x\"` <!-- é --> set by `apply`\r\n  * ``C_D =  [\"s-1\",\"s-2\"] `` x\r\n* `E_F = \"y\"`\r\n* `G_H=7`",
        ),
        (
            Format::Json,
            "{\r\n  \"A_B\" : \"TO_PIN\",\"C_D\": {\"value\":  \"TO_PIN\" },\n\t\"E_F\": \"é\", \"G_H\":\"TO_PIN\"}",
            "{\r\n  \"A_B\" : \"arn:x\",\"C_D\": {\"value\":  [\"s-1\",\"s-2\"] },\n\t\"E_F\": \"é\", \"G_H\":7}",
        ),
        (
            Format::Yaml,
            "# é\r\nA_B: TO_PIN   # later\r\nC_D: {value: 'TO_PIN'}\r\nE_F: é\r\nG_H: \"TO_PIN\"",
            "# é\r\nA_B: \"arn:x\"   # later\r\nC_D: {value: [\"s-1\",\"s-2\"]}\r\nE_F: é\r\nG_H: 7",
        ),
        (
            Format::Toml,
            "# é\r\nA_B = \"TO_PIN\"   # later\r\nC_D = {value = 'TO_PIN'}\r\nE_F = 'é'\r\nG_H = \"TO_PIN\"",
            "# é\r\nA_B = \"arn:x\"   # later\r\nC_D = {value = [\"s-1\", \"s-2\"]}\r\nE_F = 'é'\r\nG_H = 7",
        ),
    ] {
        let pinning = pin(format, before, &outputs);
        assert_eq!(pinning.after, after, "{format:?}");
        assert_eq!(pinning.pinned.keys().collect::<Vec<_>>(), ["A_B", "C_D", "G_H"], "{format:?}");
        assert!(pinning.skipped.is_empty());
    }
}

#[test]
fn every_pin_of_a_handle_is_written_and_another_handle_still_names_it() {
    let text = "* `A_B = \"TO_PIN\"`\n* `C_D = \"A_B\"`\n* `A_B = \"TO_PIN\"`\n";
    let pinning = pin(Format::Markdown, text, &json!({"core": {"a_b": "x", "c_d": "y"}}));
    assert_eq!(pinning.after, "* `A_B = \"x\"`\n* `C_D = \"A_B\"`\n* `A_B = \"x\"`\n");
    assert_eq!(pinning.pinned.len(), 1);
}

#[test]
fn what_has_no_usable_value_stays_and_is_said() {
    let text = "A_A: TO_PIN\nB_B: TO_PIN\nC_C: TO_PIN\nD_D: TO_PIN\nE_E: TO_PIN\nF_F: TO_PIN\n";
    let print = format!("{}{}", crate::redact::FINGERPRINT_PREFIX, "0".repeat(64));
    let outputs = json!({
        "core": {"a_a": ["hunter22", true], "b_b": null, "c_c": {"k": 1}, "d_d": "x", "f_f": print},
        "ops": {"d_d": "y"},
    });
    let pinning = pin(Format::Yaml, text, &outputs);
    assert_eq!(pinning.after, text);
    let reasons: Vec<&str> = pinning.skipped.values().map(String::as_str).collect();
    let expected = [
        "the output a_a of stack core is sensitive, and sensitive outputs are never pinned",
        "the output b_b of stack core is null",
        "the output c_c of stack core is an object",
        "the stacks core and ops give different values for the output d_d",
        "the output f_f of stack core was redacted, for it looks like a secret",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_value_that_would_change_anything_else_is_refused_with_advice() {
    for (format, text, value) in [
        (Format::Markdown, "* `A_A = \"TO_PIN\"`\n* `B_B = 1`\n", "B_B"),
        (Format::Markdown, "* `A_A = \"TO_PIN\"`\n", "a`b"),
        (Format::Yaml, "A_A: TO_PIN\nB_B: 1\n", "B_B"),
        (Format::Yaml, "A_A: \"TO\\u005FPIN\"\n", "x"),
        (Format::Json, "{\"A_A\": \"TO\\u005FPIN\"}", "x"),
    ] {
        let error =
            Pinning::of_text("registry", format, text, &terraform(&json!({"core": {"a_a": value}}))).unwrap_err();
        assert!(error.to_string().contains("the value of A_A cannot be written here"), "{error}");
        assert!(error.help().unwrap().contains("by hand"));
    }
}

#[test]
fn a_handle_without_an_output_is_left_alone() {
    let text = "* `A_A = \"TO_PIN\"`";
    let pinning = pin(Format::Markdown, text, &json!({"core": {"b_b": "x"}}));
    assert_eq!((pinning.after.as_str(), pinning.pinned.len(), pinning.skipped.len()), (text, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pinned_registry_reads_as_before_but_for_what_was_pinned(
        pins in prop::collection::btree_map("[A-Z][A-Z0-9]{0,4}_[A-Z0-9_]{1,8}", "[ -_a-~éß→]{0,12}", 1..6),
        remark in "[ -_a-~é]{0,12}",
        newline in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        // Every second handle is pinned already, to the text that the others get.
        let is_open = |index: usize| index.is_multiple_of(2);
        let outputs: BTreeMap<String, &String> = pins.iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        for format in ALL {
            let line = |(index, (name, value)): (usize, (&String, &String))| {
                let value = Value::from(if is_open(index) { "TO_PIN" } else { value.as_str() });
                match format {
                    Format::Markdown => format!("* `{name} = {value}` {remark}"),
                    Format::Json => format!("{}\"{name}\": {value}", if index == 0 { "{" } else { ", " }),
                    Format::Yaml => format!("{name}: {value} # {remark}"),
                    Format::Toml => format!("{name} = {} # {remark}", toml_edit::Value::from(value.as_str().unwrap_or_default())),
                }
            };
            let mut text = pins.iter().enumerate().map(line).collect::<Vec<_>>().join(newline);
            if format == Format::Json { text.push('}'); }
            let Ok(before) = Registry::parse("registry", format, &text) else { continue };
            match Pinning::of_text("registry", format, &text, &terraform(&json!({"core": outputs}))) {
                // A value that names one of the handles.
                Err(error) => prop_assert!(error.to_string().contains("cannot be written here"), "{}", error),
                Ok(pinning) => {
                    let after = Registry::parse("registry", format, &pinning.after).unwrap();
                    prop_assert_eq!(before.handles.len(), after.handles.len());
                    for (name, handle) in &before.handles {
                        let mut expected = handle.clone();
                        if let Some(value) = pinning.pinned.get(name) { expected.value = value.clone(); }
                        prop_assert_eq!(&expected, &after.handles[name], "{}", &pinning.after);
                    }
                    let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
                    for (index, (old, new)) in lines(&text).iter().zip(lines(&pinning.after)).enumerate() {
                        if !is_open(index) { prop_assert_eq!(old, &new); }
                    }
                }
            }
        }
    }
}
