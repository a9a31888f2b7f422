//! The syntax tree of a policy, as the engine publishes it, reduced to what the laws look at.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A byte range of a policy's text.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Span {
    pub(crate) line: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// The bytes of a text that it covers. The engine leaves the quotes of a string out, where one begins or ends an expression.
    pub(crate) fn range(self, text: &str) -> Range<usize> {
        let is_quote = |index: Option<usize>| {
            let byte = index.and_then(|index| text.as_bytes().get(index));
            byte.is_some_and(|byte| matches!(byte, b'"' | b'`'))
        };
        let start = self.start - usize::from(is_quote(self.start.checked_sub(1)));
        start..self.end + usize::from(is_quote(Some(self.end)))
    }

    /// What it covers of a text.
    pub(crate) fn excerpt(self, text: &str) -> &str {
        text.get(self.range(text)).unwrap_or_default()
    }
}

/// One policy file.
#[derive(Debug, Deserialize)]
pub(crate) struct Policy {
    pub(crate) source: Source,
    pub(crate) ast: Module,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) contents: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Module {
    pub(crate) package: Package,
    pub(crate) imports: Vec<Import>,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) span: Span,
    pub(crate) refr: Expr,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Import {
    pub(crate) refr: Expr,
    #[serde(default, rename = "as")]
    pub(crate) alias: Option<Span>,
}

#[derive(Debug, Deserialize)]
pub(crate) enum Rule {
    Spec { span: Span, head: Head, bodies: Vec<Body> },
    Default { span: Span, refr: Expr, args: Vec<Expr>, value: Expr },
}

#[derive(Debug, Deserialize)]
pub(crate) enum Head {
    /// A complete rule, or an entry of a partial object.
    Compr {
        refr: Expr,
        assign: Option<Assign>,
    },
    /// An element of a partial set.
    Set {
        refr: Expr,
        key: Option<Expr>,
    },
    Func {
        refr: Expr,
        args: Vec<Expr>,
        assign: Option<Assign>,
    },
}

impl Head {
    /// What the rule is where its body holds, if its head says so.
    pub(crate) fn value(&self) -> Option<&Expr> {
        match self {
            Self::Compr { assign, .. } | Self::Func { assign, .. } => assign.as_ref().map(|assign| &assign.value),
            Self::Set { .. } => None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Assign {
    pub(crate) value: Expr,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    pub(crate) assign: Option<Assign>,
    pub(crate) query: Query,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Query {
    pub(crate) stmts: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Statement {
    pub(crate) span: Span,
    pub(crate) literal: Literal,
    #[serde(default)]
    pub(crate) with_mods: Vec<With>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct With {
    pub(crate) refr: Expr,
    #[serde(rename = "as")]
    pub(crate) replacement: Expr,
}

#[derive(Debug, Deserialize)]
pub(crate) enum Literal {
    SomeVars { vars: Vec<Span> },
    SomeIn { key: Option<Expr>, value: Expr, collection: Expr },
    Expr { expr: Expr },
    NotExpr { expr: Expr },
    Every { key: Option<Span>, value: Span, domain: Expr, query: Query },
}

#[derive(Debug, Deserialize)]
pub(crate) enum Expr {
    String {
        span: Span,
        value: String,
    },
    RawString {
        span: Span,
        value: String,
    },
    Number {
        span: Span,
        value: serde_json::Number,
    },
    Bool {
        span: Span,
    },
    Null {
        span: Span,
    },
    Var {
        span: Span,
        value: serde_json::Value,
    },
    Array {
        span: Span,
        items: Vec<Expr>,
    },
    Set {
        span: Span,
        items: Vec<Expr>,
    },
    Object {
        span: Span,
        fields: Vec<(IgnoredAny, Expr, Expr)>,
    },
    ArrayCompr {
        span: Span,
        term: Box<Expr>,
        query: Query,
    },
    SetCompr {
        span: Span,
        term: Box<Expr>,
        query: Query,
    },
    ObjectCompr {
        span: Span,
        key: Box<Expr>,
        value: Box<Expr>,
        query: Query,
    },
    Call {
        span: Span,
        fcn: Box<Expr>,
        params: Vec<Expr>,
    },
    #[serde(rename = "UnaryExpr")]
    Unary {
        span: Span,
        expr: Box<Expr>,
    },
    RefDot {
        span: Span,
        refr: Box<Expr>,
        field: (IgnoredAny, String),
    },
    RefBrack {
        span: Span,
        refr: Box<Expr>,
        index: Box<Expr>,
    },
    #[serde(rename = "BinExpr")]
    Binary {
        span: Span,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    #[serde(rename = "BoolExpr")]
    Comparison {
        span: Span,
        op: ComparisonOperator,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    #[serde(rename = "ArithExpr")]
    Arithmetic {
        span: Span,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    #[serde(rename = "AssignExpr")]
    Assignment {
        span: Span,
        op: AssignOperator,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    Membership {
        span: Span,
        key: Option<Box<Expr>>,
        value: Box<Expr>,
        collection: Box<Expr>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum AssignOperator {
    Eq,
    ColEq,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum ComparisonOperator {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
    Ne,
}

/// A reference such as `data.lib.check[x].y`: its root variable and what follows.
#[derive(Debug)]
pub(crate) struct Chain<'tree> {
    pub(crate) root: &'tree str,
    /// The constant steps up to the first one that is computed.
    pub(crate) steps: Vec<&'tree str>,
    /// Whether every step is constant.
    pub(crate) is_constant: bool,
    pub(crate) span: Span,
}

impl Expr {
    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::String { span, .. }
            | Self::RawString { span, .. }
            | Self::Number { span, .. }
            | Self::Bool { span }
            | Self::Null { span }
            | Self::Var { span, .. }
            | Self::Array { span, .. }
            | Self::Set { span, .. }
            | Self::Object { span, .. }
            | Self::ArrayCompr { span, .. }
            | Self::SetCompr { span, .. }
            | Self::ObjectCompr { span, .. }
            | Self::Call { span, .. }
            | Self::Unary { span, .. }
            | Self::RefDot { span, .. }
            | Self::RefBrack { span, .. }
            | Self::Binary { span, .. }
            | Self::Comparison { span, .. }
            | Self::Arithmetic { span, .. }
            | Self::Assignment { span, .. }
            | Self::Membership { span, .. } => *span,
        }
    }

    /// What it covers of a text. The engine lets an object of several members begin where its last one stands.
    pub(crate) fn excerpt<'text>(&self, text: &'text str) -> &'text str {
        let Range { start, end } = self.span().range(text);
        text.get(self.brace(text).unwrap_or(start)..end).unwrap_or_default()
    }

    /// Where the brace stands that it begins with, if it is an object or begins with one.
    fn brace(&self, text: &str) -> Option<usize> {
        match self {
            Self::Object { fields, .. } => {
                let (_, key, _) = fields.first()?;
                text.get(..key.span().range(text).start)?.rfind('{')
            }
            Self::Binary { lhs, .. }
            | Self::Comparison { lhs, .. }
            | Self::Arithmetic { lhs, .. }
            | Self::Membership { key: None, value: lhs, .. } => lhs.brace(text),
            _ => None,
        }
    }

    /// The text that it is, if it is a constant text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::String { value, .. } | Self::RawString { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The name, if it is a variable.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Var { value, .. } => value.as_str(),
            _ => None,
        }
    }

    /// Whether it names a builtin of this namespace: `object`, `get`.
    pub(crate) fn is_builtin(&self, namespace: &str, name: &str) -> bool {
        self.chain().is_some_and(|chain| chain.root == namespace && chain.steps == [name])
    }

    /// Whether its value stands in the text: there is nothing to evaluate.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(
            self,
            Self::String { .. } | Self::RawString { .. } | Self::Number { .. } | Self::Bool { .. } | Self::Null { .. }
        )
    }

    /// This expression as a reference, if it is one that starts at a variable.
    pub(crate) fn chain(&self) -> Option<Chain<'_>> {
        let span = match self {
            Self::Var { span, .. } | Self::RefDot { span, .. } | Self::RefBrack { span, .. } => *span,
            _ => return None,
        };
        // Steps are met from the last to the first; a computed one drops those behind it.
        let mut steps = Vec::new();
        let mut is_constant = true;
        let mut expression = self;
        loop {
            match expression {
                Self::Var { value, .. } => {
                    steps.reverse();
                    return Some(Chain { root: value.as_str()?, steps, is_constant, span });
                }
                Self::RefDot { refr, field, .. } => {
                    steps.push(field.1.as_str());
                    expression = refr;
                }
                Self::RefBrack { refr, index, .. } => {
                    match index.text() {
                        Some(step) => steps.push(step),
                        None => {
                            steps.clear();
                            is_constant = false;
                        }
                    }
                    expression = refr;
                }
                _ => return None,
            }
        }
    }
}

impl Rule {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Spec { span, .. } | Self::Default { span, .. } => *span,
        }
    }

    /// The reference that names the rule.
    pub(crate) fn refr(&self) -> &Expr {
        match self {
            Self::Spec {
                head: Head::Compr { refr, .. } | Head::Set { refr, .. } | Head::Func { refr, .. }, ..
            }
            | Self::Default { refr, .. } => refr,
        }
    }

    /// The rule's name: the constant steps of its head.
    pub(crate) fn name(&self) -> Vec<&str> {
        self.refr().chain().map_or_else(Vec::new, |chain| {
            let mut name = vec![chain.root];
            name.extend(chain.steps);
            name
        })
    }

    /// How many arguments it takes, if it is a function.
    pub(crate) fn arity(&self) -> Option<usize> {
        match self {
            Self::Spec { head: Head::Func { args, .. }, .. } => Some(args.len()),
            Self::Default { args, .. } if !args.is_empty() => Some(args.len()),
            Self::Spec { .. } | Self::Default { .. } => None,
        }
    }
}

impl Module {
    /// The package's path, without `data`.
    pub(crate) fn package_path(&self) -> Vec<&str> {
        self.package.refr.chain().map_or_else(Vec::new, |chain| {
            let mut path = vec![chain.root];
            path.extend(chain.steps);
            path
        })
    }
}
