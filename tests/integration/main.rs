//! Integration tests: one binary, so that the AWS SDK is linked once.
//!
//! They need the peers that `tests/setup` installs, and Terraform; without them they fail and say so. Run them with
//! `cargo test --test integration`: all tests of one process share one applied world and work in copies of it.

/// As the program has it.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(test)]
mod authors;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_policies;
#[cfg(test)]
mod check;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod end_to_end;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod from_scratch;
#[cfg(test)]
mod handles;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod history;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod outputs;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod prove;
#[cfg(test)]
mod rego;
#[cfg(test)]
mod secrets;
