//! Lanes and codes: what the METADATA of the policies declares, checked against what their rules are.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::annotation::{Annotation, AnnotationTarget};
use super::error::did_you_mean;
use super::syntax::{Head, Policy, Rule};
use super::yaml::Mapping;
use super::{Defect, Location};
use crate::check::Severity;

/// The lanes of the contract, in order. P0 needs all of them.
pub const LANES: [&str; 10] = ["M2.A", "M2.B", "M2.C", "M2.D", "M2.E", "M2.F", "M2.G", "M2.H", "M2.I", "M2.J"];

/// The gate behind the last lane.
const LAST_GATE: &str = "M2_DONE_M3_READY";

/// The classes of the M2 taxonomy are `M2-B1` to this one.
const LAST_TAXONOMY: u32 = 12;

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
    /// `M2-B1`.
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
    let code_names: Vec<String> = rules.codes.keys().map(|number| code_name(name, *number)).collect();
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

/// What a lane's package METADATA says of it.
struct Declaration {
    upstream: Vec<String>,
    definition_of_done: Vec<DoneItem>,
    artifacts: Vec<String>,
}

impl Declaration {
    fn read(lane: &str, mut custom: Mapping, codes: &[String], defects: &mut Vec<Defect>) -> Self {
        custom.only(&["lane", "next", "upstream", "definition_of_done", "artifacts"], defects);
        expect(&mut custom, "lane", Some(lane), defects);
        expect(&mut custom, "next", successor(lane), defects);
        Self {
            upstream: upstream(lane, &mut custom, defects),
            definition_of_done: definition_of_done(&mut custom, codes, defects),
            artifacts: artifacts(lane, &mut custom, defects),
        }
    }
}

/// A key whose value follows from elsewhere and is written down for the reader.
fn expect(custom: &mut Mapping, key: &str, expected: Option<&str>, defects: &mut Vec<Defect>) {
    let location = custom.location_of(key);
    let found = match expected {
        Some(_) => custom.text(key, defects),
        None => custom.optional_text(key, defects),
    };
    if found.is_some() && found.as_deref() != expected {
        let help =
            expected.map_or_else(|| format!("leave `{key}` out"), |expected| format!("write `{key}: {expected}`"));
        defects.push(Defect::new(location, format!("`{key}` does not fit here"), help));
    }
}

fn upstream(lane: &str, custom: &mut Mapping, defects: &mut Vec<Defect>) -> Vec<String> {
    let mut upstream: Vec<String> = Vec::new();
    for (name, location) in custom.texts("upstream", defects) {
        // Lanes only depend on lanes before them, so that no chain of them is a circle.
        let problem = match LANES.iter().position(|candidate| *candidate == name) {
            None => Some((format!("there is no lane `{name}`"), did_you_mean(&name, LANES))),
            Some(_) if name.as_str() >= lane => Some((format!("`{name}` does not come before {lane}"), None)),
            Some(_) if upstream.contains(&name) => Some((format!("`{name}` stands twice"), None)),
            Some(_) => None,
        };
        match problem {
            Some((problem, help)) => defects.push(Defect::new(
                location,
                problem,
                help.unwrap_or_else(|| format!("`upstream` lists each lane before {lane} that it needs once")),
            )),
            None => upstream.push(name),
        }
    }
    upstream
}

fn definition_of_done(custom: &mut Mapping, codes: &[String], defects: &mut Vec<Defect>) -> Vec<DoneItem> {
    let help = "write `definition_of_done: [{item: …, codes: [M2A-B1, …]}, …]`";
    let location = custom.location_of("definition_of_done");
    let mut items = Vec::new();
    for node in custom.optional_list("definition_of_done", defects) {
        let mut entry = match node.into_mapping() {
            Ok(entry) => entry,
            Err(location) => {
                defects.push(Defect::new(location, "the item is no mapping", help));
                continue;
            }
        };
        entry.only(&["item", "codes"], defects);
        let item = entry.text("item", defects).unwrap_or_default();
        let mut held_by = Vec::new();
        for (code, location) in entry.texts("codes", defects) {
            if !codes.contains(&code) {
                let help = did_you_mean(&code, codes.iter().map(String::as_str))
                    .unwrap_or_else(|| "an item is held by codes of its own lane".into());
                defects.push(Defect::new(location, format!("the lane has no code `{code}`"), help));
            }
            if !held_by.contains(&code) {
                held_by.push(code);
            }
        }
        if held_by.is_empty() {
            defects.push(Defect::new(entry.location, "no code holds this item", "name at least one code"));
        }
        items.push(DoneItem { item, codes: held_by });
    }
    if items.is_empty() {
        defects.push(Defect::new(location, "the lane has no definition of done", help));
    }
    items
}

fn artifacts(lane: &str, custom: &mut Mapping, defects: &mut Vec<Defect>) -> Vec<String> {
    let prefix = format!("{}_", lane.replace('.', "").to_ascii_lowercase());
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (name, location) in custom.texts("artifacts", defects) {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        let is_json = name.ends_with(".json") && name.starts_with(&prefix) && name.len() > prefix.len() + ".json".len();
        if !is_plain || !(is_json || name.ends_with(".log")) || name.starts_with('.') {
            defects.push(Defect::new(
                location,
                format!("`{name}` is no name for an artifact of {lane}"),
                format!("artifacts are named `{prefix}<name>.json`"),
            ));
        } else if !names.insert(name.clone()) {
            defects.push(Defect::new(location, format!("the artifact `{name}` stands twice"), "list it once"));
        }
    }
    names.into_iter().collect()
}

/// The rules of a lane that mean something to the evaluator.
#[derive(Default)]
struct Rules {
    codes: BTreeMap<u32, CodeRule>,
    has_observations: bool,
    artifacts: Option<Location>,
}

struct CodeRule {
    location: Location,
    metadata: Option<(Location, String, String, Vec<String>, Option<Mapping>)>,
}

impl Rules {
    /// Takes note of a definition, and refuses it if it is not of the kind that its name promises.
    fn add(&mut self, rule: &Rule, location: Location, defects: &mut Vec<Defect>) {
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

    fn annotate(
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
        code.metadata = Some((location, title, description, related_resources, custom));
    }

    /// The codes, by number.
    fn codes(&mut self, lane: &str, defects: &mut Vec<Defect>) -> Vec<Code> {
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
            let Some((metadata_location, title, description, related_resources, custom)) = rule.metadata else {
                defects.push(missing(&rule.location));
                continue;
            };
            let Some(mut custom) = custom else {
                defects.push(missing(&metadata_location));
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
                    title,
                    description,
                    severity,
                    taxonomy,
                    remediation,
                    related_resources,
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
    if (1..=LAST_TAXONOMY).any(|number| taxonomy == format!("M2-B{number}")) {
        return Some(taxonomy);
    }
    let help = format!("the classes are M2-B1 to M2-B{LAST_TAXONOMY}");
    defects.push(Defect::new(location, format!("there is no class `{taxonomy}`"), help));
    None
}

#[cfg(test)]
mod tests {
    use crate::check::Severity;
    use crate::policy::tests::{compile, defects, problems};

    const PACKAGE: &str = "\
# METADATA
# title: State backend
# description: The state is safe.
# custom:
#   lane: M2.A
#   next: M2.B
#   upstream: []
#   definition_of_done:
#     - item: it is done
#       codes: [M2A-B1]
#   artifacts: [m2a_execution_summary.json]
package m2.a

# METADATA
# title: Bucket missing
# related_resources:
#   - https://example.org/a
#   - ref: https://example.org/b
#     description: More.
# custom:
#   code: M2A-B1
#   severity: S1
#   taxonomy: M2-B1
#   remediation: Create it.
b1 contains 1

artifacts := {\"m2a_execution_summary.json\": {}}
";

    /// The broken laws of the package with one text replaced by another.
    fn with(from: &str, to: &str) -> Vec<String> {
        assert!(PACKAGE.contains(from), "{from}");
        problems(&[("m2/a/x.rego", &PACKAGE.replacen(from, to, 1))])
    }

    fn one(from: &str, to: &str) -> String {
        let found = with(from, to);
        assert_eq!(found.len(), 1, "{from} → {to}: {found:?}");
        found[0].clone()
    }

    #[test]
    fn metadata_becomes_lanes_and_codes() {
        let policies = compile(&[("m2/a/x.rego", PACKAGE)]).unwrap();
        let [lane] = policies.lanes() else { panic!() };
        assert_eq!((lane.lane.as_str(), lane.package.as_str(), lane.title.as_str()), ("M2.A", "m2.a", "State backend"));
        assert_eq!(lane.gate(), "M2.B_READY");
        assert_eq!(lane.artifacts, ["m2a_execution_summary.json"]);
        assert_eq!(lane.definition_of_done[0].codes, ["M2A-B1"]);
        let [code] = lane.codes.as_slice() else { panic!() };
        assert_eq!((code.code.as_str(), code.severity, code.taxonomy.as_str()), ("M2A-B1", Severity::S1, "M2-B1"));
        assert_eq!((code.title.as_str(), code.remediation.as_str()), ("Bucket missing", "Create it."));
        assert_eq!(code.related_resources, ["https://example.org/a", "https://example.org/b"]);
        assert_eq!(code.location.to_string(), "m2/a/x.rego:25:1");
    }

    #[test]
    fn unknown_keys_are_refused_with_a_suggestion() {
        for (from, to, line, key, expected) in [
            ("#   severity: S1", "#   severty: S1", 22, "severty", "did you mean `severity`?"),
            ("#   artifacts: [", "#   artefacts: [", 11, "artefacts", "did you mean `artifacts`?"),
            ("# description: The", "# descripton: The", 3, "descripton", "did you mean `description`?"),
            ("#   upstream: []", "#   upstream: []\n#   dod: []", 8, "dod", "the keys here are: "),
        ] {
            let found = defects(&[("m2/a/x.rego", &PACKAGE.replacen(from, to, 1))]);
            let unknown = found.iter().find(|defect| defect.problem == format!("unknown key `{key}`")).unwrap();
            assert_eq!(unknown.location.line, line);
            assert!(unknown.help.starts_with(expected), "{unknown}");
        }
    }

    #[test]
    fn a_code_must_be_the_one_of_its_rule() {
        assert_eq!(one("code: M2A-B1", "code: M2A-B2"), "m2/a/x.rego:21:5: `code` does not fit here");
        assert_eq!(one("code: M2A-B1", "code: M2B-B1"), "m2/a/x.rego:21:5: `code` does not fit here");
        assert_eq!(one("code: M2A-B1", "code: 7"), "m2/a/x.rego:21:11: `code` is no text");
    }

    #[test]
    fn severity_taxonomy_and_remediation_are_checked() {
        let starts = |found: Vec<String>, start: &str| assert!(found[0].starts_with(start), "{found:?}");
        starts(with("severity: S1", "severity: S3"), "m2/a/x.rego:22:5: there is no severity `S3` of a blocker");
        starts(with("taxonomy: M2-B1", "taxonomy: M2-B13"), "m2/a/x.rego:23:5: there is no class `M2-B13`");
        starts(with("taxonomy: M2-B1", "taxonomy: B1"), "m2/a/x.rego:23:5: there is no class `B1`");
        for empty in ["\"\"", "\" \"", "{}", "[]", "~"] {
            let found = with("remediation: Create it.", &format!("remediation: {empty}"));
            assert!(found.iter().any(|problem| problem.contains("`remediation` is ")), "{empty}: {found:?}");
        }
        let found = with("#   remediation: Create it.\n", "");
        assert!(found.iter().any(|problem| problem.ends_with("`remediation` is missing")), "{found:?}");
    }

    #[test]
    fn a_code_rule_without_metadata_is_refused() {
        let found = with("artifacts :=", "b2 contains 1\n\nartifacts :=");
        assert_eq!(found, ["m2/a/x.rego:27:1: the rule `b2` says nothing about M2A-B2"]);
        let found = with("artifacts :=", "# METADATA\n# title: Other\nb2 contains 1\n\nartifacts :=");
        assert_eq!(found, ["m2/a/x.rego:27:1: the rule `b2` says nothing about M2A-B2"]);
    }

    #[test]
    fn metadata_stands_once_and_directly_above_its_rule() {
        let again = "# METADATA\n# title: Again\nb1 contains 2\n\nartifacts :=";
        assert_eq!(one("artifacts :=", again), "m2/a/x.rego:27:1: `b1` has METADATA a second time");
        let found = with("b1 contains 1", "\nb1 contains 1");
        assert_eq!(found[0], "m2/a/x.rego:14:1: this METADATA belongs to nothing");
        let found = with("# METADATA\n# title: Bucket", "# Metadata:\n# title: Bucket");
        assert_eq!(found[0], "m2/a/x.rego:14:1: `# Metadata:` opens no METADATA block");
    }

    #[test]
    fn metadata_inside_a_string_is_text() {
        assert_eq!(with("artifacts :=", "text := `\n# METADATA\n# nonsense\n`\n\nartifacts :="), [""; 0]);
    }

    #[test]
    fn broken_yaml_is_reported_with_its_place() {
        let found = with("# title: Bucket missing", "# title: Bucket: missing");
        assert!(found[0].starts_with("m2/a/x.rego:15:16: METADATA is no valid YAML: "), "{found:?}");
        let found = with("# title: Bucket missing", "# title: Bucket missing\n# title: Twice");
        assert!(found[0].starts_with("m2/a/x.rego:16:3: METADATA is no valid YAML: duplicated key"), "{found:?}");
        let found = with("# title: Bucket missing\n", "# - a list\n");
        assert!(found[0].starts_with("m2/a/x.rego:1"), "{found:?}");
    }

    #[test]
    fn code_rules_must_be_partial_sets() {
        for rule in [
            "b2 := set()",
            "b2 := {1}",
            "b2[x] := 1 if some x in [1]",
            "default b2 := {1}",
            "b2(x) := x",
            "b2.c contains 1",
        ] {
            let found = with("artifacts :=", &format!("{rule}\n\nartifacts :="));
            assert!(found.contains(&"m2/a/x.rego:27:1: `b2` is no partial set".to_owned()), "{rule}: {found:?}");
        }
        for name in ["b01", "b0", "B2"] {
            let found = with("artifacts :=", &format!("{name} contains 1\n\nartifacts :="));
            assert_eq!(found, [format!("m2/a/x.rego:27:1: `{name}` is no name of a code rule")]);
        }
        assert_eq!(with("artifacts :=", "base := 1\n\nb := 2\n\nartifacts :="), [""; 0]);
    }

    #[test]
    fn observations_and_artifacts_have_their_kinds() {
        assert_eq!(
            one("artifacts :=", "observations := [1]\n\nartifacts :="),
            "m2/a/x.rego:27:1: `observations` is no partial set"
        );
        let found = with("artifacts := {\"m2a_execution_summary.json\": {}}", "artifacts contains 1");
        assert!(found.contains(&"m2/a/x.rego:27:1: `artifacts` is no object".to_owned()), "{found:?}");
        assert_eq!(
            one("artifacts := {\"m2a_execution_summary.json\": {}}", ""),
            "m2/a/x.rego:1:1: artifacts are declared, but there is no rule `artifacts`"
        );
    }

    #[test]
    fn a_lane_package_must_declare_its_lane_once() {
        assert_eq!(
            problems(&[("m2/a/x.rego", "package m2.a\n\nx := 1\n")]),
            ["m2/a/x.rego:1:1: the package `m2.a` declares no lane"]
        );
        assert_eq!(one("lane: M2.A", "lane: M2.B"), "m2/a/x.rego:5:5: `lane` does not fit here");
        let second = "# METADATA\n# title: Again\n# custom: {lane: M2.A}\npackage m2.a\n\nx := 1\n";
        assert_eq!(
            problems(&[("m2/a/x.rego", PACKAGE), ("m2/a/y.rego", second)]),
            ["m2/a/y.rego:1:1: M2.A is declared a second time"]
        );
        let more = "# METADATA\n# title: More of it\npackage m2.a\n\nx := 1\n";
        assert_eq!(problems(&[("m2/a/x.rego", PACKAGE), ("m2/a/y.rego", more)]), [""; 0]);
    }

    #[test]
    fn the_chain_of_lanes_is_the_contracts() {
        assert_eq!(one("next: M2.B", "next: M2.C"), "m2/a/x.rego:6:5: `next` does not fit here");
        assert_eq!(one("#   next: M2.B\n", ""), "m2/a/x.rego:5:5: `next` is missing");
        assert_eq!(one("upstream: []", "upstream: [M2.K]"), "m2/a/x.rego:7:16: there is no lane `M2.K`");
        assert_eq!(one("upstream: []", "upstream: [M2.A]"), "m2/a/x.rego:7:16: `M2.A` does not come before M2.A");
        assert_eq!(one("#   upstream: []\n", ""), "m2/a/x.rego:5:5: `upstream` is missing");
    }

    #[test]
    fn the_definition_of_done_is_held_by_codes_of_the_lane() {
        assert_eq!(with("codes: [M2A-B1]", "codes: [M2A-B9]")[0], "m2/a/x.rego:10:17: the lane has no code `M2A-B9`");
        assert_eq!(one("codes: [M2A-B1]", "codes: []"), "m2/a/x.rego:9:9: no code holds this item");
        let found = with("#   definition_of_done:\n#     - item: it is done\n#       codes: [M2A-B1]\n", "");
        assert_eq!(found, ["m2/a/x.rego:5:5: the lane has no definition of done"]);
    }

    #[test]
    fn artifacts_have_plain_names_with_the_lanes_prefix() {
        for name in ["summary.json", "m2b_summary.json", "../m2a_x.json", "m2a_.json", "m2a_x.txt", "m2a_a/b.json"] {
            let found = with("[m2a_execution_summary.json]", &format!("[\"{name}\"]"));
            assert_eq!(found[0], format!("m2/a/x.rego:11:17: `{name}` is no name for an artifact of M2.A"));
        }
        let found = with("[m2a_execution_summary.json]", "[m2a_x.json, m2a_x.json]");
        assert_eq!(found, ["m2/a/x.rego:11:29: the artifact `m2a_x.json` stands twice"]);
    }

    #[test]
    fn custom_metadata_that_nobody_reads_is_refused() {
        let library = "# METADATA\n# title: Checks\n# custom: {code: M2A-B1}\npackage lib.a\n\nx := 1\n";
        assert_eq!(problems(&[("lib/a.rego", library)]), ["lib/a.rego:3:12: unknown key `code`"]);
        let found = with("artifacts :=", "# METADATA\n# title: A\n# custom: {code: M2A-B2}\nartifacts :=");
        assert_eq!(found, ["m2/a/x.rego:29:12: unknown key `code`"]);
    }

    #[test]
    fn a_scope_beyond_the_target_is_refused() {
        let found = with("# title: Bucket missing", "# title: Bucket missing\n# scope: document");
        assert_eq!(found, ["m2/a/x.rego:16:3: the scope `document` is not supported"]);
        assert_eq!(with("# title: Bucket missing", "# title: Bucket missing\n# scope: rule"), [""; 0]);
    }

    #[test]
    fn a_missing_title_is_refused() {
        assert_eq!(one("# title: Bucket missing\n", ""), "m2/a/x.rego:15:3: `title` is missing");
    }
}
