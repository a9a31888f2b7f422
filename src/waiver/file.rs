//! The file of waivers: TOML, JSON or YAML with one list, `waivers`.
//!
//! ```toml
//! [[waivers]]
//! code = "M2B-B5"
//! subject = "core"
//! owner = "platform-team"
//! reason = "the log of the apply is lost; see the incident report"
//! expires_at = "2026-12-31T00:00:00Z"
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use factgate_collector::help::Help;
use factgate_collector::location::Location;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Waiver;
use crate::policy::yaml;
use crate::suggestion::did_you_mean;

/// What a waiver says.
const FIELDS: [&str; 5] = ["code", "subject", "owner", "reason", "expires_at"];

/// What stands at the top of the file.
const LIST: &str = "waivers";

/// What to do about a waiver that is not one.
const SHAPE: &str = "a waiver has the fields code, subject, owner, reason and expires_at, all of them texts";

/// What to do about an expiry that names no instant.
const EXPIRY: &str =
    "write an instant in UTC, such as 2026-12-31T00:00:00Z: without an offset it is another one on every machine";

/// What is wrong with a file of waivers.
#[derive(Debug, thiserror::Error)]
pub enum WaiverFileError {
    /// It cannot be read.
    #[error("the waivers {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{location}: {message}")]
    Invalid {
        /// Where.
        location: Location,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Nothing tells how it is to be read.
    #[error("the waivers {} are in no format that is known by its name", .0.display())]
    Format(PathBuf),
}

impl Help for WaiverFileError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "check the path given by --waivers, FACTGATE_WAIVERS or `waivers`".to_owned(),
            Self::Invalid { help, .. } => help.clone(),
            Self::Format(_) => "name the file *.toml, *.json, *.yaml or *.yml".to_owned(),
        })
    }
}

/// Reads a file of waivers.
///
/// # Errors
///
/// If it cannot be read, has an unknown field or lacks one, or names an expiry without its offset from UTC.
pub fn read(path: &Path) -> Result<Vec<Waiver>, WaiverFileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| WaiverFileError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Waiver>, WaiverFileError> {
    let file = path.display().to_string();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => from_toml(&file, text),
        Some("json") => from_json(&file, text),
        Some("yaml" | "yml") => from_yaml(&file, text),
        _ => Err(WaiverFileError::Format(path.to_owned())),
    }
}

/// The file as TOML and JSON have it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Blockers that an owner answers for.
    waivers: Vec<Entry>,
}

/// One waiver.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The code of the blockers: `M2B-B5`.
    code: String,
    /// Their subject, exactly.
    subject: String,
    /// Who answers for it.
    owner: String,
    /// Why it is acceptable.
    reason: String,
    /// From this instant on it is expired: RFC 3339, in UTC.
    #[schemars(with = "String", extend("format" = "date-time", "pattern" = "(Z|[+-]00:00)$"))]
    expires_at: Expiry,
}

/// The identifier of [`schema`].
pub const SCHEMA_ID: &str = "urn:factgate:waivers:v1";

/// The JSON Schema (2020-12) of a file of waivers.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    schema.insert("title".to_owned(), "factgate waivers".into());
    schema.remove("description");
    schema.to_value()
}

/// An instant, written as a text or as TOML's own date.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
struct Expiry(DateTime<Utc>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "`expires_at` is no date")]
enum Written {
    Text(String),
    Date(toml::value::Datetime),
}

impl TryFrom<Written> for Expiry {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Text(text) => expiry(&text).map(Self),
            Written::Date(date) => expiry(&date.to_string()).map(Self),
        }
    }
}

impl From<Entry> for Waiver {
    fn from(entry: Entry) -> Self {
        let Entry { code, subject, owner, reason, expires_at: Expiry(expires_at) } = entry;
        Self { code, subject, owner, reason, expires_at }
    }
}

/// Reads RFC 3339 in UTC.
fn expiry(text: &str) -> Result<DateTime<Utc>, String> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) if instant.offset().local_minus_utc() == 0 => Ok(instant.to_utc()),
        Ok(_) => Err(format!("the expiry `{text}` is not in UTC")),
        Err(_) => Err(format!("the expiry `{text}` is no instant with its offset from UTC")),
    }
}

fn from_toml(file: &str, text: &str) -> Result<Vec<Waiver>, WaiverFileError> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |Range { start, .. }| start);
        invalid(Location::of_offset(file, text, offset), error.message().trim())
    })?;
    Ok(parsed.waivers.into_iter().map(Waiver::from).collect())
}

fn from_json(file: &str, text: &str) -> Result<Vec<Waiver>, WaiverFileError> {
    let parsed: File = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        // The deserializer judges an expiry only once the waiver ends; its text says where it stands.
        let expiry = message.strip_prefix("the expiry `").and_then(|rest| rest.split('`').next());
        let location = match expiry.and_then(|expiry| text.find(&format!("\"{expiry}\""))) {
            Some(offset) => Location::of_offset(file, text, offset),
            None => Location { file: file.to_owned(), line: error.line(), column: error.column().max(1) },
        };
        invalid(location, message)
    })?;
    Ok(parsed.waivers.into_iter().map(Waiver::from).collect())
}

fn from_yaml(file: &str, text: &str) -> Result<Vec<Waiver>, WaiverFileError> {
    let mut defects = Vec::new();
    let mut waivers = Vec::new();
    match yaml::Document::parse_named("the file of waivers", file, 0, text) {
        Err(defect) => defects.push(defect),
        Ok(mut document) => {
            let root = &mut document.root;
            root.only(&[LIST], &mut defects);
            if !root.has(LIST) {
                root.text(LIST, &mut defects);
            }
            for item in root.optional_list(LIST, &mut defects) {
                match item.into_mapping() {
                    Ok(mut entry) => waivers.extend(yaml_entry(&mut entry, &mut defects)),
                    Err(location) => {
                        defects.push(crate::policy::Defect::new(location, "the waiver is no mapping", SHAPE));
                    }
                }
            }
        }
    }
    match defects.into_iter().next() {
        None => Ok(waivers),
        Some(defect) => Err(WaiverFileError::Invalid {
            location: Location {
                file: defect.location.file,
                line: defect.location.line as usize,
                column: defect.location.column as usize,
            },
            message: defect.problem,
            help: defect.help,
        }),
    }
}

fn yaml_entry(entry: &mut yaml::Mapping, defects: &mut Vec<crate::policy::Defect>) -> Option<Waiver> {
    entry.only(&FIELDS, defects);
    let place = entry.location_of("expires_at");
    let [code, subject, owner, reason, expires_at] = FIELDS.map(|field| entry.text(field, defects));
    let expires_at = match expiry(&expires_at?) {
        Ok(expires_at) => expires_at,
        Err(problem) => {
            defects.push(crate::policy::Defect::new(place, problem, EXPIRY));
            return None;
        }
    };
    Some(Waiver { code: code?, subject: subject?, owner: owner?, reason: reason?, expires_at })
}

/// An error of a deserializer, with advice that fits what it says.
fn invalid(location: Location, message: &str) -> WaiverFileError {
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let help = match unknown {
        Some(field) => {
            let known = FIELDS.into_iter().chain([LIST]);
            did_you_mean(field, known).unwrap_or_else(|| SHAPE.to_owned())
        }
        None if message.starts_with("the expiry ") => EXPIRY.to_owned(),
        None => SHAPE.to_owned(),
    };
    let message = unknown.map_or_else(|| message.to_owned(), |field| format!("unknown field `{field}`"));
    WaiverFileError::Invalid { location, message, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "[[waivers]]\ncode = \"M2B-B5\"\nsubject = \"core\"\nowner = \"platform\"\nreason = \"known\"\n\
                        expires_at = \"2026-12-31T00:00:00Z\"\n";
    const JSON: &str = "{\"waivers\": [{\n\"code\": \"M2B-B5\",\n\"subject\": \"core\",\n\"owner\": \"platform\",\n\
                        \"reason\": \"known\",\n\"expires_at\": \"2026-12-31T00:00:00Z\"\n}]}\n";
    const YAML: &str = "waivers:\n- code: M2B-B5\n  subject: core\n  owner: platform\n  reason: known\n  \
                        expires_at: 2026-12-31T00:00:00Z\n";

    fn of(name: &str, text: &str) -> Result<Vec<Waiver>, WaiverFileError> {
        parse(Path::new(name), text)
    }

    fn refusal(name: &str, text: &str) -> (String, String) {
        let error = of(name, text).unwrap_err();
        (error.to_string(), error.help().unwrap())
    }

    #[test]
    fn the_three_formats_say_the_same() {
        let waiver = Waiver {
            code: "M2B-B5".into(),
            subject: "core".into(),
            owner: "platform".into(),
            reason: "known".into(),
            expires_at: "2026-12-31T00:00:00Z".parse().unwrap(),
        };
        for (name, text) in [("w.toml", TOML), ("w.json", JSON), ("w.yaml", YAML), ("w.yml", YAML)] {
            assert_eq!(of(name, text).unwrap(), std::slice::from_ref(&waiver), "{name}");
        }
        let native = TOML.replace("\"2026-12-31T00:00:00Z\"", "2026-12-31T00:00:00Z");
        assert_eq!(of("w.toml", &native).unwrap(), [waiver]);
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line() {
        for (name, text, line) in [("w.toml", TOML, 3), ("w.json", JSON, 3), ("w.yaml", YAML, 3)] {
            let (message, help) = refusal(name, &text.replace("subject", "subjct"));
            assert!(message.starts_with(&format!("{name}:{line}:")), "{message}");
            assert!(message.contains("`subjct`"), "{message}");
            assert_eq!(help, "did you mean `subject`?");
            assert!(refusal(name, &text.replace("waivers", "waiver")).0.starts_with(&format!("{name}:1:")));
        }
    }

    #[test]
    fn a_missing_field_is_refused() {
        for (name, text) in [("w.toml", TOML), ("w.json", JSON), ("w.yaml", YAML)] {
            let without: String =
                text.lines().filter(|line| !line.contains("owner")).map(|line| format!("{line}\n")).collect();
            let (message, _) = refusal(name, &without);
            assert!(message.contains("`owner`"), "{message}");
        }
    }

    #[test]
    fn an_expiry_without_its_offset_from_utc_is_refused() {
        for instant in ["2026-12-31", "2026-12-31T00:00:00", "2026-12-31T00:00:00+01:00", "soon"] {
            for (name, text, line) in [("w.toml", TOML, 6), ("w.json", JSON, 6), ("w.yaml", YAML, 6)] {
                let (message, help) = refusal(name, &text.replace("2026-12-31T00:00:00Z", instant));
                assert!(message.starts_with(&format!("{name}:{line}:")), "{message}");
                assert!(message.contains(&format!("the expiry `{instant}` is ")), "{message}");
                assert!(help.contains("2026-12-31T00:00:00Z"), "{help}");
            }
        }
        let native = TOML.replace("\"2026-12-31T00:00:00Z\"", "2026-12-31");
        assert!(refusal("w.toml", &native).0.starts_with("w.toml:6:"));
    }

    #[test]
    fn the_schema_and_the_reader_accept_the_same_files() {
        let schema = schema();
        assert!(jsonschema::meta::is_valid(&schema));
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let agreed = |text: &str| {
            let by_schema = validator.is_valid(&serde_json::from_str(text).unwrap());
            assert_eq!(by_schema, of("w.json", text).is_ok(), "{text}");
            by_schema
        };
        assert!(agreed(JSON) && agreed("{\"waivers\": []}"));
        for text in ["{}", "[]", &JSON.replace("subject", "subjct"), &JSON.replace("00Z", "00+01:00")] {
            assert!(!agreed(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_file_of_waivers_is_refused() {
        for (name, text) in [
            ("w.toml", "waivers = 1"),
            ("w.toml", "["),
            ("w.json", "[]"),
            ("w.json", "{"),
            ("w.yaml", "- 1"),
            ("w.yaml", "waivers: [1]"),
            ("w.yaml", "{}"),
            ("w.toml", ""),
        ] {
            assert!(refusal(name, text).0.starts_with(&format!("{name}:")), "{name} {text}");
        }
        assert!(matches!(of("w.txt", TOML), Err(WaiverFileError::Format(_))));
    }
}
