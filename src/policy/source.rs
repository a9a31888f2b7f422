//! Policy sets: the files that policies are made of, from the binary or from a folder.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::data::DataFile;
use super::{Defect, Defects, Location, PolicyError};

/// The policies that this binary was built with.
static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// The engine's own limit on one policy file.
const FILE_BYTES: u64 = 1 << 20;

/// Everything below a policy folder.
const FILES: usize = 2_000;

/// Where policies come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The binary.
    Embedded,
    /// A folder.
    Folder(PathBuf),
    /// The caller's memory.
    Memory,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => formatter.write_str("embedded"),
            Self::Folder(path) => write!(formatter, "{}", path.display()),
            Self::Memory => formatter.write_str("memory"),
        }
    }
}

/// A file of the embedded policies as it is, by its name.
pub(crate) fn embedded_file(name: &str) -> Option<&'static [u8]> {
    EMBEDDED.get_file(name).map(include_dir::File::contents)
}

/// A text file of a policy set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the policy folder, with `/` between its parts.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// The files of a policy set, sorted by name. Nothing of them is parsed but the data.
#[derive(Clone, Debug)]
pub struct PolicySet {
    origin: Origin,
    policies: Vec<SourceFile>,
    tests: Vec<SourceFile>,
    data: Vec<DataFile>,
    digest: String,
}

impl PolicySet {
    /// The policies that this binary was built with.
    ///
    /// # Errors
    /// Fails if the embedded files are no policy set, which the build's own tests exclude.
    pub fn embedded() -> Result<Self, PolicyError> {
        fn collect(folder: &Dir<'static>, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), PolicyError> {
            for file in folder.files() {
                let name = file.path().to_str().ok_or_else(|| PolicyError::FileName { path: file.path().into() })?;
                files.insert(name.replace('\\', "/"), file.contents().to_vec());
            }
            folder.dirs().try_for_each(|folder| collect(folder, files))
        }
        let mut files = BTreeMap::new();
        collect(&EMBEDDED, &mut files)?;
        Self::from_files(Origin::Embedded, files)
    }

    /// The policies of a folder.
    ///
    /// # Errors
    /// Fails if the folder cannot be read completely, is empty of policies, or holds data that is no JSON.
    pub fn from_folder(folder: &Path) -> Result<Self, PolicyError> {
        if !folder.is_dir() {
            return Err(PolicyError::NotAFolder { path: folder.into() });
        }
        let root =
            fs::canonicalize(folder).map_err(|source| PolicyError::Unreadable { path: folder.into(), source })?;
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(&root)
            .follow_links(true)
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name().to_string_lossy().as_ref()))
        {
            let entry = entry.map_err(|error| PolicyError::Unreadable {
                path: error.path().map_or_else(|| folder.into(), Path::to_path_buf),
                source: error.into(),
            })?;
            if entry.path_is_symlink() {
                stays_below(&root, entry.path())?;
            }
            if !entry.file_type().is_file() {
                continue;
            }
            let relative = entry.path().strip_prefix(&root).unwrap_or(entry.path());
            let name = relative
                .to_str()
                .map(|name| name.replace(std::path::MAIN_SEPARATOR, "/"))
                .ok_or_else(|| PolicyError::FileName { path: relative.into() })?;
            if Kind::of(&name) == Kind::Other {
                continue;
            }
            if files.len() == FILES {
                return Err(PolicyError::TooLarge {
                    what: folder.display().to_string(),
                    limit: format!("{FILES} files"),
                });
            }
            files.insert(name, read(entry.path())?);
        }
        let origin = Origin::Folder(folder.into());
        Self::from_files(origin.clone(), files).map_err(|error| error.below(&origin))
    }

    /// Policies from memory: file name → content.
    ///
    /// # Errors
    /// Fails if there is no policy among the files, or data that is no JSON.
    pub fn from_files(origin: Origin, files: BTreeMap<String, Vec<u8>>) -> Result<Self, PolicyError> {
        let mut set = Self { origin, policies: Vec::new(), tests: Vec::new(), data: Vec::new(), digest: String::new() };
        let mut defects = Vec::new();
        let mut hasher = Sha256::new();
        for (name, bytes) in files {
            let kind = Kind::of(&name);
            if kind == Kind::Other || name.split('/').any(is_hidden) {
                continue;
            }
            if kind != Kind::Test {
                // Lengths before contents, so that no two sets of files feed the same bytes to the digest.
                hasher.update((name.len() as u64).to_be_bytes());
                hasher.update(name.as_bytes());
                hasher.update((bytes.len() as u64).to_be_bytes());
                hasher.update(&bytes);
            }
            let text = match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => {
                    let valid = error.utf8_error().valid_up_to();
                    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                    let location = Location::of_offset(&name, &text, valid);
                    defects.push(Defect::new(location, "the file is not UTF-8 text", "save it as UTF-8"));
                    continue;
                }
            };
            match kind {
                Kind::Policy => set.policies.push(SourceFile { name, text }),
                Kind::Test => set.tests.push(SourceFile { name, text }),
                Kind::Data => match DataFile::parse(&name, &text) {
                    Ok(data) => set.data.push(data),
                    Err(defect) => defects.push(defect),
                },
                Kind::Stray => defects.push(Defect::new(
                    Location::new(name, 1, 1),
                    "only files with the name `data.json` are data",
                    "rename it to `data.json`, in the folder that its values belong at; `opa eval` would read it, too",
                )),
                Kind::Other => {}
            }
        }
        Defects::check(defects)?;
        if set.policies.is_empty() {
            return Err(PolicyError::Empty { origin: set.origin.to_string() });
        }
        set.digest = format!("sha256:{}", hex::encode(hasher.finalize()));
        Ok(set)
    }

    /// Where the policies come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// `sha256:<hex>` over names and bytes of every policy and data file; tests do not count.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The policies, without their tests.
    pub fn policies(&self) -> &[SourceFile] {
        &self.policies
    }

    /// The unit tests of the policies.
    pub fn tests(&self) -> &[SourceFile] {
        &self.tests
    }

    pub(crate) fn data_files(&self) -> &[DataFile] {
        &self.data
    }

    /// The merged data of the set.
    pub(crate) fn data(&self) -> Result<Map<String, Value>, PolicyError> {
        super::data::merge(&self.data)
    }
}

/// What a file is for, which its name alone says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Policy,
    Test,
    Data,
    Stray,
    Other,
}

impl Kind {
    fn of(name: &str) -> Self {
        let file = name.rsplit('/').next().unwrap_or(name);
        match file.rsplit_once('.') {
            Some((stem, "rego")) if stem.ends_with("_test") => Self::Test,
            Some((_, "rego")) => Self::Policy,
            Some(("data", "json")) => Self::Data,
            Some((_, "json" | "yaml" | "yml")) => Self::Stray,
            _ => Self::Other,
        }
    }
}

/// Hidden files and folders hold other tools' configuration.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// A link out of the folder would be evaluated under the digest of a folder that does not hold it.
fn stays_below(root: &Path, path: &Path) -> Result<(), PolicyError> {
    match fs::canonicalize(path) {
        Ok(target) if target.starts_with(root) => Ok(()),
        Ok(_) => Err(PolicyError::Escapes { path: path.into() }),
        Err(source) => Err(PolicyError::Unreadable { path: path.into(), source }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PolicyError> {
    let unreadable = |source| PolicyError::Unreadable { path: path.into(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(PolicyError::TooLarge { what: path.display().to_string(), limit: "1 MiB".into() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::{Origin, PolicySet};
    use crate::exit::ExitCode;
    use crate::policy::PolicyError;

    fn set(files: &[(&str, &str)]) -> Result<PolicySet, PolicyError> {
        let files: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        PolicySet::from_files(Origin::Memory, files)
    }

    fn message(result: Result<PolicySet, PolicyError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_missing_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = PolicySet::from_folder(&folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(error, PolicyError::NotAFolder { .. }));
        assert_eq!(error.exit_code(), ExitCode::Input);
    }

    #[test]
    fn a_folder_without_policies_evaluates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("only_test.rego"), "package only_test\n").unwrap();
        fs::write(folder.path().join("data.json"), "{}").unwrap();
        let error = PolicySet::from_folder(folder.path()).unwrap_err();
        assert!(matches!(error, PolicyError::Empty { .. }));
        assert_eq!(error.exit_code(), ExitCode::NothingEvaluated);
    }

    #[test]
    fn the_digest_covers_names_and_bytes_but_no_test() {
        let digest = |files: &[(&str, &str)]| set(files).unwrap().digest().to_owned();
        let plain = digest(&[("a.rego", "package a"), ("data.json", "{}")]);
        assert_eq!(plain.len(), "sha256:".len() + 64);
        assert_eq!(plain, digest(&[("data.json", "{}"), ("a.rego", "package a"), ("a_test.rego", "package a_test")]));
        assert_ne!(plain, digest(&[("a.rego", "package a "), ("data.json", "{}")]));
        assert_ne!(plain, digest(&[("b.rego", "package a"), ("data.json", "{}")]));
        assert_ne!(plain, digest(&[("a.rego", "package a"), ("data.json", "{} ")]));
        assert_ne!(plain, digest(&[("a.rego", "package a"), ("b/data.json", "{}")]));
    }

    #[test]
    fn a_folder_and_memory_give_the_same_set() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("lib/.hidden")).unwrap();
        fs::write(folder.path().join("lib/a.rego"), "package lib.a").unwrap();
        fs::write(folder.path().join("lib/.hidden/b.rego"), "package lib.b").unwrap();
        fs::write(folder.path().join("README.md"), "prose").unwrap();
        let from_folder = PolicySet::from_folder(folder.path()).unwrap();
        let from_memory = set(&[("lib/a.rego", "package lib.a")]).unwrap();
        assert_eq!(from_folder.policies(), from_memory.policies());
        assert_eq!(from_folder.digest(), from_memory.digest());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_refused_and_one_inside_is_not() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("a.rego"), "package a").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rego"), "package a").unwrap();
        std::os::unix::fs::symlink(folder.path().join("a.rego"), folder.path().join("b.rego")).unwrap();
        assert_eq!(PolicySet::from_folder(folder.path()).unwrap().policies().len(), 2);
        std::os::unix::fs::symlink(outside.path(), folder.path().join("lib")).unwrap();
        assert!(matches!(PolicySet::from_folder(folder.path()), Err(PolicyError::Escapes { .. })));
    }

    #[test]
    fn an_oversized_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rego"), vec![b'#'; (1 << 20) + 1]).unwrap();
        assert!(matches!(PolicySet::from_folder(folder.path()), Err(PolicyError::TooLarge { .. })));
    }

    #[test]
    fn invalid_data_is_reported_with_its_place() {
        let error = set(&[("a.rego", "package a"), ("contract/data.json", "{\n  \"a\": }")]);
        assert_eq!(
            message(error),
            "contract/data.json:2:8: expected value\nhelp: data files hold one JSON object, without comments"
        );
    }

    #[test]
    fn duplicate_keys_in_data_are_refused() {
        let error = message(set(&[("a.rego", "package a"), ("data.json", "{\"a\": 1, \"a\": 2}")]));
        assert!(error.starts_with("data.json:1:12: the key `a` stands twice"), "{error}");
    }

    #[test]
    fn stray_data_is_refused_instead_of_ignored() {
        for name in ["contract.json", "m2/data.yaml", "x.yml"] {
            let error = message(set(&[("a.rego", "package a"), (name, "{}")]));
            assert!(
                error.starts_with(&format!("{name}:1:1: only files with the name `data.json` are data")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_folder_of_something_else_is_not_listed_file_by_file() {
        let names: Vec<String> = (0..200).map(|number| format!("facts/{number:03}.json")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "{}")).collect();
        let error = message(set(&files));
        assert!(error.starts_with("facts/000.json:1:1: ") && error.contains("\nand 170 more\nhelp: "), "{error}");
        assert!(!error.contains("facts/030.json"), "{error}");
    }

    #[test]
    fn places_in_a_folder_are_named_from_outside() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("data.json"), "7").unwrap();
        let error = PolicySet::from_folder(folder.path()).unwrap_err().to_string();
        let place = folder.path().join("data.json").display().to_string();
        assert!(error.starts_with(&format!("{place}:1:1: ")), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_are_reported_with_their_place() {
        let files = [("a.rego".to_owned(), b"package a\n# \xff".to_vec())].into();
        let error = PolicySet::from_files(Origin::Memory, files).unwrap_err().to_string();
        assert!(error.starts_with("a.rego:2:3: the file is not UTF-8 text"), "{error}");
    }
}
