mod fake;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use self::fake::{World, error, outcome};
use super::{Collected, Event, Options, Progress, STACKS, collect};
use crate::fact::{ReadErrorKind, Receipt, TerraformMode};

const CHANGES: &str = r#"{"format_version": "1.2", "resource_changes":
    [{"address": "t.a", "type": "t", "change": {"actions": ["create"]}}]}"#;

fn digests(collected: &Collected) -> Vec<(&str, Option<i32>, bool)> {
    let kept: Vec<&str> = collected.raw.iter().map(|(digest, _)| digest.as_str()).collect();
    let commands = collected.receipts.iter().filter_map(|(key, receipt)| match receipt {
        Receipt::Terraform { exit_code, log_digest, .. } => {
            Some((key.as_str(), *exit_code, kept.contains(&log_digest.as_str())))
        }
        _ => None,
    });
    commands.collect()
}

#[test]
fn a_clean_stack_gives_every_fact_and_is_left_as_it_was() {
    let world = World::new();
    world.answer("output", &json!({"name": {"sensitive": false, "type": "string", "value": "x"}}));
    let before = world.tree();
    let collected = world.collect();
    assert_eq!(world.tree(), before);
    assert_eq!(collected.terraform.stacks.len(), STACKS.len());

    let core = &collected.terraform.stacks["core"];
    let directory = core.directory.value().expect("present");
    assert_eq!((directory.path.as_str(), directory.files.as_slice()), ("infra/core", &["backend.tf".to_owned()][..]));
    let backend = core.backend.value().expect("present");
    assert_eq!((backend.kind.as_str(), backend.declared_at.as_str()), ("s3", "infra/core/backend.tf:2"));
    assert_eq!(
        json!([backend.declared, backend.effective]),
        json!([{"encrypt": true}, {"bucket": "b", "encrypt": true}])
    );
    let init = core.init.value().expect("present");
    assert_eq!((init.exit_code, init.log.as_str()), (0, "initialised\n"));
    assert!(core.validate.value().expect("present").valid);
    let plan = core.plan.value().expect("present");
    assert_eq!((plan.exit_code, plan.log.as_str(), plan.resource_changes.len()), (0, "nothing to do\n", 0));
    assert_eq!(outcome(&core.apply), ("not_collected", "terraform may only plan in this run"));
    assert_eq!(outcome(&core.post_apply_plan), ("not_collected", "terraform may only plan in this run"));
    assert_eq!(core.outputs.value().expect("present").values["name"].value, json!("x"));
    assert_eq!(core.state.value().expect("present").serial, 3);
    let expected = ["init", "output", "plan", "show", "state", "validate"];
    let core: Vec<_> = digests(&collected).into_iter().filter(|(key, ..)| key.ends_with("/core")).collect();
    assert_eq!(
        core,
        expected
            .map(|command| (format!("terraform.{command}/core"), Some(0), true))
            .each_ref()
            .map(|(key, exit_code, is_kept)| (key.as_str(), *exit_code, *is_kept))
    );
}

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
fn a_stack_that_is_not_in_scope_is_only_initialised() {
    let world = World::new();
    let collected = world.collect();
    let ops = &collected.terraform.stacks["ops"];
    assert_eq!(outcome(&ops.init).0, "present");
    let reason = ("not_collected", "stack ops is only initialised in this run");
    assert_eq!([outcome(&ops.validate), outcome(&ops.plan), outcome(&ops.apply)], [reason; 3]);
    assert_eq!([outcome(&ops.post_apply_plan), outcome(&ops.outputs), outcome(&ops.state)], [reason; 3]);
    assert_eq!(world.calls("ops"), ["init"]);
}

#[test]
fn a_lock_file_is_honoured() {
    let world = World::new();
    fs::write(world.folder("core").join(".terraform.lock.hcl"), "").expect("a file");
    let collected = world.collect();
    let Receipt::Terraform { arguments, .. } = &collected.receipts["terraform.init/core"] else { panic!("a receipt") };
    assert_eq!(arguments.last().map(String::as_str), Some("-lockfile=readonly"));
}

#[test]
fn no_secret_reaches_facts_receipts_or_raw_logs() {
    let world = World::new();
    // The plan's log is written long before the state tells what in it is secret.
    world.put(
        "plan.out",
        "from state: state-secret-1; from plan: plan-secret-1; output-secret-1; password = \"x-secret-1\"\n",
    );
    world.put("init.err", "warning: output-secret-1\n");
    world.put(
        "validate.out",
        r#"{"valid": true, "diagnostics": [{"severity": "warning", "summary": "has state-secret-1"}]}"#,
    );
    world.answer(
        "show",
        &json!({"format_version": "1.2", "resource_changes": [{
            "address": "t.a[\"plan-secret-1\"]", "type": "t",
            "change": {"actions": ["update"], "before": {"p": "plan-secret-1"}, "before_sensitive": {"p": true}},
        }]}),
    );
    world.answer(
        "output",
        &json!({
            "hidden": {"sensitive": true, "type": "string", "value": "output-secret-1"},
            "shown": {"sensitive": false, "type": "string", "value": "uses state-secret-1"},
        }),
    );
    world.answer("state", &json!({
        "serial": 3, "lineage": "l", "terraform_version": "9.9.9", "outputs": {}, "resources": [
            {"mode": "managed", "type": "random_password", "name": "p", "instances": [{"attributes": {"result": "state-secret-1"}}]},
        ],
    }));
    world.put("plan.exit", "2");
    let collected = world.collect();
    let mut everything = serde_json::to_string(&(&collected.terraform, &collected.receipts)).expect("JSON");
    for (_, log) in &collected.raw {
        everything.push_str(&String::from_utf8_lossy(log));
    }
    assert!(!everything.contains("-secret-1"), "{everything}");
    let core = &collected.terraform.stacks["core"];
    let print = |secret| world.redactor.fingerprint(secret);
    assert_eq!(core.outputs.value().expect("present").values["hidden"].value, json!(print("output-secret-1")));
    assert_eq!(
        core.plan.value().expect("present").resource_changes[0].address,
        format!("t.a[\"{}\"]", print("plan-secret-1"))
    );
    assert_eq!(core.state.value().expect("present").managed_resources, ["random_password.p"]);
}

#[test]
fn values_of_the_registry_are_never_hidden() {
    let world = World::new();
    world.answer(
        "output",
        &json!({
            "hidden": {"sensitive": true, "type": "string", "value": "state-bucket"},
            "bucket": {"sensitive": false, "type": "string", "value": "state-bucket"},
        }),
    );
    let outputs = world.core().outputs;
    assert_eq!(outputs.value().expect("present").values["bucket"].value, json!("state-bucket"));
}

#[test]
fn a_plan_with_changes_is_not_applied_in_a_plan_run() {
    let world = World::new();
    world.put("plan.exit", "2");
    world.put("show.out", CHANGES);
    let core = world.core();
    assert_eq!(core.plan.value().expect("present").summary["create"], 1);
    assert_eq!(outcome(&core.apply), ("not_collected", "terraform may only plan in this run"));
    assert!(!world.calls("core").contains(&"apply".to_owned()));
}

#[test]
fn an_apply_run_applies_that_very_plan_and_plans_again() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.put("plan.sh", "[ -f \"$here/applied\" ] || { echo two; exit 2; }");
    world.put("apply.sh", "for last; do :; done; cat \"$last\" > \"$here/applied\"");
    world.put("show.out", CHANGES);
    let core = world.core();
    let (plan, apply) = (core.plan.value().expect("present"), core.apply.value().expect("present"));
    assert_eq!((plan.exit_code, apply.exit_code), (2, 0));
    assert_eq!(plan.digest.as_ref(), Some(&apply.plan_digest));
    assert_eq!(core.post_apply_plan.value().expect("present").exit_code, 0);
    let expected = ["init", "validate", "plan", "show", "apply", "plan", "show", "output", "state"];
    assert_eq!(world.calls("core"), expected);
}

#[test]
fn a_clean_plan_is_not_applied() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    let core = world.core();
    assert_eq!(outcome(&core.apply), ("not_collected", "the plan has no changes"));
    assert_eq!(outcome(&core.post_apply_plan), ("not_collected", "the plan has no changes"));
}

#[test]
fn a_plan_file_that_was_changed_is_not_applied() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.put("plan.exit", "2");
    world.put("show.out", CHANGES);
    world.put("show.sh", "for last; do :; done; echo other > \"$last\"");
    let core = world.core();
    assert_eq!(outcome(&core.apply), ("unreadable", "PlanFileChanged"));
    assert!(!world.calls("core").contains(&"apply".to_owned()));
}

#[test]
fn a_stack_is_not_applied_on_one_that_is_not_settled() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.options.materialize.insert("streaming".to_owned());
    world.put("plan.exit", "2");
    world.put("show.out", CHANGES);
    world.put("apply.exit", "1");
    let stacks = world.collect().terraform.stacks;
    assert_eq!(stacks["core"].apply.value().expect("present").exit_code, 1);
    assert_eq!(outcome(&stacks["core"].post_apply_plan), ("not_collected", "terraform apply did not succeed"));
    let reason = "stack core, which comes before, is not settled";
    assert_eq!(outcome(&stacks["streaming"].apply), ("not_collected", reason));
    assert_eq!(stacks["streaming"].plan.value().expect("present").exit_code, 2);
}

#[test]
fn a_failed_command_is_present_and_stops_what_depends_on_it() {
    let world = World::new();
    world.put("init.exit", "1");
    world.put("init.err", "no such bucket\n");
    let core = world.core();
    let init = core.init.value().expect("present");
    assert_eq!((init.exit_code, init.log.as_str()), (1, "initialised\nno such bucket\n"));
    assert!(core.backend.value().expect("present").effective.is_empty());
    assert_eq!(outcome(&core.validate), ("not_collected", "terraform init did not succeed"));

    world.put("init.exit", "0");
    world.put("validate.exit", "1");
    world.answer(
        "validate",
        &json!({"valid": false, "diagnostics": [{
            "severity": "error", "summary": "Bad", "range": {"filename": "main.tf", "start": {"line": 3}},
        }]}),
    );
    let core = world.core();
    assert_eq!(core.validate.value().expect("present").diagnostics, ["error: Bad (main.tf:3)"]);
    assert_eq!(outcome(&core.plan), ("not_collected", "terraform validate did not succeed"));
    assert_eq!(outcome(&core.state).0, "present");

    world.put("validate.exit", "0");
    world.answer("validate", &json!({"valid": true}));
    world.put("plan.exit", "1");
    let core = world.core();
    let plan = core.plan.value().expect("present");
    assert_eq!((plan.exit_code, plan.digest.as_ref()), (1, None));
}

#[test]
fn answers_that_are_not_understood_are_unreadable() {
    let world = World::new();
    world.put("plan.out", "password of nobody-knows\n");
    world.put("show.out", "not JSON but hunter22");
    world.put("output.out", "[]");
    world.put("state.out", "{}");
    let collected = world.collect();
    let core = &collected.terraform.stacks["core"];
    for outcome in [outcome(&core.plan), outcome(&core.outputs), outcome(&core.state)] {
        assert_eq!(outcome, ("unreadable", "MalformedAnswer"));
    }
    assert_eq!(error(&core.plan).message, "terraform show: its answer is not JSON (line 1, column 2)");
    let everything: String = collected.raw.iter().map(|(_, log)| String::from_utf8_lossy(log)).collect();
    assert!(
        everything.contains("withheld") && !everything.contains("nobody-knows") && !everything.contains("hunter22")
    );

    world.put("validate.out", "?");
    assert_eq!(outcome(&world.core().validate), ("unreadable", "MalformedAnswer"));
}

#[test]
fn an_empty_state_is_absent() {
    let world = World::new();
    world.put("state.out", "");
    assert_eq!(outcome(&world.core().state), ("absent", "NoState"));
}

#[test]
fn a_missing_binary_is_a_tool_error_with_a_remedy() {
    let mut world = World::new();
    world.options.binary = "no-such-terraform".into();
    let core = world.core();
    assert_eq!(outcome(&core.init), ("unreadable", "TerraformNotFound"));
    assert_eq!(error(&core.init).kind, ReadErrorKind::Tool);
    assert!(error(&core.init).message.contains("\nhelp: install Terraform"));
    assert_eq!(outcome(&core.plan).0, "not_collected");
}

#[test]
fn a_command_that_takes_too_long_is_interrupted_and_releases_its_lock() {
    let mut world = World::new();
    world.options.command_timeout = Duration::from_secs(3);
    world.put(
        "plan.sh",
        "touch \"$here/lock\"; trap 'rm \"$here/lock\"; exit 1' INT; touch \"$here/locked\"; while :; do sleep 0.05; done",
    );
    let core = world.core();
    assert_eq!(outcome(&core.plan), ("unreadable", "Timeout"));
    assert_eq!(error(&core.plan).kind, ReadErrorKind::Timeout);
    assert!(world.has("locked") && !world.has("lock"));
    assert_eq!(outcome(&core.state).0, "present");
}

#[test]
fn a_command_that_ignores_the_interrupt_is_killed() {
    let mut world = World::new();
    world.options.command_timeout = Duration::from_millis(500);
    world.options.interrupt_grace = Duration::from_millis(200);
    world.put("init.sh", "trap '' INT; sleep 20");
    let started = Instant::now();
    let core = world.core();
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(outcome(&core.init), ("unreadable", "Timeout"));
    assert!(error(&core.init).message.contains("was killed"));
}

#[test]
fn nothing_is_started_behind_the_deadline() {
    let mut world = World::new();
    world.options.deadline = Instant::now();
    let collected = world.collect();
    assert_eq!(outcome(&collected.terraform.stacks["ops"].init), ("unreadable", "DeadlineExceeded"));
    assert!(world.calls("ops").is_empty());
    assert!(digests(&collected).iter().all(|(_, exit_code, is_kept)| exit_code.is_none() && *is_kept));
}

#[test]
fn a_dropped_run_leaves_no_terraform_behind() {
    let world = World::new();
    world.put(
        "init.sh",
        "trap 'touch \"$here/released\"; exit 1' INT; touch \"$here/started\"; while :; do sleep 0.05; done",
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let started = async {
            while !world.has("started") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            _ = collect(&world.handles, &world.options, &world.redactor, &|_| {}) => panic!("it does not end by itself"),
            () = started => {}
        }
    });
    assert!(world.has("released"));
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

#[test]
fn every_command_is_announced_and_ends() {
    let world = World::new();
    let events = std::sync::Mutex::new(Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let watch = |event: Event| events.lock().expect("a lock").push(event);
    runtime.block_on(collect(&world.handles, &world.options, &world.redactor, &watch));
    let events = events.into_inner().expect("a lock");
    let core: Vec<&Event> = events.iter().filter(|event| event.stack == "core").collect();
    for pair in core.chunks(2) {
        assert_eq!((pair[0].command, pair[0].progress), (pair[1].command, Progress::Started));
        assert!(matches!(pair[1].progress, Progress::Ended { exit_code: Some(0), .. }));
    }
    assert_eq!(core.len(), 12);
}

#[test]
fn the_future_can_be_sent_to_another_thread() {
    fn is_send(_: impl Send) {}
    let world = World::new();
    is_send(collect(&world.handles, &world.options, &world.redactor, &|_| {}));
    is_send(Options::new(".", TerraformMode::Off, Instant::now()));
}
