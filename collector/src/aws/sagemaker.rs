//! SageMaker: endpoints, the one that is pinned and all that are live.

use aws_sdk_sagemaker::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use crate::fact::ReadErrorKind;

use super::body::picked;
use super::call::{Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "sagemaker";
const LISTED: [&str; 2] = ["EndpointName", "EndpointStatus"];

static DESCRIBE_ENDPOINT: Operation =
    Operation::json(SERVICE, "DescribeEndpoint", "sagemaker:DescribeEndpoint", "EndpointName");
static LIST_ENDPOINTS: Operation = Operation::json(SERVICE, "ListEndpoints", "sagemaker:ListEndpoints", "Endpoints");

/// An endpoint, and which endpoints the account has at all: each costs by the hour.
pub(super) static ENDPOINTS: Kind = Kind {
    service: SERVICE,
    kind: "endpoints",
    aspects: &[
        Aspect { name: "endpoint", operations: &[&DESCRIBE_ENDPOINT] },
        Aspect { name: "live", operations: &[&LIST_ENDPOINTS] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let name = subject.name.as_str();
        let client = session.client(session.connection.region(), Client::new);
        let (endpoint, live) = futures::join!(endpoint(session, &client, name), live(session, &client, name));
        vec![("endpoint", observe(endpoint)), ("live", observe(live))]
    }
    .boxed()
}

async fn endpoint(session: &Session<'_>, client: &Client, name: &str) -> Outcome {
    let call = session.call(&DESCRIBE_ENDPOINT, name);
    let answer = send!(json: call, client.describe_endpoint(), "EndpointName" => endpoint_name(name)).await;
    answer.map_err(told_apart)
}

/// SageMaker has one code for all that is wrong with a request; only the message says that the endpoint does not exist.
fn told_apart(mut failure: Failure) -> Failure {
    let error = &mut failure.error;
    if error.kind == ReadErrorKind::Rejected
        && error.code == "ValidationException"
        && error.message.starts_with("Could not find endpoint")
    {
        error.kind = ReadErrorKind::NotFound;
    }
    failure
}

async fn live(session: &Session<'_>, client: &Client, name: &str) -> Outcome {
    let mut pages = Pages::new(&LIST_ENDPOINTS);
    while let Some(page) = pages.next() {
        let answer = send!(
            json: session.call(&LIST_ENDPOINTS, name).page(page.number),
            client.list_endpoints(),
            "MaxResults" => max_results(100),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "Endpoints", "NextToken")?;
    }
    Ok(pages.finish().map(|endpoints| {
        let endpoints: Vec<Value> = endpoints.iter().map(|endpoint| picked(endpoint, &LISTED)).collect();
        json!({ "Endpoints": endpoints })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::ReadError;

    #[test]
    fn only_a_missing_endpoint_is_absent() {
        let told = |kind, code: &str, message: &str| {
            let error = ReadError { code: code.to_owned(), kind, message: message.to_owned(), action: None };
            told_apart(Failure::new(error, Vec::new())).error.kind
        };
        let missing = "Could not find endpoint \"arn:aws:sagemaker:eu-west-2:1:endpoint/e\".";
        assert_eq!(told(ReadErrorKind::Rejected, "ValidationException", missing), ReadErrorKind::NotFound);
        assert_eq!(told(ReadErrorKind::Rejected, "ValidationException", "Invalid name"), ReadErrorKind::Rejected);
        assert_eq!(told(ReadErrorKind::Rejected, "OtherException", missing), ReadErrorKind::Rejected);
        assert_eq!(told(ReadErrorKind::Server, "ValidationException", missing), ReadErrorKind::Server);
    }
}
