//! The fact document as the evaluator sees it.

use serde_json::Value;

use super::EvaluateError;
use crate::verdict::FactsIdentity;

/// What stands before the time stamp of every phase execution id.
const PHASE_PREFIX: &str = "m2_";

/// A fact document: the policies' only input.
#[derive(Clone, Debug)]
pub struct Document {
    facts: Value,
    identity: FactsIdentity,
    stamp: String,
}

impl Document {
    /// Takes a fact document. `sealed` says that its reader has verified its digest; the digest of any other document is no
    /// evidence of anything, so policies do not get to see it.
    ///
    /// # Errors
    /// Fails if the document lacks what the verdict is identified by.
    pub fn new(mut facts: Value, sealed: bool) -> Result<Self, EvaluateError> {
        let text = |pointer: &'static str| {
            facts
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or(EvaluateError::Document { pointer, problem: "is no text" })
        };
        let phase_execution_id = text("/run/phase_execution_id")?;
        let collected_at = text("/run/collected_at")?;
        let digest = if sealed { Some(text("/digest")?) } else { None };
        let endpoint_url = facts.pointer("/run/endpoint_url").and_then(Value::as_str).map(str::to_owned);
        // The stamp becomes part of file names.
        let stamp = phase_execution_id
            .strip_prefix(PHASE_PREFIX)
            .filter(|stamp| is_time_stamp(stamp))
            .ok_or(EvaluateError::Document {
                pointer: "/run/phase_execution_id",
                problem: "has not the expected form",
            })?
            .to_owned();
        if !sealed && let Value::Object(fields) = &mut facts {
            fields.remove("digest");
        }
        let identity = FactsIdentity { digest, sealed, phase_execution_id, collected_at, endpoint_url };
        Ok(Self { facts, identity, stamp })
    }

    /// Which document it is.
    pub fn identity(&self) -> &FactsIdentity {
        &self.identity
    }

    pub(crate) fn facts(&self) -> &Value {
        &self.facts
    }

    /// Whether the collector found out just this about the evidence of a lane.
    fn evidence_has(&self, lane: &str, pointer: &str, value: impl Into<Value>) -> bool {
        let found = self.facts.get("evidence").and_then(|evidence| evidence.get(lane)?.pointer(pointer));
        found == Some(&value.into())
    }

    /// Whether the collector accepted an evidence pack in which a lane passes.
    pub(crate) fn has_accepted_pack(&self, lane: &str) -> bool {
        self.evidence_has(lane, "/status", "present")
            && self.evidence_has(lane, "/value/origin", "pack")
            && self.evidence_has(lane, "/value/summary/lane", lane)
            && self.evidence_has(lane, "/value/summary/overall_pass", true)
    }

    /// Whether it could not be found out if there is an evidence pack of a lane. One that was read and is none, or was altered, is
    /// known to be no evidence.
    pub(crate) fn is_evidence_unreadable(&self, lane: &str) -> bool {
        self.evidence_has(lane, "/status", "unreadable") && !self.evidence_has(lane, "/error/kind", "malformed")
    }

    /// The phase execution id of one lane: `m2a_20260101T000000Z`.
    pub(crate) fn phase_execution_id(&self, lane_letter: char) -> String {
        format!("m2{lane_letter}_{}", self.stamp)
    }
}

/// `YYYYMMDDTHHMMSSZ`.
pub(crate) fn is_time_stamp(stamp: &str) -> bool {
    stamp.len() == 16
        && stamp.bytes().enumerate().all(|(index, byte)| match index {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Document;
    use crate::exit::ExitCode;

    #[test]
    fn a_document_without_identity_is_refused() {
        for (facts, sealed, pointer) in [
            (json!({}), false, "/run/phase_execution_id"),
            (json!({"run": {"phase_execution_id": "m2_20260101T000000Z"}}), false, "/run/collected_at"),
            (json!({"run": {"phase_execution_id": "m2_20260101T000000Z", "collected_at": "x"}}), true, "/digest"),
            (
                json!({"run": {"phase_execution_id": "m2_../../etc", "collected_at": "x"}}),
                false,
                "/run/phase_execution_id",
            ),
            (json!([]), false, "/run/phase_execution_id"),
        ] {
            let error = Document::new(facts, sealed).unwrap_err();
            assert_eq!(error.exit_code(), ExitCode::Input);
            assert!(error.to_string().contains(pointer), "{error}");
        }
    }

    #[test]
    fn the_digest_of_an_unsealed_document_counts_for_nothing() {
        let facts =
            json!({"run": {"phase_execution_id": "m2_20260101T000000Z", "collected_at": "x"}, "digest": "sha256:0"});
        let sealed = Document::new(facts.clone(), true).unwrap();
        assert_eq!(sealed.identity().digest.as_deref(), Some("sha256:0"));
        assert!(sealed.facts().get("digest").is_some());
        let unsealed = Document::new(facts, false).unwrap();
        assert_eq!(unsealed.identity().digest, None);
        assert!(unsealed.facts().get("digest").is_none());
        assert_eq!(unsealed.phase_execution_id('a'), "m2a_20260101T000000Z");
    }
}
