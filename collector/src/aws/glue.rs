//! Glue: schema registries and schemas.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{RegistryId, SchemaId, SchemaVersionNumber};
use futures::future::{BoxFuture, FutureExt, join_all};
use serde_json::{Value, json};

use super::call::{Answer, Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "glue";
const ABSENT: &[&str] = &["EntityNotFoundException"];

static GET_REGISTRY: Operation =
    Operation::json(SERVICE, "GetRegistry", "glue:GetRegistry", "RegistryName").absent(ABSENT);
static LIST_SCHEMAS: Operation = Operation::json(SERVICE, "ListSchemas", "glue:ListSchemas", "Schemas").absent(ABSENT);
static GET_SCHEMA: Operation = Operation::json(SERVICE, "GetSchema", "glue:GetSchema", "SchemaName").absent(ABSENT);
static GET_SCHEMA_VERSION: Operation =
    Operation::json(SERVICE, "GetSchemaVersion", "glue:GetSchemaVersion", "SchemaDefinition").absent(ABSENT);

/// A registry, by name.
pub(super) static REGISTRIES: Kind = Kind {
    service: SERVICE,
    kind: "registries",
    aspects: &[
        Aspect { name: "registry", operations: &[&GET_REGISTRY] },
        Aspect { name: "schemas", operations: &[&LIST_SCHEMAS, &GET_SCHEMA] },
    ],
    read: read_registry,
};

/// A schema: the registry's name and its own.
pub(super) static SCHEMAS: Kind = Kind {
    service: SERVICE,
    kind: "schemas",
    aspects: &[
        Aspect { name: "schema", operations: &[&GET_SCHEMA] },
        Aspect { name: "latest_version", operations: &[&GET_SCHEMA_VERSION] },
    ],
    read: read_schema,
};

fn read_registry<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let name = subject.name.as_str();
        let client = client(session);
        let id = RegistryId::builder().registry_name(name).build();
        let call = session.call(&GET_REGISTRY, name).with("RegistryName", &name);
        let (registry, schemas) =
            futures::join!(send!(json: call, client.get_registry().registry_id(id)), schemas(session, &client, name));
        vec![("registry", observe(registry)), ("schemas", observe(schemas))]
    }
    .boxed()
}

fn read_schema<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let client = client(session);
        let (registry, name) = (subject.within.as_str(), subject.part.as_str());
        let (schema, version) =
            futures::join!(schema(session, &client, registry, name), latest_version(session, &client, registry, name));
        vec![("schema", observe(schema)), ("latest_version", observe(version))]
    }
    .boxed()
}

fn client(session: &Session<'_>) -> Client {
    session.client(session.connection.region(), Client::new)
}

/// Every schema of the registry in full: the list itself leaves the compatibility out.
async fn schemas(session: &Session<'_>, client: &Client, registry: &str) -> Outcome {
    let mut pages = Pages::new(&LIST_SCHEMAS);
    while let Some(page) = pages.next() {
        let id = RegistryId::builder().registry_name(registry).build();
        let answer = send!(
            json: session.call(&LIST_SCHEMAS, registry).page(page.number).with("RegistryName", &registry),
            client.list_schemas().registry_id(id),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "Schemas", "NextToken")?;
    }
    let Answer { value: listed, mut receipts } = pages.finish();
    let names: Option<Vec<&str>> = listed.iter().map(|schema| schema["SchemaName"].as_str()).collect();
    let Some(names) = names else {
        return Err(Failure::malformed(&LIST_SCHEMAS, "a listed schema has no `SchemaName`", receipts));
    };
    let read = join_all(names.iter().map(|name| schema(session, client, registry, name))).await;
    let mut schemas = Vec::<Value>::with_capacity(names.len());
    for (name, schema) in names.iter().zip(read) {
        let answer = schema.map_err(|failure| failure.of_part(name, &receipts))?;
        receipts.extend(answer.receipts);
        schemas.push(answer.value);
    }
    Ok(Answer { value: json!({ "Schemas": schemas }), receipts })
}

/// The anchor schema is asked for by name and stands in its registry's list: one call serves both.
async fn schema(session: &Session<'_>, client: &Client, registry: &str, name: &str) -> Outcome {
    let resource = format!("{registry}/{name}");
    let call = session.call(&GET_SCHEMA, &resource).with("RegistryName", &registry).with("SchemaName", &name);
    let read = send!(json: call, client.get_schema().schema_id(schema_id(registry, name)));
    session.once(format!("glue schema {resource}"), read).await
}

async fn latest_version(session: &Session<'_>, client: &Client, registry: &str, name: &str) -> Outcome {
    let call = session
        .call(&GET_SCHEMA_VERSION, &format!("{registry}/{name}"))
        .with("RegistryName", &registry)
        .with("SchemaName", &name)
        .with("LatestVersion", &true);
    let latest = SchemaVersionNumber::builder().latest_version(true).build();
    let request = client.get_schema_version().schema_id(schema_id(registry, name)).schema_version_number(latest);
    send!(json: call, request).await
}

fn schema_id(registry: &str, name: &str) -> SchemaId {
    SchemaId::builder().registry_name(registry).schema_name(name).build()
}
