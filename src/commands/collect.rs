//! `collect`: handles, Terraform and AWS into one sealed fact document.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use factgate_collector::approval::{Approval, ApprovalKind};
use factgate_collector::collect::{self, Event, Evidence, Request};
use factgate_collector::fact::{self, Facts, Handle, RunClock};
use factgate_collector::file::{check_file, check_folder};
use factgate_collector::registry::Registry;
use factgate_collector::rehearsal::Section;
use factgate_collector::terraform::STACKS;
use factgate_collector::terraform::rehearsal::RehearsalError;
use factgate_collector::{aws, terraform};

use crate::cli::TerraformMode;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::OutputError;
use crate::progress::Progress;
use crate::settings::{PolicySettings, SourceSettings};

use super::packs;

/// Collects, and writes the document to `--facts` or standard output.
pub(super) fn run(source: &SourceSettings, policy: &PolicySettings) -> Result<ExitCode, Error> {
    let facts = facts(source, policy, None, |clock, _| Ok(packs::of_this_run(clock)))?;
    match &source.facts {
        Some(path) => facts.write(path)?,
        None => {
            let failed = OutputError::standard_output;
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, facts.json()).map_err(|error| failed(error.into()))?;
            out.write_all(b"\n").and_then(|()| out.flush()).map_err(failed)?;
        }
    }
    Ok(ExitCode::Go)
}

/// Collects one fact document. `stacks` are the stacks to plan, all if it is `None`; `evidence` gives the evidence of the lanes,
/// from the instant of the run and the handles.
pub(super) fn facts(
    source: &SourceSettings,
    policy: &PolicySettings,
    stacks: Option<BTreeSet<String>>,
    evidence: impl FnOnce(RunClock, &BTreeMap<String, Handle>) -> Result<Evidence, Error>,
) -> Result<Facts, Error> {
    let registry = Registry::read(&source.registry)?;
    let approvals = Approval::read_all(&source.approvals)?;
    let rehearsal = source.rehearsal.as_deref().map(Section::import).transpose()?.unwrap_or_default();
    agree(&approvals, &rehearsal)?;
    check_places(source.facts.as_deref(), source.raw.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let mut request = request(registry, source, policy);
    if let Some(stacks) = stacks {
        request.terraform.materialize = stacks;
    }
    request.evidence = evidence(request.clock, &request.registry.handles)?;
    (request.approvals, request.rehearsal) = (approvals, rehearsal);
    let progress = Progress::start(&source.registry);
    let on_event = |event: Event<'_>| progress.on(&event);
    let facts = runtime.block_on(async {
        tokio::select! {
            facts = collect::collect(&request, &on_event) => facts.map_err(Error::from),
            signal = interruption() => Err(Error::Interrupted(signal)),
        }
    });
    progress.finish();
    // A call that hangs in the operating system (a name look-up) must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    facts
}

/// Looks whether what a run writes can be written, before it takes its time and applies anything.
pub(super) fn check_places(facts: Option<&Path>, raw: Option<&Path>) -> Result<(), Error> {
    if let Some(path) = facts {
        check_file(path).map_err(Error::unwritable("the fact document", path))?;
    }
    if let Some(folder) = raw {
        check_folder(folder).map_err(Error::unwritable("raw answers", folder))?;
    }
    Ok(())
}

/// An approval that is given beside the document of a rehearsal must be the one that it was run under.
fn agree(approvals: &[Approval], rehearsal: &Section) -> Result<(), Error> {
    let given = approvals.iter().find(|approval| approval.kind == ApprovalKind::Rehearsal);
    let used = rehearsal.approval.as_ref().and_then(|approval| approval.value());
    match (given, used) {
        (Some(given), Some(used)) if used["digest"] != given.digest.as_str() => Err(RehearsalError::Refused {
            message: format!("{} is not the approval that the rehearsal was run under", given.path),
            help: "leave it out: the document of the rehearsal holds its approval".to_owned(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Ends when this process is asked to end, and says by which signal. What was under way is dropped then, which lets a running
/// Terraform release its state lock.
pub(super) async fn interruption() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let of = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => signals.recv().await,
            // Without a handler the signal ends the process at once, as it would anyway.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = of(SignalKind::interrupt()) => "SIGINT",
        _ = of(SignalKind::terminate()) => "SIGTERM",
        _ = of(SignalKind::hangup()) => "SIGHUP",
    }
}

/// How AWS is called: the deadline begins now.
pub(super) fn aws_options(source: &SourceSettings) -> aws::Options {
    aws::Options {
        region: source.region.clone(),
        endpoint_url: source.endpoint_url.clone(),
        call_timeout: source.call_timeout,
        deadline: Instant::now() + source.deadline,
        max_attempts: source.max_attempts,
        concurrency: source.concurrency,
        keep_bodies: source.raw.is_some(),
    }
}

pub(super) fn request(registry: Registry, source: &SourceSettings, policy: &PolicySettings) -> Request {
    let mode = match source.terraform {
        TerraformMode::Off => fact::TerraformMode::Off,
        TerraformMode::Plan => fact::TerraformMode::Plan,
        TerraformMode::Apply => fact::TerraformMode::Apply,
    };
    let mut terraform =
        terraform::Options::new(&source.terraform_root, mode, tokio::time::Instant::now() + source.deadline);
    terraform.binary = source.terraform_binary.clone();
    terraform.command_timeout = source.terraform_timeout;
    terraform.region = source.region.clone();
    terraform.endpoint_url = source.endpoint_url.clone();
    terraform.materialize = STACKS.map(str::to_owned).into();
    Request {
        clock: RunClock::now(),
        registry,
        tool: crate::tool(),
        terraform,
        aws: aws_options(source),
        defaults: defaults(policy),
        raw: source.raw.clone(),
        approvals: Vec::new(),
        evidence: Evidence::default(),
        rehearsal: Section::default(),
        logs: BTreeMap::new(),
    }
}

/// What is read where the registry leaves it open, as the settings change it.
pub(super) fn defaults(policy: &PolicySettings) -> aws::Defaults {
    let mut defaults = aws::Defaults::default();
    let overridden = |topic: &str, pointer: &str| {
        policy.contract.get(topic).and_then(|topic| topic.pointer(pointer)?.as_str()).map(str::to_owned)
    };
    if let Some(anchor) = overridden("streaming", "/anchor_schema/default") {
        defaults.anchor_schema = anchor;
    }
    if let Some(probe) = overridden("topics", "/probe/default") {
        defaults.topic_probe_policy = probe;
    }
    defaults
}
