//! Law: what OPA's compiler refuses is refused here, too. The engine takes it, and makes of it what it likes.
//!
//! One name is one kind of rule with at most one default; a default is a constant; what is declared is used, and what a head uses is bound;
//! a reference to a rule leads to one. See <https://www.openpolicyagent.org/docs/policy-language>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::data::{DataFile, merge};
use super::super::reference::{Reference, Target};
use super::super::syntax::{Expr, Head, Literal, Query, Rule, Span};
use super::super::{Defect, PolicySet};
use super::packages::RESERVED;
use super::{Program, RuleView};
use crate::suggestion::did_you_mean;

pub(super) fn check(program: &Program<'_>, data: &[DataFile]) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut kinds: BTreeMap<&[String], &str> = BTreeMap::new();
    let mut defaults: BTreeSet<&[String]> = BTreeSet::new();
    // Where two files differ on a value, that is told as they are loaded.
    let shipped = PolicySet::embedded().and_then(|set| set.data()).map(Value::Object).unwrap_or_default();
    let values = merge(data).map(Value::Object).unwrap_or_default();
    for view in &program.rules {
        let name = view.path.join(".");
        let mut found = |span: Span, problem: String, help: &str| {
            defects.push(Defect::new(view.policy.location(span), problem, help));
        };
        let kind = kind(view.rule);
        let first = *kinds.entry(&view.path).or_insert(kind);
        if first != kind {
            found(view.rule.span(), format!("`{name}` is a {first} and a {kind}"), "give one of them another name");
        }
        if let Rule::Default { value, .. } = view.rule {
            if !defaults.insert(&view.path) {
                found(view.rule.span(), format!("`{name}` has two defaults"), "take one of them out");
            }
            if let Some(span) = computed(value) {
                found(span, format!("the default of `{name}` is no constant"), "give the rule a body instead");
            }
        }
        for span in miscalculated(view) {
            found(span, "it is calculated with what is no number".to_owned(), "calculate with numbers only");
        }
        for (variable, span) in unused(view) {
            found(span, format!("`{variable}` is declared and not used"), "take it out, or use it");
        }
        for (variable, span) in &view.references.unbound {
            found(*span, format!("nothing says what `{variable}` is"), "define it, or import it");
        }
        for reference in &view.references.all {
            // Libraries serve contracts that have only a part of what the shipped one has.
            let is_library = view.path.first().is_some_and(|root| root == "lib");
            let missing_data = || {
                let missing = missing_data(program, &values, reference)?;
                let is_shipped = || missing_data(program, &shipped, reference).is_none();
                (!is_library || !is_shipped()).then_some(missing)
            };
            let missing = missing(program, data, reference).or_else(missing_data);
            let missing = missing.or_else(|| not_called(program, reference)).or_else(|| not_a_key(program, reference));
            if let Some((problem, help)) = missing {
                found(reference.span, problem, &help);
            }
        }
    }
    defects
}

/// What kind of rule a definition makes of its name.
fn kind(rule: &Rule) -> &'static str {
    match rule {
        Rule::Default { args, .. } if args.is_empty() => "complete rule",
        Rule::Default { .. } | Rule::Spec { head: Head::Func { .. }, .. } => "function",
        Rule::Spec { .. } if !rule.refr().chain().is_some_and(|chain| chain.is_constant) => "partial object",
        Rule::Spec { head: Head::Set { .. }, .. } => "partial set",
        Rule::Spec { head: Head::Compr { .. }, .. } => "complete rule",
    }
}

/// Where a value is computed otherwise than by a comprehension.
fn computed(value: &Expr) -> Option<Span> {
    match value {
        Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } | Expr::Call { .. } => Some(value.span()),
        Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => None,
        _ => {
            let mut first = None;
            value.children(&mut |child| first = first.or_else(|| computed(child)));
            first
        }
    }
}

/// The constants that a rule calculates with, and that are no numbers. Sets can be subtracted.
fn miscalculated(view: &RuleView<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut note = |expression: &Expr| {
        if let Expr::Arithmetic { lhs, rhs, .. } = expression {
            let wrong = [lhs, rhs].into_iter().filter(|operand| {
                let is_number = matches!(operand.as_ref(), Expr::Number { .. });
                let is_list = matches!(operand.as_ref(), Expr::Array { .. } | Expr::Object { .. });
                is_list || operand.is_scalar() && !is_number
            });
            spans.extend(wrong.map(|operand| operand.span()));
        }
    };
    view.rule.outermost(&mut |expression| expression.nested(&mut note));
    spans
}

/// The variables that a rule declares by `some` and does not use.
fn unused<'tree>(view: &RuleView<'tree>) -> Vec<(&'tree str, Span)> {
    let mut declared = Vec::new();
    let mut used = BTreeSet::new();
    if let Rule::Spec { bodies, .. } = view.rule {
        bodies.iter().for_each(|body| declarations(&body.query, &mut declared));
    }
    let mut note = |expression: &'tree Expr| match expression {
        Expr::Var { value, .. } => used.extend(value.as_str()),
        Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } => {
            declarations(query, &mut declared);
        }
        _ => {}
    };
    view.rule.outermost(&mut |expression| expression.nested(&mut note));
    view.rule.refr().computed_steps(&mut |step| step.nested(&mut note));
    let named =
        declared.into_iter().filter_map(|span| Some((view.policy.source.contents.get(span.start..span.end)?, span)));
    named.filter(|(name, _)| !used.contains(name)).collect()
}

fn declarations(query: &Query, found: &mut Vec<Span>) {
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { vars } => found.extend(vars),
            Literal::Every { query, .. } => declarations(query, found),
            _ => {}
        }
    }
}

/// What is wrong with a reference into a package, if no rule, package or data file is there. Functions that are called are looked at as such.
fn missing(program: &Program<'_>, data: &[DataFile], reference: &Reference<'_>) -> Option<(String, String)> {
    let (Target::Data(path), None) = (&reference.target, reference.arguments) else { return None };
    let mut above = (1..path.len()).map(|length| &path[..length]);
    let is_of_package = above.clone().any(|place| program.packages.contains(place));
    let is_of_rule = above.any(|place| program.arities.contains_key(place));
    // What begins with a path comes right after it, if it is not there itself.
    let is_around_rule = program.arities.range(path.clone()..).next().is_some_and(|(rule, _)| rule.starts_with(path));
    let is_around_package =
        program.packages.range(path.clone()..).next().is_some_and(|package| package.starts_with(path));
    let is_data = || data.iter().any(|file| path.starts_with(&file.path) || file.path.starts_with(path));
    if !is_of_package || is_of_rule || is_around_rule || is_around_package || is_data() {
        return None;
    }
    let rules: Vec<String> = program.arities.keys().map(|rule| rule.join(".")).collect();
    let name = path.join(".");
    let help = did_you_mean(&name, rules.iter().map(String::as_str)).unwrap_or_else(|| "define it".to_owned());
    Some((format!("there is no rule `{name}`"), help))
}

/// What is wrong with a reference to a function that is not called: it is no value, and `not f` holds whatever the function says.
fn not_called(program: &Program<'_>, reference: &Reference<'_>) -> Option<(String, String)> {
    let (Target::Data(path), None, false) = (&reference.target, reference.arguments, reference.is_replacement) else {
        return None;
    };
    let is_function = (1..=path.len()).any(|length| matches!(program.arities.get(&path[..length]), Some(Some(_))));
    is_function
        .then(|| (format!("`{}` is a function that is not called", path.join(".")), "give it its arguments".to_owned()))
}

/// What is wrong with a step into an object that is written out, if that has no such key.
fn not_a_key(program: &Program<'_>, reference: &Reference<'_>) -> Option<(String, String)> {
    let (Target::Data(path), None) = (&reference.target, reference.arguments) else { return None };
    let mut above = (1..path.len()).filter(|length| program.arities.contains_key(&path[..*length]));
    let length = above.next()?;
    let definitions: Vec<_> = program.rules.iter().filter(|view| view.path == path[..length]).collect();
    let [RuleView { rule: Rule::Spec { head: Head::Compr { assign: Some(assign), .. }, bodies, .. }, .. }] =
        definitions[..]
    else {
        return None;
    };
    let mut value = &assign.value;
    for (index, step) in path.iter().enumerate().skip(length) {
        let Expr::Object { fields, .. } = value else { return None };
        let keys: Option<Vec<(&str, &Expr)>> =
            fields.iter().map(|(_, key, value)| Some((key.text()?, value))).collect();
        let keys = keys.filter(|keys| !keys.is_empty() && bodies.iter().all(|body| body.assign.is_none()))?;
        match keys.iter().find(|(key, _)| key == step) {
            Some((_, inner)) => value = inner,
            None => {
                let help = did_you_mean(step, keys.iter().map(|(key, _)| *key));
                let help = help.unwrap_or_else(|| "its keys are written out where it is defined".to_owned());
                return Some((format!("`{}` has no `{step}`", path[..index].join(".")), help));
            }
        }
    }
    None
}

/// What is wrong with a reference to data, if none is there: it would be undefined whatever the facts are.
fn missing_data(program: &Program<'_>, values: &Value, reference: &Reference<'_>) -> Option<(String, String)> {
    let (Target::Data(path), None) = (&reference.target, reference.arguments) else { return None };
    let is_of_package = program.packages.iter().any(|package| path.starts_with(package) || package.starts_with(path));
    if is_of_package || path.first().is_none_or(|root| root == RESERVED) {
        return None;
    }
    let mut place = Some(values).filter(|values| values.is_object())?;
    for (index, step) in path.iter().enumerate() {
        let Value::Object(fields) = place else { return None };
        match fields.get(step) {
            Some(inner) => place = inner,
            None => {
                let help = did_you_mean(step, fields.keys().map(String::as_str));
                let help = help.unwrap_or_else(|| "put it into a `data.json`, or take the reference out".to_owned());
                return Some((format!("there is no data `{}`", path[..=index].join(".")), help));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{defects, problems_of_rules};

    #[test]
    fn what_opa_refuses_is_refused() {
        for (rules, expected) in [
            ("x := 1\n\nx contains 2", "lib/a.rego:5:1: `lib.a.x` is a complete rule and a partial set"),
            ("x := 1\n\nx(y) := y", "lib/a.rego:5:1: `lib.a.x` is a complete rule and a function"),
            ("default x := 1\n\ndefault x := 2", "lib/a.rego:5:1: `lib.a.x` has two defaults"),
            ("default x := input.run.region", "lib/a.rego:3:14: the default of `lib.a.x` is no constant"),
            ("default x := [count([])]", "lib/a.rego:3:15: the default of `lib.a.x` is no constant"),
            ("x if {\n\tsome y\n\tinput.run\n}", "lib/a.rego:4:7: `y` is declared and not used"),
            ("x := {1 | some y}", "lib/a.rego:3:16: `y` is declared and not used"),
            ("x := 1 + \"a\"", "lib/a.rego:3:11: it is calculated with what is no number"),
            ("x := thing", "lib/a.rego:3:6: nothing says what `thing` is"),
            ("f(y) if y\n\nx if not f", "lib/a.rego:5:10: `lib.a.f` is a function that is not called"),
            ("f(y) := y\n\nx := f", "lib/a.rego:5:6: `lib.a.f` is a function that is not called"),
            ("o := {\"denied\": 1}\n\nx if not o.deny == 1", "lib/a.rego:5:10: `lib.a.o` has no `deny`"),
            ("o := {\"a\": {\"b\": 1}}\n\nx := o.a.c", "lib/a.rego:5:6: `lib.a.o.a` has no `c`"),
            ("x := {\"a\": [thing.b]} if input.run", "lib/a.rego:3:13: nothing says what `thing` is"),
        ] {
            assert_eq!(problems_of_rules(rules), [expected], "{rules}");
        }
    }

    #[test]
    fn what_opa_takes_is_taken() {
        for rules in [
            "default x := {\"a\": [1, -1, null]}\n\nx := 2 if input.run",
            "default f(_) := 0\n\nf(x) := 1 if x",
            "x contains 1\n\nx contains 2",
            "x[y] := 1 if some y in [1]\n\nx[y] := 2 if {\n\tsome y\n\tinput.handles[y]\n}",
            "x := y if y = input.run",
            "f(y) := y\n\ng(y) := y\n\nx if f(1) == 1 with f as g",
            "o := {\"a\": 1}\n\nx := o.a",
            "o := {\"a\": 1} if input.run\nelse := {\"b\": 1}\n\nx := o.b",
            "o := {k: 1 | some k in [\"b\"]}\n\nx := o.b",
            "x := y if [y] = [1]",
            "x := y if input.handles[y]",
            "x := [y | y = 1]",
            "x := input.handles[_].value",
            "x := y if {\n\tsome y\n\tinput.handles[y]\n}",
        ] {
            assert_eq!(problems_of_rules(rules), [""; 0], "{rules}");
        }
    }

    #[test]
    fn data_that_is_not_there_is_told_with_what_was_meant() {
        let data = [("contract/data.json", "{\"stacks\": {\"core\": [1]}}"), ("contract/m2/data.json", "{\"a\": 1}")];
        let found = |expression: &str| {
            let text = format!("package lib.a_test\n\nimport data.contract\n\ntest_x := {expression}\n");
            let library = ("lib/b.rego", "package lib.b\n\nx := data.contract.m2.rollup\n");
            let found = defects(&[data[0], data[1], library, ("m2/a_test.rego", &text.replace("lib.a", "m2.a"))]);
            found.into_iter().map(|defect| format!("{}; {}", defect.problem, defect.help)).collect::<Vec<_>>()
        };
        for (expression, expected) in [
            ("data.contract.stakcs.core", "there is no data `contract.stakcs`; did you mean `stacks`?"),
            ("contract.m2.b", "there is no data `contract.m2.b`; "),
            ("data.nowhere.a", "there is no data `nowhere`; "),
        ] {
            let found = found(expression);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{expression}: {found:?}");
        }
        let in_library = defects(&[data[0], data[1], ("lib/b.rego", "package lib.b\n\nx := data.contract.m2.rolup\n")]);
        assert_eq!(in_library.len(), 1, "{in_library:?}");
        for expression in
            ["data.contract.stacks.core[0]", "contract.m2", "data.factgate.verdict", "contract.stacks[\"core\"]"]
        {
            assert_eq!(found(expression), [""; 0], "{expression}");
        }
    }

    #[test]
    fn a_rule_that_is_not_there_is_told_with_what_was_meant() {
        let used =
            ("lib/a.rego", "package lib.a\n\nimport data.lib.b\n\nx := [b.check, data.factgate.any, data.lib.b]\n");
        let found = defects(&[used, ("lib/b.rego", "package lib.b\n\nchecks := 1\n")]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].problem, "there is no rule `lib.b.check`");
        assert_eq!(found[0].help, "did you mean `lib.b.checks`?");
    }
}
