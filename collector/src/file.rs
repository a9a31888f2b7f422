//! Files that appear whole or not at all.

use std::io::{self, Write};
use std::path::Path;

/// Writes a file: into a temporary one beside it, synced, then renamed over whatever is there.
///
/// # Errors
///
/// If the folder does not exist, cannot be written or is full. Nothing half-written is left then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
