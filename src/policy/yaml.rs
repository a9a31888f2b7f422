//! YAML with places: every complaint about METADATA names the line and column it is about.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::{Defect, Location};
use crate::suggestion::did_you_mean;

/// A parsed block.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Mapping,
}

/// A mapping, in the order of its keys.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(crate) location: Location,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    location: Location,
    value: Node,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) location: Location,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<Node>),
    Mapping(Mapping),
    /// A number, a boolean, null, a tag: nothing that METADATA has a use for.
    Other,
}

impl Document {
    /// Parses METADATA that stands in a file below a line.
    pub(crate) fn parse(file: &str, above: u32, text: &str) -> Result<Self, Defect> {
        Self::parse_named("METADATA", file, above, text)
    }

    /// Parses YAML that stands in a file below a line; `what` names it in messages.
    pub(crate) fn parse_named(what: &str, file: &str, above: u32, text: &str) -> Result<Self, Defect> {
        let place = |line: usize, column: usize| {
            let line = above.saturating_add(u32::try_from(line).unwrap_or(u32::MAX));
            Location::new(file, line, u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1))
        };
        let documents = MarkedYaml::load_from_str(text).map_err(|error| {
            let location = place(error.marker().line(), error.marker().col());
            Defect::new(
                location,
                format!("{what} is no valid YAML: {}", error.info()),
                "quote texts with `: ` or `#` in them",
            )
        })?;
        let root = match documents.as_slice() {
            [root] => convert(root, &place),
            _ => None,
        };
        match root.map(|root| root.into_mapping()) {
            Some(Ok(root)) => Ok(Self { root }),
            _ => Err(Defect::new(
                Location::new(file, above.max(1), 1),
                format!("{what} holds no mapping"),
                "write `key: value` lines: what it says, by name",
            )),
        }
    }
}

fn convert(node: &MarkedYaml<'_>, place: &dyn Fn(usize, usize) -> Location) -> Option<Node> {
    let at = |node: &MarkedYaml<'_>| place(node.span.start.line(), node.span.start.col());
    let value = match &node.data {
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => Value::List(items.iter().map(|item| convert(item, place)).collect::<Option<_>>()?),
        YamlData::Mapping(fields) => {
            let mut entries = Vec::new();
            for (key, value) in fields {
                let YamlData::Value(Scalar::String(name)) = &key.data else { return None };
                entries.push(Entry { key: name.to_string(), location: at(key), value: convert(value, place)? });
            }
            Value::Mapping(Mapping { location: at(node), entries })
        }
        _ => Value::Other,
    };
    Some(Node { location: at(node), value })
}

impl Node {
    /// The text, if it is one.
    pub(crate) fn take_text(&mut self) -> Option<String> {
        match &mut self.value {
            Value::Text(text) => Some(std::mem::take(text)),
            Value::List(_) | Value::Mapping(_) | Value::Other => None,
        }
    }

    /// The mapping, if it is one; else its place.
    pub(crate) fn into_mapping(self) -> Result<Mapping, Location> {
        match self.value {
            Value::Mapping(mapping) => Ok(mapping),
            Value::Text(_) | Value::List(_) | Value::Other => Err(self.location),
        }
    }
}

impl Mapping {
    /// Whether a key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// The place of a key, or of the mapping if it lacks it.
    pub(crate) fn location_of(&self, key: &str) -> Location {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map_or(&self.location, |entry| &entry.location).clone()
    }

    /// Refuses every key but these.
    pub(crate) fn only(&self, keys: &[&str], defects: &mut Vec<Defect>) {
        for entry in self.entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            let help = did_you_mean(&entry.key, keys.iter().copied()).unwrap_or_else(|| match keys {
                [] => "no key belongs here: only a code has some, a rule `b1 contains …`".to_owned(),
                keys => format!("the keys here are: {}", keys.join(", ")),
            });
            defects.push(Defect::new(entry.location.clone(), format!("unknown key `{}`", entry.key), help));
        }
    }

    /// A text that must be there and must say something.
    pub(crate) fn text(&mut self, key: &str, defects: &mut Vec<Defect>) -> Option<String> {
        if !self.has(key) {
            defects.push(Defect::new(
                self.location.clone(),
                format!("`{key}` is missing"),
                format!("write `{key}: …`"),
            ));
            return None;
        }
        self.optional_text(key, defects)
    }

    /// A text that must say something if it is there.
    pub(crate) fn optional_text(&mut self, key: &str, defects: &mut Vec<Defect>) -> Option<String> {
        let mut node = self.take(key)?;
        match node.take_text() {
            Some(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Some(_) => {
                defects.push(Defect::new(node.location, format!("`{key}` is empty"), "write what it is about"));
                None
            }
            None => {
                defects.push(Defect::new(
                    node.location,
                    format!("`{key}` is no text"),
                    "quote it if it looks like a number",
                ));
                None
            }
        }
    }

    /// A list; empty if it is not there.
    pub(crate) fn optional_list(&mut self, key: &str, defects: &mut Vec<Defect>) -> Vec<Node> {
        match self.take(key) {
            None => Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items,
            Some(Node { location, .. }) => {
                defects.push(Defect::new(location, format!("`{key}` is no list"), format!("write `{key}: [...]`")));
                Vec::new()
            }
        }
    }

    /// A list of texts that must be there.
    pub(crate) fn texts(&mut self, key: &str, defects: &mut Vec<Defect>) -> Vec<(String, Location)> {
        if !self.has(key) {
            defects.push(Defect::new(
                self.location.clone(),
                format!("`{key}` is missing"),
                format!("write `{key}: [...]`"),
            ));
        }
        let mut texts = Vec::new();
        for mut item in self.optional_list(key, defects) {
            match item.take_text() {
                Some(text) if !text.trim().is_empty() => texts.push((text.trim().to_owned(), item.location)),
                _ => defects.push(Defect::new(
                    item.location,
                    format!("`{key}` holds something that is no text"),
                    "quote it",
                )),
            }
        }
        texts
    }

    /// A mapping, if it is there.
    pub(crate) fn optional_mapping(&mut self, key: &str, defects: &mut Vec<Defect>) -> Option<Self> {
        match self.take(key)?.into_mapping() {
            Ok(mapping) => Some(mapping),
            Err(location) => {
                defects.push(Defect::new(
                    location,
                    format!("`{key}` is no mapping"),
                    format!("write `{key}: {{...}}`"),
                ));
                None
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        let location = entry.value.location.clone();
        Some(std::mem::replace(&mut entry.value, Node { location, value: Value::Other }))
    }
}
