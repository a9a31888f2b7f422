//! Mutants: policies with one thing changed, as a mistake would have it. A policy that nothing can tell from one of its mutants is not
//! known to need what was changed.
//!
//! ```text
//! syntax tree ─► comparisons, arithmetic, set operations, constants   ┐
//!            └─► statements of every query: negated, dropped          ├─► Mutant: an edit of the text
//! ```
//!
//! The operators are those that mutation testing has used since Mothra (relational, arithmetic and logical operator replacement,
//! constant replacement, statement deletion), as far as Rego has what they change.

use std::ops::Range;

use serde::Serialize;

use super::syntax::{AssignOperator, Expr, Literal, Policy, Query, Rule, Span, Statement};
use super::{Location, SourceFile};

/// What is put in place of a text.
const OTHER_TEXT: &str = "\"mutant\"";

/// What kind of change makes a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MutationOperator {
    /// `==` for `!=`, `<=` or `>=` for `<`.
    Comparison,
    /// `-` for `+`.
    Arithmetic,
    /// `&` for `|`.
    SetOperation,
    /// A `not` more, or one less.
    Negation,
    /// Another constant.
    Constant,
    /// A statement of a body that is not there.
    DroppedExpression,
}

/// A policy with one thing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// Where the change stands.
    pub(crate) location: Location,
    /// The path of the rule that is changed: `m2.a.b1`.
    pub(crate) rule: String,
    pub(crate) operator: MutationOperator,
    /// What stands there, on one line.
    pub(crate) before: String,
    /// What the mutant has in its place, on one line.
    pub(crate) after: String,
    start: usize,
    end: usize,
    replacement: String,
}

impl Mutant {
    /// The changed file.
    pub(crate) fn file(&self, original: &SourceFile) -> SourceFile {
        let text = &original.text;
        let (before, after) = (text.get(..self.start), text.get(self.end..));
        let text = format!("{}{}{}", before.unwrap_or_default(), self.replacement, after.unwrap_or_default());
        SourceFile { name: original.name.clone(), text }
    }
}

/// Every mutant of a policy, by place.
pub(crate) fn mutants(policy: &Policy) -> Vec<Mutant> {
    let package = policy.ast.package_path();
    let mut found = Vec::new();
    for rule in &policy.ast.rules {
        let path = package.iter().copied().chain(rule.name()).collect::<Vec<_>>().join(".");
        let mut maker = Maker { policy, rule: path, found: &mut found };
        if let Rule::Spec { bodies, .. } = rule {
            bodies.iter().for_each(|body| maker.query(&body.query));
        }
        rule.outermost(&mut |expression| maker.expression(expression, None));
    }
    found.sort_by(|left, right| {
        (left.start, left.end, &left.replacement).cmp(&(right.start, right.end, &right.replacement))
    });
    found.dedup();
    found
}

struct Maker<'policy> {
    policy: &'policy Policy,
    rule: String,
    found: &'policy mut Vec<Mutant>,
}

impl Maker<'_> {
    fn text(&self, span: Span) -> &str {
        span.excerpt(&self.policy.source.contents)
    }

    fn range(&self, span: Span) -> Range<usize> {
        span.range(&self.policy.source.contents)
    }

    /// A mutant in which some bytes, which are part of what stands at `shown`, are replaced.
    fn add(&mut self, operator: MutationOperator, shown: Span, edit: Range<usize>, replacement: &str) {
        let contents = &self.policy.source.contents;
        let Range { start, end } = edit;
        let shown = self.range(shown);
        let piece = |from: usize, to: usize| contents.get(from..to).unwrap_or_default();
        let after = format!("{}{replacement}{}", piece(shown.start, start), piece(end, shown.end));
        self.found.push(Mutant {
            location: Location::of_offset(&self.policy.source.file, contents, start),
            rule: self.rule.clone(),
            operator,
            before: one_line(piece(shown.start, shown.end)),
            after: one_line(&after),
            start,
            end,
            replacement: replacement.to_owned(),
        });
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            self.statement(statement);
            if let Literal::Every { query, .. } = &statement.literal {
                self.query(query);
            }
        }
    }

    fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        match &statement.literal {
            // What a declaration binds is used below: without it the policy would not compile.
            Literal::SomeVars { .. } | Literal::SomeIn { .. } => return,
            Literal::Expr { expr: Expr::Assignment { op: AssignOperator::ColEq, .. } } => return,
            Literal::NotExpr { expr } => {
                let positive = self.text(expr.span()).to_owned();
                self.add(MutationOperator::Negation, span, self.range(span), &positive);
            }
            // The opposite of a comparison is another comparison.
            Literal::Expr { expr: Expr::Comparison { .. } | Expr::Assignment { .. } } | Literal::Every { .. } => {}
            Literal::Expr { .. } => {
                let negative = format!("not {}", self.text(span));
                self.add(MutationOperator::Negation, span, self.range(span), &negative);
            }
        }
        self.add(MutationOperator::DroppedExpression, span, self.range(span), "true");
    }

    /// The mutants of an expression and of those inside it. `around` is the call or comparison that it is part of: a constant alone says
    /// little.
    fn expression(&mut self, expression: &Expr, around: Option<Span>) {
        let span = expression.span();
        let shown = around.unwrap_or(span);
        match expression {
            Expr::Comparison { lhs, rhs, .. } => {
                self.operator(MutationOperator::Comparison, expression, (lhs, rhs), COMPARISONS);
            }
            Expr::Arithmetic { lhs, rhs, .. } => {
                self.operator(MutationOperator::Arithmetic, expression, (lhs, rhs), ARITHMETIC);
            }
            Expr::Binary { lhs, rhs, .. } => {
                self.operator(MutationOperator::SetOperation, expression, (lhs, rhs), SET_OPERATIONS);
            }
            Expr::Bool { .. } => {
                let other = if self.text(span) == "true" { "false" } else { "true" };
                self.add(MutationOperator::Constant, shown, self.range(span), other);
            }
            Expr::Number { value, .. } => {
                let other =
                    value.as_i64().map_or_else(|| "0".to_owned(), |value| (value.saturating_add(1)).to_string());
                self.add(MutationOperator::Constant, shown, self.range(span), &other);
            }
            Expr::String { .. } | Expr::RawString { .. } => {
                self.add(MutationOperator::Constant, shown, self.range(span), OTHER_TEXT);
            }
            _ => {}
        }
        let inside = match expression {
            Expr::Call { .. } | Expr::Comparison { .. } | Expr::Membership { .. } => Some(span),
            _ => around,
        };
        match expression {
            // The name of a function is no constant, and neither are the names of an object's members.
            Expr::Call { params, .. } => params.iter().for_each(|parameter| self.expression(parameter, inside)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                if !key.is_scalar() {
                    self.expression(key, inside);
                }
                self.expression(value, inside);
            }),
            Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } => {
                self.query(query);
                expression.inner(&mut |inner| self.expression(inner, None));
            }
            _ => expression.inner(&mut |inner| self.expression(inner, inside)),
        }
    }

    /// The operator between two operands, each of its replacements a mutant.
    fn operator(
        &mut self,
        operator: MutationOperator,
        expression: &Expr,
        (left, right): (&Expr, &Expr),
        replacements: Replacements,
    ) {
        let from = self.range(left.span()).end;
        let Some(between) = self.policy.source.contents.get(from..self.range(right.span()).start) else { return };
        let found =
            replacements.iter().find_map(|(symbol, others)| Some((between.find(symbol)?, symbol.len(), *others)));
        if let Some((at, length, others)) = found {
            for other in others {
                self.add(operator, expression.span(), from + at..from + at + length, other);
            }
        }
    }
}

/// An operator and what a mutant has in its place; longer ones first.
type Replacements = &'static [(&'static str, &'static [&'static str])];

const COMPARISONS: Replacements = &[
    ("==", &["!="]),
    ("!=", &["=="]),
    ("<=", &["<", ">"]),
    (">=", &[">", "<"]),
    ("<", &["<=", ">="]),
    (">", &[">=", "<="]),
];

const ARITHMETIC: Replacements = &[("+", &["-"]), ("-", &["+"]), ("*", &["/"]), ("/", &["*"]), ("%", &["*"])];

const SET_OPERATIONS: Replacements = &[("|", &["&"]), ("&", &["|"])];

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::{Engine, PolicySet};

    fn changes(text: &str) -> Vec<String> {
        let files = [SourceFile { name: "lib/a.rego".into(), text: text.into() }];
        let (_, policies) = Engine::parse(&files, Duration::from_secs(5)).unwrap();
        let mutants = mutants(&policies[0]);
        // Every one is another text.
        assert!(mutants.iter().all(|mutant| mutant.file(&files[0]).text != text));
        mutants.iter().map(|mutant| format!("{}: {} → {}", mutant.location.line, mutant.before, mutant.after)).collect()
    }

    #[test]
    fn statements_are_negated_and_dropped_and_declarations_are_left() {
        let text = "package lib.a\n\nx if {\n\ty := input.y\n\tsome z in y\n\tnot z.a\n\tstartswith(z.b, y)\n\tevery w in z.c {\n\t\tw\n\t}\n}\n";
        assert_eq!(
            changes(text),
            [
                "6: not z.a → true",
                "6: not z.a → z.a",
                "7: startswith(z.b, y) → not startswith(z.b, y)",
                "7: startswith(z.b, y) → true",
                "8: every w in z.c { w } → true",
                "9: w → not w",
                "9: w → true",
            ]
        );
    }

    #[test]
    fn operators_and_constants_are_replaced_where_they_stand() {
        let text = "package lib.a\n\nx := {\"k\": (input.a <= 3), \"l\": {1} | input.s}\n\ny if \"b\" in input.b\n\nz(\"c\", true) := input.n + 1.5\n";
        assert_eq!(
            changes(text),
            [
                "3: input.a <= 3 → input.a < 3",
                "3: input.a <= 3 → input.a > 3",
                "3: input.a <= 3 → input.a <= 4",
                "3: 1 → 2",
                "3: {1} | input.s → {1} & input.s",
                "5: \"b\" in input.b → \"mutant\" in input.b",
                "5: \"b\" in input.b → not \"b\" in input.b",
                "5: \"b\" in input.b → true",
                "7: \"c\" → \"mutant\"",
                "7: true → false",
                "7: input.n + 1.5 → input.n - 1.5",
                "7: 1.5 → 0",
            ]
        );
    }

    #[test]
    fn comprehensions_are_looked_into() {
        let text = "package lib.a\n\nx := [y | some y in input.x; y != 1]\n";
        assert_eq!(changes(text), ["3: y != 1 → true", "3: y != 1 → y == 1", "3: y != 1 → y != 2"]);
    }

    #[test]
    fn the_mutants_of_the_shipped_policies_can_be_parsed() {
        let set = PolicySet::embedded().unwrap();
        let (_, policies) = Engine::parse(set.policies(), Duration::from_secs(60)).unwrap();
        let mut count = 0;
        for (policy, file) in policies.iter().zip(set.policies()) {
            let engine = Engine::empty(Duration::from_secs(60));
            for mutant in mutants(policy) {
                count += 1;
                let mutated = mutant.file(file);
                assert!(
                    engine.with_policies(&[mutated]).is_ok(),
                    "{}: {} → {}",
                    mutant.location,
                    mutant.before,
                    mutant.after
                );
            }
        }
        println!("{count} mutants");
        assert!(count > 1000, "{count}");
    }
}
