//! Law: no rule and no function depends on itself, and none on a tower of others.
//!
//! A recursive function aborts the process in the engine, and so does any chain of calls that outgrows the stack. A cycle is
//! looked for where none may be hidden: a reference to a whole package, or one with a computed step, counts as one to
//! everything below it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reference::Target;
use super::super::{Defect, Location};
use super::Program;

/// Rule path → the paths that it refers to, with the first place that does.
type Graph = BTreeMap<Vec<String>, BTreeMap<Vec<String>, Location>>;

/// How long a chain of rules and functions may be. The evaluation's stack holds several times as many.
const DEPTH: usize = 128;

pub(super) fn check(program: &Program<'_>) -> Vec<Defect> {
    let graph = graph(program);
    let walk = walk(&graph);
    if walk.cycles.is_empty() {
        return walk.too_deep(&graph);
    }
    walk.cycles
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
        for reference in &rule.references.all {
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

/// What a walk along all references finds.
struct Walk<'graph> {
    /// One cycle of each set of rules that depend on each other, starting at its smallest path.
    cycles: Vec<Vec<&'graph Vec<String>>>,
    /// How long the longest chain of references is that starts at a rule. Meaningless if there are cycles.
    depths: BTreeMap<&'graph Vec<String>, usize>,
}

impl Walk<'_> {
    /// The rules at which chains cross the limit: others are deep only because of them.
    fn too_deep(&self, graph: &Graph) -> Vec<Defect> {
        let crossing = self.depths.iter().filter(|(_, depth)| **depth == DEPTH + 1);
        let place = |path: &Vec<String>| {
            let edges = graph.get(path)?.iter();
            edges.max_by_key(|(target, _)| self.depths.get(target)).map(|(_, location)| location.clone())
        };
        crossing
            .filter_map(|(path, _)| {
                Some(Defect::new(
                    place(path)?,
                    format!("`{}` needs a chain of more than {DEPTH} rules and functions", path.join(".")),
                    "make the chain shorter",
                ))
            })
            .collect()
    }
}

fn walk(graph: &Graph) -> Walk<'_> {
    let mut depths: BTreeMap<&Vec<String>, usize> = BTreeMap::new();
    let mut cycles: BTreeMap<BTreeSet<&Vec<String>>, Vec<&Vec<String>>> = BTreeMap::new();
    for (start, edges) in graph {
        if depths.contains_key(start) {
            continue;
        }
        // The stack is our own: a chain of rules can be longer than the thread's is deep. Each entry has the rule, what is
        // left of its references, and the depth of those that are done.
        let mut open = BTreeSet::from([start]);
        let mut path = vec![(start, edges.keys(), 0)];
        while let Some((node, edges, below)) = path.last_mut() {
            let Some(next) = edges.next() else {
                let depth = *below + 1;
                open.remove(node);
                depths.insert(*node, depth);
                path.pop();
                if let Some((_, _, below)) = path.last_mut() {
                    *below = depth.max(*below);
                }
                continue;
            };
            if let Some(depth) = depths.get(next) {
                *below = (*depth).max(*below);
            } else if open.contains(next) {
                let entry = path.iter().position(|(node, ..)| *node == next).unwrap_or_default();
                let mut cycle: Vec<&Vec<String>> = path[entry..].iter().map(|(node, ..)| *node).collect();
                let smallest = (0..cycle.len()).min_by_key(|index| cycle[*index]).unwrap_or_default();
                cycle.rotate_left(smallest);
                cycles.entry(cycle.iter().copied().collect()).or_insert(cycle);
            } else if let Some((next, edges)) = graph.get_key_value(next) {
                open.insert(next);
                path.push((next, edges.keys(), 0));
            }
        }
    }
    Walk { cycles: cycles.into_values().collect(), depths }
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

    /// Functions of which each calls the one before it.
    fn tower(height: usize) -> String {
        let mut text = String::from("package lib.a\n\nf1(x) := x\n\n");
        for index in 2..=height {
            text.push_str(&format!("f{index}(x) := f{}(x) + f1(x)\n\n", index - 1));
        }
        text
    }

    #[test]
    fn chains_and_shared_helpers_are_no_recursion() {
        assert_eq!(problems(&[("lib/a.rego", &tower(128))]), [""; 0]);
    }

    #[test]
    fn a_chain_that_outgrows_the_stack_is_refused_once() {
        for height in [129, 5_000] {
            assert_eq!(
                problems(&[("lib/a.rego", &tower(height))]),
                ["lib/a.rego:259:12: `lib.a.f129` needs a chain of more than 128 rules and functions"]
            );
        }
    }
}
