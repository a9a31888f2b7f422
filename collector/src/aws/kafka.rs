//! MSK: clusters, their brokers and their policy.

use std::collections::BTreeMap;

use aws_sdk_kafka::Client;
use futures::future::{BoxFuture, FutureExt};

use crate::fact::Observation;

use super::body::policy_document;
use super::call::{Call, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
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

/// A cluster, provisioned or serverless.
pub(super) static CLUSTERS: Kind = Kind {
    service: SERVICE,
    kind: "clusters",
    aspects: &[
        Aspect { name: "cluster", operations: &[&DESCRIBE_CLUSTER_V2] },
        Aspect { name: "bootstrap_brokers", operations: &[&GET_BOOTSTRAP_BROKERS] },
        Aspect { name: "policy", operations: &[&GET_CLUSTER_POLICY] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let arn = subject.name.as_str();
        // A cluster need not be in the run's region, and MSK answers for its own region only.
        let region = region_of(arn).unwrap_or(session.connection.region());
        let client = session.client(region, Client::new);
        let call = |operation| session.call(operation, arn).region(region);
        let (cluster, brokers, policy) = futures::join!(
            send!(json: call(&DESCRIBE_CLUSTER_V2), client.describe_cluster_v2(), "ClusterArn" => cluster_arn(arn)),
            send!(json: call(&GET_BOOTSTRAP_BROKERS), client.get_bootstrap_brokers(), "ClusterArn" => cluster_arn(arn)),
            policy(call(&GET_CLUSTER_POLICY), &client, arn),
        );
        vec![
            ("cluster", observe(cluster)),
            ("bootstrap_brokers", with_fingerprints(session, observe(brokers))),
            ("policy", observe(policy)),
        ]
    }
    .boxed()
}

fn region_of(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    match (parts.next(), parts.nth(1), parts.next()) {
        (Some("arn"), Some("kafka"), Some(region)) if !region.is_empty() => Some(region),
        _ => None,
    }
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
    use super::*;

    #[test]
    fn the_arn_names_the_region() {
        assert_eq!(region_of("arn:aws:kafka:eu-west-1:123456789012:cluster/c/u"), Some("eu-west-1"));
        for other in ["", "c", "arn:aws:kafka::1:cluster/c", "arn:aws:iam:eu-west-1:1:role/r"] {
            assert_eq!(region_of(other), None, "{other}");
        }
    }
}
