//! `rehearse`: destroys and recovers the approved stacks, then collects one sealed document that tells of it.
//!
//! Its journal stands beside the document from before the first destructive step until the document is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use factgate_collector::approval::{Approval, ApprovalKind};
use factgate_collector::collect::{self, CollectError, Event};
use factgate_collector::fact::{Facts, RunClock, TerraformMode};
use factgate_collector::redact::Redactor;
use factgate_collector::registry::Registry;
use factgate_collector::rehearsal::Section;
use factgate_collector::terraform::rehearsal::{self, JOURNAL_FORMAT, Journal, RehearsalError};

use super::collect::{check_places, interruption, request};
use super::gate::EVIDENCE_ROOT;
use super::packs;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::progress::Progress;
use crate::settings::{PolicySettings, SourceSettings};

/// Rehearses, or finishes a rehearsal that was stopped.
pub(super) fn run(
    scope: &[String],
    resume: bool,
    source: &SourceSettings,
    policy: &PolicySettings,
) -> Result<ExitCode, Error> {
    let facts_path = source.facts.clone().unwrap_or_else(|| Path::new(EVIDENCE_ROOT).join("rehearsal.facts.json"));
    let journal_path = journal_path(&facts_path);
    let registry = Registry::read(&source.registry)?;
    let approvals = Approval::read_all(&source.approvals)?;
    let command = format!("factgate rehearse --resume --facts {}", facts_path.display());
    let journal = match (Journal::read(&journal_path)?, resume) {
        (Some(journal), true) => Journal { resumed: true, ..journal },
        (Some(journal), false) => {
            return Err(refused(
                format!("an earlier rehearsal is unfinished: {}", journal.state()),
                format!("finish it with `{command}` and the same registry and Terraform root"),
            ));
        }
        (None, true) => {
            return Err(refused(
                format!("there is no unfinished rehearsal: {} does not exist", journal_path.display()),
                "name the document of the rehearsal with --facts, or begin one with --scope and --approval".to_owned(),
            ));
        }
        (None, false) => new_journal(scope, &approvals)?,
    };
    // What was approved when it was destroyed may be recovered whatever is approved now.
    if !resume {
        rehearsal::check_scope(&journal.scope, &source.terraform_root, &registry.handles)?;
    }
    if let Some(folder) = facts_path.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    check_places(Some(&facts_path), source.raw.as_deref())?;

    let progress = Progress::start(&source.registry);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let redactor = Redactor::new().map_err(CollectError::from)?;
    let on_event = |event: Event<'_>| progress.on(&event);
    let work = async {
        let mut options = request(registry.clone(), source, policy).terraform;
        options.mode = TerraformMode::Apply;
        let on_terraform = |event| on_event(Event::Terraform(event));
        let rehearsed =
            rehearsal::rehearse(journal, &journal_path, &registry.handles, &options, &redactor, &on_terraform).await?;
        let mut request = request(registry, source, policy);
        request.terraform.mode = TerraformMode::Plan;
        request.clock = RunClock::now();
        request.approvals = approvals;
        request.evidence = packs::of_this_run(request.clock);
        request.rehearsal = Section::of_journal(&rehearsed.journal, Utc::now(), &allowlist(policy));
        request.logs = rehearsed.raw;
        let facts = collect::collect_with(&request, &redactor, &on_event).await?;
        Ok::<(Facts, Journal, Vec<String>), Error>((facts, rehearsed.journal, rehearsed.failures))
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            signal = interruption() => Err(interrupted(signal, &journal_path, &command)),
        }
    });
    progress.finish();
    runtime.shutdown_timeout(Duration::from_secs(1));
    let (facts, journal, failures) = outcome?;
    facts.write(&facts_path)?;
    if !journal.unrecovered().is_empty() {
        let message = format!("{}; {}", failures.join("; "), journal.state());
        return Err(Error::RehearsalUnfinished {
            state: message,
            help: format!("the facts are in {}; recover with `{command}`", facts_path.display()),
        });
    }
    // The document tells all that the journal told.
    std::fs::remove_file(&journal_path).map_err(|error| RehearsalError::Journal {
        path: journal_path.clone(),
        message: format!("it cannot be removed: {error}"),
    })?;
    for failure in &failures {
        let _ = std::io::Write::write_all(&mut anstream::stderr().lock(), format!("{failure}\n").as_bytes());
    }
    Ok(if failures.is_empty() { ExitCode::Go } else { ExitCode::NoGo })
}

/// Where the journal of the rehearsal of a document stands.
fn journal_path(facts: &Path) -> PathBuf {
    let mut name = facts.as_os_str().to_owned();
    name.push(".rehearsal.json");
    name.into()
}

/// A journal of a scope that is approved, exactly and still.
fn new_journal(scope: &[String], approvals: &[Approval]) -> Result<Journal, Error> {
    let Some(approval) = approvals.iter().find(|approval| approval.kind == ApprovalKind::Rehearsal) else {
        return Err(refused(
            "there is no approval of the kind rehearsal".to_owned(),
            "name its file with --approval".to_owned(),
        ));
    };
    let mut scope = scope.to_vec();
    scope.sort();
    scope.dedup();
    if scope != approval.stacks {
        return Err(refused(
            format!("{} approves {}, not {}", approval.path, approval.stacks.join(", "), scope.join(", ")),
            "scope and approval must name exactly the same stacks".to_owned(),
        ));
    }
    let now = Utc::now();
    if approval.has_expired(now) {
        return Err(refused(
            format!("{} expired at {}", approval.path, approval.expires_at),
            "have the rehearsal approved anew".to_owned(),
        ));
    }
    if approval.approved_at > now {
        return Err(refused(
            format!("{} is approved only from {} on", approval.path, approval.approved_at),
            "correct `approved_at`, or the clock of this machine".to_owned(),
        ));
    }
    let clock = RunClock::at(now);
    Ok(Journal {
        format: JOURNAL_FORMAT.to_owned(),
        phase_execution_id: clock.lane_execution_id("M2.I"),
        started_at: clock.collected_at(),
        doing: rehearsal::Doing::Destroy,
        stack: None,
        scope,
        approval: approval.observation(),
        receipts: [(approval.receipt_key(), approval.receipt())].into(),
        baseline: std::collections::BTreeMap::new(),
        touched: Vec::new(),
        destroy: std::collections::BTreeMap::new(),
        recover: std::collections::BTreeMap::new(),
        post_recovery: std::collections::BTreeMap::new(),
        resumed: false,
    })
}

/// What may stay behind, as far as the settings change the contract; the policies know the rest.
fn allowlist(policy: &PolicySettings) -> Vec<String> {
    let patterns = policy.contract.get("rehearsal").and_then(|rehearsal| rehearsal.get("allowlist"));
    let patterns = patterns.and_then(serde_json::Value::as_array).into_iter().flatten();
    patterns.filter_map(|pattern| pattern.as_str().map(str::to_owned)).collect()
}

/// What was under way has ended by now: its journal says what it left.
fn interrupted(signal: &'static str, journal: &Path, command: &str) -> Error {
    match Journal::read(journal) {
        Ok(None) => Error::RehearsalInterrupted {
            signal,
            state: "nothing was touched".to_owned(),
            help: "run it again".to_owned(),
        },
        Ok(Some(journal)) => Error::RehearsalInterrupted {
            signal,
            state: journal.state(),
            help: format!("finish it with `{command}` and the same registry and Terraform root"),
        },
        Err(error) => error.into(),
    }
}

fn refused(message: String, help: String) -> Error {
    RehearsalError::Refused { message, help }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(expires_at: &str) -> Approval {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("approval.yaml");
        let text = format!(
            "format: factgate.approval/v1\nkind: rehearsal\napproved_by: o\napproved_at: 2026-01-01T00:00:00Z\nexpires_at: \
             {expires_at}\nstacks: [ops, data_ml]\nreason: r\n"
        );
        std::fs::write(&path, text).unwrap();
        Approval::read(&path).unwrap()
    }

    #[test]
    fn only_exactly_the_approved_stacks_are_rehearsed_and_only_while_they_are() {
        let scope = |stacks: &[&str]| stacks.iter().map(|stack| (*stack).to_owned()).collect::<Vec<_>>();
        let both = scope(&["ops", "data_ml"]);
        let lasting = approval("2999-01-01T00:00:00Z");
        assert_eq!(new_journal(&both, std::slice::from_ref(&lasting)).unwrap().scope, ["data_ml", "ops"]);
        let refusal = |scope: &[String], approvals: &[Approval]| {
            let error = new_journal(scope, approvals).unwrap_err();
            assert_eq!(error.exit_code(), ExitCode::Input);
            error.to_string()
        };
        assert!(refusal(&both, &[]).contains("there is no approval"));
        for other in [&["ops"][..], &["ops", "data_ml", "runtime"], &[]] {
            assert!(refusal(&scope(other), std::slice::from_ref(&lasting)).contains("approves data_ml, ops, not"));
        }
        assert!(refusal(&both, &[approval("2026-01-02T00:00:00Z")]).contains("expired"));
    }
}
