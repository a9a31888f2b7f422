//! factgate: a policy-as-code readiness gate.
//!
//! ```text
//! handle registry ─┐
//! terraform ───────┼─► collector ─► fact document ─► policies (regorus) ─► checks ─► lane verdicts ─► P0 verdict
//! AWS reads ───────┘                (archived)                                └────► evidence pack
//! ```
//!
//! Everything left of the fact document does I/O and lives in the `factgate-collector` crate. Everything right of it is a
//! pure function of fact document, policies and contract: no clock, no network, no environment.

pub mod check;
pub mod evaluate;
pub mod exit;
pub mod policy;
pub mod verdict;
