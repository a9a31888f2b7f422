//! One run of the binary: its own process group, bounded in time, and never left behind.
//!
//! Terraform holds a state lock while it plans and applies. It releases the lock when it is interrupted and loses it when it
//! is killed. So whatever ends a run early (its timeout, the deadline, a dropped future) interrupts first and kills last.
//!
//! Output goes to files without a name. With pipes Terraform would die of its next line if this process were killed, and leave
//! its lock and what it just created or destroyed unrecorded; so it goes on to its end, and the next run waits for its lock.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::Instant;

/// How often a running process is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);

/// What is kept of one stream. The largest documents (`show -json`) stay far below it.
const STREAM_LIMIT: u64 = 128 * 1024 * 1024;

/// What to run, where, and for how long.
pub(super) struct Invocation<'a> {
    pub(super) binary: &'a Path,
    pub(super) arguments: &'a [String],
    pub(super) directory: &'a Path,
    /// The whole environment of the process.
    pub(super) environment: &'a BTreeMap<OsString, OsString>,
    /// When the process is interrupted.
    pub(super) until: Instant,
    /// How long an interrupted process may take to release what it holds, before it is killed.
    pub(super) grace: Duration,
}

/// What a process wrote and how it ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) ending: Ending,
    /// The exit code, unless a signal ended the process.
    pub(super) exit_code: Option<i32>,
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By itself.
    Exited,
    /// By a signal that was not ours.
    Signalled(i32),
    /// Its time was up; it ended when interrupted.
    Interrupted,
    /// Its time was up and it did not end when interrupted.
    Killed,
}

/// One output stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    /// Whether the beginning was dropped for being too much.
    pub(super) is_cut: bool,
}

impl Stream {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its text; bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The last `limit` bytes of a file.
    fn end_of(file: &File, limit: u64) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let start = length.saturating_sub(limit);
        let mut bytes = vec![0; usize::try_from(length - start).map_err(io::Error::other)?];
        // By position: the process's own place in the file is left alone.
        file.read_exact_at(&mut bytes, start)?;
        Ok(Self { bytes, is_cut: start > 0 })
    }
}

/// Runs a process to its end, or to the end of its time.
///
/// # Errors
///
/// If the process cannot be started.
pub(super) async fn run(invocation: &Invocation<'_>) -> io::Result<Finished> {
    let mut process = Process::start(invocation)?;
    let mut ending = Ending::Exited;
    let mut deadline = invocation.until;
    let status = loop {
        if let Some(status) = process.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            match ending {
                Ending::Exited => {
                    process.signal(Signal::INT);
                    deadline = Instant::now() + invocation.grace;
                    ending = Ending::Interrupted;
                }
                _ => {
                    process.signal(Signal::KILL);
                    ending = Ending::Killed;
                    break process.wait()?;
                }
            }
        }
        tokio::time::sleep(POLL).await;
    };
    if let (Ending::Exited, Some(signal)) = (ending, status.signal()) {
        ending = Ending::Signalled(signal);
    }
    let (stdout, stderr) =
        (Stream::end_of(&process.stdout, STREAM_LIMIT)?, Stream::end_of(&process.stderr, STREAM_LIMIT)?);
    Ok(Finished { ending, exit_code: status.code(), stdout, stderr })
}

/// A running process. Dropping it ends the process, gently at first, and returns only once it has ended.
struct Process {
    child: Child,
    ended: Option<ExitStatus>,
    grace: Duration,
    stdout: File,
    stderr: File,
}

impl Process {
    fn start(invocation: &Invocation<'_>) -> io::Result<Self> {
        let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let child = Command::new(invocation.binary)
            .args(invocation.arguments)
            .current_dir(invocation.directory)
            .env_clear()
            .envs(invocation.environment)
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?)
            // A group of its own: a terminal's ctrl-C must not reach Terraform beside our own interrupt, since two interrupts
            // make it drop its lock; and plugins can be ended together with it.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, ended: None, grace: invocation.grace, stdout, stderr })
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.ended = self.child.try_wait()?;
        Ok(self.ended)
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }

    /// Signals the whole group, as a terminal does; a group that is gone needs no signal.
    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    /// Blocks: who dropped the run is about to remove its files or to exit, and the lock must be released by then.
    fn drop(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.signal(Signal::INT);
        let until = std::time::Instant::now() + self.grace;
        while std::time::Instant::now() < until {
            if !matches!(self.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(POLL);
        }
        self.signal(Signal::KILL);
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_script(script: &str, seconds: f64, grace: f64) -> Finished {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let environment = std::env::vars_os().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            run(&Invocation {
                binary: Path::new("/bin/sh"),
                arguments: &arguments,
                directory: Path::new("/"),
                environment: &environment,
                until: Instant::now() + Duration::from_secs_f64(seconds),
                grace: Duration::from_secs_f64(grace),
            })
            .await
            .expect("a shell")
        })
    }

    #[test]
    fn output_and_exit_code_are_kept_apart() {
        let finished = run_script("echo out; echo err >&2; exit 7", 10.0, 1.0);
        assert_eq!((finished.ending, finished.exit_code), (Ending::Exited, Some(7)));
        assert_eq!((finished.stdout.text().as_str(), finished.stderr.text().as_str()), ("out\n", "err\n"));
    }

    #[test]
    fn a_process_whose_time_is_up_is_interrupted_and_can_clean_up() {
        let finished = run_script("trap 'echo released; exit 1' INT; while :; do sleep 0.05; done", 0.3, 10.0);
        assert_eq!((finished.ending, finished.exit_code), (Ending::Interrupted, Some(1)));
        assert_eq!(finished.stdout.text(), "released\n");
    }

    #[test]
    fn a_process_that_ignores_the_interrupt_is_killed_with_its_group() {
        let finished = run_script("trap '' INT; (trap '' INT; sleep 30) & sleep 30; sleep 30", 0.2, 0.3);
        assert_eq!((finished.ending, finished.exit_code), (Ending::Killed, None));
    }

    #[test]
    fn a_foreign_signal_is_told_from_an_exit() {
        assert_eq!(run_script("kill -TERM $$", 10.0, 1.0).ending, Ending::Signalled(15));
    }

    #[test]
    fn a_dropped_run_is_interrupted_and_has_ended_when_the_drop_returns() {
        let folder = tempfile::tempdir().expect("a folder");
        let arguments = [
            "-c".to_owned(),
            "trap 'echo yes > released; exit 1' INT; echo > started; while :; do sleep 0.05; done".to_owned(),
        ];
        let environment = std::env::vars_os().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let invocation = Invocation {
                binary: Path::new("/bin/sh"),
                arguments: &arguments,
                directory: folder.path(),
                environment: &environment,
                until: Instant::now() + Duration::from_secs(30),
                grace: Duration::from_secs(10),
            };
            let started = async {
                while !folder.path().join("started").exists() {
                    tokio::time::sleep(POLL).await;
                }
            };
            tokio::select! {
                _ = run(&invocation) => panic!("it does not end by itself"),
                () = started => {}
            }
        });
        assert!(folder.path().join("released").exists());
    }

    #[test]
    fn a_long_stream_keeps_its_end() {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(b"beginning and end", 0).expect("written");
        let stream = Stream::end_of(&file, 3).expect("read");
        assert!(stream.is_cut && stream.text() == "end");
        assert!(!Stream::end_of(&file, 17).expect("read").is_cut);
    }
}
