//! Settings: command line over environment over `factgate.toml` over defaults.
//!
//! ```text
//! factgate.toml ─► FileSettings ─┐
//! arguments, with the environment ┴─► the settings of one command
//! ```
//!
//! One idea has one name in all three places: the key `terraform_root`, the flag `--terraform-root` and the variable
//! `FACTGATE_TERRAFORM_ROOT` are the same setting. Relative paths of the file are relative to the file.

mod file;
mod schema;
pub(crate) mod value;

use std::path::PathBuf;

use factgate_collector::help::Help;
use factgate_collector::location::Location;

use crate::cli::TerraformMode;
use crate::evidence::mirror::UnknownMirror;
use crate::output::Format;

pub use file::FileSettings;
pub use schema::{SCHEMA_ID, schema};

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{location}: {message}")]
    Invalid {
        /// Where.
        location: Location,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A `--contract` argument is not `KEY=VALUE`.
    #[error("the contract override `{argument}` is not KEY=VALUE with a JSON value")]
    Contract {
        /// The argument.
        argument: String,
        /// What to do.
        help: String,
    },
    /// An address of a pack in the mirror is none.
    #[error(transparent)]
    Mirror(#[from] UnknownMirror),
    /// Two results go to one place, or a result to that of what it rests on.
    #[error("two outputs go to {0}, or it is the fact document")]
    SharedTarget(String),
    /// A result is asked for that the command does not have.
    #[error("{0} has no result that -o could name a format of")]
    NoOutput(&'static str, &'static str),
    /// Another format is asked for than the only one.
    #[error("{0} is JSON, and nothing else")]
    OnlyJson(&'static str),
    /// A code that the policies do not have.
    #[error("there is no code `{0}`")]
    UnknownCode(String, Option<String>),
    /// A subject that a code claims nothing about.
    #[error("{0} claims nothing about `{1}`")]
    UnknownSubject(String, String, Option<String>),
    /// A folder that is not there.
    #[error("there is no folder {0}")]
    NoFolder(PathBuf, &'static str),
    /// A format in which a command has nothing to say.
    #[error("{0} has no {1} form")]
    NoFormat(&'static str, Format, &'static [Format]),
    /// A setting without which the command cannot run.
    #[error("no {0} is given")]
    Missing(&'static str, &'static str),
}

impl Help for SettingsError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "check the path given by --config or FACTGATE_CONFIG".to_owned(),
            Self::Invalid { help, .. } | Self::Contract { help, .. } => help.clone(),
            Self::Mirror(_) => "the folder of one pack in the mirror is s3://bucket/prefix/m2a_…/".to_owned(),
            Self::SharedTarget(_) => "give all but one a path of its own: -o FORMAT=PATH".to_owned(),
            Self::OnlyJson(_) => "-o json, or -o json=PATH".to_owned(),
            Self::UnknownCode(_, help) => {
                help.clone().unwrap_or_else(|| "`factgate codes` lists every code".to_owned())
            }
            Self::UnknownSubject(_, _, help) => {
                help.clone().unwrap_or_else(|| "without `--subject`, all of them are shown".to_owned())
            }
            Self::NoFormat(_, _, formats) => {
                let formats: Vec<String> = formats.iter().map(|format| format!("-o {format}")).collect();
                format!("name another format: {}", formats.join(", "))
            }
            Self::NoFolder(_, help) | Self::NoOutput(_, help) | Self::Missing(_, help) => (*help).to_owned(),
        })
    }
}

/// Which policies, and how they are run.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// Folder in place of the embedded policies.
    pub folder: Option<PathBuf>,
    /// Time that one package may take.
    pub timeout: std::time::Duration,
    /// Overrides of the pinned contract.
    pub contract: serde_json::Map<String, serde_json::Value>,
}

/// Which lanes, and where their packs go.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// Empty means every lane of the policies.
    pub lanes: Vec<String>,
    /// Where packs go.
    pub evidence_root: Option<PathBuf>,
    /// The file of waivers.
    pub waivers: Option<PathBuf>,
    /// An earlier verdict.
    pub baseline: Option<PathBuf>,
}

/// Which packs to verify, and how the mirror is reached.
#[derive(Clone, Debug)]
pub struct VerifySettings {
    /// Folders, or addresses in the mirror.
    pub packs: Vec<PathBuf>,
    /// Region override.
    pub region: Option<String>,
    /// Endpoint override.
    pub endpoint_url: Option<String>,
}

/// What is pinned, and from what.
#[derive(Clone, Debug)]
pub struct PinSettings {
    /// The handle registry.
    pub registry: PathBuf,
    /// The fact document with the outputs.
    pub facts: PathBuf,
    /// Whether the registry is written.
    pub write: bool,
}

/// Where facts come from.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The handle registry.
    pub registry: PathBuf,
    /// What `TF_STACK_*_DIR` are relative to.
    pub terraform_root: PathBuf,
    /// What Terraform may do.
    pub terraform: TerraformMode,
    /// The Terraform binary.
    pub terraform_binary: PathBuf,
    /// Time that one Terraform command may take.
    pub terraform_timeout: std::time::Duration,
    /// Region override.
    pub region: Option<String>,
    /// Endpoint override.
    pub endpoint_url: Option<String>,
    /// Time that one attempt of one AWS call may take.
    pub call_timeout: std::time::Duration,
    /// How often an AWS call is tried.
    pub max_attempts: u32,
    /// How many calls to one AWS service may be under way at once.
    pub concurrency: usize,
    /// Time that the whole collection may take.
    pub deadline: std::time::Duration,
    /// Folder for raw answers.
    pub raw: Option<PathBuf>,
    /// Approval files.
    pub approvals: Vec<PathBuf>,
    /// The sealed document of a rehearsal.
    pub rehearsal: Option<PathBuf>,
    /// Where the fact document goes.
    pub facts: Option<PathBuf>,
}
