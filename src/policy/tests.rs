//! What the tests of this module share: policies in memory.

use std::collections::BTreeMap;

use super::{Defect, Origin, Policies, PolicyError, PolicyOptions, PolicySet};

/// A policy set from (name, text).
pub(crate) fn set(files: &[(&str, &str)]) -> Result<PolicySet, PolicyError> {
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    PolicySet::from_files(Origin::Memory, files)
}

/// Compiled policies from (name, text).
pub(crate) fn compile(files: &[(&str, &str)]) -> Result<Policies, PolicyError> {
    Policies::compile(set(files)?, &PolicyOptions::default())
}

/// The broken laws of policies and their tests.
pub(crate) fn defects(files: &[(&str, &str)]) -> Vec<Defect> {
    let set = set(files).unwrap();
    let all: Vec<_> = set.policies().iter().chain(set.tests()).cloned().collect();
    match super::load(&set, &all, &PolicyOptions::default()) {
        Ok(_) => Vec::new(),
        Err(PolicyError::Defects(defects)) => defects.as_slice().to_vec(),
        Err(error) => panic!("{error}"),
    }
}

/// The broken laws as `place: problem`, without what to do about them.
pub(crate) fn problems(files: &[(&str, &str)]) -> Vec<String> {
    defects(files).into_iter().map(|defect| format!("{}: {}", defect.location, defect.problem)).collect()
}

/// Those of a library `lib.a` with these rules, which begin in its third line.
pub(crate) fn problems_of_rules(rules: &str) -> Vec<String> {
    problems(&[("lib/a.rego", &format!("package lib.a\n\n{rules}\n"))])
}

proptest::proptest! {
    #[test]
    fn any_text_compiles_or_is_refused_with_a_place(text in "(?s)(package lib.a\n)?[-+ \n\t#`\"{}()\\[\\].,:=|a-c0-9éifnotsomeryMETADT]{0,80}") {
        match compile(&[("lib/a.rego", &text)]) {
            Ok(_) => {}
            Err(PolicyError::Defects(defects)) => {
                proptest::prop_assert!(defects.as_slice().iter().all(|defect| !defect.help.is_empty()));
                proptest::prop_assert!(defects.as_slice().iter().all(|defect| defect.location.file == "lib/a.rego"));
            }
            Err(error) => proptest::prop_assert!(false, "{error}"),
        }
    }
}

#[test]
fn the_embedded_policies_break_no_law() {
    if let Err(error) = Policies::embedded(&PolicyOptions::default()) {
        panic!("{error}");
    }
}

#[test]
fn the_embedded_policies_are_those_of_the_folder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let embedded = PolicySet::embedded().unwrap();
    let folder = PolicySet::from_folder(&folder).unwrap();
    assert_eq!(embedded.digest(), folder.digest(), "touch a policy file and build again: a new file was not embedded");
    assert_eq!(embedded.tests(), folder.tests());
}

#[test]
fn a_unit_test_has_the_time_for_all_its_rows() {
    let options = PolicyOptions { time_limit: std::time::Duration::from_secs(10), ..PolicyOptions::default() };
    assert_eq!(options.of_unit_tests().time_limit, std::time::Duration::from_secs(300));
}
