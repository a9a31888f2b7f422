//! What the integration tests stand on: real peers, in worlds of their own.
//!
//! ```text
//! tools        where Python, Terraform and the provider are, or a loud failure
//! emulator     AWS: a process that is started once and forked for every test
//! terraform    the example stacks, applied by the real binary
//! registry     the sample registry, with the handles pinned that an apply makes known
//! approvals    what an operator signs
//! world        all of these together, in a folder and an environment of their own
//! factgate     the program under test, run in a world
//! gate         its `gate`, and what the verdict says
//! packs        evidence packs, as the contract names their files
//! documentation  its fenced blocks, as a reader would type them
//! files        what stands below a folder
//! opa          real OPA, for comparison
//! ```

pub(crate) mod approvals;
pub(crate) mod documentation;
pub(crate) mod emulator;
pub(crate) mod factgate;
pub(crate) mod files;
pub(crate) mod gate;
pub(crate) mod opa;
pub(crate) mod packs;
pub(crate) mod registry;
pub(crate) mod terraform;
pub(crate) mod tools;
pub(crate) mod world;

mod claims;
