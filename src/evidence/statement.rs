//! The statement of a pack: what was verified, by which policies, on which facts, and with which result, in the form that
//! supply-chain tools read (in-toto Statement v1 with SLSA's verification summary).

use std::collections::BTreeMap;

use factgate_collector::fact::Digest;
use serde::{Deserialize, Serialize};

use crate::verdict::{LaneStatus, LaneVerdict, Verdict};

/// The statement's name in every pack.
pub const STATEMENT: &str = "statement.intoto.json";

/// What kind of statement it is.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What it states.
const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// What stands before the names of what has no address of its own.
const URN: &str = "urn:factgate";

/// What is verified where a lane passes.
const PASSED: &str = "PASSED";

/// What is verified where it does not.
const FAILED: &str = "FAILED";

/// An in-toto Statement v1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Summary,
}

/// SLSA's verification summary v1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Summary {
    verifier: Verifier,
    time_verified: String,
    resource_uri: String,
    policy: Reference,
    input_attestations: Vec<Reference>,
    verification_result: String,
    verified_levels: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verifier {
    id: String,
    version: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    uri: String,
    digest: BTreeMap<String, String>,
}

/// What the heads of a pack's artifacts say, as far as its statement repeats it.
pub(super) struct Head<'pack> {
    pub(super) phase_execution_id: &'pack str,
    pub(super) generated_at_utc: &'pack str,
    pub(super) facts_digest: Option<&'pack str>,
    pub(super) policies_digest: &'pack str,
    pub(super) overall_pass: bool,
    pub(super) next_gate: &'pack str,
}

impl Statement {
    /// The statement on one lane's artifacts.
    pub(super) fn of(verdict: &Verdict, lane: &LaneVerdict, artifacts: &BTreeMap<String, Vec<u8>>) -> Self {
        let is_pass = lane.status == LaneStatus::Pass;
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: artifacts
                .iter()
                .map(|(name, bytes)| Resource { name: name.clone(), digest: digest(Digest::of(bytes).hex()) })
                .collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Summary {
                verifier: Verifier {
                    id: format!("{URN}:{}", verdict.tool.name),
                    version: [(verdict.tool.name.clone(), verdict.tool.version.clone())].into(),
                },
                time_verified: verdict.facts.collected_at.clone(),
                resource_uri: format!("{URN}:pack:{}", lane.phase_execution_id),
                policy: Reference { uri: format!("{URN}:policies"), digest: digest(hex(&verdict.policies.digest)) },
                input_attestations: verdict.facts.digest.iter().map(|facts| facts_reference(facts)).collect(),
                verification_result: if is_pass { PASSED } else { FAILED }.to_owned(),
                verified_levels: vec![if is_pass { lane.next_gate.clone() } else { FAILED.to_owned() }],
            },
        }
    }

    /// What contradicts the artifacts, by the name of the artifact or of the statement itself.
    pub(super) fn contradiction(
        &self,
        head: &Head<'_>,
        artifacts: &BTreeMap<&str, Digest>,
    ) -> Option<(String, String)> {
        let own = |problem: &str| Some((STATEMENT.to_owned(), problem.to_owned()));
        if self.kind != STATEMENT_TYPE || self.predicate_type != PREDICATE_TYPE {
            return own("it is no in-toto statement with a verification summary");
        }
        let mut subjects: BTreeMap<&str, &str> = BTreeMap::new();
        for subject in &self.subject {
            let Some(digest) = subject.digest.get("sha256") else {
                return own(&format!("it names no sha256 of `{}`", subject.name));
            };
            if subjects.insert(&subject.name, digest).is_some() {
                return own(&format!("it names `{}` twice", subject.name));
            }
        }
        for (name, digest) in artifacts {
            match subjects.remove(name) {
                None => return Some(((*name).to_owned(), "the statement does not name it".to_owned())),
                Some(stated) if stated != digest.hex() => {
                    return Some(((*name).to_owned(), "it is not the file that the statement names".to_owned()));
                }
                Some(_) => {}
            }
        }
        if let Some(name) = subjects.keys().next() {
            return Some(((*name).to_owned(), "the statement names it, but the pack lacks it".to_owned()));
        }
        let stated = &self.predicate;
        let expected_facts: Vec<Reference> = head.facts_digest.iter().map(|facts| facts_reference(facts)).collect();
        let (result, level) = if head.overall_pass { (PASSED, head.next_gate) } else { (FAILED, FAILED) };
        let is_same = [
            (stated.resource_uri == format!("{URN}:pack:{}", head.phase_execution_id), "resourceUri"),
            (stated.time_verified == head.generated_at_utc, "timeVerified"),
            (stated.policy.digest == digest(hex(head.policies_digest)), "policy"),
            (stated.input_attestations == expected_facts, "inputAttestations"),
            (stated.verification_result == result, "verificationResult"),
            (stated.verified_levels == [level], "verifiedLevels"),
        ];
        let (_, field) = is_same.iter().find(|(is_same, _)| !is_same)?;
        own(&format!("its `{field}` contradicts the execution summary"))
    }
}

fn facts_reference(facts_digest: &str) -> Reference {
    Reference { uri: format!("{URN}:facts"), digest: digest(hex(facts_digest)) }
}

/// A digest as in-toto writes it.
fn digest(hex: &str) -> BTreeMap<String, String> {
    [("sha256".to_owned(), hex.to_owned())].into()
}

fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}
