//! Lambda: functions, who may invoke them, and what becomes of failed events.

use aws_sdk_lambda::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value};

use crate::collect::function_source;

use super::body::policy_document;
use super::call::{Call, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::hide;
use super::operation::Operation;
use super::session::Session;

const SERVICE: &str = "lambda";
const ABSENT: &[&str] = &["ResourceNotFoundException"];

static GET_FUNCTION_CONFIGURATION: Operation =
    Operation::json(SERVICE, "GetFunctionConfiguration", "lambda:GetFunctionConfiguration", "FunctionName")
        .absent(ABSENT)
        .hiding(hide_environment);
static GET_POLICY: Operation = Operation::json(SERVICE, "GetPolicy", "lambda:GetPolicy", "Policy").absent(ABSENT);
static GET_FUNCTION_EVENT_INVOKE_CONFIG: Operation =
    Operation::json(SERVICE, "GetFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig", "FunctionArn")
        .absent(ABSENT);

/// A function.
pub(super) static FUNCTIONS: Kind = Kind {
    service: SERVICE,
    kind: "functions",
    aspects: &[
        Aspect { name: "configuration", operations: &[&GET_FUNCTION_CONFIGURATION] },
        Aspect { name: "policy", operations: &[&GET_POLICY] },
        Aspect { name: "event_invoke_config", operations: &[&GET_FUNCTION_EVENT_INVOKE_CONFIG] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let name = subject.name.as_str();
        let client = session.client(session.connection.region(), Client::new);
        let call = |operation| session.call(operation, name);
        let (configuration, policy, event_invoke_config) = futures::join!(
            send!(
                json: call(&GET_FUNCTION_CONFIGURATION),
                client.get_function_configuration(),
                "FunctionName" => function_name(name),
            ),
            policy(call(&GET_POLICY), &client, name),
            send!(
                json: call(&GET_FUNCTION_EVENT_INVOKE_CONFIG),
                client.get_function_event_invoke_config(),
                "FunctionName" => function_name(name),
            ),
        );
        vec![
            ("configuration", observe(configuration)),
            ("policy", observe(policy)),
            ("event_invoke_config", observe(event_invoke_config)),
        ]
    }
    .boxed()
}

/// The API wraps the policy document into a string; the document itself takes its place.
async fn policy(call: Call<'_>, client: &Client, name: &str) -> Outcome {
    let answer = send!(json: call, client.get_policy(), "FunctionName" => function_name(name)).await?;
    answer.try_map(&GET_POLICY, |mut body| {
        let document = policy_document(body["Policy"].as_str().ok_or("the answer's `Policy` is no text")?)?;
        body["Policy"] = document;
        Ok(body)
    })
}

fn hide_environment(session: &Session<'_>, answer: &mut Map<String, Value>) -> Result<(), String> {
    let source = answer.get("FunctionName").and_then(Value::as_str).map(function_source);
    let Some(environment) = hide::object(answer, "Environment")? else { return Ok(()) };
    if let Some(variables) = hide::object(environment, "Variables")? {
        hide::variables(session, variables, source.as_deref());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::catalog::handle;
    use super::super::session::offline;
    use super::*;

    #[tokio::test]
    async fn a_variable_is_plain_only_where_it_repeats_its_handle() {
        let handles = BTreeMap::from([
            ("IG_MAX_REQUEST_BYTES".to_owned(), handle(json!(1_048_576))),
            ("IG_AUTH_MODE".to_owned(), handle(json!("api_key"))),
            ("IG_DLQ_MODE".to_owned(), handle(json!("sqs"))),
        ]);
        let variables = json!({
            "IG_MAX_REQUEST_BYTES": "1048576",
            "IG_AUTH_MODE": "something else",
            "OTHER": "sqs",
            "NUMBER": 5,
        });
        offline(&handles, |session| {
            let fingerprint = |text: &str| session.redactor.fingerprint(text);
            let mut answer = json!({"FunctionName": "f", "Environment": {"Variables": variables}});
            hide_environment(session, answer.as_object_mut().unwrap()).unwrap();
            let expected = json!({
                "IG_MAX_REQUEST_BYTES": "1048576",
                "IG_AUTH_MODE": fingerprint("something else"),
                "OTHER": fingerprint("sqs"),
                "NUMBER": fingerprint("5"),
            });
            assert_eq!(answer["Environment"]["Variables"], expected);
            assert!(!session.redactor.redact_text("it says something else now").contains("something else"));

            for bare in [json!({"FunctionName": "f"}), json!({"Environment": {}})] {
                assert_eq!(hide_environment(session, bare.clone().as_object_mut().unwrap()), Ok(()), "{bare}");
            }
            for wrong in [json!({"Environment": "text"}), json!({"Environment": {"Variables": ["text"]}})] {
                assert!(hide_environment(session, wrong.clone().as_object_mut().unwrap()).is_err(), "{wrong}");
            }
        })
        .await;
    }
}
