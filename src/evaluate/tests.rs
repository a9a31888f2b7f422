//! Evaluation of small policies: each test is a claim about what blocks, what passes and what is an error.

mod lanes;
mod rules;
mod waivers;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{Document, EvaluateError, Evaluation, evaluate};
use crate::check::Cause;
use crate::exit::ExitCode;
use crate::policy::{Origin, Policies, PolicyError, PolicyOptions, PolicySet};
use crate::verdict::{LaneStatus, Outcome};
use crate::waiver::{Waiver, WaiverStatus};

/// A check that holds if `input.<subject>` is true, as a policy's helper would build it.
const CHECK: &str = r#"# METADATA
# title: Checks
package lib.check

is_true(subject) := {
	"subject": subject,
	"claim": "it is true",
	"ok": ok,
	"cause": _cause(object.get(input, subject, "unreadable")),
	"expected": true,
	"actual": object.get(input, subject, null),
	"facts": [sprintf("/%v", [subject])],
} if {
	ok := object.get(input, subject, null) == true
}

_cause(value) := object.get({"true": "none", "false": "violated"}, sprintf("%v", [value]), value)
"#;

/// A lane whose codes claim that the input's fields of the same names are true.
fn lane(name: char, upstream: &str, rules: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let next = match name {
        'j' => String::new(),
        _ => format!("next: M2.{}, ", char::from(upper as u8 + 1)),
    };
    format!(
        "# METADATA\n# title: Lane {upper}\n# custom: {{lane: M2.{upper}, {next}upstream: [{upstream}], \
         definition_of_done: [{{item: it is done, codes: [M2{upper}-B1]}}], artifacts: [m2{name}_summary.json]}}\n\
         package m2.{name}\n\nimport data.lib.check\n\n\
         # METADATA\n# title: The first\n\
         # custom: {{code: M2{upper}-B1, severity: S1, taxonomy: M2-B1, remediation: Make it true.}}\n{rules}\n\n\
         artifacts := {{\"m2{name}_summary.json\": {{\"verdict\": data.factgate.verdict.lanes[\"M2.{upper}\"].status, \
         \"blockers\": data.factgate.verdict.lanes[\"M2.{upper}\"].blockers, \"tool\": data.factgate.tool.name, \
         \"policies\": data.factgate.policies_digest, \"facts\": object.get(input, \"digest\", null)}}}}\n"
    )
}

fn files(rules: &str) -> Vec<(String, String)> {
    vec![("lib/check.rego".into(), CHECK.into()), ("m2/a/rules.rego".into(), lane('a', "", rules))]
}

/// Lanes A, B and C in a chain, each with one code that claims its own letter.
fn chain() -> Vec<(String, String)> {
    let mut files = vec![("lib/check.rego".to_owned(), CHECK.to_owned())];
    for (letter, upstream) in [('a', ""), ('b', "M2.A"), ('c', "M2.B")] {
        let rules = format!("b1 contains check.is_true(\"{letter}\")");
        files.push((format!("m2/{letter}/rules.rego"), lane(letter, upstream, &rules)));
    }
    files
}

fn compile_with(files: Vec<(String, String)>, options: &PolicyOptions) -> Result<Policies, PolicyError> {
    let files: BTreeMap<String, Vec<u8>> = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    Policies::compile(PolicySet::from_files(Origin::Memory, files)?, options)
}

fn compile(files: Vec<(String, String)>) -> Policies {
    compile_with(files, &PolicyOptions::default()).unwrap()
}

fn document(facts: Value, sealed: bool) -> Document {
    let mut document = json!({
        "run": {"phase_execution_id": "m2_20260101T000000Z", "collected_at": "2026-01-01T00:00:00Z"},
        "digest": "sha256:00",
    });
    let fields: Map<String, Value> = facts.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(fields);
    Document::new(document, sealed).unwrap()
}

fn run(files: Vec<(String, String)>, facts: Value) -> Result<Evaluation, EvaluateError> {
    evaluate(&document(facts, true), &compile(files), &[], &[])
}

fn policy_error(rules: &str) -> String {
    match run(files(rules), json!({"a": true})) {
        Err(EvaluateError::Policy(error)) => {
            assert_eq!(error.exit_code(), ExitCode::Input);
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

fn statuses(evaluation: &Evaluation) -> Vec<(LaneStatus, Vec<String>, String)> {
    let lanes = evaluation.verdict.lanes.iter();
    lanes.map(|lane| (lane.status, lane.blocked_by.clone(), lane.next_gate.clone())).collect()
}

/// Lanes A and B; B's second code is S2 and can be waived.
fn waivable() -> Vec<(String, String)> {
    let mut files = chain();
    files.truncate(3);
    files[2].1.push_str(
        "\n# METADATA\n# title: The second\n\
         # custom: {code: M2B-B2, severity: S2, taxonomy: M2-B8, remediation: Make it true.}\n\
         b2 contains check.is_true(\"x\")\n\nb2 contains check.is_true(\"y\")\n",
    );
    files
}
