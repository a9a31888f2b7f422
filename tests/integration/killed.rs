//! What is left when the program is killed (SIGKILL: it cannot tidy up) in the middle of its work.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use chrono::Duration as Span;
use serde_json::{Value, json};

use crate::documents::first_lanes;
use crate::fixtures;
use crate::harness::approvals;
use crate::harness::emulator::COLLECTOR;
use crate::harness::factgate::{run_alone, run_in};
use crate::harness::files::names;
use crate::harness::gate::blockers;
use crate::harness::packs::pack_files;
use crate::harness::world::World;

/// How often the program is killed while it writes packs, and while it mirrors them.
const MOMENTS: u32 = 100;

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Puts the policies of the first lanes into a folder: what is judged does not matter here, and they are quick.
fn put_policies(folder: &Path) {
    for (name, bytes) in first_lanes() {
        let path = folder.join("policies").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Waits until something holds; the program must not have ended before.
fn wait_for(child: &mut Child, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "nothing happens");
        if let Some(status) = child.try_wait().unwrap() {
            assert!(holds(), "it ended before: {status}");
            return;
        }
        sleep(Duration::from_micros(200));
    }
}

/// Kills a program; whether it was still running.
fn kill(mut child: Child) -> bool {
    let is_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    is_running
}

/// Kills runs of a program at [`MOMENTS`] moments that spread over the time from `has_begun` to its end. `after` is asked about
/// what each kill left; it gets the number of the run.
fn kill_often(start: impl Fn(u32) -> Child, has_begun: impl Fn(u32) -> bool, mut after: impl FnMut(u32)) {
    let mut first = start(0);
    wait_for(&mut first, || has_begun(0));
    let begun = Instant::now();
    assert!(first.wait().unwrap().code().is_some_and(|code| code <= 1));
    let mut whole = begun.elapsed();
    after(0);
    let mut killed = 0;
    for run in 1..=4 * MOMENTS {
        let mut child = start(run);
        wait_for(&mut child, || has_begun(run));
        let begun = Instant::now();
        // A run may be quicker than those before, on a machine that is less busy now: then the moments move with it. Only those
        // count that were killed.
        while begun.elapsed() < whole * killed / MOMENTS {
            if child.try_wait().unwrap().is_some() {
                whole = begun.elapsed();
                break;
            }
            sleep(Duration::from_micros(200));
        }
        killed += u32::from(kill(child));
        after(run);
        if killed == MOMENTS {
            return;
        }
    }
    panic!("only {killed} of {MOMENTS} runs could be killed");
}

#[test]
fn packs_are_whole_or_not_there_whenever_the_program_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    put_policies(folder.path());
    fs::copy(fixtures::folder().join("ready.json"), folder.path().join("facts.json")).unwrap();
    let arguments = |run: u32| {
        ["eval", "facts.json", "--policies", "policies", "-o", "json", "--evidence-root"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("packs{run}")])
    };
    let root = |run: u32| folder.path().join(format!("packs{run}"));
    let start = |run: u32| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_factgate"));
        command.env_clear().args(arguments(run)).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let has_begun = |run: u32| !names(&root(run)).is_empty();
    let mut incomplete = 0;
    let mut written_packs = Vec::new();
    kill_often(start, has_begun, |run| {
        let packs = names(&root(run)).into_iter().filter(|name| !name.starts_with('.')).collect::<Vec<_>>();
        incomplete += u32::from(packs.len() < 3);
        for pack in &packs {
            let (lane, stamp) = pack.split_once('_').unwrap();
            let found = names(&root(run).join(pack)).into_iter().map(|file| format!("{pack}/{file}"));
            assert_eq!(found.collect::<BTreeSet<_>>(), pack_files(lane, stamp), "run {run}");
            let mut check = Command::new("sha256sum");
            check.args(["-c", "--quiet", "manifest.sha256"]).current_dir(root(run).join(pack));
            assert!(check.output().unwrap().status.success(), "run {run}: {pack}");
        }
        let again = run_alone(folder.path(), arguments(run));
        assert_eq!(again.code, 0, "run {run}: {}", again.stderr);
        let written = names(&root(run)).into_iter().filter(|name| !name.starts_with('.'));
        written_packs.extend(written.map(|pack| format!("packs{run}/{pack}")));
    });
    // What a kill left is among them: a rerun overwrites nothing. One process for all spares each the compilation of policies.
    let arguments = ["verify".to_owned()].into_iter().chain(written_packs.iter().cloned());
    let verify = run_alone(folder.path(), arguments);
    assert_eq!((verify.code, verify.stdout.matches("PASS").count()), (0, written_packs.len()), "{}", verify.stderr);
    assert!(written_packs.len() > 3 * MOMENTS as usize, "{}", written_packs.len());
    assert!(incomplete > 0, "no run was killed before its last pack: the moments were too late to show anything");
}

const BUCKET: &str = "mirror";

/// The objects below a prefix, by name.
fn objects(world: &World, prefix: &str) -> BTreeSet<String> {
    let listed = world.aws.hand("s3", "ListObjectsV2", json!({"Bucket": BUCKET, "Prefix": prefix}));
    let contents = listed["Contents"].as_array().cloned().unwrap_or_default();
    contents.iter().map(|object| object["Key"].as_str().unwrap().strip_prefix(prefix).unwrap().to_owned()).collect()
}

#[test]
fn the_mirror_declares_nothing_whole_that_is_not_whenever_the_program_is_killed() {
    let world = World::empty();
    put_policies(world.folder());
    let location = json!({"LocationConstraint": "eu-west-2"});
    world.aws.hand("s3", "CreateBucket", json!({"Bucket": BUCKET, "CreateBucketConfiguration": location}));
    // Few handles are few reads.
    world.set_registry("* `AWS_REGION = \"eu-west-2\"`\n* `TF_STATE_BUCKET = \"mirror\"`\n");
    let arguments = |run: u32| {
        let fixed =
            ["gate", "--registry", "dev_full.registry.md", "--terraform", "off", "--terraform-root", "terraform"];
        let more = ["--policies", "policies", "-o", "json", "--evidence-root"];
        let own = [format!("packs{run}"), "--mirror".to_owned(), format!("s3://{BUCKET}/run{run}")];
        fixed.into_iter().chain(more).map(str::to_owned).chain(own)
    };
    let root = |run: u32| world.folder().join(format!("packs{run}"));
    let packs = |run: u32| {
        names(&root(run))
            .into_iter()
            .filter(|name| root(run).join(name).is_dir() && !name.starts_with('.'))
            .collect::<Vec<_>>()
    };
    let start = |run: u32| world.spawn(arguments(run));
    // All packs are prepared: what follows is the mirror, and then their places here.
    let prepared = |run: u32| names(&root(run)).iter().filter(|name| name.starts_with(".m2")).count();
    let mut incomplete = 0;
    let mut declared_whole = Vec::new();
    kill_often(
        start,
        |run| prepared(run) == 3 || !packs(run).is_empty(),
        |run| {
            let there = objects(&world, &format!("run{run}/"));
            let mut whole = BTreeSet::new();
            for pack in there.iter().map(|name| name.split_once('/').unwrap().0).collect::<BTreeSet<_>>() {
                let (lane, stamp) = pack.split_once('_').unwrap();
                let of_pack = |name: &&String| name.starts_with(&format!("{pack}/"));
                let found: BTreeSet<String> = there.iter().filter(of_pack).cloned().collect();
                if found.contains(&format!("{pack}/manifest.sha256")) {
                    assert_eq!(found, pack_files(lane, stamp), "run {run}");
                    whole.insert(pack.to_owned());
                }
            }
            incomplete += u32::from(whole.len() < 3);
            declared_whole.extend(whole.iter().map(|pack| format!("s3://{BUCKET}/run{run}/{pack}/")));
            // What stands here stands there.
            assert!(packs(run).iter().all(|pack| whole.contains(pack)), "run {run}");
            if run % 10 == 0 {
                // A gate is named by the second that it began in.
                sleep(Duration::from_secs(1));
                let again = run_in(&world, arguments(run));
                assert_eq!(again.code, 1, "run {run}: {}", again.stderr);
                let newest = packs(run).into_iter().filter(|pack| pack.starts_with("m2a_")).max().unwrap();
                let verify = run_in(&world, ["verify".to_owned(), format!("s3://{BUCKET}/run{run}/{newest}/")]);
                assert_eq!(verify.code, 0, "run {run}: {}", verify.stderr);
            }
        },
    );
    let verify = run_in(&world, ["verify".to_owned()].into_iter().chain(declared_whole.iter().cloned()));
    assert_eq!((verify.code, verify.stdout.matches("BLOCKED").count()), (0, declared_whole.len()), "{}", verify.stderr);
    assert!(incomplete > 0, "no run was killed before its last manifest: the moments were too late to show anything");
}

/// A later lane would rest on it.
#[test]
fn a_pack_that_cannot_be_mirrored_does_not_stand_here_either() {
    let world = World::bootstrapped();
    let gate = ["gate", "--registry", "dev_full.registry.md", "--terraform", "off", "--terraform-root", "terraform"];
    let more = ["--lane", "M2.A", "--evidence-root", "packs", "--mirror", "s3://no-such-bucket/packs"];
    let run = run_in(&world, gate.iter().chain(&more));
    assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{}", run.stderr);
    assert!(run.stderr.contains("s3://no-such-bucket/packs/m2a_") && run.stderr.contains("help: "), "{}", run.stderr);
    let left = names(&world.folder().join("packs"));
    assert!(left.iter().all(|name| name.ends_with(".facts.json")), "{left:?}");
}

/// Asked to end while it reads the mirror, and while it writes to it: neither goes on to do what it was told to stop.
#[test]
fn a_mirror_that_hangs_keeps_nobody_waiting() {
    for (operation, lane, has_facts) in [("ListObjectsV2", "M2.B", false), ("PutObject", "M2.A", true)] {
        let world = World::bootstrapped();
        world.aws.add_rule(json!({"service": "s3", "op": operation, "user_agent": COLLECTOR, "fault": "hang"}));
        let gate =
            ["gate", "--registry", "dev_full.registry.md", "--terraform", "off", "--terraform-root", "terraform"];
        let more = ["--lane", lane, "--evidence-root", "packs", "--call-timeout", "60s", "--mirror"];
        let mut child = world.spawn(gate.iter().chain(&more).chain(&["s3://fraud-platform-dev-full-tfstate/packs"]));
        let is_hung = || world.aws.log().iter().any(|call| call.is_collectors() && call.operation == operation);
        wait_for(&mut child, is_hung);
        let mut signal = Command::new("kill");
        assert!(signal.args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let begun = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(4), "{operation}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{operation}: {:?}", begun.elapsed());
        let left = names(&world.folder().join("packs"));
        assert!(left.iter().all(|name| name.ends_with(".facts.json")), "{operation}: {left:?}");
        assert_eq!(!left.is_empty(), has_facts, "{operation}: {left:?}");
    }
}

/// What a rehearsal is doing, by its journal.
fn doing(world: &World) -> Option<(String, String)> {
    let journal = fs::read(world.folder().join("rehearsal.json.rehearsal.json")).ok()?;
    let journal: Value = serde_json::from_slice(&journal).unwrap();
    let text = |name: &str| journal[name].as_str().unwrap_or_default().to_owned();
    Some((text("doing"), text("stack")))
}

fn locks(world: &World) -> usize {
    let items = world.aws.hand("dynamodb", "Scan", json!({"TableName": "fraud-platform-dev-full-tf-locks"}));
    // What stays are the digests of the states, which are no locks.
    let items = items["Items"].as_array().unwrap().iter();
    items.filter(|item| item.get("Info").is_some()).count()
}

/// One rehearsal, killed before it touches anything, while it destroys, twice while it recovers, and while it collects: each time
/// it says what is left to do, and at last everything stands as before.
#[test]
fn a_rehearsal_that_is_killed_at_five_moments_is_finished_at_last() {
    let world = World::applied();
    approvals::write(&world, "rehearsal", &["data_ml", "ops"], Span::hours(8));
    let fixed = ["rehearse", "--registry", "dev_full.registry.md", "--terraform-root", "terraform"];
    let fixed = [&fixed[..], &["--facts", "rehearsal.json"]].concat();
    let begin = [&fixed[..], &["--scope", "data_ml,ops", "--approval", "rehearsal.toml"]].concat();
    let resume = [&fixed[..], &["--resume"]].concat();
    let is = |what: &str, stack: &str| doing(&world) == Some((what.to_owned(), stack.to_owned()));
    for (moment, what, stack) in
        [(1, "", ""), (2, "destroy", "data_ml"), (3, "recover", "data_ml"), (4, "recover", "ops"), (5, "collect", "")]
    {
        let mut child = world.spawn(if moment > 2 { &resume } else { &begin });
        match what {
            "" => sleep(Duration::from_secs(2)),
            _ => wait_for(&mut child, || is(what, stack)),
        }
        // Into the step, not only to its beginning.
        sleep(Duration::from_millis(1500));
        assert!(kill(child), "moment {moment}: it had ended already");
        assert_eq!(doing(&world).is_some(), moment > 1, "moment {moment}");
        assert!(!world.folder().join("rehearsal.json").exists(), "moment {moment}");
        if moment > 1 {
            // Whoever begins anew is told what state it is in, and how to go on.
            let refused = run_in(&world, &begin);
            assert_eq!(refused.code, 4, "moment {moment}: {}", refused.stderr);
            assert!(refused.stderr.contains("--resume"), "{}", refused.stderr);
        }
        // Terraform outlives the program that it was started by, ends its step, and gives its lock back.
        let begun = Instant::now();
        while locks(&world) > 0 {
            assert!(begun.elapsed() < PATIENCE, "moment {moment}: a state is still locked");
            sleep(Duration::from_millis(100));
        }
    }
    // Everything is recovered. That it had been gone was seen of one stack only, and P0 asks for both.
    let run = run_in(&world, &resume);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("stopped while it destroyed data_ml") && !run.stderr.contains(" ops"),
        "{}",
        run.stderr
    );
    let run = run_in(&world, ["eval", "rehearsal.json", "--lane", "M2.I", "-o", "json"]);
    let verdict = run.json();
    let unproven =
        |stack: &str| blockers(&verdict).any(|blocker| blocker["code"] == "M2I-B2" && blocker["subject"] == stack);
    assert!(unproven("data_ml") && !unproven("ops"), "{verdict:#}");
    assert_eq!((doing(&world), locks(&world)), (None, 0));
    // Rehearsed anew, it proves what it has to.
    let run = run_in(&world, &begin);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let verdict = run_in(&world, ["eval", "rehearsal.json", "--lane", "M2.I", "-o", "json"]).json();
    let open: Vec<&Value> = blockers(&verdict).filter(|blocker| blocker["lane"] == "M2.I").collect();
    assert!(open.is_empty(), "{open:#?}");
    let facts = world.json("rehearsal.json");
    for stack in ["data_ml", "ops"] {
        let plan = &facts["terraform"]["stacks"][stack]["plan"]["value"];
        assert_eq!(plan["exit_code"], 0, "{stack}: {plan:#}");
    }
    assert_eq!(facts["rehearsal"]["scope"]["value"]["touched"], json!(["data_ml", "ops"]));
}
