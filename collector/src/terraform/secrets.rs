//! Where secrets stand in what Terraform answers, so that they are known before any log is kept.
//!
//! Terraform marks what its schemas and the configuration call sensitive. Some secrets carry no mark: the environment of a
//! Lambda function, a parameter that was stored as plain text. Those are known by resource type and attribute name.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::{Map, Value};

use crate::redact::{Redactor, is_telling, may_name_credential, names_credential};

/// Attributes that hold a secret though their names do not say so.
const SECRET_ATTRIBUTES: &[(&str, &str)] = &[
    ("aws_ssm_parameter", "value"),
    ("aws_ssm_parameter", "insecure_value"),
    ("random_password", "result"),
    ("random_password", "bcrypt_hash"),
    ("aws_api_gateway_api_key", "value"),
];

/// Attributes that hold the variables of a program's environment, in lower case.
const ENVIRONMENTS: &[&str] =
    &["environment", "environment_variables", "environment_properties", "environmentvariables", "env", "env_vars"];

/// Parameters of these types are read by everybody who may read the parameter: Terraform marks their values nevertheless.
const PLAIN_PARAMETERS: [&str; 2] = ["String", "StringList"];

/// Learns the secrets of a plan's JSON form.
pub(super) fn learn_plan(redactor: &Redactor, plan: &Value) {
    for list in ["resource_changes", "resource_drift"] {
        for resource in plan[list].as_array().map(Vec::as_slice).unwrap_or_default() {
            let change = &resource["change"];
            let kind = resource["type"].as_str().unwrap_or_default();
            for side in ["before", "after"] {
                learn_masked(
                    remember(redactor, kind, &change[side]),
                    &change[side],
                    &change[format!("{side}_sensitive")],
                );
                learn_attributes(redactor, kind, &change[side]);
            }
        }
    }
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        for side in ["before", "after"] {
            learn_masked(declared(redactor), &change[side], &change[format!("{side}_sensitive")]);
            suspect_by_name(redactor, name, &change[side]);
        }
    }
    for values in [&plan["planned_values"], &plan["prior_state"]["values"]] {
        learn_module(redactor, &values["root_module"]);
        learn_outputs(redactor, &values["outputs"]);
    }
    let declared = &plan["configuration"]["root_module"]["variables"];
    if let Some(variables) = plan["variables"].as_object() {
        for (name, variable) in variables {
            if declared[name]["sensitive"] == true {
                redactor.learn_value(&variable["value"]);
            } else {
                learn_under(redactor, name, &variable["value"]);
            }
        }
    }
}

/// Learns the secrets of a state.
pub(super) fn learn_state(redactor: &Redactor, state: &Value) {
    for resource in state["resources"].as_array().map(Vec::as_slice).unwrap_or_default() {
        for instance in resource["instances"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let attributes = &instance["attributes"];
            let kind = resource["type"].as_str().unwrap_or_default();
            learn_attributes(redactor, kind, attributes);
            for path in instance["sensitive_attributes"].as_array().map(Vec::as_slice).unwrap_or_default() {
                remember(redactor, kind, attributes)(at_path(attributes, path));
            }
        }
    }
    learn_outputs(redactor, &state["outputs"]);
}

fn learn_outputs(redactor: &Redactor, outputs: &Value) {
    for (name, output) in outputs.as_object().into_iter().flatten() {
        if output["sensitive"] == true {
            redactor.learn_value(&output["value"]);
        } else {
            suspect_by_name(redactor, name, &output["value"]);
        }
    }
}

/// Learns the secrets of the environment that Terraform runs in: credentials of providers, and variables that are named like
/// secrets.
pub(super) fn learn_environment(redactor: &Redactor, environment: &BTreeMap<OsString, OsString>) {
    for (name, value) in environment {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        let variable = name.strip_prefix("TF_VAR_").map(str::to_lowercase);
        let is_secret = names_credential(variable.as_deref().unwrap_or(name)) || name.starts_with("TF_TOKEN_");
        // `TF_VAR_state_key` may be anything.
        let words = ["secret", "password", "token", "key", "credential"];
        let is_suspect = may_name_credential(variable.as_deref().unwrap_or(name))
            || variable.is_some_and(|variable| words.iter().any(|word| variable.contains(word)));
        if !is_secret && !is_suspect {
            continue;
        }
        // A variable of a composite type is written as JSON or HCL: its parts are what a log shows.
        let parts = match serde_json::from_str::<Value>(value) {
            Ok(parts @ (Value::Array(_) | Value::Object(_))) => parts,
            _ => Value::String(value.to_owned()),
        };
        if is_secret { learn_by_name(redactor, &parts) } else { redactor.suspect_value(&parts) }
    }
}

fn learn_module(redactor: &Redactor, module: &Value) {
    for resource in module["resources"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let (kind, values) = (resource["type"].as_str().unwrap_or_default(), &resource["values"]);
        learn_masked(remember(redactor, kind, values), values, &resource["sensitive_values"]);
        learn_attributes(redactor, kind, values);
    }
    for child in module["child_modules"].as_array().map(Vec::as_slice).unwrap_or_default() {
        learn_module(redactor, child);
    }
}

/// How a marked value of a resource is remembered: as a secret, unless the mark is the provider's own on a plain parameter.
fn remember<'a>(redactor: &'a Redactor, kind: &str, attributes: &Value) -> impl Fn(&Value) + Copy + 'a {
    let is_plain = kind == "aws_ssm_parameter"
        && attributes["type"].as_str().is_some_and(|parameter| PLAIN_PARAMETERS.contains(&parameter));
    move |value| if is_plain { redactor.suspect_value(value) } else { redactor.learn_value(value) }
}

fn declared(redactor: &Redactor) -> impl Fn(&Value) + Copy + '_ {
    move |value| redactor.learn_value(value)
}

/// Remembers the parts of a value that its mask marks: `true` marks everything below.
fn learn_masked(remember: impl Fn(&Value) + Copy, value: &Value, mask: &Value) {
    match mask {
        Value::Bool(true) => remember(value),
        Value::Array(masks) => {
            for (index, mask) in masks.iter().enumerate() {
                learn_masked(remember, &value[index], mask);
            }
        }
        Value::Object(masks) => {
            for (name, mask) in masks {
                learn_masked(remember, &value[name], mask);
            }
        }
        _ => {}
    }
}

/// Learns what stands under the name of a credential; what cannot be one (a path, a mask) is only suspected.
fn learn_by_name(redactor: &Redactor, value: &Value) {
    match value {
        Value::String(text) if is_telling(text) => redactor.learn(text),
        Value::Array(items) => items.iter().for_each(|item| learn_by_name(redactor, item)),
        Value::Object(fields) => fields.values().for_each(|field| learn_by_name(redactor, field)),
        other => redactor.suspect_value(other),
    }
}

/// Learns what stands under a name that says that it is a credential, and suspects what stands under one that may be a setting's.
fn learn_under(redactor: &Redactor, name: &str, value: &Value) {
    if names_credential(name) {
        learn_by_name(redactor, value);
    } else if may_name_credential(name) {
        redactor.suspect_value(value);
    }
}

/// Suspects every text of an output that is named like a credential: a log shows them line by line, without that name. Only
/// Terraform's mark says that an output is a secret.
fn suspect_by_name(redactor: &Redactor, name: &str, value: &Value) {
    if may_name_credential(name) {
        redactor.suspect_value(value);
    }
}

fn learn_attributes(redactor: &Redactor, kind: &str, attributes: &Value) {
    for (_, attribute) in SECRET_ATTRIBUTES.iter().filter(|(of, _)| *of == kind) {
        remember(redactor, kind, attributes)(&attributes[attribute]);
    }
    learn_named(redactor, attributes);
    learn_environments(redactor, attributes);
}

/// Learns every text under a name that says that it is a credential, at any depth; where a list or a map of texts stands under
/// such a name, which may as well hold what is only about credentials, each is suspected.
fn learn_named(redactor: &Redactor, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| learn_named(redactor, item)),
        Value::String(text) => with_document(text, &|document| learn_named(redactor, document)),
        Value::Object(fields) => {
            if let Some((name, value)) = pair(fields) {
                learn_under(redactor, name, value);
            }
            for (name, field) in fields {
                match field {
                    Value::String(_) if may_name_credential(name) => learn_under(redactor, name, field),
                    field if may_name_credential(name) && is_of_texts(field) => redactor.suspect_value(field),
                    other => learn_named(redactor, other),
                }
            }
        }
        _ => {}
    }
}

/// Learns the variables of every environment among a resource's attributes, at any depth: of functions, tasks and models.
fn learn_environments(redactor: &Redactor, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| learn_environments(redactor, item)),
        Value::String(text) => with_document(text, &|document| learn_environments(redactor, document)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if ENVIRONMENTS.contains(&name.to_lowercase().as_str()) {
                    learn_variables(redactor, field);
                } else {
                    learn_environments(redactor, field);
                }
            }
        }
        _ => {}
    }
}

/// An environment is a map of variables, a list of pairs of name and value, or blocks in which one of these stands.
fn learn_variables(redactor: &Redactor, environment: &Value) {
    match environment {
        Value::Array(items) => items.iter().for_each(|item| learn_variables(redactor, item)),
        Value::Object(fields) => match pair(fields) {
            Some((name, value)) => learn_variable(redactor, name, value),
            None => {
                for (name, field) in fields {
                    match field {
                        Value::String(_) => learn_variable(redactor, name, field),
                        other => learn_variables(redactor, other),
                    }
                }
            }
        },
        _ => {}
    }
}

/// Name and value, where an object says that it is such a pair.
fn pair(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let member = |name: &str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let value = member("value").filter(|value| value.is_string())?;
    Some((member("name")?.as_str()?, value))
}

/// A text may be a JSON document itself: the definition of a task's containers.
fn with_document(text: &str, use_document: &impl Fn(&Value)) {
    if text.starts_with(['{', '['])
        && let Ok(document @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str::<Value>(text)
    {
        use_document(&document);
    }
}

/// A variable of a function's environment may be a secret unless it is plainly a setting: a single word, a switch, a path.
/// Sweeping `production` out of every log and address would hide what the facts are about; behind its name it is replaced.
fn learn_variable(redactor: &Redactor, name: &str, value: &Value) {
    let Some(text) = value.as_str() else { return };
    let is_word =
        text.chars().count() <= 12 && text.chars().all(|character| character.is_alphabetic() || character == '_');
    let is_path = text.starts_with('/') && text.chars().all(|character| !character.is_uppercase() && character != '+');
    redactor.suspect_assigned(name, text);
    if may_name_credential(name) {
        learn_under(redactor, name, value);
    } else if !(is_word || is_path) {
        redactor.suspect(text);
    }
}

/// The attribute at a state's path: `[{"type": "get_attr", "value": "x"}, {"type": "index", "value": {"value": 0}}]`.
fn at_path<'a>(attributes: &'a Value, path: &Value) -> &'a Value {
    let mut found = attributes;
    for step in path.as_array().map(Vec::as_slice).unwrap_or_default() {
        let key = &step["value"];
        let key = if key.is_object() { &key["value"] } else { key };
        found = match key {
            Value::String(name) => &found[name],
            Value::Number(index) => match index.as_u64().and_then(|index| usize::try_from(index).ok()) {
                Some(index) => &found[index],
                // A path that is not understood marks all that it was going into.
                None => return found,
            },
            _ => return found,
        };
    }
    found
}

/// Whether a value is a list or a map of texts and nothing else.
fn is_of_texts(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        Value::Object(fields) => fields.values().all(Value::is_string),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Which of some words are swept after learning.
    fn swept<'a>(words: &[&'a str], learn: impl Fn(&Redactor)) -> Vec<&'a str> {
        let redactor = Redactor::new().expect("randomness");
        learn(&redactor);
        words.iter().copied().filter(|word| redactor.redact_text(word) != **word).collect()
    }

    #[test]
    fn every_marked_value_of_a_plan_is_learned() {
        let plan = json!({
            "variables": {"marked": {"value": "variable-1"}, "db_password": {"value": "variable-2"}, "name": {"value": "plain-1"}},
            "configuration": {"root_module": {"variables": {"marked": {"sensitive": true}, "name": {}}}},
            "resource_changes": [{"type": "t", "change": {
                "before": {"a": "before-1", "list": ["plain-2", "before-2"]}, "before_sensitive": {"a": true, "list": [false, true]},
                "after": {"deep": [{"x": "after-1"}], "input": {"db_passwords": ["named-4"], "secrets": [{"name": "plain-4"}]}},
                "after_sensitive": {"deep": true},
            }}],
            "output_changes": {
                "o": {"before": "output-1", "before_sensitive": true, "after": "output-2", "after_sensitive": true},
                "api_tokens": {"before": {"billing": "named-1"}, "before_sensitive": {}, "after": ["named-2"], "after_sensitive": []}},
            "planned_values": {
                "outputs": {
                    "p": {"sensitive": true, "value": "output-3"}, "q": {"sensitive": false, "value": "plain-3"},
                    "db_passwords": {"sensitive": false, "value": {"deep": ["named-3"]}}},
                "root_module": {"child_modules": [{"resources": [
                    {"type": "t", "values": {"s": "module-1"}, "sensitive_values": {"s": true}}]}]}},
            "prior_state": {"values": {"root_module": {"resources": [
                {"type": "aws_lambda_function", "values": {"environment": [{"variables": {
                    "A": "lambda-env-1", "LEVEL": "production", "DB_PASSWORD": "hunter", "P": "/platform/x"}}]},
                 "sensitive_values": {}},
                {"type": "random_password", "values": {"result": "random-1"}, "sensitive_values": {}}]}}},
        });
        let words = [
            "variable-1",
            "variable-2",
            "plain-1",
            "before-1",
            "before-2",
            "plain-2",
            "after-1",
            "output-1",
            "output-2",
            "output-3",
            "named-1",
            "named-2",
            "named-3",
            "named-4",
            "plain-3",
            "plain-4",
            "module-1",
            "lambda-env-1",
            "production",
            "hunter",
            "/platform/x",
            "random-1",
        ];
        let kept = ["plain-1", "plain-2", "plain-3", "plain-4", "production", "/platform/x"];
        let expected: Vec<&str> = words.iter().copied().filter(|word| !kept.contains(word)).collect();
        assert_eq!(swept(&words, |redactor| learn_plan(redactor, &plan)), expected);
    }

    #[test]
    fn the_variables_of_every_environment_are_hidden_behind_their_names() {
        let containers = json!([{"name": "app", "environment": [
            {"name": "DB_PASSWORD", "value": "container-1"}, {"name": "MODE", "value": "swordfish"}]}]);
        let plan = json!({"resource_changes": [
            {"type": "aws_lambda_function", "change": {"after": {"environment": [{"variables": {"DB_PASS": "tuna", "SETTING": "carp"}}]}}},
            {"type": "aws_sagemaker_model", "change": {"after": {"primary_container": [{"environment": {"KEY": "model-1"}}]}}},
            {"type": "aws_kinesisanalyticsv2_application", "change": {"after": {"application_configuration": [
                {"environment_properties": [{"property_group": [{"property_group_id": "g", "property_map": {"bucket": "herring"}}]}]}]}}},
            {"type": "aws_ecs_task_definition", "change": {"after": {"container_definitions": containers.to_string()}}},
        ]});
        let redactor = Redactor::new().expect("randomness");
        learn_plan(&redactor, &plan);
        for (text, secret) in [
            ("+ \"DB_PASS\" = \"tuna\"", "tuna"),
            ("~ \"SETTING\" = \"carp\" -> null", "carp"),
            ("~ \"SETTING\" = \"before\" -> \"carp\"", "carp"),
            ("{\"SETTING\":\"carp\"}", "carp"),
            ("+ name  = \"MODE\"\n              + value = \"swordfish\"", "swordfish"),
            ("{\"name\":\"MODE\",\"value\":\"swordfish\"}", "swordfish"),
            ("{\\\"name\\\":\\\"MODE\\\",\\\"value\\\":\\\"swordfish\\\"}", "swordfish"),
            ("~ \"bucket\" = \"herring\"", "herring"),
            ("model-1", "model-1"),
            ("container-1", "container-1"),
        ] {
            let redacted = redactor.redact_text(text);
            assert!(!redacted.contains(secret) && redacted.contains("redacted:"), "{text}: {redacted}");
        }
        for text in ["a tuna, a carp and a swordfish", "OTHER = \"carp\""] {
            assert_eq!(redactor.redact_text(text), text);
        }
    }

    #[test]
    fn every_sensitive_attribute_of_a_state_is_learned() {
        let state = json!({
            "outputs": {
                "o": {"sensitive": true, "value": ["output-1"]}, "p": {"value": "plain-1"}, "api_tokens": {"value": {"a": "output-2"}}},
            "resources": [
                {"type": "t", "instances": [{
                    "attributes": {"a": {"b": ["plain-2", "marked-1"]}, "c": "plain-3", "master_password": "named-1", "m": {"k": "marked-2"}},
                    "sensitive_attributes": [
                        [{"type": "get_attr", "value": "a"}, {"type": "get_attr", "value": "b"},
                         {"type": "index", "value": {"value": 1, "type": "number"}}],
                        [{"type": "get_attr", "value": "m"}, {"type": "index", "value": {"value": "k", "type": "string"}}],
                    ]}]},
                {"type": "aws_ssm_parameter", "instances": [{"attributes": {"value": "parameter-1", "name": "plain-4"}}]},
            ],
        });
        let words = [
            "output-1",
            "output-2",
            "plain-1",
            "plain-2",
            "marked-1",
            "plain-3",
            "named-1",
            "marked-2",
            "parameter-1",
            "plain-4",
        ];
        let expected = ["output-1", "output-2", "marked-1", "named-1", "marked-2", "parameter-1"];
        assert_eq!(swept(&words, |redactor| learn_state(redactor, &state)), expected);
    }

    #[test]
    fn variables_of_the_environment_are_learned_by_their_names() {
        let environment = [
            ("TF_VAR_database_password_hash", "variable-1"),
            ("TF_VAR_tokens", "[\"variable-2\"]"),
            ("TF_VAR_region_name", "plain-1"),
            ("AWS_SECRET_ACCESS_KEY", "secret-1"),
            ("GITHUB_TOKEN", "secret-2"),
            ("GRAFANA_AUTH", "secret-4"),
            ("TF_VAR_db_pass_2", "secret-5"),
            ("TF_TOKEN_app_terraform_io", "secret-3"),
            ("OLDPWD", "plain-2"),
        ];
        let environment = environment.map(|(name, value)| (OsString::from(name), OsString::from(value))).into();
        let words = [
            "variable-1",
            "variable-2",
            "plain-1",
            "secret-1",
            "secret-2",
            "secret-3",
            "secret-4",
            "secret-5",
            "plain-2",
        ];
        let expected = ["variable-1", "variable-2", "secret-1", "secret-2", "secret-3", "secret-4", "secret-5"];
        assert_eq!(swept(&words, |redactor| learn_environment(redactor, &environment)), expected);
    }
}
