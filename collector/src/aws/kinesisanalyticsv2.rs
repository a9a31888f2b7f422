//! Managed Flink: applications.

use aws_sdk_kinesisanalyticsv2::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value, json};

use super::body::picked;
use super::call::{Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::hide;
use super::operation::Operation;
use super::session::Session;

const SERVICE: &str = "kinesisanalyticsv2";
const DETAIL: [&str; 8] = [
    "ApplicationARN",
    "ApplicationMode",
    "ApplicationName",
    "ApplicationStatus",
    "ApplicationVersionId",
    "RuntimeEnvironment",
    "ServiceExecutionRole",
    "ApplicationConfigurationDescription",
];
const CONFIGURATION: [&str; 2] =
    ["ApplicationSnapshotConfigurationDescription", "FlinkApplicationConfigurationDescription"];

static DESCRIBE_APPLICATION: Operation =
    Operation::json(SERVICE, "DescribeApplication", "kinesisanalytics:DescribeApplication", "ApplicationDetail")
        .absent(&["ResourceNotFoundException"])
        .hiding(hide_configuration);

/// An application.
pub(super) static APPLICATIONS: Kind = Kind {
    service: SERVICE,
    kind: "applications",
    aspects: &[Aspect { name: "application", operations: &[&DESCRIBE_APPLICATION] }],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("application", observe(application(session, &subject.name).await))] }.boxed()
}

async fn application(session: &Session<'_>, name: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let call = session.call(&DESCRIBE_APPLICATION, name);
    let answer = send!(json: call, client.describe_application(), "ApplicationName" => application_name(name)).await?;
    Ok(answer.map(|body| {
        let mut detail = picked(&body["ApplicationDetail"], &DETAIL);
        if let Some(configuration) = detail.get_mut("ApplicationConfigurationDescription") {
            *configuration = picked(configuration, &CONFIGURATION);
        }
        json!({ "ApplicationDetail": detail })
    }))
}

/// Properties are an application's environment, and inline code may hold any text: neither is kept, not even as it came.
fn hide_configuration(session: &Session<'_>, answer: &mut Map<String, Value>) -> Result<(), String> {
    let Some(detail) = hide::object(answer, "ApplicationDetail")? else { return Ok(()) };
    let Some(configuration) = hide::object(detail, "ApplicationConfigurationDescription")? else { return Ok(()) };
    if let Some(properties) = hide::object(configuration, "EnvironmentPropertyDescriptions")? {
        for group in hide::objects(properties, "PropertyGroupDescriptions")? {
            if let Some(properties) = hide::object(group, "PropertyMap")? {
                hide::variables(session, properties, None);
            }
        }
    }
    if let Some(code) = hide::object(configuration, "ApplicationCodeConfigurationDescription")?
        && let Some(content) = hide::object(code, "CodeContentDescription")?
    {
        content.remove("TextContent");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::session::offline;
    use super::*;

    #[tokio::test]
    async fn neither_properties_nor_code_are_kept() {
        let answer = json!({"ApplicationDetail": {
            "ApplicationName": "a",
            "ApplicationConfigurationDescription": {
                "EnvironmentPropertyDescriptions": {
                    "PropertyGroupDescriptions": [{"PropertyGroupId": "g", "PropertyMap": {"key": "a secret property"}}],
                },
                "ApplicationCodeConfigurationDescription": {
                    "CodeContentDescription": {"TextContent": "some code", "CodeMD5": "5"},
                },
            },
        }});
        offline(&BTreeMap::new(), |session| {
            let mut hidden = answer.clone();
            hide_configuration(session, hidden.as_object_mut().unwrap()).unwrap();
            let text = hidden.to_string();
            assert!(!text.contains("a secret property") && !text.contains("some code"), "{text}");
            assert!(text.contains(&session.redactor.fingerprint("a secret property")), "{text}");
            for place in [
                "/ApplicationDetail",
                "/ApplicationDetail/ApplicationConfigurationDescription",
                "/ApplicationDetail/ApplicationConfigurationDescription/EnvironmentPropertyDescriptions",
            ] {
                let mut wrong = answer.clone();
                *wrong.pointer_mut(place).unwrap() = json!("text");
                assert!(hide_configuration(session, wrong.as_object_mut().unwrap()).is_err(), "{place}");
            }
        })
        .await;
    }
}
