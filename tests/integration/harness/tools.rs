//! Where the tools are that the tests need. A missing one fails the test: a skipped test proves nothing.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python interpreter of the test environment.
pub(crate) fn python() -> &'static Path {
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
        let check = Command::new(repository().join("tests/setup")).arg("--check").output();
        let check = check.expect("tests/setup is executable");
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
        repository().join(".venv/bin/python")
    });
    &PYTHON
}

/// A Terraform CLI configuration that says where the AWS provider comes from: a mirror if there is one, else a download
/// that is kept for the next run.
pub(crate) fn terraform_configuration() -> &'static str {
    static CONFIGURATION: LazyLock<String> = LazyLock::new(|| match provider_mirror() {
        Some(mirror) => format!(
            r#"provider_installation {{
  filesystem_mirror {{
    path    = {mirror:?}
    include = ["hashicorp/aws"]
  }}
  direct {{
    exclude = ["hashicorp/aws"]
  }}
}}
"#
        ),
        None => {
            let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terraform-providers");
            fs::create_dir_all(&cache).expect("the target folder is writable");
            format!("plugin_cache_dir = {cache:?}\n")
        }
    });
    &CONFIGURATION
}

/// The folder of a provider mirror: `FACTGATE_TEST_PROVIDER_MIRROR`, else one below the usual prefixes.
fn provider_mirror() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("FACTGATE_TEST_PROVIDER_MIRROR") {
        let named = PathBuf::from(named);
        assert!(find_mirror(&named, 0).is_some(), "FACTGATE_TEST_PROVIDER_MIRROR holds no AWS provider: {named:?}");
        return Some(named);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let prefixes =
        ["/opt".into(), "/usr/share".into(), "/usr/local".into(), home.join(".terraform.d"), home.join(".local/share")];
    prefixes.iter().find_map(|prefix| find_mirror(prefix, 3))
}

/// A mirror at or at most `depth` folders below a folder. Its layout is `<mirror>/<host>/hashicorp/aws`.
fn find_mirror(folder: &Path, depth: usize) -> Option<PathBuf> {
    let folders = || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        // Not through links (a cycle), and not into what `terraform init` leaves in a working folder.
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .filter(|path| path.file_name() != Some(OsStr::new(".terraform")))
    };
    if folders().any(|host| host.join("hashicorp/aws").is_dir()) {
        return Some(folder.to_owned());
    }
    folders().filter(|_| depth > 0).find_map(|inner| find_mirror(&inner, depth - 1))
}
