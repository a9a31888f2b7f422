//! Law: policies call what is pure, bounded and the same under OPA.

use super::super::Defect;
use super::super::reference::{Reference, Target};
use super::super::syntax::Expr;
use super::{Program, RuleView, arguments, values};
use crate::suggestion::did_you_mean;

/// How many numbers a `numbers.range` may give: no limit of the engine reaches inside a builtin.
const RANGE: f64 = 100_000.0;

/// The builtins that a policy may call, with the number of their arguments: those that OPA 1.2 and the engine share, that
/// give the same result for the same arguments, and whose result does not outgrow their arguments without bound.
pub(crate) const ALLOWED: &[(&str, usize)] = &[
    ("abs", 1),
    ("array.concat", 2),
    ("array.reverse", 1),
    ("array.slice", 3),
    ("base64.decode", 1),
    ("base64.encode", 1),
    ("base64.is_valid", 1),
    ("bits.and", 2),
    ("bits.negate", 1),
    ("bits.or", 2),
    ("bits.xor", 2),
    ("ceil", 1),
    ("concat", 2),
    ("contains", 2),
    ("count", 1),
    ("endswith", 2),
    ("floor", 1),
    ("format_int", 2),
    ("glob.match", 3),
    ("glob.quote_meta", 1),
    ("graph.reachable", 2),
    ("graph.reachable_paths", 2),
    ("hex.decode", 1),
    ("hex.encode", 1),
    ("indexof", 2),
    ("indexof_n", 2),
    ("intersection", 1),
    ("is_array", 1),
    ("is_boolean", 1),
    ("is_null", 1),
    ("is_number", 1),
    ("is_object", 1),
    ("is_set", 1),
    ("is_string", 1),
    ("json.filter", 2),
    ("json.is_valid", 1),
    ("json.marshal", 1),
    ("json.patch", 2),
    ("json.remove", 2),
    ("json.unmarshal", 1),
    ("lower", 1),
    ("max", 1),
    ("min", 1),
    ("net.cidr_contains", 2),
    ("net.cidr_is_valid", 1),
    ("numbers.range", 2),
    ("object.filter", 2),
    ("object.get", 3),
    ("object.keys", 1),
    ("object.remove", 2),
    ("object.subset", 2),
    ("object.union", 2),
    ("object.union_n", 1),
    ("product", 1),
    ("regex.find_n", 3),
    ("regex.is_valid", 1),
    ("regex.match", 2),
    ("regex.replace", 3),
    ("regex.split", 2),
    ("regex.template_match", 4),
    ("replace", 3),
    ("round", 1),
    ("sort", 1),
    ("split", 2),
    ("sprintf", 2),
    ("startswith", 2),
    ("strings.any_prefix_match", 2),
    ("strings.any_suffix_match", 2),
    ("strings.count", 2),
    ("strings.replace_n", 2),
    ("strings.reverse", 1),
    ("substring", 3),
    ("sum", 1),
    ("time.add_date", 4),
    ("time.clock", 1),
    ("time.date", 1),
    ("time.diff", 2),
    ("time.format", 1),
    ("time.parse_duration_ns", 1),
    ("time.parse_ns", 2),
    ("time.parse_rfc3339_ns", 1),
    ("time.weekday", 1),
    ("to_number", 1),
    ("trim", 2),
    ("trim_left", 2),
    ("trim_prefix", 2),
    ("trim_right", 2),
    ("trim_space", 1),
    ("trim_suffix", 2),
    ("type_name", 1),
    ("union", 1),
    ("units.parse", 1),
    ("units.parse_bytes", 1),
    ("upper", 1),
    ("walk", 2),
    // Tests only, with any number of arguments.
    ("print", usize::MAX),
];

/// Builtins (or, with a dot at the end, families of them) that a policy must not call, and what to do instead.
const DENIED: &[(&str, &str, &str)] = &[
    ("http.send", "reaches the network", "policies see the fact document only: add the fact to the collector"),
    ("net.lookup_ip_addr", "reaches the network", "policies see the fact document only: add the fact to the collector"),
    ("opa.runtime", "reads the environment", "policies see the fact document only"),
    ("time.now_ns", "reads the clock", "the only clock is `input.run.collected_at`"),
    ("rand.", "is random", "a verdict must be the same for the same facts"),
    ("semver.", "reads `v1.2.3` and `01.2.3` otherwise than OPA", "compare the numbers between the dots"),
    ("uuid.", "is random", "a verdict must be the same for the same facts"),
    ("trace", "has no reader", "put what is worth knowing into `observations`"),
    ("rego.", "is not offered by the engine", "factgate reads METADATA itself"),
    ("io.jwt.", "is not offered by the engine", "verify tokens where facts are collected"),
    ("crypto.", "is not offered by the engine", "compute digests where facts are collected"),
    ("graphql.", "is not offered by the engine", "parse it where facts are collected"),
    ("providers.", "is not offered by the engine", "policies see the fact document only"),
    ("regex.globs_match", "is not offered by the engine", "use `regex.match`"),
    ("array.flatten", "is not offered by the engine", "use a comprehension"),
    ("net.cidr_intersects", "is not offered by the engine", "use `net.cidr_contains` on both sides"),
    ("net.cidr_merge", "is not offered by the engine", "use `net.cidr_contains`"),
    ("net.cidr_contains_matches", "is not offered by the engine", "use `net.cidr_contains`"),
    ("net.cidr_expand", "grows without bound", "use `net.cidr_contains`"),
    ("numbers.range_step", "grows without bound", "use `numbers.range` with literal bounds"),
    ("bits.lsh", "grows without bound", "multiply instead"),
];

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let mut defects = Vec::new();
    for rule in &program.rules {
        for reference in &rule.references.all {
            let found = match &reference.target {
                Target::Data(path) => undefined_function(program, path, reference),
                Target::Name(name) => builtin(rule, name, reference),
            };
            if let Some((problem, help)) = found {
                defects.push(Defect::new(rule.policy.location(reference.span), problem, help));
            }
        }
    }
    defects
}

type Finding = Option<(String, String)>;

/// A call of a function that is not there, or with another number of arguments than it takes, fails only when it is
/// reached; a rule that is reached on the worst day only must not wait for it.
fn undefined_function(program: &Program<'_>, path: &[String], reference: &Reference<'_>) -> Finding {
    let supplied = reference.arguments?.len();
    let name = path.join(".");
    match program.arities.get(path) {
        Some(Some(arity)) if *arity == supplied => None,
        Some(Some(arity)) => {
            Some((format!("`{name}` takes {arity} arguments and is given {supplied}"), "give it what it takes".into()))
        }
        Some(None) => Some((format!("`{name}` is a rule, no function"), "refer to it without parentheses".into())),
        None => {
            let functions: Vec<String> =
                program.arities.iter().filter(|(_, arity)| arity.is_some()).map(|(path, _)| path.join(".")).collect();
            let help = did_you_mean(&name, functions.iter().map(String::as_str))
                .unwrap_or_else(|| "define it, or correct the import".into());
            Some((format!("there is no function `{name}`"), help))
        }
    }
}

fn builtin(rule: &RuleView<'_>, name: &str, reference: &Reference<'_>) -> Finding {
    let denied = DENIED
        .iter()
        .find(|(denied, ..)| if denied.ends_with('.') { name.starts_with(denied) } else { name == *denied });
    if let Some((_, reason, help)) = denied {
        return Some((format!("`{name}` is not allowed in a policy: it {reason}"), (*help).into()));
    }
    let arguments = reference.arguments?;
    let Some((_, arity)) = ALLOWED.iter().find(|(allowed, _)| *allowed == name) else {
        let help = did_you_mean(name, ALLOWED.iter().map(|(allowed, _)| *allowed))
            .unwrap_or_else(|| "define it, import it, or use a builtin that both OPA 1.2 and the engine offer".into());
        return Some((format!("there is no function `{name}`"), help));
    };
    match name {
        "print" if rule.is_test => None,
        "print" => Some((
            "`print` is not allowed in a policy: it has no reader".into(),
            "print in tests; put what is worth knowing into `observations`".into(),
        )),
        "walk" if !matches!(arguments, [_, Expr::Array { items, .. }] if items.len() == 2) => {
            Some(("`walk` works only as `walk(x, [path, value])`".into(), "write the pattern into the call".into()))
        }
        _ if arguments.len() != *arity => Some((
            format!("`{name}` takes {arity} arguments and is given {}", arguments.len()),
            "give it what it takes".into(),
        )),
        "glob.match" if !has_safe_delimiters(arguments) => Some((
            "`glob.match` needs literal delimiters without `:`".into(),
            "the engine lets `*` cross a `:`; compare the parts of an ARN one by one, or use `regex.match`".into(),
        )),
        "numbers.range" if !is_bounded(arguments) => Some((
            format!("`numbers.range` needs two literal bounds at most {RANGE} apart"),
            "no time limit reaches inside a builtin: use a collection of facts".into(),
        )),
        _ => arguments::problem(name, arguments)
            .or_else(|| values::call(name, arguments).map(|(problem, help)| (problem, help.to_owned()))),
    }
}

fn has_safe_delimiters(arguments: &[Expr]) -> bool {
    match arguments {
        [_, Expr::Null { .. }, _] => true,
        [_, Expr::Array { items, .. }, _] => items
            .iter()
            .all(|item| matches!(item, Expr::String { value, .. } | Expr::RawString { value, .. } if value != ":")),
        _ => false,
    }
}

fn is_bounded(arguments: &[Expr]) -> bool {
    let literal = |expression: &Expr| match expression {
        Expr::Number { value, .. } => value.as_f64(),
        Expr::Unary { expr, .. } => match expr.as_ref() {
            Expr::Number { value, .. } => value.as_f64().map(|value| -value),
            _ => None,
        },
        _ => None,
    };
    matches!(arguments, [from, to] if literal(from).zip(literal(to)).is_some_and(|(from, to)| (to - from).abs() <= RANGE))
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, DENIED};
    use crate::policy::tests::{defects, problems, problems_of_rules};

    fn problems_of(expression: &str) -> Vec<String> {
        problems_of_rules(&format!("x := {expression}"))
    }

    #[test]
    fn every_denied_builtin_is_refused_with_its_place() {
        for &(name, ..) in DENIED {
            let name = if name.ends_with('.') { format!("{name}any") } else { name.to_owned() };
            let found = problems_of(&format!("{name}(1)"));
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            let start = format!("lib/a.rego:3:6: `{name}` is not allowed in a policy: it ");
            assert!(found[0].starts_with(&start), "{found:?}");
        }
    }

    #[test]
    fn a_denied_builtin_is_found_wherever_it_hides() {
        for expression in [
            "[x | x := time.now_ns()]",
            "abs(time.now_ns())",
            "{\"a\": [time.now_ns()]}",
            "1 + time.now_ns()",
            "y if {\n\ty := 1 with data.z as time.now_ns()\n}",
            "y if {\n\ty := abs(1) with abs as time.now_ns\n}",
            "1 if not time.now_ns() == 1",
            "time[\"now_ns\"]()",
        ] {
            let found = problems_of(expression);
            assert!(
                found.iter().any(|problem| problem.contains("`time.now_ns` is not allowed")),
                "{expression}: {found:?}"
            );
        }
    }

    #[test]
    fn unknown_functions_are_refused_with_a_suggestion() {
        let found = defects(&[("lib/a.rego", "package lib.a\n\nx := starts_with(\"a\", \"b\")\n")]);
        assert_eq!(found[0].problem, "there is no function `starts_with`");
        assert_eq!(found[0].help, "did you mean `startswith`?");
        let text = "package lib.a\n\nimport data.lib.b\n\nx := b.check(1)\n";
        let found = defects(&[("lib/a.rego", text), ("lib/b.rego", "package lib.b\n\nchecks(x) := x\n")]);
        assert_eq!(found[0].problem, "there is no function `lib.b.check`");
        assert_eq!(found[0].help, "did you mean `lib.b.checks`?");
    }

    #[test]
    fn a_wrong_number_of_arguments_is_refused() {
        assert_eq!(problems_of("count(1, 2)"), ["lib/a.rego:3:6: `count` takes 1 arguments and is given 2"]);
        assert_eq!(
            problems_of("f(1)\n\nf(a, b) := [a, b]"),
            ["lib/a.rego:3:6: `lib.a.f` takes 2 arguments and is given 1"]
        );
        assert_eq!(problems_of("y(1)\n\ny := 1"), ["lib/a.rego:3:6: `lib.a.y` is a rule, no function"]);
    }

    #[test]
    fn a_range_must_have_literal_bounds_that_are_not_far_apart() {
        assert_eq!(problems_of("numbers.range(-1, 100)"), [""; 0]);
        for bounds in ["1, 60000000", "1, input.x", "-60000000, 1", "input.x, input.y"] {
            let found = problems_of(&format!("numbers.range({bounds})"));
            assert_eq!(found, ["lib/a.rego:3:6: `numbers.range` needs two literal bounds at most 100000 apart"]);
        }
    }

    #[test]
    fn a_glob_must_not_depend_on_colons() {
        for delimiters in ["null", "[]", "[\"/\"]", "[`.`]"] {
            assert_eq!(problems_of(&format!("glob.match(\"*\", {delimiters}, \"a\")")), [""; 0]);
        }
        for delimiters in ["[\":\"]", "[\"/\", \":\"]", "input.x", "[input.x]"] {
            assert_eq!(
                problems_of(&format!("glob.match(\"*\", {delimiters}, \"a\")")),
                ["lib/a.rego:3:6: `glob.match` needs literal delimiters without `:`"]
            );
        }
    }

    #[test]
    fn walk_needs_its_pattern() {
        assert_eq!(problems_of("{p | walk(input, [p, _])}"), [""; 0]);
        assert_eq!(
            problems_of("{p | walk(input, p)}"),
            ["lib/a.rego:3:11: `walk` works only as `walk(x, [path, value])`"]
        );
    }

    #[test]
    fn print_is_for_tests() {
        assert_eq!(problems_of("1 if print(1)").len(), 1);
        let test = ("lib/a_test.rego", "package lib.a_test\n\ntest_a if print(1)\n");
        assert_eq!(problems(&[("lib/a.rego", "package lib.a\n\nx := 1\n"), test]), [""; 0]);
    }

    #[test]
    fn no_builtin_is_both_allowed_and_denied() {
        assert!(ALLOWED.iter().all(|(name, _)| DENIED.iter().all(|(denied, ..)| name != denied)));
    }
}
