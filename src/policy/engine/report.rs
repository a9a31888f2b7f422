//! What the engine says, as places and sentences for authors.

use std::fmt::Display;
use std::time::Duration;

use crate::policy::source::SourceFile;
use crate::policy::{Location, PolicyError};

/// How much of a message of the engine is passed on.
const MESSAGE_CHARACTERS: usize = 400;

/// What the engine says when its time is up; it keeps the type of that error only outside of functions.
const TIME_IS_UP: &str = "execution exceeded time limit";

/// The error of an evaluation.
pub(super) fn evaluation_error(error: &impl Display, files: &[SourceFile], what: &str, limit: Duration) -> PolicyError {
    let report = Report::read(error, files);
    if report.message.contains(TIME_IS_UP) {
        return PolicyError::TimeLimit { what: what.to_owned(), location: report.location, limit };
    }
    // Behind an unsafe variable the engine prints every variable that it knows with its value.
    let (message, help) = match report.message.split_once(" is unsafe (path [") {
        Some((variable, _)) => (format!("{variable} is unsafe"), "define it, or declare it with `some`"),
        None => (
            report.message,
            "builtins are strict: look values up with `object.get` and a default, and check types before using them",
        ),
    };
    PolicyError::Evaluation {
        location: report.location,
        message: format!("{} (while evaluating {what})", shortened(&message)),
        help: help.into(),
    }
}

/// The engine quotes values, however large.
fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// A message of the engine, taken apart. The engine prints a place and an excerpt around it:
///
/// ```text
/// --> m2/a/x.rego:3:5
///   |
/// 3 | x := 1 / 0
///   |     ^
/// error: divide by zero
/// ```
pub(super) struct Report {
    pub(super) location: Option<Location>,
    pub(super) message: String,
}

impl Report {
    pub(super) fn read(error: &impl Display, files: &[SourceFile]) -> Self {
        let text = error.to_string();
        let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
        let location = place.and_then(|place| {
            let (rest, column) = place.trim().rsplit_once(':')?;
            let (file, line) = rest.rsplit_once(':')?;
            // The query itself is ours and no place that an author could look at.
            let file = files.iter().find(|candidate| candidate.name == file)?;
            Some(Location::of_engine_column(&file.name, &file.text, line.parse().ok()?, column.parse().ok()?))
        });
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message,
            None => text.trim(),
        };
        let message = message.split("\n-->").next().unwrap_or(message).trim();
        Self { location, message: message.split_whitespace().collect::<Vec<_>>().join(" ") }
    }
}
