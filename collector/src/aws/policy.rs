//! The IAM policy that a collection needs, made from the catalog: what is not read is not in it.
//!
//! ```text
//! catalog ─► operations ─► actions ─┐
//! handles ─► subjects ─► ARNs ──────┴─► one statement per service and set of resources
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::fact::Handle;
use crate::terraform::{STACKS, key_handle};

use super::catalog::{CALLER_IDENTITY, CATALOG, Defaults, pinned};
use super::kafka;

/// Actions that AWS can allow for single resources whose ARN follows from a handle, and how: `{}` is what the handle pins. A handle
/// that pins an ARN stands for itself. Every other action is asked for with `*`.
const SCOPED: &[(&str, &str)] = &[
    ("dynamodb:DescribeContinuousBackups", "arn:aws:dynamodb:*:*:table/{}"),
    ("dynamodb:DescribeTable", "arn:aws:dynamodb:*:*:table/{}"),
    ("dynamodb:DescribeTimeToLive", "arn:aws:dynamodb:*:*:table/{}"),
    ("dynamodb:ListTagsOfResource", "arn:aws:dynamodb:*:*:table/{}"),
    ("eks:DescribeCluster", "arn:aws:eks:*:*:cluster/{}"),
    ("eks:ListNodegroups", "arn:aws:eks:*:*:cluster/{}"),
    ("iam:GetRole", "arn:aws:iam::*:role/{}"),
    ("iam:GetRolePolicy", "arn:aws:iam::*:role/{}"),
    ("iam:ListAttachedRolePolicies", "arn:aws:iam::*:role/{}"),
    ("iam:ListRolePolicies", "arn:aws:iam::*:role/{}"),
    ("iam:SimulatePrincipalPolicy", "arn:aws:iam::*:role/{}"),
    ("kafka:DescribeClusterV2", "{}"),
    ("kafka:GetBootstrapBrokers", "{}"),
    ("kafka:GetClusterPolicy", "{}"),
    ("lambda:GetFunctionConfiguration", "arn:aws:lambda:*:*:function:{}"),
    ("lambda:GetFunctionEventInvokeConfig", "arn:aws:lambda:*:*:function:{}"),
    ("lambda:GetPolicy", "arn:aws:lambda:*:*:function:{}"),
    ("s3:GetBucketLocation", "arn:aws:s3:::{}"),
    ("s3:GetBucketPublicAccessBlock", "arn:aws:s3:::{}"),
    ("s3:GetBucketTagging", "arn:aws:s3:::{}"),
    ("s3:GetBucketVersioning", "arn:aws:s3:::{}"),
    ("s3:GetEncryptionConfiguration", "arn:aws:s3:::{}"),
    ("s3:ListBucket", "arn:aws:s3:::{}"),
    ("sqs:GetQueueAttributes", "arn:aws:sqs:*:*:{}"),
    ("sqs:GetQueueUrl", "arn:aws:sqs:*:*:{}"),
    ("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/{}"),
];

/// The policy for what these handles lead to. Where they pin nothing that an action could be narrowed to, it is asked for with
/// `*`, so that no read is missing.
pub fn needed(handles: &BTreeMap<String, Handle>, defaults: &Defaults) -> Value {
    let mut actions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for entry in CATALOG {
        let subjects = entry.subjects(handles, defaults);
        let operations = entry.kind.aspects.iter().flat_map(|aspect| aspect.operations);
        for operation in operations.filter(|operation| !kafka::is_left_out(operation, handles, defaults)) {
            for action in operation.action.into_iter().chain(operation.also.iter().copied()) {
                let resources = actions.entry(action).or_default();
                resources.extend(subjects.iter().filter_map(|subject| arn(action, &subject.name)));
            }
        }
    }
    for action in CALLER_IDENTITY.action.into_iter().chain(CALLER_IDENTITY.also.iter().copied()) {
        actions.entry(action).or_default();
    }
    let mut statements: BTreeMap<(String, Vec<String>), BTreeSet<&str>> = BTreeMap::new();
    for (action, resources) in actions {
        let service = action.split(':').next().unwrap_or_default();
        statements.entry((sid(service), or_any(resources))).or_default().insert(action);
    }
    let mut written: Vec<Value> = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((service, resources), actions) in statements {
        let count = counts.entry(service.clone()).or_default();
        *count += 1;
        let sid = if *count == 1 { service } else { format!("{service}{count}") };
        written.push(statement(&sid, actions, &resources));
    }
    written.extend(backend(handles));
    json!({"Version": "2012-10-17", "Statement": written})
}

/// What Terraform's S3 backend needs for `init`, `plan` and `state pull`: the state, and the lock that a plan takes.
fn backend(handles: &BTreeMap<String, Handle>) -> [Value; 3] {
    let bucket = pinned(handles, "TF_STATE_BUCKET").map(|bucket| format!("arn:aws:s3:::{bucket}"));
    let key = |stack: &str| {
        let key = pinned(handles, &key_handle(stack))?;
        bucket.as_ref().map(|bucket| format!("{bucket}/{key}"))
    };
    let states = STACKS.iter().filter_map(|stack| key(stack)).collect();
    let table = pinned(handles, "TF_LOCK_TABLE").and_then(|table| arn("dynamodb:DescribeTable", table));
    [
        statement("TerraformStateBucket", ["s3:ListBucket"], &or_any(bucket.clone().into_iter().collect())),
        statement("TerraformStateObjects", ["s3:GetObject"], &or_any(states)),
        statement(
            "TerraformStateLock",
            ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"],
            &or_any(table.into_iter().collect()),
        ),
    ]
}

fn statement<'a>(sid: &str, actions: impl IntoIterator<Item = &'a str>, resources: &[String]) -> Value {
    let actions: Vec<&str> = actions.into_iter().collect();
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
}

fn or_any(resources: BTreeSet<String>) -> Vec<String> {
    if resources.is_empty() { vec!["*".to_owned()] } else { resources.into_iter().collect() }
}

/// The resource of an action, if it can be named.
fn arn(action: &str, name: &str) -> Option<String> {
    let (_, template) = SCOPED.iter().find(|(scoped, _)| *scoped == action)?;
    if name.starts_with("arn:") {
        return Some(name.to_owned());
    }
    // What has no ARN but its own cannot be named by anything else.
    (*template != "{}").then(|| template.replace("{}", name.trim_start_matches('/')))
}

/// Letters and digits are all that a statement's name may have.
fn sid(service: &str) -> String {
    let mut letters = service.chars().filter(char::is_ascii_alphanumeric);
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handles(pins: &[(&str, &str)]) -> BTreeMap<String, Handle> {
        let handle = |value: &str| Handle {
            value: json!(value),
            line: 1,
            repeated_on: Vec::new(),
            resolved_through: Vec::new(),
            expected_tag_value: None,
        };
        pins.iter().map(|(name, value)| ((*name).to_owned(), handle(value))).collect()
    }

    /// `Sid` → actions, resources.
    fn statements(policy: &Value) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
        let texts = |value: &Value| {
            let items = value.as_array().unwrap().iter();
            items.map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements
            .map(|statement| {
                assert_eq!(statement["Effect"], "Allow");
                let sid = statement["Sid"].as_str().unwrap().to_owned();
                (sid, (texts(&statement["Action"]), texts(&statement["Resource"])))
            })
            .collect()
    }

    #[test]
    fn every_operation_is_allowed_and_nothing_that_writes() {
        let policy = needed(&BTreeMap::new(), &Defaults::default());
        assert_eq!(policy["Version"], "2012-10-17");
        let statements = statements(&policy);
        assert_eq!(statements.len(), policy["Statement"].as_array().unwrap().len(), "every Sid is there once");
        let allowed: BTreeSet<&str> = statements
            .iter()
            .filter(|(sid, _)| !sid.starts_with("Terraform"))
            .flat_map(|(_, (actions, _))| actions.iter().map(String::as_str))
            .collect();
        let needed: BTreeSet<&str> = CATALOG
            .iter()
            .flat_map(|entry| entry.kind.aspects)
            .flat_map(|aspect| aspect.operations)
            .flat_map(|operation| operation.action.into_iter().chain(operation.also.iter().copied()))
            .collect();
        assert_eq!(allowed, needed);
        let reads = ["Get", "List", "Describe", "Head", "Simulate", "View", "GET"];
        // Without these two, a parameter's value and a cluster's topics cannot be read.
        let needed_to_read = ["kms:Decrypt", "kafka-cluster:Connect"];
        for action in allowed {
            let verb = action.split(':').nth(1).unwrap();
            assert!(needed_to_read.contains(&action) || reads.iter().any(|read| verb.starts_with(read)), "{action}");
            assert!(!verb.contains('*'), "{action}");
        }
        for (sid, (actions, resources)) in &statements {
            assert!(sid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{sid}");
            assert!(actions.is_sorted(), "{sid}");
            assert_eq!(resources, &["*"], "{sid}");
        }
    }

    #[test]
    fn topics_are_asked_for_only_while_they_may_be_listed() {
        let asks = |probe: &str| {
            let policy = needed(&handles(&[("TOPIC_PROBE_POLICY_M2D", probe)]), &Defaults::default()).to_string();
            ["kafka:ListTopics", "kafka-cluster:Connect", "kafka-cluster:DescribeTopic"]
                .map(|action| policy.contains(action))
        };
        assert_eq!(asks("REQUIRED"), [true; 3]);
        assert_eq!(asks("NOT_REQUIRED_AT_M2D"), [false; 3]);
        // What the handles leave open the defaults decide.
        assert_eq!(asks("TO_PIN"), [false; 3]);
    }

    #[test]
    fn handles_narrow_what_can_be_narrowed() {
        let policy = needed(
            &handles(&[
                ("TF_STATE_BUCKET", "state"),
                ("S3_EVIDENCE_BUCKET", "evidence"),
                ("TF_LOCK_TABLE", "lock"),
                ("TF_STATE_KEY_CORE", "dev/core.tfstate"),
                ("ROLE_EKS_NODEGROUP_DEV_FULL", "arn:aws:iam::123456789012:role/nodes"),
                ("ROLE_EKS_RUNTIME_PLATFORM_BASE", "TO_PIN"),
                ("SSM_MSK_BOOTSTRAP_BROKERS_PATH", "/platform/brokers"),
                ("KMS_KEY_ALIAS_PLATFORM", "alias/platform"),
            ]),
            &Defaults::default(),
        );
        let statements = statements(&policy);
        let resources = |action: &str, sids: &str| {
            let mut found = statements
                .iter()
                .filter(|(sid, (actions, _))| sid.starts_with(sids) && actions.iter().any(|allowed| allowed == action));
            found.next().map(|(_, (_, resources))| resources.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(resources("s3:ListBucket", "S3"), ["arn:aws:s3:::evidence", "arn:aws:s3:::state"]);
        assert!(resources("dynamodb:DescribeTable", "Dynamodb").contains(&"arn:aws:dynamodb:*:*:table/lock"));
        assert_eq!(resources("iam:GetRole", "Iam"), ["arn:aws:iam::123456789012:role/nodes"]);
        assert_eq!(resources("iam:GetPolicy", "Iam"), ["*"]);
        assert_eq!(resources("ssm:GetParameter", "Ssm"), ["arn:aws:ssm:*:*:parameter/platform/brokers"]);
        assert_eq!(resources("ssm:DescribeParameters", "Ssm"), ["*"]);
        // A key's ARN does not follow from its alias.
        assert_eq!(resources("kms:DescribeKey", "Kms"), ["*"]);
        assert_eq!(resources("s3:GetObject", "Terraform"), ["arn:aws:s3:::state/dev/core.tfstate"]);
        assert_eq!(resources("s3:ListBucket", "TerraformStateBucket"), ["arn:aws:s3:::state"]);
        assert_eq!(resources("dynamodb:PutItem", "Terraform"), ["arn:aws:dynamodb:*:*:table/lock"]);
    }
}
