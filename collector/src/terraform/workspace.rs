//! The working copy that Terraform runs in.
//!
//! ```text
//! <root>/infra/dev_full/core/…         <scratch>/tree/infra/dev_full/core/…   copied
//! <root>/infra/dev_full/streaming  ◄── <scratch>/tree/infra/dev_full/streaming   symbolic link
//! <root>/infra/modules             ◄── <scratch>/tree/infra/modules              symbolic link
//! <root>/README.md                 ◄── <scratch>/tree/README.md                  symbolic link
//!                                      <scratch>/data                            TF_DATA_DIR
//! ```
//!
//! `terraform init` writes a lock file into the folder that it runs in, and stacks write archives beside their sources. A gate
//! must leave the folders that it judges as they were, also when it is killed, so it never runs Terraform in them. The copy
//! stands at the same relative place and its surroundings are linked, so module sources such as `../../modules/x` work; only
//! `path.cwd`, which names an absolute folder, differs from a run in place.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;
use walkdir::WalkDir;

/// More than any stack has; a folder beyond it is not a stack.
const MAX_FILES: usize = 20_000;

/// As above, in bytes.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Left behind by earlier runs in the stack's own folder. A local state is not part of a stack with a remote backend either:
/// `init` would try to migrate it.
const NOT_COPIED: &[&str] = &[
    ".terraform",
    ".terraform.tfstate.lock.info",
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "terraform.tfstate.d",
    "crash.log",
];

/// A stack's working copy; removed when dropped.
#[derive(Debug)]
pub(super) struct Workspace {
    scratch: TempDir,
    directory: PathBuf,
    root: PathBuf,
}

/// Why a stack could not be copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkspaceError {
    /// Reading the stack or writing the copy failed.
    #[error("cannot copy the stack's folder")]
    Io(#[from] io::Error),
    /// Too much for a stack.
    #[error(
        "the stack's folder holds more than {MAX_FILES} files or {} MiB\nhelp: keep data and build output out of it",
        MAX_BYTES / 1024 / 1024
    )]
    TooLarge,
}

impl Workspace {
    /// Copies the stack at `relative` below the canonical folder `root`.
    pub(super) fn create(root: &Path, relative: &Path) -> Result<Self, WorkspaceError> {
        // The plan file in here holds secrets: `TempDir` is readable by its owner alone.
        let scratch = tempfile::Builder::new().prefix("factgate-terraform-").tempdir()?;
        fs::create_dir(scratch.path().join("data"))?;
        let mut original = root.to_owned();
        let mut copy = scratch.path().join("tree");
        fs::create_dir(&copy)?;
        for component in relative.components() {
            let Component::Normal(name) = component else { continue };
            for entry in fs::read_dir(&original)? {
                let entry = entry?;
                if entry.file_name() != name {
                    symlink(entry.path(), copy.join(entry.file_name()))?;
                }
            }
            original.push(name);
            copy.push(name);
            fs::create_dir(&copy)?;
        }
        copy_tree(&original, &copy)?;
        Ok(Self { scratch, directory: copy, root: root.to_owned() })
    }

    /// Where Terraform runs.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// `TF_DATA_DIR`.
    pub(super) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// A file of this run that is not part of the stack.
    pub(super) fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Whether the stack pins its providers.
    pub(super) fn has_lock_file(&self) -> bool {
        self.directory.join(".terraform.lock.hcl").is_file()
    }

    /// A text with names in place of this run's and this machine's folders, so that equal runs have equal logs.
    pub(super) fn tidy(&self, text: &str) -> String {
        let scratch = self.scratch.path();
        let mut text = text.to_owned();
        for folder in [Some(scratch.to_owned()), scratch.canonicalize().ok()].into_iter().flatten() {
            text = text
                .replace(&*folder.join("tree").to_string_lossy(), "<terraform-root>")
                .replace(&*folder.to_string_lossy(), "<scratch>");
        }
        // Terraform resolves the links to local modules.
        match self.root.parent() {
            Some(_) => text.replace(&*self.root.to_string_lossy(), "<terraform-root>"),
            None => text,
        }
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), WorkspaceError> {
    let (mut files, mut bytes) = (0, 0);
    let entries = WalkDir::new(from).min_depth(1).into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_str();
        // `.terraform` is a cache on every level, the rest only where Terraform was run.
        name != Some(".terraform") && !(entry.depth() == 1 && name.is_some_and(|name| NOT_COPIED.contains(&name)))
    });
    for entry in entries {
        let entry = entry.map_err(io::Error::from)?;
        let relative = entry.path().strip_prefix(from).map_err(io::Error::other)?;
        let target = to.join(relative);
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir(&target)?;
            continue;
        }
        files += 1;
        if kind.is_symlink() {
            match fs::metadata(entry.path()) {
                // A linked file is copied, since Terraform may write to it (a linked lock file).
                Ok(metadata) if metadata.is_file() => bytes += copy_file(entry.path(), &target, &metadata)?,
                Ok(metadata) if metadata.is_dir() => symlink(fs::canonicalize(entry.path())?, &target)?,
                Ok(_) => {}
                Err(_) => symlink(fs::read_link(entry.path())?, &target)?,
            }
        } else if kind.is_file() {
            let metadata = entry.metadata().map_err(io::Error::from)?;
            if bytes + metadata.len() > MAX_BYTES {
                return Err(WorkspaceError::TooLarge);
            }
            bytes += copy_file(entry.path(), &target, &metadata)?;
        }
        // Sockets, pipes and devices are no source of Terraform's.
        if files > MAX_FILES || bytes > MAX_BYTES {
            return Err(WorkspaceError::TooLarge);
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, metadata: &fs::Metadata) -> io::Result<u64> {
    fs::copy(from, to)?;
    // Archives of a stack record the times of their sources: a fresh time would show as a change.
    if let Ok(modified) = metadata.modified() {
        fs::File::open(to)?.set_modified(modified)?;
    }
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    #[test]
    fn the_copy_sees_its_siblings_and_not_its_past() {
        let root = tempfile::tempdir().expect("a folder");
        let stack = root.path().join("infra/dev/core");
        write(&stack.join("main.tf"), "main");
        write(&stack.join("lambda/index.py"), "code");
        write(&stack.join(".terraform/modules/modules.json"), "{}");
        write(&stack.join("terraform.tfstate"), "{}");
        write(&root.path().join("infra/modules/x/main.tf"), "module");
        write(&root.path().join("shared.tf"), "shared");
        symlink("../../../shared.tf", stack.join("shared.tf")).expect("a link");
        symlink("nowhere", stack.join("dangling")).expect("a link");
        symlink("../../modules", stack.join("modules")).expect("a link");

        let workspace = Workspace::create(root.path(), Path::new("infra/dev/core")).expect("a copy");
        let directory = workspace.directory();
        assert_eq!(fs::read_to_string(directory.join("main.tf")).expect("copied"), "main");
        assert_eq!(fs::read_to_string(directory.join("lambda/index.py")).expect("copied"), "code");
        assert_eq!(fs::read_to_string(directory.join("../../modules/x/main.tf")).expect("linked"), "module");
        assert_eq!(fs::read_to_string(directory.join("modules/x/main.tf")).expect("linked"), "module");
        assert!(fs::symlink_metadata(directory.join("shared.tf")).expect("copied").is_file());
        assert!(!directory.join(".terraform").exists() && !directory.join("terraform.tfstate").exists());
        assert_eq!(workspace.tidy(&directory.join("x").to_string_lossy()), "<terraform-root>/infra/dev/core/x");
        assert_eq!(workspace.tidy(&workspace.scratch_file("p").to_string_lossy()), "<scratch>/p");
        assert_eq!(workspace.tidy(&format!("{}/x", root.path().display())), "<terraform-root>/x");
        let scratch = workspace.data();
        drop(workspace);
        assert!(!scratch.exists() && root.path().join("infra/modules/x/main.tf").exists());
    }

    #[test]
    fn the_root_itself_can_be_a_stack() {
        let root = tempfile::tempdir().expect("a folder");
        write(&root.path().join("main.tf"), "main");
        let workspace = Workspace::create(root.path(), Path::new("")).expect("a copy");
        assert!(workspace.directory().join("main.tf").is_file());
    }

    #[test]
    fn a_folder_with_too_many_files_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let many = root.path().join("many");
        fs::create_dir(&many).expect("a folder");
        for index in 0..=MAX_FILES {
            symlink("nowhere", many.join(index.to_string())).expect("a link");
        }
        let error = Workspace::create(root.path(), Path::new("many")).expect_err("too many");
        assert!(matches!(error, WorkspaceError::TooLarge), "{error}");
    }
}
