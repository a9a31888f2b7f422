//! The commands: each turns validated settings into an exit code.

mod check;
mod codes;
#[cfg(feature = "aws")]
mod collect;
mod completions;
mod diff;
mod eval;
mod explain;
#[cfg(feature = "aws")]
mod gate;
mod handles;
#[cfg(feature = "aws")]
mod iam_policy;
mod init;
mod man;
#[cfg(feature = "aws")]
mod mirror;
mod new;
#[cfg(feature = "aws")]
mod packs;
mod prove;
#[cfg(feature = "aws")]
mod rehearse;
mod schema;
mod test;
mod verify;

use std::path::{Path, PathBuf};

use factgate_collector::file::target;

use crate::cli::{Cli, Command, HandlesCommand, NewCommand};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::{self, Format, OutputError, OutputTarget, write_text};
use crate::policy::{Policies, PolicyOptions, PolicySet};
use crate::settings::{FileSettings, PolicySettings, SettingsError};

/// Runs the command that the arguments ask for.
///
/// # Errors
///
/// If there is no verdict: wrong settings, input or policies. A NO-GO is no error.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, Error> {
    let file = FileSettings::read(cli.config.as_deref())?;
    let outputs = file.outputs(cli.output)?;
    output::check(&outputs)?;
    if cli.names_output {
        has_output(&cli.command, &outputs)?;
    }
    let outputs = fitting(&cli.command, outputs, cli.names_output)?;
    // What is JSON alone goes nowhere but where it is asked for: configured outputs are for verdicts.
    let own = if cli.names_output { outputs.clone() } else { vec![OutputTarget::default()] };
    match cli.command {
        #[cfg(feature = "aws")]
        Command::Collect(arguments) => collect::run(&file.source(arguments.source)?, &file.policy(arguments.policy)?),
        Command::Eval(arguments) => {
            eval::run(&arguments.facts, &file.policy(arguments.policy)?, &file.lanes(arguments.lanes), &outputs)
        }
        #[cfg(feature = "aws")]
        Command::Gate(arguments) => gate::run(
            &file.source(arguments.source)?,
            &file.policy(arguments.policy)?,
            &file.lanes(arguments.lanes),
            &file.mirror(arguments.mirror),
            &outputs,
        ),
        Command::Verify(arguments) => verify::run(&file.verify(arguments), &outputs),
        #[cfg(feature = "aws")]
        Command::Rehearse(arguments) => rehearse::run(
            &arguments.scope,
            arguments.resume,
            &file.source(arguments.source)?,
            &file.policy(arguments.policy)?,
        ),
        Command::Diff { before, after, policy } => diff::run(&before, &after, &file.policy(policy)?, &outputs),
        Command::Explain(arguments) => explain::run(&arguments, &file.policy(arguments.policy.clone())?, &outputs),
        Command::Prove(arguments) => prove::run(&arguments, &file.policy(arguments.policy.clone())?, &outputs),
        Command::Test(arguments) => {
            let policy = file.policy(arguments.policy.clone())?;
            test::run(&policy, &arguments, &outputs)
        }
        Command::Check(arguments) => check::run(&file.policy(arguments)?, &outputs),
        Command::Codes(arguments) => codes::run(&file.policy(arguments)?, &outputs),
        Command::Handles(HandlesCommand::Pin(arguments)) => handles::pin(&file.pin(arguments)?),
        #[cfg(feature = "aws")]
        Command::IamPolicy { registry, policy } => {
            iam_policy::run(file.registry(registry).as_deref(), &file.policy(policy)?, &own)
        }
        Command::Schema { name } => schema::run(name, &own),
        Command::Init { folder } => init::run(&folder),
        Command::New(NewCommand::Rule(arguments)) => new::rule(&arguments, &file.policy(arguments.policy.clone())?),
        Command::Completions { shell } => completions::run(shell),
        Command::Man { out } => man::run(out.as_deref()),
    }
}

/// The command whose result is no verdict, and has formats of its own.
fn named(command: &Command) -> Option<&'static str> {
    match command {
        Command::Check(_) => Some("check"),
        Command::Codes(_) => Some("codes"),
        Command::Diff { .. } => Some("diff"),
        Command::Explain(_) => Some("explain"),
        Command::Prove(_) => Some("prove"),
        Command::Test(_) => Some("test"),
        Command::Verify(_) => Some("verify"),
        _ => None,
    }
}

/// The formats of a command's result.
fn formats(command: &str) -> &'static [Format] {
    match command {
        "check" | "prove" => &[Format::Table, Format::Json],
        "test" => &[Format::Table, Format::Json, Format::Markdown, Format::Junit],
        _ => &[Format::Table, Format::Json, Format::Markdown],
    }
}

/// The outputs that a command can give. One that the command line asks for must be among them; configured ones are for verdicts.
fn fitting(
    command: &Command,
    outputs: Vec<OutputTarget>,
    names_output: bool,
) -> Result<Vec<OutputTarget>, SettingsError> {
    let Some(name) = named(command) else { return Ok(outputs) };
    let formats = formats(name);
    let (fitting, other): (Vec<_>, Vec<_>) = outputs.into_iter().partition(|target| formats.contains(&target.format));
    match other.first() {
        Some(target) if names_output => Err(SettingsError::NoFormat(name, target.format, formats)),
        _ if fitting.is_empty() => Ok(vec![OutputTarget::default()]),
        _ => Ok(fitting),
    }
}

#[cfg(feature = "aws")]
const NAME_THE_FACTS: &str = "name the file of the fact document with --facts; `eval` has formats";

/// Some commands have one result in one form: to pass over a format that was asked for would leave a file unwritten.
fn has_output(command: &Command, outputs: &[OutputTarget]) -> Result<(), SettingsError> {
    let is_json = outputs.iter().all(|target| target.format == Format::Json);
    match command {
        #[cfg(feature = "aws")]
        Command::Collect(_) => Err(SettingsError::NoOutput("collect", NAME_THE_FACTS)),
        #[cfg(feature = "aws")]
        Command::Rehearse(_) => Err(SettingsError::NoOutput("rehearse", NAME_THE_FACTS)),
        Command::Handles(HandlesCommand::Pin(_)) => {
            Err(SettingsError::NoOutput("handles pin", "its diff goes to standard output"))
        }
        Command::Completions { .. } => Err(SettingsError::NoOutput("completions", "redirect its standard output")),
        Command::Man { .. } => Err(SettingsError::NoOutput("man", "name a folder with --out")),
        #[cfg(feature = "aws")]
        Command::IamPolicy { .. } if !is_json => Err(SettingsError::OnlyJson("iam-policy")),
        Command::Schema { .. } if !is_json => Err(SettingsError::OnlyJson("schema")),
        Command::Init { .. } => Err(SettingsError::NoOutput("init", "it writes the files of a project")),
        Command::New(_) => Err(SettingsError::NoOutput("new", "it writes the files of a rule")),
        _ => Ok(()),
    }
}

/// An output must not take the place of what the run rests on.
fn keep_apart<'path>(
    outputs: &[OutputTarget],
    files: impl IntoIterator<Item = &'path Path>,
) -> Result<(), SettingsError> {
    let kept: Vec<PathBuf> = files.into_iter().map(target).collect();
    let taken = outputs.iter().filter_map(|output| output.path.as_deref()).find(|path| kept.contains(&target(path)));
    taken.map_or(Ok(()), |path| Err(SettingsError::SharedTarget(path.display().to_string())))
}

/// The policies that the settings name, held to their laws and ready.
fn policies(settings: &PolicySettings) -> Result<Policies, Error> {
    Ok(Policies::compile(policy_set(settings)?, &policy_options(settings))?)
}

/// The same as files.
fn policy_set(settings: &PolicySettings) -> Result<PolicySet, Error> {
    Ok(match &settings.folder {
        Some(folder) => PolicySet::from_folder(folder)?,
        None => PolicySet::embedded()?,
    })
}

/// Writes a result to each output in the format that is asked for.
fn write_rendered(
    outputs: &[OutputTarget],
    render: impl Fn(Format) -> Result<Option<String>, OutputError>,
    command: &'static str,
) -> Result<(), Error> {
    for target in outputs {
        let text = render(target.format)?.ok_or(SettingsError::NoFormat(command, target.format, formats(command)))?;
        write_text(&text, target)?;
    }
    Ok(())
}

fn policy_options(settings: &PolicySettings) -> PolicyOptions {
    PolicyOptions { time_limit: settings.timeout, contract: settings.contract.clone() }
}
