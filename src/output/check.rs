//! What a check of policies found, for people and for machines.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::json;

use super::Format;
use crate::policy::{CheckReport, Defect, Origin, PolicySet};

/// Renders a report; none if there is no such form. Files are named from where the program runs.
pub fn render(report: &CheckReport, set: &PolicySet, format: Format) -> Option<String> {
    match format {
        Format::Json => Some(format!("{:#}\n", as_json(report, set))),
        Format::Table => Some(text(report, set)),
        _ => None,
    }
}

fn text(report: &CheckReport, set: &PolicySet) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for defect in &report.defects {
        let source = source(set, &defect.location.file);
        let snippet = Snippet::source(source)
            .path(path(set, defect))
            .annotation(AnnotationKind::Primary.span(range(source, defect)));
        let group = Level::ERROR
            .primary_title(&defect.problem)
            .element(snippet)
            .element(Level::HELP.message(defect.help.as_str()));
        text.push_str(&renderer.render(&[group]));
        text.push_str("\n\n");
    }
    let what = match report.defects.len() {
        0 => "no defect".to_owned(),
        count => counted(count, "defect"),
    };
    let (files, lanes) = (counted(report.files, "file"), counted(report.lanes, "lane"));
    text.push_str(&format!("{files}, {lanes}, {}: {what}\n", counted(report.codes, "code")));
    text
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn as_json(report: &CheckReport, set: &PolicySet) -> serde_json::Value {
    let defects = report.defects.iter().map(|defect| {
        let source = source(set, &defect.location.file);
        let length = source.get(range(source, defect)).map_or(0, |found| found.chars().count());
        json!({
            "file": path(set, defect), "line": defect.location.line, "column": defect.location.column,
            // Of the same line: what is marked is never longer.
            "end_column": defect.location.column as usize + length,
            "problem": defect.problem, "help": defect.help,
        })
    });
    json!({
        "files": report.files, "lanes": report.lanes, "codes": report.codes, "defects": defects.collect::<Vec<_>>(),
    })
}

fn path(set: &PolicySet, defect: &Defect) -> String {
    match set.origin() {
        Origin::Folder(folder) => folder.join(&defect.location.file).display().to_string(),
        Origin::Embedded | Origin::Memory => defect.location.file.clone(),
    }
}

/// The text of a policy or test; none of a data file.
fn source<'set>(set: &'set PolicySet, file: &str) -> &'set str {
    let mut files = set.policies().iter().chain(set.tests());
    files.find(|source| source.name == file).map_or("", |source| source.text.as_str())
}

/// The bytes from the place of a defect to the end of the word or reference that begins there.
fn range(source: &str, defect: &Defect) -> Range<usize> {
    let lines = source.split_inclusive('\n').take(defect.location.line.saturating_sub(1) as usize);
    let line_start: usize = lines.map(str::len).sum();
    let line = source.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = defect.location.column.saturating_sub(1) as usize;
    let start = line.char_indices().nth(column).map_or(line.len(), |(index, _)| index);
    let rest = line.get(start..).unwrap_or_default();
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '"');
    let word = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    let length = if word == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { word };
    line_start + start..line_start + start + length
}

#[cfg(test)]
mod tests {
    use super::range;
    use crate::policy::{Defect, Location};

    #[test]
    fn what_is_marked_is_the_word_at_the_place() {
        let text = "package a\n\n\té := input.runn.x + 1\n";
        let marked = |line, column| {
            let location = Location::new("f", line, column);
            let defect = Defect { location, problem: String::new(), help: String::new() };
            &text[range(text, &defect)]
        };
        assert_eq!(marked(3, 7), "input.runn.x");
        assert_eq!((marked(3, 3), marked(3, 4)), (" ", ":"));
        assert_eq!(marked(3, 20), "+");
        assert_eq!((marked(9, 9), marked(1, 99)), ("", ""));
    }
}
