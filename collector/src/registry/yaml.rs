//! YAML registries: one document, one mapping, values that are the same in every YAML version.
//!
//! Reads the parser's events instead of a loaded tree: a tree has forgotten the first of two equal keys, and building one
//! recurses as deep as the text nests.

use std::borrow::Cow;
use std::ops::Range;

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Value};

use super::pin::Pin;
use super::source::Source;
use super::{RegistryError, RegistryProblem, literal, long_form};
use crate::json::DEEPEST_NESTING;

/// The keys of the one mapping of a YAML text.
pub(super) fn pins(source: &Source<'_>) -> Result<Vec<Pin>, RegistryError> {
    let mut reader = Reader {
        source,
        events: Parser::new_from_str(source.text),
        characters: 0,
        offset: 0,
        name: String::new(),
        end: 0,
        long_form: None,
    };
    let mut pins = None;
    loop {
        let (event, offset) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => return Ok(pins.unwrap_or_default()),
            _ if pins.is_some() => return Err(source.error(offset, RegistryProblem::YamlDocuments)),
            Event::MappingStart(0, None) => pins = Some(reader.mapping()?),
            // A document that holds nothing but comments.
            Event::Scalar(text, ScalarStyle::Plain, 0, None) if text.is_empty() => pins = Some(Vec::new()),
            _ => return Err(source.error(offset, RegistryProblem::NoMapping)),
        }
    }
}

struct Reader<'s, 'a> {
    source: &'s Source<'a>,
    events: Parser<'a, StrInput<'a>>,
    /// How many characters stand before `offset`: the parser counts characters, everything else bytes.
    characters: usize,
    offset: usize,
    /// The handle that is being read.
    name: String,
    /// The character at which the last event ends.
    end: usize,
    /// Where the value of the long form that is being read stands.
    long_form: Option<Range<usize>>,
}

impl<'a> Reader<'_, 'a> {
    /// The next event, and the byte at which it starts.
    fn next(&mut self) -> Result<(Event<'a>, usize), RegistryError> {
        match self.events.next() {
            Some(Ok((event, Span { start, end }))) => {
                self.end = end.index();
                Ok((event, self.offset_of(start.index())))
            }
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, self.source.text.len())),
        }
    }

    fn syntax(&mut self, error: &ScanError) -> RegistryError {
        let offset = self.offset_of(error.marker().index());
        self.source.error(offset, RegistryProblem::Yaml { message: error.info().to_owned() })
    }

    /// Events come in the order of the text, so that every character is counted once.
    fn offset_of(&mut self, characters: usize) -> usize {
        if characters < self.characters {
            (self.characters, self.offset) = (0, 0);
        }
        let rest = self.source.text.get(self.offset..).unwrap_or_default();
        let step = rest.char_indices().nth(characters - self.characters).map_or(rest.len(), |(bytes, _)| bytes);
        (self.characters, self.offset) = (characters, self.offset + step);
        self.offset
    }

    /// The byte of a character at or behind the last event, without going there.
    fn byte_of(&self, characters: usize) -> usize {
        let rest = self.source.text.get(self.offset..).unwrap_or_default();
        let step = characters.saturating_sub(self.characters);
        self.offset + rest.char_indices().nth(step).map_or(rest.len(), |(bytes, _)| bytes)
    }

    fn mapping(&mut self) -> Result<Vec<Pin>, RegistryError> {
        let mut pins = Vec::new();
        loop {
            let (event, offset) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(pins),
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                other => return Err(self.source.error(offset, refused(&other, "a list or mapping as a key"))),
            };
            self.name.clone_from(&name);
            let (event, value_offset) = self.next()?;
            self.long_form = None;
            let is_scalar = matches!(event, Event::Scalar(..));
            let scalar_end = self.end;
            let value = self.value(event, value_offset, 1)?;
            let place = if is_scalar { Some(value_offset..self.byte_of(scalar_end)) } else { self.long_form.take() };
            pins.push(
                long_form::pin(&name, value, offset, place).map_err(|problem| self.source.error(offset, problem))?,
            );
        }
    }

    fn value(&mut self, event: Event<'a>, offset: usize, depth: usize) -> Result<Value, RegistryError> {
        if depth > DEEPEST_NESTING {
            let message = format!("lists and mappings nest deeper than {DEEPEST_NESTING} levels");
            return Err(self.source.error(offset, RegistryProblem::Yaml { message }));
        }
        match event {
            Event::Scalar(text, style, 0, None) => {
                scalar(&self.name, text, style).map_err(|problem| self.source.error(offset, problem))
            }
            Event::SequenceStart(0, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                        (event, offset) => items.push(self.value(event, offset, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(0, None) => {
                let mut members = Map::new();
                loop {
                    let (event, offset) = self.next()?;
                    let key = match event {
                        Event::MappingEnd => return Ok(Value::Object(members)),
                        event @ Event::Scalar(..) => self.value(event, offset, depth + 1)?,
                        other => return Err(self.source.error(offset, refused(&other, "a list or mapping as a key"))),
                    };
                    let Value::String(key) = key else {
                        return Err(self.source.error(
                            offset,
                            RegistryProblem::YamlScalar { name: self.name.clone(), text: key.to_string() },
                        ));
                    };
                    if members.contains_key(&key) {
                        let problem = RegistryProblem::DuplicateKey { name: self.name.clone(), key };
                        return Err(self.source.error(offset, problem));
                    }
                    let (event, offset) = self.next()?;
                    if depth == 1 && key == "value" && matches!(event, Event::Scalar(..)) {
                        self.long_form = Some(offset..self.byte_of(self.end));
                    }
                    let value = self.value(event, offset, depth + 1)?;
                    members.insert(key, value);
                }
            }
            other => Err(self.source.error(offset, refused(&other, "an unexpected end"))),
        }
    }
}

/// What is wrong with an event that is neither a plain scalar nor a plain collection.
fn refused(event: &Event<'_>, otherwise: &str) -> RegistryProblem {
    let what = match event {
        Event::Alias(_) => "an alias (*)",
        Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
            if *anchor != 0 =>
        {
            "an anchor (&)"
        }
        Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
            "a tag (!)"
        }
        _ => otherwise,
    };
    RegistryProblem::YamlFeature { what: what.to_owned() }
}

/// A scalar as JSON. Plain scalars that YAML versions, or a reader in a hurry, take for different values are refused: an
/// account `012345678901` is not the number 12345678901, and `no` is not the text "no" for everybody.
fn scalar(name: &str, text: Cow<'_, str>, style: ScalarStyle) -> Result<Value, RegistryProblem> {
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.into_owned()));
    }
    match text.as_ref() {
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        "null" | "~" | "" => return Ok(Value::Null),
        _ => {}
    }
    let starts_like_a_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    if starts_like_a_number {
        match literal::parse(name, &text) {
            Ok(number) => return Ok(number),
            Err((_, problem @ RegistryProblem::Number { .. })) => return Err(problem),
            Err(_) => {}
        }
    }
    let is_old_switch =
        matches!(text.to_ascii_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false");
    let is_old_number = text.contains('_') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let is_text = matches!(Scalar::parse_from_cow(Cow::Borrowed(&text)), Scalar::String(_));
    if is_text && !is_old_switch && !is_old_number {
        return Ok(Value::String(text.into_owned()));
    }
    Err(RegistryProblem::YamlScalar { name: name.to_owned(), text: text.into_owned() })
}
