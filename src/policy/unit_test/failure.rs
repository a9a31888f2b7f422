//! Why a test is not true: the first expression of its body that does not hold, and what its parts are there.
//!
//! ```text
//! body of the test ─► prefix by prefix ─► the first that has no solution ─► values of its last expression's parts
//! ```
//!
//! The engine has no trace. What a trace would say is asked for by probes: rules that are put behind the test, in a copy of its
//! file, and evaluate the body up to an expression.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::syntax::{Expr, Literal, Policy, Rule, Span, Statement};
use super::super::{Engine, EngineValue, Location, PolicyError, PolicyOptions, PolicySet, SourceFile};

/// How many values of a part are shown, where the expression was tried on several.
const MOST_VALUES: usize = 3;

/// Why a test is not true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failure {
    /// Where the expression stands that does not hold.
    pub location: Location,
    /// Its text, on one line.
    pub expression: String,
    /// What its parts are.
    pub parts: Vec<Part>,
}

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Part {
    /// Its text, on one line.
    pub expression: String,
    /// Its values as Rego, one for each solution of what stands before; none where it is undefined.
    pub values: Vec<String>,
}

/// A test that is not true, and its first definition.
pub(super) struct Failed<'policies> {
    /// Its place in the report.
    pub(super) test: usize,
    pub(super) policy: &'policies Policy,
    pub(super) rule: &'policies Rule,
    pub(super) package: &'policies str,
    /// The rules of its package.
    pub(super) names: Vec<&'policies str>,
}

/// One thing that is looked at: its text, its place, and the rules that look.
struct Probe {
    expression: String,
    location: Location,
    /// The rule that lists something where the body holds up to here, this included.
    holds: String,
    parts: Vec<ProbedPart>,
}

/// A part of a statement that is looked at.
struct ProbedPart {
    /// What it is called.
    expression: String,
    /// The statements that find its value, behind those before.
    body: String,
    /// The rule that lists its values.
    rule: String,
    /// Whether it is told only where it has one.
    is_optional: bool,
}

/// Explains failed tests, in their order; nothing is said of a test that the probes do not show to fail.
///
/// # Errors
///
/// If policies that were compiled before cannot be compiled again.
pub(super) fn explain(
    set: &PolicySet,
    options: &PolicyOptions,
    failed: &[Failed<'_>],
) -> Result<Vec<Option<Failure>>, PolicyError> {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let mut probes = Vec::new();
    for (number, test) in failed.iter().enumerate() {
        let text = texts.entry(&test.policy.source.file).or_insert_with(|| test.policy.source.contents.clone());
        probes.push(add_probes(text, number, test));
    }
    let files: Vec<SourceFile> = set
        .policies()
        .iter()
        .chain(set.tests())
        .map(|file| match texts.remove(file.name.as_str()) {
            Some(text) => SourceFile { name: file.name.clone(), text },
            None => file.clone(),
        })
        .collect();
    // These files broke no law without the probes. Where the engine does not take one of those, the tests have failed all the same.
    let Ok((mut engine, _)) = Engine::parse(&files, options.time_limit) else {
        return Ok(failed.iter().map(|_| None).collect());
    };
    engine.add_data(&super::super::evaluated_data(set, options)?)?;
    let Ok(engine) = engine.prepare() else { return Ok(failed.iter().map(|_| None).collect()) };
    let input = EngineValue::new(&serde_json::json!({}))?;
    Ok(failed
        .iter()
        .zip(probes)
        .map(|(test, probes)| first_that_fails(&engine, &input, test.package, probes))
        .collect())
}

/// Appends the probes of a test to its file. What they are called no author writes.
fn add_probes(text: &mut String, number: usize, test: &Failed<'_>) -> Vec<Probe> {
    let source = test.policy.source.contents.clone();
    let excerpt = |span: Span| span.excerpt(&source).to_owned();
    let place = |span: Span| Location::of_offset(&test.policy.source.file, &source, span.start);
    let mut probes = Vec::new();
    let mut before: Vec<String> = Vec::new();
    let mut add = |before: &[String], statement: String, location: Location, mut parts: Vec<ProbedPart>| {
        let prefix = format!("factgate_probe_{number}_{}", probes.len());
        let prelude: String = before.iter().map(|statement| format!("\t{statement}\n")).collect();
        text.push_str(&format!("\n{prefix} := [true |\n{prelude}\t{statement}\n]\n"));
        for (index, part) in parts.iter_mut().enumerate() {
            part.rule = format!("{prefix}_{index}");
            text.push_str(&format!("\n{} := [factgate_value |\n{prelude}\t{}\n]\n", part.rule, part.body));
        }
        probes.push(Probe { expression: one_line(&statement), location, holds: prefix, parts });
    };
    let Rule::Spec { head, bodies, .. } = test.rule else { return Vec::new() };
    let imports = test.policy.ast.imports.iter().filter_map(|import| {
        let chain = import.refr.chain()?;
        import.alias.map_or(chain.steps.last().copied(), |alias| source.get(alias.start..alias.end))
    });
    let mut known: BTreeSet<&str> = ["input", "data"].into_iter().chain(imports).chain(test.names.clone()).collect();
    if let Some(body) = bodies.first() {
        for statement in &body.query.stmts {
            let parts = parts(statement, &source, &known);
            known.extend(names_of(statement));
            add(&before, excerpt(statement.span), place(statement.span), parts);
            before.push(excerpt(statement.span));
        }
    }
    // `test_x := value if { … }`: the value must be true as well.
    if let Some(value) = head.value() {
        let value_text = value.excerpt(&source).to_owned();
        let parts = operands(value)
            .into_iter()
            .filter(|part| is_bound(part, &known))
            .map(|part| probed(part.excerpt(&source), ""))
            .collect();
        add(&before, format!("({value_text}) == true"), place(value.span()), parts);
    }
    probes
}

/// The parts of a statement that are worth looking at: their texts, and the `with` that they stand under.
///
/// `known` are the names that stand for something before it.
fn parts(statement: &Statement, source: &str, known: &BTreeSet<&str>) -> Vec<ProbedPart> {
    let with: String = statement
        .with_mods
        .iter()
        .map(|with| format!(" with {} as {}", with.refr.excerpt(source), with.replacement.excerpt(source)))
        .collect();
    let expressions = match &statement.literal {
        Literal::SomeVars { .. } => Vec::new(),
        Literal::SomeIn { collection, .. } => vec![collection],
        Literal::Every { domain, .. } => {
            let mut parts = vec![probed(domain.excerpt(source), &with)];
            if with.is_empty() {
                parts.extend(parts_of_every(&statement.literal, source, known));
            }
            return parts;
        }
        Literal::Expr { expr } => operands(expr),
        Literal::NotExpr { expr } => {
            let mut all = vec![expr];
            all.extend(operands(expr));
            all
        }
    };
    let bound = expressions.into_iter().filter(|part| is_bound(part, known));
    bound.map(|part| probed(part.excerpt(source), &with)).collect()
}

/// Whether a part has a value of its own: every name in it stands for something before. What `walk(x, [path, value])` gives has none, and the
/// engine complains on its standard error of what it cannot order.
fn is_bound(part: &Expr, known: &BTreeSet<&str>) -> bool {
    match part {
        Expr::Var { .. } => part.variable().is_none_or(|name| known.contains(name)),
        // It binds names itself.
        Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => true,
        Expr::Call { params, .. } => params.iter().all(|parameter| is_bound(parameter, known)),
        _ => {
            let mut all = true;
            part.children(&mut |child| all &= is_bound(child, known));
            all
        }
    }
}

/// The names that a statement leaves bound.
fn names_of(statement: &Statement) -> Vec<&str> {
    let mut names = Vec::new();
    statement.expressions(&mut |expression| expression.nested(&mut |inner| names.extend(inner.variable())));
    names
}
fn probed(part: &str, with: &str) -> ProbedPart {
    // No author's name.
    let body = format!("factgate_value := {part}{with}");
    ProbedPart { expression: one_line(part), body, rule: String::new(), is_optional: false }
}

/// What does not hold of some member of the domain: which members, and the parts of the statement that fails there.
fn parts_of_every(literal: &Literal, source: &str, known: &BTreeSet<&str>) -> Vec<ProbedPart> {
    let Literal::Every { key, value, domain, query } = literal else { return Vec::new() };
    let value = value.excerpt(source);
    let names: Vec<&str> = key.iter().map(|key| key.excerpt(source)).chain([value]).collect();
    let member = format!("some {} in {}", names.join(", "), domain.excerpt(source));
    let mut known = known.clone();
    known.extend(&names);
    let mut before = vec![member];
    let mut found = Vec::new();
    for statement in &query.stmts {
        let text = statement.span.excerpt(source);
        let fails = |part: ProbedPart, expression: String| {
            let body = [before.as_slice(), &[format!("count([true | {text}]) == 0"), part.body]].concat().join("\n\t");
            ProbedPart { expression, body, is_optional: true, ..part }
        };
        let shown = one_line(text);
        found.extend(names.iter().map(|name| fails(probed(name, ""), format!("{name} where not {shown}"))));
        let others =
            parts(statement, source, &known).into_iter().filter(|part| !names.contains(&part.expression.as_str()));
        found.extend(others.map(|part| {
            let expression = format!("{} there", part.expression);
            fails(part, expression)
        }));
        known.extend(names_of(statement));
        before.push(text.to_owned());
    }
    found
}

/// What an expression is put together from, as far as it is not written out; of a reference, what it starts from.
fn operands(expression: &Expr) -> Vec<&Expr> {
    let parts: Vec<&Expr> = match expression {
        Expr::Assignment { op: super::super::syntax::AssignOperator::ColEq, rhs, .. } => {
            let mut all = vec![rhs.as_ref()];
            all.extend(operands(rhs));
            return all;
        }
        Expr::Comparison { lhs, rhs, .. }
        | Expr::Arithmetic { lhs, rhs, .. }
        | Expr::Binary { lhs, rhs, .. }
        | Expr::Assignment { lhs, rhs, .. } => vec![lhs, rhs],
        Expr::Membership { value, collection, .. } => vec![value, collection],
        Expr::Call { params, .. } => params.iter().collect(),
        Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => match refr.as_ref() {
            Expr::Var { .. } => Vec::new(),
            inner => vec![inner],
        },
        Expr::Unary { expr, .. } => vec![expr],
        _ => Vec::new(),
    };
    parts.into_iter().filter(|part| !part.is_scalar()).collect()
}

fn first_that_fails(engine: &Engine, input: &EngineValue, package: &str, probes: Vec<Probe>) -> Option<Failure> {
    let values = |name: &String| {
        let terms = BTreeMap::from([(name.clone(), format!("data.{package}.{name}"))]);
        // Where a probe cannot be evaluated, nothing is said: the test itself has been.
        engine.values("the probes of a test", input, &terms).ok()?.remove(name)
    };
    for probe in probes {
        if values(&probe.holds)?.items().is_empty() {
            let parts = probe.parts.into_iter().filter_map(|part| {
                let mut values = values(&part.rule).map(|values| values.items()).unwrap_or_default();
                values.truncate(MOST_VALUES);
                (!part.is_optional || !values.is_empty()).then_some(Part { expression: part.expression, values })
            });
            return Some(Failure { location: probe.location, expression: probe.expression, parts: parts.collect() });
        }
    }
    None
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
