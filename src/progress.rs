//! Progress on standard error while facts are collected; silent where that is no terminal.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use factgate_collector::collect::Event;
use factgate_collector::{aws, terraform};
use indicatif::{ProgressBar, ProgressStyle};

/// A line that says what is being read.
pub(crate) struct Progress {
    bar: ProgressBar,
    calls: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    /// Shows the line. `indicatif` hides it by itself where standard error is no terminal.
    pub(crate) fn start(registry: &Path) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(format!("handles of {}", registry.display()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, calls: AtomicU64::new(0), failures: AtomicU64::new(0) }
    }

    /// Takes note of what happened.
    pub(crate) fn on(&self, event: &Event<'_>) {
        match event {
            Event::Terraform(terraform::Event { stack, command, progress: terraform::Progress::Started }) => {
                self.bar.set_message(format!("terraform {command} of {stack}"));
            }
            Event::Terraform(terraform::Event {
                stack,
                command,
                progress: terraform::Progress::Ended { exit_code, .. },
            }) => {
                if !matches!(exit_code, Some(0 | 2)) {
                    self.bar.println(format!("terraform {command} of {stack} failed; the verdict will say how"));
                }
            }
            Event::Aws(aws::Event::Called { receipt, error }) => {
                let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
                let failures =
                    self.failures.fetch_add(u64::from(error.is_some()), Ordering::Relaxed) + u64::from(error.is_some());
                self.bar.set_message(format!("{calls} AWS calls, {failures} without an answer; last {receipt}"));
            }
            Event::Aws(aws::Event::Planned { .. } | aws::Event::Read { .. }) => {}
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
