//! One call: runs it within its limits, records it, and says what came of it.
//!
//! ```text
//! slot ─► attempts (SDK, adaptive retry) ─► capture ─► receipt ─► Answer
//!   └──────────── run deadline ────────────────┘              └─► Failure ─► absent | unreadable
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::fact::{Digest, Observation, ReadError, ReadErrorKind, Receipt};

use super::body;
use super::capture::{Capture, Refusal, Seen};
use super::classify;
use super::operation::{Answer as Shape, Operation};
use super::session::Session;

/// What a read came to.
pub(super) type Outcome<T = Value> = Result<Answer<T>, Failure>;

/// A good answer, and the receipts of the calls that it came from.
#[derive(Clone, Debug)]
pub(super) struct Answer<T = Value> {
    pub(super) value: T,
    pub(super) receipts: Vec<String>,
}

impl<T> Answer<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), receipts: self.receipts }
    }

    /// The same with a value that may turn out not to be understandable.
    pub(super) fn try_map<U>(self, operation: &Operation, change: impl FnOnce(T) -> Result<U, String>) -> Outcome<U> {
        match change(self.value) {
            Ok(value) => Ok(Answer { value, receipts: self.receipts }),
            Err(message) => Err(Failure::malformed(operation, message, self.receipts)),
        }
    }
}

/// A read that gave no value.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Boxed, because every step of a read passes failures on.
    pub(super) error: Box<ReadError>,
    pub(super) receipts: Vec<String>,
    /// The HTTP status of the last answer.
    pub(super) status: Option<u16>,
    /// Where S3 says that the bucket is.
    pub(super) bucket_region: Option<String>,
}

impl Failure {
    pub(super) fn malformed(operation: &Operation, message: impl Into<String>, receipts: Vec<String>) -> Self {
        let error = ReadError {
            code: "MalformedAnswer".to_owned(),
            kind: ReadErrorKind::Malformed,
            message: message.into(),
            action: operation.action.map(str::to_owned),
        };
        Self::new(error, receipts)
    }

    pub(super) fn new(error: ReadError, receipts: Vec<String>) -> Self {
        Self { error: Box::new(error), receipts, status: None, bucket_region: None }
    }

    /// The failure of a read whose complete list lacks the thing.
    pub(super) fn unlisted(operation: &Operation, code: &str, message: &str, receipts: Vec<String>) -> Self {
        let error = ReadError {
            code: code.to_owned(),
            kind: ReadErrorKind::NotFound,
            message: message.to_owned(),
            action: operation.action.map(str::to_owned),
        };
        Self::new(error, receipts)
    }

    /// The failure of a read that could not even be tried, because the call that it depends on failed: the same failure.
    pub(super) fn waited_for(&self, operation: &Operation) -> Self {
        let mut failure = self.clone();
        failure.error.message = format!("waits for {}: {}", operation.id(), self.error.message).trim_end().to_owned();
        failure
    }

    /// The failure of a collection one part of which failed. A part that vanished between two calls leaves the collection
    /// unknown, not absent.
    pub(super) fn of_part(mut self, part: &str, receipts: &[String]) -> Self {
        if self.error.kind == ReadErrorKind::NotFound {
            self.error.kind = ReadErrorKind::Rejected;
        }
        self.error.message = format!("{part}: {}", self.error.message);
        self.receipts = receipts.iter().cloned().chain(self.receipts).collect();
        self
    }
}

/// The read with the receipts of the calls that it waited for in front of its own.
pub(super) fn after<T>(receipts: &[String], outcome: Outcome<T>) -> Outcome<T> {
    let joined = |own: Vec<String>| receipts.iter().cloned().chain(own).collect();
    match outcome {
        Ok(answer) => Ok(Answer { value: answer.value, receipts: joined(answer.receipts) }),
        Err(failure) => Err(Failure { receipts: joined(failure.receipts), ..failure }),
    }
}

/// The fact that a read gives.
pub(super) fn observe(outcome: Outcome) -> Observation {
    match outcome {
        Ok(Answer { value, receipts }) => Observation::present(value, receipts),
        Err(Failure { error, receipts, .. }) if error.kind == ReadErrorKind::NotFound => {
            Observation::Absent { error: *error, receipts }
        }
        Err(Failure { error, receipts, .. }) => Observation::Unreadable { error: *error, receipts },
    }
}

/// An answer's body.
struct Body {
    /// As it may be kept; `None` if it is empty or must not be.
    kept: Option<Vec<u8>>,
    /// Whether that differs from what was sent.
    redacted: bool,
    /// Its JSON members (none for other formats), or why it is no good answer.
    members: Result<Map<String, Value>, String>,
}

/// A call that is about to be made.
pub(super) struct Call<'a> {
    session: &'a Session<'a>,
    operation: &'static Operation,
    key: String,
    region: String,
    parameters: BTreeMap<String, Value>,
}

impl<'a> Call<'a> {
    pub(super) fn new(session: &'a Session<'a>, operation: &'static Operation, resource: &str, region: &str) -> Self {
        let key = format!("{}/{resource}", operation.id());
        Self { session, operation, key, region: region.to_owned(), parameters: BTreeMap::new() }
    }

    /// A later page of a list, from 2.
    pub(super) fn page(mut self, number: u32) -> Self {
        if number > 1 {
            self.key = format!("{}#{number}", self.key);
        }
        self
    }

    /// In another region than the run's.
    pub(super) fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    /// Notes a parameter for the receipt; an unset one is left out.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Null) | Err(_) => {}
            Ok(value) => {
                self.parameters.insert(name.to_owned(), redacted(self.session, value));
            }
        }
        self
    }

    /// Makes a call whose answer is kept as the JSON that was sent, whatever the SDK's parser makes of it.
    pub(super) async fn json<O, E, F>(self, send: impl FnOnce(Capture<E>) -> F) -> Outcome
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    {
        self.run(send).await.map(|answer| answer.map(|(_, members)| Value::Object(members)))
    }

    /// Makes a call whose answer is mapped from the SDK's typed output.
    pub(super) async fn typed<O, E, F>(self, send: impl FnOnce(Capture<E>) -> F) -> Outcome<O>
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    {
        let operation = self.operation;
        self.run(send)
            .await?
            .try_map(operation, |(output, _)| output.ok_or_else(|| "the answer was not kept".to_owned()))
    }

    async fn run<O, E, F>(self, send: impl FnOnce(Capture<E>) -> F) -> Outcome<(Option<O>, Map<String, Value>)>
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    {
        let session = self.session;
        let capture = Capture::new();
        let unavailable = session.unavailable();
        let slot = if unavailable.is_none() { session.slot(self.operation.service).await } else { None };
        let (started_at, clock) = (Utc::now(), Instant::now());
        let result = match (unavailable, &slot) {
            (Some((code, message)), _) => Err(self.error(code, ReadErrorKind::Dispatch, message)),
            (None, None) => Err(self.past_deadline()),
            (None, Some(_)) => match tokio::time::timeout_at(session.deadline(), send(capture.clone())).await {
                Ok(Ok(output)) => Ok(output),
                Ok(Err(error)) => Err(self.failed(&capture.seen(), &error)),
                Err(_) => Err(self.past_deadline()),
            },
        };
        drop(slot);
        self.settle(result, capture.seen(), started_at, clock)
    }

    /// Reads the body, writes the receipt, and joins both with what the SDK made of it.
    fn settle<O>(
        self,
        result: Result<O, ReadError>,
        mut seen: Seen,
        started_at: DateTime<Utc>,
        clock: Instant,
    ) -> Outcome<(Option<O>, Map<String, Value>)> {
        let duration_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let answered = seen.succeeded() && seen.body.is_some();
        let sent = seen.body.take().unwrap_or_default();
        let body = self.understand(&seen, sent);
        let result = match (result, body.members) {
            (Ok(output), Ok(members)) => Ok((Some(output), members)),
            // The peer answered well and only the SDK's parser disliked it, as it does a stand-in's time without a zone. That
            // matters to typed outputs alone.
            (Err(_), Ok(members)) if answered && matches!(self.operation.answer, Shape::Json(_)) => Ok((None, members)),
            (Err(error), Err(_)) if !answered => Err(error),
            (_, Err(message)) => Err(self.error("MalformedAnswer", ReadErrorKind::Malformed, message)),
            (Err(error), Ok(_)) => Err(error),
        };
        let body_digest = body.kept.map(|kept| {
            let digest = Digest::of(&kept).to_string();
            self.session.keep(&digest, kept);
            digest
        });
        let receipt = Receipt::Aws {
            service: self.operation.service.to_owned(),
            operation: self.operation.name.to_owned(),
            parameters: self.parameters,
            region: self.region,
            started_at: started_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            duration_ms,
            attempts: seen.attempts,
            http_status: seen.status,
            request_id: seen.request_id(),
            body_digest,
            body_redacted: body.redacted,
        };
        self.session.record(&self.key, receipt, result.as_ref().err());
        let receipts = vec![self.key];
        match result {
            Ok(value) => Ok(Answer { value, receipts }),
            Err(error) => Err(Failure {
                status: seen.status,
                bucket_region: seen.header("x-amz-bucket-region").map(str::to_owned),
                ..Failure::new(error, receipts)
            }),
        }
    }

    fn understand(&self, seen: &Seen, sent: Vec<u8>) -> Body {
        if !seen.succeeded() {
            // Error answers quote the request: access key ids, signatures, tokens.
            let redacted = self.session.redactor.redact_text(&String::from_utf8_lossy(&sent));
            let changed = redacted.as_bytes() != sent;
            let kept = Some(redacted.into_bytes()).filter(|body| !body.is_empty());
            return Body { kept, redacted: changed, members: Err("there is no good answer".to_owned()) };
        }
        let members = match self.operation.answer {
            Shape::Headers => Ok(Map::new()),
            Shape::Xml(root, elements) => body::xml(&sent, root, elements).map(|()| Map::new()),
            Shape::Cbor(member) => body::cbor(&sent, member).map(|()| Map::new()),
            Shape::Json(member) => body::object(&sent).and_then(|members| match member {
                Some(member) if !members.contains_key(member) => Err(format!("the answer has no `{member}`")),
                _ => Ok(members),
            }),
        };
        if self.operation.secrets.is_empty() && self.operation.hide.is_none() {
            return Body { kept: Some(sent).filter(|body| !body.is_empty()), redacted: false, members };
        }
        // A body whose secret is not where it should be is not kept at all: there is no telling where else it is.
        let members = members.and_then(|members| self.without_secrets(members));
        let kept = members.as_ref().ok().and_then(|members| serde_json::to_string(members).ok());
        let kept = kept.map(|kept| self.session.redactor.redact_text(&kept).into_bytes());
        Body { kept, redacted: true, members }
    }

    fn without_secrets(&self, mut members: Map<String, Value>) -> Result<Map<String, Value>, String> {
        if let Some(hide) = self.operation.hide {
            hide(self.session, &mut members)?;
        }
        if self.operation.secrets.is_empty() {
            return Ok(members);
        }
        let mut members = Value::Object(members);
        let mut found = false;
        for pointer in self.operation.secrets {
            if let Some(secret) = members.pointer_mut(pointer) {
                let plain = secret.as_str().ok_or_else(|| format!("the answer's `{pointer}` is no text"))?;
                self.session.redactor.learn(plain);
                *secret = Value::String(self.session.redactor.fingerprint(plain));
                found = true;
            }
        }
        match members {
            Value::Object(members) if found => Ok(members),
            _ => Err(format!("the answer has no `{}`", self.operation.secrets.join("` or `"))),
        }
    }

    /// What an SDK error means.
    fn failed<E>(&self, seen: &Seen, error: &SdkError<E, HttpResponse>) -> ReadError
    where
        E: Error + 'static,
    {
        // Also behind a timeout: what timed out may have been the wait for another attempt.
        if let (Some(status), Some(refusal)) = (seen.status, &seen.refusal)
            && !seen.succeeded()
        {
            return self.refused(status, refusal);
        }
        let (code, kind) = match error {
            SdkError::TimeoutError(_) => ("Timeout", ReadErrorKind::Timeout),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => ("Timeout", ReadErrorKind::Timeout),
            SdkError::DispatchFailure(failure) if failure.is_io() => ("ConnectionFailed", ReadErrorKind::Dispatch),
            SdkError::DispatchFailure(_) => ("DispatchFailure", ReadErrorKind::Dispatch),
            SdkError::ConstructionFailure(_) => ("ConstructionFailure", ReadErrorKind::Dispatch),
            SdkError::ResponseError(_) if seen.status.is_some_and(|status| status >= 500) => {
                ("ServerError", ReadErrorKind::Server)
            }
            _ => ("MalformedAnswer", ReadErrorKind::Malformed),
        };
        self.error(code, kind, chain(error))
    }

    fn refused(&self, status: u16, refusal: &Refusal) -> ReadError {
        let code = refusal.code.clone().unwrap_or_else(|| classify::status_code(status));
        let kind = classify::refusal(self.operation, status, &code);
        self.error(&code, kind, refusal.message.clone().unwrap_or_default())
    }

    fn past_deadline(&self) -> ReadError {
        self.error("DeadlineExceeded", ReadErrorKind::Timeout, "the run's deadline passed before an answer came")
    }

    fn error(&self, code: &str, kind: ReadErrorKind, message: impl AsRef<str>) -> ReadError {
        ReadError {
            code: code.to_owned(),
            kind,
            message: self.session.redactor.redact_text(message.as_ref()),
            action: self.operation.action.map(str::to_owned),
        }
    }
}

/// An error with all that caused it, in one line. The SDK's outermost messages ("service error") say nothing by themselves.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn redacted(session: &Session<'_>, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(session.redactor.redact_text(&text)),
        Value::Array(items) => items.into_iter().map(|item| redacted(session, item)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, item)| (name, redacted(session, item))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// Makes a call: each parameter goes to the request and to the receipt, so that the two cannot differ.
///
/// `send!(json: session.call(&DESCRIBE_TABLE, name), client.describe_table(), "TableName" => table_name(name))`
macro_rules! send {
    ($kind:ident: $call:expr, $request:expr $(, $name:literal => $set:ident($value:expr))* $(,)?) => {{
        let (call, request) = ($call, $request);
        $(
            let value = $value;
            let call = call.with($name, &value);
            let request = request.$set(value);
        )*
        call.$kind(move |capture| request.customize().interceptor(capture).send())
    }};
}
pub(super) use send;
