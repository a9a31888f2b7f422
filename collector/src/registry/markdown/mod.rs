//! Markdown registries: one bullet a handle, everything else is prose.
//!
//! ```text
//! lines ─► without fenced code and comments ─► bullets ─► first code span ─► `KEY = literal` ─► Pin
//! ```
//!
//! Only the bullet's first code span can be a pin, because sentences mention `KEY = value` too. A bullet that was meant as a pin
//! and is not of this form is an error.

mod bullet;
mod lines;
mod span;

use bullet::{Bullet, bullet};
use lines::Lines;
use span::{Span, spans};

use super::pin::{Pin, is_name, is_tag_key};
use super::source::Source;
use super::{RegistryError, RegistryProblem, literal};

/// The pins of a Markdown text, in order.
pub(super) fn pins(source: &Source<'_>) -> Result<Vec<Pin>, RegistryError> {
    let mut pins = Vec::new();
    let mut lines = Lines::new(source);
    while let Some(line) = lines.next_visible()? {
        if let Some(bullet) = bullet(&line.text)
            && let Some(pin) = pin(source, line.offset, &bullet)?
        {
            pins.push(pin);
        }
    }
    Ok(pins)
}

/// The pin of a bullet, if it has one. `line` is the byte at which the bullet's line starts.
fn pin(source: &Source<'_>, line: usize, bullet: &Bullet<'_>) -> Result<Option<Pin>, RegistryError> {
    let at = |offset: usize, problem| source.error(line + offset, problem);
    let near_miss = |name: &str, why| RegistryProblem::NoBullet { name: name.to_owned(), why };
    let content = bullet.content;

    let Some(span) = spans(content).next().filter(|span| content[..span.start].trim().is_empty()) else {
        // A pin without its code span, with half of one, or with something in front.
        return match bullet::looks_pinned(content) {
            Some((name, why)) => Err(at(bullet.offset, near_miss(name, why))),
            None => Ok(None),
        };
    };
    let place = bullet.offset + span.content_start;
    let remark = &content[span.end..];
    let (name, assigned) = match Assignment::of(span.content) {
        Assignment::Pin { name, value_start } => (name, value_start),
        Assignment::NearMiss { name, why } => return Err(at(place, near_miss(name, why))),
        Assignment::MalformedName { text } => {
            return Err(at(place, RegistryProblem::Name { text: text.to_owned() }));
        }
        Assignment::BareName { name } if starts_with_equals_sign(remark) => {
            return Err(at(place, near_miss(name, "its value stands outside of its backticks")));
        }
        Assignment::BareName { .. } | Assignment::Prose => return Ok(None),
    };
    if let Some(why) = bullet.defect {
        return Err(at(place, near_miss(name, why)));
    }
    let literal = &span.content[assigned..];
    let indentation = literal.len() - literal.trim_start().len();
    let value = literal::parse(name, literal.trim())
        .map_err(|(offset, problem)| at(place + assigned + indentation + offset, problem))?;

    let remark_place = bullet.offset + span.end;
    let (expected_tag_value, rest) = if is_tag_key(name) {
        expected_tag_value(remark)
            .map_err(|offset| at(remark_place + offset, RegistryProblem::Arrow { name: name.to_owned() }))?
    } else {
        (None, 0)
    };
    for other in spans(&remark[rest..]) {
        if let Assignment::Pin { name: second, .. } = Assignment::of(other.content) {
            let problem = RegistryProblem::SecondPin { first: name.to_owned(), second: second.to_owned() };
            return Err(at(remark_place + rest + other.content_start, problem));
        }
    }
    let start = line + place + assigned + indentation;
    Ok(Some(Pin {
        name: name.to_owned(),
        value,
        expected_tag_value,
        offset: line + place,
        place: Some(start..start + literal.trim().len()),
    }))
}

/// The expected value behind the pin of a tag's key, and the byte of the remark at which it ends. The error is the byte of an
/// arrow that leads nowhere.
fn expected_tag_value(remark: &str) -> Result<(Option<String>, usize), usize> {
    let Some(arrow) = ["->", "→", "=>", "⇒", "-&gt;"].iter().filter_map(|arrow| remark.find(arrow)).min() else {
        return Ok((None, 0));
    };
    let (before, after) = remark.split_at(arrow);
    let after = after.strip_prefix("->").filter(|_| before.trim().is_empty()).ok_or(arrow)?;
    let Span { start, end, content, .. } = spans(after).next().ok_or(arrow)?;
    if !after[..start].trim().is_empty() {
        return Err(arrow);
    }
    let content = content.trim();
    let expected =
        if content.starts_with('"') { serde_json::from_str(content).map_err(|_| arrow)? } else { content.to_owned() };
    if expected.is_empty() { Err(arrow) } else { Ok((Some(expected), arrow + "->".len() + end)) }
}

/// What a code span at the start of a bullet says.
enum Assignment<'a> {
    /// `KEY = …`; the value starts at this byte of the span.
    Pin { name: &'a str, value_start: usize },
    /// `KEY` alone.
    BareName { name: &'a str },
    /// `KEY: …`.
    NearMiss { name: &'a str, why: &'static str },
    /// `TF_STATE-BUCKET = …`.
    MalformedName { text: &'a str },
    /// `anything else`.
    Prose,
}

impl<'a> Assignment<'a> {
    fn of(content: &'a str) -> Self {
        let trimmed = content.trim();
        if is_name(trimmed) {
            return Self::BareName { name: trimmed };
        }
        if let Some((key, _)) = content.split_once('=') {
            let value_start = key.len() + 1;
            let key = key.trim();
            if is_name(key) {
                return Self::Pin { name: key, value_start };
            }
            if let Some(name) = key.strip_suffix(':').map(str::trim_end).filter(|name| is_name(name)) {
                return Self::NearMiss { name, why: "there is a colon in front of the equals sign" };
            }
            if is_nearly_a_name(key) {
                return Self::MalformedName { text: key };
            }
        }
        match content.split_once(':') {
            Some((key, _)) if is_name(key.trim()) && key.contains('_') => {
                Self::NearMiss { name: key.trim(), why: "there is a colon instead of an equals sign" }
            }
            _ => Self::Prose,
        }
    }
}

/// Whether a value follows; `==` and `=>` are prose.
fn starts_with_equals_sign(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('=') && !text.starts_with("==") && !text.starts_with("=>")
}

/// Whether somebody meant a handle: mostly upper-case, with a character or a letter that no name has. `foo = 1`, `Foo = 1` and
/// `--flag=1` are prose.
fn is_nearly_a_name(key: &str) -> bool {
    let letters = |is: fn(&char) -> bool| key.chars().filter(is).count();
    key.starts_with(|first: char| first.is_alphanumeric() || first == '_')
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && letters(|c| c.is_uppercase()) > letters(|c| c.is_lowercase())
}
