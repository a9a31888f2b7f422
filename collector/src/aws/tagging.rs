//! Resource Groups Tagging: what carries the project's tag.

use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::call::{Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

static GET_RESOURCES: Operation =
    Operation::json("tagging", "GetResources", "tag:GetResources", "ResourceTagMappingList");

/// Everything with one tag, by the tag's value.
pub(super) static INVENTORIES: Kind = Kind {
    service: "tagging",
    kind: "inventories",
    aspects: &[Aspect { name: "resources", operations: &[&GET_RESOURCES] }],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("resources", observe(resources(session, &subject.within, &subject.part).await))] }.boxed()
}

async fn resources(session: &Session<'_>, key: &str, value: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let mut pages = Pages::new(&GET_RESOURCES);
    while let Some(page) = pages.next() {
        let filters = json!([{"Key": key, "Values": [value]}]);
        let filter = TagFilter::builder().key(key).values(value).build();
        let answer = send!(
            json: session.call(&GET_RESOURCES, value).page(page.number).with("TagFilters", &filters),
            client.get_resources().tag_filters(filter),
            "ResourcesPerPage" => resources_per_page(100),
            "PaginationToken" => set_pagination_token(page.token),
        )
        .await;
        pages.add_json(answer, "ResourceTagMappingList", "PaginationToken")?;
    }
    Ok(pages.finish().map(|resources| json!({ "ResourceTagMappingList": resources })))
}
