//! The published JSON Schema of `factgate.toml`, for editors.

use serde_json::Value;

use super::FileSettings;

/// The identifier of [`schema`].
pub const SCHEMA_ID: &str = "urn:factgate:config:v1";

/// The JSON Schema (2020-12) of `factgate.toml`: its keys and no others.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(FileSettings);
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    schema.insert("title".to_owned(), "factgate.toml".into());
    let mut schema = schema.to_value();
    let properties = schema.pointer_mut("/properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(serde_json::Map::values_mut).filter_map(Value::as_object_mut) {
        // A key that is left out has a default; TOML has no null to write it with.
        property.remove("default");
        let is_null = |kind: &Value| kind == "null" || kind.get("type").is_some_and(|kind| kind == "null");
        for word in ["type", "anyOf"] {
            let Some(Value::Array(kinds)) = property.get_mut(word) else { continue };
            kinds.retain(|kind| !is_null(kind));
            if word == "type" && kinds.len() == 1 {
                let kind = kinds.remove(0);
                property.insert(word.to_owned(), kind);
            }
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the schema says of a file, and what the reader says of it.
    fn agreed(text: &str) -> bool {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let by_schema = validator.is_valid(&toml::from_str::<Value>(text).unwrap());
        assert_eq!(by_schema, toml::from_str::<FileSettings>(text).is_ok(), "{text}");
        by_schema
    }

    #[test]
    fn the_schema_and_the_reader_accept_the_same_files() {
        for text in [
            "",
            "policies = \"p\"\nlanes = [\"M2.A\"]\nmax_attempts = 3\ncall_timeout = \"5s\"",
            "terraform = \"off\"\n[contract.rollup]\nmaximum_age_hours = 1",
        ] {
            assert!(agreed(text), "{text}");
        }
        for text in ["policy = \"p\"", "max_attempts = 0", "lanes = \"M2.A\"", "terraform = \"destroy\"", "raw = 1"] {
            assert!(!agreed(text), "{text}");
        }
    }

    #[test]
    fn every_key_says_what_it_is_for() {
        let schema = schema();
        assert!(jsonschema::meta::is_valid(&schema));
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), 24);
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{key}");
            assert!(!property.to_string().contains("null"), "{key}: {property}");
        }
    }
}
