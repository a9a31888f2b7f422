//! A stack while it is being collected.

use std::collections::BTreeMap;

use super::folder::Read;
use super::session::Call;
use crate::fact::{Observation, Receipt, Stack};

/// A stack as it was collected: nothing is redacted yet and the logs are in `calls` alone.
pub(super) struct Draft {
    pub(super) name: &'static str,
    pub(super) stack: Stack,
    pub(super) calls: BTreeMap<String, Call>,
    pub(super) receipts: BTreeMap<String, Receipt>,
}

impl Draft {
    /// Whether the stack is as its files say: its plan was clean, or was applied.
    pub(super) fn is_settled(&self) -> bool {
        let is_clean = self.stack.plan.value().is_some_and(|plan| plan.exit_code == 0);
        let is_applied = self.stack.apply.value().is_some_and(|apply| apply.exit_code == 0);
        is_clean || is_applied
    }

    pub(super) fn new(name: &'static str) -> Self {
        let reason = "it was not reached";
        let stack = Stack {
            directory: Observation::not_collected(reason),
            backend: Observation::not_collected(reason),
            init: Observation::not_collected(reason),
            validate: Observation::not_collected(reason),
            plan: Observation::not_collected(reason),
            apply: Observation::not_collected(reason),
            post_apply_plan: Observation::not_collected(reason),
            outputs: Observation::not_collected(reason),
            state: Observation::not_collected(reason),
        };
        Self { name, stack, calls: BTreeMap::new(), receipts: BTreeMap::new() }
    }

    /// Gives every command behind `init` the same reason for not having been run.
    pub(super) fn skip_commands(&mut self, reason: &str) {
        self.stack.validate = Observation::not_collected(reason);
        self.stack.plan = Observation::not_collected(reason);
        self.stack.outputs = Observation::not_collected(reason);
        self.stack.state = Observation::not_collected(reason);
        self.skip_apply(reason);
    }

    pub(super) fn skip_apply(&mut self, reason: &str) {
        self.stack.apply = Observation::not_collected(reason);
        self.stack.post_apply_plan = Observation::not_collected(reason);
    }

    pub(super) fn file<T>(&mut self, read: Read<T>) -> Observation<T> {
        self.receipts.extend(read.receipt);
        read.observation
    }
}
