//! Law: a test is one rule that is true. Of any other form a run would tell less than its author believes: the second definition of a test
//! hides that the first one fails, a default or a set is never true, a function is never called.

use std::collections::BTreeSet;

use super::super::Defect;
use super::super::reference::Target;
use super::super::syntax::{Head, Rule};
use super::{Program, RuleView};

/// What the names of tests begin with, as OPA has it.
const PREFIXES: [&str; 2] = ["test_", "todo_test_"];

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut seen = BTreeSet::new();
    for view in program.rules.iter().filter(|view| view.is_test && is_named_as_test(view)) {
        let is_again = !matches!(view.rule, Rule::Default { .. }) && !seen.insert(&view.path);
        if let Some((problem, help)) = problem_of_test(view, is_again) {
            defects.push(defect(view, problem, help));
        }
    }
    defects
}

/// The rules of tests that are no tests, and that none needs: most likely one of another name. Whoever is about to write a test has some.
pub(super) fn unused(program: &Program<'_>) -> Vec<Defect> {
    let targets = program.rules.iter().flat_map(|rule| &rule.references.all).filter_map(|found| match &found.target {
        Target::Data(path) => Some(path),
        Target::Name(_) => None,
    });
    let targets: BTreeSet<&Vec<String>> = targets.collect();
    // What is referred to begins with the rule's path, or, as a whole package, the other way round.
    let is_used =
        |path: &Vec<String>| targets.iter().any(|target| target.starts_with(path) || path.starts_with(target));
    let others = program.rules.iter().filter(|view| view.is_test && !is_named_as_test(view) && !is_used(&view.path));
    let help = "a test's name begins with `test_`; take out what is not used";
    others.map(|view| defect(view, "is no test, and no test needs it", help)).collect()
}

fn is_named_as_test(view: &RuleView<'_>) -> bool {
    PREFIXES.iter().any(|prefix| name(view).starts_with(prefix))
}

fn name<'view>(view: &'view RuleView<'_>) -> &'view str {
    view.path.last().map(String::as_str).unwrap_or_default()
}

fn defect(view: &RuleView<'_>, problem: &str, help: &str) -> Defect {
    Defect::new(view.policy.rule_location(view.rule), format!("`{}` {problem}", name(view)), help)
}

fn problem_of_test(view: &RuleView<'_>, is_again: bool) -> Option<(&'static str, &'static str)> {
    match view.rule {
        Rule::Default { .. } => {
            Some(("is a test with a default", "take the default out: a test that is undefined fails"))
        }
        Rule::Spec { head: Head::Func { .. }, .. } => {
            Some(("is a test that takes arguments", "nothing calls it: bind them in its body"))
        }
        Rule::Spec { head: Head::Compr { .. }, .. }
            if view.rule.refr().chain().is_some_and(|chain| chain.is_constant) =>
        {
            is_again.then_some((
                "is the name of a test before",
                "give it another: one of them would hide that the other fails",
            ))
        }
        Rule::Spec { .. } => {
            Some(("is a test that is a set or an object", "put the cases into an `every` of one test"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::problems;

    fn problems_of(tests: &str) -> Vec<String> {
        let policy = ("lib/a.rego", "package lib.a\n\nx := 1\n");
        problems(&[policy, ("lib/a_test.rego", &format!("package lib.a_test\n\n{tests}\n"))])
    }

    #[test]
    fn what_a_run_would_tell_too_little_of_is_no_test() {
        for (tests, expected) in [
            ("test_x if 1 == 2\n\ntest_x if 1 == 1", "lib/a_test.rego:5:1: `test_x` is the name of a test before"),
            ("default test_x := false\n\ntest_x if 1 == 1", "lib/a_test.rego:3:1: `test_x` is a test with a default"),
            ("test_x(y) if y == 1", "lib/a_test.rego:3:1: `test_x` is a test that takes arguments"),
            ("test_x contains 1", "lib/a_test.rego:3:1: `test_x` is a test that is a set or an object"),
            ("test_x[y] if some y in [1]", "lib/a_test.rego:3:1: `test_x` is a test that is a set or an object"),
        ] {
            assert_eq!(problems_of(tests), [expected], "{tests}");
        }
    }

    #[test]
    fn tests_and_what_they_need_are_taken() {
        for tests in [
            "test_x if 1 == 1\n\ntodo_test_y if 1 == 2",
            "test_x := _is(1)\n\n_is(x) if x == 1",
            "test_x if {\n\tevery case in _cases { case == 1 }\n}\n\n_cases := [1]",
            "test_x if {\n\t1 == 2\n} else if {\n\t1 == 1\n}",
        ] {
            assert_eq!(problems_of(tests), [""; 0], "{tests}");
        }
    }
}
