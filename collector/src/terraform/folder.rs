//! A stack's folder and the backend block in it: reads of the local file system.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{backend, chain, directory_handle, timestamp};
use crate::fact::{Backend, Digest, Directory, Handle, Observation, ReadError, ReadErrorKind, Receipt};

/// A handle's text, or why there is none to use.
pub(super) fn pinned<'a>(handles: &'a BTreeMap<String, Handle>, name: &str) -> Result<&'a str, String> {
    match handles.get(name).map(|handle| &handle.value) {
        None => Err(format!("handle {name} is not pinned")),
        Some(Value::String(text)) if text == "TO_PIN" => Err(format!("handle {name} is not pinned (TO_PIN)")),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(_) => Err(format!("handle {name} is not a text")),
    }
}

/// What was read, and the receipts of it.
pub(super) struct Read<T> {
    pub(super) observation: Observation<T>,
    pub(super) receipt: Option<(String, Receipt)>,
}

/// Reads the folder that a stack's handle names, below the canonical root.
pub(super) fn directory(root: &Path, stack: &str, handles: &BTreeMap<String, Handle>) -> Read<Directory> {
    let pinned = match pinned(handles, &directory_handle(stack)) {
        Ok(pinned) => pinned,
        Err(reason) => return Read { observation: Observation::not_collected(reason), receipt: None },
    };
    let key = format!("file.directory/{stack}");
    let started_at = timestamp();
    let (observation, read) = match list(root, Path::new(pinned)) {
        Ok(directory) => {
            let read = Digest::of(directory.files.join("\n").as_bytes()).to_string();
            (Observation::present(directory, vec![key.clone()]), Some(read))
        }
        Err(error) => (failed(error, &key), None),
    };
    let path = match &observation {
        Observation::Present { value, .. } => value.path.clone(),
        _ => pinned.to_owned(),
    };
    Read { observation, receipt: Some((key, Receipt::File { path, started_at, digest: read })) }
}

/// Reads the backend that a stack's files declare.
pub(super) fn declared(root: &Path, stack: &str, directory: &Directory) -> Read<Backend> {
    let key = format!("file.backend/{stack}");
    let started_at = timestamp();
    let folder = Path::new(&directory.path);
    let below = |file: &str| folder.join(file).to_string_lossy().into_owned();
    let (observation, path, read) = match backend::declared(&root.join(folder), &directory.files) {
        Ok(Some(declaration)) => {
            let path = below(&declaration.file);
            let backend = Backend {
                kind: declaration.kind,
                declared_at: format!("{path}:{}", declaration.line),
                declared: declaration.attributes,
                effective: BTreeMap::new(),
            };
            (Observation::present(backend, vec![key.clone()]), path, Some(declaration.digest))
        }
        Ok(None) => {
            let error = ReadError {
                code: "NoBackendBlock".to_owned(),
                kind: ReadErrorKind::NotFound,
                message: "no `terraform` block of the stack has a `backend` block".to_owned(),
                action: None,
            };
            let listing = Digest::of(directory.files.join("\n").as_bytes()).to_string();
            (Observation::Absent { error, receipts: vec![key.clone()] }, directory.path.clone(), Some(listing))
        }
        Err(error) => {
            let error = ReadError {
                code: "MalformedBackend".to_owned(),
                kind: ReadErrorKind::Malformed,
                message: chain(&error),
                action: None,
            };
            (Observation::Unreadable { error, receipts: vec![key.clone()] }, directory.path.clone(), None)
        }
    };
    Read { observation, receipt: Some((key, Receipt::File { path, started_at, digest: read })) }
}

#[derive(Debug, thiserror::Error)]
enum FolderError {
    #[error("the folder does not exist")]
    Missing,
    #[error("it is not a folder")]
    NotAFolder,
    #[error(
        "the folder lies outside the Terraform root\nhelp: name it relative to the Terraform root, or widen the root"
    )]
    Outside,
    #[error("the folder cannot be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for FolderError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::NotADirectory => Self::NotAFolder,
            _ => Self::Io(error),
        }
    }
}

fn failed(error: FolderError, key: &str) -> Observation<Directory> {
    let (code, kind) = match &error {
        FolderError::Missing => ("NoSuchDirectory", ReadErrorKind::NotFound),
        FolderError::NotAFolder => ("NotADirectory", ReadErrorKind::NotFound),
        FolderError::Outside => ("OutsideTerraformRoot", ReadErrorKind::Rejected),
        FolderError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            ("PermissionDenied", ReadErrorKind::Denied)
        }
        FolderError::Io(_) => ("DirectoryUnreadable", ReadErrorKind::Tool),
    };
    let error = ReadError { code: code.to_owned(), kind, message: chain(&error), action: None };
    let receipts = vec![key.to_owned()];
    match kind {
        ReadErrorKind::NotFound => Observation::Absent { error, receipts },
        _ => Observation::Unreadable { error, receipts },
    }
}

fn list(root: &Path, pinned: &Path) -> Result<Directory, FolderError> {
    // Links are resolved first: what lies outside the root cannot be shown by a path below it, nor copied with its siblings.
    let folder = root.join(pinned).canonicalize()?;
    let relative = folder.strip_prefix(root).map_err(|_| FolderError::Outside)?;
    if !folder.is_dir() {
        return Err(FolderError::NotAFolder);
    }
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && backend::is_configuration(&name)
            && entry.path().is_file()
        {
            files.push(name);
        }
    }
    files.sort();
    let path = if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative.to_owned() };
    Ok(Directory { path: path.to_string_lossy().into_owned(), files })
}
