//! The fact document: what a run saw, and how it saw it.
//!
//! ```text
//! registry ──► handles ─┐
//! terraform ─► stacks  ─┼─► FactDocument ──► seal (RFC 8785, sha256) ──► file
//! AWS reads ─► aws     ─┘        ▲
//!                                └── receipts: every call, by key
//! ```

mod document;
mod observation;
mod receipt;
mod terraform;

pub use document::{AwsFacts, FORMAT, FactDocument, Handle, RegistrySource, Run, TerraformMode, Tool};
pub use observation::{Observation, ReadError, ReadErrorKind};
pub use receipt::Receipt;
pub use terraform::{
    Apply, Backend, Command, Directory, Output, Outputs, Plan, ResourceChange, Stack, State, Terraform, Validation,
};
