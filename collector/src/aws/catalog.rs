//! The list of what is collected from AWS: which handle leads to which reads, in the order in which they are listed here.
//!
//! This is the whole of it. A service's file says how a kind of resource is read and with which IAM actions; a line here says
//! which resources.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use serde_json::Value;

use crate::fact::{Handle, Observation};

use super::operation::Operation;
use super::session::Session;
use super::{dynamodb, glue, iam, kafka, kms, s3, ssm, sts, tagging};

/// What is collected, in order.
pub static CATALOG: &[Entry] = &[
    Entry {
        kind: &s3::BUCKETS,
        source: Source::Handles(&[
            "TF_STATE_BUCKET",
            "S3_OBJECT_STORE_BUCKET",
            "S3_EVIDENCE_BUCKET",
            "S3_ARTIFACTS_BUCKET",
        ]),
    },
    Entry { kind: &dynamodb::TABLES, source: Source::Handles(&["TF_LOCK_TABLE"]) },
    Entry { kind: &kms::ALIASES, source: Source::Handles(&["KMS_KEY_ALIAS_PLATFORM"]) },
    Entry {
        kind: &iam::ROLES,
        source: Source::Handles(&["ROLE_EKS_NODEGROUP_DEV_FULL", "ROLE_EKS_RUNTIME_PLATFORM_BASE"]),
    },
    Entry { kind: &kafka::CLUSTERS, source: Source::Handles(&["MSK_CLUSTER_ARN"]) },
    Entry { kind: &glue::REGISTRIES, source: Source::Handles(&["GLUE_SCHEMA_REGISTRY_NAME"]) },
    Entry {
        kind: &glue::SCHEMAS,
        source: Source::Schema { registry: "GLUE_SCHEMA_REGISTRY_NAME", schema: "GLUE_ANCHOR_SCHEMA_NAME" },
    },
    Entry { kind: &ssm::PARAMETERS, source: Source::Handles(&["SSM_MSK_BOOTSTRAP_BROKERS_PATH"]) },
    Entry { kind: &ssm::COMPARED_VALUES, source: Source::Handles(&["SSM_MSK_BOOTSTRAP_BROKERS_PATH"]) },
    Entry { kind: &tagging::INVENTORIES, source: Source::Tag("TAG_PROJECT_KEY") },
];

/// The read that every run makes, whatever the registry pins.
pub static CALLER_IDENTITY: &Operation = &sts::GET_CALLER_IDENTITY;

/// One line of the catalog.
#[derive(Debug)]
pub struct Entry {
    /// What is read.
    pub kind: &'static Kind,
    /// Of which resources.
    pub source: Source,
}

/// Where the names of an entry's resources come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The values of these handles.
    Handles(&'static [&'static str]),
    /// A schema in a registry; where its handle is unpinned, the contract's anchor schema.
    Schema {
        /// The handle of the registry.
        registry: &'static str,
        /// The handle of the schema.
        schema: &'static str,
    },
    /// The tag key that this handle pins, with the value that it expects of the tag.
    Tag(&'static str),
}

/// A kind of resource: where its facts stand and how they are read.
#[derive(Debug)]
pub struct Kind {
    /// The service in the facts' path.
    pub service: &'static str,
    /// The kind in the facts' path.
    pub kind: &'static str,
    /// What is read of each resource.
    pub aspects: &'static [Aspect],
    pub(super) read: Read,
}

/// Reads one resource: every aspect of its kind, each as an observation.
pub(super) type Read = for<'a> fn(&'a Session<'a>, &'a Subject) -> BoxFuture<'a, Aspects>;

/// The aspects of one resource, by name.
pub(super) type Aspects = Vec<(&'static str, Observation)>;

/// One fact of a resource.
#[derive(Debug)]
pub struct Aspect {
    /// Its name in the fact's path.
    pub name: &'static str,
    /// The operations that it takes.
    pub operations: &'static [&'static Operation],
}

/// A resource to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    /// Its name in the facts' path.
    pub(super) name: String,
    /// Where two names make one resource: the first (a schema's registry, a tag's key); else empty.
    pub(super) within: String,
    /// … and the second (a schema's name, a tag's value); else the name.
    pub(super) part: String,
}

/// What the registry may leave unpinned: the contract's own values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The anchor schema.
    pub anchor_schema: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { anchor_schema: "fp.control.anchor.v1".to_owned() }
    }
}

impl Entry {
    /// The resources that the registry pins, each once even if two handles name it. An unpinned handle gives none: there is
    /// no name to file its facts under.
    pub(super) fn subjects(&self, handles: &BTreeMap<String, Handle>, defaults: &Defaults) -> BTreeSet<Subject> {
        match self.source {
            Source::Handles(names) => {
                names.iter().filter_map(|name| pinned(handles, name)).map(Subject::named).collect()
            }
            Source::Schema { registry, schema } => {
                let schema = pinned(handles, schema).unwrap_or(&defaults.anchor_schema);
                let subject = |registry: &str| Subject {
                    name: format!("{registry}/{schema}"),
                    within: registry.to_owned(),
                    part: schema.to_owned(),
                };
                pinned(handles, registry).map(subject).into_iter().collect()
            }
            Source::Tag(handle) => {
                let value = handles.get(handle).and_then(|handle| handle.expected_tag_value.as_deref());
                let subject = |(key, value): (&str, &str)| Subject {
                    name: value.to_owned(),
                    within: key.to_owned(),
                    part: value.to_owned(),
                };
                pinned(handles, handle).zip(value).map(subject).into_iter().collect()
            }
        }
    }
}

impl Subject {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), within: String::new(), part: name.to_owned() }
    }
}

/// The value of a handle, unless it is missing, `TO_PIN`, empty or no text.
pub(super) fn pinned<'a>(handles: &'a BTreeMap<String, Handle>, name: &str) -> Option<&'a str> {
    match &handles.get(name)?.value {
        Value::String(value) if !value.trim().is_empty() && value != "TO_PIN" => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn handle(value: Value, tag: Option<&str>) -> Handle {
        Handle {
            value,
            line: 1,
            repeated_on: Vec::new(),
            resolved_through: Vec::new(),
            expected_tag_value: tag.map(str::to_owned),
        }
    }

    #[test]
    fn only_pinned_handles_lead_to_reads() {
        let handles = BTreeMap::from([
            ("TF_STATE_BUCKET".to_owned(), handle(json!("state"), None)),
            ("S3_EVIDENCE_BUCKET".to_owned(), handle(json!("state"), None)),
            ("S3_ARTIFACTS_BUCKET".to_owned(), handle(json!("TO_PIN"), None)),
            ("S3_OBJECT_STORE_BUCKET".to_owned(), handle(json!(" "), None)),
            ("TF_LOCK_TABLE".to_owned(), handle(json!(3), None)),
            ("GLUE_SCHEMA_REGISTRY_NAME".to_owned(), handle(json!("registry"), None)),
            ("TAG_PROJECT_KEY".to_owned(), handle(json!("project"), Some("fraud"))),
        ]);
        let subjects: Vec<(&str, &str, String)> = CATALOG
            .iter()
            .flat_map(|entry| {
                let subjects = entry.subjects(&handles, &Defaults::default());
                subjects.into_iter().map(|subject| (entry.kind.service, entry.kind.kind, subject.name))
            })
            .collect();
        let expected = [
            ("s3", "buckets", "state"),
            ("glue", "registries", "registry"),
            ("glue", "schemas", "registry/fp.control.anchor.v1"),
            ("tagging", "inventories", "fraud"),
        ];
        assert_eq!(subjects, expected.map(|(service, kind, name)| (service, kind, name.to_owned())));
    }

    #[test]
    fn every_read_names_its_service_and_action() {
        for kind in CATALOG.iter().map(|entry| entry.kind) {
            for operation in kind.aspects.iter().flat_map(|aspect| aspect.operations) {
                assert_eq!(operation.service, kind.service, "{}", operation.name);
                assert!(operation.action.is_some_and(|action| action.contains(':')), "{}", operation.name);
            }
        }
    }
}
