//! Lanes and codes: what the METADATA of the policies declares, checked against what their rules are.

mod declaration;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use self::declaration::Declaration;
use self::rules::Rules;
use super::annotation::{Annotation, AnnotationTarget};
use super::syntax::Policy;
use super::{Defect, Location};
use crate::check::Severity;

/// The lanes of the contract, in order. P0 needs all of them.
pub const LANES: [&str; 10] = ["M2.A", "M2.B", "M2.C", "M2.D", "M2.E", "M2.F", "M2.G", "M2.H", "M2.I", "M2.J"];

/// The taxonomy of a code whose blockers have that of the code that their subject names.
pub const INHERITED: &str = "inherited";

/// The classes of the M2 taxonomy are `M2-B1` to this one.
pub(crate) const LAST_TAXONOMY: u32 = 12;

/// The gate behind the last lane.
const LAST_GATE: &str = "M2_DONE_M3_READY";

/// A lane: a package `m2.<letter>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// `M2.A`.
    pub lane: String,
    /// `m2.a`.
    pub package: String,
    /// What it proves.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// The lane behind it; none behind the last one.
    pub next: Option<String>,
    /// The lanes that must pass before it can.
    pub upstream: Vec<String>,
    /// The stacks whose plans, outputs and states it reads; `None` where it does not say, which means every stack.
    pub stacks: Option<Vec<String>>,
    /// What must hold for it to be done.
    pub definition_of_done: Vec<DoneItem>,
    /// The file names of its evidence.
    pub artifacts: Vec<String>,
    /// Its codes, by number.
    pub codes: Vec<Code>,
    /// Whether it has observations to make.
    #[serde(skip)]
    pub(crate) has_observations: bool,
    /// Where its package METADATA stands.
    #[serde(skip)]
    pub(crate) location: Location,
    /// Where its rule `artifacts` stands.
    #[serde(skip)]
    pub(crate) artifacts_location: Location,
}

/// One item of a lane's definition of done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoneItem {
    /// As the authority words it.
    pub item: String,
    /// The codes that hold it.
    pub codes: Vec<String>,
}

/// A blocker code: a rule `b<number>` of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Code {
    /// `M2A-B1`.
    pub code: String,
    /// `M2.A`.
    pub lane: String,
    /// What it blocks on.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// S1 or S2.
    pub severity: Severity,
    /// `M2-B1`, or [`INHERITED`].
    pub taxonomy: String,
    /// What to do.
    pub remediation: String,
    /// Where to read more.
    pub related_resources: Vec<String>,
    /// `b1`.
    #[serde(skip)]
    pub(crate) rule: String,
    /// Where the rule stands.
    #[serde(skip)]
    pub(crate) location: Location,
}

impl Lane {
    /// The gate that opens when the lane passes.
    pub fn gate(&self) -> String {
        self.next.as_ref().map_or_else(|| LAST_GATE.to_owned(), |next| format!("{next}_READY"))
    }

    /// The lane's letter, in lower case.
    pub fn letter(&self) -> char {
        self.package.chars().last().unwrap_or_default()
    }
}

/// The contract's lane that a package is, if it is one.
pub(crate) fn lane_of_package(path: &[&str]) -> Option<&'static str> {
    let ["m2", letter] = path else { return None };
    LANES.into_iter().find(|lane| lane.strip_prefix("M2.").is_some_and(|name| name.to_ascii_lowercase() == *letter))
}

/// What stands in one file.
pub(crate) struct AnnotatedPolicy<'tree> {
    pub(crate) policy: &'tree Policy,
    pub(crate) annotations: Vec<Annotation<'tree>>,
}

/// Reads lanes and codes from the annotations.
pub(crate) fn read(files: Vec<AnnotatedPolicy<'_>>, defects: &mut Vec<Defect>) -> Vec<Lane> {
    let mut by_package: BTreeMap<Vec<&str>, Vec<AnnotatedPolicy<'_>>> = BTreeMap::new();
    for file in files {
        by_package.entry(file.policy.ast.package_path()).or_default().push(file);
    }
    let mut lanes = Vec::new();
    for (package, files) in by_package {
        match lane_of_package(&package) {
            Some(name) => lanes.extend(read_lane(name, &package.join("."), files, defects)),
            None => refuse_custom(files, defects),
        }
    }
    lanes
}

/// Outside of lanes nobody reads `custom`.
fn refuse_custom(files: Vec<AnnotatedPolicy<'_>>, defects: &mut Vec<Defect>) {
    for annotation in files.into_iter().flat_map(|file| file.annotations) {
        if let Some(custom) = annotation.custom {
            custom.only(&[], defects);
        }
    }
}

fn read_lane(
    name: &'static str,
    package: &str,
    files: Vec<AnnotatedPolicy<'_>>,
    defects: &mut Vec<Defect>,
) -> Option<Lane> {
    let first_location = files.first().map(|file| file.policy.location(file.policy.ast.package.span))?;
    let mut rules = Rules::default();
    let mut declarations = Vec::new();
    for file in files {
        for rule in &file.policy.ast.rules {
            rules.add(rule, file.policy.rule_location(rule), defects);
        }
        for mut annotation in file.annotations {
            match (annotation.target, annotation.custom.take()) {
                (AnnotationTarget::Package, Some(custom)) => declarations.push((annotation, custom)),
                (AnnotationTarget::Rule(rule), custom) => rules.annotate(rule, annotation, custom, defects),
                (AnnotationTarget::Package, None) => {}
            }
        }
    }
    // Items may name codes whose METADATA is wrong: that is said once, where it is wrong.
    let code_names = rules.code_names(name);
    let codes = rules.codes(name, defects);
    if declarations.len() > 1 {
        let (annotation, _) = declarations.swap_remove(1);
        defects.push(Defect::new(
            annotation.location,
            format!("{name} is declared a second time"),
            "one file of a package carries the lane's `custom`",
        ));
        return None;
    }
    let Some((annotation, custom)) = declarations.pop() else {
        defects.push(Defect::new(
            first_location,
            format!("the package `{package}` declares no lane"),
            format!("put METADATA with `custom: {{lane: {name}, …}}` above `package {package}`"),
        ));
        return None;
    };
    let declaration = Declaration::read(name, custom, &code_names, defects);
    let artifacts_location = rules.artifacts.unwrap_or_else(|| {
        if !declaration.artifacts.is_empty() {
            defects.push(Defect::new(
                annotation.location.clone(),
                "artifacts are declared, but there is no rule `artifacts`",
                "define `artifacts := {\"<file name>\": <body>, …}`",
            ));
        }
        annotation.location.clone()
    });
    Some(Lane {
        lane: name.to_owned(),
        package: package.to_owned(),
        title: annotation.title,
        description: annotation.description,
        next: successor(name).map(str::to_owned),
        upstream: declaration.upstream,
        stacks: declaration.stacks,
        definition_of_done: declaration.definition_of_done,
        artifacts: declaration.artifacts,
        codes,
        has_observations: rules.has_observations,
        location: annotation.location,
        artifacts_location,
    })
}

fn successor(lane: &str) -> Option<&'static str> {
    let index = LANES.iter().position(|candidate| *candidate == lane)?;
    LANES.get(index + 1).copied()
}
