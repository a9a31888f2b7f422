//! `check`: everything that can be said of policies and their tests without a fact document.
//!
//! ```text
//! set ─► laws, which every evaluation asks for, too ─► paths into the input ─► artifacts that are declared ─► CheckReport
//! ```
//!
//! The laws are those of loading, here for the tests as well: what they refuse no command evaluates. The rest would only mislead: a path that no
//! fact document has reads as missing in every one.

use std::collections::BTreeSet;

use super::paths::Places;
use super::syntax::{Expr, Policy, Rule};
use super::{Defect, Lane, PolicyError, PolicyOptions, PolicySet, SourceFile};

/// The rule that gives the bodies of the evidence files.
const ARTIFACTS: &str = "artifacts";

/// What a check of policies found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// How many files were looked at, tests among them.
    pub files: usize,
    /// How many lanes they have; none where they cannot be read.
    pub lanes: usize,
    /// How many codes they have; none where they cannot be read.
    pub codes: usize,
    /// What is wrong, by place. Files are named from within the policy folder.
    pub defects: Vec<Defect>,
}

/// Checks policies and their tests.
///
/// # Errors
///
/// If they cannot be loaded for another reason than a defect of theirs.
pub fn check(set: &PolicySet, options: &PolicyOptions) -> Result<CheckReport, PolicyError> {
    let files: Vec<SourceFile> = set.policies().iter().chain(set.tests()).cloned().collect();
    let mut report =
        CheckReport { files: files.len() + set.data_files().len(), lanes: 0, codes: 0, defects: Vec::new() };
    match super::load(set, &files, options) {
        Err(PolicyError::Defects(defects)) => report.defects = defects.as_slice().to_vec(),
        Err(error) => return Err(error),
        Ok((_, lanes, policies)) => {
            report.lanes = lanes.len();
            report.codes = lanes.iter().map(|lane| lane.codes.len()).sum();
            let places = Places::read()?;
            report.defects.extend(places.check(&policies.iter().collect::<Vec<_>>()));
            report.defects.extend(super::laws::unused(&policies));
            for lane in &lanes {
                report.defects.extend(artifacts(lane, &policies));
            }
            report.defects.sort();
        }
    }
    Ok(report)
}

/// Where the rule `artifacts` is an object that is written out, its names are known before anything is evaluated.
fn artifacts(lane: &Lane, policies: &[Policy]) -> Vec<Defect> {
    let of_lane = policies.iter().filter(|policy| policy.ast.package_path().join(".") == lane.package);
    let mut defects = Vec::new();
    for (policy, rule) in of_lane.flat_map(|policy| policy.ast.rules.iter().map(move |rule| (policy, rule))) {
        let Some(fields) = written_out(rule) else { continue };
        let names: Option<Vec<(String, &Expr)>> =
            fields.iter().map(|(_, key, _)| Some((key.text()?.to_owned(), key))).collect();
        let Some(names) = names else { continue };
        for (name, key) in names.iter().filter(|(name, _)| !lane.artifacts.contains(name)) {
            defects.push(Defect::new(
                policy.location(key.span()),
                format!("`{name}` is produced and not declared"),
                format!("declare it under `artifacts` in the METADATA of {}, or leave it out", lane.lane),
            ));
        }
        let produced: BTreeSet<&String> = names.iter().map(|(name, _)| name).collect();
        for name in lane.artifacts.iter().filter(|name| !produced.contains(name)) {
            defects.push(Defect::new(
                policy.rule_location(rule),
                format!("`{name}` is declared and not produced"),
                "give it a body, or take it out of the lane's METADATA",
            ));
        }
    }
    defects
}

type Fields = [(serde::de::IgnoredAny, Expr, Expr)];

fn written_out(rule: &Rule) -> Option<&Fields> {
    let Rule::Spec { head, .. } = rule else { return None };
    match head.value() {
        Some(Expr::Object { fields, .. }) if rule.name() == [ARTIFACTS] => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::policy::tests::set;
    use crate::policy::{PolicyOptions, PolicySet};

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let report = check(&set(files).unwrap(), &PolicyOptions::default()).unwrap();
        report.defects.into_iter().map(|defect| format!("{}: {}", defect.location, defect.problem)).collect()
    }

    #[test]
    fn the_embedded_policies_have_no_defect() {
        let report = check(&PolicySet::embedded().unwrap(), &PolicyOptions::default()).unwrap();
        assert_eq!(report.defects, []);
        assert!(report.lanes == 10 && report.codes == 67 && report.files > 80, "{report:?}");
    }

    fn lane(artifacts: &str) -> String {
        format!(
            "# METADATA\n# title: Lane A\n# custom: {{lane: M2.A, next: M2.B, upstream: [], \
             definition_of_done: [{{item: it is done, codes: [M2A-B1]}}], artifacts: [m2a_summary.json, m2a_more.json]}}\n\
             package m2.a\n\n# METADATA\n# title: The first\n\
             # custom: {{code: M2A-B1, severity: S1, taxonomy: M2-B1, remediation: Make it true.}}\nb1 contains {{}}\n\n{artifacts}\n"
        )
    }

    #[test]
    fn artifacts_are_declared_and_produced() {
        let found =
            problems(&[("m2/a/x.rego", &lane("artifacts := {\"m2a_summary.json\": {}, \"m2a_mroe.json\": {}}"))]);
        assert_eq!(
            found,
            [
                "m2/a/x.rego:11:1: `m2a_more.json` is declared and not produced",
                "m2/a/x.rego:11:40: `m2a_mroe.json` is produced and not declared",
            ]
        );
        let whole = lane("artifacts := {\"m2a_summary.json\": {}, \"m2a_more.json\": {}}");
        assert_eq!(problems(&[("m2/a/x.rego", &whole)]), [""; 0]);
        let computed = lane("artifacts := {name: {} | some name in [\"m2a_summary.json\", \"m2a_more.json\"]}");
        assert_eq!(problems(&[("m2/a/x.rego", &computed)]), [""; 0]);
    }

    #[test]
    fn laws_and_paths_hold_for_tests_too() {
        let policy = ("lib/a.rego", "package lib.a\n\nx := input.runn\n");
        assert_eq!(problems(&[policy]), ["lib/a.rego:3:6: a fact document has no `runn`"]);
        let sound = ("lib/a.rego", "package lib.a\n\nx := input.run\n");
        for (test, column) in [("data.lib.a.x == input.runn", 27), ("data.lib.a.x == 1 with input.runn as 1", 34)] {
            let test = format!("package lib.a_test\n\ntest_x if {test}\n");
            let expected = format!("lib/a_test.rego:3:{column}: a fact document has no `runn`");
            assert_eq!(problems(&[sound, ("lib/a_test.rego", &test)]), [expected]);
        }
        let misspelled = ("lib/a_test.rego", "package lib.a_test\n\ntset_x if data.lib.a.x == 1\n");
        assert_eq!(problems(&[sound, misspelled]), ["lib/a_test.rego:3:1: `tset_x` is no test, and no test needs it"]);
        let made_up = ("lib/a_test.rego", "package lib.a_test\n\ntest_x if data.lib.a.x == [\"run\", \"day\"]\n");
        assert_eq!(problems(&[sound, made_up]), [""; 0]);
        let random = ("lib/a_test.rego", "package lib.a_test\n\ntest_x if rand.intn(\"a\", 2) == 1\n");
        let found = problems(&[policy, random]);
        assert!(found[0].contains("`rand.intn` is not allowed"), "{found:?}");
    }
}
