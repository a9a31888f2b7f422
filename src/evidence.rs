//! Evidence packs: the files of one lane, whole or not there.
//!
//! ```text
//! artifacts ─► <root>/.m2a_….tmp-XXXX/ ─ sync ─► rename ─► <root>/m2a_<YYYYMMDDTHHMMSSZ>/
//!                                                          { m2a_*.json, *.log, statement.intoto.json, manifest.sha256 }
//! ```
//!
//! A pack is written into a temporary folder beside its place, synced, and renamed. A run that dies leaves at most a folder
//! with a leading dot, which is never a pack. A pack is never overwritten: a blocked run is kept for audit. The same pack
//! again is no other one, so that a run that died between two packs can be run again.

pub mod mirror;
mod statement;
#[cfg(test)]
mod tests;
pub mod verify;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use factgate_collector::fact::Digest;
use factgate_collector::help::Help;
use serde_json::Value;

use crate::evaluate::Evaluation;
use crate::verdict::LaneVerdict;

pub use statement::STATEMENT;
use statement::Statement;

/// The manifest's name: `sha256sum -c manifest.sha256` accepts the pack.
pub const MANIFEST: &str = "manifest.sha256";

/// Why packs were not written.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Another pack stands there already.
    #[error("another evidence pack {} exists already", .0.display())]
    Exists(PathBuf),
    /// What was written is not what is there.
    #[error("the evidence pack {} does not read back as it was written", .0.display())]
    Altered(PathBuf),
    /// The file system refused.
    #[error("the evidence pack {} cannot be written", path.display())]
    Write {
        /// Which pack.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Help for EvidenceError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Exists(_) => {
                "packs are kept for audit and never overwritten: collect again, or choose another --evidence-root"
                    .to_owned()
            }
            Self::Altered(_) => "check the file system, and collect again: such a pack proves nothing".to_owned(),
            Self::Write { .. } => {
                "check that the folder given by --evidence-root can be written and has room".to_owned()
            }
        })
    }
}

/// A pack that stands where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPack {
    /// The lane's phase execution id: the name of its folder.
    pub phase_execution_id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Every file, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl WrittenPack {
    /// `sha256:<hex>` of its manifest, which covers every other file.
    pub fn manifest_digest(&self) -> String {
        Digest::of(self.files.get(MANIFEST).map_or(&[], Vec::as_slice)).to_string()
    }
}

/// Makes the folder that holds the packs.
///
/// # Errors
///
/// If the file system refuses.
pub fn create_root(root: &Path) -> Result<(), EvidenceError> {
    fs::create_dir_all(root).map_err(|source| EvidenceError::Write { path: root.to_owned(), source })
}

/// Packs that are written beside their places, and do not stand there yet. Dropping them leaves nothing.
#[derive(Debug)]
pub struct PreparedPacks {
    root: PathBuf,
    packs: Vec<WrittenPack>,
    /// One a pack; none for a pack that stands already.
    temporary: Vec<Option<tempfile::TempDir>>,
}

impl PreparedPacks {
    /// The packs as they will stand.
    pub fn packs(&self) -> &[WrittenPack] {
        &self.packs
    }

    /// Puts every pack in its place, in the order of the lanes, and reads each back.
    ///
    /// # Errors
    ///
    /// If the file system refuses; the packs before the one that failed stand then, each whole.
    pub fn publish(self) -> Result<Vec<WrittenPack>, EvidenceError> {
        for (pack, temporary) in self.packs.iter().zip(self.temporary) {
            let place = &pack.folder;
            let failed = |source| EvidenceError::Write { path: place.clone(), source };
            if let Some(temporary) = temporary {
                // Renaming onto a folder that appeared in the meantime fails, since a pack is never empty.
                fs::rename(temporary.path(), place).map_err(failed)?;
                // The folder is the pack now: nothing is left to remove.
                let _ = temporary.keep();
                sync_folder(&self.root).map_err(failed)?;
            }
            if !holds(place, &pack.files).map_err(failed)? {
                return Err(EvidenceError::Altered(place.clone()));
            }
        }
        Ok(self.packs)
    }
}

/// Writes one pack a covered lane below `root`; [`PreparedPacks::publish`] puts them in their places.
///
/// # Errors
///
/// If another pack exists or one cannot be written.
pub fn prepare_packs(root: &Path, evaluation: &Evaluation) -> Result<PreparedPacks, EvidenceError> {
    create_root(root)?;
    let mut prepared = PreparedPacks { root: root.to_owned(), packs: Vec::new(), temporary: Vec::new() };
    for lane in &evaluation.verdict.lanes {
        let folder = root.join(&lane.phase_execution_id);
        let failed = |source| EvidenceError::Write { path: folder.clone(), source };
        let files = pack_files(evaluation, lane).map_err(|error| failed(error.into()))?;
        let temporary = if folder.symlink_metadata().is_err() {
            Some(prepare(root, &lane.phase_execution_id, &files).map_err(failed)?)
        } else if holds(&folder, &files).map_err(failed)? {
            None
        } else {
            return Err(EvidenceError::Exists(folder));
        };
        prepared.packs.push(WrittenPack { phase_execution_id: lane.phase_execution_id.clone(), folder, files });
        prepared.temporary.push(temporary);
    }
    Ok(prepared)
}

/// Writes one pack a covered lane below `root`, and puts them in their places at once.
///
/// # Errors
///
/// As [`prepare_packs`] and [`PreparedPacks::publish`]: packs appear only when all of them are written.
pub fn write_packs(root: &Path, evaluation: &Evaluation) -> Result<Vec<WrittenPack>, EvidenceError> {
    prepare_packs(root, evaluation)?.publish()
}

/// Whether a folder holds these files and nothing else.
fn holds(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> io::Result<bool> {
    if !folder.symlink_metadata()?.is_dir() || fs::read_dir(folder)?.count() != files.len() {
        return Ok(false);
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        match path.symlink_metadata() {
            Ok(found) if found.is_file() && fs::read(&path)? == *bytes => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// The files of one lane's pack, by name.
///
/// # Errors
///
/// If an artifact holds something that JSON cannot carry.
pub fn pack_files(evaluation: &Evaluation, lane: &LaneVerdict) -> Result<BTreeMap<String, Vec<u8>>, serde_json::Error> {
    let nothing = BTreeMap::new();
    let artifacts = evaluation.artifacts.get(&lane.lane).unwrap_or(&nothing);
    let mut files = BTreeMap::new();
    for (name, body) in artifacts {
        let bytes = match body {
            // A log is what a command printed, not a JSON text about it.
            Value::String(text) if !name.ends_with(".json") => text.clone().into_bytes(),
            body => pretty(body)?,
        };
        files.insert(name.clone(), bytes);
    }
    let statement = pretty(&Statement::of(&evaluation.verdict, lane, &files))?;
    files.insert(STATEMENT.to_owned(), statement);
    let manifest = manifest(&files);
    files.insert(MANIFEST.to_owned(), manifest.into_bytes());
    Ok(files)
}

fn pretty(body: &impl serde::Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(body)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut manifest = String::new();
    for (file, bytes) in files {
        // Two spaces: the format of `sha256sum` for a file read as text. Writing to a String cannot fail.
        let _ = writeln!(manifest, "{}  {file}", Digest::of(bytes).hex());
    }
    manifest
}

/// Whether a text can be the name of a file of a pack: letters, digits, `_`, `-` and `.`, the last not in front.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_plain)
}

fn prepare(root: &Path, name: &str, files: &BTreeMap<String, Vec<u8>>) -> io::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix(&format!(".{name}.tmp-")).tempdir_in(root)?;
    #[cfg(unix)]
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    for (file, bytes) in files {
        write_synced(&folder.path().join(file), bytes)?;
    }
    sync_folder(folder.path())?;
    Ok(folder)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
