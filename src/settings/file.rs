//! `factgate.toml`: its keys, what they must be, and how arguments go before them.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use factgate_collector::location::Location;
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{endpoint, positive_duration};
use super::{LaneSettings, PinSettings, PolicySettings, SettingsError, SourceSettings, VerifySettings};
use crate::cli::{LaneArguments, PinArguments, PolicyArguments, SourceArguments, TerraformMode, VerifyArguments};
use crate::evidence::mirror::MirrorTarget;
use crate::output::OutputTarget;
use crate::suggestion::did_you_mean;

/// The name that is looked for in the current folder.
const FILE_NAME: &str = "factgate.toml";

const NAME_THE_REGISTRY: &str =
    "name the registry file with --registry, FACTGATE_REGISTRY or `registry` in factgate.toml";

/// Seconds that the evaluation of one package may take by default: a thousand times what the shipped policies need.
const DEFAULT_POLICY_TIMEOUT: u64 = 10;

/// The contents of `factgate.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileSettings {
    /// Where results go: `table`, `json`, `markdown` and so on, or `FORMAT=PATH`.
    output: Vec<String>,
    /// Folder of policies to use in place of the embedded ones.
    policies: Option<PathBuf>,
    /// Time that the evaluation of one package may take: `10s`.
    policy_timeout: Option<String>,
    /// Lanes that the verdict covers (`M2.A`); every lane if there are none.
    lanes: Vec<String>,
    /// Folder that gets one evidence pack a lane.
    evidence_root: Option<PathBuf>,
    /// File of waivers.
    waivers: Option<PathBuf>,
    /// An earlier verdict: SARIF and GitHub output then tell what is new since.
    baseline: Option<PathBuf>,
    /// Durable mirror of the packs: `s3://bucket/prefix`, `registry` or `off`.
    mirror: Option<String>,
    /// Handle registry: Markdown, JSON, YAML or TOML.
    registry: Option<PathBuf>,
    /// Folder that the registry's `TF_STACK_*_DIR` are relative to.
    terraform_root: Option<PathBuf>,
    /// What Terraform may do: `plan` reads only, `apply` also applies a plan that has changes, `off` does not run it.
    terraform: Option<TerraformMode>,
    /// The Terraform binary.
    terraform_binary: Option<PathBuf>,
    /// Time that one Terraform command may take: `15m`.
    terraform_timeout: Option<String>,
    /// AWS region; without it the registry's `AWS_REGION`, else the AWS configuration's.
    region: Option<String>,
    /// Endpoint of every AWS service, for emulators.
    endpoint_url: Option<String>,
    /// Time that one attempt of one AWS call may take: `30s`.
    call_timeout: Option<String>,
    /// How often an AWS call is tried.
    max_attempts: Option<NonZeroU32>,
    /// How many calls to one AWS service may be under way at once.
    concurrency: Option<NonZeroUsize>,
    /// Time that the whole collection may take: `30m`.
    deadline: Option<String>,
    /// Folder that keeps raw answers and logs by their sha256.
    raw: Option<PathBuf>,
    /// Approval files.
    approvals: Vec<PathBuf>,
    /// Sealed fact document of a rehearsal, whose outcome becomes part of a run's facts.
    rehearsal: Option<PathBuf>,
    /// Where the fact document goes.
    facts: Option<PathBuf>,
    /// Overrides of the pinned contract, of what the policies leave to settings.
    contract: serde_json::Map<String, serde_json::Value>,
}

/// Every key of the file; the test below holds it to [`FileSettings`].
const KEYS: [&str; 24] = [
    "output",
    "policies",
    "policy_timeout",
    "lanes",
    "evidence_root",
    "waivers",
    "baseline",
    "mirror",
    "registry",
    "terraform_root",
    "terraform",
    "terraform_binary",
    "terraform_timeout",
    "region",
    "endpoint_url",
    "call_timeout",
    "max_attempts",
    "concurrency",
    "deadline",
    "raw",
    "approvals",
    "rehearsal",
    "facts",
    "contract",
];

impl FileSettings {
    /// Reads the file that `--config` names, or `factgate.toml` of the current folder if there is one.
    ///
    /// # Errors
    ///
    /// If a named file is missing, or a file does not parse, has an unknown key or a value of the wrong kind.
    pub fn read(named: Option<&Path>) -> Result<Self, SettingsError> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => {
                let path = PathBuf::from(FILE_NAME);
                match path.try_exists() {
                    Ok(false) => return Ok(Self::default()),
                    Ok(true) => path,
                    Err(source) => return Err(SettingsError::Read { path, source }),
                }
            }
        };
        let text =
            std::fs::read_to_string(&path).map_err(|source| SettingsError::Read { path: path.clone(), source })?;
        let mut settings = Self::parse(&path, &text)?;
        settings.anchor(path.parent().unwrap_or(Path::new("")));
        Ok(settings)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let invalid = |span: Option<std::ops::Range<usize>>, message: String, help: String| {
            let offset = span.map_or(0, |span| span.start);
            let location = Location::of_offset(&path.display().to_string(), text, offset);
            SettingsError::Invalid { location, message, help }
        };
        let settings: Self = toml::from_str(text).map_err(|error| {
            let message = error.message().trim().to_owned();
            let help = unknown_key(&message).map_or_else(
                || "compare the file with the settings listed by `factgate gate --help`".to_owned(),
                |key| did_you_mean(key, KEYS).unwrap_or_else(|| format!("the known keys are {}", KEYS.join(", "))),
            );
            let message = unknown_key(&message).map_or(message.clone(), |key| format!("unknown key `{key}`"));
            invalid(error.span(), message, help)
        })?;
        let wrong = |value: &str, message: String, help: &str| {
            let start = text.find(value).unwrap_or(0);
            Err(invalid(Some(start..start), message, help.to_owned()))
        };
        for (key, value) in [
            ("policy_timeout", &settings.policy_timeout),
            ("terraform_timeout", &settings.terraform_timeout),
            ("call_timeout", &settings.call_timeout),
            ("deadline", &settings.deadline),
        ] {
            if let Some(value) = value
                && let Err(error) = positive_duration(value)
            {
                let message = format!("`{key}` is not a duration: {error}");
                return wrong(value, message, "write a number and a unit, such as \"90s\" or \"15m\"");
            }
        }
        if let Some(url) = &settings.endpoint_url
            && let Err(error) = endpoint(url)
        {
            let message = format!("`endpoint_url` is not a URL: {error}");
            return wrong(url, message, "write an absolute URL, such as \"http://127.0.0.1:5000\"");
        }
        for target in &settings.output {
            if let Err(error) = target.parse::<OutputTarget>() {
                let message = format!("`output`: {error}");
                return wrong(target, message, "write FORMAT or FORMAT=PATH, such as \"json=verdict.json\"");
            }
        }
        if let Some(mirror) = &settings.mirror
            && let Err(error) = mirror.parse::<MirrorTarget>()
        {
            let message = format!("`mirror`: {error}");
            return wrong(mirror, message, "the mirror is \"s3://bucket/prefix\", \"registry\" or \"off\"");
        }
        Ok(settings)
    }

    /// Makes relative paths relative to the file's folder.
    fn anchor(&mut self, folder: &Path) {
        for path in [
            &mut self.policies,
            &mut self.evidence_root,
            &mut self.waivers,
            &mut self.baseline,
            &mut self.registry,
            &mut self.terraform_root,
            &mut self.raw,
            &mut self.rehearsal,
            &mut self.facts,
        ]
        .into_iter()
        .flatten()
        .chain(&mut self.approvals)
        {
            *path = folder.join(&path);
        }
    }

    /// Where results go: the command line's targets, else the file's, else a table on standard output.
    ///
    /// # Errors
    ///
    /// If two results go to one place, where neither could be read.
    pub fn outputs(&self, given: Vec<OutputTarget>) -> Result<Vec<OutputTarget>, SettingsError> {
        let targets: Vec<OutputTarget> = if given.is_empty() {
            self.output.iter().filter_map(|target| target.parse().ok()).collect()
        } else {
            given
        };
        let mut places = BTreeSet::new();
        if let Some(twice) =
            targets.iter().find(|target| !places.insert(target.path.as_deref().map(factgate_collector::file::target)))
        {
            let place = twice.path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
            return Err(SettingsError::SharedTarget(place));
        }
        Ok(if targets.is_empty() { vec![OutputTarget::default()] } else { targets })
    }

    /// The policies' settings.
    ///
    /// # Errors
    ///
    /// If a `--contract` argument is malformed.
    pub fn policy(&self, given: PolicyArguments) -> Result<PolicySettings, SettingsError> {
        let mut contract = self.contract.clone();
        for argument in &given.contract {
            override_contract(&mut contract, argument)?;
        }
        Ok(PolicySettings {
            folder: given.policies.or_else(|| self.policies.clone()),
            timeout: duration(given.policy_timeout, self.policy_timeout.as_deref(), DEFAULT_POLICY_TIMEOUT),
            contract,
        })
    }

    /// The lanes' settings.
    pub fn lanes(&self, given: LaneArguments) -> LaneSettings {
        LaneSettings {
            lanes: if given.lanes.is_empty() { self.lanes.clone() } else { given.lanes },
            evidence_root: given.evidence_root.or_else(|| self.evidence_root.clone()),
            waivers: given.waivers.or_else(|| self.waivers.clone()),
            baseline: given.baseline.or_else(|| self.baseline.clone()),
        }
    }

    /// Where packs are mirrored: nowhere unless something is said.
    pub fn mirror(&self, given: Option<MirrorTarget>) -> MirrorTarget {
        given.or_else(|| self.mirror.as_ref().and_then(|mirror| mirror.parse().ok())).unwrap_or_default()
    }

    /// The packs to verify, and how the mirror is reached.
    pub fn verify(&self, given: VerifyArguments) -> VerifySettings {
        VerifySettings {
            packs: given.packs,
            region: given.region.or_else(|| self.region.clone()),
            endpoint_url: given.endpoint_url.or_else(|| self.endpoint_url.clone()),
        }
    }

    /// The handle registry, if one is given.
    pub fn registry(&self, given: Option<PathBuf>) -> Option<PathBuf> {
        given.or_else(|| self.registry.clone())
    }

    /// The settings of `handles pin`.
    ///
    /// # Errors
    ///
    /// If no registry or no fact document is given.
    pub fn pin(&self, given: PinArguments) -> Result<PinSettings, SettingsError> {
        Ok(PinSettings {
            registry: self
                .registry(given.registry)
                .ok_or(SettingsError::Missing("handle registry", NAME_THE_REGISTRY))?,
            facts: given.facts.or_else(|| self.facts.clone()).ok_or(SettingsError::Missing(
                "fact document",
                "name one that `factgate collect` wrote with --facts, FACTGATE_FACTS or `facts` in factgate.toml",
            ))?,
            write: given.write,
        })
    }

    /// The collection's settings.
    ///
    /// # Errors
    ///
    /// If no registry is given.
    pub fn source(&self, given: SourceArguments) -> Result<SourceSettings, SettingsError> {
        Ok(SourceSettings {
            registry: self
                .registry(given.registry)
                .ok_or(SettingsError::Missing("handle registry", NAME_THE_REGISTRY))?,
            terraform_root: given
                .terraform_root
                .or_else(|| self.terraform_root.clone())
                .unwrap_or_else(|| PathBuf::from(".")),
            terraform: given.terraform.or(self.terraform).unwrap_or(TerraformMode::Plan),
            terraform_binary: given
                .terraform_binary
                .or_else(|| self.terraform_binary.clone())
                .unwrap_or_else(|| PathBuf::from("terraform")),
            terraform_timeout: duration(given.terraform_timeout, self.terraform_timeout.as_deref(), 600),
            region: given.region.or_else(|| self.region.clone()),
            endpoint_url: given.endpoint_url.or_else(|| self.endpoint_url.clone()),
            call_timeout: duration(given.call_timeout, self.call_timeout.as_deref(), 10),
            max_attempts: given.max_attempts.or(self.max_attempts).map_or(4, NonZeroU32::get),
            concurrency: given.concurrency.or(self.concurrency).map_or(8, NonZeroUsize::get),
            deadline: duration(given.deadline, self.deadline.as_deref(), 1800),
            raw: given.raw.or_else(|| self.raw.clone()),
            approvals: if given.approvals.is_empty() { self.approvals.clone() } else { given.approvals },
            rehearsal: given.rehearsal.or_else(|| self.rehearsal.clone()),
            facts: given.facts.or_else(|| self.facts.clone()),
        })
    }
}

fn duration(given: Option<Duration>, file: Option<&str>, default_seconds: u64) -> Duration {
    given.or_else(|| file.and_then(|text| positive_duration(text).ok())).unwrap_or(Duration::from_secs(default_seconds))
}

fn override_contract(
    contract: &mut serde_json::Map<String, serde_json::Value>,
    argument: &str,
) -> Result<(), SettingsError> {
    let malformed = |help: &str| SettingsError::Contract { argument: argument.to_owned(), help: help.to_owned() };
    let (key, value) = argument
        .split_once('=')
        .ok_or_else(|| malformed("write it as key=value, for example anchor_schema=\"name\""))?;
    let value = serde_json::from_str(value)
        .map_err(|_| malformed("the value must be JSON: quote text, as in anchor_schema=\"name\""))?;
    let mut steps: Vec<&str> = key.split('.').collect();
    let last = steps.pop().unwrap_or(key);
    let mut place = contract;
    for step in steps {
        place = place
            .entry(step)
            .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()))
            .as_object_mut()
            .ok_or_else(|| malformed("a step of the dotted key is a plain value, not a table"))?;
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

/// The key that a message of the TOML deserializer calls unknown.
fn unknown_key(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split('`').next()
}

#[cfg(test)]
mod tests {
    use factgate_collector::help::Help as _;

    use super::*;

    fn error(text: &str) -> SettingsError {
        FileSettings::parse(Path::new("factgate.toml"), text).unwrap_err()
    }

    #[test]
    fn unknown_keys_are_errors_with_line_and_suggestion() {
        let error = error("region = \"eu-west-2\"\nterraform_rot = \".\"\n");
        assert_eq!(error.to_string(), "factgate.toml:2:1: unknown key `terraform_rot`");
        assert_eq!(error.help().as_deref(), Some("did you mean `terraform_root`?"));
    }

    #[test]
    fn durations_need_a_unit() {
        let error = error("deadline = \"15\"\n");
        assert!(error.to_string().starts_with("factgate.toml:1:13: `deadline` is not a duration"), "{error}");
        assert!(error.help().unwrap().contains("15m"));
    }

    #[test]
    fn limits_that_allow_nothing_are_errors() {
        for text in ["max_attempts = 0", "concurrency = 0", "call_timeout = \"0s\"", "endpoint_url = \"localhost\""] {
            assert!(error(text).to_string().starts_with("factgate.toml:1:"), "{text}");
        }
    }

    #[test]
    fn a_mirror_of_another_kind_is_an_error() {
        let error = error("\nmirror = \"http://bucket\"\n");
        assert!(error.to_string().starts_with("factgate.toml:2:11: `mirror`: "), "{error}");
        assert!(error.help().unwrap().contains("registry"));
    }

    #[test]
    fn unknown_output_formats_are_errors() {
        assert!(error("output = [\"tabel\"]\n").to_string().contains("tabel"));
    }

    #[test]
    fn two_outputs_never_share_a_place() {
        let outputs = |given: &[&str]| {
            FileSettings::default().outputs(given.iter().map(|target| target.parse().unwrap()).collect())
        };
        assert!(outputs(&["table", "json=a", "markdown=b"]).is_ok());
        assert!(outputs(&["table", "json"]).unwrap_err().help().unwrap().contains("FORMAT=PATH"));
        assert!(outputs(&["json=a", "markdown=a"]).unwrap_err().to_string().contains('a'));
        assert_eq!(outputs(&[]).unwrap(), [OutputTarget::default()]);
    }

    #[test]
    fn every_listed_key_is_accepted_and_no_other() {
        for key in KEYS {
            let text = match key {
                "output" | "lanes" | "approvals" => format!("{key} = []"),
                "contract" => "[contract]".to_owned(),
                "max_attempts" | "concurrency" => format!("{key} = 1"),
                "terraform" => format!("{key} = \"plan\""),
                "mirror" => format!("{key} = \"registry\""),
                "endpoint_url" => format!("{key} = \"http://127.0.0.1\""),
                _ => format!("{key} = \"1s\""),
            };
            assert!(FileSettings::parse(Path::new("f"), &text).is_ok(), "{key}");
        }
    }

    #[test]
    fn command_line_wins_over_file() {
        let file = FileSettings::parse(Path::new("f"), "registry = \"file.md\"\nregion = \"eu-west-1\"").unwrap();
        let given = SourceArguments { region: Some("eu-west-2".to_owned()), ..SourceArguments::default() };
        let source = file.source(given).unwrap();
        assert_eq!(source.region.as_deref(), Some("eu-west-2"));
        assert_eq!(source.registry, PathBuf::from("file.md"));
    }

    #[test]
    fn contract_overrides_are_json_under_dotted_keys() {
        let file = FileSettings::parse(Path::new("f"), "[contract]\nanchor = \"one\"").unwrap();
        let given = PolicyArguments { contract: vec!["limits.age=3".to_owned()], ..PolicyArguments::default() };
        let policy = file.policy(given).unwrap();
        assert_eq!(
            serde_json::Value::Object(policy.contract),
            serde_json::json!({"anchor": "one", "limits": {"age": 3}})
        );
        let given = PolicyArguments { contract: vec!["anchor=two".to_owned()], ..PolicyArguments::default() };
        assert!(file.policy(given).unwrap_err().help().unwrap().contains("JSON"));
    }
}
