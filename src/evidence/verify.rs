//! Verification: whether a pack is whole and as it was written.
//!
//! ```text
//! manifest ──► bytes of every file ──► statement ──► subjects, facts, policies, result
//!                                  ├─► heads of the artifacts agree ──► summary and register agree, check by check
//!                                  └─► the artifacts are those of its policies, if they are this binary's
//! ```
//!
//! Whoever changes a file must change the manifest; whoever changes that, too, contradicts the statement, the heads of the other
//! artifacts, or what summary and register say of each other. The file that is at fault is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use factgate_collector::fact::Digest;
use factgate_collector::help::Help;
use serde_json::Value;

use super::statement::{Head, STATEMENT, Statement};
use super::{MANIFEST, is_plain_name};
use crate::evaluate::is_time_stamp;
use crate::policy::{LANES, Policies, PolicyError, PolicyOptions};

/// The largest file of a pack that is read.
const LARGEST_FILE: u64 = 64 << 20;

/// What a lane that does not pass opens.
const NO_GATE: &str = "BLOCKED";

/// The members that every artifact of a pack has in common.
const HEAD: [&str; 7] =
    ["lane", "phase_execution_id", "generated_at_utc", "facts_digest", "policies_digest", "tool", "endpoint_url"];

/// The policies of this binary: what a pack that was written under them must hold is known.
static EMBEDDED: LazyLock<Result<Policies, PolicyError>> =
    LazyLock::new(|| Policies::embedded(&PolicyOptions::default()));

/// A pack that is whole and unaltered.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedPack {
    /// `M2.A`.
    pub lane: String,
    /// `m2a_<YYYYMMDDTHHMMSSZ>`: the name of its folder.
    pub phase_execution_id: String,
    /// The pinned clock of the run that wrote it.
    pub generated_at_utc: String,
    /// Whether the lane passed.
    pub overall_pass: bool,
    /// `sha256:<hex>` of its manifest, which covers every other file.
    pub manifest_digest: String,
    /// The body of its execution summary.
    pub summary: Value,
    /// The body of its blocker register.
    pub register: Value,
}

/// Why a pack proves nothing.
#[derive(Debug, thiserror::Error)]
#[error("{pack}{}{file}: {problem}", if file.is_empty() { "" } else { "/" })]
pub struct VerifyError {
    /// The pack as it was named.
    pub pack: String,
    /// The file that is at fault; empty if it is the pack as a whole.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
    /// What the file system said, if it was asked in vain.
    #[source]
    pub source: Option<io::Error>,
}

impl Help for VerifyError {
    fn help(&self) -> Option<String> {
        Some(if self.source.is_some() {
            "name the folder of one pack, such as runs/dev_substrate/dev_full/m2/m2a_20260101T000000Z".to_owned()
        } else {
            "such a pack proves nothing: restore it from where it was archived, or close the lane again".to_owned()
        })
    }
}

/// Reads the pack in a folder back.
///
/// # Errors
///
/// Names the first file that is missing, foreign, altered, or contradicts another.
pub fn pack(folder: &Path) -> Result<VerifiedPack, VerifyError> {
    let name = folder.display().to_string();
    let unreadable = |file: &str, source: io::Error| VerifyError {
        pack: name.clone(),
        file: file.to_owned(),
        problem: "it cannot be read".to_owned(),
        source: Some(source),
    };
    let refused = |file: &str, problem: &str| VerifyError {
        pack: name.clone(),
        file: file.to_owned(),
        problem: problem.to_owned(),
        source: None,
    };
    // A link to a folder may lead to another pack tomorrow, but the pack that is read is the one it leads to now.
    let place = folder.canonicalize().map_err(|source| unreadable("", source))?;
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&place).map_err(|source| unreadable("", source))? {
        let entry = entry.map_err(|source| unreadable("", source))?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(|source| unreadable(&file, source))?;
        if kind.is_symlink() {
            return Err(refused(&file, "it is a link, not a file"));
        }
        if !kind.is_file() {
            return Err(refused(&file, "it is no file"));
        }
        let size = entry.metadata().map_err(|source| unreadable(&file, source))?.len();
        if size > LARGEST_FILE {
            return Err(refused(&file, "it is larger than any file of a pack"));
        }
        let bytes = fs::read(entry.path()).map_err(|source| unreadable(&file, source))?;
        files.insert(file, bytes);
    }
    let id = place.file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default();
    self::files(&name, &id, &files)
}

/// The same for a pack that was read from elsewhere. `name` stands in messages, `id` is the name of the pack's folder.
///
/// # Errors
///
/// Names the first file that is missing, foreign, altered, or contradicts another.
pub fn files(name: &str, id: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<VerifiedPack, VerifyError> {
    Pack { files }.verify(id).map_err(|(file, problem)| VerifyError {
        pack: name.trim_end_matches('/').to_owned(),
        file,
        problem,
        source: None,
    })
}

/// A file and what is wrong with it.
type Fault = (String, String);

fn fault<T>(file: &str, problem: impl Into<String>) -> Result<T, Fault> {
    Err((file.to_owned(), problem.into()))
}

struct Pack<'pack> {
    files: &'pack BTreeMap<String, Vec<u8>>,
}

impl Pack<'_> {
    fn verify(&self, id: &str) -> Result<VerifiedPack, Fault> {
        let Some(manifest) = self.files.get(MANIFEST) else { return fault(MANIFEST, "it is missing") };
        let digests = self.digests(manifest)?;
        let Some(lane) = lane_of(id) else {
            return fault("", "its folder's name is no phase execution id of a lane");
        };
        let prefix = id.split('_').next().unwrap_or_default();
        let summary_file = format!("{prefix}_execution_summary.json");
        let register_file = format!("{prefix}_blocker_register.json");
        let statement: Statement = serde_json::from_slice(self.bytes(STATEMENT)?)
            .or_else(|error| fault(STATEMENT, format!("it is no statement: {error}")))?;
        let summary = self.json(&summary_file)?;
        let register = self.json(&register_file)?;
        self.check_heads(lane, id, &summary_file, &summary)?;
        let overall_pass = check_result(&summary_file, &summary, &register_file, &register)?;
        let text = |key: &str| summary.get(key).and_then(Value::as_str);
        let Some(generated_at_utc) = text("generated_at_utc") else {
            return fault(&summary_file, "its `generated_at_utc` is no text");
        };
        let Some(policies_digest) = text("policies_digest") else {
            return fault(&summary_file, "its `policies_digest` is no text");
        };
        let head = Head {
            phase_execution_id: id,
            generated_at_utc,
            facts_digest: text("facts_digest"),
            policies_digest,
            overall_pass,
            next_gate: text("next_gate").unwrap_or_default(),
        };
        let artifacts: BTreeMap<&str, Digest> = digests.into_iter().filter(|(name, _)| *name != STATEMENT).collect();
        if let Some(fault) = statement.contradiction(&head, &artifacts) {
            return Err(fault);
        }
        check_artifacts(lane, policies_digest, &artifacts)?;
        Ok(VerifiedPack {
            lane: lane.to_owned(),
            phase_execution_id: id.to_owned(),
            generated_at_utc: generated_at_utc.to_owned(),
            overall_pass,
            manifest_digest: Digest::of(manifest).to_string(),
            summary,
            register,
        })
    }

    /// The digests of all files but the manifest, if they are exactly those that it lists.
    fn digests<'a>(&'a self, manifest: &'a [u8]) -> Result<BTreeMap<&'a str, Digest>, Fault> {
        let Ok(text) = std::str::from_utf8(manifest) else { return fault(MANIFEST, "it is no text") };
        let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let parts = line.strip_suffix('\n').and_then(|line| line.split_once("  "));
            let Some((digest, file)) = parts.filter(|(digest, file)| is_digest(digest) && is_plain_name(file)) else {
                return fault(MANIFEST, format!("its line {} is not `<sha256>  <file>`", index + 1));
            };
            if listed.last_key_value().is_some_and(|(last, _)| *last >= file) {
                return fault(MANIFEST, format!("its line {} is out of order", index + 1));
            }
            listed.insert(file, digest);
        }
        if listed.contains_key(MANIFEST) {
            return fault(MANIFEST, "it lists itself");
        }
        if let Some(missing) = listed.keys().find(|file| !self.files.contains_key(**file)) {
            return fault(missing, "it is missing");
        }
        let mut digests = BTreeMap::new();
        for (file, bytes) in self.files.iter().filter(|(file, _)| *file != MANIFEST) {
            let digest = Digest::of(bytes);
            match listed.get(file.as_str()) {
                None => return fault(file, "the manifest does not list it"),
                Some(expected) if *expected != digest.hex() => {
                    return fault(file, "it was altered: its sha256 is not the one in the manifest");
                }
                Some(_) => digests.insert(file.as_str(), digest),
            };
        }
        Ok(digests)
    }

    fn bytes(&self, file: &str) -> Result<&[u8], Fault> {
        match self.files.get(file) {
            Some(bytes) => Ok(bytes),
            None => fault(file, "it is missing"),
        }
    }

    fn json(&self, file: &str) -> Result<Value, Fault> {
        serde_json::from_slice(self.bytes(file)?).or_else(|error| fault(file, format!("it is no JSON: {error}")))
    }

    /// Every artifact of JSON names the same run, facts, policies and tool, and they are this pack's.
    fn check_heads(&self, lane: &str, id: &str, summary_file: &str, summary: &Value) -> Result<(), Fault> {
        for (key, expected) in [("lane", lane), ("phase_execution_id", id)] {
            if summary.get(key).and_then(Value::as_str) != Some(expected) {
                return fault(summary_file, format!("its `{key}` is not {expected}"));
            }
        }
        for file in self.files.keys().filter(|file| file.ends_with(".json") && *file != STATEMENT) {
            let body = self.json(file)?;
            for key in HEAD {
                if body.get(key).is_none() {
                    return fault(file, format!("it lacks `{key}`"));
                }
                if body.get(key) != summary.get(key) {
                    return fault(file, format!("its `{key}` is not that of {summary_file}"));
                }
            }
        }
        Ok(())
    }
}

/// A pack of this binary's own policies holds the artifacts that they declare, and no others. What other policies declare is not
/// known here.
fn check_artifacts(lane: &str, policies_digest: &str, artifacts: &BTreeMap<&str, Digest>) -> Result<(), Fault> {
    let policies =
        EMBEDDED.as_ref().or_else(|error| fault("", format!("the embedded policies are broken: {error}")))?;
    if policies.identity().digest != policies_digest {
        return Ok(());
    }
    let declared = policies.lanes().iter().find(|known| known.lane == lane).map_or(&[][..], |known| &known.artifacts);
    if let Some(missing) = declared.iter().find(|name| !artifacts.contains_key(name.as_str())) {
        return fault(missing, format!("it is missing: {lane} writes it"));
    }
    match artifacts.keys().find(|name| !declared.iter().any(|declared| declared == *name)) {
        Some(foreign) => fault(foreign, format!("{lane} writes no such artifact")),
        None => Ok(()),
    }
}

/// Whether the lane passed, if summary and register say the same about it.
fn check_result(summary_file: &str, summary: &Value, register_file: &str, register: &Value) -> Result<bool, Fault> {
    let Some(blockers) = register.get("blockers").and_then(Value::as_array) else {
        return fault(register_file, "its `blockers` are no list");
    };
    // A waived blocker stays in the register and blocks nothing.
    let mut codes = BTreeSet::new();
    for blocker in blockers.iter().filter(|blocker| blocker.get("waived").is_none_or(Value::is_null)) {
        let Some(code) = blocker.get("code").and_then(Value::as_str) else {
            return fault(register_file, "it has a blocker without a code");
        };
        codes.insert(code);
    }
    let count = |body: &Value, key: &str| body.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    if count(register, "blocker_count") != Some(codes.len()) {
        return fault(register_file, "its `blocker_count` is not the number of its blocking codes");
    }
    if count(summary, "blocker_count") != Some(codes.len()) {
        return fault(summary_file, format!("its `blocker_count` is not that of {register_file}"));
    }
    let listed: Option<Vec<&str>> =
        summary.get("blockers").and_then(Value::as_array).and_then(|list| list.iter().map(Value::as_str).collect());
    if listed.is_none_or(|listed| !listed.iter().eq(codes.iter())) {
        return fault(summary_file, format!("its `blockers` are not the blocking codes of {register_file}"));
    }
    if count(summary, "failed_check_count") != Some(blockers.len()) {
        return fault(
            summary_file,
            format!("its `failed_check_count` is not the number of blockers of {register_file}"),
        );
    }
    let Some(rows) = summary.get("checks").and_then(Value::as_array) else {
        return fault(summary_file, "its `checks` are no list");
    };
    if count(summary, "check_count") != Some(rows.len()) {
        return fault(summary_file, "its `check_count` is not the number of its checks");
    }
    let mut failed = Vec::new();
    for row in rows {
        match row.as_array().map(Vec::as_slice) {
            Some([code, subject, claim, Value::Bool(ok), ..]) => {
                failed.extend((!ok).then_some([Some(code), Some(subject), Some(claim)]));
            }
            _ => return fault(summary_file, "it has a check that is not [code, subject, claim, ok]"),
        }
    }
    let blocked = blockers.iter().map(|blocker| ["code", "subject", "claim"].map(|key| blocker.get(key)));
    if !is_permutation(&failed, &blocked.collect::<Vec<_>>()) {
        return fault(summary_file, format!("the checks that failed are not the blockers of {register_file}"));
    }
    if summary.get("blocked_by") != register.get("blocked_by") {
        return fault(summary_file, format!("its `blocked_by` is not that of {register_file}"));
    }
    let Some(overall_pass) = summary.get("overall_pass").and_then(Value::as_bool) else {
        return fault(summary_file, "its `overall_pass` is neither true nor false");
    };
    let is_blocked_by_none = summary.get("blocked_by").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let opens_gate = summary.get("next_gate").and_then(Value::as_str).is_some_and(|gate| gate != NO_GATE);
    if overall_pass != opens_gate {
        return fault(summary_file, "its `overall_pass` contradicts its `next_gate`");
    }
    if overall_pass && !(codes.is_empty() && is_blocked_by_none) {
        return fault(summary_file, "its `overall_pass` contradicts its blockers");
    }
    let done = summary.get("dod").and_then(Value::as_array);
    let is_done = done.is_some_and(|items| items.iter().all(|item| item.get("done") == Some(&Value::Bool(true))));
    if overall_pass && !is_done {
        return fault(summary_file, "its `overall_pass` contradicts its definition of done");
    }
    // What nobody sealed proves nothing, so no lane passes on it.
    if overall_pass && !summary.get("facts_digest").is_some_and(Value::is_string) {
        return fault(summary_file, "its `overall_pass` rests on facts that are not sealed");
    }
    Ok(overall_pass)
}

/// Whether both lists have the same elements, each as often.
fn is_permutation<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    let occurrences = |list: &[T], element: &T| list.iter().filter(|other| *other == element).count();
    left.len() == right.len() && left.iter().all(|element| occurrences(left, element) == occurrences(right, element))
}

/// The lane of a phase execution id: `M2.A` of `m2a_20260131T235959Z`. Nothing else names a pack.
pub(crate) fn lane_of(id: &str) -> Option<&'static str> {
    let (prefix, stamp) = id.split_once('_')?;
    LANES.into_iter().find(|lane| is_time_stamp(stamp) && lane.replace('.', "").to_ascii_lowercase() == prefix)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
