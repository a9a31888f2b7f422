//! Law: what stands in a rule has the same value under OPA.
//!
//! | written | the engine | OPA |
//! |---|---|---|
//! | a number beyond 64 bits, `1.0`, `1e3` | rounds it, prints `1`, prints `1000` | keeps it as it is written |
//! | `{1} < {"a": 1}` | sets come before objects | objects come before sets |
//! | `sprintf("%d", ["a"])`, `%s` of a number, a width | prints nothing, the number, no width | says so in the text |
//! | a month or a year later than the 31st | the last day of the month | a day of the month after it |
//! | `\d`, `\w`, `\s`, `\b` in a pattern | those of every script | those of ASCII |
//!
//! Measured on regorus 0.14.1 and OPA 1.20. What is computed is not seen here: facts are JSON, which has no sets.

use super::super::Defect;
use super::super::syntax::{ComparisonOperator, Expr};
use super::Program;

type Finding = Option<(String, &'static str)>;

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let mut defects = Vec::new();
    for view in &program.rules {
        let text = &view.policy.source.contents;
        let mut look = |expression: &Expr| {
            if let Some((problem, help)) = number(expression, text).or_else(|| comparison(expression)) {
                defects.push(Defect::new(view.policy.location(expression.span()), problem, help));
            }
        };
        view.rule.outermost(&mut |expression| expression.nested(&mut look));
    }
    defects
}

/// A number of which the engines make another one, or another text.
fn number(expression: &Expr, text: &str) -> Finding {
    let Expr::Number { .. } = expression else { return None };
    let written = expression.excerpt(text);
    let is_whole = written.parse::<u64>().is_ok() || written.parse::<i64>().is_ok();
    let is_fraction = written
        .trim_start_matches('-')
        .split_once('.')
        .is_some_and(|(whole, part)| whole.parse::<u32>().is_ok() && is_digits(part) && !part.ends_with('0'));
    let problem = format!("`{written}` is another number, or prints as another, in other engines");
    (!is_whole && !is_fraction)
        .then_some((problem, "write it in digits, of 64 bits at most and without zeros at its end"))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Sets and objects are ordered otherwise in other engines.
fn comparison(expression: &Expr) -> Finding {
    let Expr::Comparison { op, lhs, rhs, .. } = expression else { return None };
    let is_ordering = !matches!(op, ComparisonOperator::Eq | ComparisonOperator::Ne);
    (is_ordering && (is_unordered(lhs) || is_unordered(rhs))).then(|| {
        ("a set or an object comes before or after others in other engines".to_owned(), "compare numbers or texts")
    })
}

fn is_unordered(expression: &Expr) -> bool {
    matches!(expression, Expr::Set { .. } | Expr::SetCompr { .. } | Expr::Object { .. } | Expr::ObjectCompr { .. })
}

/// What is wrong with the arguments of a call: it is otherwise in other engines.
pub(super) fn call(name: &str, arguments: &[Expr]) -> Finding {
    let (problem, help) = match (name, arguments) {
        ("sprintf", [format, values]) if !is_plain_format(format, values) => (
            "`sprintf` needs a literal format with `%v` for each value, and with no other verb",
            "the engine prints other verbs otherwise than OPA does; `%%` is a percent sign",
        ),
        ("time.add_date", [_, years, months, _]) if !(is_zero(years) && is_zero(months)) => (
            "`time.add_date` adds days only: its years and months must be 0",
            "where a month ends before its 31st, the engine takes its last day and OPA one of the month after it",
        ),
        ("max" | "min" | "sort", [Expr::Array { items, .. } | Expr::Set { items, .. }])
            if items.iter().any(is_unordered) =>
        {
            ("a set or an object comes before or after others in other engines", "sort numbers or texts")
        }
        _ => return None,
    };
    Some((problem.to_owned(), help))
}

fn is_zero(expression: &Expr) -> bool {
    matches!(expression, Expr::Number { value, .. } if value.as_u64() == Some(0))
}

/// Whether a format has no verb but `%v`, and as many as there are values, as far as they are written down.
fn is_plain_format(format: &Expr, values: &Expr) -> bool {
    let Some(format) = format.text() else { return false };
    let plain = format.replace("%%", "");
    let verbs = plain.matches('%').count();
    let are_as_many = match values {
        Expr::Array { items, .. } => items.len() == verbs,
        _ => true,
    };
    are_as_many && plain.matches("%v").count() == verbs
}

/// The class of a pattern that is of every script in the engine, and of ASCII in OPA.
pub(super) fn class(pattern: &str) -> Finding {
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character == '\\'
            && let Some(class) = characters.next()
            && "dDwWsSbB".contains(class)
        {
            let problem = format!("`\\{class}` is about every script in the engine, and about ASCII in OPA");
            return Some((problem, "write the class: `[0-9]`, `[0-9A-Za-z_]`, `[ \\t]`"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::problems_of_rules;

    fn problem_of(expression: &str) -> Option<String> {
        let problems = problems_of_rules(&format!("x := {expression}"));
        assert!(problems.len() < 2, "{problems:?}");
        problems.into_iter().next()
    }

    #[test]
    fn what_other_engines_take_otherwise_is_refused() {
        let number = "is another number, or prints as another, in other engines";
        let ordered = "a set or an object comes before or after others in other engines";
        let format = "`sprintf` needs a literal format with `%v` for each value, and with no other verb";
        let days = "`time.add_date` adds days only";
        for (expression, expected) in [
            ("18446744073709551616", number),
            ("[1.0]", number),
            ("1e3", number),
            ("0.50", number),
            ("{1} < {\"a\": 1}", ordered),
            ("input.run <= {\"a\": 1}", ordered),
            ("[1 | {y | y := 1} > {2}]", ordered),
            ("sort([{1}, {\"a\": 1}])", ordered),
            ("sprintf(\"%d\", [input.run])", format),
            ("sprintf(\"%s\", [1])", format),
            ("sprintf(\"%5v\", [1])", format),
            ("sprintf(\"%\", [])", format),
            ("sprintf(\"%v\", [1, 2])", format),
            ("sprintf(input.run.region, [])", format),
            ("time.add_date(1, 0, 1, 0)", days),
            ("time.add_date(1, 1, 0, 0)", days),
            ("time.add_date(1, 0, input.run, 0)", days),
            ("regex.match(`^\\d+$`, \"1\")", "`\\d` is about every script"),
            ("regex.replace(\"a\", \"\\\\bx\", \"\")", "`\\b` is about every script"),
        ] {
            let problem = problem_of(expression).unwrap_or_default();
            assert!(problem.contains(expected), "{expression}: {problem}");
        }
    }

    #[test]
    fn what_all_engines_take_alike_is_taken() {
        for expression in [
            "18446744073709551615",
            "[-1, -0.5]",
            "[0, 0.5, 10]",
            "[1] < [2]",
            "input.run < 1",
            "sort([2, \"a\", [1]])",
            "sprintf(\"%v of %v: 100 %%\", [1, {\"a\"}])",
            "sprintf(\"%v\", input.run)",
            "time.add_date(1, 0, 0, input.run)",
            "regex.match(`^[0-9]+\\.\\\\d$`, \"1\")",
        ] {
            assert_eq!(problem_of(expression), None, "{expression}");
        }
    }
}
