//! Cost Explorer: what the account has spent.

use aws_sdk_costexplorer::Client;
use aws_sdk_costexplorer::types::{DateInterval, Granularity};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::call::{Failure, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;

const SERVICE: &str = "costexplorer";
const METRIC: &str = "UnblendedCost";

static GET_COST_AND_USAGE: Operation =
    Operation::json(SERVICE, "GetCostAndUsage", "ce:GetCostAndUsage", "ResultsByTime");

/// The window that every run reads.
pub(super) const MONTH_TO_DATE: &str = "month_to_date";

/// What was spent in a window of days.
pub(super) static WINDOWS: Kind = Kind {
    service: SERVICE,
    kind: "windows",
    aspects: &[Aspect { name: "cost", operations: &[&GET_COST_AND_USAGE] }],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let (start, end) = month_to_date(session.context.clock.instant());
        vec![("cost", observe(cost(session, &subject.name, start, end).await))]
    }
    .boxed()
}

/// From the first of the month to the day after the instant: the end of a window is not part of it.
fn month_to_date(instant: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    let today = instant.date_naive();
    (today.with_day(1).unwrap_or(today), today.checked_add_days(Days::new(1)).unwrap_or(today))
}

async fn cost(session: &Session<'_>, window: &str, start: NaiveDate, end: NaiveDate) -> Outcome {
    let region = session.context.billing_region();
    let client = session.client(region, Client::new);
    let period = json!({"Start": start.to_string(), "End": end.to_string()});
    let interval = DateInterval::builder().start(start.to_string()).end(end.to_string()).build();
    // The builder only refuses an interval without its ends.
    let interval = interval.map_err(|error| Failure::malformed(&GET_COST_AND_USAGE, error.to_string(), Vec::new()))?;
    let mut pages = Pages::new(&GET_COST_AND_USAGE);
    while let Some(page) = pages.next() {
        let call = session.call(&GET_COST_AND_USAGE, window).page(page.number).region(region);
        let answer = send!(
            json: call.with("TimePeriod", &period).with("Granularity", &"DAILY").with("Metrics", &[METRIC]),
            client
                .get_cost_and_usage()
                .time_period(interval.clone())
                .granularity(Granularity::Daily)
                .metrics(METRIC),
            "NextPageToken" => set_next_page_token(page.token),
        )
        .await;
        pages.add_json(answer, "ResultsByTime", "NextPageToken")?;
    }
    Ok(pages.finish().map(|results| json!({"TimePeriod": period, "ResultsByTime": results})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_month_up_to_and_with_today() {
        for (instant, start, end) in [
            ("2026-03-15T12:00:00Z", "2026-03-01", "2026-03-16"),
            ("2026-03-01T00:00:00Z", "2026-03-01", "2026-03-02"),
            ("2026-02-28T23:59:59Z", "2026-02-01", "2026-03-01"),
            ("2026-12-31T23:59:59Z", "2026-12-01", "2027-01-01"),
        ] {
            let window = month_to_date(instant.parse().unwrap());
            assert_eq!((window.0.to_string().as_str(), window.1.to_string().as_str()), (start, end), "{instant}");
        }
    }
}
