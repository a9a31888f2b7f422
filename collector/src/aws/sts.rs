//! STS: who asks.

use aws_sdk_sts::Client;
use serde_json::{Value, json};

use super::call::{Outcome, send};
use super::operation::Operation;
use super::session::Session;

/// Needs no permission: AWS answers it even to a principal that everything is denied to.
pub(super) static GET_CALLER_IDENTITY: Operation =
    Operation::xml("sts", "GetCallerIdentity", None, "GetCallerIdentityResponse", &["GetCallerIdentityResult"]);

pub(super) async fn caller_identity(session: &Session<'_>) -> Outcome<Value> {
    let client = session.client(session.connection.region(), Client::new);
    send!(typed: session.call(&GET_CALLER_IDENTITY, "caller"), client.get_caller_identity()).await?.try_map(
        &GET_CALLER_IDENTITY,
        |output| match (output.account, output.arn, output.user_id) {
            (Some(account), Some(arn), Some(user_id)) => Ok(json!({"Account": account, "Arn": arn, "UserId": user_id})),
            _ => Err("the answer names no caller".to_owned()),
        },
    )
}
