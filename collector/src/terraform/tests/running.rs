//! Commands that fail, hang or cannot be started.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::super::{Event, Options, Progress, collect};
use super::fake::{World, commands, error, outcome};
use crate::fact::{ReadErrorKind, TerraformMode};

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
    world.put("plan.out", "planned the following actions: nobody-knows\n");
    let collected = world.collect();
    let plan = collected.terraform.stacks["core"].plan.value().expect("present");
    assert_eq!((plan.exit_code, plan.digest.as_ref()), (1, None));
    // What it shows was never learned.
    let everything: String = collected.raw.iter().map(|(_, log)| String::from_utf8_lossy(log)).collect();
    assert!(plan.log.contains("withheld") && !everything.contains("nobody-knows"), "{}", plan.log);
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
    assert!(commands(&collected).iter().all(|(_, exit_code, is_kept)| exit_code.is_none() && *is_kept));
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
