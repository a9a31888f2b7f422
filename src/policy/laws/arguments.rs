//! Law: what stands in a call as it is must be of a kind that the builtin takes. OPA's compiler refuses anything else; the engine finds it when
//! the call is reached, if ever.

use regex::Regex;

use super::super::syntax::Expr;
use super::values;

/// What builtins take: a text, a number, an array, an object, a set, a list (an array or a set), a collection (any of those or a text), or
/// any value. From <https://www.openpolicyagent.org/docs/policy-reference#built-in-functions>.
const TAKEN: &[(&str, &str)] = &[
    ("abs", "n"),
    ("array.concat", "aa"),
    ("array.reverse", "a"),
    ("array.slice", "ann"),
    ("ceil", "n"),
    ("concat", "tl"),
    ("contains", "tt"),
    ("count", "c"),
    ("endswith", "tt"),
    ("floor", "n"),
    ("format_int", "nn"),
    ("indexof", "tt"),
    ("intersection", "s"),
    ("json.unmarshal", "t"),
    ("lower", "t"),
    ("max", "l"),
    ("min", "l"),
    ("object.get", "ovv"),
    ("object.keys", "o"),
    ("object.union", "oo"),
    ("product", "l"),
    ("regex.find_n", "ttn"),
    ("regex.match", "tt"),
    ("regex.replace", "ttt"),
    ("regex.split", "tt"),
    ("replace", "ttt"),
    ("round", "n"),
    ("sort", "l"),
    ("split", "tt"),
    ("sprintf", "ta"),
    ("startswith", "tt"),
    ("strings.count", "tt"),
    ("strings.replace_n", "ot"),
    ("substring", "tnn"),
    ("sum", "l"),
    ("time.parse_rfc3339_ns", "t"),
    ("trim", "tt"),
    ("trim_left", "tt"),
    ("trim_prefix", "tt"),
    ("trim_right", "tt"),
    ("trim_space", "t"),
    ("trim_suffix", "tt"),
    ("union", "s"),
    ("upper", "t"),
];

/// Which argument of a builtin is a pattern.
const PATTERNS: &[(&str, usize)] = &[("regex.find_n", 0), ("regex.match", 0), ("regex.replace", 1), ("regex.split", 0)];

/// What is wrong with the arguments of a call.
pub(super) fn problem(name: &str, arguments: &[Expr]) -> Option<(String, String)> {
    let taken = TAKEN.iter().find(|(known, _)| *known == name).map_or("", |(_, taken)| taken);
    let wrong = taken.chars().zip(arguments).find(|(taken, argument)| !takes(*taken, argument));
    if let Some((taken, _)) = wrong {
        return Some((format!("`{name}` takes {} here", word(taken)), "give it what it takes".to_owned()));
    }
    let (_, place) = PATTERNS.iter().find(|(known, _)| *known == name)?;
    let pattern = arguments.get(*place)?.text()?;
    let Some(error) = Regex::new(pattern).err().map(|error| error.to_string()) else {
        return values::class(pattern).map(|(problem, help)| (problem, help.to_owned()));
    };
    let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Some((
        format!("`{pattern}` is no regular expression: {last}"),
        "see https://github.com/google/re2/wiki/Syntax".to_owned(),
    ))
}

/// Whether an argument is, or may be, of a kind.
fn takes(taken: char, argument: &Expr) -> bool {
    match argument {
        Expr::String { .. } | Expr::RawString { .. } => matches!(taken, 't' | 'c' | 'v'),
        Expr::Number { .. } => matches!(taken, 'n' | 'v'),
        Expr::Bool { .. } | Expr::Null { .. } => taken == 'v',
        Expr::Array { .. } | Expr::ArrayCompr { .. } => matches!(taken, 'a' | 'l' | 'c' | 'v'),
        Expr::Set { .. } | Expr::SetCompr { .. } => matches!(taken, 's' | 'l' | 'c' | 'v'),
        Expr::Object { .. } | Expr::ObjectCompr { .. } => matches!(taken, 'o' | 'c' | 'v'),
        _ => true,
    }
}

fn word(taken: char) -> &'static str {
    match taken {
        't' => "a text",
        'n' => "a number",
        'a' => "an array",
        'o' => "an object",
        's' => "a set",
        'l' => "an array or a set",
        _ => "a collection or a text",
    }
}

#[cfg(test)]
mod tests {
    use super::TAKEN;
    use crate::policy::laws::ALLOWED;
    use crate::policy::tests::problems_of_rules;

    fn problems_of(expression: &str) -> Vec<String> {
        problems_of_rules(&format!("x := {expression}"))
    }

    #[test]
    fn constants_of_another_kind_are_refused() {
        for (expression, expected) in [
            ("count(1)", "`count` takes a collection or a text here"),
            ("startswith(1, \"a\")", "`startswith` takes a text here"),
            ("concat(\", \", \"a\")", "`concat` takes an array or a set here"),
            ("object.get(null, \"a\", 1)", "`object.get` takes an object here"),
            ("abs([1])", "`abs` takes a number here"),
            ("regex.match(\"(\", \"a\")", "`(` is no regular expression: unclosed group"),
        ] {
            assert_eq!(problems_of(expression), [format!("lib/a.rego:3:6: {expected}")], "{expression}");
        }
    }

    #[test]
    fn constants_of_the_right_kind_and_all_that_is_computed_are_taken() {
        for expression in [
            "count(\"a\")",
            "count({\"a\": 1})",
            "startswith(\"a\", lower(\"A\"))",
            "concat(\", \", {\"a\"})",
            "object.get(input, [\"run\"], null)",
            "abs(-1)",
            "regex.match(`^a+$`, \"a\")",
        ] {
            assert_eq!(problems_of(expression), [""; 0], "{expression}");
        }
    }

    #[test]
    fn every_builtin_of_the_table_is_allowed_with_so_many_arguments() {
        for (name, taken) in TAKEN {
            assert!(ALLOWED.contains(&(name, taken.len())), "{name}");
        }
    }
}
