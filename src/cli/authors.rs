//! Arguments of what policy authors ask: why, whether it holds, and what it is worth.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use regex::Regex;

use super::PolicyArguments;
use crate::prove::Half;
use crate::settings::value::percentage;

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArguments {
    /// The code: `M2A-B2`.
    #[arg(value_name = "CODE")]
    pub code: String,

    /// The fact document on which it blocks.
    #[arg(long, value_name = "DOC")]
    pub facts: Option<PathBuf>,

    /// Only this subject: a handle, a stack, a lane.
    #[arg(long, value_name = "SUBJECT", requires = "facts")]
    pub subject: Option<String>,

    /// Folder of raw answers, as `--raw` of the collection kept them: they are shown beside their receipts.
    #[arg(long, value_name = "DIR", requires = "facts")]
    pub raw: Option<PathBuf>,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,
}

/// Arguments of `prove`.
#[derive(Args, Clone, Debug)]
pub struct ProveArguments {
    /// A fact document on which the lanes pass; more documents, whatever their verdicts, help to notice mutants.
    #[arg(required = true, value_name = "FACTS")]
    pub facts: Vec<PathBuf>,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,

    /// Lane whose rules are proved (`M2.A`); may be repeated. Default: every lane of the policies.
    #[arg(long = "lane", value_name = "LANE", value_delimiter = ',')]
    pub lanes: Vec<String>,

    /// Only one half of the proof.
    #[arg(long, value_enum)]
    pub only: Option<ProveHalf>,

    /// The least share of mutants that must be noticed, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    pub threshold: Option<f64>,

    /// TOML file of the facts that need no guard and the mutants that may survive, each with the reason. With it, every other survivor fails.
    #[arg(long, value_name = "FILE")]
    pub accepted: Option<PathBuf>,
}

/// One half of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProveHalf {
    /// The laws: fail closed, stable identity, no vacuity.
    KnockOuts,
    /// The rules.
    Mutants,
}

impl From<ProveHalf> for Half {
    fn from(half: ProveHalf) -> Self {
        match half {
            ProveHalf::KnockOuts => Self::KnockOuts,
            ProveHalf::Mutants => Self::Mutants,
        }
    }
}

/// Arguments of `test`.
#[derive(Args, Clone, Debug)]
pub struct TestArguments {
    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,

    /// Only tests whose path (`data.m2.a_test.test_…`) matches.
    #[arg(long = "run", value_name = "REGEX")]
    pub selection: Option<Regex>,

    /// Measure which lines and rules of the policies the tests go through.
    #[arg(long)]
    pub coverage: bool,

    /// The least share of lines and of rules that the tests must go through, in percent; implies --coverage.
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    pub threshold: Option<f64>,

    /// Run again whenever a file of the policies changes.
    #[arg(long, conflicts_with = "output")]
    pub watch: bool,
}
