//! EKS: clusters and their node groups.

use aws_sdk_eks::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::call::{Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "eks";
const ABSENT: &[&str] = &["ResourceNotFoundException"];

static DESCRIBE_CLUSTER: Operation =
    Operation::json(SERVICE, "DescribeCluster", "eks:DescribeCluster", "cluster").absent(ABSENT);
static LIST_NODEGROUPS: Operation =
    Operation::json(SERVICE, "ListNodegroups", "eks:ListNodegroups", "nodegroups").absent(ABSENT);

/// A cluster.
pub(super) static CLUSTERS: Kind = Kind {
    service: SERVICE,
    kind: "clusters",
    aspects: &[
        Aspect { name: "cluster", operations: &[&DESCRIBE_CLUSTER] },
        Aspect { name: "nodegroups", operations: &[&LIST_NODEGROUPS] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let name = subject.name.as_str();
        let client = session.client(session.connection.region(), Client::new);
        let (cluster, nodegroups) = futures::join!(
            send!(json: session.call(&DESCRIBE_CLUSTER, name), client.describe_cluster(), "name" => name(name)),
            nodegroups(session, &client, name),
        );
        vec![("cluster", observe(cluster)), ("nodegroups", observe(nodegroups))]
    }
    .boxed()
}

async fn nodegroups(session: &Session<'_>, client: &Client, cluster: &str) -> Outcome {
    let mut pages = Pages::new(&LIST_NODEGROUPS);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&LIST_NODEGROUPS, cluster).page(page.number),
            client.list_nodegroups(),
            "clusterName" => cluster_name(cluster),
            "nextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "nodegroups", "nextToken")?;
    }
    Ok(pages.finish().map(|nodegroups| json!({ "nodegroups": nodegroups })))
}
