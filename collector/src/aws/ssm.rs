//! SSM: parameters. What is there and of which type comes from metadata; a value is read only where a policy compares it.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterStringFilter;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::body::picked;
use super::call::{Answer, Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "ssm";
const KIND: &str = "parameters";
const NOT_FOUND: &str = "ParameterNotFound";
const METADATA: [&str; 6] = ["Name", "Type", "Version", "KeyId", "Tier", "DataType"];
const VALUE: [&str; 4] = ["Name", "Type", "Version", "Value"];

// The list is filtered by name and needs no access to any value.
static DESCRIBE_PARAMETERS: Operation =
    Operation::json(SERVICE, "DescribeParameters", "ssm:DescribeParameters", "Parameters");
static GET_PARAMETER: Operation = Operation::json(SERVICE, "GetParameter", "ssm:GetParameter", "Parameter")
    .absent(&[NOT_FOUND])
    .also(&["kms:Decrypt"])
    .secret(&["/Parameter/Value", "/Parameter/SourceResult"]);

/// A parameter's metadata.
pub(super) static PARAMETERS: Kind = Kind {
    service: SERVICE,
    kind: KIND,
    aspects: &[Aspect { name: "metadata", operations: &[&DESCRIBE_PARAMETERS] }],
    read: read_metadata,
};

/// The value of a parameter that a policy compares with something else: its fingerprint.
pub(super) static COMPARED_VALUES: Kind = Kind {
    service: SERVICE,
    kind: KIND,
    aspects: &[Aspect { name: "value", operations: &[&GET_PARAMETER] }],
    read: read_value,
};

/// Everything below a path, by the path.
pub(super) static INVENTORIES: Kind = Kind {
    service: SERVICE,
    kind: "inventories",
    aspects: &[Aspect { name: "parameters", operations: &[&DESCRIBE_PARAMETERS] }],
    read: read_inventory,
};

fn read_metadata<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("metadata", observe(metadata(session, &subject.name).await))] }.boxed()
}

fn read_value<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("value", observe(value(session, &subject.name).await))] }.boxed()
}

fn read_inventory<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("parameters", observe(below(session, &subject.name).await))] }.boxed()
}

async fn metadata(session: &Session<'_>, path: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let filter = ParameterStringFilter::builder().key("Name").option("Equals").values(path).build();
    // The builder only refuses a filter without a key.
    let filter = filter.map_err(|error| Failure::malformed(&DESCRIBE_PARAMETERS, error.to_string(), Vec::new()))?;
    let mut pages = Pages::new(&DESCRIBE_PARAMETERS);
    while let Some(page) = pages.next() {
        let filters = json!([{"Key": "Name", "Option": "Equals", "Values": [path]}]);
        let answer = send!(
            json: session.call(&DESCRIBE_PARAMETERS, path).page(page.number).with("ParameterFilters", &filters),
            client.describe_parameters().parameter_filters(filter.clone()),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "Parameters", "NextToken")?;
    }
    let Answer { value: parameters, receipts } = pages.finish();
    match parameters.iter().find(|parameter| parameter["Name"] == path) {
        Some(parameter) => Ok(Answer { value: picked(parameter, &METADATA), receipts }),
        None => {
            let message = "the complete list of parameters of this name is empty";
            Err(Failure::unlisted(&DESCRIBE_PARAMETERS, NOT_FOUND, message, receipts))
        }
    }
}

/// The metadata of every parameter below a path.
async fn below(session: &Session<'_>, path: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let filter = ParameterStringFilter::builder().key("Path").option("Recursive").values(path).build();
    let filter = filter.map_err(|error| Failure::malformed(&DESCRIBE_PARAMETERS, error.to_string(), Vec::new()))?;
    let mut pages = Pages::new(&DESCRIBE_PARAMETERS);
    while let Some(page) = pages.next() {
        let filters = json!([{"Key": "Path", "Option": "Recursive", "Values": [path]}]);
        let answer = send!(
            json: session.call(&DESCRIBE_PARAMETERS, path).page(page.number).with("ParameterFilters", &filters),
            client.describe_parameters().parameter_filters(filter.clone()),
            "MaxResults" => max_results(50),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add_json(answer, "Parameters", "NextToken")?;
    }
    Ok(pages.finish().map(|parameters| {
        let parameters: Vec<_> = parameters.iter().map(|parameter| picked(parameter, &METADATA)).collect();
        json!({ "Parameters": parameters })
    }))
}

async fn value(session: &Session<'_>, path: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let answer = send!(
        json: session.call(&GET_PARAMETER, path),
        client.get_parameter(),
        "Name" => name(path),
        // Without it a SecureString's value is its ciphertext, which equals nothing.
        "WithDecryption" => with_decryption(true),
    )
    .await?;
    answer.try_map(&GET_PARAMETER, |body| {
        let parameter = &body["Parameter"];
        // Text, for it is a fingerprint by now.
        if !parameter["Value"].is_string() {
            return Err("the parameter has no `Value`".to_owned());
        }
        Ok(json!({"Parameter": picked(parameter, &VALUE)}))
    })
}
