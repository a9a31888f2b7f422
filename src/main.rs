//! The `factgate` binary.

fn main() {}
