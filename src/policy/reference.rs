//! What the rules of a policy refer to: other rules, functions, builtins, data.

use std::collections::{BTreeMap, BTreeSet};

use super::syntax::{
    AssignOperator, Body, ComparisonOperator, Expr, Head, Literal, Module, Query, Rule, Span, Statement,
};

/// A reference found in a rule.
#[derive(Debug)]
pub(crate) struct Reference<'tree> {
    pub(crate) target: Target,
    pub(crate) span: Span,
    /// The arguments, if it is a call.
    pub(crate) arguments: Option<&'tree [Expr]>,
    /// Whether it stands in a `with` for what is replaced by it.
    pub(crate) is_replacement: bool,
}

/// The references of a rule.
#[derive(Debug, Default)]
pub(crate) struct References<'tree> {
    pub(crate) all: Vec<Reference<'tree>>,
    /// What negations, and memberships that are values, need.
    pub(crate) needed: Vec<(NeededBy, Needed, Span)>,
    /// Names that the rule's head uses, and nothing explains or could bind.
    pub(crate) unbound: Vec<(String, Span)>,
}

/// What needs something to be defined: OPA is undefined where it is not, and the engine says true or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NeededBy {
    /// An expression under `not`.
    Negation,
    /// An `in` that is no statement of its own.
    Membership,
}

/// What must be defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    /// A field of the input, of a variable, or of what is computed.
    Field,
    /// The greatest or the least member of a collection.
    Extreme,
    /// A rule or what a function gives, below `data`.
    Rule(Vec<String>),
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A path below `data`, up to its first computed step: a rule, a whole package, or data.
    Data(Vec<String>),
    /// A name that no rule and no import explains: a builtin, or nothing at all.
    Name(String),
}

/// What names mean in one file.
pub(crate) struct Names<'tree> {
    text: &'tree str,
    package: Vec<String>,
    imports: BTreeMap<String, Vec<String>>,
    /// The first steps of the names of the package's rules, whichever file they stand in.
    rules: &'tree BTreeSet<String>,
}

impl<'tree> Names<'tree> {
    pub(crate) fn new(text: &'tree str, module: &Module, rules: &'tree BTreeSet<String>) -> Self {
        let mut imports = BTreeMap::new();
        for import in &module.imports {
            let Some(chain) = import.refr.chain() else { continue };
            let path: Vec<String> = chain.steps.iter().map(|step| (*step).to_owned()).collect();
            let alias =
                import.alias.and_then(|span| text.get(span.start..span.end)).or(path.last().map(String::as_str));
            // `input` and the language's own imports lead to no rule.
            if let (Some(alias), "data") = (alias, chain.root) {
                imports.insert(alias.to_owned(), path.clone());
            }
        }
        let package = module.package_path().into_iter().map(str::to_owned).collect();
        Self { text, package, imports, rules }
    }

    /// Everything that a rule refers to.
    pub(crate) fn references(&self, rule: &'tree Rule) -> References<'tree> {
        let locals = Locals::of(rule, self.text).0;
        let mut collector = Collector { names: self, locals, found: References::default(), inside: 0, is_head: false };
        collector.rule(rule);
        collector.found
    }

    /// The path below `data` that an expression of a rule refers to, if that is all it does.
    pub(super) fn path_of(&self, rule: &Rule, expression: &Expr) -> Option<Vec<String>> {
        let chain = expression.chain().filter(|chain| chain.is_constant)?;
        match self.resolve(chain.root, &chain.steps)? {
            Target::Data(path) if !Locals::of(rule, self.text).0.contains(chain.root) => Some(path),
            Target::Data(_) | Target::Name(_) => None,
        }
    }

    fn resolve(&self, root: &str, steps: &[&str]) -> Option<Target> {
        let path = |start: &[String]| {
            Target::Data(start.iter().cloned().chain(steps.iter().map(|step| (*step).to_owned())).collect())
        };
        if root == "data" {
            return Some(path(&[]));
        }
        if root == "input" {
            return None;
        }
        if let Some(import) = self.imports.get(root) {
            return Some(path(import));
        }
        if self.rules.contains(root) {
            let mut start = self.package.clone();
            start.push(root.to_owned());
            return Some(path(&start));
        }
        None
    }
}

/// The variables that a rule declares. They hide rules of the same name, but never a function that is called: a function
/// cannot be stored in a variable.
struct Locals(BTreeSet<String>);

impl Locals {
    fn of(rule: &Rule, text: &str) -> Self {
        let mut locals = Self(BTreeSet::new());
        match rule {
            Rule::Spec { head, bodies, .. } => {
                if let Head::Func { args, .. } = head {
                    args.iter().for_each(|argument| locals.declare(argument));
                }
                bodies.iter().for_each(|body| locals.query(&body.query, text));
                expressions_of(head, bodies, &mut |expression| locals.nested(expression, text));
            }
            Rule::Default { args, .. } => args.iter().for_each(|argument| locals.declare(argument)),
        }
        locals
    }

    fn query(&mut self, query: &Query, text: &str) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { vars } => vars.iter().for_each(|span| self.span(*span, text)),
                Literal::SomeIn { key, value, .. } => {
                    key.iter().for_each(|key| self.declare(key));
                    self.declare(value);
                }
                Literal::Every { key, value, query, .. } => {
                    key.iter().for_each(|key| self.span(*key, text));
                    self.span(*value, text);
                    self.query(query, text);
                }
                Literal::Expr { expr } | Literal::NotExpr { expr } => {
                    if let Expr::Assignment { op: AssignOperator::ColEq, lhs, .. } = expr {
                        self.declare(lhs);
                    }
                }
            }
            statement.expressions(&mut |expression| self.nested(expression, text));
        }
    }

    /// The declarations of the comprehensions within an expression.
    fn nested(&mut self, expression: &Expr, text: &str) {
        if let Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } =
            expression
        {
            self.query(query, text);
        }
        expression.children(&mut |child| self.nested(child, text));
    }

    /// The variables of a pattern: `[a, {"b": c}]`.
    fn declare(&mut self, pattern: &Expr) {
        match pattern {
            Expr::Var { value, .. } => {
                if let Some(name) = value.as_str() {
                    self.0.insert(name.to_owned());
                }
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.declare(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| self.declare(value)),
            _ => {}
        }
    }

    fn span(&mut self, span: Span, text: &str) {
        if let Some(name) = text.get(span.start..span.end) {
            self.0.insert(name.to_owned());
        }
    }
}

struct Collector<'names, 'tree> {
    names: &'names Names<'tree>,
    locals: BTreeSet<String>,
    found: References<'tree>,
    /// How many comprehensions and brackets it is in: those can bind a name themselves.
    inside: usize,
    /// Whether it is in the head, which binds nothing outside of those.
    is_head: bool,
}

impl<'tree> Collector<'_, 'tree> {
    fn rule(&mut self, rule: &'tree Rule) {
        match rule {
            Rule::Spec { head, bodies, .. } => {
                // The head's own name is no reference; what is computed inside it is.
                self.computed_steps(rule.refr());
                self.is_head = true;
                expressions_of(head, bodies, &mut |expression| self.expression(expression));
                expressions_of(head, bodies, &mut |expression| self.memberships(expression));
                self.is_head = false;
                let of_head = std::mem::take(&mut self.found.unbound);
                bodies.iter().for_each(|body| self.query(&body.query));
                let bound: BTreeSet<String> = self.found.unbound.drain(..).map(|(name, _)| name).collect();
                self.found.unbound = of_head.into_iter().filter(|(name, _)| !bound.contains(name)).collect();
            }
            Rule::Default { value, .. } => self.expression(value),
        }
    }

    fn query(&mut self, query: &'tree Query) {
        for statement in &query.stmts {
            statement.expressions(&mut |expression| self.expression(expression));
            match &statement.literal {
                // As a statement it fails wherever it is not true.
                Literal::Expr { expr } | Literal::NotExpr { expr } if matches!(expr, Expr::Membership { .. }) => {
                    expr.children(&mut |child| self.memberships(child));
                }
                _ => statement.expressions(&mut |expression| self.memberships(expression)),
            }
            if let Literal::NotExpr { expr } = &statement.literal {
                self.negated(expr);
            }
            if let Literal::Every { query, .. } = &statement.literal {
                self.query(query);
            }
            for with in &statement.with_mods {
                self.computed_steps(&with.refr);
                // A replacement may be a function, which is then called in place of what it replaces.
                match with.replacement.chain() {
                    Some(chain) if chain.is_constant && !self.locals.contains(chain.root) => {
                        self.called(&with.replacement, None);
                    }
                    _ => self.expression(&with.replacement),
                }
            }
        }
    }

    fn expression(&mut self, expression: &'tree Expr) {
        match expression {
            Expr::Call { fcn, params, .. } => {
                self.called(fcn, Some(params));
                params.iter().for_each(|parameter| self.expression(parameter));
            }
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                match expression.chain() {
                    Some(chain) => {
                        if !self.locals.contains(chain.root) {
                            match self.names.resolve(chain.root, &chain.steps) {
                                Some(target) => {
                                    self.found.all.push(Reference {
                                        target,
                                        span: chain.span,
                                        arguments: None,
                                        is_replacement: false,
                                    });
                                }
                                None if !matches!(chain.root, "input" | "_") && (!self.is_head || self.inside == 0) => {
                                    self.found.unbound.push((chain.root.to_owned(), chain.span));
                                }
                                None => {}
                            }
                        }
                        self.computed_steps(expression);
                    }
                    // A step into something that is computed itself: `f(x).y`.
                    None => expression.children(&mut |child| self.expression(child)),
                }
            }
            Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } => {
                self.inside += 1;
                expression.children(&mut |child| self.expression(child));
                self.query(query);
                self.inside -= 1;
            }
            _ => expression.children(&mut |child| self.expression(child)),
        }
    }

    /// What the memberships in an expression need.
    fn memberships(&mut self, expression: &'tree Expr) {
        if matches!(expression, Expr::Membership { .. }) {
            expression.children(&mut |child| self.needed(NeededBy::Membership, child));
        }
        expression.children(&mut |child| self.memberships(child));
    }

    /// What a negated expression needs. Alone or compared for equality, a reference may be undefined in every engine, and so may a call alone.
    fn negated(&mut self, expression: &'tree Expr) {
        if expression.chain().is_some() {
            expression.computed_steps(&mut |step| self.needed(NeededBy::Negation, step));
            return;
        }
        match expression {
            Expr::Comparison { op: ComparisonOperator::Eq, lhs, rhs, .. }
            | Expr::Assignment { op: AssignOperator::Eq, lhs, rhs, .. } => {
                for side in [lhs, rhs] {
                    if matches!(side.as_ref(), Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. }) {
                        self.needed_of_reference(NeededBy::Negation, side);
                    } else {
                        self.needed(NeededBy::Negation, side);
                    }
                }
            }
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.needed_of_reference(NeededBy::Negation, expression),
            Expr::Call { params, .. } => {
                params.iter().for_each(|parameter| self.needed(NeededBy::Negation, parameter));
            }
            _ => expression.children(&mut |child| self.needed(NeededBy::Negation, child)),
        }
    }

    /// What a reference that may itself be undefined needs: its computed steps, and what it is a step into, if that is computed.
    fn needed_of_reference(&mut self, by: NeededBy, reference: &'tree Expr) {
        reference.computed_steps(&mut |step| self.needed(by, step));
        let mut base = reference;
        while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = base {
            base = refr;
        }
        if !matches!(base, Expr::Var { .. }) {
            self.needed(by, base);
        }
    }

    /// What must be defined before a negated expression says anything. A comprehension always is.
    fn needed(&mut self, by: NeededBy, expression: &'tree Expr) {
        if let Some(chain) = expression.chain() {
            let is_field = !matches!(expression, Expr::Var { .. });
            if is_field && (chain.root == "input" || self.locals.contains(chain.root)) {
                self.found.needed.push((by, Needed::Field, chain.span));
            } else if !self.locals.contains(chain.root)
                && let Some(Target::Data(mut path)) = self.names.resolve(chain.root, &chain.steps)
            {
                if !chain.is_constant {
                    path.push("…".to_owned());
                }
                self.found.needed.push((by, Needed::Rule(path), chain.span));
            }
            expression.computed_steps(&mut |step| self.needed(by, step));
            return;
        }
        match expression {
            Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => {}
            Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.found.needed.push((by, Needed::Field, expression.span()));
                self.needed_of_reference(by, expression);
            }
            Expr::Call { fcn, params, .. } => {
                if expression.is_extreme() {
                    self.found.needed.push((by, Needed::Extreme, expression.span()));
                }
                let function = fcn.chain().and_then(|chain| self.names.resolve(chain.root, &chain.steps));
                if let Some(Target::Data(path)) = function {
                    self.found.needed.push((by, Needed::Rule(path), fcn.span()));
                }
                params.iter().for_each(|parameter| self.needed(by, parameter));
            }
            _ => expression.children(&mut |child| self.needed(by, child)),
        }
    }

    fn called(&mut self, function: &'tree Expr, arguments: Option<&'tree [Expr]>) {
        let Some(chain) = function.chain() else { return };
        let target = self.names.resolve(chain.root, &chain.steps).unwrap_or_else(|| {
            let mut name = chain.root.to_owned();
            for step in &chain.steps {
                name.push('.');
                name.push_str(step);
            }
            Target::Name(name)
        });
        // A value that stands in a `with` is no call, so it need not be a function at all.
        if arguments.is_some() || !matches!(&target, Target::Name(_)) || chain.root != "input" {
            let is_replacement = arguments.is_none();
            self.found.all.push(Reference { target, span: chain.span, arguments, is_replacement });
        }
    }

    /// The expressions inside the brackets of a reference.
    fn computed_steps(&mut self, reference: &'tree Expr) {
        self.inside += 1;
        reference.computed_steps(&mut |step| self.expression(step));
        self.inside -= 1;
    }
}

/// The expressions of a rule outside of its bodies' queries.
fn expressions_of<'tree>(head: &'tree Head, bodies: &'tree [Body], visit: &mut dyn FnMut(&'tree Expr)) {
    match head {
        Head::Compr { assign, .. } => assign.iter().for_each(|assign| visit(&assign.value)),
        Head::Set { key, .. } => key.iter().for_each(&mut *visit),
        Head::Func { args, assign, .. } => {
            args.iter().for_each(&mut *visit);
            assign.iter().for_each(|assign| visit(&assign.value));
        }
    }
    bodies.iter().filter_map(|body| body.assign.as_ref()).for_each(|assign| visit(&assign.value));
}

impl Rule {
    /// Every expression of the rule that is inside no other, the rule's name aside.
    pub(super) fn outermost<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        match self {
            Self::Spec { head, bodies, .. } => {
                expressions_of(head, bodies, visit);
                bodies.iter().for_each(|body| body.query.outermost(visit));
            }
            Self::Default { value, .. } => visit(value),
        }
    }
}

impl Rule {
    /// The same without what the arguments of a function are matched with.
    pub(super) fn computed<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        if let Self::Spec { head: Head::Func { assign, .. }, bodies, .. } = self {
            assign.iter().for_each(|assign| visit(&assign.value));
            bodies.iter().filter_map(|body| body.assign.as_ref()).for_each(|assign| visit(&assign.value));
            bodies.iter().for_each(|body| body.query.outermost(visit));
        } else {
            self.outermost(visit);
        }
    }
}

impl Rule {
    /// Every statement of the rule, those of comprehensions and of `every` among them.
    pub(super) fn statements<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Statement)) {
        if let Self::Spec { head, bodies, .. } = self {
            expressions_of(head, bodies, &mut |expression| expression.statements(visit));
            bodies.iter().for_each(|body| body.query.statements(visit));
        }
    }
}

impl Query {
    fn statements<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Statement)) {
        for statement in &self.stmts {
            visit(statement);
            statement.expressions(&mut |expression| expression.statements(visit));
            if let Literal::Every { query, .. } = &statement.literal {
                query.statements(visit);
            }
            statement.with_mods.iter().for_each(|with| with.replacement.statements(visit));
        }
    }
}

impl Expr {
    fn statements<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Statement)) {
        if let Self::ArrayCompr { query, .. } | Self::SetCompr { query, .. } | Self::ObjectCompr { query, .. } = self {
            query.statements(visit);
        }
        self.children(&mut |child| child.statements(visit));
    }
}

impl Query {
    /// Every expression of the query that is inside no other.
    pub(super) fn outermost<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        for statement in &self.stmts {
            statement.expressions(visit);
            if let Literal::Every { query, .. } = &statement.literal {
                query.outermost(visit);
            }
            statement.with_mods.iter().for_each(|with| visit(&with.replacement));
        }
    }
}

impl Statement {
    /// The statement's own expressions, without those of the query of an `every` and of modifiers.
    pub(super) fn expressions<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        match &self.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection } => {
                key.iter().for_each(&mut *visit);
                visit(value);
                visit(collection);
            }
            Literal::Expr { expr } | Literal::NotExpr { expr } => visit(expr),
            Literal::Every { domain, .. } => visit(domain),
        }
    }
}

impl Expr {
    /// Whether it is undefined for a collection without members: `max([])`.
    pub(super) fn is_extreme(&self) -> bool {
        matches!(self, Self::Call { fcn, .. } if fcn.variable().is_some_and(|name| matches!(name, "max" | "min")))
    }

    /// This expression and everything inside it.
    pub(super) fn nested<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        visit(self);
        self.inner(&mut |inner| inner.nested(visit));
    }

    /// The expressions directly inside this one, those of a comprehension's query among them.
    pub(super) fn inner<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        self.children(visit);
        if let Self::ArrayCompr { query, .. } | Self::SetCompr { query, .. } | Self::ObjectCompr { query, .. } = self {
            query.outermost(visit);
        }
    }

    /// The expressions inside the brackets of a reference.
    pub(super) fn computed_steps<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        let mut expression = self;
        loop {
            match expression {
                Self::RefDot { refr, .. } => expression = refr,
                Self::RefBrack { refr, index, .. } => {
                    visit(index);
                    expression = refr;
                }
                _ => return,
            }
        }
    }

    /// The expressions directly inside this one, without those of a comprehension's query.
    pub(super) fn children<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Expr)) {
        match self {
            Self::String { .. }
            | Self::RawString { .. }
            | Self::Number { .. }
            | Self::Bool { .. }
            | Self::Null { .. }
            | Self::Var { .. } => {}
            Self::Array { items, .. } | Self::Set { items, .. } => items.iter().for_each(visit),
            Self::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                visit(key);
                visit(value);
            }),
            Self::ArrayCompr { term, .. } | Self::SetCompr { term, .. } => visit(term),
            Self::ObjectCompr { key, value, .. } => {
                visit(key);
                visit(value);
            }
            Self::Call { fcn, params, .. } => {
                visit(fcn);
                params.iter().for_each(visit);
            }
            Self::Unary { expr, .. } => visit(expr),
            Self::RefDot { refr, .. } => visit(refr),
            Self::RefBrack { refr, index, .. } => {
                visit(refr);
                visit(index);
            }
            Self::Binary { lhs, rhs, .. }
            | Self::Comparison { lhs, rhs, .. }
            | Self::Arithmetic { lhs, rhs, .. }
            | Self::Assignment { lhs, rhs, .. } => {
                visit(lhs);
                visit(rhs);
            }
            Self::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| visit(key));
                visit(value);
                visit(collection);
            }
        }
    }
}
