//! One test's world: an AWS account, a Terraform root, a registry, and an environment that knows nothing else.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;

use assert_cmd::Command;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::emulator::Emulator;
use super::{approvals, factgate, registry, terraform, tools};

/// Passed on from the outside: where programs and temporary files are, and what a download of the provider may need.
const INHERITED: [&str; 9] = [
    "PATH",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
];

/// A world; everything in it is gone when it is dropped.
pub(crate) struct World {
    /// The account.
    pub(crate) aws: Emulator,
    folder: TempDir,
}

impl World {
    /// Nothing exists in the account, not even the state bucket; the registry is the sample.
    pub(crate) fn empty() -> Self {
        Self::around(Emulator::empty(), &registry::sample())
    }

    /// The state bucket and the lock table exist as the registry pins them; no stack has been applied.
    pub(crate) fn bootstrapped() -> Self {
        let world = Self::empty();
        let bucket = "fraud-platform-dev-full-tfstate";
        let s3 = |operation: &str, name: &str, value: Value| {
            world.aws.hand("s3", operation, json!({"Bucket": bucket, name: value}));
        };
        s3("CreateBucket", "CreateBucketConfiguration", json!({"LocationConstraint": "eu-west-2"}));
        s3("PutBucketVersioning", "VersioningConfiguration", json!({"Status": "Enabled"}));
        let by_default = json!({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}});
        s3("PutBucketEncryption", "ServerSideEncryptionConfiguration", json!({"Rules": [by_default]}));
        let blocked = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
        let blocked: Map<String, Value> = blocked.into_iter().map(|flag| (flag.to_owned(), json!(true))).collect();
        s3("PutPublicAccessBlock", "PublicAccessBlockConfiguration", Value::Object(blocked));
        let table = json!({
            "TableName": "fraud-platform-dev-full-tf-locks",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
        });
        world.aws.hand("dynamodb", "CreateTable", table);
        world
    }

    /// All five stacks are applied, the registry's handles are pinned to their outputs, and neither rule nor call is left
    /// over: the world in which the lanes should pass.
    pub(crate) fn applied() -> Self {
        // Made once, which takes Terraform a minute or two; every test then works in a copy, which takes milliseconds.
        static APPLIED: LazyLock<(Emulator, String)> = LazyLock::new(|| {
            let world = World::bootstrapped();
            let mut outputs = Map::new();
            for stack in terraform::STACKS {
                terraform::apply(&world, stack);
                outputs.extend(terraform::outputs(&world, stack));
            }
            world.aws.clear_log();
            // The folder goes, the account stays: its state bucket holds all that Terraform remembers.
            (world.aws, registry::pin_handles(&registry::sample(), &outputs))
        });
        Self::around(APPLIED.0.fork(), &APPLIED.1)
    }

    /// An applied world in which `data_ml` and `ops` have been destroyed and recovered, with the sealed document of that rehearsal
    /// (`rehearsal.json`) and the operator's approvals: the world in which every lane should pass.
    pub(crate) fn rehearsed() -> Self {
        static REHEARSED: LazyLock<(Emulator, String, String)> = LazyLock::new(|| {
            let world = World::applied();
            approvals::write_all(&world);
            let run = factgate::run_in(
                &world,
                [
                    "rehearse",
                    "--scope",
                    "data_ml,ops",
                    "--approval",
                    "rehearsal.toml",
                    "--registry",
                    "dev_full.registry.md",
                    "--terraform-root",
                    "terraform",
                    "--facts",
                    "rehearsal.json",
                ],
            );
            assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
            world.aws.clear_log();
            let registry = fs::read_to_string(world.registry()).unwrap();
            let rehearsal = fs::read_to_string(world.folder().join("rehearsal.json")).unwrap();
            (world.aws, registry, rehearsal)
        });
        let world = Self::around(REHEARSED.0.fork(), &REHEARSED.1);
        fs::write(world.folder().join("rehearsal.json"), &REHEARSED.2).unwrap();
        approvals::write_all(&world);
        world
    }

    fn around(aws: Emulator, registry: &str) -> Self {
        let world = Self { aws, folder: tempfile::tempdir().unwrap() };
        fs::create_dir(world.folder().join("home")).unwrap();
        fs::write(world.folder().join("terraform.rc"), tools::terraform_configuration()).unwrap();
        terraform::copy_stacks(&world.terraform_root());
        world.set_registry(registry);
        world
    }

    /// The folder that holds the world's files, and in which programs run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A JSON file of the folder.
    pub(crate) fn json(&self, name: &str) -> Value {
        let bytes = fs::read(self.folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The folder that `TF_STACK_*_DIR` is relative to.
    pub(crate) fn terraform_root(&self) -> PathBuf {
        self.folder().join("terraform")
    }

    /// The registry's file.
    pub(crate) fn registry(&self) -> PathBuf {
        self.folder().join("dev_full.registry.md")
    }

    /// Replaces the registry.
    pub(crate) fn set_registry(&self, text: &str) {
        fs::write(self.registry(), text).unwrap();
    }

    /// Changes the registry, by `registry::set_handle` for one.
    pub(crate) fn change_registry(&self, change: impl FnOnce(&str) -> String) {
        let text = fs::read_to_string(self.registry()).unwrap();
        self.set_registry(&change(&text));
    }

    /// Gives a command this world's environment: no variable, home or credential of whoever runs the tests reaches it.
    pub(crate) fn enter<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command.env_clear().envs(self.environment())
    }

    /// Starts the program under test in this world, for a test that does not let it end.
    pub(crate) fn spawn<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_factgate"));
        command.env_clear().envs(self.environment()).args(arguments).current_dir(self.folder());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn environment(&self) -> impl Iterator<Item = (&'static str, OsString)> {
        let own = |name: &'static str, value: &dyn AsRef<OsStr>| (name, value.as_ref().to_owned());
        let own = [
            own("HOME", &self.folder().join("home")),
            own("AWS_ENDPOINT_URL", &self.aws.url()),
            own("AWS_REGION", &"eu-west-2"),
            own("AWS_ACCESS_KEY_ID", &"test"),
            own("AWS_SECRET_ACCESS_KEY", &"test"),
            own("AWS_EC2_METADATA_DISABLED", &"true"),
            own("AWS_CONFIG_FILE", &"/dev/null"),
            own("AWS_SHARED_CREDENTIALS_FILE", &"/dev/null"),
            own("TF_CLI_CONFIG_FILE", &self.folder().join("terraform.rc")),
            own("TF_INPUT", &"0"),
            own("CHECKPOINT_DISABLE", &"1"),
            // Terraform and its provider live for seconds: collecting their garbage often costs a fifth of their CPU time.
            own("GOGC", &"400"),
        ];
        INHERITED.into_iter().filter_map(|name| Some((name, env::var_os(name)?))).chain(own)
    }
}
