//! The verdict as JUnit XML: one suite a lane, one case a check. CI servers show it as test results.
//!
//! What is unreadable is an error, what else blocks a failure, what is waived is skipped. Reasons that no check gives (an unsealed
//! document, a lane upstream) are a suite of their own, so that no NO-GO looks like a success.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::check::{Cause, Check};
use crate::verdict::{LaneVerdict, Verdict};

/// What the suite of reasons is called.
const REASONS: &str = "verdict";

/// Renders the verdicts as one report.
///
/// # Errors
///
/// If a text cannot be written as XML.
pub fn render(verdicts: &[&Verdict]) -> Result<String, SerializeError> {
    let mut report = Report::new("factgate");
    for verdict in verdicts {
        let run = &verdict.facts.phase_execution_id;
        if !verdict.reasons.is_empty() {
            let mut suite = TestSuite::new(format!("{run} {REASONS}"));
            for reason in &verdict.reasons {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(reason.as_str());
                let mut case = TestCase::new(reason.as_str(), status);
                case.set_classname(REASONS);
                suite.add_test_case(case);
            }
            report.add_test_suite(suite);
        }
        for lane in &verdict.lanes {
            report.add_test_suite(suite(run, lane));
        }
    }
    report.to_string()
}

fn suite(run: &str, lane: &LaneVerdict) -> TestSuite {
    let mut suite = TestSuite::new(format!("{run} {}", lane.lane));
    for code in &lane.codes {
        for check in &code.checks {
            let mut case =
                TestCase::new(format!("{}: {}", check.subject, check.claim), status(lane, &code.code, check));
            case.set_classname(code.code.as_str());
            suite.add_test_case(case);
        }
    }
    suite
}

fn status(lane: &LaneVerdict, code: &str, check: &Check) -> TestCaseStatus {
    if check.ok {
        return TestCaseStatus::success();
    }
    let blocker = lane
        .blockers
        .iter()
        .find(|blocker| blocker.code == code && blocker.subject == check.subject && blocker.claim == check.claim);
    let waived = blocker.and_then(|blocker| blocker.waived.as_ref());
    if let Some(waived) = waived {
        let mut status = TestCaseStatus::skipped();
        // The schema of these reports has no message where something is skipped.
        status.set_description(format!("waived by {} until {}", waived.owner, waived.expires_at));
        return status;
    }
    let kind = match check.cause {
        Cause::Unreadable => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    if let Some(blocker) = blocker {
        status.set_message(blocker.detail.as_str());
        let facts = blocker.facts.join("\n");
        status.set_description(format!("{}\n\n{facts}\n\n{}", blocker.detail, blocker.remediation));
    }
    status
}
