//! The `rehearsal` section of a fact document: made of a journal, or imported from the sealed document of a rehearsal.
//!
//! ```text
//! journal ─────────► scope, baseline, destroy, recover, post_recovery ─┐
//! sealed document ─► the same, with its receipts and its approval      ├─► rehearsal section
//! aws.costexplorer ─► cost of the days between start and end ──────────┘
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::fact::{AwsFacts, FactError, Facts, Observation, PlaintextScan, ReadError, ReadErrorKind, Receipt};
use crate::help::Help;
use crate::terraform::rehearsal::{Journal, SCANNED_SOURCE};

/// A rehearsal as facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// By step.
    pub steps: BTreeMap<String, Observation>,
    /// The approval that it was run under.
    pub approval: Option<Observation>,
    /// The calls of both.
    pub receipts: BTreeMap<String, Receipt>,
    /// What the scan for secrets said of its logs, if it was made by an earlier run.
    pub scan: PlaintextScan,
}

/// Why a document gives no rehearsal.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no fact document, or was altered.
    #[error(transparent)]
    Document(#[from] FactError),
    /// Nobody vouches for its content.
    #[error("{0}: the document of the rehearsal is not sealed")]
    Unsealed(String),
    /// It is the document of another run.
    #[error("{0}: the document holds no rehearsal")]
    NoRehearsal(String),
}

impl Help for ImportError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Document(error) => error.help(),
            Self::Unsealed(_) | Self::NoRehearsal(_) => {
                Some("name the document that `factgate rehearse --facts` wrote".to_owned())
            }
        }
    }
}

impl Section {
    /// What a journal tells. `ended_at` ends the window whose cost is asked for.
    pub fn of_journal(journal: &Journal, ended_at: DateTime<Utc>, allowlist: &[String]) -> Self {
        let keys = |steps: &[&str]| -> Vec<String> {
            let of_step = |key: &&String| {
                key.strip_prefix("terraform.").and_then(|key| key.split_once('/')).is_some_and(|(command, _)| {
                    steps.iter().any(|step| command == *step || command.starts_with(&format!("{step}_")))
                })
            };
            journal.receipts.keys().filter(of_step).cloned().collect()
        };
        let by_stack = |stacks: &BTreeMap<String, Value>, steps: &[&str]| match stacks.is_empty() {
            true => Observation::not_collected("the rehearsal did not get that far"),
            false => Observation::present(json!(stacks), keys(steps)),
        };
        let approval = journal.approval.value().cloned().unwrap_or_default();
        let mut touched = journal.touched.clone();
        touched.sort();
        let scope = json!({
            "stacks": journal.scope,
            "approved_stacks": approval["stacks"],
            "touched": touched,
            "approval": {
                "approved_by": approval["approved_by"], "approved_at": approval["approved_at"],
                "expires_at": approval["expires_at"], "digest": approval["digest"],
            },
            "started_at": journal.started_at,
            "ended_at": ended_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "phase_execution_id": journal.phase_execution_id,
            "allowlist": allowlist,
            "resumed": journal.resumed,
        });
        let steps = [
            ("scope", Observation::present(scope, vec!["file.approval/rehearsal".to_owned()])),
            ("baseline", by_stack(&journal.baseline, &["baseline"])),
            ("destroy", by_stack(&journal.destroy, &["destroy"])),
            ("recover", by_stack(&journal.recover, &["recover"])),
            ("post_recovery", by_stack(&journal.post_recovery, &["post_recovery"])),
        ];
        Self {
            steps: steps.map(|(step, observation)| (step.to_owned(), observation)).into(),
            approval: Some(journal.approval.clone()),
            receipts: journal.receipts.clone(),
            scan: PlaintextScan::default(),
        }
    }

    /// The rehearsal of a sealed document, with a receipt of that document beside each step's own.
    ///
    /// # Errors
    ///
    /// If the document cannot be read, was altered, is unsealed or holds no rehearsal.
    pub fn import(path: &Path) -> Result<Self, ImportError> {
        let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let facts = Facts::read(path)?;
        let name = path.display().to_string();
        let Some(digest) = facts.digest() else { return Err(ImportError::Unsealed(name)) };
        let document = facts.document();
        if !document.rehearsal.contains_key("scope") {
            return Err(ImportError::NoRehearsal(name));
        }
        let import = format!("file.rehearsal/{}", document.run.phase_execution_id);
        let scan = document.plaintext_scan.as_ref().and_then(Observation::value);
        let mut section = Self {
            approval: document.approvals.get("rehearsal").cloned(),
            scan: scan.map(|scan| scan.of_source(SCANNED_SOURCE)).unwrap_or_default(),
            ..Self::default()
        };
        // A call of the same key may be on record in the run that imports: both must stay.
        let renamed = |key: &String| match key.starts_with("terraform.") || key.starts_with("file.") {
            true => key.clone(),
            false => format!("{key}#rehearsal"),
        };
        for (step, observation) in &document.rehearsal {
            let mut observation = observation.clone();
            if let Some(receipts) = receipts_mut(&mut observation) {
                for key in receipts.iter_mut() {
                    if let Some(receipt) = document.receipts.get(key) {
                        section.receipts.insert(renamed(key), receipt.clone());
                    }
                    *key = renamed(key);
                }
                receipts.push(import.clone());
            }
            section.steps.insert(step.clone(), observation);
        }
        if let Some(receipt) = document.receipts.get("file.approval/rehearsal") {
            section.receipts.insert("file.approval/rehearsal".to_owned(), receipt.clone());
        }
        let receipt = Receipt::File { path: name, started_at, digest: Some(digest.to_string()) };
        section.receipts.insert(import, receipt);
        section.place(&document.run.caller_identity, &document.run.region);
        Ok(section)
    }

    /// Says in which account and region the rehearsal was, unless it says so already: that of the run whose document it is a
    /// part of.
    pub fn place(&mut self, caller: &Observation, region: &str) {
        let account = caller.value().map_or(&Value::Null, |caller| &caller["Account"]);
        if let Some(Observation::Present { value: Value::Object(scope), .. }) = self.steps.get_mut("scope") {
            scope.entry("account").or_insert_with(|| account.clone());
            scope.entry("region").or_insert_with(|| region.into());
        }
    }

    /// Gives the section the cost of its window, unless it has a complete one already: what is billed for a day is known only
    /// after it, so that a later run completes what the rehearsal itself could not know.
    pub fn complete_cost(&mut self, facts: &AwsFacts) {
        let is_complete = |cost: &Observation| cost.value().is_some_and(|cost| cost["complete"] == true);
        if self.steps.is_empty() || self.steps.get("cost").is_some_and(is_complete) {
            return;
        }
        let window = self.steps.get("scope").and_then(Observation::value).and_then(window);
        let read = facts
            .get("costexplorer")
            .and_then(|kinds| kinds.get("windows"))
            .and_then(|windows| windows.get("month_to_date"))
            .and_then(|aspects| aspects.get("cost"));
        let cost = match (window, read) {
            (None, _) => Observation::not_collected("the rehearsal does not say when it began and ended"),
            (_, None) => Observation::not_collected("Cost Explorer was not read in this run"),
            (Some(window), Some(Observation::Present { value, receipts, .. })) => match cost(window, value) {
                Some(cost) => Observation::present(cost, receipts.clone()),
                None => {
                    let error = ReadError {
                        code: "MalformedAnswer".to_owned(),
                        kind: ReadErrorKind::Malformed,
                        message: "Cost Explorer's days are not what its API documents".to_owned(),
                        action: Some("ce:GetCostAndUsage".to_owned()),
                    };
                    Observation::Unreadable { error, receipts: receipts.clone() }
                }
            },
            (_, Some(other)) => other.clone(),
        };
        self.steps.insert("cost".to_owned(), cost);
    }
}

fn receipts_mut(observation: &mut Observation) -> Option<&mut Vec<String>> {
    match observation {
        Observation::Present { receipts, .. }
        | Observation::Absent { receipts, .. }
        | Observation::Unreadable { receipts, .. } => Some(receipts),
        Observation::NotCollected { .. } => None,
    }
}

/// The days from the start to the day after the end.
fn window(scope: &Value) -> Option<(NaiveDate, NaiveDate)> {
    let day = |field: &str| Some(DateTime::parse_from_rfc3339(scope[field].as_str()?).ok()?.to_utc().date_naive());
    Some((day("started_at")?, day("ended_at")?.checked_add_days(Days::new(1))?))
}

/// The part of a daily answer of Cost Explorer that lies in a window; complete if it has every day.
fn cost((start, end): (NaiveDate, NaiveDate), answer: &Value) -> Option<Value> {
    let mut days = Vec::new();
    let mut amount = 0.0;
    let mut currency = None;
    for result in answer["ResultsByTime"].as_array()? {
        let day: NaiveDate = result["TimePeriod"]["Start"].as_str()?.parse().ok()?;
        if day < start || day >= end {
            continue;
        }
        let total = &result["Total"]["UnblendedCost"];
        amount += total["Amount"].as_str()?.parse::<f64>().ok()?;
        let unit = total["Unit"].as_str()?;
        if currency.get_or_insert_with(|| unit.to_owned()) != unit {
            return None;
        }
        days.push(result.clone());
    }
    let complete = start
        .iter_days()
        .take_while(|day| *day < end)
        .all(|day| days.iter().any(|result| result["TimePeriod"]["Start"].as_str() == Some(day.to_string().as_str())));
    Some(json!({
        "window": {"start": start.to_string(), "end": end.to_string()},
        "amount": format!("{amount:.10}"),
        "currency": currency,
        "complete": complete,
        "ResultsByTime": days,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(start: &str, amount: &str) -> Value {
        json!({"TimePeriod": {"Start": start}, "Total": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}})
    }

    fn completed(days: &[Value]) -> Value {
        let scope = json!({"started_at": "2026-03-02T23:00:00Z", "ended_at": "2026-03-03T01:00:00Z"});
        let steps = BTreeMap::from([("scope".to_owned(), Observation::present(scope, Vec::new()))]);
        let mut section = Section { steps, ..Section::default() };
        let read =
            Observation::present(json!({"ResultsByTime": days}), vec!["costexplorer.GetCostAndUsage/x".to_owned()]);
        let aspects = BTreeMap::from([("cost".to_owned(), read)]);
        let windows = BTreeMap::from([("month_to_date".to_owned(), aspects)]);
        let kinds = BTreeMap::from([("windows".to_owned(), windows)]);
        section.complete_cost(&BTreeMap::from([("costexplorer".to_owned(), kinds)]));
        section.steps["cost"].value().cloned().unwrap_or_default()
    }

    #[test]
    fn a_rehearsal_keeps_the_account_and_region_it_was_in() {
        let caller = |account: &str| Observation::present(json!({"Account": account}), Vec::new());
        let scope = BTreeMap::from([("scope".to_owned(), Observation::present(json!({}), Vec::new()))]);
        let mut section = Section { steps: scope.clone(), ..Section::default() };
        section.place(&caller("123456789012"), "eu-west-2");
        section.place(&caller("210987654321"), "us-east-1");
        let place = json!({"account": "123456789012", "region": "eu-west-2"});
        assert_eq!(section.steps["scope"].value(), Some(&place));

        let mut section = Section { steps: scope, ..Section::default() };
        section.place(&Observation::not_collected("nobody asked"), "eu-west-2");
        section.place(&caller("210987654321"), "eu-west-2");
        assert_eq!(section.steps["scope"].value().unwrap()["account"], Value::Null);
    }

    #[test]
    fn the_cost_is_that_of_the_days_of_the_window() {
        let cost = completed(&[day("2026-03-01", "9"), day("2026-03-02", "1.5"), day("2026-03-03", "0.25")]);
        assert_eq!(cost["window"], json!({"start": "2026-03-02", "end": "2026-03-04"}));
        assert_eq!((&cost["amount"], &cost["currency"]), (&json!("1.7500000000"), &json!("USD")));
        assert_eq!((&cost["complete"], cost["ResultsByTime"].as_array().map(Vec::len)), (&json!(true), Some(2)));
    }

    #[test]
    fn a_day_that_is_missing_or_malformed_is_not_complete() {
        assert_eq!(completed(&[day("2026-03-02", "1.5")])["complete"], false);
        assert_eq!(completed(&[day("2026-03-02", "much")]), Value::Null);
    }

    #[test]
    fn only_the_sealed_document_of_a_rehearsal_is_imported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.json");
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(Section::import(&path), Err(ImportError::Document(_))));

        let ready = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/facts/ready.json");
        let mut document = Facts::read(&ready).unwrap().document().clone();
        document.rehearsal.clear();
        document.clone().seal().unwrap().write(&path).unwrap();
        assert!(matches!(Section::import(&path), Err(ImportError::NoRehearsal(_))));

        let receipt = Receipt::File { path: "a.toml".to_owned(), started_at: String::new(), digest: None };
        let cost = vec!["costexplorer.GetCostAndUsage/x".to_owned()];
        document.receipts.insert("file.approval/rehearsal".to_owned(), receipt.clone());
        document.receipts.insert(cost[0].clone(), receipt);
        document
            .rehearsal
            .insert("scope".to_owned(), Observation::present(json!({}), vec!["file.approval/rehearsal".to_owned()]));
        document.rehearsal.insert("cost".to_owned(), Observation::present(json!({"complete": true}), cost));
        document.clone().seal().unwrap().write(&path).unwrap();
        let section = Section::import(&path).unwrap();
        let import = format!("file.rehearsal/{}", document.run.phase_execution_id);
        let expected = ["costexplorer.GetCostAndUsage/x#rehearsal", "file.approval/rehearsal", &import];
        assert_eq!(section.receipts.keys().collect::<Vec<_>>(), expected);
        let Observation::Present { receipts, .. } = &section.steps["cost"] else { panic!("{section:?}") };
        assert_eq!(receipts, &["costexplorer.GetCostAndUsage/x#rehearsal", &import]);

        document.digest = None;
        std::fs::write(&path, serde_json::to_vec(&document).unwrap()).unwrap();
        assert!(matches!(Section::import(&path), Err(ImportError::Unsealed(_))));
    }
}
