//! Budgets: limits, the thresholds at which they tell somebody, and whom.

use aws_sdk_budgets::Client;
use aws_sdk_budgets::types::{ComparisonOperator, Notification, NotificationType, ThresholdType};
use futures::future::{BoxFuture, FutureExt, join_all};
use serde_json::{Map, Value, json};

use super::call::{Answer, Failure, Outcome, after, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::hide;
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;
use super::sts::{self, GET_CALLER_IDENTITY};

const SERVICE: &str = "budgets";
const ABSENT: &[&str] = &["NotFoundException"];

// One permission for all reads of budgets.
const VIEW: &str = "budgets:ViewBudget";

static DESCRIBE_BUDGET: Operation = Operation::json(SERVICE, "DescribeBudget", VIEW, "Budget").absent(ABSENT);
static DESCRIBE_NOTIFICATIONS_FOR_BUDGET: Operation =
    Operation::json(SERVICE, "DescribeNotificationsForBudget", VIEW, "Notifications").absent(ABSENT);
static DESCRIBE_SUBSCRIBERS_FOR_NOTIFICATION: Operation =
    Operation::json(SERVICE, "DescribeSubscribersForNotification", VIEW, "Subscribers")
        .absent(ABSENT)
        .hiding(hide_addresses);

/// A budget of the caller's account.
pub(super) static BUDGETS: Kind = Kind {
    service: SERVICE,
    kind: "budgets",
    aspects: &[
        Aspect { name: "budget", operations: &[&DESCRIBE_BUDGET, &GET_CALLER_IDENTITY] },
        Aspect {
            name: "notifications",
            operations: &[
                &DESCRIBE_NOTIFICATIONS_FOR_BUDGET,
                &DESCRIBE_SUBSCRIBERS_FOR_NOTIFICATION,
                &GET_CALLER_IDENTITY,
            ],
        },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let account = match sts::account(session).await {
            Ok(account) => account,
            Err(failure) => {
                return vec![("budget", observe(Err(failure.clone()))), ("notifications", observe(Err(failure)))];
            }
        };
        let region = session.context.billing_region();
        let client = session.client(region, Client::new);
        let reader = Reader { session, client, region, account: &account.value.id, budget: &subject.name };
        let (budget, notifications) = futures::join!(reader.budget(), reader.notifications());
        vec![
            ("budget", observe(after(&account.receipts, budget))),
            ("notifications", observe(after(&account.receipts, notifications))),
        ]
    }
    .boxed()
}

struct Reader<'a> {
    session: &'a Session<'a>,
    client: Client,
    region: &'a str,
    account: &'a str,
    budget: &'a str,
}

impl Reader<'_> {
    async fn budget(&self) -> Outcome {
        send!(
            json: self.session.call(&DESCRIBE_BUDGET, self.budget).region(self.region),
            self.client.describe_budget(),
            "AccountId" => account_id(self.account),
            "BudgetName" => budget_name(self.budget),
        )
        .await
    }

    /// Every notification with its subscribers.
    async fn notifications(&self) -> Outcome {
        let mut pages = Pages::new(&DESCRIBE_NOTIFICATIONS_FOR_BUDGET);
        while let Some(page) = pages.next() {
            let call = self.session.call(&DESCRIBE_NOTIFICATIONS_FOR_BUDGET, self.budget);
            let answer = send!(
                json: call.page(page.number).region(self.region),
                self.client.describe_notifications_for_budget(),
                "AccountId" => account_id(self.account),
                "BudgetName" => budget_name(self.budget),
                "NextToken" => set_next_token(page.token),
            )
            .await;
            pages.add_json(answer, "Notifications", "NextToken")?;
        }
        let Answer { value: mut notifications, mut receipts } = pages.finish();
        let read = join_all(notifications.iter().map(|notification| self.subscribers(notification))).await;
        for (notification, subscribers) in notifications.iter_mut().zip(read) {
            let answer = subscribers.map_err(|failure| failure.of_part(&name(notification), &receipts))?;
            receipts.extend(answer.receipts);
            notification["Subscribers"] = answer.value;
        }
        Ok(Answer { value: json!({ "Notifications": notifications }), receipts })
    }

    async fn subscribers(&self, listed: &Value) -> Outcome {
        let notification = notification(listed)
            .map_err(|message| Failure::malformed(&DESCRIBE_NOTIFICATIONS_FOR_BUDGET, message, Vec::new()))?;
        let resource = format!("{}/{}", self.budget, name(listed));
        let mut pages = Pages::new(&DESCRIBE_SUBSCRIBERS_FOR_NOTIFICATION);
        while let Some(page) = pages.next() {
            let call = self.session.call(&DESCRIBE_SUBSCRIBERS_FOR_NOTIFICATION, &resource).page(page.number);
            let answer = send!(
                json: call.region(self.region).with("Notification", listed),
                self.client.describe_subscribers_for_notification().notification(notification.clone()),
                "AccountId" => account_id(self.account),
                "BudgetName" => budget_name(self.budget),
                "NextToken" => set_next_token(page.token),
            )
            .await;
            pages.add_json(answer, "Subscribers", "NextToken")?;
        }
        Ok(pages.finish().map(Value::Array))
    }
}

/// What tells a budget's notifications apart: `ACTUAL/GREATER_THAN/80/PERCENTAGE`.
fn name(notification: &Value) -> String {
    let part = |member: &str| match &notification[member] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let parts = ["NotificationType", "ComparisonOperator", "Threshold", "ThresholdType"].iter();
    parts.filter_map(|member| part(member)).collect::<Vec<_>>().join("/")
}

/// A listed notification as the next request repeats it.
fn notification(listed: &Value) -> Result<Notification, String> {
    let text = |member: &str| listed[member].as_str().ok_or_else(|| format!("a notification has no `{member}`"));
    let threshold = listed["Threshold"].as_f64().ok_or("a notification has no `Threshold`")?;
    Notification::builder()
        .notification_type(NotificationType::from(text("NotificationType")?))
        .comparison_operator(ComparisonOperator::from(text("ComparisonOperator")?))
        .threshold(threshold)
        .set_threshold_type(listed["ThresholdType"].as_str().map(ThresholdType::from))
        .build()
        .map_err(|error| error.to_string())
}

/// A topic's ARN is a name; an e-mail address is a person's.
fn hide_addresses(session: &Session<'_>, answer: &mut Map<String, Value>) -> Result<(), String> {
    for subscriber in hide::objects(answer, "Subscribers")? {
        let is_topic = subscriber.get("SubscriptionType").is_some_and(|kind| kind == "SNS");
        if let Some(address) = subscriber.get_mut("Address")
            && !is_topic
        {
            session.redactor.suspect_value(address);
            *address = Value::String(session.redactor.fingerprint_value(address));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::session::offline;
    use super::*;

    #[tokio::test]
    async fn a_topic_is_named_and_a_person_is_not() {
        let topic = json!({"SubscriptionType": "SNS", "Address": "arn:aws:sns:eu-west-2:123456789012:alerts"});
        let person = json!({"SubscriptionType": "EMAIL", "Address": "someone@example.com"});
        offline(&BTreeMap::new(), |session| {
            let mut answer = json!({"Subscribers": [topic, person]});
            hide_addresses(session, answer.as_object_mut().unwrap()).unwrap();
            let fingerprint = session.redactor.fingerprint("someone@example.com");
            assert_eq!(answer["Subscribers"][0], topic);
            assert_eq!(answer["Subscribers"][1], json!({"SubscriptionType": "EMAIL", "Address": fingerprint}));
            assert!(hide_addresses(session, json!({"Subscribers": 1}).as_object_mut().unwrap()).is_err());
        })
        .await;
    }

    #[test]
    fn a_notification_is_repeated_as_it_was_listed() {
        let listed = json!({
            "NotificationType": "ACTUAL",
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": 120.0,
            "ThresholdType": "ABSOLUTE_VALUE",
            "NotificationState": "OK",
        });
        assert_eq!(name(&listed), "ACTUAL/GREATER_THAN/120.0/ABSOLUTE_VALUE");
        let repeated = notification(&listed).unwrap();
        assert_eq!(repeated.threshold(), 120.0);
        assert_eq!(repeated.threshold_type(), Some(&ThresholdType::AbsoluteValue));
        for member in ["NotificationType", "ComparisonOperator", "Threshold"] {
            let mut without = listed.clone();
            without[member] = Value::Null;
            assert!(notification(&without).is_err(), "{member}");
        }
    }
}
