//! Paths that a function's parameters are the beginning or steps of: what they are is known where it is called.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reference::{References, Target};
use super::super::syntax::{Policy, Span};
use super::scope::{Path, Root, Scope, Step};

/// The name of a function below `data`.
type Name = Vec<String>;

/// The calls of functions, and the paths that these are given something for.
#[derive(Default)]
pub(super) struct Functions<'tree> {
    paths: BTreeMap<Name, BTreeSet<Path>>,
    calls: Vec<Call<'tree>>,
}

struct Call<'tree> {
    policy: &'tree Policy,
    by: Name,
    function: Name,
    arguments: Vec<Argument>,
}

/// What a function is given.
struct Argument {
    step: Step,
    path: Option<Path>,
    span: Span,
}

/// A path as a call makes it.
pub(super) struct CalledPath<'tree> {
    pub(super) policy: &'tree Policy,
    pub(super) path: Path,
    /// The steps that the call gives, and where they stand.
    given: BTreeMap<String, Span>,
    /// Where the call gives what the path begins with.
    beginning: Option<Span>,
}

impl CalledPath<'_> {
    /// Where the call gives a step, or what it is a step into. What the function itself writes on its own is told there.
    pub(super) fn place(&self, step: &str) -> Option<Span> {
        self.given.get(step).copied().or(self.beginning)
    }
}

impl<'tree> Functions<'tree> {
    /// Adds a rule with the paths that wait for its parameters, and what it calls.
    pub(super) fn add(
        &mut self,
        policy: &'tree Policy,
        name: Name,
        scope: &Scope,
        paths: Vec<Path>,
        references: References<'tree>,
    ) {
        if !paths.is_empty() {
            self.paths.entry(name.clone()).or_default().extend(paths);
        }
        for reference in references.all {
            if let (Target::Data(function), Some(arguments)) = (reference.target, reference.arguments) {
                let arguments = arguments.iter().map(|argument| Argument {
                    step: scope.step(argument),
                    path: scope.path(argument),
                    span: argument.span(),
                });
                self.calls.push(Call { policy, by: name.clone(), function, arguments: arguments.collect() });
            }
        }
    }

    /// The paths of all calls. What a function passes on is a path of its own; functions do not call themselves.
    pub(super) fn calls(mut self) -> Vec<CalledPath<'tree>> {
        loop {
            let mut passed_on: BTreeMap<&Name, BTreeSet<Path>> = BTreeMap::new();
            for call in &self.calls {
                for called in self.paths_of(call).filter(|called| called.path.is_given()) {
                    let is_known = self.paths.get(&call.by).is_some_and(|known| known.contains(&called.path));
                    if !is_known {
                        passed_on.entry(&call.by).or_default().insert(called.path);
                    }
                }
            }
            if passed_on.is_empty() {
                break;
            }
            let passed_on: Vec<_> = passed_on.into_iter().map(|(name, paths)| (name.clone(), paths)).collect();
            for (name, paths) in passed_on {
                self.paths.entry(name).or_default().extend(paths);
            }
        }
        let called = self.calls.iter().flat_map(|call| self.paths_of(call));
        called.filter(|called| called.path.root == Root::Input).collect()
    }

    /// The paths that a call makes of those of its function.
    fn paths_of(&self, call: &Call<'tree>) -> impl Iterator<Item = CalledPath<'tree>> {
        let paths = self.paths.get(&call.function).into_iter().flatten();
        paths.filter_map(|path| {
            let argument = |position: usize| call.arguments.get(position);
            let (start, beginning) = match path.root {
                Root::Input => (Path::of_input(Vec::new()), None),
                Root::Parameter(position) => {
                    let argument = argument(position)?;
                    (argument.path.clone()?, Some(argument.span))
                }
            };
            let mut given = BTreeMap::new();
            let steps = path.steps.iter().map(|step| {
                let Step::Parameter(position) = step else { return step.clone() };
                let Some(argument) = argument(*position) else { return Step::Computed };
                if let Some(name) = argument.step.name() {
                    given.insert(name.to_owned(), argument.span);
                }
                argument.step.clone()
            });
            let path = start.with(steps.collect::<Vec<_>>());
            Some(CalledPath { policy: call.policy, path, given, beginning })
        })
    }
}
