//! Evidence of lanes as facts: what this run covers itself, and the packs of lanes that were closed earlier.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use factgate_collector::collect::Evidence;
use factgate_collector::fact::{Observation, ReadError, ReadErrorKind, Receipt, RunClock};
use serde_json::json;

use crate::evidence::verify;

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
    match verify::pack(&folder) {
        Ok(pack) => {
            let digest = pack.manifest_digest;
            let value = json!({
                "origin": "pack",
                "phase_execution_id": pack.phase_execution_id,
                "generated_at_utc": pack.generated_at_utc,
                "path": folder.display().to_string(),
                "manifest_digest": digest,
                "summary": pack.summary,
                "register": pack.register,
            });
            (Observation::present(value, vec![key.to_owned()]), Some(receipt(Some(digest))))
        }
        Err(altered) => {
            let error = error("PackAltered", ReadErrorKind::Malformed, altered.to_string());
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

#[cfg(test)]
mod tests {
    use factgate_collector::fact::Facts;

    use super::*;
    use crate::evaluate::{Document, evaluate};
    use crate::evidence::write_packs;
    use crate::policy::{Policies, PolicyOptions};

    /// The pack of lane A of the archived ready document; gives its folder.
    fn write_pack(root: &Path) -> PathBuf {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/facts/ready.json");
        let facts = Facts::read(&archive).unwrap();
        let policies = Policies::embedded(&PolicyOptions::default()).unwrap();
        let document = Document::new(facts.json().clone(), true).unwrap();
        let evaluation = evaluate(&document, &policies, &["M2.A".to_owned()], &[]).unwrap();
        write_packs(root, &evaluation).unwrap().remove(0).folder
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
        let pack = write_pack(root.path());
        let evidence = evidence_of_a(root.path());
        let value = evidence.value().unwrap();
        assert_eq!(value["phase_execution_id"], pack.file_name().unwrap().to_str().unwrap());
        assert_eq!(value["summary"]["overall_pass"], true);
        // A copy under a later name is no pack of that time.
        let newest = root.path().join("m2a_20990101T000000Z");
        fs::create_dir(&newest).unwrap();
        for entry in fs::read_dir(&pack).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), newest.join(entry.file_name())).unwrap();
        }
        let altered = evidence_of_a(root.path());
        let Observation::Unreadable { error, .. } = altered else { panic!("{altered:?}") };
        assert_eq!(error.code, "PackAltered");
        assert!(error.message.contains("m2a_"), "{}", error.message);
    }
}
