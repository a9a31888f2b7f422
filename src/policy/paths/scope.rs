//! What the names of a rule stand for: parts of the input, parts of what a function is given, texts.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;

use super::super::syntax::{AssignOperator, Expr, Head, Literal, Rule, Span};

/// How often names for names are followed.
const MOST_ROUNDS: usize = 8;

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
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Parameter(_) | Self::Computed => None,
        }
    }
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// The input.
    Input,
    /// What the function is given as its parameter at this position.
    Parameter(usize),
}

/// A place in the input, as far as the text says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

impl Path {
    pub(super) fn of_input(steps: Vec<Step>) -> Self {
        Self { root: Root::Input, steps }
    }

    /// The path that goes on by some steps.
    pub(super) fn with(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// Whether it depends on who calls the function.
    pub(super) fn is_given(&self) -> bool {
        self.root != Root::Input || self.steps.iter().any(|step| matches!(step, Step::Parameter(_)))
    }
}

/// What the names of one rule stand for.
#[derive(Default)]
pub(super) struct Scope {
    parameters: Vec<String>,
    paths: BTreeMap<String, Path>,
    texts: BTreeMap<String, String>,
    /// Whether a list that begins with a section of the document is a path.
    pub(super) has_lists: bool,
}

/// What a name is bound to.
#[derive(Clone)]
enum Bound<'tree> {
    To(&'tree Expr),
    /// A member of it.
    ToMember(&'tree Expr),
    /// What of it stands below these keys.
    ToField(&'tree Expr, Vec<&'tree str>),
}

impl Scope {
    /// The names of a rule. `of_package` has the rules of its package that are nothing but other names.
    pub(super) fn of(rule: &Rule, text: &str, of_package: &BTreeMap<String, Path>) -> Self {
        let mut bindings: BTreeMap<String, Vec<Bound<'_>>> = BTreeMap::new();
        rule.statements(&mut |statement| match &statement.literal {
            Literal::SomeIn { value, collection, .. } => bind(value, Bound::ToMember(collection), &mut bindings),
            Literal::Every { value, domain, .. } => {
                let name = text.get(value.start..value.end).unwrap_or_default();
                bindings.entry(name.to_owned()).or_default().push(Bound::ToMember(domain));
            }
            _ => {}
        });
        rule.computed(&mut |expression| {
            expression.nested(&mut |expression| {
                if let Expr::Assignment { lhs, rhs, op, .. } = expression {
                    bind(lhs, Bound::To(rhs), &mut bindings);
                    if matches!(op, AssignOperator::Eq) {
                        bind(rhs, Bound::To(lhs), &mut bindings);
                    }
                }
            });
        });
        let mut scope = Self { parameters: parameters(rule), paths: of_package.clone(), ..Self::default() };
        for name in bindings.keys().chain(&scope.parameters) {
            scope.paths.remove(name);
        }
        // What is bound in more places than one, or is a parameter, may be anything.
        let taken: BTreeSet<&String> = scope.parameters.iter().collect();
        let bindings: Vec<(&String, Bound<'_>)> = bindings
            .iter()
            .filter(|(name, _)| !taken.contains(name))
            .filter_map(|(name, bound)| if let [bound] = bound.as_slice() { Some((name, bound.clone())) } else { None })
            .collect();
        for _ in 0..MOST_ROUNDS {
            let known = scope.paths.len() + scope.texts.len();
            for (name, bound) in &bindings {
                let path = match bound {
                    Bound::To(value) => {
                        if let Some(text) = value.text() {
                            scope.texts.insert((*name).clone(), text.to_owned());
                        }
                        scope.path(value)
                    }
                    Bound::ToMember(Expr::Array { items, .. } | Expr::Set { items, .. }) => match items.as_slice() {
                        [only] => scope.path(only),
                        _ => None,
                    },
                    Bound::ToMember(collection) => scope.path(collection).map(|path| path.with([Step::Computed])),
                    Bound::ToField(object, keys) => {
                        let steps = keys.iter().map(|key| Step::Named((*key).to_owned()));
                        scope.path(object).map(|path| path.with(steps))
                    }
                };
                if let Some(path) = path {
                    scope.paths.insert((*name).clone(), path);
                }
            }
            if scope.paths.len() + scope.texts.len() == known {
                break;
            }
        }
        scope
    }

    /// The step that an expression is.
    pub(super) fn step(&self, expression: &Expr) -> Step {
        let name = expression.variable();
        let text = expression.text().or_else(|| self.texts.get(name?).map(String::as_str));
        let position = || self.parameters.iter().position(|parameter| Some(parameter.as_str()) == name);
        match text {
            Some(name) => Step::Named(name.to_owned()),
            None => position().map_or(Step::Computed, Step::Parameter),
        }
    }

    /// The place in the input that an expression leads to.
    pub(super) fn path(&self, expression: &Expr) -> Option<Path> {
        match expression {
            Expr::Var { value, .. } => {
                let name = value.as_str()?;
                if name == "input" {
                    return Some(Path::of_input(Vec::new()));
                }
                let position = || self.parameters.iter().position(|parameter| parameter == name);
                let given = || Some(Path { root: Root::Parameter(position()?), steps: Vec::new() });
                self.paths.get(name).cloned().or_else(given)
            }
            Expr::RefDot { refr, field, .. } => Some(self.path(refr)?.with([Step::Named(field.1.clone())])),
            Expr::RefBrack { refr, index, .. } => Some(self.path(refr)?.with([self.step(index)])),
            Expr::Call { fcn, params, .. } if fcn.is_builtin("object", "get") => {
                let [object, key, ..] = params.as_slice() else { return None };
                Some(self.path(object)?.with(self.steps(key)?))
            }
            _ => None,
        }
    }

    /// The fields that a pattern takes out of a place in the input.
    pub(super) fn matched(&self, expression: &Expr) -> Vec<(Path, Span)> {
        let Expr::Assignment { lhs, rhs, .. } = expression else { return Vec::new() };
        let mut matched = Vec::new();
        for (pattern, object) in [(lhs, rhs), (rhs, lhs)] {
            if let Some(path) = self.path(object) {
                fields_of(pattern, &path, &mut matched);
            }
        }
        matched
    }

    /// The steps that a list has.
    fn steps(&self, list: &Expr) -> Option<Vec<Step>> {
        match list {
            Expr::Array { items, .. } => Some(items.iter().map(|item| self.step(item)).collect()),
            Expr::Call { fcn, params, .. } if fcn.is_builtin("array", "concat") => {
                let [first, rest] = params.as_slice() else { return None };
                Some([self.steps(first)?, self.steps(rest)?].concat())
            }
            // A list of steps may stand behind a name.
            _ => Some(vec![Some(self.step(list)).filter(|step| step.name().is_some())?]),
        }
    }
}

/// The fields of a pattern, and those of the patterns in it.
fn fields_of(pattern: &Expr, path: &Path, found: &mut Vec<(Path, Span)>) {
    let Expr::Object { fields, .. } = pattern else { return };
    for (_, key, value) in fields {
        if let Some(step) = key.text() {
            let path = path.clone().with([Step::Named(step.to_owned())]);
            fields_of(value, &path, found);
            found.push((path, key.span()));
        }
    }
}

/// Binds the names of a pattern.
fn bind<'tree>(pattern: &'tree Expr, bound: Bound<'tree>, bindings: &mut BTreeMap<String, Vec<Bound<'tree>>>) {
    match (pattern, bound) {
        (Expr::Var { .. }, bound) => {
            if let Some(name) = pattern.variable() {
                bindings.entry(name.to_owned()).or_default().push(bound);
            }
        }
        (Expr::Object { fields, .. }, Bound::To(object)) => {
            bind_fields(fields, &Bound::ToField(object, Vec::new()), bindings);
        }
        (Expr::Object { fields, .. }, bound @ Bound::ToField(..)) => bind_fields(fields, &bound, bindings),
        _ => {}
    }
}

fn bind_fields<'tree>(
    fields: &'tree [(IgnoredAny, Expr, Expr)],
    around: &Bound<'tree>,
    bindings: &mut BTreeMap<String, Vec<Bound<'tree>>>,
) {
    let Bound::ToField(object, keys) = around else { return };
    for (_, key, value) in fields {
        if let Some(key) = key.text() {
            let keys = keys.iter().copied().chain([key]).collect();
            bind(value, Bound::ToField(object, keys), bindings);
        }
    }
}

/// The parameters of a function, in their order; what is no name is empty.
fn parameters(rule: &Rule) -> Vec<String> {
    let Rule::Spec { head: Head::Func { args, .. }, .. } = rule else { return Vec::new() };
    args.iter().map(|argument| argument.variable().unwrap_or_default().to_owned()).collect()
}

/// The rules that are nothing but another name for a place in the input.
pub(super) fn field(rule: &Rule) -> Option<(String, Path)> {
    let Rule::Spec { head: Head::Compr { assign: Some(assign), .. }, .. } = rule else { return None };
    let [name] = rule.name()[..] else { return None };
    Some((name.to_owned(), Scope::default().path(&assign.value)?))
}
