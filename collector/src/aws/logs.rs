//! CloudWatch Logs: log groups.

use aws_sdk_cloudwatchlogs::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use super::body::picked;
use super::call::{Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "logs";
const GROUP: [&str; 3] = ["logGroupName", "retentionInDays", "arn"];

static DESCRIBE_LOG_GROUPS: Operation =
    Operation::json(SERVICE, "DescribeLogGroups", "logs:DescribeLogGroups", "logGroups");

/// Every log group whose name begins alike, by that beginning.
pub(super) static GROUPS: Kind = Kind {
    service: SERVICE,
    kind: "groups",
    aspects: &[Aspect { name: "groups", operations: &[&DESCRIBE_LOG_GROUPS] }],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("groups", observe(groups(session, &subject.name).await))] }.boxed()
}

async fn groups(session: &Session<'_>, prefix: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let mut pages = Pages::new(&DESCRIBE_LOG_GROUPS);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&DESCRIBE_LOG_GROUPS, prefix).page(page.number),
            client.describe_log_groups(),
            "logGroupNamePrefix" => log_group_name_prefix(prefix),
            "nextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "logGroups", "nextToken")?;
    }
    // What is stored changes from second to second and is no setting.
    Ok(pages.finish().map(|groups| {
        let groups: Vec<Value> = groups.iter().map(|group| picked(group, &GROUP)).collect();
        json!({ "logGroups": groups })
    }))
}
