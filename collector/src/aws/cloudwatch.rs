//! CloudWatch: alarms and dashboards.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, Dimension, MetricAlarm, MetricDataQuery};
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value, json};

use super::body;
use super::call::{Answer, Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "cloudwatch";

static DESCRIBE_ALARMS: Operation =
    Operation::cbor(SERVICE, "DescribeAlarms", "cloudwatch:DescribeAlarms", "MetricAlarms");
// The code, and the code of the API's older protocol, which clients that know it read in its place.
static GET_DASHBOARD: Operation = Operation::cbor(SERVICE, "GetDashboard", "cloudwatch:GetDashboard", "DashboardBody")
    .absent(&["ResourceNotFound", "DashboardNotFoundError"]);

/// An alarm, of a metric or of other alarms.
pub(super) static ALARMS: Kind = Kind {
    service: SERVICE,
    kind: "alarms",
    aspects: &[Aspect { name: "alarm", operations: &[&DESCRIBE_ALARMS] }],
    read: read_alarm,
};

/// A dashboard.
pub(super) static DASHBOARDS: Kind = Kind {
    service: SERVICE,
    kind: "dashboards",
    aspects: &[Aspect { name: "dashboard", operations: &[&GET_DASHBOARD] }],
    read: read_dashboard,
};

fn read_alarm<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("alarm", observe(alarm(session, &subject.name).await))] }.boxed()
}

fn read_dashboard<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("dashboard", observe(dashboard(session, &subject.name).await))] }.boxed()
}

async fn alarm(session: &Session<'_>, name: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let mut pages = Pages::new(&DESCRIBE_ALARMS);
    while let Some(page) = pages.next() {
        let call = session.call(&DESCRIBE_ALARMS, name).page(page.number);
        let answer = send!(
            typed: call.with("AlarmNames", &[name]).with("AlarmTypes", &["MetricAlarm", "CompositeAlarm"]),
            client
                .describe_alarms()
                .alarm_names(name)
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm),
            "NextToken" => set_next_token(page.token),
        )
        .await;
        pages.add(answer.map(|answer| {
            answer.map(|output| {
                let metric = output.metric_alarms().iter().map(metric_alarm);
                let composite = output.composite_alarms().iter().map(composite_alarm);
                (metric.chain(composite).collect(), output.next_token.clone())
            })
        }))?;
    }
    let Answer { value: alarms, receipts } = pages.finish();
    match alarms.into_iter().find(|alarm| alarm["AlarmName"] == name) {
        Some(value) => Ok(Answer { value, receipts }),
        None => {
            let message = "the complete list of alarms of this name is empty";
            Err(Failure::unlisted(&DESCRIBE_ALARMS, "ResourceNotFound", message, receipts))
        }
    }
}

async fn dashboard(session: &Session<'_>, name: &str) -> Outcome {
    let client = session.client(session.connection.region(), Client::new);
    let call = session.call(&GET_DASHBOARD, name);
    let answer = send!(typed: call, client.get_dashboard(), "DashboardName" => dashboard_name(name)).await?;
    answer.try_map(&GET_DASHBOARD, |output| {
        let text = output.dashboard_body().ok_or("the answer's `DashboardBody` is no text")?;
        let body = body::object(text.as_bytes()).map_err(|error| format!("the dashboard cannot be read: {error}"))?;
        Ok(json!({
            "DashboardName": output.dashboard_name(),
            "DashboardArn": output.dashboard_arn(),
            "DashboardBody": body,
        }))
    })
}

fn metric_alarm(alarm: &MetricAlarm) -> Value {
    let metrics = alarm.metrics();
    members([
        ("AlarmName", json!(alarm.alarm_name())),
        ("AlarmArn", json!(alarm.alarm_arn())),
        ("ActionsEnabled", json!(alarm.actions_enabled())),
        ("AlarmActions", json!(alarm.alarm_actions())),
        ("OKActions", json!(alarm.ok_actions())),
        ("InsufficientDataActions", json!(alarm.insufficient_data_actions())),
        ("StateValue", json!(alarm.state_value().map(|state| state.as_str()))),
        ("Namespace", json!(alarm.namespace())),
        ("MetricName", json!(alarm.metric_name())),
        ("Dimensions", dimensions(alarm.dimensions())),
        ("Statistic", json!(alarm.statistic().map(|statistic| statistic.as_str()))),
        ("ExtendedStatistic", json!(alarm.extended_statistic())),
        ("Period", json!(alarm.period())),
        ("EvaluationPeriods", json!(alarm.evaluation_periods())),
        ("DatapointsToAlarm", json!(alarm.datapoints_to_alarm())),
        ("Threshold", json!(alarm.threshold())),
        ("ComparisonOperator", json!(alarm.comparison_operator().map(|operator| operator.as_str()))),
        ("TreatMissingData", json!(alarm.treat_missing_data())),
        ("Metrics", if metrics.is_empty() { Value::Null } else { metrics.iter().map(metric).collect() }),
    ])
}

fn composite_alarm(alarm: &CompositeAlarm) -> Value {
    members([
        ("AlarmName", json!(alarm.alarm_name())),
        ("AlarmArn", json!(alarm.alarm_arn())),
        ("ActionsEnabled", json!(alarm.actions_enabled())),
        ("AlarmActions", json!(alarm.alarm_actions())),
        ("OKActions", json!(alarm.ok_actions())),
        ("InsufficientDataActions", json!(alarm.insufficient_data_actions())),
        ("StateValue", json!(alarm.state_value().map(|state| state.as_str()))),
        ("AlarmRule", json!(alarm.alarm_rule())),
    ])
}

/// A metric, or an expression over metrics, that an alarm watches.
fn metric(query: &MetricDataQuery) -> Value {
    let stat = query.metric_stat().map(|stat| {
        let metric = stat.metric().map(|metric| {
            members([
                ("Namespace", json!(metric.namespace())),
                ("MetricName", json!(metric.metric_name())),
                ("Dimensions", dimensions(metric.dimensions())),
            ])
        });
        members([("Metric", json!(metric)), ("Period", json!(stat.period())), ("Stat", json!(stat.stat()))])
    });
    members([
        ("Id", json!(query.id())),
        ("Expression", json!(query.expression())),
        ("MetricStat", json!(stat)),
        ("Period", json!(query.period())),
        ("ReturnData", json!(query.return_data())),
    ])
}

fn dimensions(dimensions: &[Dimension]) -> Value {
    dimensions.iter().map(|dimension| json!({"Name": dimension.name(), "Value": dimension.value()})).collect()
}

/// An object without the members that the answer left out.
fn members<const N: usize>(members: [(&str, Value); N]) -> Value {
    let set = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(set.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::{Metric, MetricStat};

    use super::*;

    #[test]
    fn what_the_answer_left_out_is_left_out() {
        let alarm = MetricAlarm::builder().alarm_name("a").actions_enabled(false).alarm_actions("arn").threshold(1.0);
        let expected = json!({
            "AlarmName": "a",
            "ActionsEnabled": false,
            "AlarmActions": ["arn"],
            "OKActions": [],
            "InsufficientDataActions": [],
            "Dimensions": [],
            "Threshold": 1.0,
        });
        assert_eq!(metric_alarm(&alarm.build()), expected);
    }

    #[test]
    fn an_expression_names_its_metrics() {
        let metric = Metric::builder().namespace("AWS/ApiGateway").metric_name("5xx").build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        let alarm = MetricAlarm::builder()
            .metrics(MetricDataQuery::builder().id("errors").metric_stat(stat).return_data(false).build())
            .metrics(MetricDataQuery::builder().id("rate").expression("errors / 60").build());
        let metric = json!({"Namespace": "AWS/ApiGateway", "MetricName": "5xx", "Dimensions": []});
        let stat = json!({"Metric": metric, "Period": 60, "Stat": "Sum"});
        let expected = json!([
            {"Id": "errors", "MetricStat": stat, "ReturnData": false},
            {"Id": "rate", "Expression": "errors / 60"},
        ]);
        assert_eq!(metric_alarm(&alarm.build())["Metrics"], expected);
    }
}
