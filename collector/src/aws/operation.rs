//! An AWS operation as this collector uses it: its name, the permission it needs, and what its answer looks like.

use serde_json::{Map, Value};

use super::session::Session;

/// One operation of one service.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The service, as it stands in fact paths and receipts (`s3`, `kafka`, `tagging`).
    pub service: &'static str,
    /// The operation as the API names it (`GetBucketVersioning`).
    pub name: &'static str,
    /// The IAM action that it needs; `None` where AWS asks for none.
    pub action: Option<&'static str>,
    /// Further actions that the caller needs, because the service acts on the caller's behalf (`kms:Decrypt`).
    pub also: &'static [&'static str],
    /// What a good answer looks like.
    pub(super) answer: Answer,
    /// The error codes by which the API says that the thing does not exist.
    pub(super) absent: &'static [&'static str],
    /// JSON pointers to the members of the answer that may hold a secret; at least one of them does.
    pub(super) secrets: &'static [&'static str],
    /// Takes out of the answer what must not be kept, where its place is not fixed.
    pub(super) hide: Option<Hide>,
}

/// Takes out of an answer's members what must not be kept, or says why it cannot tell where that is.
pub(super) type Hide = fn(&Session<'_>, &mut Map<String, Value>) -> Result<(), String>;

/// The shape by which a good answer is recognised. A proxy's login page, an empty body or another operation's answer would
/// pass the SDK's lenient parsers as "everything unset", so that a missing setting could not be told from a missing answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A JSON object, with this member if it always has one.
    Json(Option<&'static str>),
    /// An XML document with this root element, and further elements that it always has.
    Xml(&'static str, &'static [&'static str]),
    /// A CBOR map, which always has this member.
    Cbor(&'static str),
    /// No body: the status and the headers are the answer.
    Headers,
}

impl Operation {
    const fn new(service: &'static str, name: &'static str, action: Option<&'static str>, answer: Answer) -> Self {
        Self { service, name, action, also: &[], answer, absent: &[], secrets: &[], hide: None }
    }

    /// An operation that answers with a JSON object, which always has this member.
    pub(super) const fn json(
        service: &'static str,
        name: &'static str,
        action: &'static str,
        member: &'static str,
    ) -> Self {
        Self::new(service, name, Some(action), Answer::Json(Some(member)))
    }

    /// An operation that answers with a JSON object whose members are all optional.
    pub(super) const fn json_object(service: &'static str, name: &'static str, action: &'static str) -> Self {
        Self::new(service, name, Some(action), Answer::Json(None))
    }

    /// An operation that answers with an XML document with this root element, which always has these elements.
    pub(super) const fn xml(
        service: &'static str,
        name: &'static str,
        action: Option<&'static str>,
        root: &'static str,
        elements: &'static [&'static str],
    ) -> Self {
        Self::new(service, name, action, Answer::Xml(root, elements))
    }

    /// An operation that answers with a CBOR map, which always has this member.
    pub(super) const fn cbor(
        service: &'static str,
        name: &'static str,
        action: &'static str,
        member: &'static str,
    ) -> Self {
        Self::new(service, name, Some(action), Answer::Cbor(member))
    }

    /// An operation that answers without a body.
    pub(super) const fn headers(service: &'static str, name: &'static str, action: &'static str) -> Self {
        Self::new(service, name, Some(action), Answer::Headers)
    }

    /// Says which further actions the caller needs.
    pub(super) const fn also(self, actions: &'static [&'static str]) -> Self {
        Self { also: actions, ..self }
    }

    /// Says which error codes mean that the thing does not exist.
    pub(super) const fn absent(self, codes: &'static [&'static str]) -> Self {
        Self { absent: codes, ..self }
    }

    /// Says which members of the answer hold a secret.
    pub(super) const fn secret(self, pointers: &'static [&'static str]) -> Self {
        Self { secrets: pointers, ..self }
    }

    /// Says how to take out of the answer what must not be kept.
    pub(super) const fn hiding(self, hide: Hide) -> Self {
        Self { hide: Some(hide), ..self }
    }

    /// `service.Operation`, the beginning of its receipts' keys.
    pub(super) fn id(&self) -> String {
        format!("{}.{}", self.service, self.name)
    }
}
