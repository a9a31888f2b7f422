//! SQS: queues.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::call::{Failure, Outcome, after, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::session::Session;

const SERVICE: &str = "sqs";
// The code, and the code of the API's older protocol, which clients that know it read in its place.
const ABSENT: &[&str] = &["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

static GET_QUEUE_URL: Operation = Operation::json(SERVICE, "GetQueueUrl", "sqs:GetQueueUrl", "QueueUrl").absent(ABSENT);
static GET_QUEUE_ATTRIBUTES: Operation =
    Operation::json(SERVICE, "GetQueueAttributes", "sqs:GetQueueAttributes", "Attributes").absent(ABSENT);

/// A queue.
pub(super) static QUEUES: Kind = Kind {
    service: SERVICE,
    kind: "queues",
    aspects: &[Aspect { name: "queue", operations: &[&GET_QUEUE_URL, &GET_QUEUE_ATTRIBUTES] }],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("queue", observe(queue(session, &subject.name).await))] }.boxed()
}

async fn queue(session: &Session<'_>, name: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let call = session.call(&GET_QUEUE_URL, name);
    let answer = send!(json: call, client.get_queue_url(), "QueueName" => queue_name(name)).await?;
    let Some(url) = answer.value["QueueUrl"].as_str() else {
        return Err(Failure::malformed(&GET_QUEUE_URL, "the answer's `QueueUrl` is no text", answer.receipts));
    };
    let attributes = send!(
        json: session.call(&GET_QUEUE_ATTRIBUTES, name).with("AttributeNames", &["All"]),
        client.get_queue_attributes().attribute_names(QueueAttributeName::All),
        "QueueUrl" => queue_url(url),
    )
    .await;
    let attributes = after(&answer.receipts, attributes)?;
    Ok(attributes.map(|body| json!({"QueueUrl": url, "Attributes": body["Attributes"]})))
}
