//! What rules read, found in their text: other rules, and which parts of the fact document.
//!
//! ```text
//! syntax trees ─► of each definition: what it refers to and calls, which paths into the input it holds
//!                    └─► closure from a rule, with the constants that calls pass on ─► Reach: rules, files, paths
//! ```
//!
//! A path into the input is a reference (`input.run.region`), an array that begins with the name of a section (`["aws", service, kind,
//! name, aspect]`: where helpers look things up, paths are values), or the argument of `object.get(input, …)`. It counts up to its first
//! computed step; a parameter of a function counts as what its callers pass. The name of a section that stands alone, and is not just
//! compared with something, counts as the whole section, and `input` itself as the whole document: a reach may be too wide, but is never too
//! narrow as long as no policy puts the name of a section together from parts.

use std::collections::{BTreeMap, BTreeSet};

use super::reference::{Names, Target};
use super::syntax::{Expr, Head, Policy, Rule};

/// What the rules of a policy set read.
pub(crate) struct Dependencies {
    definitions: Vec<Definition>,
    /// Rule path (`m2.a.b1`) → its definitions.
    by_rule: BTreeMap<String, Vec<usize>>,
    /// Rule path → the text that it is, whatever the input.
    constants: BTreeMap<String, String>,
}

/// One definition of a rule.
struct Definition {
    rule: String,
    file: String,
    /// Paths below `data` that it refers to, with what it passes where it calls.
    refers_to: Vec<(String, Vec<Passed>)>,
    reads: BTreeSet<Path>,
    /// Which of its parameters decide on what is read.
    deciding: BTreeSet<usize>,
}

/// An argument of a call.
#[derive(Clone)]
enum Passed {
    Constant(String),
    /// What the caller was given itself.
    Parameter(usize),
    /// The path of a rule.
    Rule(String),
    Computed,
}

/// A path into the input, up to its first computed step.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Path {
    steps: Vec<Step>,
    /// Whether it ends there: what stands below is then read as a whole.
    is_whole: bool,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Constant(String),
    Parameter(usize),
}

/// What a rule reads, itself or through the rules that it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The paths of the rules, its own among them.
    pub(crate) rules: BTreeSet<String>,
    /// The files in which they stand.
    pub(crate) files: BTreeSet<String>,
    /// The rules that it refers to and that were not looked into.
    pub(crate) stopped_at: BTreeSet<String>,
    /// Paths into the input, each up to its first computed step, and whether it has none.
    reads: BTreeSet<(Vec<String>, bool)>,
}

impl Reach {
    /// Whether it may read something at, above or below a place of the input.
    pub(crate) fn reads(&self, place: &[String]) -> bool {
        self.reads.iter().any(|(path, _)| path.iter().zip(place).all(|(step, other)| step == other))
    }

    /// Whether it reads a place of the input together with whatever stands beside it, and so without naming it.
    pub(crate) fn reads_around(&self, place: &[String]) -> bool {
        self.reads.iter().any(|(path, is_whole)| *is_whole && path.len() < place.len() && place.starts_with(path))
    }

    fn add(&mut self, definition: &Definition, given: &Given) {
        self.rules.insert(definition.rule.clone());
        self.files.insert(definition.file.clone());
        self.reads.extend(definition.reads.iter().map(|path| {
            let known = path.steps.iter().map_while(|step| match step {
                Step::Constant(step) => Some(step.clone()),
                Step::Parameter(index) => given.get(index).cloned(),
            });
            let known: Vec<String> = known.collect();
            let is_whole = path.is_whole && known.len() == path.steps.len();
            (known, is_whole)
        }));
    }
}

/// The constants that a function is given, by the positions of its parameters.
type Given = BTreeMap<usize, String>;

impl Dependencies {
    /// Reads them from policies. `sections` are the names of the members of the input.
    pub(crate) fn of(policies: &[Policy], sections: &BTreeSet<String>) -> Self {
        let rule_names = super::laws::rule_names(policies);
        let none = BTreeSet::new();
        let mut dependencies = Self { definitions: Vec::new(), by_rule: BTreeMap::new(), constants: BTreeMap::new() };
        for policy in policies {
            let package = policy.ast.package_path();
            let owned: Vec<String> = package.iter().map(|step| (*step).to_owned()).collect();
            let names = Names::new(&policy.source.contents, &policy.ast, rule_names.get(&owned).unwrap_or(&none));
            for rule in &policy.ast.rules {
                let path = package.iter().copied().chain(rule.name()).collect::<Vec<_>>().join(".");
                if let Rule::Spec { head: Head::Compr { assign: Some(assign), .. }, bodies, .. } = rule
                    && bodies.is_empty()
                    && let Some(constant) = assign.value.text()
                {
                    dependencies.constants.insert(path.clone(), constant.to_owned());
                }
                let definition = Definition::read(path.clone(), policy, rule, &names, sections);
                dependencies.by_rule.entry(path).or_default().push(dependencies.definitions.len());
                dependencies.definitions.push(definition);
            }
        }
        let by_rule = &dependencies.by_rule;
        dependencies.constants.retain(|rule, _| by_rule.get(rule).is_some_and(|definitions| definitions.len() == 1));
        dependencies.find_deciding();
        dependencies
    }

    /// A parameter decides on what is read if it is a step of a path, or is passed on as one that does.
    fn find_deciding(&mut self) {
        loop {
            let mut more = Vec::new();
            for (caller, definition) in self.definitions.iter().enumerate() {
                for (path, passed) in &definition.refers_to {
                    for callee in self.referred(path).into_iter().filter_map(|index| self.definitions.get(index)) {
                        more.extend(callee.deciding.iter().filter_map(|position| match passed.get(*position) {
                            Some(Passed::Parameter(index)) if !definition.deciding.contains(index) => {
                                Some((caller, *index))
                            }
                            _ => None,
                        }));
                    }
                }
            }
            if more.is_empty() {
                return;
            }
            for (caller, index) in more {
                if let Some(definition) = self.definitions.get_mut(caller) {
                    definition.deciding.insert(index);
                }
            }
        }
    }

    /// What a rule reads. Rules that `stops` names are not looked into.
    pub(crate) fn reach(&self, rule: &str, stops: impl Fn(&str) -> bool) -> Reach {
        let mut reach = Reach::default();
        let start = self.by_rule.get(rule).into_iter().flatten();
        let mut waiting: Vec<(usize, Given)> = start.map(|index| (*index, Given::new())).collect();
        let mut seen: BTreeSet<(usize, Given)> = waiting.iter().cloned().collect();
        while let Some((index, given)) = waiting.pop() {
            let Some(definition) = self.definitions.get(index) else { continue };
            reach.add(definition, &given);
            for (path, passed) in &definition.refers_to {
                for index in self.referred(path) {
                    let Some(found) = self.definitions.get(index) else { continue };
                    if stops(&found.rule) {
                        reach.stopped_at.insert(found.rule.clone());
                        continue;
                    }
                    let next = (index, found.given(passed, &given, &self.constants));
                    if seen.insert(next.clone()) {
                        waiting.push(next);
                    }
                }
            }
        }
        reach
    }

    /// These files with all that they need to be compiled: what any rule in them refers to, and what that needs.
    pub(crate) fn with_needed(&self, mut files: BTreeSet<String>) -> BTreeSet<String> {
        loop {
            let within = self.definitions.iter().filter(|definition| files.contains(&definition.file));
            let referred =
                within.flat_map(|definition| &definition.refers_to).flat_map(|(path, _)| self.referred(path));
            let needed = referred.filter_map(|index| Some(self.definitions.get(index)?.file.clone()));
            let needed: BTreeSet<String> = needed.filter(|file| !files.contains(file)).collect();
            if needed.is_empty() {
                return files;
            }
            files.extend(needed);
        }
    }

    /// The definitions that a path leads to: those of the rule that it names or goes into, or all below it.
    fn referred(&self, path: &str) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        let mut above = path;
        loop {
            found.extend(self.by_rule.get(above).into_iter().flatten());
            match above.rfind('.') {
                Some(end) => above = &above[..end],
                None => break,
            }
        }
        let below = format!("{path}.");
        let rules = self.by_rule.range(below.clone()..).take_while(|(rule, _)| rule.starts_with(&below));
        found.extend(rules.flat_map(|(_, definitions)| definitions));
        found
    }
}

impl Definition {
    fn read(rule: String, policy: &Policy, syntax: &Rule, names: &Names<'_>, sections: &BTreeSet<String>) -> Self {
        let parameters = parameters(syntax);
        let references = names.references(syntax).all.into_iter();
        let refers_to = references.filter_map(|reference| match reference.target {
            Target::Data(path) => {
                let arguments = reference.arguments.into_iter().flatten();
                let passed = arguments.map(|argument| {
                    if let Some(constant) = argument.text() {
                        Passed::Constant(constant.to_owned())
                    } else if let Some(index) = position(&parameters, argument) {
                        Passed::Parameter(index)
                    } else {
                        let path = names.path_of(syntax, argument);
                        path.map_or(Passed::Computed, |path| Passed::Rule(path.join(".")))
                    }
                });
                Some((path.join("."), passed.collect()))
            }
            Target::Name(_) => None,
        });
        let refers_to = refers_to.collect();
        let mut reader = Reader { sections, parameters: &parameters, paths: BTreeSet::new() };
        syntax.computed(&mut |expression| reader.expression(expression));
        let deciding = reader.paths.iter().flat_map(|path| &path.steps).filter_map(|step| match step {
            Step::Parameter(index) => Some(*index),
            Step::Constant(_) => None,
        });
        Self { rule, file: policy.source.file.clone(), refers_to, deciding: deciding.collect(), reads: reader.paths }
    }

    /// The constants of a call that decide on what is read.
    fn given(&self, passed: &[Passed], caller: &Given, constants: &BTreeMap<String, String>) -> Given {
        let given = self.deciding.iter().filter_map(|position| {
            let constant = match passed.get(*position)? {
                Passed::Constant(constant) => Some(constant.clone()),
                Passed::Parameter(index) => caller.get(index).cloned(),
                Passed::Rule(path) => constants.get(path).cloned(),
                Passed::Computed => None,
            };
            Some((*position, constant?))
        });
        given.collect()
    }
}

/// The names of a function's parameters; none of those that are patterns.
fn parameters(rule: &Rule) -> Vec<Option<String>> {
    let Rule::Spec { head: Head::Func { args, .. }, .. } = rule else { return Vec::new() };
    let name = |argument: &Expr| match argument {
        Expr::Var { value, .. } => value.as_str().map(str::to_owned),
        _ => None,
    };
    args.iter().map(name).collect()
}

fn position(parameters: &[Option<String>], expression: &Expr) -> Option<usize> {
    let Expr::Var { value, .. } = expression else { return None };
    let name = value.as_str()?;
    parameters.iter().position(|parameter| parameter.as_deref() == Some(name))
}

struct Reader<'definition> {
    sections: &'definition BTreeSet<String>,
    parameters: &'definition [Option<String>],
    paths: BTreeSet<Path>,
}

impl Reader<'_> {
    fn add(&mut self, steps: impl IntoIterator<Item = String>, is_whole: bool) {
        self.paths.insert(Path { steps: steps.into_iter().map(Step::Constant).collect(), is_whole });
    }

    fn expression(&mut self, expression: &Expr) {
        if let Expr::Call { fcn, params, .. } = expression
            && self.call(fcn, params)
        {
            return;
        }
        if let Some(chain) = expression.chain()
            && chain.root == "input"
        {
            self.add(chain.steps.iter().map(|step| (*step).to_owned()), chain.is_constant);
            expression.computed_steps(&mut |step| self.expression(step));
            return;
        }
        match expression {
            Expr::Array { items, .. } => self.array(items),
            Expr::String { value, .. } | Expr::RawString { value, .. } if self.sections.contains(value) => {
                self.add([value.clone()], true);
            }
            // The names of an object's members are no places of the input.
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                if !key.is_scalar() {
                    self.expression(key);
                }
                self.expression(value);
            }),
            // What is compared with a name is not looked up by it.
            Expr::Comparison { lhs, rhs, .. } => {
                [lhs, rhs].into_iter().filter(|side| !side.is_scalar()).for_each(|side| self.expression(side));
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| self.expression(key));
                self.expression(value);
                match collection.as_ref() {
                    Expr::Set { items, .. } | Expr::Array { items, .. } => {
                        items.iter().filter(|item| !item.is_scalar()).for_each(|item| self.expression(item));
                    }
                    other => self.expression(other),
                }
            }
            _ => expression.inner(&mut |inner| self.expression(inner)),
        }
    }

    /// Whether a call is one that says itself what it reads.
    fn call(&mut self, function: &Expr, arguments: &[Expr]) -> bool {
        match arguments {
            [Expr::Var { value, .. }, key, rest @ ..] if function.is_builtin("object", "get") && value == "input" => {
                match key.text() {
                    Some(key) => self.add([key.to_owned()], true),
                    // A computed path was an array of constants where it began, which counts there.
                    None => self.expression(key),
                }
                rest.iter().for_each(|argument| self.expression(argument));
                true
            }
            // What is appended to a path does not begin one.
            [path, Expr::Array { items, .. }] if function.is_builtin("array", "concat") => {
                self.expression(path);
                items.iter().filter(|item| !item.is_scalar()).for_each(|item| self.expression(item));
                true
            }
            _ => false,
        }
    }

    fn array(&mut self, items: &[Expr]) {
        let step = |item: &Expr| {
            let constant = item.text().map(|text| Step::Constant(text.to_owned()));
            constant.or_else(|| position(self.parameters, item).map(Step::Parameter))
        };
        let steps: Vec<Step> = items.iter().map_while(step).collect();
        let begins = matches!(steps.first(), Some(Step::Constant(first)) if self.sections.contains(first));
        let rest = if begins { steps.len() } else { 0 };
        if begins {
            self.paths.insert(Path { steps, is_whole: rest == items.len() });
        }
        items.iter().skip(rest).for_each(|item| self.expression(item));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::{Engine, SourceFile};

    fn dependencies(files: &[(&str, &str)]) -> Dependencies {
        let files: Vec<SourceFile> =
            files.iter().map(|(name, text)| SourceFile { name: (*name).into(), text: (*text).into() }).collect();
        let (_, policies) = Engine::parse(&files, Duration::from_secs(5)).unwrap();
        Dependencies::of(&policies, &["aws", "run", "handles"].map(str::to_owned).into())
    }

    fn reach(files: &[(&str, &str)], rule: &str) -> Reach {
        dependencies(files).reach(rule, |_| false)
    }

    fn reads(reach: &Reach, place: &[&str]) -> bool {
        reach.reads(&place.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn paths_count_up_to_their_first_computed_step() {
        let text = "package lib.a\n\nx := input.run.region\n\n\
                    y(name) := object.get(input, [\"aws\", \"s3\", \"buckets\", name, \"head\"], null)\n\n\
                    z := y(\"a\")\n\nw := object.get(input, \"handles\", {})\n";
        let files = [("lib/a.rego", text)];
        let x = reach(&files, "lib.a.x");
        assert!(reads(&x, &["run", "region"]) && reads(&x, &["run"]) && !reads(&x, &["run", "tool"]));
        let z = reach(&files, "lib.a.z");
        assert!(reads(&z, &["aws", "s3", "buckets", "a", "head"]) && reads(&z, &["aws"]));
        assert!(!reads(&z, &["aws", "s3", "buckets", "b"]) && !reads(&z, &["run"]) && !reads(&z, &["handles", "A"]));
        let w = reach(&files, "lib.a.w");
        let handle = ["handles", "A"].map(str::to_owned);
        assert!(reads(&w, &["handles", "A", "value"]) && w.reads_around(&handle));
        assert!(!z.reads_around(&["aws", "s3", "buckets", "other"].map(str::to_owned)));
    }

    #[test]
    fn what_a_function_is_given_decides_on_what_it_reads() {
        let text = "package lib.a\n\nat(kind, name) := [\"aws\", \"s3\", kind, name]\n\nof(kind, name) := at(kind, name)\n\n\
                    x := of(\"buckets\", \"b\")\n\ny := of(input.run.kind, \"b\")\n\nz := of(_kind, \"b\")\n\n_kind := \"buckets\"\n";
        let files = [("lib/a.rego", text)];
        let x = reach(&files, "lib.a.x");
        assert!(reads(&x, &["aws", "s3", "buckets", "b"]) && !reads(&x, &["aws", "s3", "tables"]));
        assert!(!reads(&x, &["aws", "s3", "buckets", "other"]));
        assert_eq!(reach(&files, "lib.a.z").reads, x.reads);
        let y = reach(&files, "lib.a.y");
        assert!(reads(&y, &["aws", "s3", "tables"]) && !reads(&y, &["aws", "kms"]));
    }

    #[test]
    fn what_is_compared_with_a_name_is_not_looked_up_by_it() {
        let text = "package lib.a\n\nx(at) if at[0] == \"aws\"\n\ny(\"aws\", at) if at[0] in {\"aws\", \"run\"}\n";
        let files = [("lib/a.rego", text)];
        assert!(!reads(&reach(&files, "lib.a.x"), &["aws"]));
        assert!(!reads(&reach(&files, "lib.a.y"), &["aws"]) && !reads(&reach(&files, "lib.a.y"), &["run"]));
    }

    #[test]
    fn what_is_appended_to_a_path_begins_none() {
        let text = "package lib.a\n\nx(at) := object.get(input, array.concat(at, [\"run\"]), null)\n";
        assert!(!reads(&reach(&[("lib/a.rego", text)], "lib.a.x"), &["run"]));
    }

    #[test]
    fn a_section_that_is_only_named_and_the_whole_input_are_read_whole() {
        let text = "package lib.a\n\nx := {name | some name in [\"aws\"]}\n\ny := {p | walk(input, [p, _])}\n";
        let files = [("lib/a.rego", text)];
        assert!(reads(&reach(&files, "lib.a.x"), &["aws", "kms"]) && !reads(&reach(&files, "lib.a.x"), &["run"]));
        assert!(reads(&reach(&files, "lib.a.y"), &["whatever"]));
    }

    #[test]
    fn what_a_rule_refers_to_is_looked_into_in_other_files_and_inside_of_comprehensions() {
        let files = [
            ("lib/a.rego", "package lib.a\n\nx := [y | some y in [1]; data.lib.b.f(y)]\n"),
            ("lib/b.rego", "package lib.b\n\nf(_) := g\n\ng := input.run\n\nh := input.aws\n"),
        ];
        let x = reach(&files, "lib.a.x");
        assert_eq!(x.rules.iter().collect::<Vec<_>>(), ["lib.a.x", "lib.b.f", "lib.b.g"]);
        assert_eq!(x.files.len(), 2);
        assert!(reads(&x, &["run"]) && !reads(&x, &["aws"]));
    }

    #[test]
    fn a_file_needs_what_any_rule_in_it_refers_to_to_be_compiled() {
        let dependencies = dependencies(&[
            (
                "lib/a.rego",
                "package lib.a

x := 1

y := _b
",
            ),
            (
                "lib/b.rego",
                "package lib.a

_b := data.lib.c.z
",
            ),
            (
                "lib/c.rego",
                "package lib.c

z := 1
",
            ),
            (
                "lib/d.rego",
                "package lib.d

z := 1
",
            ),
        ]);
        let of_x = dependencies.reach("lib.a.x", |_| false).files;
        assert_eq!(of_x.iter().collect::<Vec<_>>(), ["lib/a.rego"]);
        let needed = dependencies.with_needed(of_x);
        assert_eq!(needed.iter().collect::<Vec<_>>(), ["lib/a.rego", "lib/b.rego", "lib/c.rego"]);
    }
}
