//! The schema of fact documents, walked step by step: which paths there are, and the least that must stand at one.

use serde_json::{Map, Value, json};

/// What a fact document can hold.
pub(crate) struct FactSchema(Value);

impl FactSchema {
    pub(crate) fn new() -> Self {
        Self(factgate_collector::fact::schema())
    }

    /// The schema of a whole document.
    pub(crate) fn root(&self) -> &Value {
        &self.0
    }

    /// The schemas that a schema stands for: what it refers to, or each of its alternatives.
    pub(crate) fn resolved<'schema>(&'schema self, schema: &'schema Value) -> Vec<&'schema Value> {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| self.0.pointer(pointer)) {
            return self.resolved(target);
        }
        for alternatives in ["anyOf", "oneOf"] {
            if let Some(alternatives) = schema.get(alternatives).and_then(Value::as_array) {
                return alternatives.iter().flat_map(|alternative| self.resolved(alternative)).collect();
            }
        }
        vec![schema]
    }

    /// The value of a present observation at a place that has just what must be there, and says as little as it can. What the schema
    /// leaves open, as it does all that an API answers, is an object without members.
    pub(crate) fn least_observed(&self, place: &[String]) -> Value {
        let mut schemas = self.resolved(&self.0);
        for step in place {
            schemas = schemas.into_iter().flat_map(|schema| members(schema, Some(step))).collect();
            schemas = schemas.into_iter().flat_map(|schema| self.resolved(schema)).collect();
        }
        let is_present = |schema: &&Value| schema.pointer("/properties/status/const") == Some(&json!("present"));
        let value = schemas.into_iter().find(is_present).and_then(|schema| schema.pointer("/properties/value"));
        value.map_or_else(|| json!({}), |schema| self.least(schema))
    }

    fn least(&self, schema: &Value) -> Value {
        let Some(&schema) = self.resolved(schema).first() else { return json!({}) };
        match schema.get("type").and_then(Value::as_str) {
            Some("integer" | "number") => json!(0),
            Some("string") => schema.pointer("/enum/0").cloned().unwrap_or_else(|| json!("")),
            Some("boolean") => json!(false),
            Some("array") => json!([]),
            _ => {
                let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
                let fields = required.filter_map(Value::as_str).filter_map(|name| {
                    let field = members(schema, Some(name)).first().map(|field| self.least(field))?;
                    Some((name.to_owned(), field))
                });
                Value::Object(fields.collect())
            }
        }
    }
}

/// The schemas of a member, or of all of them.
pub(crate) fn members<'schema>(schema: &'schema Value, step: Option<&str>) -> Vec<&'schema Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties").filter(|additional| !additional.is_boolean());
    match step {
        None => properties.into_iter().flat_map(Map::values).chain(additional).collect(),
        Some(step) => properties.and_then(|properties| properties.get(step)).or(additional).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::FactSchema;

    #[test]
    fn the_least_of_an_observation_has_what_its_reader_needs() {
        let schema = FactSchema::new();
        let least = |place: &str| {
            let steps: Vec<String> = place.split('/').map(str::to_owned).collect();
            schema.least_observed(&steps)
        };
        assert_eq!(least("terraform/stacks/core/outputs"), json!({"exit_code": 0, "values": {}, "log": ""}));
        assert_eq!(least("terraform/stacks/core/directory"), json!({"path": "", "files": []}));
        assert_eq!(least("aws/s3/buckets/b/versioning"), json!({}));
        assert_eq!(least("nowhere"), json!({}));
    }
}
