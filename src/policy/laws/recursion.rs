//! Law: no rule and no function depends on itself.
//!
//! A recursive function aborts the process in the engine, so a cycle is looked for where none may be hidden: a reference to
//! a whole package, or one with a computed step, counts as one to everything below it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reference::Target;
use super::super::{Defect, Location};
use super::Program;

/// Rule path → the paths that it refers to, with the first place that does.
type Graph = BTreeMap<Vec<String>, BTreeMap<Vec<String>, Location>>;

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let graph = graph(program);
    cycles(&graph)
        .into_iter()
        .filter_map(|cycle| {
            let first = *cycle.first()?;
            let second = cycle.get(1).copied().unwrap_or(first);
            let location = graph.get(first)?.get(second)?.clone();
            let mut names: Vec<String> = cycle.iter().map(|path| path.join(".")).collect();
            names.extend(names.first().cloned());
            Some(Defect::new(
                location,
                format!("recursion: {}", names.join(" → ")),
                "Rego has no recursion: refer to the rules that are needed one by one, or use `walk` or `graph.reachable`",
            ))
        })
        .collect()
}

fn graph(program: &Program<'_>) -> Graph {
    let mut graph: Graph = program.arities.keys().map(|path| (path.clone(), BTreeMap::new())).collect();
    for rule in &program.rules {
        for reference in &rule.references {
            let Target::Data(target) = &reference.target else { continue };
            let below = program
                .arities
                .range::<[String], _>((std::ops::Bound::Included(target.as_slice()), std::ops::Bound::Unbounded))
                .map(|(path, _)| path)
                .take_while(|path| path.starts_with(target));
            let above = (1..target.len())
                .filter_map(|length| program.arities.get_key_value(&target[..length]).map(|(path, _)| path));
            for path in below.chain(above) {
                let edges = graph.entry(rule.path.clone()).or_default();
                edges.entry(path.clone()).or_insert_with(|| rule.policy.location(reference.span));
            }
        }
    }
    graph
}

/// One cycle of each set of rules that depend on each other, starting at its smallest path.
fn cycles(graph: &Graph) -> Vec<Vec<&Vec<String>>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Open,
        Done,
    }
    let mut marks: BTreeMap<&Vec<String>, Mark> = BTreeMap::new();
    let mut found: BTreeMap<BTreeSet<&Vec<String>>, Vec<&Vec<String>>> = BTreeMap::new();
    for start in graph.keys() {
        if marks.contains_key(start) {
            continue;
        }
        // The stack is our own: a chain of rules can be longer than the thread's is deep.
        let mut path = vec![(start, graph[start].keys())];
        marks.insert(start, Mark::Open);
        while let Some((node, edges)) = path.last_mut() {
            let Some(next) = edges.next() else {
                marks.insert(*node, Mark::Done);
                path.pop();
                continue;
            };
            match marks.get(next) {
                Some(Mark::Done) => {}
                Some(Mark::Open) => {
                    let entry = path.iter().position(|(node, _)| *node == next).unwrap_or_default();
                    let mut cycle: Vec<&Vec<String>> = path[entry..].iter().map(|(node, _)| *node).collect();
                    let smallest = (0..cycle.len()).min_by_key(|index| cycle[*index]).unwrap_or_default();
                    cycle.rotate_left(smallest);
                    found.entry(cycle.iter().copied().collect()).or_insert(cycle);
                }
                None => {
                    if let Some((next, edges)) = graph.get_key_value(next) {
                        marks.insert(next, Mark::Open);
                        path.push((next, edges.keys()));
                    }
                }
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::problems;

    #[test]
    fn a_function_that_calls_itself_is_refused() {
        let text = "package lib.a\n\nf(x) := f(x - 1) if x > 0\n\nf(0) := 0\n";
        assert_eq!(problems(&[("lib/a.rego", text)]), ["lib/a.rego:3:9: recursion: lib.a.f → lib.a.f"]);
    }

    #[test]
    fn functions_that_call_each_other_are_refused() {
        let text = "package lib.a\n\nf(x) := g(x)\n\ng(x) := h(x)\n\nh(x) := f(x)\n";
        assert_eq!(
            problems(&[("lib/a.rego", text)]),
            ["lib/a.rego:3:9: recursion: lib.a.f → lib.a.g → lib.a.h → lib.a.f"]
        );
    }

    #[test]
    fn recursion_through_imports_and_aliases_is_refused() {
        let a = "package lib.a\n\nimport data.lib.b as other\n\nf(x) := other.g(x)\n";
        let b = "package lib.b\n\nimport data.lib.a.f\n\ng(x) := f(x)\n";
        assert_eq!(
            problems(&[("lib/a.rego", a), ("lib/b.rego", b)]),
            ["lib/a.rego:5:9: recursion: lib.a.f → lib.b.g → lib.a.f"]
        );
    }

    #[test]
    fn recursion_through_full_and_bracketed_paths_is_refused() {
        let text = "package lib.a\n\nf(x) := data.lib[\"a\"].g(x)\n\ng(x) := data[\"lib\"].a.f(x)\n";
        assert_eq!(problems(&[("lib/a.rego", text)]), ["lib/a.rego:3:9: recursion: lib.a.f → lib.a.g → lib.a.f"]);
    }

    #[test]
    fn recursion_through_a_whole_package_is_refused() {
        for reference in ["data.lib", "data.lib.a", "data", "data.lib[x]", "data[x].a.s"] {
            let text =
                format!("package lib.a\n\ns contains x if {{\n\tsome x in [\"a\"]\n\tcount({reference}) > 0\n}}\n");
            let found = problems(&[("lib/a.rego", &text)]);
            assert_eq!(found, ["lib/a.rego:5:8: recursion: lib.a.s → lib.a.s"], "{reference}");
        }
    }

    #[test]
    fn recursion_through_arguments_comprehensions_every_else_and_defaults_is_refused() {
        for body in [
            "f(x) := abs(f(x))",
            "f(x) := [y | some y in f(x)]",
            "f(x) := {k: 1 | some k in x; f(k)}",
            "f(x) if {\n\tevery y in x {\n\t\tf(y)\n\t}\n}",
            "f(x) := 1 if x else := f(x)",
            "f(x) := x[f(x)]",
            "f(x) := f(x).y",
            "f(x) if not f(x)",
            "f(x) := y if {\n\ty := 1 + -f(x)\n}",
            "f(x) if g(x) with g as f\n\ng(x) := x",
            "f(x) := y if {\n\tsome y in {1, f(x)}\n}",
            "f(x) if f(x) in x",
            "f(x) := {f(x): 1}",
            "r[f(1)] := 1\n\nf(x) := r[x]",
        ] {
            let text = format!("package lib.a\n\n{body}\n");
            let found = problems(&[("lib/a.rego", &text)]);
            assert!(found.iter().any(|problem| problem.contains("recursion: ")), "{body}: {found:?}");
        }
    }

    #[test]
    fn a_local_variable_that_hides_a_rule_is_no_recursion() {
        let text = "package lib.a\n\nstatus(x) := status if {\n\tstatus := x.status\n}\n\n\
                    names contains name if {\n\tsome name in input.names\n\tevery names in [name] {\n\t\tcount(names) > 0\n\t}\n}\n";
        assert_eq!(problems(&[("lib/a.rego", text)]), [""; 0]);
    }

    #[test]
    fn a_local_variable_does_not_hide_a_function_that_is_called() {
        let text = "package lib.a\n\nf(f) := f(f)\n";
        assert_eq!(problems(&[("lib/a.rego", text)]), ["lib/a.rego:3:9: recursion: lib.a.f → lib.a.f"]);
    }

    #[test]
    fn long_chains_and_shared_helpers_are_no_recursion() {
        let mut text = String::from("package lib.a\n\nf0(x) := x\n\n");
        for index in 1..500 {
            text.push_str(&format!("f{index}(x) := f{}(x) + f0(x)\n\n", index - 1));
        }
        assert_eq!(problems(&[("lib/a.rego", &text)]), [""; 0]);
    }
}
