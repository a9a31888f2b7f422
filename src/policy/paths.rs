//! Paths into the input, held to the schema of fact documents: a misspelled one reads as missing in every document.
//!
//! ```text
//! rules ─┬► `input.run.region`, `run := input.run` … `run.region`, `object.get(input, ["run", "region"], …)` ─┐
//!        ├► `["aws", "s3", kind, name, aspect]` ─────────────────────────────────────────────────────────────┼► the schema, step by step
//!        └► the same with parameters of a function ─► its calls, and the calls of those that pass theirs on ─┘
//! ```
//!
//! Where a step is computed, any will do. Of `aws`, services, kinds and aspects are those that are collected. What an observation's value
//! holds is the API's own and is not looked into.

mod functions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::laws::rule_names;
use super::reference::Names;
use super::syntax::{AssignOperator, Expr, Head, Policy, Rule, Span};
use super::{Defect, PolicyError, PolicySet};
use crate::suggestion::did_you_mean;
use functions::{Functions, Step, is_given};

/// Where the shipped policies keep which call gives which aspect, by service and kind; a test holds it to the collector's catalog.
const COLLECTED: [&str; 3] = ["contract", "receipts", "aws"];

/// A path with its place.
struct InputPath {
    steps: Vec<Step>,
    span: Span,
}

/// Names for what the input holds: `run := input.run`.
type Aliases = BTreeMap<String, Vec<String>>;

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
                let aliases = aliases(rule, &of_package);
                let parameters = parameters(rule);
                rule.computed(&mut |expression| self.expression(expression, &parameters, &aliases, &mut paths));
                let name = package.iter().cloned().chain(rule.name().into_iter().map(str::to_owned)).collect();
                defects.extend(paths.iter().filter_map(|path| self.defect(policy, &path.steps, |_| Some(path.span))));
                let given = paths.into_iter().map(|path| path.steps).filter(|steps| is_given(steps)).collect();
                functions.add(policy, name, parameters, given, names.references(rule));
            }
        }
        defects.extend(functions.calls().iter().filter_map(|call| {
            // What the function itself writes is told there.
            self.defect(call.policy, &call.steps, |step| call.given.get(step).copied())
        }));
        defects
    }

    /// What is wrong with a path, if the step that leads nowhere has a place.
    fn defect(&self, policy: &Policy, steps: &[Step], place: impl Fn(&str) -> Option<Span>) -> Option<Defect> {
        let steps: Vec<Option<String>> = steps.iter().map(|step| step.name().map(str::to_owned)).collect();
        let (step, known) = self.dead_end(&steps)?;
        let span = place(&step)?;
        let before: Vec<&str> = steps
            .iter()
            .take_while(|found| **found != Some(step.clone()))
            .map(|step| step.as_deref().unwrap_or("…"))
            .collect();
        let above = if before.is_empty() { "a fact document".to_owned() } else { format!("`{}`", before.join(".")) };
        let help = did_you_mean(&step, known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("there are {}", known.join(", ")));
        Some(Defect::new(policy.location(span), format!("{above} has no `{step}`"), help))
    }

    fn expression(&self, expression: &Expr, parameters: &[String], aliases: &Aliases, paths: &mut Vec<InputPath>) {
        if let Some(chain) = expression.chain() {
            let above = aliases.get(chain.root).filter(|_| !chain.steps.is_empty());
            if let Some(above) = above.map(Vec::as_slice).or((chain.root == "input").then_some(&[])) {
                let steps = above.iter().map(String::as_str).chain(chain.steps);
                let steps = steps.map(|step| Step::Named(step.to_owned())).collect();
                paths.push(InputPath { steps, span: chain.span });
            }
            expression.computed_steps(&mut |step| self.expression(step, parameters, aliases, paths));
            return;
        }
        if let Expr::Call { fcn, params, .. } = expression
            && fcn.is_builtin("object", "get")
            && let [Expr::Var { value, .. }, key @ Expr::String { .. }, ..] = params.as_slice()
            && value == "input"
        {
            paths.push(InputPath { steps: vec![Step::of(key, parameters)], span: key.span() });
        }
        if let Expr::Array { items, span } = expression {
            let steps: Vec<Step> = items.iter().map(|item| Step::of(item, parameters)).collect();
            let begins = steps.first().and_then(Step::name).is_some_and(|first| self.has_section(first));
            if begins && steps.len() > 1 {
                paths.push(InputPath { steps, span: *span });
            }
        }
        expression.inner(&mut |inner| self.expression(inner, parameters, aliases, paths));
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

/// The parameters of a function, in their order; what is no name is empty.
fn parameters(rule: &Rule) -> Vec<String> {
    let Rule::Spec { head: Head::Func { args, .. }, .. } = rule else { return Vec::new() };
    args.iter().map(|argument| argument.variable().unwrap_or_default().to_owned()).collect()
}

/// A rule that is nothing but a field of the input.
fn field(rule: &Rule) -> Option<(String, Vec<String>)> {
    let Rule::Spec { head: Head::Compr { assign: Some(assign), .. }, .. } = rule else { return None };
    let [name] = rule.name()[..] else { return None };
    Some((name.to_owned(), fields(&assign.value)?))
}

/// The steps of a field of the input.
fn fields(expression: &Expr) -> Option<Vec<String>> {
    let chain = expression.chain().filter(|chain| chain.root == "input" && chain.is_constant)?;
    Some(chain.steps.into_iter().map(str::to_owned).collect())
}

/// What the names of a rule stand for: those that it gives itself once, and those of its package that it does not use otherwise.
fn aliases(rule: &Rule, of_package: &Aliases) -> Aliases {
    let mut assigned: BTreeMap<&str, Vec<Option<Vec<String>>>> = BTreeMap::new();
    rule.computed(&mut |expression| {
        expression.nested(&mut |expression| {
            if let Expr::Assignment { op: AssignOperator::ColEq, lhs, rhs, .. } = expression
                && let Some(name) = lhs.variable()
            {
                assigned.entry(name).or_default().push(fields(rhs));
            }
        });
    });
    let mut aliases = of_package.clone();
    for (name, values) in assigned {
        aliases.remove(name);
        if let [Some(steps)] = values.as_slice() {
            aliases.insert(name.to_owned(), steps.clone());
        }
    }
    parameters(rule).iter().for_each(|parameter| drop(aliases.remove(parameter)));
    aliases
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
