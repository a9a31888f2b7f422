//! Evidence of lanes as facts: what this run covers itself, and the packs of lanes that were closed earlier.
//!
//! ```text
//! covered lane ─► this run
//! other lane   ─► the newest of its packs, here or in the mirror ─► verified ─► present │ unreadable
//!                 none ─► absent
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use factgate_collector::aws;
use factgate_collector::collect::Evidence;
use factgate_collector::fact::{Handle, Observation, ReadError, ReadErrorKind, Receipt, RunClock};
use serde_json::json;

use super::mirror::{Connected, connected, pinned_region};
use crate::error::Error;
use crate::evidence::mirror::{MirrorTarget, S3Folder};
use crate::evidence::verify::{self, VerifiedPack, VerifyError, lane_of};

/// The lanes whose evidence the rollup asks for.
const LANES: [&str; 9] = ["M2.A", "M2.B", "M2.C", "M2.D", "M2.E", "M2.F", "M2.G", "M2.H", "M2.I"];

/// What reading the mirror needs.
const MIRROR_ACTIONS: &str = "s3:ListBucket and s3:GetObject";

/// Where the packs of earlier runs are kept.
pub(super) struct Shelf<'run> {
    /// The local evidence root.
    pub(super) root: &'run Path,
    /// The mirror.
    pub(super) mirror: &'run MirrorTarget,
    /// How the mirror is reached.
    pub(super) options: aws::Options,
}

/// The mirror's connection and where its packs are.
type OpenMirror<'open> = (&'open Connected<'open>, &'open S3Folder);

/// Where one pack is.
enum Place<'open> {
    Folder(PathBuf),
    Mirror(&'open Connected<'open>, S3Folder),
}

impl Place<'_> {
    fn address(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Mirror(_, folder) => folder.to_string(),
        }
    }

    fn verify(&self) -> Result<VerifiedPack, Error> {
        match self {
            Self::Folder(folder) => Ok(verify::pack(folder)?),
            Self::Mirror(mirror, folder) => mirror.verify(folder),
        }
    }
}

/// A run without a selection is evidence of every lane itself.
pub(super) fn of_this_run(clock: RunClock) -> Evidence {
    let mut evidence = Evidence::default();
    for lane in LANES {
        evidence.observations.insert(lane.to_owned(), this_run(lane, clock));
    }
    evidence
}

fn this_run(lane: &str, clock: RunClock) -> Observation {
    let value = json!({"origin": "run", "phase_execution_id": clock.lane_execution_id(lane)});
    Observation::present(value, Vec::new())
}

impl Shelf<'_> {
    /// The evidence of every lane: this run where it covers the lane, else the newest pack.
    ///
    /// The newest pack is the last word on its lane: if it was altered, an older one does not speak for it. A shelf that cannot be
    /// read may hold a newer one, so that nothing is known then.
    ///
    /// # Errors
    ///
    /// If the registry is to name the mirror and does not, or if AWS cannot be called at all.
    pub(super) fn evidence(
        &self,
        covered: &[&str],
        handles: &BTreeMap<String, Handle>,
        clock: RunClock,
    ) -> Result<Evidence, Error> {
        let mirror = self.mirror.root(handles)?;
        if LANES.iter().all(|lane| covered.contains(lane)) {
            return Ok(of_this_run(clock));
        }
        match &mirror {
            None => self.read(covered, clock, None),
            Some(root) => connected(pinned_region(handles), self.options.clone(), |mirror| {
                self.read(covered, clock, Some((mirror, root)))
            }),
        }
    }

    fn read(&self, covered: &[&str], clock: RunClock, mirror: Option<OpenMirror<'_>>) -> Result<Evidence, Error> {
        let newest = self.newest(mirror)?;
        let mut evidence = Evidence::default();
        for lane in LANES {
            let key = format!("file.evidence/{lane}");
            let observation = match &newest {
                _ if covered.contains(&lane) => this_run(lane, clock),
                Err(error) => Observation::Unreadable { error: error.clone(), receipts: Vec::new() },
                Ok(newest) => match newest.get(lane) {
                    Some(place) => {
                        let (observation, receipt) = pack(place, &key)?;
                        evidence.receipts.insert(key, receipt);
                        observation
                    }
                    None => {
                        let mirror = mirror.map(|(_, root)| format!(" nor {root}")).unwrap_or_default();
                        let message = format!("neither {}{mirror} holds a pack of {lane}", self.root.display());
                        let error = failure("NoPack", ReadErrorKind::NotFound, message);
                        Observation::Absent { error, receipts: Vec::new() }
                    }
                },
            };
            evidence.observations.insert(lane.to_owned(), observation);
        }
        Ok(evidence)
    }

    /// The pack of each lane whose name holds the latest instant: `m2a_20260131T235959Z`. One that is here is not fetched.
    fn newest<'open>(
        &self,
        mirror: Option<OpenMirror<'open>>,
    ) -> Result<Result<BTreeMap<&'static str, Place<'open>>, ReadError>, Error> {
        let mut packs: BTreeMap<String, Place<'open>> = BTreeMap::new();
        if let Some((mirror, root)) = mirror {
            match mirror.packs(root) {
                Ok(names) => packs.extend(names.into_iter().map(|name| {
                    let folder = root.folder(&name);
                    (name, Place::Mirror(mirror, folder))
                })),
                Err(error @ Error::MirrorInterrupted(_)) => return Err(error),
                // What S3 refuses is a fact.
                Err(error) => return Ok(Err(mirror_failure(&error))),
            }
        }
        match folders(self.root) {
            Ok(names) => {
                packs.extend(names.into_iter().map(|name| (name.clone(), Place::Folder(self.root.join(name)))))
            }
            Err(error) => {
                let message = format!("{}: {error}", self.root.display());
                return Ok(Err(failure("EvidenceRootUnreadable", ReadErrorKind::Rejected, message)));
            }
        }
        // In the order of their names a later pack of a lane replaces an earlier one.
        Ok(Ok(packs.into_iter().filter_map(|(name, place)| Some((lane_of(&name)?, place))).collect()))
    }
}

/// What one pack says of its lane, and the receipt of having read it.
///
/// # Errors
///
/// If the process was asked to end: whatever S3 does is a fact, but that is none.
fn pack(place: &Place<'_>, key: &str) -> Result<(Observation, Receipt), Error> {
    let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let path = place.address();
    match place.verify() {
        Ok(pack) => {
            let VerifiedPack { phase_execution_id, generated_at_utc, manifest_digest, summary, register, .. } = pack;
            let value = json!({
                "origin": "pack",
                "phase_execution_id": phase_execution_id,
                "generated_at_utc": generated_at_utc,
                "path": path,
                "manifest_digest": manifest_digest,
                "summary": summary,
                "register": register,
            });
            let receipt = Receipt::File { path, started_at, digest: Some(manifest_digest) };
            Ok((Observation::present(value, vec![key.to_owned()]), receipt))
        }
        Err(error @ Error::MirrorInterrupted(_)) => Err(error),
        Err(error) => {
            let error = match error {
                // What the system does not give may be as it was; it is not known.
                Error::Verify(VerifyError { source: Some(source), pack, file, .. })
                    if !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    failure("PackUnreadable", ReadErrorKind::Rejected, format!("{pack}/{file}: {source}"))
                }
                Error::Verify(altered) => failure("PackAltered", ReadErrorKind::Malformed, altered.to_string()),
                other => mirror_failure(&other),
            };
            let observation = Observation::Unreadable { error, receipts: vec![key.to_owned()] };
            Ok((observation, Receipt::File { path, started_at, digest: None }))
        }
    }
}

fn mirror_failure(error: &Error) -> ReadError {
    let action = Some(MIRROR_ACTIONS.to_owned());
    ReadError { action, ..failure("MirrorUnreadable", ReadErrorKind::Rejected, error.to_string()) }
}

fn failure(code: &str, kind: ReadErrorKind, message: String) -> ReadError {
    ReadError { code: code.to_owned(), kind, message, action: None }
}

/// The names of what is in a folder; nothing is in one that does not exist.
fn folders(root: &Path) -> io::Result<Vec<String>> {
    let entries = match root.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A name that is no UTF-8 is none of a pack.
    entries.map(|entry| Ok(entry?.file_name().into_string().ok())).filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        let shelf = Shelf { root, mirror: &MirrorTarget::Off, options: aws::Options::default() };
        let evidence = shelf.evidence(&["M2.B"], &BTreeMap::new(), RunClock::now());
        evidence.unwrap().observations.remove("M2.A").unwrap()
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
        // What is not named like a pack is none, however late its name.
        fs::create_dir(root.path().join("m2a_of_last_year")).unwrap();
        assert_eq!(evidence_of_a(root.path()).value(), Some(value));
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

    /// It may be as it was: that it cannot be read now says nothing of it.
    #[test]
    fn a_pack_that_cannot_be_read_is_not_taken_for_an_altered_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("m2a_20990101T000000Z");
        std::os::unix::fs::symlink(&folder, &folder).unwrap();
        let evidence = evidence_of_a(root.path());
        let Observation::Unreadable { error, .. } = evidence else { panic!("{evidence:?}") };
        assert_eq!((error.code.as_str(), error.kind), ("PackUnreadable", ReadErrorKind::Rejected));
        // A file in its place is none.
        fs::remove_file(&folder).unwrap();
        fs::write(&folder, "").unwrap();
        let evidence = evidence_of_a(root.path());
        let Observation::Unreadable { error, .. } = evidence else { panic!("{evidence:?}") };
        assert_eq!((error.code.as_str(), error.kind), ("PackAltered", ReadErrorKind::Malformed));
    }

    #[test]
    fn a_shelf_that_cannot_be_read_is_not_an_empty_one() {
        let root = tempfile::NamedTempFile::new().unwrap();
        let evidence = evidence_of_a(root.path());
        let Observation::Unreadable { error, .. } = evidence else { panic!("{evidence:?}") };
        assert_eq!(error.code, "EvidenceRootUnreadable");
    }

    #[test]
    fn a_mirror_that_the_registry_does_not_name_ends_the_run_before_it_begins() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf { root: root.path(), mirror: &MirrorTarget::Registry, options: aws::Options::default() };
        for covered in [&["M2.B"][..], &LANES] {
            let error = shelf.evidence(covered, &BTreeMap::new(), RunClock::now()).unwrap_err();
            assert!(matches!(error, Error::UnpinnedMirror(_)), "{error}");
        }
    }
}
