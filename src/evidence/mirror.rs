//! Where the durable mirror of evidence is.
//!
//! ```text
//! off │ s3://bucket/prefix │ registry = s3://<S3_EVIDENCE_BUCKET>/<S3_RUN_CONTROL_ROOT_PATTERN>
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use factgate_collector::fact::Handle;
use factgate_collector::help::Help;
use serde_json::Value;

/// The handle of the bucket.
const BUCKET: &str = "S3_EVIDENCE_BUCKET";

/// The handle of the folder of one pack.
const PATTERN: &str = "S3_RUN_CONTROL_ROOT_PATTERN";

/// What stands in the pattern for the name of the pack.
const PLACEHOLDER: &str = "{phase_execution_id}";

/// What is in the place of a handle that nobody has pinned yet.
const TO_PIN: &str = "TO_PIN";

/// What stands before a bucket.
const SCHEME: &str = "s3://";

/// A folder of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Folder {
    /// The bucket.
    pub bucket: String,
    /// What the keys of its objects begin with: empty, or ending with `/`.
    pub prefix: String,
}

/// Where packs are mirrored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MirrorTarget {
    /// Nowhere.
    #[default]
    Off,
    /// Where the registry says.
    Registry,
    /// Each in a folder of its own below this one.
    Folder(S3Folder),
}

/// A text that names no mirror.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mirror; write s3://bucket/prefix, registry, or off")]
pub struct UnknownMirror(String);

/// A registry that does not say where the mirror is.
#[derive(Debug, thiserror::Error)]
#[error("the registry names no mirror: `{handle}` {problem}")]
pub struct UnpinnedMirror {
    handle: &'static str,
    problem: &'static str,
}

impl Help for UnpinnedMirror {
    fn help(&self) -> Option<String> {
        Some(format!(
            "pin `{BUCKET}` and `{PATTERN}` (with {PLACEHOLDER} in it), or name the mirror with --mirror s3://…"
        ))
    }
}

impl FromStr for S3Folder {
    type Err = UnknownMirror;

    fn from_str(text: &str) -> Result<Self, UnknownMirror> {
        let unknown = || UnknownMirror(text.to_owned());
        let path = text.strip_prefix(SCHEME).ok_or_else(unknown)?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_sound = |step: &str| !matches!(step, "" | "." | "..");
        if bucket.is_empty() || !(prefix.is_empty() || prefix.split('/').all(is_sound)) {
            return Err(unknown());
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

impl fmt::Display for S3Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.bucket, self.prefix)
    }
}

impl S3Folder {
    /// A folder in this one.
    pub fn folder(&self, name: &str) -> Self {
        Self { bucket: self.bucket.clone(), prefix: format!("{}{name}/", self.prefix) }
    }

    /// The name of the folder itself.
    pub fn name(&self) -> &str {
        self.prefix.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for MirrorTarget {
    type Err = UnknownMirror;

    fn from_str(text: &str) -> Result<Self, UnknownMirror> {
        match text {
            "off" => Ok(Self::Off),
            "registry" => Ok(Self::Registry),
            folder => folder.parse().map(Self::Folder),
        }
    }
}

impl MirrorTarget {
    /// The folder that holds the folders of all packs, if there is a mirror.
    ///
    /// # Errors
    ///
    /// If the registry is to say where, and does not.
    pub fn root(&self, handles: &BTreeMap<String, Handle>) -> Result<Option<S3Folder>, UnpinnedMirror> {
        match self {
            Self::Off => Ok(None),
            Self::Folder(root) => Ok(Some(root.clone())),
            Self::Registry => {
                let bucket = text(handles, BUCKET)?;
                let pattern = text(handles, PATTERN)?;
                let wrong = |problem| UnpinnedMirror { handle: PATTERN, problem };
                // A pack's folder is named after it; without that it could not be verified where it is.
                let root = pattern.trim_end_matches('/').strip_suffix(PLACEHOLDER);
                let root = root.filter(|root| root.is_empty() || (root.ends_with('/') && *root != "/"));
                let root = root.ok_or_else(|| wrong("does not end with {phase_execution_id}/"))?;
                if root.contains(['{', '}']) {
                    return Err(wrong("has a placeholder beside {phase_execution_id}"));
                }
                format!("{SCHEME}{bucket}/{root}").parse().map(Some).map_err(|_| wrong("is no path within a bucket"))
            }
        }
    }
}

fn text<'handles>(
    handles: &'handles BTreeMap<String, Handle>,
    handle: &'static str,
) -> Result<&'handles str, UnpinnedMirror> {
    match handles.get(handle).map(|handle| &handle.value) {
        Some(Value::String(text)) if !text.is_empty() && text != TO_PIN => Ok(text),
        _ => Err(UnpinnedMirror { handle, problem: "is not pinned" }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn handles(bucket: &str, pattern: &str) -> BTreeMap<String, Handle> {
        let handle = |value: &str| Handle {
            value: json!(value),
            line: 1,
            repeated_on: Vec::new(),
            resolved_through: Vec::new(),
            expected_tag_value: None,
        };
        [(BUCKET.to_owned(), handle(bucket)), (PATTERN.to_owned(), handle(pattern))].into()
    }

    #[test]
    fn a_mirror_is_a_folder_of_a_bucket_the_registrys_or_none() {
        assert_eq!("off".parse(), Ok(MirrorTarget::Off));
        assert_eq!("registry".parse(), Ok(MirrorTarget::Registry));
        for (text, shown) in [("s3://b", "s3://b/"), ("s3://b/", "s3://b/"), ("s3://b/x/y", "s3://b/x/y/")] {
            let folder: S3Folder = text.parse().unwrap();
            assert_eq!(folder.to_string(), shown);
        }
        for text in ["", "s3:/b", "s3://", "s3:///x", "s3://b/../x", "s3://b//x", "http://b/x", "Off"] {
            assert!(text.parse::<MirrorTarget>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_pack_has_a_folder_of_its_own_name() {
        let id = "m2a_20260101T000000Z";
        let folder = |target: &str, pattern: &str| {
            let target: MirrorTarget = target.parse().unwrap();
            let root = target.root(&handles("evidence", pattern));
            root.map(|root| root.map(|root| root.folder(id).to_string()))
        };
        assert_eq!(folder("off", "").unwrap(), None);
        assert_eq!(folder("s3://b/x", "").unwrap().unwrap(), "s3://b/x/m2a_20260101T000000Z/");
        for pattern in ["run_control/{phase_execution_id}/", "run_control/{phase_execution_id}"] {
            let found = folder("registry", pattern).unwrap().unwrap();
            assert_eq!(found, "s3://evidence/run_control/m2a_20260101T000000Z/");
            assert_eq!(found.parse::<S3Folder>().unwrap().name(), id);
        }
        for pattern in
            ["", "TO_PIN", "x/", "{phase_execution_id}/x", "{env}/{phase_execution_id}/", "/{phase_execution_id}"]
        {
            let error = folder("registry", pattern).unwrap_err();
            assert!(error.help().unwrap().contains(PATTERN), "{error}");
        }
        assert!(MirrorTarget::Registry.root(&BTreeMap::new()).is_err());
    }
}
