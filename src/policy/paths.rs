//! Paths into the input, held to the schema of fact documents: a misspelled one reads as missing in every document.
//!
//! ```text
//! rules ─► `input.run.region`, `object.get(input, ["run", "region"], …)`, `["aws", "s3", kind, name, aspect]`
//!                   └─► step by step through the schema; of `aws`, through the services, kinds and aspects that are collected
//! ```
//!
//! Where a step is computed, any will do. What an observation's value holds is the API's own and is not looked into.

use serde_json::{Map, Value};

use super::syntax::{Expr, Policy, Rule, Span};
use super::{Defect, PolicyError, PolicySet};
use crate::suggestion::did_you_mean;

/// Where the shipped policies keep which call gives which aspect, by service and kind; a test holds it to the collector's catalog.
const COLLECTED: [&str; 3] = ["contract", "receipts", "aws"];

/// A path with its place; nothing for a step that is computed.
struct InputPath {
    steps: Vec<Option<String>>,
    span: Span,
}

/// What a fact document can hold.
pub(super) struct Places {
    schema: Value,
    collected: Map<String, Value>,
}

impl Places {
    pub(super) fn read() -> Result<Self, PolicyError> {
        let data = Value::Object(PolicySet::embedded()?.data()?);
        let collected = COLLECTED.iter().try_fold(&data, |value, step| value.get(step)).and_then(Value::as_object);
        let collected = collected.ok_or_else(|| PolicyError::internal("the table of collected aspects is missing"))?;
        Ok(Self { schema: factgate_collector::fact::schema(), collected: collected.clone() })
    }

    /// Every path of a policy that leads nowhere.
    pub(super) fn check(&self, policy: &Policy) -> Vec<Defect> {
        let mut paths = Vec::new();
        for rule in &policy.ast.rules {
            self.collect(rule, &mut paths);
        }
        let wrong = paths.into_iter().filter_map(|path| {
            let (step, known) = self.dead_end(&path.steps)?;
            let before: Vec<&str> = path
                .steps
                .iter()
                .take_while(|found| **found != Some(step.clone()))
                .map(|step| step.as_deref().unwrap_or("…"))
                .collect();
            let above =
                if before.is_empty() { "a fact document".to_owned() } else { format!("`{}`", before.join(".")) };
            let help = did_you_mean(&step, known.iter().map(String::as_str))
                .unwrap_or_else(|| format!("there are {}", known.join(", ")));
            Some(Defect::new(policy.location(path.span), format!("{above} has no `{step}`"), help))
        });
        wrong.collect()
    }

    fn collect(&self, rule: &Rule, paths: &mut Vec<InputPath>) {
        rule.computed(&mut |expression| self.expression(expression, paths));
    }

    fn expression(&self, expression: &Expr, paths: &mut Vec<InputPath>) {
        if let Some(chain) = expression.chain()
            && chain.root == "input"
        {
            let steps = chain.steps.iter().map(|step| Some((*step).to_owned())).collect();
            paths.push(InputPath { steps, span: chain.span });
            expression.computed_steps(&mut |step| self.expression(step, paths));
            return;
        }
        if let Expr::Call { fcn, params, .. } = expression
            && fcn.is_builtin("object", "get")
            && let [Expr::Var { value, .. }, key @ Expr::String { .. }, ..] = params.as_slice()
            && value == "input"
        {
            paths.push(InputPath { steps: vec![key.text().map(str::to_owned)], span: key.span() });
        }
        if let Expr::Array { items, span } = expression {
            let steps: Vec<Option<String>> = items.iter().map(|item| item.text().map(str::to_owned)).collect();
            let begins = steps.first().and_then(Option::as_deref).is_some_and(|first| self.has_section(first));
            if begins && steps.len() > 1 {
                paths.push(InputPath { steps, span: *span });
            }
        }
        expression.inner(&mut |inner| self.expression(inner, paths));
    }

    fn has_section(&self, name: &str) -> bool {
        self.schema.get("properties").is_some_and(|sections| sections.get(name).is_some())
    }

    /// The first step that leads nowhere, and those that would lead on.
    fn dead_end(&self, steps: &[Option<String>]) -> Option<(String, Vec<String>)> {
        if let [Some(section), service, kind, _name, aspect] = &fixed(steps)
            && section == "aws"
        {
            return self.dead_end_of_aws(service.as_deref(), kind.as_deref(), aspect.as_deref());
        }
        let mut schemas = vec![&self.schema];
        for step in steps {
            schemas = schemas.into_iter().flat_map(|schema| self.resolved(schema)).collect();
            // A schema that says nothing of members takes any, and what is no object has none that we know of.
            if schemas
                .iter()
                .any(|schema| schema.get("properties").is_none() && schema.get("additionalProperties").is_none())
            {
                return None;
            }
            let next: Vec<&Value> = schemas.iter().flat_map(|schema| members(schema, step.as_deref())).collect();
            if next.is_empty() {
                let known = schemas.iter().filter_map(|schema| schema.get("properties")?.as_object());
                return Some((step.clone()?, known.flat_map(|known| known.keys().cloned()).collect()));
            }
            schemas = next;
        }
        None
    }

    fn dead_end_of_aws(
        &self,
        service: Option<&str>,
        kind: Option<&str>,
        aspect: Option<&str>,
    ) -> Option<(String, Vec<String>)> {
        let mut known: Vec<&Map<String, Value>> = vec![&self.collected];
        for step in [service, kind, aspect] {
            let Some(name) = step else {
                known = known.into_iter().flat_map(|level| level.values().filter_map(Value::as_object)).collect();
                continue;
            };
            if !known.iter().any(|level| level.contains_key(name)) {
                let names = known.iter().flat_map(|level| level.keys().cloned()).collect();
                return Some((name.to_owned(), names));
            }
            known = known.into_iter().filter_map(|level| level.get(name)?.as_object()).collect();
        }
        None
    }

    /// The schemas that a schema stands for: what it refers to, or each of its alternatives.
    fn resolved<'schema>(&'schema self, schema: &'schema Value) -> Vec<&'schema Value> {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| self.schema.pointer(pointer)) {
            return self.resolved(target);
        }
        for alternatives in ["anyOf", "oneOf"] {
            if let Some(alternatives) = schema.get(alternatives).and_then(Value::as_array) {
                return alternatives.iter().flat_map(|alternative| self.resolved(alternative)).collect();
            }
        }
        vec![schema]
    }
}

/// The first five steps; those that are not there are computed.
fn fixed(steps: &[Option<String>]) -> [Option<String>; 5] {
    std::array::from_fn(|index| steps.get(index).cloned().flatten())
}

fn members<'schema>(schema: &'schema Value, step: Option<&str>) -> Vec<&'schema Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties").filter(|additional| !additional.is_boolean());
    match step {
        None => properties.into_iter().flat_map(Map::values).chain(additional).collect(),
        Some(step) => properties.and_then(|properties| properties.get(step)).or(additional).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::{Engine, SourceFile};

    fn problems(expression: &str) -> Vec<String> {
        let text = format!("package lib.a\n\nx(name, aspect) := {expression}\n");
        let files = [SourceFile { name: "lib/a.rego".into(), text }];
        let (_, policies) = Engine::parse(&files, Duration::from_secs(5)).unwrap();
        let found = Places::read().unwrap().check(&policies[0]);
        found.into_iter().map(|defect| format!("{}; {}", defect.problem, defect.help)).collect()
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told_with_the_nearest_that_does() {
        for (expression, expected) in [
            ("input.runn.region", "a fact document has no `runn`; did you mean `run`?"),
            ("input.run.regoin", "`run` has no `regoin`; did you mean `region`?"),
            ("input.run[\"regoin\"]", "`run` has no `regoin`; did you mean `region`?"),
            ("object.get(input, \"handels\", {})", "a fact document has no `handels`; did you mean `handles`?"),
            ("object.get(input, [\"run\", \"regoin\"], null)", "`run` has no `regoin`; did you mean `region`?"),
            ("[\"terraform\", \"stacks\", name, \"pln\"]", "`terraform.stacks.…` has no `pln`; did you mean `plan`?"),
            ("[\"aws\", \"s3\", \"bukets\", name, aspect]", "`aws.s3` has no `bukets`; did you mean `buckets`?"),
            (
                "[\"aws\", \"s3\", \"buckets\", name, \"versionin\"]",
                "`aws.s3.buckets.…` has no `versionin`; did you mean `versioning`?",
            ),
            ("{y | some y in input.aws.s4}", "`aws` has no `s4`; did you mean `s3`?"),
            ("input.handles.A.valeu", "`handles.A` has no `valeu`; did you mean `value`?"),
        ] {
            assert_eq!(problems(expression), [expected], "{expression}");
        }
    }

    #[test]
    fn a_path_that_some_document_has_is_no_problem() {
        for expression in [
            "input.run.region",
            "input.run.caller_identity.value.Arn",
            "input.aws.s3.buckets[name].versioning.value.Status",
            "[\"aws\", \"s3\", \"buckets\", name, aspect]",
            "[\"aws\", name]",
            "[\"terraform\", \"stacks\", name, \"plan\", \"value\", \"exit_code\"]",
            "object.get(input, [\"handles\", name, \"value\"], null)",
            "array.concat([\"run\"], name)",
            "[\"whatever\", \"else\"]",
            "input",
        ] {
            assert_eq!(problems(expression), [""; 0], "{expression}");
        }
    }
}
