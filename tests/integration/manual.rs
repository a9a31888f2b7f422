//! The operators' manual, run as it stands: a bare account becomes P0 GO by its commands alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::harness::documentation::{Block, blocks};
use crate::harness::factgate::{Run, run_alone, run_in};
use crate::harness::files::{files, names};
use crate::harness::gate::{blockers, failed_logs};
use crate::harness::packs::{PACKS, pack_files};
use crate::harness::tools;
use crate::harness::world::World;

const ROOT: &str = "runs/dev_substrate/dev_full/m2";
const BUCKET: &str = "fraud-platform-dev-full-evidence";
const MIRROR: &str = "evidence/dev_full/run_control/";

fn manual() -> String {
    fs::read_to_string(tools::repository().join("docs/operators-manual.md")).unwrap()
}

/// A folder of programs to put on the path: the program under test, and what stands in for the AWS CLI.
fn programs(world: &World) -> PathBuf {
    let folder = world.folder().join("bin");
    fs::create_dir(&folder).unwrap();
    symlink(env!("CARGO_BIN_EXE_factgate"), folder.join("factgate")).unwrap();
    let tests = tools::repository().join("tests");
    let aws = format!(
        "#!/bin/sh\nPYTHONPATH='{}' PYTHONDONTWRITEBYTECODE=1 exec '{}' -m emulator.aws \"$@\"\n",
        tests.display(),
        tools::python().display()
    );
    fs::write(folder.join("aws"), aws).unwrap();
    fs::set_permissions(folder.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Runs a block of the manual as an operator's shell would, and ends the test where a command fails.
fn run_block(world: &World, programs: &Path, block: &Block) {
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    let output = world
        .enter(&mut command)
        .env("PATH", path)
        .env("AWS_DEFAULT_REGION", "eu-west-2")
        .args(["-euxo", "pipefail", "-c", &block.text])
        .current_dir(world.folder())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let last = || {
        let facts = names(&world.folder().join(ROOT)).into_iter().rfind(|name| name.ends_with(".facts.json"));
        facts.map(|name| failed_logs(&world.json(&format!("{ROOT}/{name}")))).unwrap_or_default()
    };
    assert!(output.status.success(), "{}: {}\n{stdout}\n{stderr}\n{}", block.heading, output.status, last());
}

/// The subjects that a code blocks in a verdict.
fn subjects(verdict: &Value, code: &str) -> BTreeSet<String> {
    let blockers = blockers(verdict).filter(|blocker| blocker["code"] == code);
    blockers.map(|blocker| blocker["subject"].as_str().unwrap().to_owned()).collect()
}

fn roll_up(world: &World, more: &[&str]) -> (Run, Value) {
    let fixed = ["gate", "--lane", "M2.J", "--rehearsal", "rehearsal.json", "--facts", "again.json"];
    let approvals = ["--approval", "m2_go_ahead.toml", "--approval", "m3_handoff.toml", "-o", "json"];
    let run = run_in(world, fixed.iter().chain(&approvals).chain(more));
    let verdict = run.json();
    (run, verdict)
}

#[test]
fn the_manual_leads_from_a_bare_account_to_go() {
    let world = World::empty();
    let programs = programs(&world);
    for block in blocks(&manual()).iter().filter(|block| block.language == "sh") {
        run_block(&world, &programs, block);
    }

    let verdict = world.json("p0.verdict.json");
    assert_eq!(verdict["p0"]["status"], "GO", "{:#}", verdict["reasons"]);
    assert_eq!(verdict["p0"]["packs"].as_array().unwrap().len(), 9);
    let closure = fs::read_to_string(world.folder().join("closure-of-h.md")).unwrap();
    assert!(closure.contains("M2.H") && closure.contains(&format!("s3://{BUCKET}/{MIRROR}m2h_")), "{closure}");
    let registry = fs::read_to_string(world.registry()).unwrap();
    assert!(!registry.contains("= \"TO_PIN\"`"), "{registry}");

    // Every artifact of the contract stands here and, the same, in the mirror.
    let here = files(&world.folder().join(ROOT));
    let listed = world.aws.hand("s3", "ListObjectsV2", json!({"Bucket": BUCKET, "Prefix": MIRROR}));
    let keys = listed["Contents"].as_array().unwrap().iter().map(|object| object["Key"].as_str().unwrap());
    let there: BTreeSet<&str> = keys.map(|key| key.strip_prefix(MIRROR).unwrap()).collect();
    for (lane, _) in PACKS {
        let of_lane = |name: &&str| name.starts_with(&format!("{lane}_"));
        let local: BTreeSet<&str> = here.keys().map(String::as_str).filter(of_lane).collect();
        let folder = local.first().unwrap().split_once('/').unwrap().0;
        let expected = pack_files(lane, folder.split_once('_').unwrap().1);
        assert_eq!(local, expected.iter().map(String::as_str).collect(), "{lane}");
        assert_eq!(there.iter().copied().filter(of_lane).collect::<BTreeSet<_>>(), local, "{lane}");
    }
    for (name, bytes) in &here {
        if name.contains('/') {
            let object = json!({"Bucket": BUCKET, "Key": format!("{MIRROR}{name}")});
            let body = world.aws.hand("s3", "GetObject", object)["Body"].clone();
            assert_eq!(body.as_str().unwrap().as_bytes(), bytes, "{name}");
        }
    }
    let receipt = here.iter().find(|(name, _)| name.ends_with("/m2j_m3_entry_readiness_receipt.json")).unwrap().1;
    assert_eq!(serde_json::from_slice::<Value>(receipt).unwrap()["m3_entry_ready"], true);

    a_rollup_without_local_packs_reads_the_mirror(&world);
    packs_that_are_too_old_are_refused(&world);
    facts_that_have_drifted_since_are_refused(&world);
    altered_mirrors_are_refused(&world);
    altered_packs_are_refused(&world);
}

/// A CI job with an empty disk has the mirror.
fn a_rollup_without_local_packs_reads_the_mirror(world: &World) {
    let (run, verdict) = roll_up(world, &["--evidence-root", "elsewhere"]);
    assert_eq!((run.code, &verdict["p0"]["status"]), (0, &json!("GO")), "{}", run.stderr);
    let facts = world.json("again.json");
    let pack = facts["evidence"]["M2.C"]["value"]["path"].as_str().unwrap();
    assert!(pack.starts_with(&format!("s3://{BUCKET}/{MIRROR}m2c_")), "{pack}");
}

fn packs_that_are_too_old_are_refused(world: &World) {
    let aged = ["eval", "p0.json", "--lane", "M2.J", "--contract", "rollup.maximum_age_hours=0", "-o", "json"];
    let run = run_in(world, aged);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let verdict = run.json();
    assert_eq!(verdict["p0"]["status"], "NO-GO");
    assert_eq!(subjects(&verdict, "M2J-B1").len(), 9, "{verdict:#}");
}

fn facts_that_have_drifted_since_are_refused(world: &World) {
    let topic = json!([{"Key": "owner", "Value": "somebody-else"}]);
    let role = "fraud-platform-dev-full-eks-runtime-platform-base";
    world.aws.hand("iam", "TagRole", json!({"RoleName": role, "Tags": topic}));
    let (run, verdict) = roll_up(world, &["--mirror", "off"]);
    assert_eq!((run.code, &verdict["p0"]["status"]), (1, &json!("NO-GO")), "{}", run.stderr);
    assert_eq!(subjects(&verdict, "M2J-B1"), ["M2.B".to_owned()].into(), "{verdict:#}");
    let owner = json!([{"Key": "owner", "Value": "platform-team"}]);
    world.aws.hand("iam", "TagRole", json!({"RoleName": role, "Tags": owner}));
}

/// What stands in the mirror is judged like what stands here.
fn altered_mirrors_are_refused(world: &World) {
    let key = |file: &str| {
        let listed = world.aws.hand("s3", "ListObjectsV2", json!({"Bucket": BUCKET, "Prefix": MIRROR}));
        let keys = listed["Contents"].as_array().unwrap().iter().map(|object| object["Key"].as_str().unwrap());
        keys.into_iter().find(|key| key.ends_with(file)).unwrap().to_owned()
    };
    let refused = |key: &str, file: &str| {
        let folder = key.rsplit_once('/').unwrap().0;
        let run = run_in(world, ["verify", &format!("s3://{BUCKET}/{folder}/")]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{key}: {}", run.stderr);
        assert!(run.stderr.contains(file) && run.stderr.contains("help: "), "{key}: {}", run.stderr);
    };
    let altered = key("/m2a_backend_conformance_snapshot.json");
    world.aws.hand("s3", "PutObject", json!({"Bucket": BUCKET, "Key": altered, "Body": "{}"}));
    refused(&altered, "m2a_backend_conformance_snapshot.json");
    let removed = key("/m2b_blocker_register.json");
    world.aws.hand("s3", "DeleteObject", json!({"Bucket": BUCKET, "Key": removed}));
    refused(&removed, "m2b_blocker_register.json");
    let unfinished =
        key("/m2c_msk_identity_snapshot.json").replace("m2c_msk_identity_snapshot.json", "manifest.sha256");
    world.aws.hand("s3", "DeleteObject", json!({"Bucket": BUCKET, "Key": unfinished}));
    refused(&unfinished, "manifest.sha256");
}

/// One pack a lane, each altered in its own way.
fn altered_packs_are_refused(world: &World) {
    let root = world.folder().join(ROOT);
    let names: BTreeSet<String> =
        files(&root).keys().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
    let pack = |lane: &str| {
        let name = names.iter().find(|name| name.starts_with(&format!("{lane}_"))).unwrap();
        (root.join(name), name.split_once('_').unwrap().1.to_owned())
    };
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let other = world.folder().join("other");
    let run = run_in(world, ["eval", "applied.json", "--evidence-root", "other", "-o", "table=other.txt"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let summary_of = |lane: &str| {
        let summary = format!("{lane}_execution_summary.json");
        let found = files(&other).into_iter().find(|(name, _)| name.ends_with(&summary)).unwrap();
        (summary, found.1)
    };

    // What was done to the pack of each lane, and the file that `verify` must name for it.
    let mut altered: Vec<(&str, String)> = Vec::new();
    for (lane, file) in [
        ("m2a", "m2a_execution_summary.json"),
        ("m2b", "m2b_blocker_register.json"),
        ("m2c", "m2c_msk_identity_snapshot.json"),
        ("m2d", "statement.intoto.json"),
        ("m2e", "manifest.sha256"),
        ("m2g", "terraform_apply.log"),
    ] {
        flip(&pack(lane).0.join(file));
        altered.push((lane, file.to_owned()));
    }
    fs::remove_file(pack("m2f").0.join("m2f_plaintext_leakage_scan.json")).unwrap();
    altered.push(("m2f", "m2f_plaintext_leakage_scan.json".to_owned()));
    fs::write(pack("m2h").0.join("m2h_more.json"), "{}").unwrap();
    altered.push(("m2h", "m2h_more.json".to_owned()));
    let folder = pack("m2i").0;
    fs::rename(folder.join("m2i_residual_scan_snapshot.json"), folder.join("m2i_residual_scan.json")).unwrap();
    altered.push(("m2i", "m2i_residual_scan".to_owned()));
    let (summary, bytes) = summary_of("m2j");
    fs::write(pack("m2j").0.join(&summary), bytes).unwrap();
    altered.push(("m2j", summary));

    for (lane, file) in &altered {
        let folder = pack(lane).0;
        let run = run_in(world, ["verify", folder.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{lane}: {}", run.stderr);
        // A digest that was altered in the manifest may still be one: then it is the digest of no file, and that file is named.
        let is_named =
            run.stderr.contains(file) || *lane == "m2e" && run.stderr.contains("m2e_runtime_path_governance");
        assert!(is_named, "{lane}: {file} is not named: {}", run.stderr);
        assert!(run.stderr.contains("help: "), "{lane}: {}", run.stderr);
    }

    // A summary from another run is refused for a lane of the rollup, too, whatever else is right.
    let (run, verdict) = roll_up(world, &["--mirror", "off"]);
    assert_eq!((run.code, &verdict["p0"]["status"]), (1, &json!("NO-GO")), "{}", run.stderr);
    assert_eq!(subjects(&verdict, "M2J-B1").len(), 9, "{verdict:#}");
}

#[test]
fn the_manuals_waiver_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let manual = blocks(&manual());
    let waivers = manual.iter().find(|block| block.language == "toml").expect("one example");
    fs::write(folder.path().join("waivers.toml"), &waivers.text).unwrap();
    let facts = tools::repository().join("tests/fixtures/facts/ready.json");
    let run = run_alone(folder.path(), ["eval", facts.to_str().unwrap(), "--waivers", "waivers.toml", "-o", "json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(run.json()["waivers"][0]["status"], "unused");
}
