//! The failures of the gate that this one replaces: each has a test that it cannot come back.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::bad_policies::workspace;
use crate::documents::{judge_sealed, ready};
use crate::fixtures;
use crate::harness::factgate::{Run, run_alone, run_in};
use crate::harness::files::files;
use crate::harness::gate::{blockers, gate};
use crate::harness::world::World;

/// The blockers of a verdict by code, subject and cause.
fn blocking(verdict: &Value) -> Vec<(String, String, String)> {
    let text = |blocker: &Value, field: &str| blocker[field].as_str().unwrap().to_owned();
    blockers(verdict).map(|blocker| (text(blocker, "code"), text(blocker, "subject"), text(blocker, "cause"))).collect()
}

/// It expected key and value in two spans, found none, and every handle read as missing.
#[test]
fn an_assignment_in_one_backticked_span_is_a_handle() {
    let folder = tempfile::tempdir().unwrap();
    let policy = |line: &str| -> Run {
        fs::write(folder.path().join("registry.md"), format!("# Handles\n\n{line}\n")).unwrap();
        run_alone(folder.path(), ["iam-policy", "--registry", "registry.md"])
    };
    let run = policy("* `TF_STATE_BUCKET = \"the-one-bucket\"`");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("arn:aws:s3:::the-one-bucket"), "{}", run.stdout);
    // What looks pinned and is in no form that is read is an error with its line, not a handle that is missing.
    let run = policy("* `TF_STATE_BUCKET` = `\"the-one-bucket\"`");
    assert_eq!((run.code, run.stdout.as_str()), (4, ""));
    assert!(run.stderr.contains("registry.md:3:") && run.stderr.contains("help: "), "{}", run.stderr);
}

/// A call that AWS refused as wrong was taken for a resource that is not there.
#[test]
fn a_call_that_aws_refuses_as_wrong_is_unreadable_and_not_absent() {
    let world = World::bootstrapped();
    let reply = json!({"status": 400, "json": {"message": "1 validation error detected"}});
    let mut rule = json!({"service": "dynamodb", "op": "DescribeTable", "reply": reply});
    rule["reply"]["headers"] = json!({"x-amzn-errortype": "ValidationException"});
    world.aws.add_rule(rule);
    let run = gate(&world, &["--lane", "M2.A", "--terraform", "off"]);
    assert!([1, 3].contains(&run.code), "{}", run.stderr);
    let blockers = blocking(&world.json("verdict.json"));
    let of_table: Vec<_> = blockers.iter().filter(|(_, subject, _)| subject == "TF_LOCK_TABLE").collect();
    assert!(!of_table.is_empty() && of_table.iter().all(|(.., cause)| cause == "unreadable"), "{of_table:?}");
    let facts = world.json("facts.json");
    let table = &facts["aws"]["dynamodb"]["tables"]["fraud-platform-dev-full-tf-locks"]["table"];
    assert_eq!((&table["status"], &table["error"]["kind"]), (&json!("unreadable"), &json!("rejected")), "{table:#}");
    assert_eq!(table["error"]["code"], "ValidationException");
}

/// It read example files beside the stacks, which were no HCL, instead of the configuration that Terraform uses.
#[test]
fn backend_example_files_decide_nothing_and_a_backend_that_is_no_hcl_blocks() {
    let world = World::applied();
    let core = world.terraform_root().join("core");
    for example in ["backend.hcl.example", "backend.tf.example", "backend.hcl"] {
        fs::write(core.join(example), "bucket: somewhere-else\nkey: <fill in>\n").unwrap();
    }
    let run = gate(&world, &["--lane", "M2.A"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);

    let versions = core.join("versions.tf");
    let text = fs::read_to_string(&versions).unwrap();
    fs::write(&versions, text.replacen("backend \"s3\" {", "backend \"s3\" {\n    bucket: <fill in>", 1)).unwrap();
    let run = gate(&world, &["--lane", "M2.A"]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    let blockers = blocking(&world.json("verdict.json"));
    assert!(blockers.iter().any(|(code, ..)| code == "M2A-B3"), "{blockers:?}");
}

/// Two lanes wrote no blocker register, which the rollup found out at the end.
#[test]
fn a_lane_that_writes_no_blocker_register_is_refused_before_anything_is_written() {
    let folder = workspace();
    let evidence = folder.path().join("policies/m2/g/evidence.rego");
    let text = fs::read_to_string(&evidence).unwrap();
    let register = "\t\t\"m2g_blocker_register.json\": report.blocker_register(\"M2.G\"),\n";
    assert!(text.contains(register));
    fs::write(&evidence, text.replace(register, "")).unwrap();
    let arguments = ["eval", "facts.json", "--policies", "policies", "--evidence-root", "packs"];
    let run = run_alone(folder.path(), arguments);
    assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{}", run.stderr);
    assert!(run.stderr.contains("m2g_blocker_register.json"), "{}", run.stderr);
    assert!(!folder.path().join("packs").exists());
}

/// `"200"` is no number, and as a text it is less than `"30"`.
#[test]
fn a_number_that_a_registry_pins_as_a_text_blocks() {
    for handle in ["IG_RATE_LIMIT_RPS", "FLINK_PARALLELISM_DEFAULT", "DEV_FULL_MONTHLY_BUDGET_LIMIT_USD"] {
        let mut document = ready();
        let value = &mut document["handles"][handle]["value"];
        assert!(value.is_number(), "{handle}");
        *value = json!(value.to_string());
        let verdict = serde_json::to_value(judge_sealed(document)).unwrap();
        let blockers = blocking(&verdict);
        assert!(!blockers.is_empty(), "{handle} passes as a text");
    }
}

/// The pack of lane A of the archived ready document.
fn pack(folder: &Path) -> PathBuf {
    let facts = fixtures::folder().join("ready.json");
    let run = run_alone(folder, ["eval", facts.to_str().unwrap(), "--lane", "M2.A", "--evidence-root", "packs"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let name = fs::read_dir(folder.join("packs")).unwrap().next().unwrap().unwrap().file_name();
    folder.join("packs").join(name)
}

/// Writes a file of a pack as whoever wrote another shape would have: with a statement and a manifest that agree with it.
fn reshape(pack: &Path, name: &str, change: impl Fn(&mut Value)) {
    let mut body: Value = serde_json::from_slice(&fs::read(pack.join(name)).unwrap()).unwrap();
    change(&mut body);
    fs::write(pack.join(name), format!("{body:#}\n")).unwrap();
    let digest = |name: &str| hex::encode(Sha256::digest(fs::read(pack.join(name)).unwrap()));
    let path = pack.join("statement.intoto.json");
    let mut statement: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for subject in statement["subject"].as_array_mut().unwrap() {
        subject["digest"]["sha256"] = json!(digest(subject["name"].as_str().unwrap()));
    }
    fs::write(&path, format!("{statement:#}\n")).unwrap();
    let names = files(pack).into_keys().filter(|name| name != "manifest.sha256");
    let manifest: String = names.map(|name| format!("{}  {name}\n", digest(&name))).collect();
    fs::write(pack.join("manifest.sha256"), manifest).unwrap();
}

/// Evidence of another shape was read as if its fields said nothing, which passed.
#[test]
fn evidence_of_another_shape_is_no_evidence() {
    let summary = "m2a_execution_summary.json";
    let register = "m2a_blocker_register.json";
    let control = tempfile::tempdir().unwrap();
    let whole = pack(control.path());
    reshape(&whole, summary, |_| {});
    assert_eq!(run_alone(control.path(), ["verify", whole.to_str().unwrap()]).code, 0, "the control is whole");

    type Change = fn(&mut Value);
    let changes: [(&str, Change); 5] = [
        (summary, |body| body["overall_pass"] = json!("true")),
        (summary, |body| *body = json!([body.take()])),
        (summary, |body| {
            let fields = body.as_object_mut().unwrap();
            let pass = fields.remove("overall_pass").unwrap();
            fields.insert("pass".to_owned(), pass);
        }),
        (register, |body| *body = body["blockers"].take()),
        (register, |body| body["blockers"] = json!("none")),
    ];
    for (number, (file, change)) in changes.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let pack = pack(folder.path());
        reshape(&pack, file, change);
        let run = run_alone(folder.path(), ["verify", pack.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{number}: {}", run.stderr);
        assert!(run.stderr.contains(file), "{number}: {}", run.stderr);
    }

    // A later lane does not rest on it either.
    let world = World::bootstrapped();
    let altered = pack(world.folder());
    reshape(&altered, summary, |body| body["overall_pass"] = json!("true"));
    let run = run_in(
        &world,
        [
            "gate",
            "--registry",
            "dev_full.registry.md",
            "--terraform-root",
            "terraform",
            "--terraform",
            "off",
            "--facts",
            "facts.json",
            "--evidence-root",
            "packs",
            "--lane",
            "M2.J",
            "-o",
            "json",
        ],
    );
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        blocking(&run.json()).iter().any(|(code, subject, _)| code == "M2J-B1" && subject == "M2.A"),
        "{}",
        run.stdout
    );
}
