//! Law: every file is in a package that counts. A misspelled package is evaluated by nobody and blocks nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::data::DataFile;
use super::super::lane::lane_of_package;
use super::super::syntax::Policy;
use super::super::{Defect, Location};

/// The part of `data` that the evaluator itself fills.
pub(crate) const RESERVED: &str = "factgate";

pub(super) fn check(policies: &[Policy], data: &[DataFile]) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut packages = BTreeSet::new();
    for policy in policies {
        let path = policy.ast.package_path();
        let location = policy.location(policy.ast.package.span);
        let name = path.join(".");
        if let Some((problem, help)) = misplaced(&path, &policy.source.file) {
            defects.push(Defect::new(location, format!("the package `{name}` {problem}"), help));
        } else if !is_at_home(&path, &policy.source.file) {
            defects.push(Defect::new(
                location,
                format!("the package `{name}` does not belong into this file"),
                format!("a package's path is its folder's: `{}/`", path.join("/")),
            ));
        }
        packages.insert(path);
    }
    for file in data {
        let location = || Location::new(&file.name, 1, 1);
        let root = file.path.first().or_else(|| file.value.keys().next());
        if root.is_some_and(|root| root == RESERVED) || file.value.contains_key(RESERVED) && file.path.is_empty() {
            defects.push(Defect::new(
                location(),
                format!("`data.{RESERVED}` is the evaluator's own"),
                "move the data to another folder",
            ));
        }
        for package in packages.iter().filter(|package| collides(package, file)) {
            defects.push(Defect::new(
                location(),
                format!("the file sets values of the package `{}`", package.join(".")),
                "move the data to a folder of its own, such as `contract/m2/`",
            ));
        }
    }
    defects
}

/// What is wrong with a package that is in no namespace, and what to do; nothing if it is in one.
fn misplaced(path: &[&str], file: &str) -> Option<(&'static str, String)> {
    let is_test_package = path.last().is_some_and(|step| step.ends_with("_test"));
    match (file.ends_with("_test.rego"), is_test_package) {
        // Whatever lane or library they are about, nothing but a test run reads them.
        (true, true) => return None,
        (true, false) => return Some(("stands in a test file", "evaluations leave out files `*_test.rego`".into())),
        (false, true) => return Some(("is a test outside of a test file", "name the file `*_test.rego`".into())),
        (false, false) => {}
    }
    let problem = "is neither a lane nor a library";
    match path {
        ["lib", _, ..] => None,
        _ if lane_of_package(path).is_some() => None,
        ["m2", ..] => Some((problem, "the lanes are `m2.a` to `m2.j`; helpers belong to `lib`".into())),
        _ => Some((problem, "lanes are `m2.<letter>`, everything else is `lib.<name>`".into())),
    }
}

/// Whether a package stands where its name says: in the folder of its path, or in the file of its name.
fn is_at_home(package: &[&str], file: &str) -> bool {
    let mut folder: Vec<&str> = file.split('/').collect();
    let stem = folder.pop().and_then(|name| name.strip_suffix(".rego")).unwrap_or_default();
    // Tests stand beside what they test: `m2/a/state_test.rego` holds `m2.a_test`.
    let mut tested = package.to_vec();
    if let Some(last) = tested.last_mut() {
        *last = last.strip_suffix("_test").unwrap_or(last);
    }
    let named = folder.iter().copied().chain([stem.strip_suffix("_test").unwrap_or(stem)]);
    folder == tested || folder == package || named.eq(tested.iter().copied())
}

/// Whether data stands at the path of a package, or a value on the way to it.
fn collides(package: &[&str], file: &DataFile) -> bool {
    let shared = package.iter().zip(&file.path).take_while(|(step, folder)| **step == folder.as_str()).count();
    if shared < file.path.len() {
        return shared == package.len();
    }
    let mut object = &file.value;
    for step in &package[shared..] {
        match object.get(*step) {
            None => return false,
            Some(Value::Object(inner)) => object = inner,
            Some(_) => return true,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::problems;

    #[test]
    fn packages_outside_of_the_namespaces_are_refused() {
        for package in ["m2.k", "m2.aa", "m3.a", "m2a", "m2", "lib", "m2.a.b", "main"] {
            let file = format!("{}/x.rego", package.replace('.', "/"));
            let found = problems(&[(&file, &format!("package {package}\n\nx := 1\n"))]);
            let expected = format!("{file}:1:1: the package `{package}` is neither a lane nor a library");
            assert!(found.contains(&expected), "{package}: {found:?}");
        }
    }

    #[test]
    fn a_package_must_stand_in_its_folder_or_file() {
        for file in ["lib/a.rego", "lib/a/x.rego", "lib/a/a.rego"] {
            assert_eq!(problems(&[(file, "package lib.a\n\nx := 1\n")]), [""; 0], "{file}");
        }
        for file in ["a.rego", "lib/b.rego", "lib.rego", "policies/lib/a.rego"] {
            let expected = format!("{file}:1:1: the package `lib.a` does not belong into this file");
            assert_eq!(problems(&[(file, "package lib.a\n\nx := 1\n")]), [expected], "{file}");
        }
    }

    #[test]
    fn tests_stand_beside_what_they_test() {
        let policy = ("lib/a/x.rego", "package lib.a\n\nx := 1\n");
        for file in ["lib/a/x_test.rego", "lib/a_test.rego"] {
            assert_eq!(problems(&[policy, (file, "package lib.a_test\n\ntest_x if true\n")]), [""; 0], "{file}");
        }
    }

    #[test]
    fn test_files_hold_tests_and_nothing_else_does() {
        let policy = ("lib/a.rego", "package lib.a\n\nx := 1\n");
        assert_eq!(
            problems(&[policy, ("lib/b_test.rego", "package lib.b\n\nx := 1\n")]),
            ["lib/b_test.rego:1:1: the package `lib.b` stands in a test file"]
        );
        assert_eq!(
            problems(&[policy, ("m2/a/x.rego", "package m2.a_test\n\ntest_x := true\n")]),
            ["m2/a/x.rego:1:1: the package `m2.a_test` is a test outside of a test file"]
        );
        assert_eq!(problems(&[policy, ("m2/x_test.rego", "package m2_test\n\ntest_x := true\n")]), [""; 0]);
    }

    #[test]
    fn data_inside_a_package_is_refused() {
        let policy = ("lib/a.rego", "package lib.a\n\nx := 1\n");
        for (file, text) in [
            ("lib/a/data.json", "{}"),
            ("lib/a/b/data.json", "{\"c\": 1}"),
            ("lib/data.json", "{\"a\": {\"x\": 1}}"),
            ("data.json", "{\"lib\": 1}"),
        ] {
            let expected = format!("{file}:1:1: the file sets values of the package `lib.a`");
            assert_eq!(problems(&[policy, (file, text)]), [expected], "{file}");
        }
        assert_eq!(problems(&[policy, ("lib/data.json", "{\"b\": 1}"), ("contract/data.json", "{}")]), [""; 0]);
    }

    #[test]
    fn the_evaluators_own_data_is_reserved() {
        let policy = ("lib/a.rego", "package lib.a\n\nx := 1\n");
        for (file, text) in [("factgate/data.json", "{}"), ("data.json", "{\"a\": 1, \"factgate\": 1}")] {
            let expected = format!("{file}:1:1: `data.factgate` is the evaluator's own");
            assert_eq!(problems(&[policy, (file, text)]), [expected], "{file}");
        }
    }
}
