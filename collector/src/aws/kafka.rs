//! MSK: clusters, their brokers, their policy and their topics.

use std::collections::BTreeMap;

use aws_sdk_kafka::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use crate::fact::{Handle, Observation};

use super::Defaults;
use super::arn::region_of;
use super::body::policy_document;
use super::call::{Call, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject, pinned};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "kafka";
const ABSENT: &[&str] = &["NotFoundException"];

static DESCRIBE_CLUSTER_V2: Operation =
    Operation::json(SERVICE, "DescribeClusterV2", "kafka:DescribeClusterV2", "clusterInfo").absent(ABSENT);
// Which `bootstrapBrokerString…` it holds depends on the authentication that is on; without any it holds none.
static GET_BOOTSTRAP_BROKERS: Operation =
    Operation::json_object(SERVICE, "GetBootstrapBrokers", "kafka:GetBootstrapBrokers").absent(ABSENT);
static GET_CLUSTER_POLICY: Operation =
    Operation::json(SERVICE, "GetClusterPolicy", "kafka:GetClusterPolicy", "policy").absent(ABSENT);

// MSK asks the cluster on the caller's behalf.
static LIST_TOPICS: Operation = Operation::json(SERVICE, "ListTopics", "kafka:ListTopics", "topics")
    .absent(ABSENT)
    .also(&["kafka-cluster:Connect", "kafka-cluster:DescribeTopic"]);

/// The handle that says whether topics are to be probed, and the value by which it says so.
const TOPIC_PROBE_POLICY: &str = "TOPIC_PROBE_POLICY_M2D";
const PROBE_REQUIRED: &str = "REQUIRED";

/// A cluster, provisioned or serverless.
pub(super) static CLUSTERS: Kind = Kind {
    service: SERVICE,
    kind: "clusters",
    aspects: &[
        Aspect { name: "cluster", operations: &[&DESCRIBE_CLUSTER_V2] },
        Aspect { name: "bootstrap_brokers", operations: &[&GET_BOOTSTRAP_BROKERS] },
        Aspect { name: "policy", operations: &[&GET_CLUSTER_POLICY] },
        Aspect { name: "topics", operations: &[&LIST_TOPICS] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let arn = subject.name.as_str();
        // A cluster need not be in the run's region, and MSK answers for its own region only.
        let region = region_of(arn, SERVICE).unwrap_or(session.connection.region());
        let client = session.client(region, Client::new);
        let call = |operation| session.call(operation, arn).region(region);
        let (cluster, brokers, policy, topics) = futures::join!(
            send!(json: call(&DESCRIBE_CLUSTER_V2), client.describe_cluster_v2(), "ClusterArn" => cluster_arn(arn)),
            send!(json: call(&GET_BOOTSTRAP_BROKERS), client.get_bootstrap_brokers(), "ClusterArn" => cluster_arn(arn)),
            policy(call(&GET_CLUSTER_POLICY), &client, arn),
            topics(session, &client, region, arn),
        );
        vec![
            ("cluster", observe(cluster)),
            ("bootstrap_brokers", with_fingerprints(session, observe(brokers))),
            ("policy", observe(policy)),
            ("topics", topics),
        ]
    }
    .boxed()
}

/// The API wraps the policy document into a string; the document itself stands beside it as `Policy`.
async fn policy(call: Call<'_>, client: &Client, arn: &str) -> Outcome {
    let answer = send!(json: call, client.get_cluster_policy(), "ClusterArn" => cluster_arn(arn)).await?;
    answer.try_map(&GET_CLUSTER_POLICY, |mut body| {
        let document = policy_document(body["policy"].as_str().ok_or("the answer's `policy` is no text")?)?;
        body["Policy"] = document;
        Ok(body)
    })
}

/// The cluster's topics, where the probe policy asks for them: a cluster with private access only cannot be asked by most runs.
async fn topics(session: &Session<'_>, client: &Client, region: &str, arn: &str) -> Observation {
    let policy = probe_policy(session.context.handles, session.context.defaults);
    if policy != PROBE_REQUIRED {
        let reason = format!("the topic probe policy is `{policy}`, not `{PROBE_REQUIRED}`: topics are not listed");
        return Observation::not_collected(reason);
    }
    observe(listed_topics(session, client, region, arn).await)
}

/// Whether an operation is one that a collection with these handles leaves out. Without any it is not known what it leaves out.
pub(super) fn is_left_out(operation: &Operation, handles: &BTreeMap<String, Handle>, defaults: &Defaults) -> bool {
    std::ptr::eq(operation, &LIST_TOPICS) && !handles.is_empty() && probe_policy(handles, defaults) != PROBE_REQUIRED
}

fn probe_policy<'a>(handles: &'a BTreeMap<String, Handle>, defaults: &'a Defaults) -> &'a str {
    pinned(handles, TOPIC_PROBE_POLICY).unwrap_or(&defaults.topic_probe_policy)
}

async fn listed_topics(session: &Session<'_>, client: &Client, region: &str, arn: &str) -> Outcome {
    let mut pages = Pages::new(&LIST_TOPICS);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&LIST_TOPICS, arn).page(page.number).region(region),
            client.list_topics(),
            "ClusterArn" => cluster_arn(arn),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "topics", "nextToken")?;
    }
    Ok(pages.finish().map(|topics| json!({ "topics": topics })))
}

/// Brokers are no secret and stay readable; their fingerprints let a policy compare them with the redacted value of the SSM
/// parameter that should hold the same.
fn with_fingerprints(session: &Session<'_>, brokers: Observation) -> Observation {
    match brokers {
        Observation::Present { value, receipts, .. } => {
            let members = value.as_object().into_iter().flatten();
            let fingerprints: BTreeMap<String, String> = members
                .filter_map(|(name, brokers)| {
                    Some((format!("/{name}"), session.redactor.fingerprint(brokers.as_str()?)))
                })
                .collect();
            Observation::Present { value, fingerprints, receipts }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::handle;
    use super::*;

    #[test]
    fn the_handle_decides_on_the_probe_and_the_contract_where_it_is_unpinned() {
        let decided = |value: Option<&str>, default: &str| {
            let defaults = Defaults { topic_probe_policy: default.to_owned(), ..Defaults::default() };
            let handles: BTreeMap<String, Handle> =
                value.map(|value| (TOPIC_PROBE_POLICY.to_owned(), handle(json!(value)))).into_iter().collect();
            probe_policy(&handles, &defaults).to_owned()
        };
        assert_eq!(decided(None, PROBE_REQUIRED), PROBE_REQUIRED);
        assert_eq!(decided(Some("TO_PIN"), "NOT_REQUIRED_AT_M2D"), "NOT_REQUIRED_AT_M2D");
        assert_eq!(decided(Some("NOT_REQUIRED_AT_M2D"), PROBE_REQUIRED), "NOT_REQUIRED_AT_M2D");
        assert_eq!(decided(Some(PROBE_REQUIRED), "NOT_REQUIRED_AT_M2D"), PROBE_REQUIRED);
    }
}
