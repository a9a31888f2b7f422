//! Law: no negated call on a field of the input or of a variable.
//!
//! `not startswith(input.x, "a")` is true in the engine where `input.x` is missing, and undefined in OPA; so is `not startswith(run.x, "a")`
//! after `run := input.run`. A missing fact must not decide anything by accident.

use std::collections::BTreeSet;

use super::super::Defect;
use super::super::syntax::{Head, Rule};
use super::Program;

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    // A rule that is nothing but a field of the input is missing with it.
    let fields: BTreeSet<&[String]> =
        program.rules.iter().filter(|rule| is_field(rule.rule)).map(|rule| rule.path.as_slice()).collect();
    let negated = program.rules.iter().flat_map(|rule| {
        let rules =
            rule.references.negated_rules.iter().filter(|(path, _)| fields.iter().any(|field| path.starts_with(field)));
        let spans = rule.references.negated_fields.iter().chain(rules.map(|(_, span)| span));
        spans.map(move |span| (rule, *span))
    });
    negated
        .map(|(rule, span)| {
            Defect::new(
                rule.policy.location(span),
                "a negated call on a field: where the field is missing, engines differ",
                "look the field up with `object.get` and a default, or bind it in a line before",
            )
        })
        .collect()
}

/// Whether a rule is a field of the input under another name.
fn is_field(rule: &Rule) -> bool {
    let Rule::Spec { head: Head::Compr { assign: Some(assign), .. }, .. } = rule else { return false };
    assign.value.chain().is_some_and(|chain| chain.root == "input")
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::problems_of_rules;

    fn problems_of(negated: &str) -> Vec<String> {
        problems_of_rules(&format!("x if {{\n\tsome y in [1]\n\tnot {negated}\n}}"))
    }

    #[test]
    fn negated_calls_on_input_fields_are_refused() {
        for (negated, column) in [
            ("startswith(input.a, \"a\")", 17),
            ("startswith(lower(input.a.b), \"a\")", 23),
            ("input[y] in {1, 2}", 6),
            ("1 in input.a", 11),
            ("count(input.a) > 3", 12),
            ("\"us\" == lower(input.a)", 20),
            ("contains(\"a\", input[\"b\"])", 20),
        ] {
            let expected =
                format!("lib/a.rego:5:{column}: a negated call on a field: where the field is missing, engines differ");
            assert_eq!(problems_of(negated), [expected], "{negated}");
        }
    }

    #[test]
    fn another_name_for_a_field_hides_nothing() {
        let rules = "_region := input.run.region\n\nx if not startswith(_region, \"eu\")";
        let expected = "lib/a.rego:5:21: a negated call on a field: where the field is missing, engines differ";
        assert_eq!(problems_of_rules(rules), [expected]);
    }

    #[test]
    fn a_variable_for_what_holds_a_field_hides_nothing() {
        for body in [
            "run := input.run\n\tnot startswith(run.region, \"eu\")",
            "some run in [input.run]\n\tnot run.region in {\"eu\"}",
        ] {
            let problems = problems_of_rules(&format!("x if {{\n\t{body}\n}}"));
            assert!(problems.len() == 1 && problems[0].contains("a negated call on a field"), "{problems:?}");
        }
        let parameter = problems_of_rules("f(run) if not startswith(run.region, \"eu\")");
        assert!(parameter.len() == 1 && parameter[0].starts_with("lib/a.rego:3:26: a negated call"), "{parameter:?}");
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
