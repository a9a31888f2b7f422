//! DynamoDB: tables.

use aws_sdk_dynamodb::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::call::{Answer, Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "dynamodb";
const ABSENT: &[&str] = &["ResourceNotFoundException", "TableNotFoundException"];

static DESCRIBE_TABLE: Operation =
    Operation::json(SERVICE, "DescribeTable", "dynamodb:DescribeTable", "Table").absent(ABSENT);
static DESCRIBE_TIME_TO_LIVE: Operation =
    Operation::json(SERVICE, "DescribeTimeToLive", "dynamodb:DescribeTimeToLive", "TimeToLiveDescription")
        .absent(ABSENT);
static DESCRIBE_CONTINUOUS_BACKUPS: Operation = Operation::json(
    SERVICE,
    "DescribeContinuousBackups",
    "dynamodb:DescribeContinuousBackups",
    "ContinuousBackupsDescription",
)
.absent(ABSENT);
static LIST_TAGS_OF_RESOURCE: Operation =
    Operation::json(SERVICE, "ListTagsOfResource", "dynamodb:ListTagsOfResource", "Tags").absent(ABSENT);

/// A table.
pub(super) static TABLES: Kind = Kind {
    service: SERVICE,
    kind: "tables",
    aspects: &[
        Aspect { name: "table", operations: &[&DESCRIBE_TABLE] },
        Aspect { name: "time_to_live", operations: &[&DESCRIBE_TIME_TO_LIVE] },
        Aspect { name: "continuous_backups", operations: &[&DESCRIBE_CONTINUOUS_BACKUPS] },
        Aspect { name: "tags", operations: &[&DESCRIBE_TABLE, &LIST_TAGS_OF_RESOURCE] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let name = subject.name.as_str();
        let client = session.client(session.connection.region(), Client::new);
        let call = |operation| session.call(operation, name);
        let (table, time_to_live, continuous_backups) = futures::join!(
            send!(json: call(&DESCRIBE_TABLE), client.describe_table(), "TableName" => table_name(name)),
            send!(json: call(&DESCRIBE_TIME_TO_LIVE), client.describe_time_to_live(), "TableName" => table_name(name)),
            send!(
                json: call(&DESCRIBE_CONTINUOUS_BACKUPS),
                client.describe_continuous_backups(),
                "TableName" => table_name(name),
            ),
        );
        let tags = tags(session, &client, name, &table).await;
        vec![
            ("table", observe(table)),
            ("time_to_live", observe(time_to_live)),
            ("continuous_backups", observe(continuous_backups)),
            ("tags", observe(tags)),
        ]
    }
    .boxed()
}

async fn tags(session: &Session<'_>, client: &Client, name: &str, table: &Outcome) -> Outcome {
    let table = table.as_ref().map_err(|failure| failure.waited_for(&DESCRIBE_TABLE))?;
    let Some(arn) = table.value.pointer("/Table/TableArn").and_then(|arn| arn.as_str()) else {
        return Err(Failure::malformed(&DESCRIBE_TABLE, "the table has no `TableArn`", table.receipts.clone()));
    };
    let mut pages = Pages::new(&LIST_TAGS_OF_RESOURCE);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&LIST_TAGS_OF_RESOURCE, name).page(page.number),
            client.list_tags_of_resource(),
            "ResourceArn" => resource_arn(arn),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "Tags", "NextToken")?;
    }
    let Answer { value, receipts } = pages.finish();
    Ok(Answer { value: json!({ "Tags": value }), receipts })
}
