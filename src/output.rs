//! Output: a verdict in the form that its reader uses. The format never changes the exit code.

pub mod json;
pub mod table;

use std::io::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

use factgate_collector::file::write_atomically;

use crate::suggestion::did_you_mean;
use crate::verdict::Verdict;

/// A form of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For machines: the verdict as it is.
    Json,
}

impl Format {
    const ALL: [(&'static str, Self); 2] = [("table", Self::Table), ("json", Self::Json)];
}

/// A format and where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputTarget {
    /// In which form.
    pub format: Format,
    /// To which file; standard output if absent.
    pub path: Option<PathBuf>,
}

/// An output target that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not an output format; {help}")]
pub struct UnknownFormat {
    given: String,
    help: String,
}

impl FromStr for OutputTarget {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name, Some(path)),
            None => (text, None),
        };
        let unknown = |help: String| UnknownFormat { given: text.to_owned(), help };
        let (_, format) = Format::ALL.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known = Format::ALL.map(|(known, _)| known);
            unknown(did_you_mean(name, known).unwrap_or_else(|| format!("the formats are {}", known.join(", "))))
        })?;
        if path == Some("") {
            return Err(unknown(format!("name a file behind `{name}=`")));
        }
        Ok(Self { format: *format, path: path.map(PathBuf::from) })
    }
}

/// An output that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written", target.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string()))]
pub struct OutputError {
    target: Option<PathBuf>,
    source: std::io::Error,
}

/// Writes the verdicts to every target. Files are replaced as a whole or not at all.
///
/// # Errors
///
/// If a target cannot be written.
pub fn write(verdicts: &[Verdict], targets: &[OutputTarget]) -> Result<(), OutputError> {
    for target in targets {
        let text = match target.format {
            Format::Table => table::render(verdicts),
            Format::Json => json::render(verdicts)
                .map_err(|error| OutputError { target: target.path.clone(), source: error.into() })?,
        };
        write_text(&text, target)?;
    }
    Ok(())
}

/// Writes styled text to a target; styles stay only on a terminal that shows them.
pub(crate) fn write_text(text: &str, target: &OutputTarget) -> Result<(), OutputError> {
    let written = match &target.path {
        None => {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        Some(path) => write_atomically(path, anstream::adapter::strip_str(text).to_string().as_bytes()),
    };
    written.map_err(|source| OutputError { target: target.path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_format_and_perhaps_a_path() {
        assert_eq!("table".parse(), Ok(OutputTarget::default()));
        assert_eq!(
            "json=out/verdict.json".parse(),
            Ok(OutputTarget { format: Format::Json, path: Some(PathBuf::from("out/verdict.json")) })
        );
    }

    #[test]
    fn an_unknown_format_suggests_the_nearest() {
        let error = "jsno".parse::<OutputTarget>().unwrap_err();
        assert_eq!(error.to_string(), "`jsno` is not an output format; did you mean `json`?");
        assert!("json=".parse::<OutputTarget>().is_err());
    }
}
