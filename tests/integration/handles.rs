//! `handles pin` and `iam-policy`: what the program makes of a registry, without any peer.

use std::fs;
use std::path::Path;

use crate::fixtures;
use crate::harness::factgate::run_alone;

fn registry() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/registry/dev_full.registry.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn pinning_proposes_a_diff_and_writes_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.md");
    let before = registry().replace('\n', "\r\n");
    fs::write(&path, &before).unwrap();
    let facts = fixtures::folder().join("ready.json");
    let pin = ["handles", "pin", "--registry", "registry.md", "--facts", facts.to_str().unwrap()];

    let proposal = run_alone(folder.path(), pin);
    assert_eq!(proposal.code, 0, "{}", proposal.stderr);
    assert!(proposal.stdout.starts_with("--- registry.md\n+++ registry.md\n@@"), "{}", proposal.stdout);
    assert!(proposal.stdout.contains("-* `MSK_CLUSTER_ARN = \"TO_PIN\"`"), "{}", proposal.stdout);
    assert!(proposal.stdout.contains("+* `MSK_CLUSTER_ARN = \"arn:aws:kafka:"), "{}", proposal.stdout);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);

    let written = run_alone(folder.path(), pin.iter().chain(&["--write"]));
    assert_eq!((written.code, written.stdout), (0, proposal.stdout), "{}", written.stderr);
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after.lines().count(), before.lines().count());
    for (old, new) in before.split('\n').zip(after.split('\n')) {
        assert!(old == new || old.contains("TO_PIN") && !new.contains("TO_PIN"), "{old} {new}");
    }

    let again = run_alone(folder.path(), pin.iter().chain(&["--write"]));
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    assert!(again.stderr.contains("nothing to pin"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn pinning_refuses_what_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let facts = fixtures::folder().join("ready.json");
    let mut unsealed: serde_json::Value = serde_json::from_slice(&fs::read(&facts).unwrap()).unwrap();
    unsealed.as_object_mut().unwrap().remove("digest");
    fs::write(folder.path().join("unsealed.json"), unsealed.to_string()).unwrap();
    fs::write(folder.path().join("registry.md"), registry()).unwrap();
    let facts = facts.to_str().unwrap();
    for (arguments, code, message) in [
        (&["--registry", "none.md", "--facts", facts][..], 4, "none.md: the handle registry cannot be read"),
        (&["--registry", "registry.md", "--facts", "unsealed.json"], 4, "the fact document is not sealed"),
        (&["--registry", "registry.md", "--facts", "registry.md"], 4, "registry.md"),
        (&["--facts", facts], 2, "no handle registry is given"),
        (&["--registry", "registry.md"], 2, "no fact document is given"),
        (&["--registry", "registry.md", "--unknown"], 2, "--unknown"),
    ] {
        let run = run_alone(folder.path(), ["handles", "pin"].iter().chain(arguments));
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(message), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn the_iam_policy_names_the_registrys_resources() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("registry.md"), registry()).unwrap();
    let any = run_alone(folder.path(), ["iam-policy"]);
    let named = run_alone(folder.path(), ["iam-policy", "--registry", "registry.md"]);
    assert_eq!((any.code, named.code), (0, 0), "{}", named.stderr);
    assert_eq!(any.json()["Version"], "2012-10-17");
    assert!(!any.stdout.contains("arn:aws"), "{}", any.stdout);
    assert!(named.stdout.contains("arn:aws:s3:::fraud-platform-dev-full-tfstate\""), "{}", named.stdout);
    let none = run_alone(folder.path(), ["iam-policy", "--registry", "none.md"]);
    assert_eq!(none.code, 4);
}
