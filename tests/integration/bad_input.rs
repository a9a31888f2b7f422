//! Wrong input of every kind: a clear refusal with what to do next, the right exit code, and nothing half-written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fixtures;
use crate::harness::factgate::{Run, run_alone, run_in, run_without_room};
use crate::harness::files::files;
use crate::harness::registry;
use crate::harness::world::World;

/// Asserts that a run was refused: its exit code, what its message says, that it ends with what to do, and no panic.
pub(crate) fn assert_refused(run: &Run, code: i32, says: &[&str]) {
    assert_eq!(run.code, code, "{run:#?}");
    assert!(run.stdout.is_empty(), "{run:#?}");
    assert!(!run.stderr.contains("panicked"), "{run:#?}");
    for part in says {
        assert!(run.stderr.contains(part), "{part:?} is not in {run:#?}");
    }
    let advice = ["\nhelp: ", "\nFor more information, try '--help'.\n"];
    assert!(advice.iter().any(|advice| run.stderr.contains(advice)), "{run:#?}");
}

fn ready() -> String {
    fs::read_to_string(fixtures::folder().join("ready.json")).unwrap()
}

/// Evaluates a file with every output there is; whatever it gives, a refusal leaves the folder as it was.
fn refuse_document(bytes: &[u8], says: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), bytes).unwrap();
    let outputs = ["-o", "json=verdict.json", "-o", "table", "--evidence-root", "packs"];
    let run = run_alone(folder.path(), ["eval", "facts.json"].iter().chain(&outputs));
    assert_refused(&run, 4, says);
    assert_eq!(names(folder.path()), ["facts.json"]);
}

/// Everything in a folder, empty folders and temporary files included.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn documents_that_are_no_documents_are_refused() {
    let ready = ready();
    refuse_document(b"", &["facts.json: the file is empty"]);
    refuse_document(&ready.as_bytes()[..ready.len() / 2], &["facts.json:", "truncated"]);
    refuse_document(&[b"[".repeat(200_000), b"]".repeat(200_000)].concat(), &["facts.json:1:", "nest deeper than"]);
    refuse_document("[".repeat(200_000).as_bytes(), &["facts.json:1:", "nest deeper than"]);
    refuse_document(b"{\"format\": \xff}", &["facts.json:1:", "UTF-8"]);
    refuse_document(b"[]", &["facts.json", "not a fact document"]);
    refuse_document(b"{\"a\": 1,}", &["facts.json:1:9", "not JSON"]);
    let newer = ready.replace("factgate.facts/v1", "factgate.facts/v2");
    refuse_document(newer.as_bytes(), &["facts.json:", "factgate.facts/v2", "factgate.facts/v1"]);
    let twice = ready.replacen('{', "{\"run\": {},", 1);
    refuse_document(twice.as_bytes(), &["facts.json:", "the key \"run\" occurs twice"]);
    let nested = ready.replacen("\"caller_identity\": {", "\"caller_identity\": {\"status\": \"absent\",", 1);
    refuse_document(nested.as_bytes(), &["facts.json:", "the key \"status\" occurs twice"]);
    let unknown = ready.replacen('{', "{\"extra\": {},", 1);
    refuse_document(unknown.as_bytes(), &["facts.json:", "extra"]);
}

#[test]
fn a_document_of_a_hundred_megabytes_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("facts.json")).unwrap();
    file.set_len(100 << 20).unwrap();
    let run = run_alone(folder.path(), ["eval", "facts.json", "--evidence-root", "packs"]);
    assert_refused(&run, 4, &["facts.json: larger than 64 MiB"]);
    assert_eq!(names(folder.path()), ["facts.json"]);
}

#[test]
fn an_edited_document_is_refused_and_an_unsealed_one_is_never_go() {
    let edited = ready().replace("\"Enabled\"", "\"Suspended\"");
    refuse_document(edited.as_bytes(), &["facts.json", "the digest does not match"]);
    let mut unsealed: Value = serde_json::from_str(&ready()).unwrap();
    unsealed.as_object_mut().unwrap().remove("digest");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), unsealed.to_string()).unwrap();
    let run = run_alone(folder.path(), ["eval", "facts.json", "-o", "json"]);
    assert_eq!(run.code, 1, "{run:#?}");
    let verdict = run.json();
    assert_eq!((&verdict["outcome"], &verdict["facts"]["sealed"]), (&json!("NO-GO"), &json!(false)));
    assert!(verdict["reasons"][0].as_str().unwrap().contains("seal"), "{}", verdict["reasons"]);
}

#[test]
fn a_bad_document_among_good_ones_leaves_no_half_of_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.json"), ready()).unwrap();
    fs::write(folder.path().join("bad.json"), "{").unwrap();
    let outputs = ["-o", "json=verdict.json", "--evidence-root", "packs"];
    let run = run_alone(folder.path(), ["eval", "good.json", "bad.json"].iter().chain(&outputs));
    assert_refused(&run, 4, &["bad.json"]);
    assert_eq!(names(folder.path()), ["bad.json", "good.json"]);

    fs::copy(fixtures::folder().join("unreadable.json"), folder.path().join("bad.json")).unwrap();
    let run = run_alone(folder.path(), ["eval", "good.json", "bad.json", "-o", "json"]);
    assert_eq!(run.code, 3, "{run:#?}");
    let outcomes: Vec<Value> =
        run.json().as_array().unwrap().iter().map(|verdict| verdict["outcome"].clone()).collect();
    assert_eq!(outcomes, ["GO", "NO-GO"]);
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), ready()).unwrap();
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (&["eval", "facts.json", "--evidense-root", "x"], 2, &["--evidense-root", "--evidence-root"]),
        (&["evaluate", "facts.json"], 2, &["evaluate", "eval"]),
        (&["eval"], 2, &["FACTS"]),
        (&["eval", "facts.json", "-o", "yaml"], 2, &["yaml", "json"]),
        (&["eval", "facts.json", "--policy-timeout", "soon"], 2, &["soon"]),
        (&["gate"], 2, &["no handle registry is given"]),
        (&["eval", "facts.json", "--config", "none.toml"], 2, &["none.toml", "caused by"]),
        (&["eval", "nothing.json"], 4, &["nothing.json: the fact document cannot be read"]),
        (&["eval", "facts.json", "--lane", "M2.Q"], 5, &["M2.Q", "M2.A"]),
    ];
    for (arguments, code, says) in cases {
        assert_refused(&run_alone(folder.path(), arguments), code, says);
    }
    fs::write(folder.path().join("factgate.toml"), "policy_timeout = \"5s\"\nevidense_root = \"x\"\n").unwrap();
    let run = run_alone(folder.path(), ["eval", "facts.json"]);
    assert_refused(&run, 2, &["factgate.toml:2:1: unknown key `evidense_root`", "did you mean `evidence_root`?"]);
    assert_eq!(names(folder.path()), ["factgate.toml", "facts.json"]);
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), ready()).unwrap();
    for target in ["missing/verdict.json", "facts.json/verdict.json", "."] {
        let output = format!("json={target}");
        // It shows before anything else is done: no pack stands beside an answer that could not be given.
        let run = run_alone(folder.path(), ["eval", "facts.json", "-o", &output, "--evidence-root", "packs"]);
        assert_refused(&run, 4, &[&format!("{target} cannot be written"), "caused by"]);
        assert_eq!(names(folder.path()), ["facts.json"]);
    }
}

#[test]
fn places_that_cannot_be_written_are_refused_before_anything_is_collected() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("registry.md"), "* `AWS_REGION = \"eu-west-2\"`\n").unwrap();
    for (option, place, what) in [
        ("--facts", "missing/facts.json", "the fact document"),
        ("--raw", "registry.md/raw", "raw answers"),
        ("--evidence-root", "registry.md/packs", "evidence packs"),
    ] {
        let run = run_alone(folder.path(), ["gate", "--registry", "registry.md", option, place]);
        assert_refused(&run, 4, &[&format!("{what} cannot be written to {place}"), "nothing was collected"]);
        assert_eq!(names(folder.path()), ["registry.md"]);
    }
}

/// To pass over what was asked for would leave a file unwritten that somebody reads.
#[test]
fn a_format_that_a_command_does_not_have_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), ready()).unwrap();
    for command in [&["collect"][..], &["handles", "pin"], &["rehearse", "--resume"]] {
        let run = run_alone(folder.path(), command.iter().chain(&["-o", "json=out.json"]));
        assert_refused(
            &run,
            2,
            &[&format!("{} has no result", command[..command.len().min(2)].join(" ").replace(" --resume", ""))],
        );
    }
    let twice = ["eval", "facts.json", "-o", "json=out", "-o", "markdown=./out"];
    assert_refused(&run_alone(folder.path(), twice), 2, &["two outputs go to"]);
    let over = ["eval", "facts.json", "-o", "json=./facts.json"];
    assert_refused(&run_alone(folder.path(), over), 2, &["two outputs go to", "the fact document"]);
    for command in [&["schema", "facts"][..], &["iam-policy"]] {
        let run = run_alone(folder.path(), command.iter().chain(&["-o", "markdown"]));
        assert_refused(&run, 2, &["is JSON, and nothing else"]);
    }
    assert_eq!(names(folder.path()), ["facts.json"]);
}

#[test]
fn who_stops_reading_the_output_does_not_change_what_was_decided() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), ready()).unwrap();
    let script = "\"$FACTGATE\" eval facts.json -o json | head -c 1; echo \"${PIPESTATUS[0]}\"";
    let mut command = assert_cmd::Command::new("bash");
    let output = command
        .env("FACTGATE", env!("CARGO_BIN_EXE_factgate"))
        .args(["-c", script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.stderr.as_slice()), ("{0\n", &b""[..]));
}

#[test]
fn what_is_json_alone_is_written_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["schema", "facts"][..], &["schema", "verdict"], &["iam-policy"]] {
        let printed = run_alone(folder.path(), arguments);
        let written = run_alone(folder.path(), arguments.iter().chain(&["-o", "json=out.json"]));
        assert_eq!((printed.code, written.code, written.stdout.as_str()), (0, 0, ""));
        assert_eq!(fs::read_to_string(folder.path().join("out.json")).unwrap(), printed.stdout);
    }
}

#[test]
fn a_pack_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), ready()).unwrap();
    let again = ["eval", "facts.json", "-o", "json", "--evidence-root", "packs"];
    // The same run with another contract gives another pack of the same name.
    let eval = || run_alone(folder.path(), again.iter().chain(&["--contract", "rollup.maximum_age_hours=25"]));
    assert_eq!(eval().code, 0);
    let kept: BTreeMap<String, Vec<u8>> = files(folder.path());
    let listed = names(folder.path());
    assert_refused(&run_alone(folder.path(), again), 4, &["exists already"]);
    assert_eq!((files(folder.path()), names(folder.path())), (kept.clone(), listed.clone()));
    // The very same pack is no other one.
    assert_eq!(eval().code, 0);
    assert_eq!((files(folder.path()), names(folder.path())), (kept, listed));

    // Some packs exist: the others must not appear beside them.
    let lanes = |prefix: &str| names(&folder.path().join("packs")).into_iter().find(|name| name.starts_with(prefix));
    for lane in ["m2a", "m2b"] {
        fs::remove_dir_all(folder.path().join("packs").join(lanes(lane).unwrap())).unwrap();
    }
    let listed = names(folder.path());
    assert_refused(&run_alone(folder.path(), again), 4, &["m2c_", "exists already"]);
    assert_eq!(names(folder.path()), listed);
}

#[test]
fn packs_that_cannot_be_written_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facts.json"), ready()).unwrap();
    // A file stands where the folder should be.
    fs::write(folder.path().join("packs"), "").unwrap();
    let run = run_alone(folder.path(), ["eval", "facts.json", "--evidence-root", "packs"]);
    assert_refused(&run, 4, &["packs", "cannot be written", "caused by"]);
    fs::remove_file(folder.path().join("packs")).unwrap();
    // Without room for a file of more than 4 KiB, as on a disk that is full, but for the superuser, too.
    let run = run_without_room(folder.path(), ["eval", "facts.json", "--evidence-root", "packs"]);
    assert_refused(&run, 4, &["packs", "cannot be written", "caused by"]);
    assert_eq!(names(folder.path()), ["facts.json", "packs"]);
}

#[test]
fn a_registry_that_cannot_be_used_is_refused_with_its_place() {
    let world = World::empty();
    let gate = |name: &str| {
        let run = run_in(&world, ["gate", "--registry", name, "--terraform", "off", "--facts", "facts.json"]);
        assert!(!world.folder().join("facts.json").exists() && !world.folder().join("runs").exists());
        run
    };
    assert_refused(&gate("nowhere.md"), 4, &["nowhere.md: the handle registry cannot be read"]);
    assert_refused(&gate("terraform"), 4, &["terraform"]);
    world.change_registry(|text| {
        registry::set_handle(text, "MSK_REGION", &json!("MARK")).replace("\"MARK\"", "eu-west-2")
    });
    let text = fs::read_to_string(world.registry()).unwrap();
    let line = text.lines().position(|line| line.starts_with("* `MSK_REGION")).unwrap() + 1;
    let place = format!("dev_full.registry.md:{line}:");
    assert_refused(&gate("dev_full.registry.md"), 4, &[&place, "MSK_REGION is not a JSON literal"]);
    world.set_registry("# Nothing is pinned here\n");
    assert_refused(&gate("dev_full.registry.md"), 4, &["dev_full.registry.md:", "no handle is pinned here"]);
}

#[test]
fn a_run_without_credentials_is_refused_before_anything_is_read() {
    let world = World::empty();
    let listed = names(world.folder());
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_factgate"));
    let command = world.enter(&mut command).env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let arguments = ["gate", "--registry", "dev_full.registry.md", "--terraform-root", "terraform", "--raw", "raw"];
    let output = command.args(arguments).current_dir(world.folder()).output().unwrap();
    let run = Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert_refused(&run, 4, &["credentials"]);
    assert_eq!(names(world.folder()), listed);
    assert!(world.aws.log().iter().all(|call| !call.is_collectors()));
}

#[test]
fn a_missing_terraform_makes_its_facts_unreadable() {
    let world = World::applied();
    let fixed =
        ["gate", "--registry", "dev_full.registry.md", "--terraform-root", "terraform", "--facts", "facts.json"];
    let run = run_in(
        &world,
        fixed.iter().chain(&["--lane", "M2.A,M2.B,M2.C", "--terraform-binary", "nowhere", "--evidence-root", "packs"]),
    );
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(run.code, 3, "{}\n{}", run.stderr, run.stdout);
    assert!(run.stdout.contains("TerraformNotFound"), "{}", run.stdout);
    // The fact itself says what to do.
    let facts: Value = serde_json::from_slice(&fs::read(world.folder().join("facts.json")).unwrap()).unwrap();
    let message = facts["terraform"]["stacks"]["core"]["init"]["error"]["message"].as_str().unwrap();
    assert!(message.contains("`nowhere`") && message.contains("help: install Terraform"), "{message}");
}
