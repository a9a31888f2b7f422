//! One run's shared state: what limits the calls, and what they leave behind.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_config::SdkConfig;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use crate::fact::{ReadError, Receipt};
use crate::redact::Redactor;

use super::call::{Call, Outcome};
use super::client::{Connection, ConnectionError};
use super::operation::Operation;
use super::{Context, Event};

type Clients = HashMap<(TypeId, String), Box<dyn Any + Send + Sync>>;

/// Everything that the calls of one run share.
pub(super) struct Session<'a> {
    pub(super) connection: &'a Connection,
    pub(super) context: &'a Context<'a>,
    pub(super) redactor: &'a Redactor,
    progress: &'a (dyn Fn(Event<'_>) + Sync),
    slots: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
    clients: Mutex<Clients>,
    shared: Mutex<HashMap<String, Arc<OnceCell<Outcome<Value>>>>>,
    receipts: Mutex<BTreeMap<String, Receipt>>,
    bodies: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        context: &'a Context<'a>,
        redactor: &'a Redactor,
        progress: &'a (dyn Fn(Event<'_>) + Sync),
    ) -> Self {
        Self {
            connection,
            context,
            redactor,
            progress,
            slots: Mutex::default(),
            clients: Mutex::default(),
            shared: Mutex::default(),
            receipts: Mutex::default(),
            bodies: Mutex::default(),
        }
    }

    /// A call in the run's region; `resource` names it in its receipt's key.
    pub(super) fn call(&'a self, operation: &'static Operation, resource: &str) -> Call<'a> {
        Call::new(self, operation, resource, self.connection.region())
    }

    /// The client of a service in a region. Clients are kept, because each resolves credentials for itself.
    pub(super) fn client<C>(&self, region: &str, build: impl FnOnce(&SdkConfig) -> C) -> C
    where
        C: Clone + Send + Sync + 'static,
    {
        let mut clients = lock(&self.clients);
        let client = clients
            .entry((TypeId::of::<C>(), region.to_owned()))
            .or_insert_with(|| Box::new(build(&self.connection.config_in(region))));
        match client.downcast_ref::<C>() {
            Some(client) => client.clone(),
            None => unreachable!("clients are kept by their type"),
        }
    }

    /// Runs `read` once in the whole run, whoever asks first: a policy attached to two roles is read once, so that its
    /// receipt is one and both facts rest on the same answer.
    pub(super) async fn once(&self, key: String, read: impl Future<Output = Outcome<Value>>) -> Outcome<Value> {
        let cell = Arc::clone(lock(&self.shared).entry(key).or_default());
        cell.get_or_init(|| read).await.clone()
    }

    /// Waits for one of the service's slots; `None` if the deadline passes first.
    pub(super) async fn slot(&self, service: &'static str) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let slots = Arc::clone(
            lock(&self.slots)
                .entry(service)
                .or_insert_with(|| Arc::new(Semaphore::new(self.connection.options.concurrency))),
        );
        tokio::time::timeout_at(self.deadline(), slots.acquire_owned()).await.ok()?.ok()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.connection.options.deadline.into()
    }

    /// Why no call can be made at all, if so.
    pub(super) fn unavailable(&self) -> Option<(&'static str, String)> {
        let error = self.connection.verify().err()?;
        let code = match error {
            ConnectionError::NoRegion => "MissingRegion",
            ConnectionError::NoCredentials { .. } => "CredentialsNotLoaded",
        };
        // What each provider said, and the help, are for a person at a terminal; in every fact they would be noise.
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default().trim_end_matches(" Attempted:");
        Some((code, self.redactor.redact_text(message)))
    }

    pub(super) fn record(&self, key: &str, receipt: Receipt, error: Option<&ReadError>) {
        lock(&self.receipts).insert(key.to_owned(), receipt);
        (self.progress)(Event::Called { receipt: key, error });
    }

    pub(super) fn keep(&self, digest: &str, body: Vec<u8>) {
        if self.connection.options.keep_bodies {
            lock(&self.bodies).insert(digest.to_owned(), body);
        }
    }

    pub(super) fn read(&self, service: &str, kind: &str, name: &str) {
        (self.progress)(Event::Read { service, kind, name });
    }

    /// Receipts and bodies.
    pub(super) fn finish(self) -> (BTreeMap<String, Receipt>, BTreeMap<String, Vec<u8>>) {
        (into_inner(self.receipts), into_inner(self.bodies))
    }
}

// A poisoned lock only says that another read panicked; what it guards is whole, for nothing panics between two writes.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Hands a session to a test that makes no call.
#[cfg(test)]
pub(super) async fn offline(handles: &BTreeMap<String, crate::fact::Handle>, test: impl FnOnce(&Session<'_>)) {
    let defaults = super::Defaults::default();
    let context = Context { handles, defaults: &defaults, clock: crate::fact::RunClock::now() };
    let options = super::Options { region: Some("eu-west-2".to_owned()), ..super::Options::default() };
    let (connection, redactor) = (Connection::open(options, None).await, Redactor::new().unwrap());
    test(&Session::new(&connection, &context, &redactor, &|_| {}));
}
