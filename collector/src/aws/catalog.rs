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
use super::{
    apigatewayv2, budgets, cloudwatch, costexplorer, dynamodb, eks, glue, iam, kafka, kinesisanalyticsv2, kms, lambda,
    logs, s3, sagemaker, sfn, sqs, ssm, sts, tagging,
};

/// Every role that the platform acts as.
const ROLES: &[&str] = &[
    "ROLE_TERRAFORM_APPLY_DEV_FULL",
    "ROLE_EKS_NODEGROUP_DEV_FULL",
    "ROLE_EKS_RUNTIME_PLATFORM_BASE",
    "ROLE_FLINK_EXECUTION",
    "ROLE_LAMBDA_IG_EXECUTION",
    "ROLE_APIGW_IG_INVOKE",
    "ROLE_DDB_IG_IDEMPOTENCY_RW",
    "ROLE_STEP_FUNCTIONS_ORCHESTRATOR",
    "ROLE_MWAA_EXECUTION",
    "ROLE_SAGEMAKER_EXECUTION",
    "ROLE_DATABRICKS_CROSS_ACCOUNT_ACCESS",
];

/// Every path of a parameter that the platform reads.
pub(super) const SSM_PATHS: &[&str] = &[
    "SSM_MSK_BOOTSTRAP_BROKERS_PATH",
    "SSM_AURORA_ENDPOINT_PATH",
    "SSM_AURORA_READER_ENDPOINT_PATH",
    "SSM_AURORA_USERNAME_PATH",
    "SSM_AURORA_PASSWORD_PATH",
    "SSM_REDIS_ENDPOINT_PATH",
    "SSM_DATABRICKS_WORKSPACE_URL_PATH",
    "SSM_DATABRICKS_TOKEN_PATH",
    "SSM_MLFLOW_TRACKING_URI_PATH",
    "SSM_SAGEMAKER_MODEL_EXEC_ROLE_ARN_PATH",
    "SSM_MWAA_WEBSERVER_URL_PATH",
    "SSM_IG_API_KEY_PATH",
];

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
    Entry { kind: &dynamodb::TABLES, source: Source::Handles(&["TF_LOCK_TABLE", "DDB_IG_IDEMPOTENCY_TABLE"]) },
    Entry { kind: &kms::ALIASES, source: Source::Handles(&["KMS_KEY_ALIAS_PLATFORM"]) },
    Entry { kind: &iam::ROLES, source: Source::Handles(ROLES) },
    Entry { kind: &iam::SIMULATIONS, source: Source::Handles(ROLES) },
    Entry { kind: &kafka::CLUSTERS, source: Source::Handles(&["MSK_CLUSTER_ARN"]) },
    Entry { kind: &glue::REGISTRIES, source: Source::Handles(&["GLUE_SCHEMA_REGISTRY_NAME"]) },
    Entry {
        kind: &glue::SCHEMAS,
        source: Source::Schema { registry: "GLUE_SCHEMA_REGISTRY_NAME", schema: "GLUE_ANCHOR_SCHEMA_NAME" },
    },
    Entry { kind: &ssm::PARAMETERS, source: Source::Handles(SSM_PATHS) },
    Entry { kind: &ssm::COMPARED_VALUES, source: Source::Handles(&["SSM_MSK_BOOTSTRAP_BROKERS_PATH"]) },
    Entry { kind: &ssm::INVENTORIES, source: Source::Path { first: "PROJECT_SLUG", second: "ENV_NAME" } },
    Entry {
        kind: &sfn::STATE_MACHINES,
        source: Source::Handles(&[
            "SFN_PLATFORM_RUN_ORCHESTRATOR_V0",
            "SFN_LEARNING_PIPELINE_GATE_V0",
            "SFN_FINAL_VERDICT_AGGREGATOR_V0",
            "SR_READY_COMMIT_STATE_MACHINE",
        ]),
    },
    Entry { kind: &apigatewayv2::APIS, source: Source::Handles(&["APIGW_IG_API_ID"]) },
    Entry { kind: &lambda::FUNCTIONS, source: Source::Handles(&["LAMBDA_IG_HANDLER_NAME"]) },
    Entry { kind: &eks::CLUSTERS, source: Source::Handles(&["EKS_CLUSTER_NAME"]) },
    Entry { kind: &sqs::QUEUES, source: Source::Handles(&["IG_DLQ_QUEUE_NAME"]) },
    Entry {
        kind: &kinesisanalyticsv2::APPLICATIONS,
        source: Source::Handles(&[
            "FLINK_APP_WSP_STREAM_V0",
            "FLINK_APP_SR_READY_V0",
            "FLINK_APP_RTDL_IEG_V0",
            "FLINK_APP_RTDL_OFP_V0",
        ]),
    },
    Entry { kind: &sagemaker::ENDPOINTS, source: Source::Handles(&["SM_ENDPOINT_NAME"]) },
    Entry { kind: &budgets::BUDGETS, source: Source::Handles(&["AWS_BUDGET_NAME"]) },
    Entry { kind: &cloudwatch::ALARMS, source: Source::Prefix("ALARM_") },
    Entry { kind: &cloudwatch::DASHBOARDS, source: Source::Prefix("CW_DASHBOARD_") },
    Entry { kind: &logs::GROUPS, source: Source::Handles(&["CLOUDWATCH_LOG_GROUP_PREFIX"]) },
    Entry { kind: &costexplorer::WINDOWS, source: Source::Always(costexplorer::MONTH_TO_DATE) },
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
    /// The values of all handles whose names start like this.
    Prefix(&'static str),
    /// A schema in a registry; where its handle is unpinned, the contract's anchor schema.
    Schema {
        /// The handle of the registry.
        registry: &'static str,
        /// The handle of the schema.
        schema: &'static str,
    },
    /// The tag key that this handle pins, with the value that it expects of the tag.
    Tag(&'static str),
    /// The path that two handles make: `/<first>/<second>`.
    Path {
        /// The handle of the first step.
        first: &'static str,
        /// The handle of the second step.
        second: &'static str,
    },
    /// One resource of this name, whatever the registry pins.
    Always(&'static str),
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
    /// Whether topics are to be listed: `REQUIRED`, or anything else.
    pub topic_probe_policy: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { anchor_schema: "fp.control.anchor.v1".to_owned(), topic_probe_policy: "NOT_REQUIRED_AT_M2D".to_owned() }
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
            Source::Prefix(prefix) => {
                let names = handles.keys().filter(|name| name.starts_with(prefix));
                names.filter_map(|name| pinned(handles, name)).map(Subject::named).collect()
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
            Source::Path { first, second } => {
                let path = |(first, second)| Subject::named(&format!("/{first}/{second}"));
                pinned(handles, first).zip(pinned(handles, second)).map(path).into_iter().collect()
            }
            Source::Always(name) => BTreeSet::from([Subject::named(name)]),
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

/// A handle of this value, for tests.
#[cfg(test)]
pub(super) fn handle(value: Value) -> Handle {
    Handle { value, line: 1, repeated_on: Vec::new(), resolved_through: Vec::new(), expected_tag_value: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tag(key: &str, value: &str) -> Handle {
        Handle { expected_tag_value: Some(value.to_owned()), ..handle(json!(key)) }
    }

    #[test]
    fn only_pinned_handles_lead_to_reads() {
        let handles = BTreeMap::from([
            ("TF_STATE_BUCKET".to_owned(), handle(json!("state"))),
            ("S3_EVIDENCE_BUCKET".to_owned(), handle(json!("state"))),
            ("S3_ARTIFACTS_BUCKET".to_owned(), handle(json!("TO_PIN"))),
            ("S3_OBJECT_STORE_BUCKET".to_owned(), handle(json!(" "))),
            ("TF_LOCK_TABLE".to_owned(), handle(json!(3))),
            ("GLUE_SCHEMA_REGISTRY_NAME".to_owned(), handle(json!("registry"))),
            ("TAG_PROJECT_KEY".to_owned(), tag("project", "fraud")),
            ("PROJECT_SLUG".to_owned(), handle(json!("fraud"))),
            ("ENV_NAME".to_owned(), handle(json!("dev"))),
            ("SFN_PLATFORM_RUN_ORCHESTRATOR_V0".to_owned(), handle(json!("run"))),
            ("SR_READY_COMMIT_STATE_MACHINE".to_owned(), handle(json!("run"))),
            ("ALARM_OF_A_LATER_PHASE".to_owned(), handle(json!("late"))),
            ("ALARM_TO_COME".to_owned(), handle(json!("TO_PIN"))),
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
            ("ssm", "inventories", "/fraud/dev"),
            ("sfn", "state_machines", "run"),
            ("cloudwatch", "alarms", "late"),
            ("costexplorer", "windows", "month_to_date"),
            ("tagging", "inventories", "fraud"),
        ];
        assert_eq!(subjects, expected.map(|(service, kind, name)| (service, kind, name.to_owned())));
    }

    #[test]
    fn every_read_names_its_service_and_action() {
        for kind in CATALOG.iter().map(|entry| entry.kind) {
            let operations = kind.aspects.iter().flat_map(|aspect| aspect.operations).copied();
            // The one that reads of several services wait for.
            for operation in operations.filter(|operation| operation.name != CALLER_IDENTITY.name) {
                assert_eq!(operation.service, kind.service, "{}", operation.name);
                assert!(operation.action.is_some_and(|action| action.contains(':')), "{}", operation.name);
            }
        }
    }
}
