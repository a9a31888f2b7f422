//! The published JSON Schema of the fact document.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{FORMAT, FactDocument};

/// Names the schema; a URN, because no host serves it.
pub const SCHEMA_ID: &str = "urn:factgate:facts:v1";

/// The JSON Schema (2020-12) of the format that this version of the tool writes and reads. It closes our own parts and leaves
/// the values that peers sent open.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<FactDocument>().to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("$id".to_owned(), SCHEMA_ID.into());
        members.insert("title".to_owned(), "factgate fact document, version 1".into());
    }
    // What serde does not know, but the reader checks.
    let digest = json!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"});
    let refinements = [
        ("/properties/format", json!({"const": FORMAT})),
        ("/properties/digest", digest.clone()),
        ("/$defs/RegistrySource/properties/digest", digest),
        ("/$defs/Run/properties/phase_execution_id", json!({"pattern": "^m2[a-j]?_[0-9]{8}T[0-9]{6}Z$"})),
        (
            "/$defs/Run/properties/collected_at",
            json!({"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"}),
        ),
    ];
    for (pointer, refinement) in refinements {
        if let (Some(Value::Object(members)), Value::Object(refinement)) = (schema.pointer_mut(pointer), refinement) {
            members.extend(refinement);
        }
    }
    schema
}
