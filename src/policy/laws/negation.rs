//! Law: what a negated expression needs is defined.
//!
//! `not startswith(input.x, "a")` is true in the engine where `input.x` is missing, and undefined in OPA, which finds what an expression needs
//! before the negation. So it is with `not input.x < 3`, `not [input.x] == ["a"]`, a field of a variable, a rule or a function without a
//! default. Alone (`not input.x`) or compared for equality (`not input.x == 1`) a reference may be missing in both. A missing fact must not
//! decide anything by accident. `x := 1 in input.x` is false in the engine, and undefined in OPA.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Defect;
use super::super::reference::{Needed, NeededBy};
use super::super::syntax::{Expr, Head, Rule};
use super::{Program, RuleView};

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let mut defects = Vec::new();
    for rule in &program.rules {
        // What a membership under a negation needs is told of the negation.
        let places: BTreeMap<usize, _> =
            rule.references.needed.iter().rev().map(|needed| (needed.2.start, needed)).collect();
        for (by, needed, span) in places.into_values() {
            let by = match by {
                NeededBy::Negation => "a negated expression",
                NeededBy::Membership => "`in` as a value",
            };
            let (problem, help) = match needed {
                Needed::Field => (
                    format!("{by} needs a field: where it is missing, engines differ"),
                    "look the field up with `object.get` and a default, or bind it in a line before",
                ),
                Needed::Extreme => (
                    format!("{by} needs a greatest or a least member: where there is none, engines differ"),
                    "bind it in a line before",
                ),
                Needed::Rule(path) if may_be_undefined(program, path) => (
                    format!("{by} needs `{}`: where it is undefined, engines differ", path.join(".")),
                    "give it a default, or bind it in a line before",
                ),
                Needed::Rule(_) => continue,
            };
            defects.push(Defect::new(rule.policy.location(*span), problem, help));
        }
    }
    defects
}

/// Whether what a path leads to is a rule, or a part of one, of which no definition gives a value whatever the facts are.
fn may_be_undefined(program: &Program<'_>, path: &[String]) -> bool {
    let definitions = || program.rules.iter().filter(|rule| path.starts_with(&rule.path));
    let is_there = |rule: &RuleView<'_>| {
        is_total(rule.rule) && path.get(rule.path.len()).is_none_or(|part| has_part(rule.rule, part))
    };
    definitions().next().is_some() && !definitions().any(is_there)
}

/// Whether a part of a rule is known to be there: it is written out, or the rule is another name for data.
fn has_part(rule: &Rule, part: &str) -> bool {
    let Rule::Spec { head: Head::Compr { assign: Some(assign), .. }, bodies, .. } = rule else { return false };
    let is_there = match &assign.value {
        Expr::Object { fields, .. } => fields.iter().any(|(_, key, _)| key.text() == Some(part)),
        value => value.chain().is_some_and(|chain| chain.root != "input"),
    };
    bodies.is_empty() && is_there
}

/// Whether a definition alone gives a value in any case.
fn is_total(rule: &Rule) -> bool {
    let Rule::Spec { head, bodies, .. } = rule else { return true };
    let takes_any = |arguments: &[Expr]| arguments.iter().all(|argument| argument.variable().is_some());
    match head {
        Head::Set { .. } => true,
        Head::Compr { .. } if !rule.refr().chain().is_some_and(|chain| chain.is_constant) => true,
        Head::Func { args, .. } if !takes_any(args) => false,
        Head::Compr { .. } | Head::Func { .. } => {
            let values =
                head.value().into_iter().chain(bodies.iter().filter_map(|body| Some(&body.assign.as_ref()?.value)));
            let is_unconditional = bodies.is_empty() || bodies.iter().any(|body| body.query.stmts.is_empty());
            let given: BTreeSet<&str> = match head {
                Head::Func { args, .. } => args.iter().filter_map(Expr::variable).collect(),
                _ => BTreeSet::new(),
            };
            // What a function makes of the fields that its callers write out is there; nothing but such a field may be of the input.
            let is_field = |value: &Expr| {
                let is_given = |root| value.variable().is_none() && given.contains(root);
                value.chain().is_some_and(|chain| is_given(chain.root))
            };
            is_unconditional && !values.into_iter().any(|value| is_field(value) || has_field(value))
        }
    }
}

/// Whether a value needs a field of the input.
fn has_field(value: &Expr) -> bool {
    match value {
        Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } | Expr::Var { .. } => false,
        Expr::RefDot { .. } | Expr::RefBrack { .. } if value.chain().is_none() => true,
        _ if value.is_extreme() || value.chain().is_some_and(|chain| chain.root == "input") => true,
        _ => {
            let mut found = false;
            value.children(&mut |child| found |= has_field(child));
            found
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::problems_of_rules;

    fn problems_of(negated: &str) -> Vec<String> {
        problems_of_rules(&format!("x if {{\n\tsome y in [1]\n\tnot {negated}\n}}"))
    }

    #[test]
    fn negated_expressions_that_need_input_fields_are_refused() {
        for (negated, column) in [
            ("startswith(input.a, \"a\")", 17),
            ("startswith(lower(input.a.b), \"a\")", 23),
            ("input[y] in {1, 2}", 6),
            ("1 in input.a", 11),
            ("count(input.a) > 3", 12),
            ("\"us\" == lower(input.a)", 20),
            ("contains(\"a\", input[\"b\"])", 20),
            ("input.a < 3", 6),
            ("input.a != 3", 6),
            ("[input.a] == [1]", 7),
            ("input.a + 1 == 2", 6),
            ("input.handles[input.a]", 20),
            ("sort([])[0] in {1}", 6),
            ("[sort([])[0]] == [1]", 7),
            ("startswith(json.unmarshal(\"{}\").a, \"b\")", 17),
            ("lower(object.get({}, \"a\", {}).b) == \"x\"", 12),
            ("startswith([v | some v in [{}]][0].n, \"a\")", 17),
            ("upper(split(\"a\", \"-\")[3]) == \"B\"", 12),
        ] {
            let expected = format!(
                "lib/a.rego:5:{column}: a negated expression needs a field: where it is missing, engines differ"
            );
            assert_eq!(problems_of(negated), [expected], "{negated}");
        }
    }

    #[test]
    fn the_greatest_of_nothing_is_no_number() {
        for (rules, expected) in [
            ("x if not max([]) > 3", "lib/a.rego:3:10: a negated expression needs a greatest or a least member"),
            (
                "x if {\n\tevery y in [[]] { not min(y) > 3 }\n}",
                "lib/a.rego:4:24: a negated expression needs a greatest",
            ),
            ("x := 1 in min([])", "lib/a.rego:3:11: `in` as a value needs a greatest or a least member"),
            ("m := max([])\n\nx if not upper(m) == \"A\"", "lib/a.rego:5:16: a negated expression needs `lib.a.m`"),
            ("f(x) := max(x)\n\nx if not f([]) > 3", "lib/a.rego:5:10: a negated expression needs `lib.a.f`"),
            (
                "m := sort([])[0]\n\nx if not startswith(m, \"A\")",
                "lib/a.rego:5:21: a negated expression needs `lib.a.m`",
            ),
        ] {
            let problems = problems_of_rules(rules);
            assert!(problems.len() == 1 && problems[0].starts_with(expected), "{rules}: {problems:?}");
        }
        for rules in ["x if {\n\tm := max([])\n\tnot m > 3\n}", "x if not sort([1])[0]", "x if not sort([1])[0] == 1"] {
            assert_eq!(problems_of_rules(rules), [""; 0], "{rules}");
        }
    }

    #[test]
    fn what_a_negated_expression_needs_of_rules_has_a_default() {
        for (needs, rules) in [
            ("startswith(z, \"a\")", "z := \"b\" if input.run"),
            ("startswith(z(1), \"a\")", "z(1) := \"b\""),
            ("z(1) == 1", "z(_) := 2 if input.run"),
            ("z({}) in [1]", "z(x) := x.b"),
            ("z[y] in {1}", "z[2] := 3"),
            ("z.a in {1}", "z := {\"a\": 1} if input.run"),
            ("z.a in {1}", "z := object.union({\"b\": 1}, {})"),
        ] {
            let problems =
                problems_of_rules(&format!("x if {{\n\tsome y in [1]\n\ty > 0\n\tnot {needs}\n}}\n\n{rules}"));
            assert!(
                problems.len() == 1 && problems[0].contains("a negated expression needs `lib.a.z"),
                "{needs}: {problems:?}"
            );
        }
        for (needs, rules) in [
            ("startswith(z, \"a\")", "default z := \"\"\n\nz := \"b\" if input.run"),
            ("startswith(z, \"a\")", "z := \"b\" if {\n\tinput.run\n} else := \"\""),
            ("startswith(z(1), \"a\")", "z(x) := x"),
            ("z(1)", "z(1) if input.run"),
            ("z", "z if input.run"),
            ("z == 1", "z := 2 if input.run"),
            ("1 in z", "z contains 1 if input.run"),
            ("1 in z.a", "z := {\"a\": [1]}"),
            ("count([1 | input.run]) == 1", "z := 1"),
        ] {
            assert_eq!(problems_of_rules(&format!("x if not {needs}\n\n{rules}")), [""; 0], "{needs}");
        }
    }

    #[test]
    fn a_membership_that_is_a_value_needs_what_it_looks_into() {
        for rules in [
            "x := 1 in input.handles",
            "x if (1 in input.handles) == false",
            "x if {\n\ty := [1 in input.run.region]\n\ty[0]\n}",
        ] {
            let problems = problems_of_rules(rules);
            assert!(
                problems.len() == 1 && problems[0].contains("`in` as a value needs a field"),
                "{rules}: {problems:?}"
            );
        }
        for rules in [
            "x if 1 in input.handles",
            "x := 1 in object.get(input, \"handles\", {})",
            "x := [y | y := 1; y in input.handles]",
        ] {
            assert_eq!(problems_of_rules(rules), [""; 0], "{rules}");
        }
    }

    #[test]
    fn another_name_for_a_field_hides_nothing() {
        let rules = "_region := input.run.region\n\nx if not startswith(_region, \"eu\")";
        let expected =
            "lib/a.rego:5:21: a negated expression needs `lib.a._region`: where it is undefined, engines differ";
        assert_eq!(problems_of_rules(rules), [expected]);
    }

    #[test]
    fn a_variable_for_what_holds_a_field_hides_nothing() {
        for body in [
            "run := input.run\n\tnot startswith(run.region, \"eu\")",
            "some run in [input.run]\n\tnot run.region in {\"eu\"}",
        ] {
            let problems = problems_of_rules(&format!("x if {{\n\t{body}\n}}"));
            assert!(problems.len() == 1 && problems[0].contains("a negated expression needs a field"), "{problems:?}");
        }
        let parameter = problems_of_rules("f(run) if not startswith(run.region, \"eu\")");
        assert!(
            parameter.len() == 1 && parameter[0].starts_with("lib/a.rego:3:26: a negated expression"),
            "{parameter:?}"
        );
        let bound = "x if {\n\tregion := input.run.region\n\tnot startswith(region, \"eu\")\n}";
        assert_eq!(problems_of_rules(bound), [""; 0]);
    }

    #[test]
    fn total_lookups_and_plain_comparisons_may_be_negated() {
        for negated in ["startswith(object.get(input, \"a\", \"\"), \"a\")", "y in {1, 2}", "input.a == 1", "input.a"] {
            assert_eq!(problems_of(negated), [""; 0], "{negated}");
        }
    }
}
