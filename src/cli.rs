//! The command line: raw arguments. `settings` turns them, the environment and `factgate.toml` into what a command needs.

mod authors;
mod source;

use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use authors::{ExplainArguments, ProveArguments, ProveHalf, TestArguments};
pub use source::{SourceArguments, TerraformMode};

use crate::evidence::mirror::MirrorTarget;
use crate::output::OutputTarget;
use crate::settings::value::{endpoint, positive_duration};

/// A policy-as-code readiness gate: is this cloud substrate ready, and what proves it?
#[derive(Debug, Parser)]
#[command(name = "factgate", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Configuration file; `factgate.toml` in the current folder is read if it is there.
    #[arg(long, global = true, value_name = "FILE", env = "FACTGATE_CONFIG")]
    pub config: Option<PathBuf>,

    /// Where a result goes: `table`, `json`, `markdown`, `junit`, `sarif`, `github`, `ndjson`, or `FORMAT=PATH`; may be repeated. Without a path it goes to standard output.
    #[arg(short, long, global = true, value_name = "FORMAT[=PATH]", env = "FACTGATE_OUTPUT", value_delimiter = ',')]
    pub output: Vec<OutputTarget>,

    /// Colour in tables and messages.
    #[arg(long, global = true, value_enum, default_value_t, env = "FACTGATE_COLOR")]
    pub color: Color,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Whether the command line itself names an output, and not only the environment.
    #[arg(skip)]
    pub names_output: bool,
}

impl Cli {
    /// Parses the command line of this process.
    ///
    /// # Errors
    ///
    /// If it is wrong, or asks for help or the version.
    pub fn read() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches()?;
        let mut innermost = &matches;
        while let Some((_, inner)) = innermost.subcommand() {
            innermost = inner;
        }
        let names_output = innermost.value_source("output") == Some(ValueSource::CommandLine);
        Ok(Self { names_output, ..Self::from_arg_matches(&matches)? })
    }
}

/// What the exit codes promise.
const EXIT_CODES: &str = "\
Exit codes:
  0  GO: every covered lane passes
  1  NO-GO
  2  usage: the command line or the configuration is wrong
  3  NO-GO only because facts were unreadable: worth a retry
  4  a policy, an input or a pack is wrong, so there is no verdict
  5  nothing was evaluated";

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that can show it (honours `NO_COLOR` and `CLICOLOR`).
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes it the choice of the whole process.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read handles, Terraform and AWS into one fact document.
    #[cfg(feature = "aws")]
    Collect(CollectArguments),
    /// Evaluate archived fact documents: no network, no credentials.
    Eval(EvalArguments),
    /// Collect, evaluate and write the evidence packs; what CI runs.
    #[cfg(feature = "aws")]
    Gate(GateArguments),
    /// Read evidence packs back and prove each whole and unaltered.
    Verify(VerifyArguments),
    /// Destroy and recover the approved stacks, then collect: proves that they can be built again. Changes real resources.
    #[cfg(feature = "aws")]
    Rehearse(RehearseArguments),
    /// Show what differs between two fact documents: their facts, and the verdicts on them.
    Diff {
        /// The document that is compared.
        #[arg(value_name = "BEFORE")]
        before: PathBuf,

        /// The document that it is compared with.
        #[arg(value_name = "AFTER")]
        after: PathBuf,

        /// Which policies.
        #[command(flatten)]
        policy: PolicyArguments,
    },
    /// Explain a code: what it means and its rule; on a fact document, why it blocks and what would clear it.
    Explain(ExplainArguments),
    /// Prove the policies on a document that passes: knock out every fact and see that something blocks, mutate every rule and see that it
    /// is noticed.
    ///
    /// Exit code 1 if a knock-out leaves a GO that is not accepted, a check holds without a fact that it names or comes or goes with one, a
    /// code claims nothing, nothing makes a check fail, or more mutants survive than --threshold or --accepted allows.
    Prove(ProveArguments),
    /// Run the unit tests of policies: rules `test_…` of packages `…_test`, as `opa test` runs them.
    ///
    /// A test that fails is shown with the first expression that does not hold, and what its parts are. Exit code 1 if a test
    /// fails or the coverage is below the threshold, 5 if there is no test.
    Test(TestArguments),
    /// Check policies and their tests without evaluating anything: the laws that every evaluation asks for, METADATA, artifacts, and every
    /// path into the input against the schema of fact documents.
    ///
    /// Exit code 4 if there is a defect.
    Check(PolicyArguments),
    /// List every blocker code with lane, severity, taxonomy, title and remediation.
    Codes(PolicyArguments),
    /// Work on the handle registry.
    #[command(subcommand)]
    Handles(HandlesCommand),
    /// Print the IAM policy that a collection needs, as JSON: reads, and the lock that Terraform takes on a state.
    ///
    /// It covers the AWS reads, and what Terraform's state backend reads and locks. What `terraform plan` itself refreshes depends
    /// on the stacks and is not in it.
    #[cfg(feature = "aws")]
    IamPolicy {
        /// Handle registry whose resources the policy is narrowed to; without one every resource.
        #[arg(long, value_name = "FILE", env = "FACTGATE_REGISTRY")]
        registry: Option<PathBuf>,

        /// Which policies: what they override of the contract decides on what is read.
        #[command(flatten)]
        policy: PolicyArguments,
    },
    /// Print the completions of a shell.
    ///
    /// For bash: `factgate completions bash > ~/.local/share/bash-completion/completions/factgate`.
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the man page, or write one page a command into a folder.
    Man {
        /// Folder that gets `factgate.1`, `factgate-eval.1` and so on; it is made if it is not there.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print a JSON Schema.
    Schema {
        /// Which one.
        #[arg(value_enum)]
        name: SchemaName,
    },
    /// Start a project: a lane with one code, its tests, facts on which it is GO, schemas for editors, a CI file and hooks.
    ///
    /// No file is ever replaced: where one is in the way, nothing is written.
    Init {
        /// Folder of the project; made if it is not there.
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
    },
    /// Add to policies of your own.
    #[command(subcommand)]
    New(NewCommand),
}

/// What can be added to policies.
#[derive(Debug, Subcommand)]
pub enum NewCommand {
    /// Write the rule of a new code, with its METADATA and its tests; if its lane is new, the lane, too.
    ///
    /// The rule passes every law, and blocks until its author has given it a claim.
    Rule(NewRuleArguments),
}

/// Arguments of `new rule`.
#[derive(Args, Clone, Debug)]
pub struct NewRuleArguments {
    /// The code, which must be new: `M2B-B1`.
    #[arg(value_name = "CODE")]
    pub code: String,

    /// What the code blocks on, on one line.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,
}

/// What can be done with a handle registry.
#[derive(Debug, Subcommand)]
pub enum HandlesCommand {
    /// Propose values for `TO_PIN` handles, from the Terraform outputs of a fact document, as a unified diff.
    ///
    /// The output of a handle is named like it, in lower case. Sensitive outputs are never pinned.
    Pin(PinArguments),
}

/// Arguments of `handles pin`.
#[derive(Args, Debug)]
pub struct PinArguments {
    /// Handle registry: Markdown, JSON, YAML or TOML.
    #[arg(long, value_name = "FILE", env = "FACTGATE_REGISTRY")]
    pub registry: Option<PathBuf>,

    /// Sealed fact document with the Terraform outputs, as `collect` writes it.
    #[arg(long, value_name = "FILE", env = "FACTGATE_FACTS")]
    pub facts: Option<PathBuf>,

    /// Write the values into the registry.
    #[arg(long)]
    pub write: bool,
}

/// The published JSON Schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// The fact document.
    Facts,
    /// The verdict.
    Verdict,
    /// The configuration file, `factgate.toml`.
    Config,
    /// A file of waivers.
    Waivers,
    /// An approval file.
    Approval,
    /// METADATA of policies.
    Metadata,
}

/// Which policies.
#[derive(Args, Clone, Debug, Default)]
pub struct PolicyArguments {
    /// Folder of policies to use in place of the embedded ones.
    #[arg(long, value_name = "DIR", env = "FACTGATE_POLICIES")]
    pub policies: Option<PathBuf>,

    /// Override of a key of the pinned contract; VALUE is JSON, KEY may be dotted; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", env = "FACTGATE_CONTRACT")]
    pub contract: Vec<String>,

    /// Time that the evaluation of one package may take. A unit test may take thirty times as long.
    #[arg(long, value_name = "DURATION", env = "FACTGATE_POLICY_TIMEOUT", value_parser = positive_duration)]
    pub policy_timeout: Option<Duration>,
}

/// Which lanes.
#[derive(Args, Clone, Debug, Default)]
pub struct LaneArguments {
    /// Lane that the verdict covers (`M2.A`); may be repeated. Default: every lane of the policies.
    #[arg(long = "lane", value_name = "LANE", env = "FACTGATE_LANES", value_delimiter = ',')]
    pub lanes: Vec<String>,

    /// Folder that gets one evidence pack a lane.
    #[arg(long, value_name = "DIR", env = "FACTGATE_EVIDENCE_ROOT")]
    pub evidence_root: Option<PathBuf>,

    /// File of waivers, TOML, JSON or YAML: S2 blockers that an owner answers for until a date.
    #[arg(long, value_name = "FILE", env = "FACTGATE_WAIVERS")]
    pub waivers: Option<PathBuf>,

    /// An earlier verdict (`-o json=FILE`), or one for each document: SARIF and GitHub output then tell what is new since.
    #[arg(long, value_name = "FILE", env = "FACTGATE_BASELINE")]
    pub baseline: Option<PathBuf>,
}

/// Arguments of `eval`.
#[derive(Args, Debug)]
pub struct EvalArguments {
    /// Fact documents.
    #[arg(required = true, value_name = "FACTS")]
    pub facts: Vec<PathBuf>,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,

    /// Which lanes.
    #[command(flatten)]
    pub lanes: LaneArguments,
}

/// Arguments of `collect`.
#[derive(Args, Debug)]
pub struct CollectArguments {
    /// Where facts come from.
    #[command(flatten)]
    pub source: SourceArguments,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,
}

/// Arguments of `gate`.
#[derive(Args, Debug)]
pub struct GateArguments {
    /// Where facts come from.
    #[command(flatten)]
    pub source: SourceArguments,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,

    /// Which lanes.
    #[command(flatten)]
    pub lanes: LaneArguments,

    /// Durable mirror of the packs: `s3://bucket/prefix`, `registry` (where its handles say), or `off`.
    #[arg(long, value_name = "MIRROR", env = "FACTGATE_MIRROR")]
    pub mirror: Option<MirrorTarget>,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct VerifyArguments {
    /// Evidence packs: folders, or `s3://bucket/prefix/m2a_…/`.
    #[arg(required = true, value_name = "PACK")]
    pub packs: Vec<PathBuf>,

    /// AWS region of the mirror; default: the AWS configuration's.
    #[arg(long, value_name = "REGION", env = "FACTGATE_REGION")]
    pub region: Option<String>,

    /// Endpoint of every AWS service, for emulators.
    #[arg(long, value_name = "URL", env = "FACTGATE_ENDPOINT_URL", value_parser = endpoint)]
    pub endpoint_url: Option<String>,
}

/// Arguments of `rehearse`.
#[derive(Args, Debug)]
pub struct RehearseArguments {
    /// Stack to destroy and recover (`data_ml`); may be repeated. Exactly those that the approval names.
    #[arg(long, value_name = "STACK", value_delimiter = ',', required_unless_present = "resume")]
    pub scope: Vec<String>,

    /// Recover what an interrupted rehearsal destroyed, and finish it; its scope and approval stand in its journal.
    #[arg(long, conflicts_with = "scope")]
    pub resume: bool,

    /// Where facts come from.
    #[command(flatten)]
    pub source: SourceArguments,

    /// Which policies.
    #[command(flatten)]
    pub policy: PolicyArguments,
}
