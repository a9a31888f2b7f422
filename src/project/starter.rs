//! The starter: a project with one lane, one code, its tests, and facts on which it is GO.

use std::collections::BTreeMap;
use std::path::Path;

use factgate_collector::fact::Facts;
use factgate_collector::registry::{Format, Registry};
use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::{ProjectError, create, files::refuse};
use crate::error::Error;
use crate::policy::{PolicyError, embedded_file};

/// What of it is written by hand, as real files.
static STARTER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/templates/starter");

/// Where its policies stand.
const POLICIES: &str = "policies";

/// The files of the shipped policies that it takes over as they are: the helpers that know nothing of the shipped lanes, with those
/// of their tests that ask for nothing of the shipped contract, and which call gives which fact.
const LIBRARY: [&str; 14] = [
    "contract/receipts/data.json",
    "lib/aws.rego",
    "lib/check.rego",
    "lib/check_test.rego",
    "lib/fact.rego",
    "lib/fact_test.rego",
    "lib/handle.rego",
    "lib/handle_test.rego",
    "lib/moment.rego",
    "lib/moment_test.rego",
    "lib/receipt.rego",
    "lib/receipt_test.rego",
    "lib/report.rego",
    "lib/report_test.rego",
];

/// The files of the starter, by name, with the schemas (name → schema) beside them for editors.
///
/// # Errors
///
/// If its facts cannot be sealed, which the build's own tests exclude.
pub(crate) fn starter(schemas: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut files = BTreeMap::new();
    collect(&STARTER, &mut files);
    for name in LIBRARY {
        files.insert(format!("{POLICIES}/{name}"), shipped(embedded_file(name), name)?.to_vec());
    }
    for (name, schema) in schemas {
        files.insert(format!("schemas/{name}.schema.json"), format!("{schema:#}\n").into_bytes());
    }
    let sealed = sealed(&files)?;
    files.insert(FACTS.to_owned(), sealed);
    Ok(files)
}

/// Writes the starter. A folder that is not there appears whole; in one that is there no file is replaced.
///
/// # Errors
///
/// If a file is in the way or cannot be written. Nothing is left of the others then.
pub(crate) fn write_starter(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), ProjectError> {
    if folder.symlink_metadata().is_ok() {
        // Policies that are there already would be evaluated together with these.
        refuse(folder, [POLICIES].into_iter())?;
        create(folder, files)?.keep();
        return Ok(());
    }
    let failed = |source| ProjectError::Write { path: folder.to_owned(), source };
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".factgate-");
    // As any folder that a user makes; the umask has the last word.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let staged = builder.tempdir_in(parent).map_err(failed)?;
    create(staged.path(), files)?.keep();
    std::fs::rename(staged.path(), folder).map_err(failed)?;
    // It stands under its own name now: there is nothing left to remove.
    let _ = staged.keep();
    Ok(())
}

fn collect(folder: &Dir<'static>, files: &mut BTreeMap<String, Vec<u8>>) {
    for file in folder.files() {
        files.insert(file.path().to_string_lossy().replace('\\', "/"), file.contents().to_vec());
    }
    folder.dirs().for_each(|folder| collect(folder, files));
}

const FACTS: &str = "facts.json";

const REGISTRY: &str = "handles.toml";

/// The facts, with the handles of the registry beside them, as a collection of this version would have sealed them.
fn sealed(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let text = |name: &str| shipped(files.get(name).map(Vec::as_slice), name);
    let registry = Registry::parse_bytes(REGISTRY, Format::Toml, text(REGISTRY)?)?;
    let mut document = Facts::parse(FACTS, text(FACTS)?)?.document().clone();
    document.handles = registry.handles;
    document.run.registry = registry.source;
    document.run.tool = crate::tool();
    Ok(format!("{:#}\n", document.seal()?.json()).into_bytes())
}

/// What this binary was built with.
fn shipped<'file>(file: Option<&'file [u8]>, name: &str) -> Result<&'file [u8], PolicyError> {
    file.ok_or_else(|| PolicyError::internal(format!("{name} is not among the files of this build")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Document, evaluate};
    use crate::policy::{Origin, Policies, PolicyOptions, PolicySet, UnitTestOptions, run_unit_tests};
    use crate::verdict::Outcome;

    fn policies(files: &BTreeMap<String, Vec<u8>>) -> PolicySet {
        let below =
            |(name, bytes): (&String, &Vec<u8>)| Some((name.strip_prefix("policies/")?.to_owned(), bytes.clone()));
        PolicySet::from_files(Origin::Memory, files.iter().filter_map(below).collect()).unwrap()
    }

    #[test]
    fn the_starter_is_go_on_its_own_sealed_facts() {
        let files = starter(&BTreeMap::new()).unwrap();
        let facts = Facts::parse(FACTS, &files[FACTS]).unwrap();
        assert!(facts.is_sealed());
        let policies = Policies::compile(policies(&files), &PolicyOptions::default()).unwrap();
        let document = Document::new(facts.json().clone(), true).unwrap();
        let verdict = evaluate(&document, &policies, &[], &[]).unwrap().verdict;
        assert_eq!((verdict.outcome, verdict.covers), (Outcome::Go, vec!["M2.A".to_owned()]));
    }

    #[test]
    fn the_starters_tests_pass_and_go_through_all_that_is_its_own() {
        let files = starter(&BTreeMap::new()).unwrap();
        let what = UnitTestOptions { coverage: true, ..UnitTestOptions::default() };
        let report = run_unit_tests(&policies(&files), &PolicyOptions::default(), &what).unwrap();
        assert!(report.has_passed(), "{:#?}", report.tests);
        for (file, lines) in report.coverage.iter().filter(|(file, _)| file.starts_with("m2/")) {
            assert!(lines.not_covered.is_empty(), "{file}: {:?}", lines.not_covered);
        }
    }

    #[test]
    fn a_folder_that_is_there_gets_the_starter_if_nothing_is_in_its_way() {
        let folder = tempfile::tempdir().unwrap();
        let files = starter(&BTreeMap::new()).unwrap();
        std::fs::write(folder.path().join("README.md"), "mine").unwrap();
        write_starter(folder.path(), &files).unwrap();
        let again = write_starter(folder.path(), &files).unwrap_err();
        assert!(matches!(again, ProjectError::InTheWay(_)), "{again}");

        let new = folder.path().join("a/b");
        write_starter(&new, &files).unwrap();
        assert_eq!(std::fs::read(new.join(FACTS)).unwrap(), files[FACTS]);
        assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "no temporary folder is left");
    }
}
