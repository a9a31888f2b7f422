//! A rule of a new code, its tests, and its lane where that is new, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use factgate_collector::file::write_atomically;
use serde_json::Value;

use super::{ProjectError, create};
use crate::error::Error;
use crate::policy::{INHERITED, LANES, Lane, Location, Origin, Policies, PolicyOptions, PolicySet};

/// What the templates of a rule are.
const RULE: &str = include_str!("../templates/rule/rule.rego");
const RULE_TEST: &str = include_str!("../templates/rule/rule_test.rego");
const LANE: &str = include_str!("../templates/rule/lane.rego");
const LANE_TEST: &str = include_str!("../templates/rule/lane_test.rego");

/// The files of the library that the templates are built with.
const LIBRARY: [&str; 5] = ["lib/aws.rego", "lib/check.rego", "lib/fact.rego", "lib/handle.rego", "lib/report.rego"];

/// The line of a lane's METADATA below which the items of its definition of done stand.
const DEFINITION_OF_DONE: &str = "definition_of_done:";

/// What a new code adds to policies: file names below their folder, and texts.
#[derive(Debug)]
pub(crate) struct Addition {
    /// `M2B-B1`.
    pub(crate) code: String,
    /// Files that are new.
    pub(crate) new: BTreeMap<String, Vec<u8>>,
    /// The file that declares the lane, if the lane is there already, with the code in its definition of done.
    pub(crate) changed: Option<(String, String)>,
}

impl Addition {
    /// Writes it below the folder of the policies: all of it or nothing.
    ///
    /// # Errors
    ///
    /// If a file is in the way, or cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), ProjectError> {
        let made = create(folder, &self.new)?;
        if let Some((name, text)) = &self.changed {
            let path = folder.join(name);
            write_atomically(&path, text.as_bytes()).map_err(|source| ProjectError::Write { path, source })?;
        }
        made.keep();
        Ok(())
    }
}

/// The rule of a new code in the policies of a set, held to every law. It blocks whatever the facts are.
///
/// # Errors
///
/// If the code is none or has its rule, or the policies break a law, before or with it.
pub(crate) fn rule(
    set: &PolicySet,
    options: &PolicyOptions,
    code: &str,
    title: Option<&str>,
) -> Result<Addition, Error> {
    let code = NewCode::parse(code)?;
    let title = title.map_or_else(|| Ok(format!("{} has no claim yet", code.name)), one_line)?;
    let policies = Policies::compile(set.clone(), options)?;
    let is_there = |name: &&&str| set.policies().iter().any(|file| file.name == **name);
    if let Some(missing) = LIBRARY.iter().find(|name| !is_there(name)) {
        return Err(ProjectError::NoLibrary(below(set.origin(), missing)).into());
    }
    let lane = policies.lanes().iter().find(|lane| lane.lane == code.lane);
    if let Some(taken) = lane.and_then(|lane| lane.codes.iter().find(|taken| taken.code == code.name)) {
        let location = Location { file: place(set.origin(), &taken.location.file), ..taken.location.clone() };
        let free = code.free(lane);
        return Err(ProjectError::Taken { code: code.name, location, free }.into());
    }
    let before = policies.lanes().iter().rev().find(|lane| lane.lane.as_str() < code.lane);
    let fill = |template: &str| code.fill(template, &title, before, &taxonomy(lane, code.lane));
    let folder = code.package.replace('.', "/");
    let mut new = BTreeMap::from([
        (format!("{folder}/{}.rego", code.rule), fill(RULE).into_bytes()),
        (format!("{folder}/{}_test.rego", code.rule), fill(RULE_TEST).into_bytes()),
    ]);
    let changed = match lane {
        Some(lane) => Some(done(set, lane, &code.name)?),
        None => {
            new.insert(format!("{folder}/lane.rego"), fill(LANE).into_bytes());
            new.insert(format!("{folder}/lane_test.rego"), fill(LANE_TEST).into_bytes());
            None
        }
    };
    let addition = Addition { code: code.name, new, changed };
    prove(set, options, &addition, &title)?;
    Ok(addition)
}

/// A code as its parts.
struct NewCode {
    /// `M2B-B1`.
    name: String,
    /// `M2.B`.
    lane: &'static str,
    /// `m2.b`.
    package: String,
    /// `b1`.
    rule: String,
}

impl NewCode {
    fn parse(given: &str) -> Result<Self, ProjectError> {
        let name = given.to_ascii_uppercase();
        let parts = LANES.into_iter().find_map(|lane| {
            let number = name.strip_prefix(&lane.replace('.', ""))?.strip_prefix("-B")?;
            let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
            (is_number && number.parse::<u32>().is_ok()).then(|| (lane, number.to_owned()))
        });
        let (lane, number) = parts.ok_or_else(|| ProjectError::NoCode(given.to_owned()))?;
        Ok(Self { name, lane, package: lane.to_ascii_lowercase(), rule: format!("b{number}") })
    }

    /// The code behind the last one of the lane.
    fn free(&self, lane: Option<&Lane>) -> String {
        let numbers =
            lane.into_iter().flat_map(|lane| &lane.codes).filter_map(|code| code.rule[1..].parse::<u32>().ok());
        format!("{}-B{}", self.lane.replace('.', ""), numbers.max().unwrap_or(0).saturating_add(1))
    }

    /// A template with its blanks filled in.
    fn fill(&self, template: &str, title: &str, before: Option<&Lane>, taxonomy: &str) -> String {
        let next = LANES.iter().skip_while(|lane| **lane != self.lane).nth(1);
        // The last lane has none behind it, and no line that says so.
        let template = match next {
            Some(_) => template.to_owned(),
            None => template.replace("#   next: {{next}}\n", ""),
        };
        let blanks = [
            ("{{title}}", yaml(title)),
            ("{{code}}", self.name.clone()),
            ("{{lane}}", self.lane.to_owned()),
            ("{{package}}", self.package.clone()),
            ("{{prefix}}", self.package.replace('.', "")),
            ("{{rule}}", self.rule.clone()),
            ("{{taxonomy}}", taxonomy.to_owned()),
            ("{{next}}", next.map_or_else(String::new, |next| (*next).to_owned())),
            ("{{upstream}}", before.map_or_else(String::new, |lane| lane.lane.clone())),
        ];
        blanks.iter().rev().fold(template, |text, (blank, value)| text.replace(blank, value))
    }
}

/// The class of the lane's first code, in the policies or, where the lane is new, in the shipped ones.
fn taxonomy(lane: Option<&Lane>, name: &str) -> String {
    let of = |lane: &Lane| lane.codes.iter().map(|code| code.taxonomy.clone()).find(|class| class != INHERITED);
    let shipped = || {
        let shipped = Policies::embedded(&PolicyOptions::default()).ok()?;
        shipped.lanes().iter().find(|lane| lane.lane == name).and_then(of)
    };
    lane.and_then(of).or_else(shipped).unwrap_or_else(|| "M2-B8".to_owned())
}

/// The text, if it is one line.
fn one_line(title: &str) -> Result<String, ProjectError> {
    let trimmed = title.trim();
    if trimmed.is_empty() || trimmed.chars().any(char::is_control) {
        return Err(ProjectError::Title(title.to_owned()));
    }
    Ok(trimmed.to_owned())
}

/// A text as YAML: as it stands where nothing of it means anything else there.
fn yaml(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || " -_.,'/()".contains(character);
    // A single word may be a `true` or a `null`.
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.contains(' ') && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// The file that declares the lane, with an item for the code behind the others of its definition of done.
fn done(set: &PolicySet, lane: &Lane, code: &str) -> Result<(String, String), ProjectError> {
    let location = Location { file: place(set.origin(), &lane.location.file), ..lane.location.clone() };
    let file = set.policies().iter().find(|file| file.name == lane.location.file);
    file.and_then(|file| Some((file.name.clone(), with_item(&file.text, lane.location.line, code)?)))
        .ok_or(ProjectError::DefinitionOfDone(location))
}

/// METADATA that starts at a line, with one item more; `None` if its items stand otherwise than one a line.
fn with_item(text: &str, line: u32, code: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let metadata = usize::try_from(line).ok()?.checked_sub(1)?;
    let comment = |line: &&str| line.starts_with('#');
    let indent = |line: &str| line.len() - line[1..].trim_start().len();
    let end = metadata + lines.get(metadata..)?.iter().take_while(|line| comment(line)).count();
    let key = (metadata..end).find(|index| lines[*index][1..].trim() == DEFINITION_OF_DONE)?;
    let first = lines.get(key + 1).filter(|line| comment(line) && line[1..].trim_start().starts_with("- "))?;
    let at = indent(first);
    let is_item = |line: &str| indent(line) > at || indent(line) == at && line[1..].trim_start().starts_with("- ");
    let last = (key + 1..end).take_while(|index| is_item(lines[*index])).last()?;
    let margin = &first[..at];
    let mut with: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    with.splice(
        last + 1..last + 1,
        [format!("{margin}- item: {code} does not block."), format!("{margin}  codes: [{code}]")],
    );
    Some(format!("{}\n", with.join("\n")))
}

/// The policies with the addition break no law, and have the code as it is meant.
fn prove(set: &PolicySet, options: &PolicyOptions, addition: &Addition, title: &str) -> Result<(), Error> {
    let text = |file: &crate::policy::SourceFile| (file.name.clone(), file.text.clone().into_bytes());
    let mut files: BTreeMap<String, Vec<u8>> = set.policies().iter().chain(set.tests()).map(text).collect();
    let data = set.data_files().iter();
    files.extend(data.map(|file| (file.name.clone(), Value::Object(file.value.clone()).to_string().into_bytes())));
    files.extend(addition.new.clone());
    files.extend(addition.changed.clone().map(|(name, text)| (name, text.into_bytes())));
    let policies = Policies::compile(PolicySet::from_files(set.origin().clone(), files)?, options)?;
    let mut codes = policies.lanes().iter().flat_map(|lane| lane.codes.iter().map(move |code| (lane, code)));
    match codes.find(|(_, code)| code.code == addition.code) {
        Some((_, code)) if code.title != title => Err(ProjectError::Title(title.to_owned()).into()),
        Some((lane, code)) if lane.definition_of_done.iter().any(|item| item.codes.contains(&code.code)) => Ok(()),
        Some((lane, _)) => Err(ProjectError::DefinitionOfDone(lane.location.clone()).into()),
        None => Err(ProjectError::NoCode(addition.code.clone()).into()),
    }
}

/// A file as the user would name it.
fn below(origin: &Origin, file: &str) -> PathBuf {
    match origin {
        Origin::Folder(folder) => folder.join(file),
        Origin::Embedded | Origin::Memory => PathBuf::from(file),
    }
}

fn place(origin: &Origin, file: &str) -> String {
    below(origin, file).display().to_string()
}
