//! Law: what is written out is used as what it is. OPA's type checker refuses the rest; the engine says false or undefined, and a negation of
//! that holds.

use super::super::Defect;
use super::super::syntax::{AssignOperator, ComparisonOperator, Expr, Literal, Span};
use super::{Program, RuleView};

/// The names that an import cannot give.
const ROOTS: [&str; 2] = ["input", "data"];

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let mut defects: Vec<Defect> = program.rules.iter().flat_map(of_rule).collect();
    let mut seen = Vec::new();
    for policy in program.rules.iter().map(|view| view.policy) {
        if seen.contains(&&policy.source.file) {
            continue;
        }
        seen.push(&policy.source.file);
        for alias in policy.ast.imports.iter().filter_map(|import| import.alias) {
            let name = alias.excerpt(&policy.source.contents);
            if ROOTS.contains(&name) {
                let help = "give the import another name";
                defects.push(Defect::new(policy.location(alias), format!("an import is named `{name}`"), help));
            }
        }
    }
    defects
}

fn of_rule(view: &RuleView<'_>) -> Vec<Defect> {
    let mut found: Vec<(Span, String)> = Vec::new();
    let mut note = |expression: &Expr| found.extend(problem(expression).map(|problem| (expression.span(), problem)));
    view.rule.outermost(&mut |expression| expression.nested(&mut note));
    view.rule.statements(&mut |statement| {
        if let Literal::SomeIn { collection: domain, .. } | Literal::Every { domain, .. } = &statement.literal
            && domain.is_scalar()
        {
            found.push((domain.span(), "a single value has no members".to_owned()));
        }
    });
    let defect = |(span, problem): (Span, String)| {
        Defect::new(view.policy.location(span), problem, "OPA does not compile it: write what is meant")
    };
    found.into_iter().map(defect).collect()
}

fn problem(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Comparison { op: ComparisonOperator::Eq, lhs, rhs, .. }
        | Expr::Assignment { op: AssignOperator::Eq, lhs, rhs, .. } => {
            let (one, other) = (kind(lhs)?, kind(rhs)?);
            (one != other).then(|| format!("{one} never equals {other}"))
        }
        Expr::RefDot { refr, field, .. } => step_into(refr, Some(&field.1), None),
        Expr::RefBrack { refr, index, .. } => step_into(refr, index.text(), Some(index)),
        _ => None,
    }
}

/// What is wrong with a step into something that is written out.
fn step_into(base: &Expr, name: Option<&str>, index: Option<&Expr>) -> Option<String> {
    match base {
        Expr::Object { fields, .. } => {
            let keys: Option<Vec<&str>> = fields.iter().map(|(_, key, _)| key.text()).collect();
            let (keys, name) = (keys?, name?);
            (!keys.contains(&name)).then(|| format!("the object has no `{name}`"))
        }
        Expr::Array { items, .. } => {
            let Some(Expr::Number { value, .. }) = index else {
                return name.map(|name| format!("an array has no `{name}`"));
            };
            let is_there = value.as_u64().is_some_and(|position| position < items.len() as u64);
            (!is_there).then(|| format!("the array has no member {value}"))
        }
        _ if base.is_scalar() => Some("a single value has no members".to_owned()),
        _ => None,
    }
}

/// What kind of value is written out.
fn kind(expression: &Expr) -> Option<&'static str> {
    Some(match expression {
        Expr::Number { .. } => "a number",
        Expr::String { .. } | Expr::RawString { .. } => "a string",
        Expr::Bool { .. } => "a boolean",
        Expr::Null { .. } => "null",
        Expr::Array { .. } | Expr::ArrayCompr { .. } => "an array",
        Expr::Set { .. } | Expr::SetCompr { .. } => "a set",
        Expr::Object { .. } | Expr::ObjectCompr { .. } => "an object",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{problems, problems_of_rules};

    #[test]
    fn what_is_written_out_is_used_as_what_it_is() {
        for (rules, expected) in [
            ("x if 1 == \"a\"", "lib/a.rego:3:6: a number never equals a string"),
            ("x if not {\"a\": 1} == [1]", "an object never equals an array"),
            ("x := [1, 2][5]", "lib/a.rego:3:6: the array has no member 5"),
            ("x := [1, 2][-1]", "the array has no member -1"),
            ("x := [1, 2].a", "an array has no `a`"),
            ("x := {\"a\": 1}[\"b\"]", "the object has no `b`"),
            ("x if {\n\tsome y in 1\n\ty\n}", "lib/a.rego:4:12: a single value has no members"),
        ] {
            let found = problems_of_rules(rules);
            assert!(found.len() == 1 && found[0].ends_with(expected), "{rules}: {found:?}");
        }
        let imported = [
            ("lib/b.rego", "package lib.b\n\ny := 1\n"),
            ("lib/a.rego", "package lib.a\n\nimport data.lib.b as input\n\nx := 1\n"),
        ];
        assert_eq!(problems(&imported), ["lib/a.rego:3:22: an import is named `input`"]);
    }

    #[test]
    fn what_opa_takes_is_taken() {
        for rules in [
            "x if [] == [y | y := 1]",
            "x if {} == {k: 1 | some k in [1]}",
            "x := {\"a\": 1}.a",
            "x := [1, 2][1]",
            "x := [1, 2][i] if some i in [0]",
            "x := {1} == set()",
            "x if null == object.get({}, \"a\", null)",
        ] {
            assert_eq!(problems_of_rules(rules), [""; 0], "{rules}");
        }
    }
}
