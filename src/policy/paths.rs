//! Paths into the input, held to the schema of fact documents: a misspelled one reads as missing in every document.
//!
//! ```text
//! rules ─┬► `input.run.region`, `object.get(input.run, ["region"], …)`, and the same by other names for it ─┐
//!        ├► `["aws", "s3", kind, name, aspect]` ───────────────────────────────────────────────────────────┼► the schema, step by step
//!        └► the same from what a function is given on ─► its calls, and the calls of those that pass it on ─┘
//! ```
//!
//! Where a step is computed, any will do. Of `aws`, services, kinds and aspects are those that are collected. What an observation's value
//! holds is the API's own and is not looked into.

mod functions;
mod scope;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::laws::rule_names;
use super::reference::Names;
use super::syntax::{Expr, Policy, Span};
use super::{Defect, PolicyError, PolicySet};
use crate::fact_schema::{FactSchema, members};
use crate::suggestion::did_you_mean;
use functions::Functions;
use scope::{Path, Root, Scope, Step, field};

/// Where the shipped policies keep which call gives which aspect, by service and kind; a test holds it to the collector's catalog.
const COLLECTED: [&str; 3] = ["contract", "receipts", "aws"];

/// What a fact document can hold.
pub(super) struct Places {
    schema: FactSchema,
    collected: Map<String, Value>,
}

impl Places {
    pub(super) fn read() -> Result<Self, PolicyError> {
        let data = Value::Object(PolicySet::embedded()?.data()?);
        let collected = COLLECTED.iter().try_fold(&data, |value, step| value.get(step)).and_then(Value::as_object);
        let collected = collected.ok_or_else(|| PolicyError::internal("the table of collected aspects is missing"))?;
        Ok(Self { schema: FactSchema::new(), collected: collected.clone() })
    }

    /// Every path of the policies that leads nowhere.
    pub(super) fn check(&self, policies: &[&Policy]) -> Vec<Defect> {
        let rule_names = rule_names(policies.iter().copied());
        let no_names = BTreeSet::new();
        let mut functions = Functions::default();
        let mut defects = Vec::new();
        for policy in policies {
            let package: Vec<String> = policy.ast.package_path().into_iter().map(str::to_owned).collect();
            let of_package = policies.iter().filter(|other| other.ast.package_path() == package);
            let of_package = of_package.flat_map(|other| &other.ast.rules).filter_map(field).collect();
            let names = Names::new(&policy.source.contents, &policy.ast, rule_names.get(&package).unwrap_or(&no_names));
            for rule in &policy.ast.rules {
                let mut paths = Vec::new();
                let mut scope = Scope::of(rule, &policy.source.contents, &of_package);
                // Tests make lists of steps up.
                scope.has_lists = !policy.source.file.ends_with("_test.rego");
                rule.computed(&mut |expression| self.expression(expression, &scope, &mut paths));
                rule.statements(&mut |statement| {
                    statement.with_mods.iter().for_each(|with| self.expression(&with.refr, &scope, &mut paths));
                });
                let name = package.iter().cloned().chain(rule.name().into_iter().map(str::to_owned)).collect();
                defects.extend(paths.iter().filter_map(|(path, span)| self.defect(policy, path, |_| Some(*span))));
                let given = paths.into_iter().map(|(path, _)| path).filter(Path::is_given).collect();
                functions.add(policy, name, &scope, given, names.references(rule));
            }
        }
        let called = functions.calls();
        let of_calls =
            called.iter().filter_map(|called| self.defect(called.policy, &called.path, |step| called.place(step)));
        let found: BTreeSet<Defect> = defects.into_iter().chain(of_calls).collect();
        found.into_iter().collect()
    }

    /// What is wrong with a path, if the step that leads nowhere has a place.
    fn defect(&self, policy: &Policy, path: &Path, place: impl Fn(&str) -> Option<Span>) -> Option<Defect> {
        if path.root != Root::Input {
            return None;
        }
        let steps: Vec<Option<String>> = path.steps.iter().map(|step| step.name().map(str::to_owned)).collect();
        let (step, known) = self.dead_end(&steps)?;
        let span = place(&step)?;
        let before: Vec<&str> = steps
            .iter()
            .take_while(|found| **found != Some(step.clone()))
            .map(|step| step.as_deref().unwrap_or("…"))
            .collect();
        let above = if before.is_empty() { "a fact document".to_owned() } else { format!("`{}`", before.join(".")) };
        let help = did_you_mean(&step, known.iter().map(String::as_str)).unwrap_or_else(|| match known.as_slice() {
            [] => "it is a single value, and has no members".to_owned(),
            known => format!("there are {}", known.join(", ")),
        });
        Some(Defect::new(policy.location(span), format!("{above} has no `{step}`"), help))
    }

    /// The paths that an expression goes, each with its place.
    fn expression(&self, expression: &Expr, scope: &Scope, paths: &mut Vec<(Path, Span)>) {
        if let Some(path) = scope.path(expression) {
            if !path.steps.is_empty() && expression.variable().is_none() {
                paths.push((path, expression.span()));
            }
            self.off_the_path(expression, scope, paths);
            return;
        }
        if let Expr::Array { items, span } = expression
            && scope.has_lists
        {
            let steps: Vec<Step> = items.iter().map(|item| scope.step(item)).collect();
            let begins = steps.first().and_then(Step::name).is_some_and(|first| self.has_section(first));
            if begins && steps.len() > 1 {
                paths.push((Path::of_input(steps), *span));
            }
        }
        paths.extend(scope.matched(expression));
        expression.inner(&mut |inner| self.expression(inner, scope, paths));
    }

    /// The paths inside an expression that is one: its computed steps, and what stands for a field that is missing.
    fn off_the_path(&self, expression: &Expr, scope: &Scope, paths: &mut Vec<(Path, Span)>) {
        match expression {
            Expr::RefDot { refr, .. } => self.off_the_path(refr, scope, paths),
            Expr::RefBrack { refr, index, .. } => {
                self.expression(index, scope, paths);
                self.off_the_path(refr, scope, paths);
            }
            Expr::Call { params, .. } => {
                if let [object, key, others @ ..] = params.as_slice() {
                    self.off_the_path(object, scope, paths);
                    key.inner(&mut |step| self.expression(step, scope, paths));
                    others.iter().for_each(|other| self.expression(other, scope, paths));
                }
            }
            _ => {}
        }
    }

    fn has_section(&self, name: &str) -> bool {
        let section = self.schema.root().get("properties").and_then(|sections| sections.get(name));
        let schemas = section.map(|section| self.schema.resolved(section)).unwrap_or_default();
        schemas.iter().any(|schema| !is_scalar(schema))
    }

    /// The first step that leads nowhere, and those that would lead on.
    fn dead_end(&self, steps: &[Option<String>]) -> Option<(String, Vec<String>)> {
        if let [Some(section), service, kind, _name, aspect] = &fixed(steps)
            && section == "aws"
        {
            let dead_end = self.dead_end_of_aws(service.as_deref(), kind.as_deref(), aspect.as_deref());
            if dead_end.is_some() {
                return dead_end;
            }
        }
        let mut schemas = vec![self.schema.root()];
        for step in steps {
            schemas = schemas.into_iter().flat_map(|schema| self.schema.resolved(schema)).collect();
            // A schema that says nothing of members takes any, and what is no object has none that we know of.
            if schemas.iter().any(|schema| takes_any(schema)) {
                return None;
            }
            let next: Vec<&Value> = schemas.iter().flat_map(|schema| members(schema, step.as_deref())).collect();
            if next.is_empty() {
                let known = schemas.iter().filter_map(|schema| schema.get("properties")?.as_object());
                let known: BTreeSet<String> = known.flat_map(|known| known.keys().cloned()).collect();
                return Some((step.clone()?, known.into_iter().collect()));
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
}

/// Whether a schema is of a single value.
fn is_scalar(schema: &Value) -> bool {
    let is_single = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "number" | "boolean" | "null"));
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().all(is_single),
        kind => is_single(kind),
    }
}

/// Whether a schema says nothing of members, or takes any.
fn takes_any(schema: &Value) -> bool {
    let additional = schema.get("additionalProperties");
    additional == Some(&Value::Bool(true))
        || schema.get("properties").is_none() && additional.is_none() && !is_scalar(schema)
}

/// The first five steps; those that are not there are computed.
fn fixed(steps: &[Option<String>]) -> [Option<String>; 5] {
    std::array::from_fn(|index| steps.get(index).cloned().flatten())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::{Engine, SourceFile};

    fn problems(expression: &str) -> Vec<String> {
        problems_of(&format!("x(name, aspect) := {expression}"))
    }

    fn problems_of(rules: &str) -> Vec<String> {
        let text = format!("package lib.a\n\n{rules}\n");
        let files = [SourceFile { name: "lib/a.rego".into(), text }];
        let (_, policies) = Engine::parse(&files, Duration::from_secs(5)).unwrap();
        let found = Places::read().unwrap().check(&policies.iter().collect::<Vec<_>>());
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
    fn another_name_for_a_part_of_the_input_hides_nothing() {
        for (rules, expected) in [
            ("_run := input.run\n\nx := _run.regoin", "`run` has no `regoin`; did you mean `region`?"),
            ("x if {\n\trun := input.run\n\trun.regoin\n}", "`run` has no `regoin`; did you mean `region`?"),
            ("x := [y | s3 := input.aws.s3; y := s3.bukets[_]]", "`aws.s3` has no `bukets`; did you mean `buckets`?"),
        ] {
            assert_eq!(problems_of(rules), [expected], "{rules}");
        }
        for rules in [
            "_run := input.run\n\nx(_run) := _run.regoin",
            "_run := input.run\n\nx := y if {\n\t_run := {\"regoin\": 1}\n\ty := _run.regoin\n}",
            "_run := input.run\n\nx := _run.region",
        ] {
            assert_eq!(problems_of(rules), [""; 0], "{rules}");
        }
    }

    #[test]
    fn no_way_of_looking_something_up_hides_a_misspelled_step() {
        for (rules, expected) in [
            ("x := object.get(input.run, \"regoin\", null)", "`run` has no `regoin`; did you mean `region`?"),
            ("x := object.get(input.run, [\"regoin\"], null)", "`run` has no `regoin`; did you mean `region`?"),
            (
                "x := object.get(object.get(input, \"run\", {}), \"regoin\", null)",
                "`run` has no `regoin`; did you mean `region`?",
            ),
            ("x if {\n\tk := \"regoin\"\n\tinput.run[k]\n}", "`run` has no `regoin`; did you mean `region`?"),
            ("x := y if {\"regoin\": y} = input.run", "`run` has no `regoin`; did you mean `region`?"),
            ("f(r) := r.regoin\n\nx := f(input.run)", "`run` has no `regoin`; did you mean `region`?"),
            (
                "f(r) := object.get(r, \"regoin\", 1)\n\ng(r) := f(r)\n\nx := g(input.run)",
                "`run` has no `regoin`; did you mean `region`?",
            ),
            (
                "x := b.versoning if some b in input.aws.s3.buckets",
                "`aws.s3.buckets.…` has no `versoning`; did you mean `versioning`?",
            ),
            (
                "x := input.aws.s3.buckets[n].versoning if some n in [1]",
                "`aws.s3.buckets.…` has no `versoning`; did you mean `versioning`?",
            ),
            (
                "x if every b in input.aws.s3.buckets { b.versoning }",
                "`aws.s3.buckets.…` has no `versoning`; did you mean `versioning`?",
            ),
            (
                "x := [b | some name; b := input.aws.s3.buckets[name]; b.versoning]",
                "`aws.s3.buckets.…` has no `versoning`; did you mean `versioning`?",
            ),
            (
                "x := input.aws.s3.buckets.b.versioning.valu",
                "`aws.s3.buckets.b.versioning` has no `valu`; did you mean `value`?",
            ),
            ("x := y if {\"run\": {\"regoin\": y}} := input", "`run` has no `regoin`; did you mean `region`?"),
            ("x := [y | some run in [input.run]; y := run.regoin]", "`run` has no `regoin`; did you mean `region`?"),
            (
                "x := object.get(input, array.concat([\"run\"], [\"regoin\"]), null)",
                "`run` has no `regoin`; did you mean `region`?",
            ),
            ("x := input.run.region.name", "`run.region` has no `name`; it is a single value, and has no members"),
            ("x if true with input.run.regoin as 1", "`run` has no `regoin`; did you mean `region`?"),
        ] {
            assert_eq!(problems_of(rules), [expected], "{rules}");
        }
        for rules in [
            "x := input.terraform.stacks.core.backend.value.effective.anything",
            "f(r) := r.regoin\n\nx := f({\"regoin\": 1})",
            "x if {\n\tk := \"region\"\n\tinput.run[k]\n}",
            "x := [k | some k in [\"regoin\"]; input.run[k]]",
        ] {
            assert_eq!(problems_of(rules), [""; 0], "{rules}");
        }
    }

    #[test]
    fn what_a_function_is_given_for_a_step_is_looked_at_where_it_is_called() {
        let functions = "bucket(name, aspect) := named(\"s3\", \"buckets\", name, aspect)\n\n\
                         named(service, kind, name, aspect) := {\"at\": [\"aws\", service, kind, name, aspect]}\n\n";
        for (call, expected) in [
            ("bucket(\"b\", \"versionin\")", "`aws.s3.buckets.b` has no `versionin`; did you mean `versioning`?"),
            ("named(\"s3\", \"bukets\", \"b\", \"x\")", "`aws.s3` has no `bukets`; did you mean `buckets`?"),
            ("named(\"s4\", \"buckets\", \"b\", \"versioning\")", "`aws` has no `s4`; did you mean `s3`?"),
        ] {
            assert_eq!(problems_of(&format!("{functions}x := {call}")), [expected], "{call}");
        }
        for call in [
            "bucket(\"b\", \"versioning\")",
            "bucket(\"versionin\", input.run.region)",
            "{a: bucket(a, a) | some a in []}",
        ] {
            assert_eq!(problems_of(&format!("{functions}x := {call}")), [""; 0], "{call}");
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
