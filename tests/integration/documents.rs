//! Fact documents for tests that evaluate in this process: the archived ones, and changes of `ready.json`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use factgate::evaluate::{Document, Evaluation, evaluate, judge};
use factgate::policy::{Origin, Policies, PolicyOptions, PolicySet};
use factgate::verdict::Verdict;
use factgate_collector::fact::{FactDocument, Facts};
use factgate_collector::json::escape;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixtures;
use crate::harness::files::files;
use crate::harness::tools;

/// The policies that the program is built with.
pub(crate) fn policies() -> &'static Policies {
    static POLICIES: LazyLock<Policies> =
        LazyLock::new(|| Policies::embedded(&PolicyOptions::default()).unwrap_or_else(|error| panic!("{error}")));
    &POLICIES
}

/// The files of the policies of the first three lanes, which take a fraction of the time of all.
pub(crate) fn first_lanes() -> BTreeMap<String, Vec<u8>> {
    let later = ["d", "e", "f", "g", "h", "i", "j"].map(|lane| format!("m2/{lane}/"));
    let mut files = files(&tools::repository().join("policies"));
    files.retain(|name, _| !later.iter().any(|folder| name.starts_with(folder)) && !name.ends_with("_test.rego"));
    files
}

/// The policies of the first three lanes alone.
pub(crate) fn first_policies() -> &'static Policies {
    static POLICIES: LazyLock<Policies> = LazyLock::new(|| {
        let set = PolicySet::from_files(Origin::Memory, first_lanes()).unwrap_or_else(|error| panic!("{error}"));
        Policies::compile(set, &PolicyOptions::default()).unwrap_or_else(|error| panic!("{error}"))
    });
    &POLICIES
}

/// Every archived document by its file name, as its reader gives it.
pub(crate) fn archived() -> Vec<(String, Value)> {
    let mut documents: Vec<(String, Value)> = fs::read_dir(fixtures::folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let facts = Facts::read(&path).unwrap_or_else(|error| panic!("{error}"));
            assert!(facts.is_sealed(), "{path:?}");
            (path.file_name().unwrap().to_str().unwrap().to_owned(), facts.json().clone())
        })
        .collect();
    documents.sort_by(|(left, _), (right, _)| left.cmp(right));
    assert!(documents.len() >= 3, "the archived documents are missing");
    documents
}

/// One archived document.
pub(crate) fn archive(name: &str) -> Value {
    archived().into_iter().find(|(found, _)| found == name).unwrap().1
}

/// `ready.json`, in which nothing blocks.
pub(crate) fn ready() -> Value {
    static READY: LazyLock<Value> = LazyLock::new(|| archive("ready.json"));
    READY.clone()
}

/// The verdict on a changed document as it would be if a collector had written it: typed, and sealed anew.
pub(crate) fn judge_sealed(document: Value) -> Verdict {
    judge_as_is(sealed(document))
}

/// A changed document as it would be if a collector had written it.
pub(crate) fn sealed(document: Value) -> Value {
    let typed = FactDocument::deserialize(document).expect("the change keeps the document's format");
    typed.seal().unwrap_or_else(|error| panic!("{error}")).json().clone()
}

/// Evaluates whatever has an identity and a digest, right or wrong.
pub(crate) fn evaluate_as_is(document: Value) -> Evaluation {
    let document = Document::new(document, true).unwrap_or_else(|error| panic!("{error}"));
    evaluate(&document, policies(), &[], &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The verdict alone.
pub(crate) fn judge_as_is(document: Value) -> Verdict {
    judge_by(policies(), document)
}

/// The same, by other policies.
pub(crate) fn judge_by(policies: &Policies, document: Value) -> Verdict {
    let document = Document::new(document, true).unwrap_or_else(|error| panic!("{error}"));
    judge(&document, policies, &[], &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The JSON pointers of every observation of a document.
pub(crate) fn observations(document: &Value) -> Vec<String> {
    fn collect(value: &Value, pointer: &str, found: &mut Vec<String>) {
        let Value::Object(fields) = value else { return };
        if fields.get("status").is_some_and(Value::is_string) {
            found.push(pointer.to_owned());
            return;
        }
        for (name, inner) in fields {
            collect(inner, &format!("{pointer}/{}", escape(name)), found);
        }
    }
    let mut found = vec!["/run/caller_identity".to_owned()];
    for section in ["aws", "terraform", "plaintext_scan", "evidence", "rehearsal", "approvals"] {
        collect(&document[section], &format!("/{section}"), &mut found);
    }
    found
}

/// How an observation is knocked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnockOut {
    /// The read was denied.
    Unreadable,
    /// The peer said that it does not exist.
    Absent,
    /// Nothing was tried.
    NotCollected,
    /// The document does not mention it.
    Removed,
}

impl KnockOut {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Unreadable, Self::Absent, Self::NotCollected, Self::Removed];

    /// The document with the observation at `pointer` knocked out. Its receipts stay, so that nothing but the observation
    /// has changed; those of a command that could not be read are left out, as they would end with its exit code.
    pub(crate) fn apply(self, mut document: Value, pointer: &str) -> Value {
        let observation = document.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
        let receipts = observation.get("receipts").cloned().unwrap_or_else(|| json!([]));
        let error = |code: &str, kind: &str| json!({"code": code, "kind": kind, "action": "service:Read"});
        *observation = match self {
            Self::Unreadable => {
                json!({"status": "unreadable", "error": error("AccessDenied", "denied"), "receipts": receipts})
            }
            Self::Absent => json!({"status": "absent", "error": error("NotFound", "not_found"), "receipts": receipts}),
            Self::NotCollected => json!({"status": "not_collected", "reason": "out of scope"}),
            Self::Removed => {
                remove(&mut document, pointer);
                return document;
            }
        };
        document
    }
}

/// Removes a member of an object.
pub(crate) fn remove(document: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer to a member");
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = document.pointer_mut(parent).and_then(Value::as_object_mut).expect("the parent is an object");
    parent.remove(&name).unwrap_or_else(|| panic!("nothing at {pointer}"));
}
