//! What reads need besides their subjects: all handles, the contract's own values, and the run's clock.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fact::{Handle, RunClock};

use super::catalog::{Defaults, pinned};

/// The region of services that bill, whatever the run's region is.
const BILLING_REGION: &str = "us-east-1";

/// What a run is about.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The handles of the registry.
    pub handles: &'a BTreeMap<String, Handle>,
    /// What the registry may leave unpinned.
    pub defaults: &'a Defaults,
    /// The instant that the run counts as now.
    pub clock: RunClock,
}

impl Context<'_> {
    /// A handle's value as a variable of its name would hold it; none if it is missing or not pinned.
    pub(super) fn handle_text(&self, name: &str) -> Option<String> {
        match &self.handles.get(name)?.value {
            Value::String(_) => pinned(self.handles, name).map(str::to_owned),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Where budgets and costs are kept.
    pub(super) fn billing_region(&self) -> &str {
        pinned(self.handles, "AWS_BILLING_REGION").unwrap_or(BILLING_REGION)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::catalog::handle;
    use super::*;

    #[test]
    fn a_handle_is_compared_as_text() {
        let cases = [
            (json!("a"), Some("a")),
            (json!(1_048_576), Some("1048576")),
            (json!(true), Some("true")),
            (json!("TO_PIN"), None),
            (json!(""), None),
            (json!(null), None),
        ];
        for (value, text) in cases {
            let handles = BTreeMap::from([("NAME".to_owned(), handle(value))]);
            let context = Context { handles: &handles, defaults: &Defaults::default(), clock: RunClock::now() };
            assert_eq!(context.handle_text("NAME").as_deref(), text);
            assert_eq!(context.handle_text("OTHER"), None);
        }
    }

    #[test]
    fn bills_are_kept_in_one_region() {
        let none = BTreeMap::new();
        let context = Context { handles: &none, defaults: &Defaults::default(), clock: RunClock::now() };
        assert_eq!(context.billing_region(), "us-east-1");
        let handles = BTreeMap::from([("AWS_BILLING_REGION".to_owned(), handle(json!("cn-northwest-1")))]);
        assert_eq!(Context { handles: &handles, ..context }.billing_region(), "cn-northwest-1");
    }
}
