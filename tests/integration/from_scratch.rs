//! From `init` to green: the README's section on writing a rule, done as it stands, and what a new project carries.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use regex::Regex;
use serde_json::{Value, json};

use crate::harness::documentation::{Block, blocks};
use crate::harness::factgate::run_alone;
use crate::harness::files::files;
use crate::harness::gate::blockers;
use crate::harness::{opa, tools};

/// A project as `init` writes it.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = run_alone(folder.path(), ["init"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    folder
}

/// The section's blocks.
fn section() -> Vec<Block> {
    let readme = fs::read_to_string(tools::repository().join("README.md")).unwrap();
    let section: Vec<Block> = blocks(&readme).into_iter().filter(|block| block.heading == "Write a rule").collect();
    assert!(section.len() > 3, "{section:#?}");
    section
}

/// Types commands into a shell that starts in a folder; gives what they print, and the folder that the shell ends in.
fn type_in(folder: &Path, commands: &str) -> (String, PathBuf) {
    let program = Path::new(env!("CARGO_BIN_EXE_factgate")).parent().unwrap();
    let output = Command::new("bash")
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .args(["-euo", "pipefail", "-c", &format!("{commands}\npwd")])
        .current_dir(folder)
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{commands}\n{stdout}\n{stderr}");
    let last = stdout.trim_end().lines().next_back().unwrap().into();
    (stdout, last)
}

#[test]
fn the_readme_leads_from_nothing_to_a_lane_that_is_go() {
    let folder = tempfile::tempdir().unwrap();
    let file = Regex::new(r"`(policies/[^`]*[.]rego)`").unwrap();
    let (mut printed, mut inside) = (String::new(), folder.path().to_owned());
    let (mut written, mut compared) = (0, 0);
    for block in section() {
        match block.language.as_str() {
            "sh" => (printed, inside) = type_in(&inside, &block.text),
            "rego" => {
                let path = inside.join(&file.captures(&block.introduction).expect("the file is named")[1]);
                assert_ne!(
                    fs::read_to_string(&path).unwrap(),
                    block.text,
                    "`new rule` wrote it for its author to change"
                );
                fs::write(path, block.text).unwrap();
                written += 1;
            }
            "text" => {
                assert!(printed.contains(&block.text), "{}\n{printed}", block.text);
                compared += 1;
            }
            other => panic!("nobody does anything with {other}"),
        }
    }
    assert_eq!((written, compared), (2, 1), "a rule, its tests, and the verdict");

    // The lane proves something: it blocks where its fact is another, and its tests go through all of it.
    let mut facts: Value = serde_json::from_slice(&fs::read(inside.join("facts.json")).unwrap()).unwrap();
    facts["aws"]["s3"]["buckets"]["example-dev-evidence"]["public_access_block"]["value"]["BlockPublicAcls"] =
        false.into();
    facts.as_object_mut().unwrap().remove("digest");
    fs::write(inside.join("open.json"), facts.to_string()).unwrap();
    let run = run_alone(&inside, ["eval", "open.json"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("M2B-B1") && run.stdout.contains("BlockPublicAcls is on"), "{}", run.stdout);
    let run = run_alone(&inside, ["test", "--coverage", "-o", "json"]);
    for (file, lines) in run.json()["lines"].as_object().unwrap() {
        assert!(!file.starts_with("m2/") || lines["not_covered"] == json!([]), "{file}: {lines}");
    }
}

#[test]
fn a_new_rule_blocks_until_it_claims_something() {
    let folder = project();
    for code in ["M2A-B2", "M2J-B1"] {
        let run = run_alone(folder.path(), ["new", "rule", code]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let run = run_alone(folder.path(), ["eval", "facts.json", "-o", "json"]);
        let verdict: Value = run.json();
        let blocks = blockers(&verdict).any(|blocker| blocker["code"] == code);
        assert!(run.code == 1 && blocks, "{code}: {verdict:#}");
        for command in ["check", "test"] {
            let run = run_alone(folder.path(), [command]);
            assert_eq!(run.code, 0, "{command}: {}{}", run.stdout, run.stderr);
        }
    }
}

#[test]
fn what_is_there_is_never_replaced() {
    let folder = project();
    let before = files(folder.path());
    for (arguments, reason) in [
        (&["init"][..], "there already"),
        (&["new", "rule", "M2A-B1"], "M2A-B1 has its rule"),
        (&["new", "rule", "M2K-B1"], "no blocker code"),
        (&["new", "rule", "M2A-B2", "--title", " "], "no line of text"),
        (&["init", "-o", "json", "elsewhere"], "init"),
    ] {
        let run = run_alone(folder.path(), arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(reason) && run.stderr.contains("help:"), "{arguments:?}: {}", run.stderr);
        assert_eq!(files(folder.path()), before, "{arguments:?}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    let run = run_alone(nowhere.path(), ["new", "rule", "M2A-B1"]);
    assert!(run.code == 2 && run.stderr.contains("factgate init"), "{}", run.stderr);
}

#[test]
fn opa_accepts_a_new_project_and_passes_its_tests() {
    let folder = project();
    assert_eq!(run_alone(folder.path(), ["new", "rule", "M2B-B1"]).code, 0);
    let result = opa::evaluate(&[json!({"policies": [folder.path().join("policies")], "tests": true})]).remove(0);
    assert!(result.get("error").is_none(), "{result:#}");
    let tests = result["tests"].as_object().unwrap();
    assert!(tests.len() > 50, "{}", tests.len());
    for (name, outcome) in tests {
        assert_eq!(*outcome, json!({"value": true}), "{name}");
    }
}

#[test]
fn the_schemas_of_a_new_project_accept_its_files() {
    let folder = project();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let schema = |name: &str| -> Value { serde_json::from_str(&read(&format!("schemas/{name}.schema.json"))).unwrap() };
    let facts: Value = serde_json::from_str(&read("facts.json")).unwrap();
    let verdict = run_alone(folder.path(), ["eval", "facts.json", "-o", "json"]).json();
    let settings: Value = toml::from_str(&read("factgate.toml")).unwrap();
    for (name, document) in [("facts", facts), ("verdict", verdict), ("config", settings)] {
        let validator = jsonschema::draft202012::new(&schema(name)).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        assert!(!validator.is_valid(&json!({"nothing": "of this name"})), "{name}");
    }

    // An editor finds each where it is said to be.
    let editor = read(".vscode/settings.json");
    let named: Vec<&str> =
        Regex::new(r"schemas/\w+[.]schema[.]json").unwrap().find_iter(&editor).map(|found| found.as_str()).collect();
    assert!(named.len() > 5, "{named:?}");
    for name in named {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
}

#[test]
fn the_commands_of_a_new_projects_ci_and_hooks_pass() {
    let folder = project();
    let commands = |name: &str, key: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(key));
        lines.filter(|command| command.starts_with("factgate ")).map(str::to_owned).collect()
    };
    let ci = commands(".github/workflows/factgate.yml", "run: ");
    let hooks = commands(".pre-commit-config.yaml", "entry: ");
    assert_eq!((ci.len(), hooks.len()), (3, 2), "{ci:?} {hooks:?}");
    for command in ci.iter().chain(&hooks) {
        type_in(folder.path(), command);
    }
    assert!(folder.path().join("factgate.sarif").is_file());
}
