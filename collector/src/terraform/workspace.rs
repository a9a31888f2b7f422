//! The working copy that Terraform runs in.
//!
//! ```text
//! <root>/infra/dev_full/core/…         <scratch>/tree/infra/dev_full/core/…      copied
//! <root>/infra/modules/vpc/…           <scratch>/tree/infra/modules/vpc/…        copied: a module of the stack
//! <root>/infra/dev_full/streaming  ◄── <scratch>/tree/infra/dev_full/streaming   symbolic link
//! <root>/README.md                 ◄── <scratch>/tree/README.md                  symbolic link
//!                                      <scratch>/data                            TF_DATA_DIR
//! ```
//!
//! `terraform init` writes a lock file into the folder that it runs in, and configurations write archives beside their sources.
//! A gate must leave the folders that it judges as they were, also when it is killed, so it never runs Terraform in them. The
//! copies stand at the same relative places and everything around them is linked, so relative paths mean the same. Two things
//! differ from a run in place: `path.cwd` is another folder, and nothing stops a configuration from writing through a link
//! into a folder that is neither its own nor a module's.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use walkdir::WalkDir;

use super::modules;

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
        let tree = scratch.path().join("tree");
        let mut budget = Budget { files: MAX_FILES, bytes: MAX_BYTES };
        assemble(root, Path::new(""), &tree, &modules::folders(root, relative), &mut budget)?;
        let directory = tree.join(relative);
        Ok(Self { scratch, directory, root: root.to_owned() })
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

/// How much may still be copied.
struct Budget {
    files: usize,
    bytes: u64,
}

impl Budget {
    fn spend(&mut self, bytes: u64) -> Result<(), WorkspaceError> {
        self.files = self.files.checked_sub(1).ok_or(WorkspaceError::TooLarge)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(WorkspaceError::TooLarge)?;
        Ok(())
    }
}

/// Builds the folder at `relative`: a copy if it is to be copied, a real folder if something in it is, else a link.
fn assemble(
    root: &Path,
    relative: &Path,
    tree: &Path,
    copied: &BTreeSet<PathBuf>,
    budget: &mut Budget,
) -> Result<(), WorkspaceError> {
    let (original, copy) = (root.join(relative), tree.join(relative));
    if copied.contains(relative) {
        fs::create_dir(&copy)?;
        return copy_tree(&original, &copy, budget);
    }
    if !copied.iter().any(|folder| folder.starts_with(relative)) {
        symlink(&original, &copy)?;
        return Ok(());
    }
    fs::create_dir(&copy)?;
    for entry in fs::read_dir(&original)? {
        assemble(root, &relative.join(entry?.file_name()), tree, copied, budget)?;
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path, budget: &mut Budget) -> Result<(), WorkspaceError> {
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
            budget.spend(0)?;
            fs::create_dir(&target)?;
        } else if kind.is_symlink() {
            match fs::metadata(entry.path()) {
                // A linked file is copied, since Terraform may write to it (a linked lock file).
                Ok(metadata) if metadata.is_file() => copy_file(entry.path(), &target, &metadata, budget)?,
                Ok(metadata) if metadata.is_dir() => symlink(fs::canonicalize(entry.path())?, &target)?,
                Ok(_) => {}
                Err(_) => symlink(fs::read_link(entry.path())?, &target)?,
            }
        } else if kind.is_file() {
            let metadata = entry.metadata().map_err(io::Error::from)?;
            copy_file(entry.path(), &target, &metadata, budget)?;
        }
        // Sockets, pipes and devices are no source of Terraform's.
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, metadata: &fs::Metadata, budget: &mut Budget) -> Result<(), WorkspaceError> {
    budget.spend(metadata.len())?;
    fs::copy(from, to)?;
    // Archives of a stack record the times of their sources: a fresh time would show as a change.
    if let Ok(modified) = metadata.modified() {
        fs::File::open(to)?.set_modified(modified)?;
    }
    Ok(())
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
        write(&stack.join("main.tf"), "main = 1\nmodule \"x\" {\n  source = \"../../modules/x\"\n}\n");
        write(&stack.join("lambda/index.py"), "code");
        write(&stack.join(".terraform/modules/modules.json"), "{}");
        write(&stack.join("terraform.tfstate"), "{}");
        write(&root.path().join("infra/modules/x/main.tf"), "module");
        write(&root.path().join("infra/modules/y/main.tf"), "module");
        write(&root.path().join("shared.tf"), "shared");
        symlink("../../../shared.tf", stack.join("shared.tf")).expect("a link");
        symlink("nowhere", stack.join("dangling")).expect("a link");
        symlink("../../modules", stack.join("modules")).expect("a link");

        let workspace = Workspace::create(root.path(), Path::new("infra/dev/core")).expect("a copy");
        let directory = workspace.directory();
        assert!(directory.join("main.tf").is_file());
        assert_eq!(fs::read_to_string(directory.join("lambda/index.py")).expect("copied"), "code");
        let is_link = |path: &str| fs::symlink_metadata(directory.join(path)).expect("it is there").is_symlink();
        assert!(!is_link("../../modules/x") && is_link("../../modules/y") && is_link("../../../shared.tf"));
        assert_eq!(fs::read_to_string(directory.join("../../modules/y/main.tf")).expect("linked"), "module");
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
    fn a_folder_with_too_much_in_it_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        write(&root.path().join("stack/a.tf"), "four");
        write(&root.path().join("stack/b.tf"), "four");
        let copied = BTreeSet::from([PathBuf::from("stack")]);
        let copy = |files, bytes| {
            let scratch = tempfile::tempdir().expect("a folder");
            assemble(root.path(), Path::new(""), &scratch.path().join("t"), &copied, &mut Budget { files, bytes })
        };
        assert!(copy(2, 8).is_ok());
        assert!(matches!(copy(1, 8), Err(WorkspaceError::TooLarge)));
        assert!(matches!(copy(2, 7), Err(WorkspaceError::TooLarge)));
    }
}
