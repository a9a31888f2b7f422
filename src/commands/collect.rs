//! `collect`: handles, Terraform and AWS into one sealed fact document.

use std::io::Write as _;
use std::time::{Duration, Instant};

use factgate_collector::collect::{self, Event, Request};
use factgate_collector::fact::{self, Facts, Tool};
use factgate_collector::registry::Registry;
use factgate_collector::{aws, terraform};

use crate::cli::TerraformMode;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::progress::Progress;
use crate::settings::{PolicySettings, SourceSettings};

/// The stacks whose facts the lanes read.
const MATERIALIZED: [&str; 5] = ["core", "streaming", "runtime", "data_ml", "ops"];

/// Collects, and writes the document to `--facts` or standard output.
pub(super) fn run(source: &SourceSettings, policy: &PolicySettings) -> Result<ExitCode, Error> {
    let facts = facts(source, policy)?;
    match &source.facts {
        Some(path) => facts.write(path)?,
        None => {
            let failed = |error| Error::StandardOutput(error);
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, facts.json()).map_err(|error| failed(error.into()))?;
            out.write_all(b"\n").and_then(|()| out.flush()).map_err(failed)?;
        }
    }
    Ok(ExitCode::Go)
}

/// Collects one fact document.
pub(super) fn facts(source: &SourceSettings, policy: &PolicySettings) -> Result<Facts, Error> {
    let registry = Registry::read(&source.registry)?;
    let progress = Progress::start(&source.registry);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let request = request(registry, source, policy);
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

/// Ends when this process is asked to end, and says by which signal. What was under way is dropped then, which lets a running
/// Terraform release its state lock.
async fn interruption() -> &'static str {
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

fn request(registry: Registry, source: &SourceSettings, policy: &PolicySettings) -> Request {
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
    terraform.materialize = MATERIALIZED.map(str::to_owned).into();
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
    Request {
        registry,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        terraform,
        aws: aws::Options {
            region: source.region.clone(),
            endpoint_url: source.endpoint_url.clone(),
            call_timeout: source.call_timeout,
            deadline: Instant::now() + source.deadline,
            max_attempts: source.max_attempts,
            concurrency: source.concurrency,
            keep_bodies: source.raw.is_some(),
        },
        defaults,
        raw: source.raw.clone(),
    }
}
