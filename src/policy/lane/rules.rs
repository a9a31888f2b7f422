//! The rules of a lane that mean something to the evaluator: codes, observations, artifacts.

use std::collections::BTreeMap;

use super::super::annotation::Annotation;
use super::super::syntax::{Head, Rule};
use super::super::yaml::Mapping;
use super::super::{Defect, Location};
use super::declaration::expect;
use super::{Code, INHERITED, LAST_TAXONOMY};
use crate::check::Severity;

/// What is known of them.
#[derive(Default)]
pub(super) struct Rules {
    codes: BTreeMap<u32, CodeRule>,
    pub(super) has_observations: bool,
    /// Where `artifacts` is first defined.
    pub(super) artifacts: Option<Location>,
}

struct CodeRule {
    /// Where the rule is first defined.
    location: Location,
    metadata: Option<RuleMetadata>,
}

struct RuleMetadata {
    location: Location,
    title: String,
    description: String,
    related_resources: Vec<String>,
    custom: Option<Mapping>,
}

impl Rules {
    /// Takes note of a definition, and refuses it if it is not of the kind that its name promises.
    pub(super) fn add(&mut self, rule: &Rule, location: Location, defects: &mut Vec<Defect>) {
        let name = rule.name();
        let is_partial_set = matches!(rule, Rule::Spec { head: Head::Set { .. }, .. }) && name.len() == 1;
        let is_value = !matches!(rule, Rule::Spec { head: Head::Set { .. } | Head::Func { .. }, .. });
        match name.first().copied() {
            Some(name) if looks_like_code(name) => match code_number(name) {
                None => defects.push(Defect::new(
                    location,
                    format!("`{name}` is no name of a code rule"),
                    "codes are numbered from `b1`, without leading zeros",
                )),
                Some(_) if !is_partial_set => defects.push(Defect::new(
                    location,
                    format!("`{name}` is no partial set"),
                    format!("a code rule is a set of checks: `{name} contains check.…`"),
                )),
                Some(number) => {
                    self.codes.entry(number).or_insert(CodeRule { location, metadata: None });
                }
            },
            Some("observations") if is_partial_set => self.has_observations = true,
            Some("observations") => defects.push(Defect::new(
                location,
                "`observations` is no partial set",
                "write `observations contains {\"subject\": …, \"message\": …, \"facts\": […]} if …`",
            )),
            Some("artifacts") if is_value => {
                self.artifacts.get_or_insert(location);
            }
            Some("artifacts") => defects.push(Defect::new(
                location,
                "`artifacts` is no object",
                "write `artifacts := {\"<file name>\": <body>, …}`",
            )),
            _ => {}
        }
    }

    pub(super) fn annotate(
        &mut self,
        rule: &Rule,
        annotation: Annotation<'_>,
        custom: Option<Mapping>,
        defects: &mut Vec<Defect>,
    ) {
        let name = rule.name();
        let code = name.first().and_then(|name| code_number(name)).and_then(|number| self.codes.get_mut(&number));
        let Some(code) = code else {
            if let Some(custom) = custom {
                custom.only(&[], defects);
            }
            return;
        };
        if code.metadata.is_some() {
            defects.push(Defect::new(
                annotation.location,
                format!("`{}` has METADATA a second time", name.join(".")),
                "the first definition of a rule carries it",
            ));
            return;
        }
        let Annotation { location, title, description, related_resources, .. } = annotation;
        code.metadata = Some(RuleMetadata { location, title, description, related_resources, custom });
    }

    /// The names of all code rules, whatever their METADATA says.
    pub(super) fn code_names(&self, lane: &str) -> Vec<String> {
        self.codes.keys().map(|number| code_name(lane, *number)).collect()
    }

    /// The codes, by number.
    pub(super) fn codes(&mut self, lane: &str, defects: &mut Vec<Defect>) -> Vec<Code> {
        let mut codes = Vec::new();
        for (number, rule) in std::mem::take(&mut self.codes) {
            let code = code_name(lane, number);
            let missing = |location: &Location| {
                Defect::new(
                    location.clone(),
                    format!("the rule `b{number}` says nothing about {code}"),
                    format!(
                        "put METADATA with `custom: {{code: {code}, severity: …, taxonomy: …, remediation: …}}` above it"
                    ),
                )
            };
            let Some(metadata) = rule.metadata else {
                defects.push(missing(&rule.location));
                continue;
            };
            let Some(mut custom) = metadata.custom else {
                defects.push(missing(&metadata.location));
                continue;
            };
            custom.only(&["code", "severity", "taxonomy", "remediation"], defects);
            expect(&mut custom, "code", Some(&code), defects);
            let severity = severity(&mut custom, defects);
            let taxonomy = taxonomy(&mut custom, defects);
            let remediation = custom.text("remediation", defects);
            if let (Some(severity), Some(taxonomy), Some(remediation)) = (severity, taxonomy, remediation) {
                codes.push(Code {
                    code,
                    lane: lane.to_owned(),
                    title: metadata.title,
                    description: metadata.description,
                    severity,
                    taxonomy,
                    remediation,
                    related_resources: metadata.related_resources,
                    rule: format!("b{number}"),
                    location: rule.location,
                });
            }
        }
        codes
    }
}

/// `M2A-B1`.
fn code_name(lane: &str, number: u32) -> String {
    format!("{}-B{number}", lane.replace('.', ""))
}

/// Whether a name is a code rule's, or one that its author may take for one.
fn looks_like_code(name: &str) -> bool {
    name.strip_prefix(['b', 'B'])
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn code_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix('b')?;
    let is_canonical = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_canonical { number.parse().ok() } else { None }
}

fn severity(custom: &mut Mapping, defects: &mut Vec<Defect>) -> Option<Severity> {
    let location = custom.location_of("severity");
    match custom.text("severity", defects)?.as_str() {
        "S1" => Some(Severity::S1),
        "S2" => Some(Severity::S2),
        other => {
            let help = "blockers are S1 or S2; what never blocks belongs into `observations`";
            defects.push(Defect::new(location, format!("there is no severity `{other}` of a blocker"), help));
            None
        }
    }
}

fn taxonomy(custom: &mut Mapping, defects: &mut Vec<Defect>) -> Option<String> {
    let location = custom.location_of("taxonomy");
    let taxonomy = custom.text("taxonomy", defects)?;
    if taxonomy == INHERITED || (1..=LAST_TAXONOMY).any(|number| taxonomy == format!("M2-B{number}")) {
        return Some(taxonomy);
    }
    let help = format!("the classes are M2-B1 to M2-B{LAST_TAXONOMY}, or `{INHERITED}` where subjects are codes");
    defects.push(Defect::new(location, format!("there is no class `{taxonomy}`"), help));
    None
}
