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
