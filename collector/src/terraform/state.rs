//! `terraform state pull`, reduced to identity and inventory, and `terraform output -json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fact::Output;
use crate::redact::{Redactor, is_telling, may_name_credential};

/// The identity and inventory of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inventory {
    pub(super) serial: u64,
    pub(super) lineage: String,
    pub(super) terraform_version: String,
    pub(super) managed_resources: Vec<String>,
    pub(super) resource_arns: Vec<String>,
    pub(super) outputs: Vec<String>,
}

/// Why an answer could not be reduced.
#[derive(Debug, thiserror::Error)]
#[error("the {document} has no {field}")]
pub(super) struct ShapeError {
    document: &'static str,
    field: &'static str,
}

/// Reduces a state.
pub(super) fn reduce(state: &Value) -> Result<Inventory, ShapeError> {
    let missing = |field| ShapeError { document: "state", field };
    let text = |field| state[field].as_str().map(str::to_owned).ok_or_else(|| missing(field));
    let mut managed_resources = BTreeSet::new();
    let mut resource_arns = BTreeSet::new();
    for resource in state["resources"].as_array().ok_or_else(|| missing("resources"))? {
        if resource["mode"].as_str() != Some("managed") {
            continue;
        }
        let address = address(resource).ok_or_else(|| missing("address of a resource"))?;
        for instance in resource["instances"].as_array().ok_or_else(|| missing("instances of a resource"))? {
            // A deposed object is one that waits for its deletion; it has its successor's address.
            let index = match &instance["index_key"] {
                Value::Null => String::new(),
                key => format!("[{key}]"),
            };
            managed_resources.insert(format!("{address}{index}"));
            // Not every resource has an ARN, and one that is still being created has an empty one.
            let arn = instance["attributes"]["arn"].as_str().filter(|arn| arn.starts_with("arn:"));
            resource_arns.extend(arn.map(str::to_owned));
        }
    }
    let outputs = state["outputs"].as_object().ok_or_else(|| missing("outputs"))?;
    let mut outputs: Vec<String> = outputs.keys().cloned().collect();
    outputs.sort();
    Ok(Inventory {
        serial: state["serial"].as_u64().ok_or_else(|| missing("serial"))?,
        lineage: text("lineage")?,
        terraform_version: text("terraform_version")?,
        managed_resources: managed_resources.into_iter().collect(),
        resource_arns: resource_arns.into_iter().collect(),
        outputs,
    })
}

fn address(resource: &Value) -> Option<String> {
    let (kind, name) = (resource["type"].as_str()?, resource["name"].as_str()?);
    match resource["module"].as_str() {
        Some(module) => Some(format!("{module}.{kind}.{name}")),
        None => Some(format!("{kind}.{name}")),
    }
}

/// Reduces outputs: a sensitive value, and one under a name that says so, becomes its fingerprint.
pub(super) fn outputs(answer: &Value, redactor: &Redactor) -> Result<BTreeMap<String, Output>, ShapeError> {
    let missing = |field| ShapeError { document: "list of outputs", field };
    let answer = answer.as_object().ok_or_else(|| missing("outputs"))?;
    let mut outputs = BTreeMap::new();
    for (name, output) in answer {
        let value = output.get("value").ok_or_else(|| missing("value of an output"))?;
        let sensitive = output["sensitive"].as_bool().ok_or_else(|| missing("sensitivity of an output"))?;
        let is_secret = sensitive || (may_name_credential(name) && tells(value));
        let value = if is_secret {
            // By its name it may be a secret; only Terraform's mark says that it is one.
            if sensitive {
                redactor.learn_value(value)
            } else {
                redactor.suspect_value(value)
            }
            Value::String(redactor.fingerprint_value(value))
        } else {
            redactor.show_value(value);
            value.clone()
        };
        outputs.insert(name.clone(), Output { value, sensitive });
    }
    Ok(outputs)
}

/// Whether a text in the value can be a credential.
fn tells(value: &Value) -> bool {
    match value {
        Value::String(text) => is_telling(text),
        Value::Array(items) => items.iter().any(tells),
        Value::Object(fields) => fields.values().any(tells),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Hands the values of outputs that are not sensitive to the scan, as Terraform gave them.
pub(super) fn watch_outputs(answer: &Value, redactor: &Redactor, source: &str) {
    for (name, output) in answer.as_object().into_iter().flatten() {
        if output["sensitive"] == false {
            redactor.watch_value(source, name, &output["value"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_is_reduced_to_identity_and_inventory() {
        let state = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "l",
            "outputs": {"b": {"value": "hunter22"}, "a": {"value": 1}},
            "resources": [
                {"mode": "managed", "type": "t", "name": "many", "instances": [{"index_key": 1}, {"index_key": 0}]},
                {"mode": "managed", "type": "t", "name": "one", "module": "module.m[\"k\"]",
                 "instances": [{"index_key": "a\"b", "attributes": {"password": "hunter22"}}]},
                {"mode": "managed", "type": "t", "name": "none", "instances": []},
                {"mode": "data", "type": "t", "name": "read", "instances": [{}]},
            ],
        });
        let inventory = reduce(&state).expect("a state");
        assert_eq!(inventory.managed_resources, ["module.m[\"k\"].t.one[\"a\\\"b\"]", "t.many[0]", "t.many[1]"]);
        assert_eq!((inventory.serial, inventory.lineage.as_str()), (7, "l"));
        assert_eq!(inventory.outputs, ["a", "b"]);
        assert!(!format!("{inventory:?}").contains("hunter22"));
    }

    #[test]
    fn the_arns_of_managed_instances_are_listed_once_and_sorted() {
        let instance = |arn: Value| json!({"attributes": {"arn": arn, "role_arn": "arn:aws:iam::1:role/other"}});
        let state = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "l", "outputs": {},
            "resources": [
                {"mode": "managed", "type": "t", "name": "many", "instances": [
                    instance(json!("arn:aws:sqs:eu-west-2:1:b")), instance(json!("arn:aws:s3:::a")), {"deposed": "d",
                    "attributes": {"arn": "arn:aws:sqs:eu-west-2:1:old"}}]},
                {"mode": "managed", "type": "u", "name": "same", "instances": [instance(json!("arn:aws:s3:::a"))]},
                {"mode": "managed", "type": "v", "name": "none", "instances": [
                    instance(json!("")), instance(json!(null)), instance(json!(3)), {"attributes": null}, {}]},
                {"mode": "data", "type": "t", "name": "read", "instances": [instance(json!("arn:aws:s3:::not-ours"))]},
            ],
        });
        let expected = ["arn:aws:s3:::a", "arn:aws:sqs:eu-west-2:1:b", "arn:aws:sqs:eu-west-2:1:old"];
        assert_eq!(reduce(&state).expect("a state").resource_arns, expected);
    }

    #[test]
    fn what_is_no_state_is_refused() {
        assert!(reduce(&json!({})).is_err());
        assert!(reduce(&json!({"serial": 1, "lineage": "l", "terraform_version": "1", "outputs": {}})).is_err());
    }

    #[test]
    fn a_sensitive_output_is_a_fingerprint_and_a_plain_one_is_not() {
        let redactor = Redactor::new().expect("randomness");
        let answer = json!({
            "brokers": {"sensitive": false, "type": "string", "value": "b:9098"},
            "hidden": {"sensitive": true, "type": "string", "value": "hunter22"},
            "map": {"sensitive": true, "type": ["map", "string"], "value": {"a": "hunter33"}},
            "api_key": {"sensitive": false, "type": "string", "value": "abc"},
            "edge_api_key": {"sensitive": false, "type": "string", "value": "/platform/edge/api_key"},
        });
        let outputs = outputs(&answer, &redactor).expect("outputs");
        assert_eq!(outputs["brokers"].value, json!("b:9098"));
        assert_eq!(outputs["hidden"].value, json!(redactor.fingerprint("hunter22")));
        assert_eq!(outputs["map"].value, json!(redactor.fingerprint("{\"a\":\"hunter33\"}")));
        assert_eq!(
            (&outputs["api_key"].value, outputs["api_key"].sensitive),
            (&json!(redactor.fingerprint("abc")), false)
        );
        assert_eq!(outputs["edge_api_key"].value, json!("/platform/edge/api_key"));
        assert!(crate::redact::is_fingerprint(&redactor.redact_text("hunter33")));
    }
}
