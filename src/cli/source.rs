//! Arguments of a collection: the registry, Terraform, AWS, and what is imported.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::settings::value::{endpoint, positive_duration};

/// Where facts come from.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceArguments {
    /// Handle registry: Markdown, JSON, YAML or TOML.
    #[arg(long, value_name = "FILE", env = "FACTGATE_REGISTRY")]
    pub registry: Option<PathBuf>,

    /// Folder that the registry's `TF_STACK_*_DIR` are relative to.
    #[arg(long, value_name = "DIR", env = "FACTGATE_TERRAFORM_ROOT")]
    pub terraform_root: Option<PathBuf>,

    /// What Terraform may do: `plan` reads only, `apply` also applies a plan that has changes, `off` does not run it.
    #[arg(long, value_enum, env = "FACTGATE_TERRAFORM")]
    pub terraform: Option<TerraformMode>,

    /// The Terraform binary.
    #[arg(long, value_name = "FILE", env = "FACTGATE_TERRAFORM_BINARY")]
    pub terraform_binary: Option<PathBuf>,

    /// Time that one Terraform command may take.
    #[arg(long, value_name = "DURATION", env = "FACTGATE_TERRAFORM_TIMEOUT", value_parser = positive_duration)]
    pub terraform_timeout: Option<Duration>,

    /// AWS region; default: the registry's `AWS_REGION`, else the AWS configuration's.
    #[arg(long, value_name = "REGION", env = "FACTGATE_REGION")]
    pub region: Option<String>,

    /// Endpoint of every AWS service, for emulators; recorded in the fact document.
    #[arg(long, value_name = "URL", env = "FACTGATE_ENDPOINT_URL", value_parser = endpoint)]
    pub endpoint_url: Option<String>,

    /// Time that one attempt of one AWS call may take.
    #[arg(long, value_name = "DURATION", env = "FACTGATE_CALL_TIMEOUT", value_parser = positive_duration)]
    pub call_timeout: Option<Duration>,

    /// How often an AWS call is tried.
    #[arg(long, value_name = "N", env = "FACTGATE_MAX_ATTEMPTS")]
    pub max_attempts: Option<NonZeroU32>,

    /// How many calls to one AWS service may be under way at once.
    #[arg(long, value_name = "N", env = "FACTGATE_CONCURRENCY")]
    pub concurrency: Option<NonZeroUsize>,

    /// Time that the whole collection may take; what is not read by then is unreadable. A Terraform that is running then gets up to
    /// two minutes more to end and to release its lock; the mirror gets as much time again.
    #[arg(long, value_name = "DURATION", env = "FACTGATE_DEADLINE", value_parser = positive_duration)]
    pub deadline: Option<Duration>,

    /// Folder that keeps raw answers and logs by their sha256, redacted where they could carry a secret.
    #[arg(long, value_name = "DIR", env = "FACTGATE_RAW")]
    pub raw: Option<PathBuf>,

    /// Approval file (TOML, JSON or YAML); may be repeated.
    #[arg(long = "approval", value_name = "FILE", env = "FACTGATE_APPROVALS", value_delimiter = ',')]
    pub approvals: Vec<PathBuf>,

    /// Sealed fact document of a rehearsal, whose outcome becomes part of this run's facts.
    #[arg(long, value_name = "DOC", env = "FACTGATE_REHEARSAL")]
    pub rehearsal: Option<PathBuf>,

    /// Where the fact document goes. Without it, `collect` writes it to standard output and `gate` beside the evidence packs.
    #[arg(long, value_name = "FILE", env = "FACTGATE_FACTS")]
    pub facts: Option<PathBuf>,
}

/// What Terraform may do in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TerraformMode {
    /// Not run.
    Off,
    /// Reads only.
    Plan,
    /// Also applies.
    Apply,
}
