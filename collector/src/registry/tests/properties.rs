//! Properties: no text crashes a reader, and what is written in one format reads the same in all.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Pieces that registries are made of, so that random texts come close to them.
const PIECES: [&str; 60] = [
    "* `",
    "`",
    "``",
    "```",
    "~~~",
    "- ",
    "+ ",
    "1. ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "  ",
    " = ",
    "=",
    ":",
    ": ",
    "->",
    " -> `x`",
    "<!--",
    "-->",
    "TAG_A_KEY",
    "A_B",
    "B_C",
    "value",
    "expected_tag_value",
    "\"",
    "'",
    "\\",
    "\"A_B\"",
    "\"x\"",
    "1",
    "0",
    "-",
    ".",
    "e",
    "9007199254740993",
    "true",
    "null",
    "no",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "&a",
    "*a",
    "!!",
    "|",
    ">",
    "?",
    "---",
    "...",
    "%",
    "é",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\0",
];

fn text() -> impl Strategy<Value = String> {
    let near = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => near, 1 => any::<String>()]
}

fn name() -> impl Strategy<Value = String> {
    // With an underscore, as real ones, so that a value is hardly ever the name of another handle.
    "[A-Z][A-Z0-9]{0,4}_[A-Z0-9_]{1,8}"
}

/// Values that all four formats can hold: TOML has no null.
fn value() -> impl Strategy<Value = Value> {
    let integer = -(1_i64 << 53)..=(1_i64 << 53);
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::from),
        integer.prop_map(Value::from),
        (-1e6..1e6).prop_map(|number: f64| Value::from((number * 8.0).trunc() / 8.0 + 0.0625)),
        "[ -~éß→]{0,12}".prop_map(Value::from),
        Just(Value::from("0123")),
        Just(Value::from("no")),
        Just(Value::from("TO_PIN")),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z ]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// One handle a line, so that its line is its place.
fn render(format: Format, handles: &BTreeMap<String, Value>) -> String {
    let lines = handles.iter().enumerate().map(|(index, (name, value))| match format {
        Format::Markdown => {
            let fence = "`".repeat(value.to_string().split(|c| c != '`').map(str::len).max().unwrap_or(0) + 1);
            format!("* {fence}{name} = {value}{fence} remark")
        }
        Format::Json => {
            let comma = if index + 1 < handles.len() { "," } else { "}" };
            let start = if index == 0 { "{" } else { " " };
            format!("{start}\"{name}\": {}{comma}", long(value))
        }
        Format::Yaml => format!("{name}: {}", long(value)),
        Format::Toml => format!("{name} = {}", toml_value(&long(value))),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn long(value: &Value) -> Value {
    if value.is_object() { json!({"value": value}) } else { value.clone() }
}

fn toml_value(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.as_f64().unwrap().into(), Into::into),
        Value::String(text) => text.into(),
        Value::Array(items) => items.iter().map(toml_value).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (key, toml_value(value))).collect(),
        Value::Null => unreachable!("no null is generated"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_line_and_advice(text in text()) {
        for format in ALL {
            if let Err(error) = Registry::parse("registry", format, &text) {
                let message = error.to_string();
                let mut parts = message.split(':');
                prop_assert_eq!(parts.next(), Some("registry"));
                let line: usize = parts.next().unwrap().parse().unwrap();
                let column: usize = parts.next().unwrap().parse().unwrap();
                prop_assert!((1..=text.lines().count().max(1) + 1).contains(&line), "{}", message);
                prop_assert!(column >= 1, "{}", message);
                prop_assert!(error.help().is_some_and(|help| !help.is_empty()), "{}", message);
            }
        }
    }

    #[test]
    fn any_bullet_is_read_or_refused(content in "[`*A_B= \"'x0-9:>.,]{0,24}") {
        let _ = Registry::parse("registry", Format::Markdown, &format!("* `A_B = {content}"));
        let _ = Registry::parse("registry", Format::Markdown, &format!("* {content}"));
    }

    #[test]
    fn handles_read_the_same_in_every_format(handles in prop::collection::btree_map(name(), value(), 1..6)) {
        for format in ALL {
            let text = render(format, &handles);
            let registry = match Registry::parse("registry", format, &text) {
                Ok(registry) => registry,
                Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}"))),
            };
            let names: Vec<_> = registry.handles.keys().collect();
            prop_assert_eq!(names, handles.keys().collect::<Vec<_>>(), "{}", text);
            for (index, (name, value)) in handles.iter().enumerate() {
                let handle = &registry.handles[name];
                prop_assert_eq!(&handle.value, value, "{}", text);
                prop_assert_eq!(handle.line as usize, index + 1, "{}", text);
            }
        }
    }
}
