//! Reads the three formats into fields, and holds the fields to what an approval is.

use std::path::Path;

use chrono::{DateTime, Utc};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use saphyr_parser::{Event, Parser};

use super::{Approval, ApprovalError, ApprovalKind, FORMAT, LARGEST_APPROVAL};
use crate::fact::Digest;
use crate::location::Location;
use crate::terraform::STACKS;

/// Every field of an approval.
const FIELDS: [&str; 7] = ["format", "kind", "approved_by", "approved_at", "expires_at", "stacks", "reason"];

/// JSON, and nothing that only looks like it.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

struct Field {
    name: String,
    content: Content,
    offset: usize,
}

enum Content {
    Text(String),
    List(Vec<String>),
    Other,
}

/// What is wrong, at which byte, and what to do.
struct Problem {
    offset: usize,
    message: String,
    help: String,
}

fn problem(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem { offset, message: message.into(), help: help.into() }
}

/// The approval that a file's bytes state.
pub(super) fn approval(name: &str, path: &Path, bytes: &[u8]) -> Result<Approval, ApprovalError> {
    if bytes.len() > LARGEST_APPROVAL {
        return Err(ApprovalError::TooLarge { name: name.to_owned() });
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let parse = match extension.as_str() {
        "toml" => toml,
        "json" => json,
        "yaml" | "yml" => yaml,
        _ => return Err(ApprovalError::UnknownFormat { name: name.to_owned() }),
    };
    let lossy = String::from_utf8_lossy(bytes);
    let invalid = |problem: Problem| ApprovalError::Invalid {
        location: Location::of_offset(name, &lossy, problem.offset),
        message: problem.message,
        help: problem.help,
    };
    let text = str::from_utf8(bytes)
        .map_err(|error| invalid(problem(error.valid_up_to(), "not UTF-8 text", "save it as UTF-8 text")))?;
    let fields = parse(text).map_err(invalid)?;
    let digest = Digest::of(bytes);
    judge(&fields, name, digest).map_err(invalid)
}

fn judge(fields: &[Field], path: &str, digest: Digest) -> Result<Approval, Problem> {
    for (index, field) in fields.iter().enumerate() {
        if !FIELDS.contains(&field.name.as_str()) {
            let message = format!("unknown field `{}`", field.name);
            return Err(problem(field.offset, message, format!("the fields are {}", FIELDS.join(", "))));
        }
        if fields[..index].iter().any(|earlier| earlier.name == field.name) {
            return Err(problem(field.offset, format!("`{}` occurs twice", field.name), "keep the one that is right"));
        }
    }
    let format = text(fields, "format", "write format = \"factgate.approval/v1\"")?;
    if format.0 != FORMAT {
        let message = format!("the format is {:?}, not {FORMAT:?}", format.0);
        return Err(problem(format.1, message, "this version of factgate reads no other; write the approval anew"));
    }
    let kinds = ApprovalKind::ALL.map(ApprovalKind::name).join(", ");
    let kind = text(fields, "kind", &format!("the kinds are {kinds}"))?;
    let Some(known) = ApprovalKind::ALL.into_iter().find(|known| known.name() == kind.0) else {
        return Err(problem(kind.1, format!("unknown kind {:?}", kind.0), format!("the kinds are {kinds}")));
    };
    let approved_by = text(fields, "approved_by", "say who approves")?;
    let reason = text(fields, "reason", "say why it is approved")?;
    let approved_at = instant(fields, "approved_at")?;
    let expires_at = instant(fields, "expires_at")?;
    if expires_at.0 <= approved_at.0 {
        let help = "an approval must hold for some time after it was given";
        return Err(problem(expires_at.1, "`expires_at` is not later than `approved_at`", help));
    }
    Ok(Approval {
        kind: known,
        approved_by: approved_by.0,
        approved_at: approved_at.0,
        expires_at: expires_at.0,
        stacks: stacks(fields, known, kind.1)?,
        reason: reason.0,
        path: path.to_owned(),
        digest,
        read_at: Utc::now(),
    })
}

fn text(fields: &[Field], name: &str, help: &str) -> Result<(String, usize), Problem> {
    match fields.iter().find(|field| field.name == name) {
        None => Err(problem(0, format!("`{name}` is missing"), help)),
        Some(Field { content: Content::Text(text), offset, .. }) if !text.trim().is_empty() => {
            Ok((text.clone(), *offset))
        }
        Some(field) => Err(problem(field.offset, format!("`{name}` is no text, or an empty one"), help)),
    }
}

fn instant(fields: &[Field], name: &str) -> Result<(DateTime<Utc>, usize), Problem> {
    let help = "write RFC 3339 with an offset, such as \"2026-01-31T18:00:00Z\" or \"2026-01-31T18:00:00+01:00\"";
    let (text, offset) = text(fields, name, help)?;
    match DateTime::parse_from_rfc3339(&text) {
        Ok(instant) => Ok((instant.to_utc(), offset)),
        Err(_) => Err(problem(offset, format!("`{name}` is {text:?}, which is no RFC 3339 time with an offset"), help)),
    }
}

fn stacks(fields: &[Field], kind: ApprovalKind, kind_offset: usize) -> Result<Vec<String>, Problem> {
    let known = format!("name some of {}, each once", STACKS.join(", "));
    let field = fields.iter().find(|field| field.name == "stacks");
    match (kind, field) {
        (ApprovalKind::Rehearsal, None) => Err(problem(kind_offset, "a rehearsal's `stacks` are missing", known)),
        (ApprovalKind::Rehearsal, Some(field)) => {
            let Content::List(stacks) = &field.content else {
                return Err(problem(field.offset, "`stacks` is no list of texts", known));
            };
            let mut sorted = stacks.clone();
            sorted.sort();
            sorted.dedup();
            if sorted.is_empty() || sorted.len() != stacks.len() {
                return Err(problem(field.offset, "`stacks` is empty or names a stack twice", known));
            }
            match sorted.iter().find(|stack| !STACKS.contains(&stack.as_str())) {
                Some(unknown) => Err(problem(field.offset, format!("unknown stack {unknown:?}"), known)),
                None => Ok(sorted),
            }
        }
        (_, None) => Ok(Vec::new()),
        (_, Some(field)) => Err(problem(field.offset, "only a rehearsal names `stacks`", "remove the field")),
    }
}

fn toml(text: &str) -> Result<Vec<Field>, Problem> {
    let document = toml_edit::Document::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let message = format!("not TOML: {}", error.message().trim().replace('\n', "; "));
        problem(offset, message, "one `key = value` a line, every key once, texts in quotes")
    })?;
    let table = document.as_table();
    let field = |(name, item): (&str, &toml_edit::Item)| {
        let key = table.get_key_value(name).and_then(|(key, _)| key.span());
        let content = match item.as_value() {
            Some(toml_edit::Value::String(text)) => Content::Text(text.value().clone()),
            // Without an offset it is refused as a text would be.
            Some(toml_edit::Value::Datetime(time)) => Content::Text(time.value().to_string()),
            Some(toml_edit::Value::Array(items)) => {
                list(items.iter().map(|item| item.as_str().map(str::to_owned)).collect())
            }
            _ => Content::Other,
        };
        Field { name: name.to_owned(), content, offset: key.map_or(0, |span| span.start) }
    };
    Ok(table.iter().map(field).collect())
}

fn list(items: Option<Vec<String>>) -> Content {
    items.map_or(Content::Other, Content::List)
}

fn json(text: &str) -> Result<Vec<Field>, Problem> {
    let help = "double quotes, no comments, no comma behind the last entry";
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT)
        .map_err(|error| problem(error.range().start, format!("not JSON: {}", error.kind()), help))?;
    let Some(ast::Value::Object(object)) = parsed.value else {
        return Err(problem(0, "the top level is no object", "put the fields at the top level"));
    };
    let field = |member: &ast::ObjectProp<'_>| {
        let content = match &member.value {
            ast::Value::StringLit(text) => Content::Text(text.value.to_string()),
            ast::Value::Array(items) => {
                let texts = items.elements.iter().map(|item| match item {
                    ast::Value::StringLit(text) => Some(text.value.to_string()),
                    _ => None,
                });
                list(texts.collect())
            }
            _ => Content::Other,
        };
        Field { name: member.name.as_str().to_owned(), content, offset: member.start() }
    };
    Ok(object.properties.iter().map(field).collect())
}

/// One mapping of scalars and lists of scalars; every scalar is a text here, so that none has more than one reading.
fn yaml(text: &str) -> Result<Vec<Field>, Problem> {
    let byte = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(byte, _)| byte);
    let plain = "write every field out: `key: value` a line, without anchors, tags or a second document";
    let mut fields: Vec<Field> = Vec::new();
    let mut name: Option<(String, usize)> = None;
    let mut items: Option<Vec<String>> = None;
    let (mut is_open, mut is_closed) = (false, false);
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| problem(byte(error.marker().index()), format!("not YAML: {}", error.info()), plain))?;
        let offset = byte(span.start.index());
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::MappingStart(0, None) if !is_open && !is_closed => is_open = true,
            Event::MappingEnd if is_open => (is_open, is_closed) = (false, true),
            Event::SequenceStart(0, None) if name.is_some() && items.is_none() => items = Some(Vec::new()),
            Event::SequenceEnd => {
                if let (Some((name, offset)), Some(items)) = (name.take(), items.take()) {
                    fields.push(Field { name, content: Content::List(items), offset });
                }
            }
            Event::Scalar(scalar, _, 0, None) if is_open => match (&mut items, name.take()) {
                (Some(items), open) => {
                    items.push(scalar.into_owned());
                    name = open;
                }
                (None, Some((name, offset))) => {
                    fields.push(Field { name, content: Content::Text(scalar.into_owned()), offset });
                }
                (None, None) => name = Some((scalar.into_owned(), offset)),
            },
            _ => return Err(problem(offset, "this is no field of one flat mapping", plain)),
        }
    }
    Ok(fields)
}
