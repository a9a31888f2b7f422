//! The rehearsal: what it destroys, what it refuses, and what its journal says when it is stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::super::rehearsal::{Doing, JOURNAL_FORMAT, Journal, RehearsalError, Rehearsed, check_scope, rehearse};
use super::fake::World;
use crate::fact::{Observation, TerraformMode};

/// A Terraform with a state: `applied` and `destroyed` of a stack are files beside the binary.
const PLAN: &str = r#"
case "$*" in
  *-destroy*) for a; do case "$a" in -out=*) echo destroy > "${a#-out=}" ;; esac; done; code=2 ;;
  *) code=0; [ -f "$here/gone.$stack" ] && code=2 ;;
esac
echo planned; exit $code
"#;
const APPLY: &str = r#"
for last; do :; done
if grep -q destroy "$last"; then
  [ -f "$here/fail.$stack" ] && exit 1
  touch "$here/gone.$stack"
else
  rm -f "$here/gone.$stack"
fi
"#;
const STATE: &str = r#"
if [ -f "$here/gone.$stack" ]; then resources='[]'; else resources='[{"mode":"managed","type":"t","name":"a","instances":[{}]}]'; fi
echo "{\"serial\": 3, \"lineage\": \"l\", \"terraform_version\": \"9.9.9\", \"outputs\": {}, \"resources\": $resources}"; exit 0
"#;

fn world() -> World {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.put("plan.sh", PLAN);
    world.put("apply.sh", APPLY);
    world.put("state.sh", STATE);
    world
}

fn approval(expires_at: &str) -> Observation {
    Observation::present(serde_json::json!({"expires_at": expires_at}), Vec::new())
}

/// Of a rehearsal that was stopped while it destroyed its first stack.
fn stopped() -> Journal {
    let baseline = BTreeMap::from([("ops".to_owned(), json!({"resource_count": 1, "lineage": "l"}))]);
    Journal { touched: vec!["ops".to_owned()], stack: Some("ops".to_owned()), resumed: true, baseline, ..journal() }
}

fn journal() -> Journal {
    Journal {
        format: JOURNAL_FORMAT.to_owned(),
        phase_execution_id: "m2i_20260131T235959Z".to_owned(),
        started_at: "2026-01-31T23:59:59Z".to_owned(),
        doing: Doing::Destroy,
        stack: None,
        scope: vec!["data_ml".to_owned(), "ops".to_owned()],
        approval: approval("2999-01-01T00:00:00Z"),
        receipts: BTreeMap::new(),
        baseline: BTreeMap::new(),
        touched: Vec::new(),
        destroy: BTreeMap::new(),
        recover: BTreeMap::new(),
        post_recovery: BTreeMap::new(),
        resumed: false,
    }
}

fn path(world: &World) -> PathBuf {
    world.root().join("journal.json")
}

fn run(world: &World, journal: Journal) -> Result<Rehearsed, RehearsalError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(rehearse(journal, &path(world), &world.handles, &world.options, &world.redactor, &|_| {}))
}

#[test]
fn the_scope_is_destroyed_and_recovered_and_nothing_else_is_touched() {
    let world = world();
    let rehearsed = run(&world, journal()).expect("rehearsed");
    assert_eq!(rehearsed.failures, Vec::<String>::new());
    let journal = rehearsed.journal;
    assert_eq!(journal.touched, ["ops", "data_ml"]);
    for stack in ["data_ml", "ops"] {
        assert_eq!(journal.destroy[stack]["exit_code"], 0);
        assert_eq!(journal.destroy[stack]["destroyed"], 1);
        assert_eq!(journal.destroy[stack]["remaining"], serde_json::json!([]));
        assert_eq!(journal.recover[stack]["exit_code"], 0);
        assert_eq!(journal.post_recovery[stack], journal.baseline[stack]);
        assert!(journal.receipts.contains_key(&format!("terraform.destroy/{stack}")), "{:?}", journal.receipts.keys());
        assert!(journal.receipts.contains_key(&format!("terraform.recover/{stack}")));
    }
    for stack in ["core", "streaming", "runtime"] {
        assert!(world.calls(stack).is_empty(), "{stack}");
    }
    let kept = Journal::read(&path(&world)).expect("a journal").expect("a journal");
    assert_eq!((kept.doing, kept.unrecovered()), (Doing::Collect, Vec::new()));
}

#[test]
fn a_baseline_that_is_not_clean_is_refused_before_anything_is_touched() {
    let world = world();
    world.put("gone.ops", "");
    let error = run(&world, journal()).expect_err("refused");
    assert!(error.to_string().contains("the plan of ops is not clean"), "{error}");
    assert!(!world.calls("data_ml").contains(&"apply".to_owned()) && !path(&world).exists());
}

#[test]
fn a_failed_destruction_ends_it_and_is_recovered() {
    let world = world();
    world.put("fail.ops", "");
    let rehearsed = run(&world, journal()).expect("rehearsed");
    assert_eq!(rehearsed.journal.destroy["ops"]["exit_code"], 1);
    assert_eq!(rehearsed.journal.touched, ["ops"]);
    assert!(rehearsed.journal.unrecovered().is_empty());
    assert_eq!(rehearsed.failures, ["the destroy of ops did not succeed"]);
}

#[test]
fn nothing_is_destroyed_under_an_approval_that_has_expired_meanwhile() {
    let world = world();
    for (approval, why) in [
        (approval("2026-01-31T23:59:59Z"), "the approval expired at 2026-01-31T23:59:59Z"),
        (Observation::not_collected("none is there"), "the approval does not say when it expires"),
    ] {
        let rehearsed = run(&world, Journal { approval, ..journal() }).expect("nothing to recover");
        assert_eq!(rehearsed.failures, [format!("ops was not destroyed: {why}")]);
        assert!(rehearsed.journal.touched.is_empty() && !world.calls("ops").contains(&"apply".to_owned()));
    }
}

#[test]
fn a_resumed_rehearsal_that_cannot_be_initialised_says_what_is_still_destroyed() {
    let world = world();
    world.put("init.sh", "exit 1");
    let error = run(&world, stopped()).expect_err("stuck").to_string();
    assert!(error.contains("cannot be finished yet") && error.contains("to be recovered: ops"), "{error}");
    assert!(!error.contains("nothing was touched"), "{error}");
}

#[test]
fn what_an_earlier_process_destroyed_is_recovered_on_resume() {
    let world = world();
    world.put("gone.ops", "");
    assert_eq!(stopped().state(), "it was destroying ops; to be recovered: ops");
    let rehearsed = run(&world, stopped()).expect("rehearsed");
    assert_eq!(rehearsed.journal.recover["ops"]["exit_code"], 0);
    let missed = "data_ml was not destroyed before the rehearsal was stopped; rehearse it anew";
    let unseen =
        "the rehearsal was stopped while it destroyed ops, so nobody has seen that it was gone; rehearse it anew";
    assert_eq!(rehearsed.failures, [unseen, missed]);
    assert!(!world.has("gone.ops") && !world.calls("data_ml").contains(&"apply".to_owned()));
}

#[test]
fn another_state_than_the_rehearsal_began_with_is_not_recovered() {
    let world = world();
    world.put("gone.ops", "");
    world.put("state.sh", &STATE.replace(r#"\"l\""#, r#"\"another\""#));
    for (journal, problem) in [
        (stopped(), "the state of ops is not the one that the rehearsal began with"),
        (Journal { baseline: BTreeMap::new(), ..stopped() }, "the journal does not say of which lineage"),
    ] {
        let error = run(&world, journal).expect_err("refused").to_string();
        assert!(error.contains(problem) && error.contains("to be recovered: ops"), "{error}");
    }
    world.put("state.sh", "exit 1");
    let error = run(&world, stopped()).expect_err("refused").to_string();
    assert!(error.contains("the state of ops cannot be read"), "{error}");
    assert!(world.has("gone.ops") && !world.calls("ops").contains(&"apply".to_owned()));
}

#[test]
fn a_stack_that_others_are_built_on_is_refused() {
    let world = world();
    let check = |scope: &[&str]| {
        let scope: Vec<String> = scope.iter().map(|stack| (*stack).to_owned()).collect();
        check_scope(&scope, world.root(), &world.handles).map_err(|error| error.to_string())
    };
    assert_eq!(check(&["data_ml", "ops"]), Ok(()));
    assert!(check(&[]).is_err() && check(&["core"]).is_err() && check(&["warehouse"]).is_err());
    std::fs::write(world.folder("ops").join("main.tf"), "locals {\n  key = \"dev/data_ml.tfstate\"\n}\n")
        .expect("a file");
    assert!(check(&["data_ml"]).is_err_and(|error| error.contains("ops reads the state of data_ml")));
    assert_eq!(check(&["data_ml", "ops"]), Ok(()));
}

#[test]
fn stacks_that_share_a_folder_or_a_state_are_refused() {
    for (handle, from, problem) in [
        ("TF_STATE_KEY_OPS", "TF_STATE_KEY_CORE", "core and ops keep their state under one key"),
        ("TF_STACK_OPS_DIR", "TF_STACK_CORE_DIR", "core and ops have one folder"),
    ] {
        let mut world = world();
        let shared = world.handles[from].clone();
        world.handles.insert(handle.to_owned(), shared);
        let error = check_scope(&["ops".to_owned()], world.root(), &world.handles).expect_err("refused").to_string();
        assert!(error.contains(problem) && error.contains("nothing was touched"), "{error}");
    }
}

#[test]
fn a_scope_is_refused_where_a_stack_cannot_be_looked_at() {
    let world = world();
    std::fs::remove_dir_all(world.folder("runtime")).expect("a folder");
    let error = check_scope(&["ops".to_owned()], world.root(), &world.handles).expect_err("refused").to_string();
    assert!(error.contains("the folder of the stack runtime cannot be read"), "{error}");
    let error = check_scope(&["ops".to_owned()], &world.root().join("nowhere"), &world.handles).expect_err("refused");
    assert!(error.to_string().contains("the Terraform root"), "{error}");
}
