//! What can be wrong with a registry.

use super::{Format, LARGEST_REGISTRY};
use crate::help::Help;
use crate::location::Location;

/// Why a registry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file system refused.
    #[error("{name}: the handle registry cannot be read")]
    Io {
        /// The file.
        name: String,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The path names a folder.
    #[error("{name}: a directory, not a handle registry")]
    Directory {
        /// The folder.
        name: String,
    },
    /// The extension names none of the four formats.
    #[error("{name}: the format of a handle registry is known by its extension, and this one is not known")]
    UnknownFormat {
        /// The file.
        name: String,
    },
    /// Larger than [`LARGEST_REGISTRY`].
    #[error("{name}: larger than {} MiB, the largest handle registry that is read", LARGEST_REGISTRY >> 20)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The content is at fault.
    #[error("{location}: {problem}")]
    Invalid {
        /// Where.
        location: Location,
        /// What.
        problem: RegistryProblem,
    },
}

/// What is wrong with the content of a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum RegistryProblem {
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// A character that no text has.
    #[error("a NUL byte; this is no text")]
    NulByte,
    /// Nothing is pinned.
    #[error("no handle is pinned here")]
    NoHandle { format: Format },
    /// A handle is pinned to two values.
    #[error(
        "{name} is pinned twice, with different values: {first_value} on line {first_line}, {second_value} on line \
         {second_line}"
    )]
    Conflict { name: String, first_line: u32, first_value: String, second_line: u32, second_value: String },
    /// Handles name each other in a circle.
    #[error("{} names itself: {}", chain.first().map_or("", |(name, _)| name), arrows(chain))]
    Cycle { chain: Vec<(String, u32)> },
    /// A value goes through too many handles.
    #[error("the value of {name} goes through {length} other handles")]
    LongChain { name: String, length: usize },
    /// The value is null.
    #[error("{name} is null")]
    Null { name: String },
    /// A number that a fact document cannot carry.
    #[error("the number {number} of {name} is beyond ±2^53")]
    Number { name: String, number: String },
    /// An object inside of a value has a key twice.
    #[error("the key {key:?} occurs twice in the value of {name}")]
    DuplicateKey { name: String, key: String },
    /// The value is no JSON literal.
    #[error("the value of {name} is not a JSON literal: {message}")]
    Literal { name: String, message: String, advice: String },
    /// Something that is pinned under a name that no handle can have.
    #[error("{text:?} is not the name of a handle")]
    Name { text: String },
    /// A value that cannot take the place of `TO_PIN` without changing something else.
    #[error("the value of {name} cannot be written here without changing anything else")]
    Unwritable { name: String },

    /// A pin that is no bullet of the form that is read.
    #[error("{name} looks pinned, but {why}")]
    NoBullet { name: String, why: &'static str },
    /// A pin behind another one.
    #[error("{second} is pinned in the same bullet as {first}")]
    SecondPin { first: String, second: String },
    /// An arrow without an expected value.
    #[error("what follows {name} is not the expected value of the tag")]
    Arrow { name: String },
    /// A code fence that does not end.
    #[error("this code fence is never closed; everything behind it would be code")]
    OpenFence,
    /// A comment that does not end.
    #[error("this comment is never closed; everything behind it would be a comment")]
    OpenComment,

    /// The top level is no object or mapping.
    #[error("the top level is not a mapping of handles to values")]
    NoMapping,
    /// A section of handles, or an object that is not the long form.
    #[error("{name} is a nested table")]
    Nested { name: String },
    /// A member of the long form that it does not have.
    #[error("{name} has an unknown key {key:?} beside `value`")]
    LongForm { name: String, key: String },
    /// An expected tag value that is no text.
    #[error("the expected_tag_value of {name} is not a text")]
    ExpectedTagValue { name: String },
    /// An expected tag value of another handle.
    #[error("{name} has an expected_tag_value, but is not the key of a tag")]
    NoTagKey { name: String },
    /// No JSON.
    #[error("not JSON: {message}")]
    Json { message: String },
    /// No TOML.
    #[error("not TOML: {message}")]
    Toml { message: String },
    /// A TOML value that JSON does not have.
    #[error("the value of {name} is {what}, which JSON does not have")]
    NoJson { name: String, what: &'static str },
    /// No YAML.
    #[error("not YAML: {message}")]
    Yaml { message: String },
    /// More than one document.
    #[error("more than one YAML document")]
    YamlDocuments,
    /// A part of YAML that hides what is pinned.
    #[error("{what} in a handle registry")]
    YamlFeature { what: String },
    /// A scalar with more than one reading.
    #[error("{text:?} in the value of {name} can be read in more than one way")]
    YamlScalar { name: String, text: String },
}

fn arrows(chain: &[(String, u32)]) -> String {
    let first = chain.first();
    let steps: Vec<_> = chain.iter().chain(first).map(|(name, line)| format!("{name} (line {line})")).collect();
    steps.join(" -> ")
}

impl Help for RegistryError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "name a file that exists and that you may read".to_owned(),
            Self::Directory { .. } => "name the registry itself, not its folder".to_owned(),
            Self::UnknownFormat { .. } => "use .md, .markdown, .json, .yaml, .yml or .toml".to_owned(),
            Self::TooLarge { .. } => "a registry pins a few hundred handles; is this the right file?".to_owned(),
            Self::Invalid { problem, .. } => return problem.help(),
        })
    }
}

impl Help for RegistryProblem {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotUtf8 | Self::NulByte => "save the registry as UTF-8 text".to_owned(),
            Self::NoHandle { format } => format!("pin one like this: {}", example(*format)),
            Self::Conflict { .. } => "keep the line that is right and remove the other".to_owned(),
            Self::Cycle { .. } => "pin one of them to a value of its own".to_owned(),
            Self::LongChain { .. } => "name the handle at the end of the chain directly".to_owned(),
            Self::Null { .. } => "a handle that is not pinned yet is \"TO_PIN\"".to_owned(),
            Self::Number { .. } => {
                "put it in double quotes: facts carry numbers as doubles, which would round it".to_owned()
            }
            Self::DuplicateKey { .. } => "keep the key that is right and remove the other".to_owned(),
            Self::Literal { advice, .. } => advice.clone(),
            Self::Name { .. } => {
                "a name has upper-case letters, digits and underscores, and starts with a letter: TF_STATE_BUCKET"
                    .to_owned()
            }
            Self::Unwritable { .. } => {
                "pin this one by hand; a value that names another handle, or that has a backtick in Markdown, has no \
                 place in a registry"
                    .to_owned()
            }
            Self::NoBullet { name, .. } => {
                format!(
                    "write a bullet that starts with the pin, * `{name} = \"value\"`; in prose, name the handle alone"
                )
            }
            Self::SecondPin { .. } => {
                "give every handle a bullet of its own; in a remark, name the handle alone".to_owned()
            }
            Self::Arrow { name } => format!("write: * `{name} = \"key\"` -> `expected value`"),
            Self::OpenFence => "close it with a line of as many ` or ~ as it starts with".to_owned(),
            Self::OpenComment => "close it with -->".to_owned(),
            Self::NoMapping => "put every handle at the top level, beside each other".to_owned(),
            Self::Nested { .. } => {
                "put every handle at the top level, without sections; a value that is an object itself \
                                    stands under the key `value`"
                    .to_owned()
            }
            Self::LongForm { .. } => "the keys are `value` and, for the key of a tag, `expected_tag_value`".to_owned(),
            Self::ExpectedTagValue { .. } => "write the value that the tag must have, as a text".to_owned(),
            Self::NoTagKey { .. } => "only handles of the form TAG_…_KEY have one".to_owned(),
            Self::Json { .. } => "double quotes, no comments, no comma behind the last entry".to_owned(),
            Self::Toml { .. } => "one `KEY = value` a line, every key once, texts in quotes".to_owned(),
            Self::NoJson { .. } => "put it in double quotes".to_owned(),
            Self::Yaml { .. } => {
                "one `KEY: value` a line, without indentation; texts in double quotes are always safe".to_owned()
            }
            Self::YamlDocuments => "keep one document, without --- between handles".to_owned(),
            Self::YamlFeature { .. } => "write every value out where it is pinned".to_owned(),
            Self::YamlScalar { text, .. } => {
                format!("for a text write {}; a number is written like 10, a switch true or false", quoted(text))
            }
        })
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn example(format: Format) -> &'static str {
    match format {
        Format::Markdown => "* `AWS_REGION = \"eu-west-2\"`",
        Format::Json => "{\"AWS_REGION\": \"eu-west-2\"}",
        Format::Yaml => "AWS_REGION: \"eu-west-2\"",
        Format::Toml => "AWS_REGION = \"eu-west-2\"",
    }
}
