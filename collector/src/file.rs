//! Files that appear whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file: into a temporary one beside it, synced, then renamed over what is there. A link is followed, and what is no
/// regular file (a device, a pipe) is written to as it stands: renaming over `/dev/null` would replace the device.
///
/// # Errors
///
/// If the folder does not exist, cannot be written or is full. Nothing half-written is left then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
        return file.write_all(bytes).and_then(|()| file.flush());
    }
    let path = &target(path);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".factgate-");
    // Other users than the one that wrote it read it; the umask has the last word.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The name is durable only once its folder is.
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all())?;
    Ok(())
}

/// The one name of a file that may have several: links are followed, also those whose file is not there yet.
pub fn target(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // As many as the system follows itself.
    for _ in 0..40 {
        let Ok(link) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(link);
    }
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or(path.clone(), |(folder, name)| folder.join(name))
}

/// Whether [`write_atomically`] could write a file, as far as that can be told before.
///
/// # Errors
///
/// If it could not.
pub fn check_file(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // To open a pipe would wait for its reader.
        Ok(found) if !found.is_file() => Ok(()),
        _ => match target(path).parent() {
            Some(folder) => tempfile::tempfile_in(folder).map(drop),
            None => Err(io::ErrorKind::IsADirectory.into()),
        },
    }
}

/// Whether a folder is there, or could be made, and files in it. Nothing is made.
///
/// # Errors
///
/// If it could not.
pub fn check_folder(folder: &Path) -> io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let there = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    if !there.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    tempfile::tempfile_in(there).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    use std::process::Command;

    use super::write_atomically;

    #[test]
    fn a_link_whose_file_is_not_there_yet_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("real")).unwrap();
        let link = folder.path().join("link");
        symlink("real/file", &link).unwrap();
        assert_eq!(super::target(&link), super::target(&folder.path().join("real/file")));
        write_atomically(&link, b"text").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(folder.path().join("real/file")).unwrap(), b"text");
    }

    #[test]
    fn a_link_into_a_folder_that_cannot_be_written_is_refused_before() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/proc/version", &link).unwrap();
        assert!(super::check_file(&link).is_err());
        assert!(super::check_file(&folder.path().join("file")).is_ok());
        assert!(super::check_file(folder.path()).is_err());
        assert!(super::check_folder(&folder.path().join("a/b")).is_ok() && !folder.path().join("a").exists());
        assert!(super::check_folder(&link.join("a")).is_err());
    }

    #[test]
    fn a_link_stays_one_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "before").unwrap();
        symlink("file", &link).unwrap();
        write_atomically(&link, b"after").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"after");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_pipe_is_written_to_and_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_atomically(&pipe, b"a verdict").unwrap();
        assert_eq!(reader.join().unwrap(), b"a verdict");
        assert!(pipe.metadata().unwrap().file_type().is_fifo());
    }
}
