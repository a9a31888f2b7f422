//! Paths of which a function's parameters are steps: what they are is known where it is called.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reference::{References, Target};
use super::super::syntax::{Expr, Policy, Span};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// It is written down.
    Named(String),
    /// It is what the function is given as its parameter at this position.
    Parameter(usize),
    /// It is computed otherwise.
    Computed,
}

impl Step {
    /// The step that an expression is, in a function with these parameters.
    pub(super) fn of(expression: &Expr, parameters: &[String]) -> Self {
        let position = || {
            let name = expression.variable()?;
            parameters.iter().position(|parameter| parameter == name)
        };
        match (expression.text(), position()) {
            (Some(name), _) => Self::Named(name.to_owned()),
            (None, Some(position)) => Self::Parameter(position),
            (None, None) => Self::Computed,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Parameter(_) | Self::Computed => None,
        }
    }
}

/// Whether a step of a path is given by who calls the function.
pub(super) fn is_given(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Parameter(_)))
}

/// The name of a function below `data`.
type Name = Vec<String>;

/// The calls of functions, and the paths that these have steps for.
#[derive(Default)]
pub(super) struct Functions<'tree> {
    paths: BTreeMap<Name, BTreeSet<Vec<Step>>>,
    calls: Vec<Call<'tree>>,
}

struct Call<'tree> {
    policy: &'tree Policy,
    by: Name,
    /// The parameters of the function that calls.
    parameters: Vec<String>,
    function: Name,
    arguments: &'tree [Expr],
}

/// A path as a call makes it.
pub(super) struct CalledPath<'tree> {
    pub(super) policy: &'tree Policy,
    pub(super) steps: Vec<Step>,
    /// The steps that the call gives, and where they stand.
    pub(super) given: BTreeMap<String, Span>,
}

impl<'tree> Functions<'tree> {
    /// Adds a rule with the paths that wait for its parameters, and what it calls.
    pub(super) fn add(
        &mut self,
        policy: &'tree Policy,
        name: Name,
        parameters: Vec<String>,
        paths: Vec<Vec<Step>>,
        references: References<'tree>,
    ) {
        if !paths.is_empty() {
            self.paths.entry(name.clone()).or_default().extend(paths);
        }
        for reference in references.all {
            if let (Target::Data(function), Some(arguments)) = (reference.target, reference.arguments) {
                let (by, parameters) = (name.clone(), parameters.clone());
                self.calls.push(Call { policy, by, parameters, function, arguments });
            }
        }
    }

    /// The paths of all calls. What a function passes on is a path of its own; functions do not call themselves.
    pub(super) fn calls(mut self) -> Vec<CalledPath<'tree>> {
        loop {
            let mut passed_on: BTreeMap<&Name, BTreeSet<Vec<Step>>> = BTreeMap::new();
            for call in &self.calls {
                for path in self.paths_of(call).filter(|path| is_given(&path.steps)) {
                    let is_known = self.paths.get(&call.by).is_some_and(|known| known.contains(&path.steps));
                    if !is_known {
                        passed_on.entry(&call.by).or_default().insert(path.steps);
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
        let paths = self.calls.iter().flat_map(|call| self.paths_of(call));
        paths.filter(|path| !path.given.is_empty()).collect()
    }

    /// The paths that a call makes of those of its function.
    fn paths_of(&self, call: &Call<'tree>) -> impl Iterator<Item = CalledPath<'tree>> {
        let paths = self.paths.get(&call.function).into_iter().flatten();
        paths.map(|steps| {
            let mut given = BTreeMap::new();
            let steps = steps.iter().map(|step| {
                let Step::Parameter(position) = step else { return step.clone() };
                let Some(argument) = call.arguments.get(*position) else { return Step::Computed };
                let step = Step::of(argument, &call.parameters);
                if let Some(name) = step.name() {
                    given.insert(name.to_owned(), argument.span());
                }
                step
            });
            CalledPath { policy: call.policy, steps: steps.collect(), given }
        })
    }
}
