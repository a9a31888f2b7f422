//! One run of the collector: everything that the handles lead to, in one sealed document.
//!
//! ```text
//! registry ─► handles ─┬─► terraform ─┐
//!                      └─► AWS reads ─┴─► assemble ─► last redaction ─► seal
//! ```
//!
//! Both sources are read at the same time, unless Terraform may apply: then AWS is read after it, as it is from now on.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::approval::{self, Approval};
use crate::aws::{self, Connection, ConnectionError};
use crate::fact::{
    AwsFacts, Digest, FORMAT, FactDocument, Facts, Handle, Observation, PlaintextScan, Receipt, Run, RunClock,
    SealError, Stack, Terraform, TerraformMode, Tool,
};
use crate::file::write_atomically;
use crate::redact::{NoRandomness, Redactor};
use crate::registry::Registry;
use crate::rehearsal::Section;
use crate::terraform;

/// What to collect, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The instant that the run counts as "now".
    pub clock: RunClock,
    /// The handles.
    pub registry: Registry,
    /// The tool that collects.
    pub tool: Tool,
    /// How Terraform is run.
    pub terraform: terraform::Options,
    /// How AWS is read.
    pub aws: aws::Options,
    /// What the registry may leave unpinned.
    pub defaults: aws::Defaults,
    /// Folder that gets raw answers and logs, each under its sha256.
    pub raw: Option<PathBuf>,
    /// What people allow.
    pub approvals: Vec<Approval>,
    /// Evidence of lanes, by lane, as whoever evaluates found it.
    pub evidence: Evidence,
    /// The rehearsal that the facts are to tell of.
    pub rehearsal: Section,
    /// Logs of that rehearsal by digest, to be kept with the others.
    pub logs: BTreeMap<String, Vec<u8>>,
}

/// The `evidence` section and its receipts.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// By lane.
    pub observations: BTreeMap<String, Observation>,
    /// Of the packs that were read.
    pub receipts: BTreeMap<String, Receipt>,
}

/// How a run gets on.
#[derive(Debug)]
pub enum Event<'a> {
    /// Of Terraform.
    Terraform(terraform::Event),
    /// Of AWS.
    Aws(aws::Event<'a>),
}

/// Why there is no document. A fact that could not be read is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// No call to AWS can be made at all.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// Secrets could not be fingerprinted.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A raw answer could not be kept.
    #[error("{}: raw answers cannot be kept there\nhelp: --raw names a folder that can be written", path.display())]
    Raw {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The last redaction broke the document.
    #[error("the redacted facts are no fact document\nhelp: this is a defect of factgate; please report it")]
    Redaction(#[source] serde_json::Error),
    /// The document could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Collects.
///
/// # Errors
///
/// If no call to AWS can be made, raw answers cannot be kept, or the document cannot be sealed. Everything else is a fact.
pub async fn collect(request: &Request, progress: &(dyn Fn(Event<'_>) + Sync)) -> Result<Facts, CollectError> {
    collect_with(request, &Redactor::new()?, progress).await
}

/// Collects with a redactor that knows secrets already: after a rehearsal, its fingerprints and the collection's must agree.
///
/// # Errors
///
/// As [`collect`].
pub async fn collect_with(
    request: &Request,
    redactor: &Redactor,
    progress: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Facts, CollectError> {
    let clock = request.clock;
    let handles = &request.registry.handles;
    let pinned_region = handles.get("AWS_REGION").and_then(|handle| handle.value.as_str());
    let connection = Connection::open(request.aws.clone(), pinned_region).await;
    connection.verify()?;

    let on_terraform = |event| progress(Event::Terraform(event));
    let on_aws = |event: aws::Event<'_>| progress(Event::Aws(event));
    let terraform = terraform::collect(handles, &request.terraform, redactor, &on_terraform);
    let context = aws::Context { handles, defaults: &request.defaults, clock };
    let reads = aws::collect(&connection, &context, redactor, &on_aws);
    let (terraform, reads) = match request.terraform.mode {
        TerraformMode::Apply => {
            let terraform = terraform.await;
            (terraform, reads.await)
        }
        TerraformMode::Plan | TerraformMode::Off => tokio::join!(terraform, reads),
    };

    exempt_brokers(redactor, &reads.facts);
    let plaintext_scan = plaintext_scan(redactor, &terraform.terraform, &reads.facts, request.rehearsal.scan.clone());
    let mut receipts = terraform.receipts;
    receipts.extend(reads.receipts);
    let mut rehearsal = request.rehearsal.clone();
    rehearsal.complete_cost(&reads.facts);
    rehearsal.place(&reads.caller_identity, &reads.region);
    let (mut approvals, approval_receipts) = approval::facts(&request.approvals);
    receipts.extend(approval_receipts);
    receipts.extend(rehearsal.receipts);
    receipts.extend(request.evidence.receipts.clone());
    // The approval that a rehearsal was run under is the one that counts for it.
    if let Some(approval) = rehearsal.approval {
        approvals.insert("rehearsal".to_owned(), approval);
    }
    if let Some(folder) = &request.raw {
        let kept: BTreeMap<String, Vec<u8>> =
            reads.bodies.into_iter().chain(terraform.raw).chain(request.logs.clone()).collect();
        keep_raw(folder, redacted_raw(redactor, kept, &mut receipts).iter())?;
    }
    let run = Run {
        phase_execution_id: clock.phase_execution_id(),
        collected_at: clock.collected_at(),
        tool: request.tool.clone(),
        region: reads.region,
        endpoint_url: reads.endpoint_url,
        caller_identity: reads.caller_identity,
        registry: request.registry.source.clone(),
        terraform_mode: request.terraform.mode,
    };
    let document = FactDocument {
        format: FORMAT.to_owned(),
        run: redacted(redactor, &run)?,
        handles: redacted_handles(redactor, handles),
        terraform: redacted(redactor, &terraform.terraform)?,
        aws: redacted_answers(redactor, &reads.facts)?,
        evidence: redacted(redactor, &request.evidence.observations)?,
        rehearsal: redacted(redactor, &rehearsal.steps)?,
        approvals: redacted(redactor, &approvals)?,
        plaintext_scan: Some(plaintext_scan),
        receipts: redacted(redactor, &receipts)?,
        digest: None,
    };
    Ok(document.seal()?)
}

/// Lets the addresses that MSK itself answers stand in plain text: they are no secret, and the parameter that repeats them is
/// read for nothing but the comparison with them.
fn exempt_brokers(redactor: &Redactor, facts: &AwsFacts) {
    let clusters = facts.get("kafka").and_then(|kinds| kinds.get("clusters")).into_iter().flatten();
    for (_, aspects) in clusters {
        let answer = aspects.get("bootstrap_brokers").and_then(|observation| observation.value());
        for brokers in answer.and_then(Value::as_object).into_iter().flat_map(|answer| answer.values()) {
            brokers.as_str().into_iter().for_each(|brokers| redactor.exempt(brokers));
        }
    }
}

/// What the scan found, with the calls that its sources came from. Everything has been read by now, so that every secret that
/// this run can know is known.
fn plaintext_scan(
    redactor: &Redactor,
    terraform: &Terraform,
    facts: &AwsFacts,
    rehearsal: PlaintextScan,
) -> Observation<PlaintextScan> {
    let mut receipts = BTreeSet::new();
    for stack in terraform.stacks.values() {
        let Stack { init, validate, plan, apply, post_apply_plan, outputs, state, .. } = stack;
        receipts.extend(answered(init).chain(answered(validate)).chain(answered(plan)).chain(answered(apply)));
        receipts.extend(answered(post_apply_plan).chain(answered(outputs)).chain(answered(state)));
    }
    // What their variables hold is watched where they are read; that they were read is known here.
    for (name, aspects) in facts.get("lambda").and_then(|kinds| kinds.get("functions")).into_iter().flatten() {
        if let Some(configuration) = aspects.get("configuration") {
            redactor.watch_source(&function_source(name), configuration.value().is_some());
            receipts.extend(answered(configuration));
        }
    }
    let mut scan = redactor.scan();
    // An earlier run looked at the logs of its rehearsal, which only it had.
    scan.extend(rehearsal);
    if scan.sources.iter().any(|source| source.scanned) {
        Observation::present(scan, receipts.into_iter().collect())
    } else {
        Observation::not_collected("nothing was read that could hold a secret")
    }
}

/// How the scan names the environment of a function.
pub(crate) fn function_source(name: &str) -> String {
    format!("aws.lambda.functions.{name}.configuration")
}

/// The calls that gave a value.
fn answered<T>(observation: &Observation<T>) -> impl Iterator<Item = String> + use<'_, T> {
    let receipts = match observation {
        Observation::Present { receipts, .. } => receipts.as_slice(),
        Observation::Absent { .. } | Observation::Unreadable { .. } | Observation::NotCollected { .. } => &[],
    };
    receipts.iter().cloned()
}

/// The same facts without any secret that was learned after they were read: the last line of defence.
fn redacted<T: Serialize + DeserializeOwned>(redactor: &Redactor, facts: &T) -> Result<T, CollectError> {
    let mut value = serde_json::to_value(facts).map_err(CollectError::Redaction)?;
    redactor.redact_document(&mut value);
    serde_json::from_value(value).map_err(CollectError::Redaction)
}

/// What the registry pins, which is public, but for what is a credential by its shape or its handle's name.
fn redacted_handles(redactor: &Redactor, handles: &BTreeMap<String, Handle>) -> BTreeMap<String, Handle> {
    let mut handles = handles.clone();
    for (name, handle) in &mut handles {
        redactor.redact_named(name, &mut handle.value);
    }
    handles
}

/// The same for what AWS answered, which is looked through as deep as it goes.
fn redacted_answers(redactor: &Redactor, facts: &AwsFacts) -> Result<AwsFacts, CollectError> {
    let mut facts = redacted(redactor, facts)?;
    let aspects = facts.values_mut().flat_map(BTreeMap::values_mut).flat_map(BTreeMap::values_mut);
    for observation in aspects.flat_map(BTreeMap::values_mut) {
        if let Observation::Present { value, .. } = observation {
            redactor.redact_value(value);
        }
    }
    Ok(facts)
}

/// What is kept, without the secrets that were learned only after it came: a log may hold what AWS answered later, and an
/// answer what a plan revealed later. The receipts follow the bytes.
fn redacted_raw(
    redactor: &Redactor,
    kept: BTreeMap<String, Vec<u8>>,
    receipts: &mut BTreeMap<String, Receipt>,
) -> BTreeMap<String, Vec<u8>> {
    let mut renamed = BTreeMap::new();
    let swept = kept.into_iter().map(|(digest, bytes)| {
        let text = String::from_utf8_lossy(&bytes);
        let redacted = redactor.redact_text(&text);
        // A body that is no text stays as it came if there is nothing to hide in it.
        if redacted == text {
            return (digest, bytes);
        }
        let now = Digest::of(redacted.as_bytes()).to_string();
        renamed.insert(digest, now.clone());
        (now, redacted.into_bytes())
    });
    let swept = swept.collect();
    for receipt in receipts.values_mut() {
        match receipt {
            Receipt::Aws { body_digest: Some(digest), body_redacted, .. } => {
                if let Some(now) = renamed.get(digest) {
                    *digest = now.clone();
                    *body_redacted = true;
                }
            }
            Receipt::Terraform { log_digest, .. } => {
                if let Some(now) = renamed.get(log_digest) {
                    *log_digest = now.clone();
                }
            }
            Receipt::Aws { .. } | Receipt::File { .. } => {}
        }
    }
    swept
}

/// Keeps every body under the hex digits of its digest. What is there already under that name has the same bytes.
fn keep_raw<'a>(folder: &Path, bodies: impl Iterator<Item = (&'a String, &'a Vec<u8>)>) -> Result<(), CollectError> {
    let failed = |path: &Path, source| CollectError::Raw { path: path.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    for (digest, bytes) in bodies {
        let path = folder.join(digest.trim_start_matches("sha256:"));
        if !path.exists() {
            write_atomically(&path, bytes).map_err(|source| failed(&path, source))?;
        }
    }
    Ok(())
}
