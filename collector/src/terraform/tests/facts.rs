//! What a run makes of what Terraform answers.

use std::fs;

use serde_json::json;

use super::super::STACKS;
use super::fake::{World, commands, outcome};
use crate::fact::Receipt;

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
    let core: Vec<_> = commands(&collected).into_iter().filter(|(key, ..)| key.ends_with("/core")).collect();
    let expected =
        ["init", "output", "plan", "show", "state", "validate"].map(|command| format!("terraform.{command}/core"));
    assert_eq!(core, expected.each_ref().map(|key| (key.as_str(), Some(0), true)));
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
fn secrets_in_outputs_and_logs_are_findings_unless_they_are_declared_there() {
    let world = World::new();
    world.answer(
        "output",
        &json!({
            "hidden": {"sensitive": true, "type": "string", "value": "output-secret-1"},
            "shown": {"sensitive": false, "type": ["map", "string"], "value": {"a": ["is output-secret-1"]}},
            "workspace": {"sensitive": false, "type": "string", "value": "workspace-url-1"},
            "db_password": {"sensitive": false, "type": "string", "value": "hunter22"},
            "brokers": {"sensitive": false, "type": "string", "value": "b-1.x.amazonaws.com:9098"},
        }),
    );
    world.put("plan.out", "  + token = (sensitive value)\n  + x = \"state-secret-1\"\n");
    world.put("init.err", "workspace-url-1\n");
    let parameter = |kind: &str, value: &str| {
        json!({"attributes": {"type": kind, "value": value},
            "sensitive_attributes": [[{"type": "get_attr", "value": "value"}]]})
    };
    world.answer(
        "state",
        &json!({
            "serial": 3, "lineage": "l", "terraform_version": "9.9.9", "outputs": {}, "resources": [
                {"mode": "managed", "type": "aws_ssm_parameter", "name": "p", "instances": [
                    parameter("SecureString", "state-secret-1"), parameter("String", "workspace-url-1")]},
            ],
        }),
    );
    drop(world.collect());
    let scan = world.redactor.scan();
    let findings: Vec<String> =
        scan.findings.iter().map(|found| format!("{} {} {:?}", found.source, found.at, found.kind)).collect();
    let expected = [
        "terraform.stacks.core.outputs db_password Credential",
        "terraform.stacks.core.outputs shown/a/0 KnownSecret",
        "terraform.stacks.core.plan plan log, line 2 KnownSecret",
    ];
    assert_eq!(findings, expected);
    let sources = |scanned| scan.sources.iter().filter(move |source| source.scanned == scanned);
    let core = ["init", "outputs", "plan", "state", "validate"].map(|fact| format!("terraform.stacks.core.{fact}"));
    let scanned: Vec<&String> =
        sources(true).map(|source| &source.source).filter(|source| source.contains(".core.")).collect();
    assert_eq!(scanned, core.each_ref());
    // The other stacks were only initialised.
    assert_eq!(sources(false).count(), (STACKS.len() - 1) * 4);
}

#[test]
fn a_command_that_fails_leaves_its_source_unscanned() {
    let world = World::new();
    world.put("output.exit", "1");
    world.put("output.out", "");
    world.put("show.out", "not JSON");
    drop(world.collect());
    let scan = world.redactor.scan();
    let is_scanned = |fact: &str| {
        let source = format!("terraform.stacks.core.{fact}");
        scan.sources.iter().find(|known| known.source == source).map(|source| source.scanned)
    };
    assert_eq!([is_scanned("outputs"), is_scanned("plan")], [Some(false); 2]);
    assert_eq!([is_scanned("state"), is_scanned("apply")], [Some(true), None]);
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
fn an_empty_state_is_absent() {
    let world = World::new();
    world.put("state.out", "");
    assert_eq!(outcome(&world.core().state), ("absent", "NoState"));
    world.answer(
        "state",
        &json!({
            "serial": 0, "lineage": "", "terraform_version": "9.9.9", "outputs": {}, "resources": [],
        }),
    );
    assert_eq!(outcome(&world.core().state), ("absent", "NoState"));
}
