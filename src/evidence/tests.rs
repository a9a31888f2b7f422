//! Packs as they are written, and every way in which one can be altered afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use factgate_collector::fact::{Digest, Facts};
use factgate_collector::help::Help as _;
use serde_json::{Value, json};

use super::{MANIFEST, STATEMENT, manifest, verify, write_packs};
use crate::evaluate::{Document, Evaluation, evaluate};
use crate::policy::{Policies, PolicyOptions};

const SUMMARY: &str = "m2a_execution_summary.json";
const REGISTER: &str = "m2a_blocker_register.json";
const MATRIX: &str = "m2a_stack_backend_matrix.json";

/// The archived documents, evaluated with the policies of this binary.
fn evaluation(name: &str) -> Evaluation {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/facts").join(name);
    let facts = Facts::read(&path).unwrap();
    let policies = Policies::embedded(&PolicyOptions::default()).unwrap();
    let document = Document::new(facts.json().clone(), true).unwrap();
    evaluate(&document, &policies, &[], &[]).unwrap()
}

/// The pack of lane A in a folder of its own, below a root that ends with the test.
struct Pack {
    _root: tempfile::TempDir,
    folder: PathBuf,
}

impl Pack {
    fn of(evaluation: &Evaluation) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = write_packs(root.path(), evaluation).unwrap().swap_remove(0).folder;
        Self { _root: root, folder }
    }

    fn ready() -> Self {
        static READY: LazyLock<Evaluation> = LazyLock::new(|| evaluation("ready.json"));
        Self::of(&READY)
    }

    fn blocked() -> Self {
        static BLOCKED: LazyLock<Evaluation> = LazyLock::new(|| evaluation("blocked.json"));
        Self::of(&BLOCKED)
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join(file)).unwrap()).unwrap()
    }

    fn write(&self, file: &str, body: &Value) {
        fs::write(self.folder.join(file), format!("{body:#}\n")).unwrap();
    }

    fn edit(&self, file: &str, edit: impl FnOnce(&mut Value)) {
        let mut body = self.json(file);
        edit(&mut body);
        self.write(file, &body);
    }

    /// Makes the manifest fit the files.
    fn list_anew(&self) {
        let mut files = self.files();
        files.remove(MANIFEST);
        fs::write(self.folder.join(MANIFEST), manifest(&files)).unwrap();
    }

    /// Makes the statement fit the artifacts, and the manifest both.
    fn state_anew(&self) {
        let mut files = self.files();
        files.remove(MANIFEST);
        files.remove(STATEMENT);
        let subjects: Vec<Value> = files
            .iter()
            .map(|(name, bytes)| json!({"name": name, "digest": {"sha256": Digest::of(bytes).hex()}}))
            .collect();
        self.edit(STATEMENT, |statement| statement["subject"] = json!(subjects));
        self.list_anew();
    }

    /// The file that is named, and what is said of it.
    fn refusal(&self) -> (String, String) {
        let error = verify::pack(&self.folder).expect_err("it is refused");
        assert!(error.help().is_some());
        let place = format!("{}/{}", self.folder.display(), error.file);
        assert!(error.to_string().starts_with(place.trim_end_matches('/')), "{error}");
        (error.file, error.problem)
    }

    #[track_caller]
    fn is_refused_for(&self, file: &str, problem: &str) {
        let (named, said) = self.refusal();
        assert_eq!(named, file, "{said}");
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_pack_as_it_was_written_is_accepted() {
    for pack in [Pack::ready(), Pack::blocked()] {
        let verified = verify::pack(&pack.folder).unwrap();
        let manifest = fs::read(pack.folder.join(MANIFEST)).unwrap();
        assert_eq!(verified.lane, "M2.A");
        assert_eq!(verified.phase_execution_id, pack.folder.file_name().unwrap().to_str().unwrap());
        assert_eq!(verified.manifest_digest, Digest::of(&manifest).to_string());
        assert_eq!(verified.summary, pack.json(SUMMARY));
        assert_eq!(verified.register, pack.json(REGISTER));
        assert_eq!(json!(verified.overall_pass), verified.summary["overall_pass"]);
        // The same files read from elsewhere.
        assert_eq!(verify::files("s3://b/p/", &verified.phase_execution_id, &pack.files()).unwrap(), verified);
    }
}

#[test]
fn every_lane_writes_a_pack_that_verifies() {
    let root = tempfile::tempdir().unwrap();
    for pack in write_packs(root.path(), &evaluation("unreadable.json")).unwrap() {
        let verified = verify::pack(&pack.folder).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(verified.manifest_digest, pack.manifest_digest());
    }
}

#[test]
fn the_statement_is_an_in_toto_verification_summary_of_every_artifact() {
    let pack = Pack::blocked();
    let statement = pack.json(STATEMENT);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/verification_summary/v1");
    assert_eq!(statement["predicate"]["verificationResult"], "FAILED");
    let named: Vec<&str> =
        statement["subject"].as_array().unwrap().iter().map(|subject| subject["name"].as_str().unwrap()).collect();
    let files = pack.files();
    let artifacts: Vec<&str> =
        files.keys().map(String::as_str).filter(|file| *file != MANIFEST && *file != STATEMENT).collect();
    assert_eq!(named, artifacts);
}

#[test]
fn a_byte_flipped_in_any_file_is_refused() {
    for file in Pack::ready().files().into_keys() {
        let pack = Pack::ready();
        let path = pack.folder.join(&file);
        let mut bytes = fs::read(&path).unwrap();
        // In the manifest the last byte is the newline; elsewhere some byte in the middle.
        let place = if file == MANIFEST { bytes.len() - 1 } else { bytes.len() / 2 };
        bytes[place] ^= 1;
        fs::write(&path, bytes).unwrap();
        let problem = if file == MANIFEST { "is not `<sha256>  <file>`" } else { "it was altered" };
        pack.is_refused_for(&file, problem);
    }
}

#[test]
fn a_removed_file_is_missed() {
    for file in Pack::ready().files().into_keys() {
        let pack = Pack::ready();
        fs::remove_file(pack.folder.join(&file)).unwrap();
        pack.is_refused_for(&file, "it is missing");
    }
}

#[test]
fn a_file_removed_from_the_manifest_too_is_missed_by_the_statement() {
    for file in [SUMMARY, REGISTER, STATEMENT] {
        let pack = Pack::ready();
        fs::remove_file(pack.folder.join(file)).unwrap();
        pack.list_anew();
        pack.is_refused_for(file, "it is missing");
    }
    let pack = Pack::ready();
    fs::remove_file(pack.folder.join(MATRIX)).unwrap();
    pack.list_anew();
    pack.is_refused_for(MATRIX, "the pack lacks it");
}

#[test]
fn an_added_file_is_refused() {
    let pack = Pack::ready();
    fs::write(pack.folder.join("notes.log"), "all fine").unwrap();
    pack.is_refused_for("notes.log", "the manifest does not list it");
    pack.list_anew();
    pack.is_refused_for("notes.log", "the statement does not name it");
}

#[test]
fn a_renamed_file_is_refused() {
    let pack = Pack::ready();
    fs::rename(pack.folder.join(MATRIX), pack.folder.join("m2a_matrix.json")).unwrap();
    pack.is_refused_for(MATRIX, "it is missing");
    pack.list_anew();
    pack.is_refused_for("m2a_matrix.json", "the statement does not name it");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_refused() {
    let pack = Pack::ready();
    let elsewhere = Pack::ready();
    fs::remove_file(pack.folder.join(MATRIX)).unwrap();
    std::os::unix::fs::symlink(elsewhere.folder.join(MATRIX), pack.folder.join(MATRIX)).unwrap();
    pack.is_refused_for(MATRIX, "it is a link");
}

#[test]
fn a_folder_within_a_pack_is_refused() {
    let pack = Pack::ready();
    fs::create_dir(pack.folder.join("more")).unwrap();
    pack.is_refused_for("more", "it is no file");
}

#[test]
fn an_artifact_of_another_run_is_refused_even_where_manifest_and_statement_fit_it() {
    for file in [SUMMARY, REGISTER, MATRIX] {
        let pack = Pack::blocked();
        fs::copy(Pack::ready().folder.join(file), pack.folder.join(file)).unwrap();
        pack.is_refused_for(file, "it was altered");
        pack.list_anew();
        assert_eq!(pack.refusal().0, file);
        pack.state_anew();
        assert_eq!(pack.refusal().0, file);
    }
}

#[test]
fn a_pack_under_another_name_is_refused() {
    let pack = Pack::ready();
    for (name, file) in [("m2a_20200101T000000Z", SUMMARY), ("m2a_copy", ""), ("m2k_20200101T000000Z", "")] {
        let folder = pack.folder.with_file_name(name);
        fs::rename(&pack.folder, &folder).unwrap();
        assert_eq!(verify::pack(&folder).unwrap_err().file, file);
        fs::rename(&folder, &pack.folder).unwrap();
    }
}

#[test]
fn a_forged_result_contradicts_the_rest_of_the_pack() {
    let pack = Pack::blocked();
    pack.edit(SUMMARY, |summary| summary["overall_pass"] = json!(true));
    pack.state_anew();
    pack.is_refused_for(SUMMARY, "contradicts its `next_gate`");
    pack.edit(SUMMARY, |summary| summary["next_gate"] = json!("M2.B_READY"));
    pack.state_anew();
    pack.is_refused_for(SUMMARY, "contradicts its blockers");
    pack.edit(SUMMARY, |summary| {
        summary["blockers"] = json!([]);
        summary["blocker_count"] = json!(0);
    });
    pack.state_anew();
    pack.is_refused_for(SUMMARY, "is not that of m2a_blocker_register.json");
    pack.edit(REGISTER, |register| {
        register["blockers"] = json!([]);
        register["blocker_count"] = json!(0);
    });
    pack.state_anew();
    pack.is_refused_for(SUMMARY, "`failed_check_count`");
    pack.edit(SUMMARY, |summary| summary["failed_check_count"] = json!(0));
    pack.state_anew();
    pack.is_refused_for(SUMMARY, "the checks that failed are not the blockers");
    pack.edit(SUMMARY, |summary| {
        summary["checks"].as_array_mut().unwrap().iter_mut().for_each(|row| row[3] = json!(true))
    });
    pack.state_anew();
    pack.is_refused_for(SUMMARY, "contradicts its definition of done");
    pack.edit(SUMMARY, |summary| {
        summary["dod"].as_array_mut().unwrap().iter_mut().for_each(|item| item["done"] = json!(true))
    });
    pack.state_anew();
    pack.is_refused_for(STATEMENT, "`verificationResult` contradicts");
}

#[test]
fn checks_that_are_left_out_or_are_none_are_missed() {
    for (edit, problem) in [
        ((|checks| drop(checks.as_array_mut().unwrap().pop())) as fn(&mut Value), "`check_count`"),
        (|checks| *checks = json!("all"), "its `checks` are no list"),
        (|checks| checks[0] = json!(["M2A-B1", "x", "y"]), "not [code, subject, claim, ok]"),
    ] {
        let pack = Pack::ready();
        pack.edit(SUMMARY, |summary| edit(&mut summary["checks"]));
        pack.state_anew();
        pack.is_refused_for(SUMMARY, problem);
    }
}

#[test]
fn a_pack_of_the_shipped_policies_holds_exactly_their_artifacts() {
    let pack = Pack::ready();
    fs::copy(pack.folder.join(MATRIX), pack.folder.join("m2a_more.json")).unwrap();
    pack.state_anew();
    pack.is_refused_for("m2a_more.json", "M2.A writes no such artifact");
    fs::remove_file(pack.folder.join("m2a_more.json")).unwrap();
    fs::remove_file(pack.folder.join(MATRIX)).unwrap();
    pack.state_anew();
    pack.is_refused_for(MATRIX, "it is missing: M2.A writes it");
}

#[test]
fn a_register_that_hides_a_blocker_is_refused() {
    let pack = Pack::blocked();
    pack.edit(REGISTER, |register| register["blockers"] = json!([]));
    pack.state_anew();
    pack.is_refused_for(REGISTER, "`blocker_count`");
}

#[test]
fn facts_and_policies_are_the_same_in_every_artifact() {
    for key in ["facts_digest", "policies_digest"] {
        let pack = Pack::ready();
        pack.edit(MATRIX, |matrix| matrix[key] = json!(Digest::of(b"other").as_str()));
        pack.state_anew();
        pack.is_refused_for(MATRIX, key);
        for file in pack.files().into_keys().filter(|file| file.ends_with(".json") && file != STATEMENT) {
            pack.edit(&file, |body| body[key] = json!(Digest::of(b"other").as_str()));
        }
        pack.state_anew();
        pack.is_refused_for(STATEMENT, "contradicts the execution summary");
    }
}

#[test]
fn the_manifest_lists_each_file_once_and_in_order() {
    let pack = Pack::ready();
    let text = fs::read_to_string(pack.folder.join(MANIFEST)).unwrap();
    let first = text.lines().next().unwrap();
    for (manifest, problem) in [
        (format!("{first}\n{text}"), "line 2 is out of order"),
        (text.trim_end().to_owned(), "is not `<sha256>  <file>`"),
        (text.replacen("  ", " *", 1), "line 1 is not `<sha256>  <file>`"),
        (text.replacen("  m2a_", "  ../m2a_", 1), "line 1 is not `<sha256>  <file>`"),
        (String::new(), ""),
    ] {
        fs::write(pack.folder.join(MANIFEST), &manifest).unwrap();
        let (file, said) = pack.refusal();
        assert!(said.contains(problem), "{file}: {said}");
        assert!(file == MANIFEST || manifest.is_empty(), "{file}: {said}");
    }
}

#[test]
fn what_is_no_pack_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(verify::pack(folder.path()).unwrap_err().file, MANIFEST);
    let error = verify::pack(&folder.path().join("nowhere")).unwrap_err();
    assert!(error.source.is_some() && error.help().unwrap().contains("folder of one pack"), "{error}");
}
