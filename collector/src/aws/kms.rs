//! KMS: the key behind an alias.

use aws_sdk_kms::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::call::{Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "kms";
const ABSENT: &[&str] = &["NotFoundException"];

static DESCRIBE_KEY: Operation =
    Operation::json(SERVICE, "DescribeKey", "kms:DescribeKey", "KeyMetadata").absent(ABSENT);
static GET_KEY_ROTATION_STATUS: Operation =
    Operation::json(SERVICE, "GetKeyRotationStatus", "kms:GetKeyRotationStatus", "KeyRotationEnabled").absent(ABSENT);
static LIST_RESOURCE_TAGS: Operation =
    Operation::json(SERVICE, "ListResourceTags", "kms:ListResourceTags", "Tags").absent(ABSENT);

/// An alias.
pub(super) static ALIASES: Kind = Kind {
    service: SERVICE,
    kind: "aliases",
    aspects: &[
        Aspect { name: "key", operations: &[&DESCRIBE_KEY] },
        Aspect { name: "rotation", operations: &[&DESCRIBE_KEY, &GET_KEY_ROTATION_STATUS] },
        Aspect { name: "tags", operations: &[&DESCRIBE_KEY, &LIST_RESOURCE_TAGS] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let alias = subject.name.as_str();
        let client = session.client(session.connection.region(), Client::new);
        let key =
            send!(json: session.call(&DESCRIBE_KEY, alias), client.describe_key(), "KeyId" => key_id(alias)).await;
        let (rotation, tags) =
            futures::join!(rotation(session, &client, alias, &key), tags(session, &client, alias, &key));
        vec![("key", observe(key)), ("rotation", observe(rotation)), ("tags", observe(tags))]
    }
    .boxed()
}

async fn rotation(session: &Session<'_>, client: &Client, alias: &str, key: &Outcome) -> Outcome {
    let id = key_id(key)?;
    let call = session.call(&GET_KEY_ROTATION_STATUS, alias);
    send!(json: call, client.get_key_rotation_status(), "KeyId" => key_id(id)).await
}

async fn tags(session: &Session<'_>, client: &Client, alias: &str, key: &Outcome) -> Outcome {
    let id = key_id(key)?;
    let mut pages = Pages::new(&LIST_RESOURCE_TAGS);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&LIST_RESOURCE_TAGS, alias).page(page.number),
            client.list_resource_tags(),
            "KeyId" => key_id(id),
            "Marker" => set_marker(page.token),
        )
        .await;
        pages.add_json(answer, "Tags", "NextMarker")?;
    }
    Ok(pages.finish().map(|tags| json!({ "Tags": tags })))
}

/// The two reads below take a key's id, not an alias.
fn key_id(key: &Outcome) -> Result<&str, Failure> {
    let key = key.as_ref().map_err(|failure| failure.waited_for(&DESCRIBE_KEY))?;
    key.value
        .pointer("/KeyMetadata/KeyId")
        .and_then(|id| id.as_str())
        .ok_or_else(|| Failure::malformed(&DESCRIBE_KEY, "the key has no `KeyId`", key.receipts.clone()))
}
