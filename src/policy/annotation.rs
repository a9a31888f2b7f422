//! METADATA: the YAML comment blocks that say what a package or a rule is for.
//!
//! The engine does not read them, so they are read here, strictly: a misspelled key would otherwise drop a severity or a
//! remediation without a word.
//!
//! ```text
//! # METADATA
//! # title: State bucket or lock table missing
//! # custom: {code: M2A-B1, severity: S1, taxonomy: M2-B1, remediation: Create it and run again.}
//! b1 contains check.exists("TF_STATE_BUCKET", …)
//! ```

pub(crate) mod schema;

use super::lexical::Comment;
use super::syntax::{Policy, Rule};
use super::yaml::{Document, Mapping};
use super::{Defect, Location};

/// The line that opens a block.
const MARKER: &str = "METADATA";

/// What a METADATA block may say.
const KEYS: [&str; 8] =
    ["title", "description", "related_resources", "authors", "organizations", "scope", "entrypoint", "custom"];

/// A METADATA block and what it belongs to.
#[derive(Debug)]
pub(crate) struct Annotation<'tree> {
    pub(crate) target: AnnotationTarget<'tree>,
    pub(crate) location: Location,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) related_resources: Vec<String>,
    pub(crate) custom: Option<Mapping>,
}

/// What directly follows a METADATA block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AnnotationTarget<'tree> {
    Package,
    Rule(&'tree Rule),
}

/// Reads the METADATA blocks of one file.
pub(crate) fn read<'tree>(
    policy: &'tree Policy,
    comments: &[Comment<'_>],
    defects: &mut Vec<Defect>,
) -> Vec<Annotation<'tree>> {
    let file = &policy.source.file;
    let mut annotations = Vec::new();
    for block in blocks(file, comments, defects) {
        let location = Location::new(file, block[0].line, column(&block[0]));
        let next_line = block[block.len() - 1].line + 1;
        let Some(target) = target(policy, next_line) else {
            defects.push(Defect::new(
                location,
                "this METADATA belongs to nothing",
                "it must stand directly above `package` or a rule, with no line between them",
            ));
            continue;
        };
        let Some(mut document) = parse(file, block, defects) else { continue };
        let root = &mut document.root;
        root.only(&KEYS, defects);
        check_scope(root, target, defects);
        annotations.push(Annotation {
            target,
            title: root.text("title", defects).unwrap_or_default(),
            description: root.optional_text("description", defects).unwrap_or_default(),
            related_resources: related_resources(root, defects),
            custom: root.optional_mapping("custom", defects),
            location,
        });
    }
    annotations
}

/// The runs of comment lines that start with the marker.
fn blocks<'comments, 'text>(
    file: &str,
    comments: &'comments [Comment<'text>],
    defects: &mut Vec<Defect>,
) -> Vec<&'comments [Comment<'text>]> {
    let mut blocks = Vec::new();
    for run in comments.chunk_by(|above, below| above.line + 1 == below.line) {
        let mut start = None;
        for (index, comment) in run.iter().enumerate() {
            let text = comment.text.trim();
            if text == MARKER {
                if let Some(start) = start.replace(index) {
                    blocks.push(&run[start..index]);
                }
            } else if text.trim_end_matches(':').eq_ignore_ascii_case(MARKER) {
                defects.push(Defect::new(
                    Location::new(file, comment.line, column(comment)),
                    format!("`#{}` opens no METADATA block", comment.text),
                    "the line that opens one is exactly `# METADATA`",
                ));
            }
        }
        if let Some(start) = start {
            blocks.push(&run[start..]);
        }
    }
    blocks
}

fn column(comment: &Comment<'_>) -> u32 {
    u32::try_from(comment.indentation).unwrap_or(u32::MAX).saturating_add(1)
}

fn target(policy: &Policy, line: u32) -> Option<AnnotationTarget<'_>> {
    if policy.ast.package.span.line == line {
        return Some(AnnotationTarget::Package);
    }
    policy.ast.rules.iter().find(|rule| rule.span().line == line).map(AnnotationTarget::Rule)
}

/// Parses what stands behind the marker. Spaces take the place of the comment signs, so that the parser's columns are the
/// file's.
fn parse(file: &str, block: &[Comment<'_>], defects: &mut Vec<Defect>) -> Option<Document> {
    let mut text = String::new();
    for comment in &block[1..] {
        text.push_str(&" ".repeat(comment.indentation + 1));
        text.push_str(comment.text);
        text.push('\n');
    }
    match Document::parse(file, block[0].line, &text) {
        Ok(document) => Some(document),
        Err(defect) => {
            defects.push(defect);
            None
        }
    }
}

/// OPA lets a block speak for more than what follows it; here it never does.
fn check_scope(root: &mut Mapping, target: AnnotationTarget<'_>, defects: &mut Vec<Defect>) {
    let expected = match target {
        AnnotationTarget::Package => "package",
        AnnotationTarget::Rule(_) => "rule",
    };
    let location = root.location_of("scope");
    if let Some(scope) = root.optional_text("scope", defects)
        && scope != expected
    {
        let help = format!("leave `scope` out: a block speaks for the {expected} directly below it");
        defects.push(Defect::new(location, format!("the scope `{scope}` is not supported"), help));
    }
}

fn related_resources(root: &mut Mapping, defects: &mut Vec<Defect>) -> Vec<String> {
    let mut resources = Vec::new();
    for mut item in root.optional_list("related_resources", defects) {
        match item.take_text() {
            Some(text) if !text.trim().is_empty() => resources.push(text),
            Some(_) => defects.push(Defect::new(item.location, "the resource is empty", "write its URL")),
            None => match item.into_mapping() {
                Ok(mut resource) => {
                    resource.only(&["ref", "description"], defects);
                    resource.optional_text("description", defects);
                    resources.extend(resource.text("ref", defects));
                }
                Err(location) => {
                    defects.push(Defect::new(location, "the resource is no text", "write its URL, or `ref: <URL>`"));
                }
            },
        }
    }
    resources
}
