//! Evidence of lanes as facts: what this run covers itself, and the packs of lanes that were closed earlier.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use factgate_collector::collect::Evidence;
use factgate_collector::fact::{Digest, Observation, ReadError, ReadErrorKind, Receipt, RunClock};
use serde_json::{Value, json};

use crate::evidence::MANIFEST;

/// The lanes whose evidence the rollup asks for.
const LANES: [&str; 9] = ["M2.A", "M2.B", "M2.C", "M2.D", "M2.E", "M2.F", "M2.G", "M2.H", "M2.I"];

/// A run without a selection is evidence of every lane itself.
pub(super) fn of_this_run(clock: RunClock) -> Evidence {
    evidence(&LANES, Path::new(""), clock)
}

/// The evidence of every lane: this run where it covers the lane, else the newest pack below `root`.
///
/// The newest pack is the last word on its lane: if it was altered, an older one does not speak for it.
pub(super) fn evidence(covered: &[&str], root: &Path, clock: RunClock) -> Evidence {
    let mut evidence = Evidence::default();
    for lane in LANES {
        let observation = if covered.contains(&lane) {
            let value = json!({"origin": "run", "phase_execution_id": clock.lane_execution_id(lane)});
            Observation::present(value, Vec::new())
        } else {
            let key = format!("file.evidence/{lane}");
            let (observation, receipt) = pack(lane, &key, root);
            evidence.receipts.extend(receipt.map(|receipt| (key, receipt)));
            observation
        };
        evidence.observations.insert(lane.to_owned(), observation);
    }
    evidence
}

fn pack(lane: &str, key: &str, root: &Path) -> (Observation, Option<Receipt>) {
    let error = |code: &str, kind, message| ReadError { code: code.to_owned(), kind, message, action: None };
    let Some(folder) = newest(lane, root) else {
        let message = format!("{} holds no pack of {lane}", root.display());
        return (
            Observation::Absent { error: error("NoPack", ReadErrorKind::NotFound, message), receipts: Vec::new() },
            None,
        );
    };
    let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let receipt = |digest| Receipt::File { path: folder.display().to_string(), started_at: started_at.clone(), digest };
    match accepted(&folder) {
        Ok(pack) => {
            let digest = pack.manifest_digest.to_string();
            let value = json!({
                "origin": "pack",
                "phase_execution_id": pack.summary["phase_execution_id"],
                "generated_at_utc": pack.summary["generated_at_utc"],
                "path": folder.display().to_string(),
                "manifest_digest": digest,
                "summary": pack.summary,
                "register": pack.register,
            });
            (Observation::present(value, vec![key.to_owned()]), Some(receipt(Some(digest))))
        }
        Err(message) => {
            let error = error("PackAltered", ReadErrorKind::Malformed, message);
            (Observation::Unreadable { error, receipts: vec![key.to_owned()] }, Some(receipt(None)))
        }
    }
}

/// The pack of a lane whose name holds the latest instant: `m2a_20260131T235959Z`.
fn newest(lane: &str, root: &Path) -> Option<PathBuf> {
    let prefix = format!("{}_", lane.to_lowercase().replace('.', ""));
    let names = fs::read_dir(root).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(&prefix)).max().map(|name| root.join(name))
}

/// A pack that is whole and unaltered.
struct Pack {
    manifest_digest: Digest,
    summary: Value,
    register: Value,
}

/// The pack in a folder, or which of its files is not what the manifest says.
fn accepted(folder: &Path) -> Result<Pack, String> {
    let read = |file: &str| fs::read(folder.join(file)).map_err(|error| format!("{file} cannot be read: {error}"));
    let manifest = read(MANIFEST)?;
    let text = String::from_utf8(manifest.clone()).map_err(|_| format!("{MANIFEST} is not UTF-8 text"))?;
    let mut files = BTreeMap::new();
    for line in text.lines() {
        let (digest, file) = line.split_once("  ").ok_or_else(|| format!("{MANIFEST} has a malformed line"))?;
        let bytes = read(file)?;
        if Digest::of(&bytes).hex() != digest {
            return Err(format!("{file} is not what {MANIFEST} says"));
        }
        files.insert(file, bytes);
    }
    for entry in fs::read_dir(folder).map_err(|error| format!("the pack cannot be listed: {error}"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != MANIFEST && !files.contains_key(name.as_str()) {
            return Err(format!("{name} is not in {MANIFEST}"));
        }
    }
    let artifact = |suffix: &str| -> Result<Value, String> {
        let found = files.iter().find(|(file, _)| file.ends_with(suffix));
        let (file, bytes) = found.ok_or_else(|| format!("{MANIFEST} lists no …{suffix}"))?;
        serde_json::from_slice(bytes).map_err(|_| format!("{file} is not JSON"))
    };
    Ok(Pack {
        manifest_digest: Digest::of(&manifest),
        summary: artifact("_execution_summary.json")?,
        register: artifact("_blocker_register.json")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_pack(root: &Path, name: &str) {
        let folder = root.join(name);
        fs::create_dir(&folder).unwrap();
        let mut manifest = String::new();
        for (file, body) in [
            ("m2a_blocker_register.json", json!({"blockers": []})),
            ("m2a_execution_summary.json", json!({"phase_execution_id": name, "overall_pass": true})),
        ] {
            fs::write(folder.join(file), body.to_string()).unwrap();
            manifest.push_str(&format!("{}  {file}\n", Digest::of(body.to_string().as_bytes()).hex()));
        }
        fs::write(folder.join(MANIFEST), manifest).unwrap();
    }

    fn evidence_of_a(root: &Path) -> Observation {
        evidence(&["M2.B"], root, RunClock::now()).observations.remove("M2.A").unwrap()
    }

    #[test]
    fn a_covered_lane_is_its_own_evidence() {
        let evidence = of_this_run(RunClock::now());
        assert_eq!(evidence.observations.len(), 9);
        assert!(evidence.observations.values().all(|lane| lane.value().unwrap()["origin"] == "run"));
        let id = evidence.observations["M2.D"].value().unwrap()["phase_execution_id"].as_str().unwrap();
        assert!(id.starts_with("m2d_"), "{id}");
    }

    #[test]
    fn the_newest_pack_speaks_for_a_lane_and_no_older_one_does() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(evidence_of_a(root.path()), Observation::Absent { error, .. } if error.code == "NoPack"));
        write_pack(root.path(), "m2a_20260101T000000Z");
        write_pack(root.path(), "m2a_20260201T000000Z");
        assert_eq!(evidence_of_a(root.path()).value().unwrap()["phase_execution_id"], "m2a_20260201T000000Z");
        let newest = root.path().join("m2a_20260201T000000Z");
        fs::write(newest.join("m2a_blocker_register.json"), "{}").unwrap();
        let altered = evidence_of_a(root.path());
        let Observation::Unreadable { error, .. } = altered else { panic!("{altered:?}") };
        assert_eq!(error.code, "PackAltered");
        assert!(error.message.contains("m2a_blocker_register.json"));
    }
}
