//! Files that appear whole or not at all.

use std::io::{self, Write};
use std::path::Path;

/// Writes a file: into a temporary one beside it, synced, then renamed over what is there. A link is followed, and what is no
/// regular file (a device, a pipe) is written to as it stands: renaming over `/dev/null` would replace the device.
///
/// # Errors
///
/// If the folder does not exist, cannot be written or is full. Nothing half-written is left then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = match path.metadata() {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
            return file.write_all(bytes).and_then(|()| file.flush());
        }
        Ok(_) => &path.canonicalize()?,
        Err(_) => path,
    };
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
        _ => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => tempfile::tempfile_in(folder).map(drop),
            _ => tempfile::tempfile_in(".").map(drop),
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
