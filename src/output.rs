//! Output: a verdict in the form that its reader uses. The format never changes the exit code.

pub mod check;
pub mod difference;
pub mod explanation;
mod github;
pub mod json;
pub mod junit;
pub mod markdown;
mod ndjson;
pub mod proof;
mod sarif;
pub mod table;
pub mod unit_tests;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use factgate_collector::file::{check_file, write_atomically};
use factgate_collector::help::Help;

use crate::baseline::Baseline;
use crate::evidence::WrittenPack;
use crate::evidence::mirror::S3Folder;
use crate::policy::Code;
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
    /// For the log of the project: the note that closes the lanes.
    Markdown,
    /// For CI, which shows it as test results.
    Junit,
    /// For code scanning, and for whoever collects findings.
    Sarif,
    /// For GitHub Actions: annotations and the job summary.
    Github,
    /// For log pipelines: decision logs, one line a code.
    Ndjson,
}

impl Format {
    const ALL: [(&'static str, Self); 7] = [
        ("table", Self::Table),
        ("json", Self::Json),
        ("markdown", Self::Markdown),
        ("junit", Self::Junit),
        ("sarif", Self::Sarif),
        ("github", Self::Github),
        ("ndjson", Self::Ndjson),
    ];
}

impl std::fmt::Display for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = Self::ALL.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        formatter.write_str(name)
    }
}

/// Everything that the outputs of a run tell.
#[derive(Clone, Debug)]
pub struct Report<'run> {
    /// The documents with their verdicts, in the order of the arguments.
    pub evaluated: Vec<Evaluated<'run>>,
    /// Every code of the policies.
    pub codes: Vec<&'run Code>,
    /// Where the evidence is.
    pub archive: &'run Archive,
}

/// A verdict, and the document that it is on.
#[derive(Clone, Debug)]
pub struct Evaluated<'run> {
    /// The path of the document, as it was given.
    pub document: String,
    /// The verdict.
    pub verdict: &'run Verdict,
    /// What blocked before.
    pub baseline: Option<&'run Baseline>,
}

impl Report<'_> {
    /// The verdicts alone.
    fn verdicts(&self) -> Vec<&Verdict> {
        self.evaluated.iter().map(|evaluated| evaluated.verdict).collect()
    }
}

/// Where the evidence of the verdicts is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    packs: BTreeMap<String, ArchivedPack>,
}

/// Where one pack is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedPack {
    /// Its folder.
    pub folder: PathBuf,
    /// Its folder in the mirror, if there is a mirror.
    pub mirror: Option<S3Folder>,
    /// `sha256:<hex>` of its manifest, which covers every other file.
    pub manifest_digest: String,
}

impl Archive {
    /// Takes note of packs that were written.
    pub fn add(&mut self, packs: &[WrittenPack]) {
        self.packs.extend(packs.iter().map(|pack| {
            let archived =
                ArchivedPack { folder: pack.folder.clone(), mirror: None, manifest_digest: pack.manifest_digest() };
            (pack.phase_execution_id.clone(), archived)
        }));
    }

    /// Takes note of where packs are mirrored, by their phase execution ids.
    pub fn mirror(&mut self, places: &BTreeMap<String, S3Folder>) {
        for (phase_execution_id, pack) in &mut self.packs {
            pack.mirror = places.get(phase_execution_id).cloned();
        }
    }

    /// The pack of a lane, if one was written.
    pub fn pack(&self, phase_execution_id: &str) -> Option<&ArchivedPack> {
        self.packs.get(phase_execution_id)
    }
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

impl OutputError {
    /// A result has no form in the format that was asked for.
    pub(crate) fn unwritable(source: std::io::Error) -> Self {
        Self { target: None, source }
    }

    /// A file or folder could not be written.
    pub(crate) fn at(target: &std::path::Path, source: std::io::Error) -> Self {
        Self { target: Some(target.to_owned()), source }
    }

    /// Standard output could not be written.
    pub(crate) fn standard_output(source: std::io::Error) -> Self {
        Self { target: None, source }
    }
}

impl Help for OutputError {
    fn help(&self) -> Option<String> {
        let help = match self.target {
            Some(_) => "the folder of an output must exist and be writable",
            None => "whoever reads the output must read all of it",
        };
        Some(help.to_owned())
    }
}

/// Looks whether every target can be there at all, before a run does what cannot be undone.
///
/// # Errors
///
/// If the folder of a target is none or cannot be written, or the target is one itself.
pub(crate) fn check(targets: &[OutputTarget]) -> Result<(), OutputError> {
    for path in targets.iter().filter_map(|target| target.path.as_ref()) {
        check_file(path).map_err(|source| OutputError { target: Some(path.clone()), source })?;
    }
    Ok(())
}

/// Writes one text to every target, for what has one form only.
pub(crate) fn write_to_all(text: &str, targets: &[OutputTarget]) -> Result<(), OutputError> {
    targets.iter().try_for_each(|target| write_text(text, target))
}

/// Writes the verdicts to every target. Files are replaced as a whole or not at all.
///
/// # Errors
///
/// If a target cannot be written.
pub fn write(report: &Report<'_>, targets: &[OutputTarget]) -> Result<(), OutputError> {
    let verdicts = report.verdicts();
    for target in targets {
        let failed = |source| OutputError { target: target.path.clone(), source };
        let text = match target.format {
            Format::Table => table::render(&verdicts),
            Format::Markdown => markdown::render(report),
            Format::Junit => junit::render(&verdicts).map_err(|error| failed(std::io::Error::other(error)))?,
            Format::Json => json::render(&verdicts).map_err(|error| failed(error.into()))?,
            Format::Sarif => sarif::render(report).map_err(|error| failed(error.into()))?,
            Format::Github => github::render(report),
            Format::Ndjson => ndjson::render(report),
        };
        write_text(&text, target)?;
    }
    // Annotations are cut off at ten; the summary is where all of it can be read.
    if targets.iter().any(|target| target.format == Format::Github) {
        github::summarize(report).map_err(|(path, source)| OutputError { target: Some(path), source })?;
    }
    Ok(())
}

/// Writes styled text to a target; styles stay only on a terminal that shows them.
pub(crate) fn write_text(text: &str, target: &OutputTarget) -> Result<(), OutputError> {
    let written = match &target.path {
        None => {
            let mut out = anstream::stdout().lock();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                // Whoever reads the output has seen enough, as `head` does; the exit code still says what was decided.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                written => written,
            }
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
