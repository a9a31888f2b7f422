//! The published JSON Schema of METADATA, for editors and generators. The reader is the authority: it also knows which lane and which code a
//! block belongs to. The tests hold the two together.

use serde_json::{Value, json};

use crate::policy::lane::{INHERITED, LANES, LAST_TAXONOMY};

/// The identifier of [`schema`].
const SCHEMA_ID: &str = "urn:factgate:metadata:v1";

/// The JSON Schema (2020-12) of a METADATA block, as the YAML behind `# METADATA` reads.
pub fn schema() -> Value {
    let text = |description: &str| json!({"type": "string", "pattern": r"\S", "description": description});
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string", "pattern": r"\S"}, "description": description});
    let taxonomy = (1..=LAST_TAXONOMY).map(|number| format!("M2-B{number}")).chain([INHERITED.to_owned()]);
    let code = json!({"type": "string", "pattern": "^M2[A-J]-B[1-9][0-9]*$", "description": "The blocker code."});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "METADATA of factgate policies, version 1",
        "type": "object",
        "additionalProperties": false,
        "required": ["title"],
        "properties": {
            "title": text("What the package is about; what a code blocks on."),
            "description": text("More about it."),
            "related_resources": {
                "type": "array",
                "description": "Where to read more.",
                "items": {"anyOf": [text("A URL."), {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["ref"],
                    "properties": {"ref": text("A URL."), "description": text("What stands there.")},
                }]},
            },
            "authors": {"description": "As OPA has it."},
            "organizations": {"description": "As OPA has it."},
            "entrypoint": {"description": "As OPA has it."},
            "scope": {"enum": ["package", "rule"], "description": "A block speaks for what directly follows it."},
            "custom": {"anyOf": [{"$ref": "#/$defs/lane"}, {"$ref": "#/$defs/code"}]},
        },
        "$defs": {
            "code": {
                "description": "Of the rule of a blocker code.",
                "type": "object",
                "additionalProperties": false,
                "required": ["code", "severity", "taxonomy", "remediation"],
                "properties": {
                    "code": code,
                    "severity": {"enum": ["S1", "S2"], "description": "S1 cannot be waived."},
                    "taxonomy": {"enum": taxonomy.collect::<Vec<_>>(), "description": "The class of the code's blockers."},
                    "remediation": text("What to do."),
                },
            },
            "lane": {
                "description": "Of the package of a lane.",
                "type": "object",
                "additionalProperties": false,
                "required": ["lane", "upstream", "definition_of_done", "artifacts"],
                "properties": {
                    "lane": {"enum": LANES, "description": "The lane."},
                    "next": {"enum": LANES, "description": "The lane behind it."},
                    "upstream": {
                        "type": "array", "items": {"enum": LANES}, "uniqueItems": true,
                        "description": "The lanes before it that must pass.",
                    },
                    "stacks": texts("The Terraform stacks that it reads; every stack if this is left out."),
                    "definition_of_done": {
                        "type": "array",
                        "minItems": 1,
                        "description": "What must hold for the lane to be done.",
                        "items": {
                            "type": "object",
                            "additionalProperties": false,
                            "required": ["item", "codes"],
                            "properties": {
                                "item": text("As the authority words it."),
                                "codes": {"type": "array", "minItems": 1, "items": code},
                            },
                        },
                    },
                    "artifacts": texts("The file names of its evidence."),
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::annotation::KEYS;
    use crate::policy::tests::defects;

    fn lane() -> Value {
        json!({
            "title": "Lane A", "description": "More.", "scope": "package", "authors": ["nobody"],
            "related_resources": ["https://example.com", {"ref": "https://example.com", "description": "An example."}],
            "custom": {
                "lane": "M2.A", "next": "M2.B", "upstream": [], "stacks": ["core"],
                "definition_of_done": [{"item": "it is done", "codes": ["M2A-B1"]}], "artifacts": [],
            },
        })
    }

    fn code() -> Value {
        let custom = json!({"code": "M2A-B1", "severity": "S1", "taxonomy": "M2-B1", "remediation": "Make it true."});
        json!({"title": "It is not true", "custom": custom})
    }

    /// What the schema says of a lane's and a code's METADATA, and what the reader says of them. JSON is YAML, too.
    fn agreed(lane: &Value, code: &Value) -> bool {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let by_schema = validator.is_valid(lane) && validator.is_valid(code);
        let policy = format!("# METADATA\n# {lane}\npackage m2.a\n\n# METADATA\n# {code}\nb1 contains {{}}\n");
        let by_reader = defects(&[("m2/a/x.rego", &policy)]);
        assert_eq!(by_schema, by_reader.is_empty(), "{lane:#} {code:#}: {by_reader:#?}");
        by_schema
    }

    #[test]
    fn the_schema_and_the_reader_accept_the_same_metadata() {
        assert!(jsonschema::meta::is_valid(&schema()));
        assert!(agreed(&lane(), &code()));
        for (block, pointer, values) in [
            ("lane", "/title", vec![json!(""), json!(7), json!(null)]),
            ("lane", "/scope", vec![json!("subpackages")]),
            (
                "lane",
                "/related_resources",
                vec![json!("x"), json!([7]), json!([{"description": "x"}]), json!([{"ref": "x", "more": "x"}])],
            ),
            ("lane", "/custom/lane", vec![json!("M2.K")]),
            ("lane", "/custom/upstream", vec![json!("M2.A"), json!(["M2.Z"])]),
            (
                "lane",
                "/custom/definition_of_done",
                vec![json!([]), json!([{"item": "x", "codes": []}]), json!([{"codes": ["M2A-B1"]}])],
            ),
            ("lane", "/custom/artifacts", vec![json!([7])]),
            ("code", "/custom/code", vec![json!("M2A-01")]),
            ("code", "/custom/severity", vec![json!("S3")]),
            ("code", "/custom/taxonomy", vec![json!("M2-B13"), json!("M2-B0")]),
            ("code", "/custom/remediation", vec![json!(" ")]),
        ] {
            for value in values {
                let (mut lane, mut code) = (lane(), code());
                let changed = if block == "lane" { &mut lane } else { &mut code };
                *changed.pointer_mut(pointer).unwrap() = value;
                assert!(!agreed(&lane, &code), "{pointer}: {lane} {code}");
            }
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused_by_both() {
        for key in ["title", "custom"] {
            let mut code = code();
            code.as_object_mut().unwrap().remove(key);
            // Only the reader knows that it is a code's.
            assert!(key == "custom" || !agreed(&lane(), &code), "{key}");
        }
        for key in ["code", "severity", "taxonomy", "remediation"] {
            let mut code = code();
            code["custom"].as_object_mut().unwrap().remove(key);
            assert!(!agreed(&lane(), &code), "{key}");
        }
        for key in ["lane", "upstream", "definition_of_done", "artifacts"] {
            let mut lane = lane();
            lane["custom"].as_object_mut().unwrap().remove(key);
            assert!(!agreed(&lane, &code()), "{key}");
        }
        let mut misspelled = code();
        misspelled["custom"]["remedation"] = "x".into();
        assert!(!agreed(&lane(), &misspelled));
        let properties: Vec<String> = schema()["properties"].as_object().unwrap().keys().cloned().collect();
        let mut keys = KEYS.map(str::to_owned);
        keys.sort_unstable();
        assert_eq!(properties, keys);
    }
}
