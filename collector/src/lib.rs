//! The factgate collector: one snapshot of every fact that a readiness policy may ask for.
//!
//! ```text
//! handle registry ─┐
//! terraform ───────┼─► collector ─► fact document (sealed) ─► evaluator
//! AWS reads ───────┘
//! ```
//!
//! Everything here does I/O or describes its result; nothing here decides anything. The AWS SDK sits behind the default
//! feature `aws`, so that the evaluator builds without it.

pub mod approval;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod collect;
pub mod fact;
pub mod file;
pub mod help;
pub mod json;
pub mod location;
pub mod redact;
pub mod registry;
pub mod rehearsal;
pub mod terraform;
