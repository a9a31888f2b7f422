//! Handles, folders and backend blocks.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::fake::{World, outcome};
use crate::fact::{Receipt, TerraformMode};

#[test]
fn receipts_tell_arguments_version_and_place_without_the_random_folder() {
    let collected = World::new().collect();
    let Receipt::Terraform { arguments, directory, terraform_version, .. } = &collected.receipts["terraform.plan/core"]
    else {
        panic!("a receipt of terraform");
    };
    let expected = "plan -input=false -no-color -detailed-exitcode -lock-timeout=60s -out=<scratch>/plan.tfplan";
    assert_eq!(arguments.join(" "), expected);
    assert_eq!((directory.as_str(), terraform_version.as_deref()), ("infra/core", Some("9.9.9")));
    let Receipt::Terraform { arguments, .. } = &collected.receipts["terraform.init/data_ml"] else {
        panic!("a receipt")
    };
    let expected = "init -input=false -no-color -reconfigure -backend-config=bucket=state-bucket \
                    -backend-config=key=dev/data_ml.tfstate -backend-config=region=eu-west-2 \
                    -backend-config=dynamodb_table=lock-table";
    assert_eq!(arguments.join(" "), expected);
    assert!(
        matches!(&collected.receipts["file.directory/ops"], Receipt::File { path, digest: Some(_), .. } if path == "infra/ops")
    );
    assert!(
        matches!(&collected.receipts["file.backend/ops"], Receipt::File { path, .. } if path == "infra/ops/backend.tf")
    );
}

#[test]
fn terraform_off_reads_the_files_and_runs_nothing() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Off;
    let core = world.core();
    assert_eq!((outcome(&core.directory).0, outcome(&core.backend).0), ("present", "present"));
    assert_eq!(outcome(&core.init), ("not_collected", "terraform is off in this run"));
    assert!(!world.has("calls"));
}

#[test]
fn an_unpinned_handle_is_named() {
    let mut world = World::new();
    world.pin("TF_STACK_CORE_DIR", "TO_PIN");
    world.handles.remove("TF_STACK_STREAMING_DIR");
    world.pin("TF_STATE_KEY_RUNTIME", "TO_PIN");
    world.pin("TF_STATE_KEY_OPS", " ");
    let stacks = world.collect().terraform.stacks;
    let reasons = [
        outcome(&stacks["core"].directory),
        outcome(&stacks["streaming"].directory),
        outcome(&stacks["runtime"].init),
        outcome(&stacks["ops"].init),
    ];
    let expected = [
        "handle TF_STACK_CORE_DIR is not pinned (TO_PIN)",
        "handle TF_STACK_STREAMING_DIR is not pinned",
        "handle TF_STATE_KEY_RUNTIME is not pinned (TO_PIN)",
        "handle TF_STATE_KEY_OPS is not a text",
    ];
    assert_eq!(reasons, expected.map(|reason| ("not_collected", reason)));
}

#[test]
fn a_folder_is_absent_empty_or_refused() {
    let mut world = World::new();
    let outside = tempfile::tempdir().expect("a folder");
    fs::remove_dir_all(world.folder("core")).expect("removed");
    world.pin("TF_STACK_STREAMING_DIR", "infra/streaming/backend.tf");
    world.pin("TF_STACK_RUNTIME_DIR", outside.path().to_str().expect("text"));
    symlink(outside.path(), world.root().join("link")).expect("a link");
    world.pin("TF_STACK_DATA_ML_DIR", "link");
    fs::remove_file(world.folder("ops").join("backend.tf")).expect("removed");
    fs::write(world.folder("ops").join("backend.hcl"), "bucket = \"b\"").expect("a file");
    let stacks = world.collect().terraform.stacks;
    assert_eq!(outcome(&stacks["core"].directory), ("absent", "NoSuchDirectory"));
    assert_eq!(outcome(&stacks["streaming"].directory), ("absent", "NotADirectory"));
    assert_eq!(outcome(&stacks["runtime"].directory), ("unreadable", "OutsideTerraformRoot"));
    assert_eq!(outcome(&stacks["data_ml"].directory), ("unreadable", "OutsideTerraformRoot"));
    assert!(stacks["ops"].directory.value().expect("present").files.is_empty());
    assert_eq!(outcome(&stacks["ops"].backend), ("absent", "NoBackendBlock"));
    assert_eq!(outcome(&stacks["ops"].init), ("not_collected", "the stack declares no backend"));
}

#[test]
fn a_folder_can_be_named_by_its_whole_path() {
    let mut world = World::new();
    let whole = world.folder("core").canonicalize().expect("a path");
    world.pin("TF_STACK_CORE_DIR", whole.to_str().expect("text"));
    assert_eq!(world.core().directory.value().expect("present").path, "infra/core");
}

#[test]
fn another_backend_than_s3_is_not_initialised() {
    let world = World::new();
    fs::write(world.folder("core").join("backend.tf"), "terraform {\n  backend \"local\" {}\n}\n").expect("a file");
    let core = world.core();
    assert_eq!(outcome(&core.init), ("not_collected", "the stack's backend is `local`, not `s3`"));
    assert!(world.calls("core").is_empty());
}

#[test]
fn a_malformed_backend_is_unreadable_and_terraform_has_its_say() {
    let world = World::new();
    fs::write(world.folder("core").join("more.tf"), "terraform {\n").expect("a file");
    let core = world.core();
    assert_eq!(outcome(&core.backend), ("unreadable", "MalformedBackend"));
    assert_eq!(outcome(&core.init).0, "present");
}

#[test]
fn a_credential_in_a_backend_block_is_a_fingerprint() {
    let world = World::new();
    let text = "terraform {\n  backend \"s3\" {\n    secret_key = \"abcd\"\n  }\n}\n";
    fs::write(world.folder("core").join("backend.tf"), text).expect("a file");
    let backend = world.core().backend;
    assert_eq!(backend.value().expect("present").declared["secret_key"], json!(world.redactor.fingerprint("abcd")));
}

#[test]
fn a_root_that_is_not_there_is_an_observation() {
    let mut world = World::new();
    world.options.root = world.root().join("gone");
    let core = world.core();
    assert_eq!(outcome(&core.directory), ("unreadable", "TerraformRootUnreadable"));
    assert_eq!(outcome(&core.init).0, "not_collected");
}
