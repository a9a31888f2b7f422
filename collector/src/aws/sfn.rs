//! Step Functions: state machines.

use aws_sdk_sfn::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value};

use super::arn::region_of;
use super::call::{Answer, Failure, Outcome, after, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "sfn";
const NOT_FOUND: &str = "StateMachineDoesNotExist";

static LIST_STATE_MACHINES: Operation =
    Operation::json(SERVICE, "ListStateMachines", "states:ListStateMachines", "stateMachines");
static DESCRIBE_STATE_MACHINE: Operation =
    Operation::json(SERVICE, "DescribeStateMachine", "states:DescribeStateMachine", "stateMachineArn")
        .absent(&[NOT_FOUND])
        .hiding(without_definition);

/// A state machine, by name or ARN.
pub(super) static STATE_MACHINES: Kind = Kind {
    service: SERVICE,
    kind: "state_machines",
    aspects: &[Aspect { name: "state_machine", operations: &[&LIST_STATE_MACHINES, &DESCRIBE_STATE_MACHINE] }],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("state_machine", observe(state_machine(session, &subject.name).await))] }.boxed()
}

/// The API describes by ARN only; a handle that holds a name is looked up in the list of all state machines.
async fn state_machine(session: &Session<'_>, handle: &str) -> Outcome {
    if handle.starts_with("arn:") {
        let region = region_of(handle, "states").unwrap_or(session.connection.region());
        return described(session, region, handle, handle).await;
    }
    let region = session.connection.region();
    let client = session.client(region, Client::new);
    let mut pages = Pages::new(&LIST_STATE_MACHINES);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&LIST_STATE_MACHINES, handle).page(page.number),
            client.list_state_machines(),
            "maxResults" => max_results(1000),
            "nextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "stateMachines", "nextToken")?;
    }
    let Answer { value: listed, receipts } = pages.finish();
    let Some(listed) = listed.iter().find(|machine| machine["name"] == handle) else {
        let message = "the complete list of state machines lacks this name";
        return Err(Failure::unlisted(&LIST_STATE_MACHINES, NOT_FOUND, message, receipts));
    };
    let Some(arn) = listed["stateMachineArn"].as_str() else {
        let message = "a listed state machine has no `stateMachineArn`";
        return Err(Failure::malformed(&LIST_STATE_MACHINES, message, receipts));
    };
    after(&receipts, described(session, region, handle, arn).await)
}

async fn described(session: &Session<'_>, region: &str, handle: &str, arn: &str) -> Outcome {
    let client = session.client(region, Client::new);
    let call = session.call(&DESCRIBE_STATE_MACHINE, handle).region(region);
    send!(json: call, client.describe_state_machine(), "stateMachineArn" => state_machine_arn(arn)).await
}

/// A definition is a program: long, no fact that a rule reads, and free to hold any text.
fn without_definition(_: &Session<'_>, answer: &mut Map<String, Value>) -> Result<(), String> {
    answer.remove("definition");
    Ok(())
}
