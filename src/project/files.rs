//! Files that appear together: every byte is on the disk before the first of them gets its name.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ProjectError;

/// What was made; it goes again unless it is kept.
#[derive(Debug, Default)]
pub(crate) struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    /// Leaves everything where it is.
    pub(crate) fn keep(mut self) {
        self.folders.clear();
        self.files.clear();
    }

    /// Makes a folder and those above it, as far as they are not there.
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
        for folder in missing.into_iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir(folder)?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What cannot be removed is not ours any more: somebody has put something there since.
        for file in self.files.iter().rev() {
            let _ = std::fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Creates files below a folder, each by its name with `/` between the parts. None takes the place of what is there.
///
/// # Errors
///
/// If one of them is there, or one cannot be written. Nothing is left of the others then.
pub(crate) fn create(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Made, ProjectError> {
    refuse(folder, files.keys().map(String::as_str))?;
    let mut made = Made::default();
    let mut staged = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        match stage(&mut made, &path, bytes) {
            Ok(file) => staged.push((file, path)),
            Err(source) => return Err(ProjectError::Write { path, source }),
        }
    }
    for (file, path) in staged {
        match file.persist_noclobber(&path) {
            Ok(_) => made.files.push(path),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                return Err(ProjectError::InTheWay(vec![path]));
            }
            Err(error) => return Err(ProjectError::Write { path, source: error.error }),
        }
    }
    Ok(made)
}

/// Refuses names that are taken below a folder, be it by a link that leads nowhere.
pub(super) fn refuse<'name>(folder: &Path, names: impl Iterator<Item = &'name str>) -> Result<(), ProjectError> {
    let is_free = |path: &PathBuf| path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let taken = names.map(|name| folder.join(name)).filter(|path| !is_free(path)).map(obstacle);
    let taken: BTreeSet<PathBuf> = taken.collect();
    if taken.is_empty() { Ok(()) } else { Err(ProjectError::InTheWay(taken.into_iter().collect())) }
}

/// What is in the way of a file: what has its name, or what is no folder and would have to be one.
fn obstacle(path: PathBuf) -> PathBuf {
    let mut above = path.ancestors().skip(1);
    above.find(|above| above.symlink_metadata().is_ok() && !above.is_dir()).map_or_else(|| path.clone(), Path::to_owned)
}

fn stage(made: &mut Made, path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    made.folder(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".factgate-");
    // Other users than the one that wrote it read it; the umask has the last word.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::ExitCode;

    fn files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
    }

    fn count(folder: &Path) -> usize {
        walkdir::WalkDir::new(folder).min_depth(1).into_iter().count()
    }

    #[test]
    fn files_appear_with_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), &files(&["a", "b/c/d"])).unwrap().keep();
        assert_eq!(std::fs::read_to_string(folder.path().join("b/c/d")).unwrap(), "b/c/d");
        assert_eq!(count(folder.path()), 4);
    }

    #[test]
    fn what_is_there_is_named_and_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b"), "mine").unwrap();
        for names in [["a", "b"], ["a", "b/c"], ["b/c/d", "b/e"]] {
            let error = create(folder.path(), &files(&names)).unwrap_err();
            let expected = [folder.path().join("b")];
            assert!(matches!(&error, ProjectError::InTheWay(taken) if *taken == expected), "{error}");
            assert_eq!((count(folder.path()), error.exit_code()), (1, ExitCode::Usage));
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("b")).unwrap(), "mine");
    }

    #[test]
    fn what_is_not_kept_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        drop(create(folder.path(), &files(&["a", "b/c/d"])).unwrap());
        assert_eq!(count(folder.path()), 0);
    }

    #[test]
    fn a_failure_half_way_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        // The second name is a folder by the time that it is needed as a file.
        let error = create(folder.path(), &files(&["a/b", "a/b/c"])).unwrap_err();
        assert!(matches!(error, ProjectError::InTheWay(_) | ProjectError::Write { .. }), "{error}");
        assert_eq!(count(folder.path()), 0);
    }
}
