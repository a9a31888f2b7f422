//! STS: who asks, and in which account.

use aws_sdk_sts::Client;
use serde_json::{Value, json};

use super::call::{Outcome, send};
use super::operation::Operation;
use super::session::Session;

/// Needs no permission: AWS answers it even to a principal that everything is denied to.
pub(super) static GET_CALLER_IDENTITY: Operation =
    Operation::xml("sts", "GetCallerIdentity", None, "GetCallerIdentityResponse", &["GetCallerIdentityResult"]);

/// The account of the run's reads, with which names are made complete.
pub(super) struct Account {
    /// Its twelve digits.
    pub(super) id: String,
    /// What ARNs begin with behind `arn:`.
    pub(super) partition: String,
}

/// Who asks; asked once in the whole run.
pub(super) async fn caller_identity(session: &Session<'_>) -> Outcome<Value> {
    session.once("sts caller identity".to_owned(), asked(session)).await
}

/// The account, for a read that must wait for it.
pub(super) async fn account(session: &Session<'_>) -> Outcome<Account> {
    let identity = caller_identity(session).await.map_err(|failure| failure.waited_for(&GET_CALLER_IDENTITY))?;
    identity.try_map(&GET_CALLER_IDENTITY, |identity| {
        let text = |member: &str| identity[member].as_str().unwrap_or_default();
        match text("Arn").split(':').nth(1) {
            Some(partition) => Ok(Account { id: text("Account").to_owned(), partition: partition.to_owned() }),
            None => Err("the caller has no ARN".to_owned()),
        }
    })
}

async fn asked(session: &Session<'_>) -> Outcome<Value> {
    let client = session.client(session.connection.region(), Client::new);
    send!(typed: session.call(&GET_CALLER_IDENTITY, "caller"), client.get_caller_identity()).await?.try_map(
        &GET_CALLER_IDENTITY,
        |output| match (output.account, output.arn, output.user_id) {
            (Some(account), Some(arn), Some(user_id)) => Ok(json!({"Account": account, "Arn": arn, "UserId": user_id})),
            _ => Err("the answer names no caller".to_owned()),
        },
    )
}
