//! The fact document: what a run saw, and how it saw it.
//!
//! ```text
//! registry ──► handles ─┐
//! terraform ─► stacks  ─┼─► FactDocument ──► seal (RFC 8785, sha256) ──► file
//! AWS reads ─► aws     ─┘        ▲
//!                                └── receipts: every call, by key
//! ```

mod clock;
mod digest;
mod document;
mod locate;
mod observation;
mod plaintext;
mod problem;
mod reader;
mod receipt;
mod schema;
mod sealed;
mod terraform;
#[cfg(test)]
mod tests;

pub use clock::RunClock;
pub use digest::{Digest, MalformedDigest};
pub use document::{AwsFacts, FORMAT, FactDocument, Handle, RegistrySource, Run, TerraformMode, Tool};
pub use observation::{Observation, ReadError, ReadErrorKind};
pub use plaintext::{Finding, FindingKind, PlaintextScan, ScannedSource};
pub use problem::{FactError, FactProblem};
pub use receipt::Receipt;
pub use schema::{SCHEMA_ID, schema};
pub use sealed::{Facts, LARGEST_DOCUMENT, SealError, WriteError};
pub use terraform::{
    Apply, Backend, Command, Directory, Output, Outputs, Plan, ResourceChange, Stack, State, Terraform, Validation,
};
