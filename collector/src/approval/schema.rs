//! The published JSON Schema of an approval file, for editors. The reader is the authority; the test below holds the two together.

use serde_json::{Value, json};

use super::{ApprovalKind, FORMAT};
use crate::terraform::STACKS;

/// Names the schema; a URN, because no host serves it.
pub const SCHEMA_ID: &str = "urn:factgate:approval:v1";

/// The JSON Schema (2020-12) of an approval file.
pub fn schema() -> Value {
    let text = |description: &str| json!({"type": "string", "pattern": r"\S", "description": description});
    let instant = |description: &str| json!({"type": "string", "format": "date-time", "description": description});
    let rehearsal = ApprovalKind::Rehearsal.name();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "factgate approval, version 1",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "kind", "approved_by", "approved_at", "expires_at", "reason"],
        "properties": {
            "format": {"const": FORMAT, "description": "The format of the file."},
            "kind": {"enum": ApprovalKind::ALL.map(ApprovalKind::name), "description": "What is approved."},
            "approved_by": text("Who approves."),
            "approved_at": instant("When: RFC 3339 with an offset."),
            "expires_at": instant("Until when it holds: RFC 3339 with an offset, later than `approved_at`."),
            "stacks": {
                "type": "array",
                "items": {"enum": STACKS},
                "minItems": 1,
                "uniqueItems": true,
                "description": "The stacks that may be destroyed and recovered."
            },
            "reason": text("Why."),
        },
        // Only a rehearsal names stacks, and it must.
        "if": {"properties": {"kind": {"const": rehearsal}}},
        "then": {"required": ["stacks"]},
        "else": {"properties": {"stacks": false}},
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::approval::read::approval;

    /// What the schema says of an approval, and what the reader says of it.
    fn agreed(approved: &Value) -> bool {
        let by_schema = jsonschema::draft202012::new(&schema()).unwrap().is_valid(approved);
        let by_reader = approval("a.json", Path::new("a.json"), approved.to_string().as_bytes());
        assert_eq!(by_schema, by_reader.is_ok(), "{approved:#}: {by_reader:?}");
        by_schema
    }

    #[test]
    fn the_schema_and_the_reader_accept_the_same_approvals() {
        assert!(jsonschema::meta::is_valid(&schema()));
        let rehearsal = json!({
            "format": FORMAT, "kind": "rehearsal", "approved_by": "operator", "approved_at": "2026-01-31T10:00:00+01:00",
            "expires_at": "2026-02-01T10:00:00Z", "stacks": ["ops", "data_ml"], "reason": "quarterly rehearsal",
        });
        assert!(agreed(&rehearsal));
        for field in rehearsal.as_object().unwrap().keys() {
            let mut without = rehearsal.clone();
            without.as_object_mut().unwrap().remove(field);
            assert!(!agreed(&without), "{field}");
        }
        for (field, value) in [
            ("format", json!("factgate.approval/v2")),
            ("kind", json!("m2_go_ahead")),
            ("approved_by", json!(" ")),
            ("approved_at", json!(7)),
            ("stacks", json!([])),
            ("stacks", json!(["ops", "ops"])),
            ("stacks", json!(["network"])),
            ("more", json!("x")),
        ] {
            let mut other = rehearsal.clone();
            other[field] = value;
            assert!(!agreed(&other), "{other:#}");
        }
        let mut go_ahead = rehearsal;
        go_ahead["kind"] = "m2_go_ahead".into();
        go_ahead.as_object_mut().unwrap().remove("stacks");
        assert!(agreed(&go_ahead));
    }
}
