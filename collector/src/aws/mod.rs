//! AWS: what the account looks like, read and recorded.
//!
//! ```text
//! handles ─► catalog ─► reads (concurrent, bounded per service) ─► facts
//!                         │ one file a service                      ▲
//!                         └─► calls ─► receipts, bodies             └─ a failed read is a fact, too
//! ```
//!
//! Nothing here changes anything in AWS, but for the [`mirror`] of evidence, which only ever adds objects.
//!
//! To add a read: in the service's file, name its operation ([`Operation`]: IAM action, the shape of a good answer, the codes
//! that mean "absent"), add it to a kind's aspects and to what the kind's `read` returns; a new kind takes a line of
//! [`catalog::CATALOG`].

mod apigatewayv2;
mod arn;
mod body;
mod budgets;
mod call;
mod capture;
pub mod catalog;
mod classify;
mod client;
mod cloudwatch;
mod context;
mod costexplorer;
mod dynamodb;
mod eks;
mod glue;
mod hide;
mod iam;
mod kafka;
mod kinesisanalyticsv2;
mod kms;
mod lambda;
mod logs;
pub mod mirror;
mod operation;
mod pages;
pub mod policy;
mod s3;
mod sagemaker;
mod session;
mod sfn;
mod sqs;
mod ssm;
mod sts;
mod tagging;

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

use crate::fact::{AwsFacts, Observation, ReadError, ReadErrorKind, Receipt};
use crate::redact::Redactor;

pub use catalog::Defaults;
pub use client::{Connection, ConnectionError, Options};
pub use context::Context;
pub use operation::Operation;

use catalog::{Aspects, CATALOG, Entry, Kind, Subject};
use session::Session;

/// How a run gets on.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Before the first call: how many resources will be read.
    Planned {
        /// Resources, the caller's identity not counted.
        resources: usize,
    },
    /// A call ended.
    Called {
        /// Its receipt's key.
        receipt: &'a str,
        /// Why it failed, if it did.
        error: Option<&'a ReadError>,
    },
    /// Everything about one resource was read, or failed to be.
    Read {
        /// Its service.
        service: &'a str,
        /// Its kind.
        kind: &'a str,
        /// Its name.
        name: &'a str,
    },
}

/// What a run collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The facts, by service, kind, name and aspect.
    pub facts: AwsFacts,
    /// Who asked.
    pub caller_identity: Observation,
    /// Every call, by key.
    pub receipts: BTreeMap<String, Receipt>,
    /// The answers' bodies by digest, as they may be kept; empty unless [`Options::keep_bodies`].
    pub bodies: BTreeMap<String, Vec<u8>>,
    /// The region of the reads; `unknown` where none is configured.
    pub region: String,
    /// The endpoint override in force, if any.
    pub endpoint_url: Option<String>,
}

/// Reads everything that the catalog lists for the context's handles.
///
/// This never fails and ends by the connection's deadline: whatever could not be read is an observation that says why.
pub async fn collect(
    connection: &Connection,
    context: &Context<'_>,
    redactor: &Redactor,
    progress: &(dyn Fn(Event<'_>) + Sync),
) -> Collected {
    let plan: Vec<(&Kind, Subject)> = CATALOG
        .iter()
        .flat_map(|entry: &Entry| {
            let subjects = entry.subjects(context.handles, context.defaults);
            subjects.into_iter().map(|subject| (entry.kind, subject))
        })
        .collect();
    progress(Event::Planned { resources: plan.len() });
    let session = Session::new(connection, context, redactor, progress);
    let reads = plan.iter().map(|(kind, subject)| async {
        let aspects = (kind.read)(&session, subject).await;
        session.read(kind.service, kind.kind, &subject.name);
        complete(kind, aspects)
    });
    let (caller_identity, observed) = futures::join!(sts::caller_identity(&session), join_all(reads));
    let mut facts = AwsFacts::new();
    for ((kind, subject), aspects) in plan.iter().zip(observed) {
        let service = facts.entry(kind.service.to_owned()).or_default();
        let resource = service.entry(kind.kind.to_owned()).or_default().entry(subject.name.clone()).or_default();
        resource.extend(aspects.into_iter().map(|(name, observation)| (name.to_owned(), observation)));
    }
    let (receipts, bodies) = session.finish();
    Collected {
        facts,
        caller_identity: call::observe(caller_identity),
        receipts,
        bodies,
        region: connection.region().to_owned(),
        endpoint_url: connection.endpoint_url().map(str::to_owned),
    }
}

/// Fills what a read forgot. It should forget nothing; but a hole would let a policy's claim vanish, so it never becomes one.
fn complete(kind: &Kind, mut aspects: Aspects) -> Aspects {
    for aspect in kind.aspects {
        debug_assert!(aspects.iter().any(|(name, _)| *name == aspect.name), "{} was forgotten", aspect.name);
        if !aspects.iter().any(|(name, _)| *name == aspect.name) {
            let error = ReadError {
                code: "CollectorDefect".to_owned(),
                kind: ReadErrorKind::Tool,
                message: "the collector has no result for this read; please report this as a defect".to_owned(),
                action: aspect.operations.first().and_then(|operation| operation.action).map(str::to_owned),
            };
            aspects.push((aspect.name, Observation::<Value>::Unreadable { error, receipts: Vec::new() }));
        }
    }
    aspects
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::catalog::handle;
    use super::*;
    use crate::fact::{Handle, RunClock};

    fn handles() -> BTreeMap<String, Handle> {
        let sources = CATALOG.iter().flat_map(|entry| match entry.source {
            catalog::Source::Handles(names) => names.to_vec(),
            catalog::Source::Prefix(prefix) => vec![prefix],
            catalog::Source::Schema { registry, schema } => vec![registry, schema],
            catalog::Source::Tag(name) => vec![name],
            catalog::Source::Path { first, second } => vec![first, second],
            catalog::Source::Always(_) => Vec::new(),
        });
        let pinned = |name: &str| Handle {
            expected_tag_value: Some("fraud-platform".to_owned()),
            ..handle(json!(name.to_lowercase().replace('_', "-")))
        };
        let probe = ("TOPIC_PROBE_POLICY_M2D".to_owned(), handle(json!("REQUIRED")));
        sources.map(|name| (name.to_owned(), pinned(name))).chain([probe]).collect()
    }

    /// Nothing listens on port 9, and whether this machine has credentials makes no difference.
    async fn collect_from_nowhere(deadline: Duration) -> Collected {
        let options = Options {
            region: Some("eu-west-2".to_owned()),
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            max_attempts: 1,
            deadline: Instant::now() + deadline,
            ..Options::default()
        };
        let connection = Connection::open(options, None).await;
        let context = Context { handles: &handles(), defaults: &Defaults::default(), clock: RunClock::now() };
        collect(&connection, &context, &Redactor::new().unwrap(), &|_| {}).await
    }

    #[tokio::test]
    async fn every_planned_read_ends_as_a_fact() {
        for deadline in [Duration::ZERO, Duration::from_secs(5)] {
            let collected = collect_from_nowhere(deadline).await;
            let mut planned = Vec::new();
            for entry in CATALOG {
                for subject in entry.subjects(&handles(), &Defaults::default()) {
                    let names = entry.kind.aspects.iter().map(|aspect| aspect.name);
                    planned.extend(names.map(|name| (entry.kind.service, entry.kind.kind, subject.name.clone(), name)));
                }
            }
            for (service, kind, name, aspect) in &planned {
                let fact = &collected.facts[*service][*kind][name][*aspect];
                let Observation::Unreadable { error, receipts } = fact else { panic!("{service} {aspect}: {fact:?}") };
                assert!(matches!(error.kind, ReadErrorKind::Dispatch | ReadErrorKind::Timeout), "{error:?}");
                // Who asks needs no permission, and neither does what waits for it.
                assert!(error.action.is_some() || error.message.contains("sts.GetCallerIdentity"), "{error:?}");
                assert!(receipts.iter().all(|key| collected.receipts.contains_key(key)), "{receipts:?}");
                assert!(!receipts.is_empty());
            }
            let services = collected.facts.values().flat_map(BTreeMap::values);
            let facts: usize = services.flat_map(BTreeMap::values).map(BTreeMap::len).sum();
            assert_eq!(facts, planned.len());
            assert!(matches!(collected.caller_identity, Observation::Unreadable { .. }));
        }
    }
}
