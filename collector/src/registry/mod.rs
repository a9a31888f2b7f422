//! The handle registry: what operators pinned, and on which line.
//!
//! ```text
//! Markdown ─┐
//! JSON      ├─► pins (name, value, place) ─► repetitions ─► handles naming handles ─► Registry
//! YAML      │
//! TOML     ─┘
//! ```
//!
//! Registries are kept by hand. What is plainly no pin is prose and skipped; what looks like one and is not is an error, since
//! a pin that is skipped silently would only show as a handle that nobody pinned.

mod edit;
mod error;
mod json;
mod literal;
mod long_form;
mod markdown;
mod pin;
mod resolve;
mod source;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use edit::{Pinning, TO_PIN};
pub use error::{RegistryError, RegistryProblem};

use crate::fact::{Digest, Handle, RegistrySource};
use crate::location::Location;
use source::Source;

/// The largest file that is read as a registry; real ones have some ten kilobytes.
pub const LARGEST_REGISTRY: usize = 4 << 20;

/// The handles of a run, and the file that pins them.
#[derive(Clone, Debug, PartialEq)]
pub struct Registry {
    /// By name.
    pub handles: BTreeMap<String, Handle>,
    /// The file.
    pub source: RegistrySource,
}

/// How a registry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One bullet a handle, `` * `KEY = value` ``, the value a JSON literal; everything else is prose.
    Markdown,
    /// One object, a member a handle.
    Json,
    /// One mapping, a key a handle.
    Yaml,
    /// Keys at the top level.
    Toml,
}

impl Format {
    /// The format that a file's extension names.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

impl Registry {
    /// Reads a file; its extension names the format.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        let (name, format, bytes) = read_bytes(path)?;
        Self::parse_bytes(&name, format, &bytes)
    }

    /// Reads bytes; `name` stands for them in errors and in the [`RegistrySource`].
    pub fn parse_bytes(name: &str, format: Format, bytes: &[u8]) -> Result<Self, RegistryError> {
        if bytes.len() > LARGEST_REGISTRY {
            return Err(RegistryError::TooLarge { name: name.to_owned() });
        }
        match str::from_utf8(bytes) {
            Ok(text) => Self::parse(name, format, text),
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let location = Location::of_offset(name, &before, before.len());
                Err(RegistryError::Invalid { location, problem: RegistryProblem::NotUtf8 })
            }
        }
    }

    /// Reads text; `name` stands for it in errors and in the [`RegistrySource`].
    pub fn parse(name: &str, format: Format, text: &str) -> Result<Self, RegistryError> {
        let source = Source::new(name, text);
        if let Some(offset) = source.text.find('\0') {
            return Err(source.error(offset, RegistryProblem::NulByte));
        }
        let pins = pins_of(&source, format)?;
        let mut handles = pin::handles(&source, pins)?;
        if handles.is_empty() {
            return Err(source.error(0, RegistryProblem::NoHandle { format }));
        }
        resolve::resolve(&source, &mut handles)?;
        let handles = handles.into_iter().map(|(name, pinned)| (name, pinned.handle)).collect();
        let digest = Digest::of(text.as_bytes()).into();
        Ok(Self { handles, source: RegistrySource { path: name.to_owned(), digest } })
    }
}

/// A file's name, format and content.
fn read_bytes(path: &Path) -> Result<(String, Format, Vec<u8>), RegistryError> {
    let name = path.display().to_string();
    let failed = |source| RegistryError::Io { name: name.clone(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(RegistryError::Directory { name });
    }
    let Some(format) = Format::of_path(path) else {
        return Err(RegistryError::UnknownFormat { name });
    };
    let mut bytes = Vec::new();
    // One byte more than is allowed shows that there is too much, whatever the file's metadata say.
    file.take(LARGEST_REGISTRY as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok((name, format, bytes))
}

/// The pins of a text, in order, as they stand there.
fn pins_of(source: &Source<'_>, format: Format) -> Result<Vec<pin::Pin>, RegistryError> {
    match format {
        Format::Markdown => markdown::pins(source),
        Format::Json => json::pins(source),
        Format::Yaml => yaml::pins(source),
        Format::Toml => toml::pins(source),
    }
}
