//! What came over the wire: an interceptor that keeps the answer as the peer sent it.
//!
//! The SDK's typed outputs drop members that they do not know and refuse bodies that a stand-in formats differently. Facts
//! are what AWS said, so the bytes are taken behind the parser's back, whether or not it liked them.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The headers in which services put the request's id, in the order of preference.
const REQUEST_ID: [&str; 3] = ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"];

/// What was seen of a call: the last attempt's answer, and how many attempts there were.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) attempts: u32,
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// The error that the peer answered with.
    pub(super) refusal: Option<Refusal>,
}

/// An error answer's code and message; services leave either out.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusal {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn request_id(&self) -> Option<String> {
        REQUEST_ID.iter().find_map(|name| self.header(name)).map(str::to_owned)
    }

    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The interceptor. `E` is the operation's error type, from which an error answer's code is read.
pub(super) struct Capture<E> {
    seen: Arc<Mutex<Seen>>,
    error: PhantomData<fn(E)>,
}

impl<E> Capture<E> {
    pub(super) fn new() -> Self {
        Self { seen: Arc::default(), error: PhantomData }
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn update(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<E> Clone for Capture<E> {
    fn clone(&self) -> Self {
        Self { seen: Arc::clone(&self.seen), error: PhantomData }
    }
}

// Not derived: a captured body can hold a secret, and the SDK logs its interceptors.
impl<E> fmt::Debug for Capture<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Capture")
    }
}

impl<E> Intercept for Capture<E>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "factgate capture"
    }

    // Each attempt starts afresh, so that an attempt without an answer never wears the one before it.
    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.update(|seen| *seen = Seen { attempts: seen.attempts, ..Seen::default() });
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.update(|seen| seen.attempts += 1);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        self.update(|seen| {
            seen.status = Some(response.status().as_u16());
            seen.headers = response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        });
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().map(<[u8]>::to_vec);
        let refusal = context.output_or_error().err().and_then(|error| error.as_operation_error()).map(|error| {
            error.downcast_ref::<E>().map_or_else(Refusal::default, |error| Refusal {
                code: error.code().map(str::to_owned),
                message: error.message().map(str::to_owned),
            })
        });
        self.update(|seen| {
            seen.body = body;
            seen.refusal = refusal;
        });
        Ok(())
    }
}
