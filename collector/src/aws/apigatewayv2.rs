//! API Gateway: HTTP APIs, their stages, routes, integrations and authorizers.

use aws_sdk_apigatewayv2::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value, json};

use super::call::{Failure, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::hide;
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "apigatewayv2";
const ABSENT: &[&str] = &["NotFoundException"];

// API Gateway's permissions are the HTTP methods of its own API.
const GET: &str = "apigateway:GET";

static GET_API: Operation = Operation::json(SERVICE, "GetApi", GET, "apiId").absent(ABSENT);
static GET_STAGES: Operation =
    Operation::json(SERVICE, "GetStages", GET, "items").absent(ABSENT).hiding(hide_stage_variables);
static GET_ROUTES: Operation = Operation::json(SERVICE, "GetRoutes", GET, "items").absent(ABSENT);
static GET_INTEGRATIONS: Operation = Operation::json(SERVICE, "GetIntegrations", GET, "items").absent(ABSENT);
static GET_AUTHORIZERS: Operation = Operation::json(SERVICE, "GetAuthorizers", GET, "items").absent(ABSENT);

/// An API, by its id.
pub(super) static APIS: Kind = Kind {
    service: SERVICE,
    kind: "apis",
    aspects: &[
        Aspect { name: "api", operations: &[&GET_API] },
        Aspect { name: "stages", operations: &[&GET_STAGES] },
        Aspect { name: "routes", operations: &[&GET_ROUTES] },
        Aspect { name: "integrations", operations: &[&GET_INTEGRATIONS] },
        Aspect { name: "authorizers", operations: &[&GET_AUTHORIZERS] },
    ],
    read,
};

/// Every item of one of the API's lists, which differ in nothing but their names.
macro_rules! items {
    ($session:ident, $id:ident, $operation:ident, $request:expr) => {
        async {
            let mut pages = Pages::new(&$operation);
            while let Some(page) = pages.next() {
                let answer = send!(
                    json: $session.call(&$operation, $id).page(page.number),
                    $request,
                    "ApiId" => api_id($id),
                    "NextToken" => set_next_token(page.token),
                )
                .await;
                pages.add_json(answer, "items", "nextToken")?;
            }
            Ok::<_, Failure>(pages.finish().map(|items| json!({ "items": items })))
        }
    };
}

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let id = subject.name.as_str();
        let client = session.client(session.connection.region(), Client::new);
        let (api, stages, routes, integrations, authorizers) = futures::join!(
            send!(json: session.call(&GET_API, id), client.get_api(), "ApiId" => api_id(id)),
            items!(session, id, GET_STAGES, client.get_stages()),
            items!(session, id, GET_ROUTES, client.get_routes()),
            items!(session, id, GET_INTEGRATIONS, client.get_integrations()),
            items!(session, id, GET_AUTHORIZERS, client.get_authorizers()),
        );
        vec![
            ("api", observe(api)),
            ("stages", observe(stages)),
            ("routes", observe(routes)),
            ("integrations", observe(integrations)),
            ("authorizers", observe(authorizers)),
        ]
    }
    .boxed()
}

fn hide_stage_variables(session: &Session<'_>, answer: &mut Map<String, Value>) -> Result<(), String> {
    for stage in hide::objects(answer, "items")? {
        if let Some(variables) = hide::object(stage, "stageVariables")? {
            hide::variables(session, variables, None);
        }
    }
    Ok(())
}
