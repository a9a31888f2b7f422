//! Where work of the engine runs: on a thread of its own with a large stack, watched for its time and memory.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::policy::PolicyError;

/// The interpreter recurses along expressions and calls. Pages of a stack cost nothing before they are touched.
const STACK_BYTES: usize = 256 << 20;

/// How long the watchdog waits beyond the engine's own limit, which gives the better message.
const WATCHDOG_GRACE: Duration = Duration::from_secs(2);

/// How often the watchdog looks at the memory.
const WATCHDOG_PERIOD: Duration = Duration::from_millis(50);

/// How much the process may grow while one package is evaluated.
const MEMORY_BYTES: u64 = 2 << 30;

/// Runs work where a deep recursion does no harm and an endless builtin cannot keep the caller.
///
/// A thread cannot be stopped from outside: after an error of the watchdog it goes on until it ends by itself or the process
/// does, which is what a caller does with the error.
pub(super) fn on_worker<T: Send + 'static>(
    what: &str,
    time_limit: Duration,
    work: impl FnOnce() -> Result<T, PolicyError> + Send + 'static,
) -> Result<T, PolicyError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("policies".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // The receiver is gone after a time-out; nobody is left to tell.
            let _ = sender.send(work());
        })
        .map_err(|error| PolicyError::internal(format!("no thread for the evaluation: {error}")))?;
    let deadline = Instant::now() + time_limit + WATCHDOG_GRACE;
    let memory_before = resident_bytes();
    loop {
        let wait = deadline.saturating_duration_since(Instant::now()).min(WATCHDOG_PERIOD);
        match receiver.recv_timeout(wait) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PolicyError::internal(format!("the engine panicked on {what}")));
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                return Err(PolicyError::TimeLimit { what: what.to_owned(), location: None, limit: time_limit });
            }
            Err(RecvTimeoutError::Timeout) => {
                let grown = resident_bytes().zip(memory_before).map_or(0, |(now, before)| now.saturating_sub(before));
                if grown > MEMORY_BYTES {
                    return Err(PolicyError::MemoryLimit { what: what.to_owned(), limit: MEMORY_BYTES });
                }
            }
        }
    }
}

/// How much memory the process holds, where the system says so.
fn resident_bytes() -> Option<u64> {
    /// The kernel counts in pages; no common page is smaller.
    const PAGE_BYTES: u64 = 4096;
    let statistics = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statistics.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
