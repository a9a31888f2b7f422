//! What the unit tests of policies gave, for people and for CI.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::{Format, OutputError};
use crate::policy::{Failure, UnitTest, UnitTestOutcome, UnitTestReport};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// How many lines or rules that were not gone through are listed for a file; the JSON output has all of them.
const MOST_MISSED: usize = 12;

/// Renders a report; none if there is no such form.
///
/// # Errors
///
/// If a name or a message cannot be written in the format.
pub fn render(report: &UnitTestReport, threshold: Option<f64>, format: Format) -> Result<Option<String>, OutputError> {
    Ok(Some(match format {
        Format::Json => format!("{:#}\n", as_json(report, threshold)),
        Format::Junit => {
            junit(report, threshold).map_err(|error| OutputError::unwritable(std::io::Error::other(error)))?
        }
        Format::Table => text(report, threshold),
        Format::Markdown => format!("```text\n{}```\n", anstream::adapter::strip_str(&text(report, threshold))),
        _ => return Ok(None),
    }))
}

fn as_json(report: &UnitTestReport, threshold: Option<f64>) -> serde_json::Value {
    json!({
        "passed": report.count(&UnitTestOutcome::Passed),
        "has_passed": report.has_passed() && report.is_covered(threshold),
        "threshold": threshold,
        "tests": report.tests,
        "line_coverage": report.line_coverage(),
        "rule_coverage": report.rule_coverage(),
        "lines": report.coverage,
        "rules": report.rules,
    })
}

fn text(report: &UnitTestReport, threshold: Option<f64>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_report(&mut text, report, threshold);
    text
}

fn write_report(text: &mut String, report: &UnitTestReport, threshold: Option<f64>) -> std::fmt::Result {
    for test in &report.tests {
        match &test.outcome {
            UnitTestOutcome::Passed => continue,
            UnitTestOutcome::Skipped => writeln!(text, "{FAINT}TODO{FAINT:#}   {}.{}", test.package, test.name)?,
            UnitTestOutcome::Failed => {
                writeln!(text, "{BAD}FAILED{BAD:#} {}.{}\n       {}", test.package, test.name, test.location)?;
                if let Some(failure) = &test.failure {
                    writeln!(text, "{}", indented(&sentence(failure)))?;
                }
            }
            UnitTestOutcome::Error(message) => {
                writeln!(text, "{BAD}ERROR{BAD:#}  {}.{}\n{}", test.package, test.name, indented(message))?;
            }
        }
        for print in &test.prints {
            writeln!(text, "       {FAINT}{print}{FAINT:#}")?;
        }
    }
    let count = |outcome: &UnitTestOutcome| report.count(outcome);
    let (passed, skipped) = (count(&UnitTestOutcome::Passed), count(&UnitTestOutcome::Skipped));
    let bad = report.tests.len() - passed - skipped;
    let (style, word) = if report.has_passed() { (GOOD, "PASS") } else { (BAD, "FAIL") };
    writeln!(text, "{style}{word}{style:#}   {passed} passed, {bad} failed, {skipped} to do")?;
    coverage(text, report, threshold)
}

fn coverage(text: &mut String, report: &UnitTestReport, threshold: Option<f64>) -> std::fmt::Result {
    for (what, share) in [("lines", report.line_coverage()), ("rules", report.rule_coverage())] {
        let Some(share) = share else { continue };
        match threshold.filter(|threshold| share < *threshold) {
            Some(threshold) => {
                writeln!(text, "{BAD}{share:.2} %{BAD:#} of {what}, below the threshold of {threshold} %")?
            }
            None => writeln!(text, "{share:.2} % of {what}")?,
        }
    }
    for (file, lines) in report.coverage.iter().filter(|(_, lines)| !lines.not_covered.is_empty()) {
        let missed: Vec<String> = lines.not_covered.iter().take(MOST_MISSED).map(u32::to_string).collect();
        let more = lines.not_covered.len().saturating_sub(MOST_MISSED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(text, "       {FAINT}{file}: not line {}{more}{FAINT:#}", missed.join(", "))?;
    }
    for (file, rules) in report.rules.iter().filter(|(_, rules)| !rules.not_covered.is_empty()) {
        let missed: Vec<&str> = rules.not_covered.iter().take(MOST_MISSED).map(String::as_str).collect();
        writeln!(text, "       {FAINT}{file}: not rule {}{FAINT:#}", missed.join(", "))?;
    }
    Ok(())
}

/// What did not hold, and what its parts are.
fn sentence(failure: &Failure) -> String {
    let mut text = format!("{}: {}", failure.location, failure.expression);
    for part in &failure.parts {
        let values = if part.values.is_empty() { "undefined".to_owned() } else { part.values.join(" | ") };
        let _ = write!(text, "\n  {} is {values}", part.expression);
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("       {line}")).collect::<Vec<_>>().join("\n")
}

/// One suite a package, one case a test.
///
/// What has to be covered is a suite of its own.
fn junit(report: &UnitTestReport, threshold: Option<f64>) -> Result<String, quick_junit::SerializeError> {
    let mut document = Report::new("factgate test");
    let mut packages: Vec<&str> = report.tests.iter().map(|test| test.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        let mut suite = TestSuite::new(package);
        for test in report.tests.iter().filter(|test| test.package == package) {
            let mut case = TestCase::new(test.name.as_str(), status(test));
            case.set_classname(package);
            if !test.prints.is_empty() {
                case.set_system_out(test.prints.join("\n"));
            }
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    if let Some(threshold) = threshold {
        let mut suite = TestSuite::new("coverage");
        for (what, share) in [("lines", report.line_coverage()), ("rules", report.rule_coverage())] {
            let status = match share {
                Some(share) if share >= threshold => TestCaseStatus::success(),
                share => {
                    let share = share.map_or("nothing".to_owned(), |share| format!("{share:.2} %"));
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(format!("{share} of {what}, below the threshold of {threshold} %"));
                    status
                }
            };
            let mut case = TestCase::new(what, status);
            case.set_classname("coverage");
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    document.to_string()
}

fn status(test: &UnitTest) -> TestCaseStatus {
    match &test.outcome {
        UnitTestOutcome::Passed => TestCaseStatus::success(),
        UnitTestOutcome::Skipped => TestCaseStatus::skipped(),
        UnitTestOutcome::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{} is not true", test.location));
            if let Some(failure) = &test.failure {
                status.set_description(sentence(failure));
            }
            status
        }
        UnitTestOutcome::Error(message) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(message.lines().next().unwrap_or_default()).set_description(message.as_str());
            status
        }
    }
}
