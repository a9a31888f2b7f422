//! A document as the shipped lanes want it: the one that their tests begin with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::engine::{Engine, EngineValue};
use super::source::SourceFile;
use super::{PolicyError, PolicyOptions, PolicySet, evaluated_data};

/// The rule that gives it.
const READY: &str = "data.lib.fixture_test.ready";

/// The smallest fact document that passes every shipped lane.
pub(crate) fn ready_document() -> Result<Value, PolicyError> {
    let set = PolicySet::embedded()?;
    let options = PolicyOptions::default();
    let files: Vec<SourceFile> = set.policies().iter().chain(set.tests()).cloned().collect();
    let mut engine = Engine::empty(options.of_unit_tests().time_limit).with_policies(&files)?;
    engine.add_data(&evaluated_data(&set, &options)?)?;
    let terms = BTreeMap::from([(READY.to_owned(), READY.to_owned())]);
    let mut answer = engine.prepare()?.query("the ready document", &EngineValue::new(&json!({}))?, &terms, false)?;
    answer.values.remove(READY).ok_or_else(|| PolicyError::internal(format!("`{READY}` is undefined")))
}

#[cfg(test)]
mod tests {
    use super::ready_document;
    use crate::evaluate::{Document, judge};
    use crate::policy::{Policies, PolicyOptions, PolicySet};
    use crate::verdict::LaneStatus;

    #[test]
    fn the_ready_document_passes_every_shipped_lane() {
        let policies = Policies::compile(PolicySet::embedded().unwrap(), &PolicyOptions::default()).unwrap();
        let document = Document::new(ready_document().unwrap(), true).unwrap();
        let verdict = judge(&document, &policies, &[], &[]).unwrap();
        assert!(
            verdict.lanes.len() == 10 && verdict.lanes.iter().all(|lane| lane.status == LaneStatus::Pass),
            "{verdict:#?}"
        );
    }
}
