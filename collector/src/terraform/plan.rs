//! `terraform show -json` of a plan, reduced to what changes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fact::ResourceChange;

/// What a plan changes: addresses and actions, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) summary: BTreeMap<String, u64>,
    pub(super) resource_changes: Vec<ResourceChange>,
    pub(super) drifted: Vec<String>,
    pub(super) output_changes: BTreeMap<String, Vec<String>>,
}

/// Why a plan's JSON form could not be reduced.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    /// It has another shape than Terraform documents.
    #[error("the plan's JSON form has no {0}")]
    Missing(&'static str),
    /// An action that is not known, so that its weight is not either.
    #[error("the plan has the unknown action {0:?}")]
    UnknownAction(Vec<String>),
}

/// Reduces a plan.
pub(super) fn reduce(plan: &Value) -> Result<Changes, PlanError> {
    plan["format_version"].as_str().ok_or(PlanError::Missing("format_version"))?;
    let mut changes = Changes::default();
    // Terraform leaves a list out when it is empty.
    for resource in items(&plan["resource_changes"]) {
        let address = resource["address"].as_str().ok_or(PlanError::Missing("address of a resource change"))?;
        let kind = resource["type"].as_str().ok_or(PlanError::Missing("type of a resource change"))?;
        let actions = actions(&resource["change"])?;
        let is_moved = resource["previous_address"].is_string();
        for name in names(&actions, is_moved)? {
            *changes.summary.entry(name.to_owned()).or_default() += 1;
        }
        let actions = if actions == ["no-op"] && is_moved { vec!["move".to_owned()] } else { actions };
        if actions != ["no-op"] {
            let change = ResourceChange { address: address.to_owned(), kind: kind.to_owned(), actions };
            changes.resource_changes.push(change);
        }
    }
    changes.resource_changes.sort_by(|one, other| one.address.cmp(&other.address));
    for resource in items(&plan["resource_drift"]) {
        let address = resource["address"].as_str().ok_or(PlanError::Missing("address of a drifted resource"))?;
        if actions(&resource["change"])? != ["no-op"] {
            changes.drifted.push(address.to_owned());
        }
    }
    changes.drifted.sort();
    changes.drifted.dedup();
    if let Some(outputs) = plan["output_changes"].as_object() {
        for (name, change) in outputs {
            let actions = actions(change)?;
            if actions != ["no-op"] {
                changes.output_changes.insert(name.clone(), actions);
            }
        }
    }
    Ok(changes)
}

/// Terraform's actions, preceded by `import` where the change imports as well; an import alone is a no-op to Terraform.
fn actions(change: &Value) -> Result<Vec<String>, PlanError> {
    let actions = change["actions"].as_array().ok_or(PlanError::Missing("actions of a change"))?;
    let mut actions: Vec<String> = actions.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if change["importing"].is_object() {
        actions.retain(|action| action != "no-op");
        actions.insert(0, "import".to_owned());
    }
    Ok(actions)
}

/// The summary's names for a list of actions.
fn names(actions: &[String], is_moved: bool) -> Result<Vec<&'static str>, PlanError> {
    let (import, rest) = match actions {
        [first, rest @ ..] if first == "import" => (true, rest),
        all => (false, all),
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let name = match rest.as_slice() {
        [] if import => None,
        ["no-op"] if is_moved => Some("move"),
        ["no-op"] => Some("no_op"),
        ["create"] => Some("create"),
        ["read"] => Some("read"),
        ["update"] => Some("update"),
        ["delete"] => Some("delete"),
        ["forget"] => Some("forget"),
        ["delete", "create"] | ["create", "delete"] | ["create", "forget"] => Some("replace"),
        _ => return Err(PlanError::UnknownAction(actions.to_vec())),
    };
    Ok(import.then_some("import").into_iter().chain(name).collect())
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(address: &str, actions: &[&str]) -> Value {
        json!({"address": address, "type": "t", "change": {"actions": actions, "after": {"password": "hunter22"}}})
    }

    #[test]
    fn a_plan_is_reduced_to_addresses_and_actions() {
        let mut imported = change("t.imported", &["no-op"]);
        imported["change"]["importing"] = json!({"id": "x"});
        let mut moved = change("t.moved", &["no-op"]);
        moved["previous_address"] = json!("t.old");
        let plan = json!({
            "format_version": "1.2",
            "resource_changes": [
                change("t.same", &["no-op"]), change("t.new", &["create"]), change("t.again", &["delete", "create"]),
                change("data.t.read", &["read"]), imported, moved,
            ],
            "resource_drift": [change("t.drifted", &["update"]), change("t.same", &["no-op"])],
            "output_changes": {"kept": {"actions": ["no-op"]}, "new": {"actions": ["create"], "after": "hunter22"}},
        });
        let changes = reduce(&plan).expect("a plan");
        let summary = json!({"no_op": 1, "create": 1, "replace": 1, "read": 1, "import": 1, "move": 1});
        assert_eq!(json!(changes.summary), summary);
        let listed: Vec<String> = changes
            .resource_changes
            .iter()
            .map(|change| format!("{} {} {}", change.address, change.kind, change.actions.join("+")))
            .collect();
        let expected = [
            "data.t.read t read",
            "t.again t delete+create",
            "t.imported t import",
            "t.moved t move",
            "t.new t create",
        ];
        assert_eq!(listed, expected);
        assert_eq!(changes.drifted, ["t.drifted"]);
        assert_eq!(json!(changes.output_changes), json!({"new": ["create"]}));
        assert!(!format!("{changes:?}").contains("hunter22"));
    }

    #[test]
    fn a_plan_of_nothing_is_empty() {
        assert_eq!(reduce(&json!({"format_version": "1.2"})).expect("a plan"), Changes::default());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(reduce(&json!({})).is_err());
        assert!(reduce(&json!({"format_version": "1.2", "resource_changes": [change("t.x", &["explode"])]})).is_err());
        assert!(reduce(&json!({"format_version": "1.2", "resource_changes": [{"type": "t"}]})).is_err());
    }
}
