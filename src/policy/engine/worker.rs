//! Where work of the engine runs: on a thread of its own with a large stack, watched for its time and memory.
//!
//! ```text
//! caller ── work ──► its worker ── result ──► caller
//!    └─ waits, looks at clock and memory ─► too much: leaves the worker to itself, takes another next time
//! ```

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
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

/// What a worker does.
type Work = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The worker of this thread, as long as it can be used: a new one for each evaluation would cost more than a small one takes, and
    /// has the allocator begin anew.
    static WORKER: RefCell<Option<Sender<Work>>> = const { RefCell::new(None) };
}

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
    start(Box::new(move || {
        // The receiver is gone after a time-out; nobody is left to tell.
        let _ = sender.send(work());
    }))?;
    let deadline = Instant::now() + time_limit + WATCHDOG_GRACE;
    let memory_before = resident_bytes();
    let problem = loop {
        let wait = deadline.saturating_duration_since(Instant::now()).min(WATCHDOG_PERIOD);
        match receiver.recv_timeout(wait) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                break PolicyError::internal(format!("the engine panicked on {what}"));
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                break PolicyError::TimeLimit { what: what.to_owned(), location: None, limit: time_limit };
            }
            Err(RecvTimeoutError::Timeout) => {
                let grown = resident_bytes().zip(memory_before).map_or(0, |(now, before)| now.saturating_sub(before));
                if grown > MEMORY_BYTES {
                    break PolicyError::MemoryLimit { what: what.to_owned(), limit: MEMORY_BYTES };
                }
            }
        }
    };
    WORKER.take();
    Err(problem)
}

/// Hands work to the worker of this thread.
fn start(work: Work) -> Result<(), PolicyError> {
    let no_worker = |error: &dyn Display| PolicyError::internal(format!("no thread for the evaluation: {error}"));
    WORKER.with_borrow_mut(|slot| {
        let worker = match slot.take() {
            Some(worker) => worker,
            None => {
                let (worker, queue) = mpsc::channel::<Work>();
                let thread = thread::Builder::new().name("policies".to_owned()).stack_size(STACK_BYTES);
                thread.spawn(move || queue.into_iter().for_each(|work| work())).map_err(|error| no_worker(&error))?;
                worker
            }
        };
        worker.send(work).map_err(|error| no_worker(&error))?;
        *slot = Some(worker);
        Ok(())
    })
}

/// How much memory the process holds, where the system says so.
fn resident_bytes() -> Option<u64> {
    /// The kernel counts in pages; no common page is smaller.
    const PAGE_BYTES: u64 = 4096;
    let statistics = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statistics.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
