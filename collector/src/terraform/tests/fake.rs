//! A world of five stacks and a `terraform` that is a shell script: it proves what the collector makes of answers, not what
//! Terraform answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use walkdir::WalkDir;

use super::super::{Collected, Options, STACKS, collect, directory_handle, key_handle};
use crate::fact::{Handle, Observation, ReadError, Receipt, Stack, TerraformMode};
use crate::redact::Redactor;

/// Answers each command from a file `<command>.out` beside it, with the exit code in `<command>.exit`; a `<command>.sh` is run
/// first. Records its calls in `calls`.
const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")
stack=$(basename "$PWD")
echo "$stack $*" >> "$here/calls"
for argument; do
  case "$argument" in -out=*) echo "plan of $stack" > "${argument#-out=}" ;; esac
done
[ "$1" = init ] && echo '{"backend":{"type":"s3","config":{"bucket":"b","encrypt":true,"profile":null}}}' > "$TF_DATA_DIR/terraform.tfstate"
[ "$1" = init ] && touch .terraform.lock.hcl
[ -f "$here/$1.sh" ] && . "$here/$1.sh"
[ -f "$here/$1.err" ] && cat "$here/$1.err" >&2
cat "$here/$1.out"
exit "$(cat "$here/$1.exit" 2>/dev/null || echo 0)"
"#;

pub(super) struct World {
    root: TempDir,
    tool: TempDir,
    pub(super) handles: BTreeMap<String, Handle>,
    pub(super) options: Options,
    pub(super) redactor: Redactor,
}

impl World {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let tool = tempfile::tempdir().expect("a folder");
        let mut handles = BTreeMap::new();
        let mut pin = |name: String, value: String| {
            handles.insert(
                name,
                Handle {
                    value: Value::String(value),
                    line: 1,
                    repeated_on: Vec::new(),
                    resolved_through: Vec::new(),
                    expected_tag_value: None,
                },
            );
        };
        pin("TF_STATE_BUCKET".into(), "state-bucket".into());
        pin("TF_STATE_BUCKET_REGION".into(), "eu-west-2".into());
        pin("TF_LOCK_TABLE".into(), "lock-table".into());
        for stack in STACKS {
            pin(directory_handle(stack), format!("infra/{stack}"));
            pin(key_handle(stack), format!("dev/{stack}.tfstate"));
            let folder = root.path().join("infra").join(stack);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("backend.tf"), "terraform {\n  backend \"s3\" {\n    encrypt = true\n  }\n}\n")
                .expect("a file");
        }
        let mut options = Options::new(root.path(), TerraformMode::Plan, Instant::now() + Duration::from_mins(5));
        options.binary = tool.path().join("terraform");
        options.interrupt_grace = Duration::from_secs(5);
        options.materialize.insert("core".to_owned());
        let world = Self { root, tool, handles, options, redactor: Redactor::new().expect("randomness") };
        // Written by another process: a file that this one had open for writing could not be executed while another test forks.
        world.put("script", SCRIPT);
        let made = Command::new("sh")
            .args(["-c", "cp script terraform && chmod +x terraform"])
            .current_dir(world.tool.path())
            .status();
        assert!(made.expect("a shell").success());
        world.put("version.out", r#"{"terraform_version": "9.9.9"}"#);
        world.put("init.out", "initialised\n");
        world.put("validate.out", r#"{"valid": true, "diagnostics": []}"#);
        world.put("plan.out", "nothing to do\n");
        world.put("show.out", r#"{"format_version": "1.2"}"#);
        world.put("apply.out", "applied\n");
        world.put("output.out", "{}");
        world.answer(
            "state",
            &json!({
                "serial": 3, "lineage": "l", "terraform_version": "9.9.9", "outputs": {}, "resources": [],
            }),
        );
        world
    }

    /// Writes a file beside the binary.
    pub(super) fn put(&self, name: &str, text: &str) {
        fs::write(self.tool.path().join(name), text).expect("a file");
    }

    pub(super) fn answer(&self, command: &str, answer: &Value) {
        self.put(&format!("{command}.out"), &answer.to_string());
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tool.path().join(name).exists()
    }

    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(super) fn folder(&self, stack: &str) -> PathBuf {
        self.root.path().join("infra").join(stack)
    }

    pub(super) fn pin(&mut self, name: &str, value: &str) {
        self.handles.get_mut(name).expect("a handle").value = json!(value);
    }

    /// The calls of a stack's commands, without those for all stacks.
    pub(super) fn calls(&self, stack: &str) -> Vec<String> {
        let calls = fs::read_to_string(self.tool.path().join("calls")).unwrap_or_default();
        let calls = calls.lines().filter_map(|call| call.strip_prefix(&format!("{stack} ")));
        calls.map(|call| call.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    pub(super) fn collect(&self) -> Collected {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(collect(&self.handles, &self.options, &self.redactor, &|_| {}))
    }

    pub(super) fn core(&self) -> Stack {
        self.collect().terraform.stacks["core"].clone()
    }

    /// Every entry below the root with its time and content.
    pub(super) fn tree(&self) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
        WalkDir::new(self.root.path())
            .into_iter()
            .map(|entry| {
                let entry = entry.expect("an entry");
                let modified = entry.metadata().expect("metadata").modified().expect("a time");
                (entry.path().to_owned(), (modified, fs::read(entry.path()).unwrap_or_default()))
            })
            .collect()
    }
}

/// The status and what explains it: a code, a reason, or nothing.
pub(super) fn outcome<T>(observation: &Observation<T>) -> (&'static str, &str) {
    match observation {
        Observation::Present { .. } => ("present", ""),
        Observation::Absent { error, .. } => ("absent", &error.code),
        Observation::Unreadable { error, .. } => ("unreadable", &error.code),
        Observation::NotCollected { reason } => ("not_collected", reason),
    }
}

pub(super) fn error<T>(observation: &Observation<T>) -> &ReadError {
    match observation {
        Observation::Absent { error, .. } | Observation::Unreadable { error, .. } => error,
        Observation::Present { .. } | Observation::NotCollected { .. } => panic!("there is no error"),
    }
}

/// Every run of the binary: its key, its exit code, and whether its log was kept.
pub(super) fn commands(collected: &Collected) -> Vec<(&str, Option<i32>, bool)> {
    let kept: Vec<&str> = collected.raw.iter().map(|(digest, _)| digest.as_str()).collect();
    let commands = collected.receipts.iter().filter_map(|(key, receipt)| match receipt {
        Receipt::Terraform { exit_code, log_digest, .. } => {
            Some((key.as_str(), *exit_code, kept.contains(&log_digest.as_str())))
        }
        _ => None,
    });
    commands.collect()
}
