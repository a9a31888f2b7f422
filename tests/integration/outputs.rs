//! What people and machines read: the tables, the verdicts and the evidence of the archived documents.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::fixtures;
use crate::harness::factgate::{Run, run_alone};
use crate::harness::files::files;

const DOCUMENTS: [&str; 3] = ["ready", "blocked", "unreadable"];

fn eval(document: &str, more: &[&str]) -> Run {
    let file = format!("{document}.json");
    run_alone(&fixtures::folder(), ["eval", &file].iter().chain(more))
}

/// Compares with `snapshots/<name>.snap`. The digests of policies are left out: each change of a rule would change them all.
fn assert_snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
        filters => [(r"(rules  |policies_digest.: .|Policies: `)sha256:[0-9a-f]{64}", "${1}[digest of the policies]")],
    }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn tables_read_as_archived() {
    for document in DOCUMENTS {
        let run = eval(document, &["-o", "table"]);
        assert_snapshot(&format!("verdict__{document}__table"), &run.stdout);
    }
}

#[test]
fn tables_have_neither_styles_nor_blanks_at_the_end_of_a_line() {
    for document in DOCUMENTS {
        let run = eval(document, &[]);
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
        for line in run.stdout.lines() {
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn closure_notes_read_as_archived() {
    for document in DOCUMENTS {
        let run = eval(document, &["-o", "markdown"]);
        assert_snapshot(&format!("verdict__{document}__markdown"), &run.stdout);
    }
}

/// What holds is left out, so that the rest can be reviewed: the checks by code and cause, and the blockers in full.
#[test]
fn verdicts_read_as_archived() {
    for document in DOCUMENTS {
        let mut verdict = eval(document, &["-o", "json"]).json();
        for lane in verdict["lanes"].as_array_mut().unwrap() {
            for code in lane["codes"].as_array_mut().unwrap() {
                let mut counts: BTreeMap<String, usize> = BTreeMap::new();
                for check in code["checks"].as_array().unwrap() {
                    *counts.entry(check["cause"].as_str().unwrap().to_owned()).or_default() += 1;
                }
                code["checks"] = json!(counts);
            }
        }
        verdict["policies"]["digest"] = json!("[digest of the policies]");
        assert_snapshot(&format!("verdict__{document}__json"), &format!("{verdict:#}"));
    }
}

#[test]
fn evidence_reads_as_archived() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let run = eval("blocked", &["--evidence-root", root]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let packs = files(folder.path());
    for (lane, artifact) in
        [("m2a", "execution_summary"), ("m2b", "core_output_handle_matrix"), ("m2c", "blocker_register")]
    {
        let (_, bytes) =
            packs.iter().find(|(name, _)| name.ends_with(&format!("/{lane}_{artifact}.json"))).expect("the artifact");
        let body: Value = serde_json::from_slice(bytes).unwrap();
        assert_snapshot(&format!("artifact__{lane}_{artifact}__json"), &format!("{body:#}"));
    }
}

#[test]
fn codes_read_as_archived() {
    let run = run_alone(&fixtures::folder(), ["codes", "-o", "table"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_snapshot("codes__all__table", &run.stdout);
}
