//! Verdicts: what the checks of a run add up to.
//!
//! ```text
//! checks (by code) ─► blockers ─► lane verdicts (with their upstream) ─► outcome of the covered lanes ─► P0
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::{Cause, Check, Severity};
use crate::waiver::{Waived, WaiverVerdict};

/// The format that this version of the tool writes.
pub const FORMAT: &str = "factgate.verdict/v1";

/// The verdict on one fact document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Always [`FORMAT`].
    pub format: String,
    /// GO if every covered lane passes and the document is sealed.
    pub outcome: Outcome,
    /// Whether nothing but unreadable facts keeps the outcome from GO: worth a retry (exit code 3).
    pub only_unreadable: bool,
    /// Why the outcome is NO-GO although no blocker says so: an unsealed document, a lane upstream that is neither covered nor
    /// proved by an accepted pack, a waiver that blocks.
    pub reasons: Vec<String>,
    /// P0 `SUBSTRATE_READY`.
    pub p0: P0,
    /// The lanes that the verdict covers, in order.
    pub covers: Vec<String>,
    /// The document that was evaluated.
    pub facts: FactsIdentity,
    /// The policies that evaluated it.
    pub policies: PoliciesIdentity,
    /// The tool that evaluated it.
    pub tool: ToolIdentity,
    /// The classes of the M2 taxonomy, `M2-B1` to `M2-B12`, with the codes that are open in each.
    pub taxonomy: BTreeMap<String, Vec<String>>,
    /// Every waiver with what became of it, in the order of its file.
    pub waivers: Vec<WaiverVerdict>,
    /// One verdict a covered lane, in order.
    pub lanes: Vec<LaneVerdict>,
}

/// GO or NO-GO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// Every covered lane passes.
    #[serde(rename = "GO")]
    Go,
    /// At least one does not.
    #[serde(rename = "NO-GO")]
    NoGo,
}

/// The P0 verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct P0 {
    /// `SUBSTRATE_READY`.
    pub name: String,
    /// `GO`, `NO-GO`, or `not evaluated` while neither the rollup (`M2.J`) nor all of the contract's ten lanes are covered.
    pub status: String,
    /// The contract's lanes that P0 still lacks: those that are not covered, unless the rollup is. It answers for them all.
    pub missing_lanes: Vec<String>,
    /// The lanes that are not covered and rest on the accepted evidence pack of an earlier run.
    pub packs: Vec<String>,
}

/// Which fact document was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactsIdentity {
    /// The document's digest; absent if it is unsealed.
    pub digest: Option<String>,
    /// Whether the document carries its (verified) digest.
    pub sealed: bool,
    /// The run that collected it.
    pub phase_execution_id: String,
    /// Its pinned clock.
    pub collected_at: String,
    /// The endpoint override it was read through, if any.
    pub endpoint_url: Option<String>,
}

/// Which policies evaluated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoliciesIdentity {
    /// `sha256:<hex>` over the names and bytes of every policy and data file, and over what is overridden of the contract.
    pub digest: String,
    /// `embedded`, or the folder given by `--policies`.
    pub source: String,
    /// The dotted keys of the contract that the user overrides.
    pub overrides: Vec<String>,
}

/// Which tool evaluated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolIdentity {
    /// `factgate`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The verdict on one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaneVerdict {
    /// `M2.A`.
    pub lane: String,
    /// What the lane proves.
    pub title: String,
    /// PASS or BLOCKED.
    pub status: LaneStatus,
    /// The lanes directly upstream that did not pass, or that nothing proves: what is unknown blocks.
    pub blocked_by: Vec<String>,
    /// Why it is BLOCKED although no blocker of its own says so: upstream lanes, an unsealed document.
    pub reasons: Vec<String>,
    /// `M2.B_READY`, or `BLOCKED`.
    pub next_gate: String,
    /// `m2a_<YYYYMMDDTHHMMSSZ>`.
    pub phase_execution_id: String,
    /// Every check of the lane by code: positive evidence, too.
    pub codes: Vec<CodeVerdict>,
    /// The checks that do not hold, with what the code's metadata says; sorted by code, subject, claim.
    pub blockers: Vec<Blocker>,
    /// What is worth knowing and never blocks (S3): subject, message and facts; sorted by subject, message.
    pub observations: Vec<Value>,
    /// The lane's definition of done.
    pub definition_of_done: Vec<DefinitionOfDone>,
}

/// PASS or BLOCKED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LaneStatus {
    /// No blocker that is not waived, the upstream lanes pass, and the document is sealed.
    Pass,
    /// Anything else.
    Blocked,
}

/// Every check of one code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeVerdict {
    /// `M2A-B1`.
    pub code: String,
    /// The code's title.
    pub title: String,
    /// Sorted by subject, claim.
    pub checks: Vec<Check>,
}

/// A check that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocker {
    /// `M2A-B1`.
    pub code: String,
    /// `M2.A`.
    pub lane: String,
    /// S1 or S2.
    pub severity: Severity,
    /// The class of the M2 taxonomy: `M2-B1`.
    pub taxonomy: String,
    /// Why the check does not hold.
    pub cause: Cause,
    /// What it is about.
    pub subject: String,
    /// What must hold.
    pub claim: String,
    /// One sentence with expected and actual.
    pub detail: String,
    /// What the contract pins.
    pub expected: Value,
    /// What was read.
    pub actual: Value,
    /// JSON pointers into the fact document.
    pub facts: Vec<String>,
    /// What to do.
    pub remediation: String,
    /// The waiver that keeps it from blocking, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
}

impl Blocker {
    /// Whether it blocks: no waiver keeps it from doing so.
    pub fn is_open(&self) -> bool {
        self.waived.is_none()
    }
}

/// One item of a lane's definition of done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefinitionOfDone {
    /// The item as the authority words it.
    pub item: String,
    /// Whether none of its codes has a blocker that is not waived, on facts that are sealed.
    pub done: bool,
    /// The codes that hold it.
    pub codes: Vec<String>,
}

/// The identifier of [`schema`].
pub const SCHEMA_ID: &str = "urn:factgate:verdict:v1";

/// The JSON Schema (2020-12) of a verdict.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Verdict);
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    schema.insert("title".to_owned(), "factgate verdict, version 1".into());
    schema.to_value()
}
