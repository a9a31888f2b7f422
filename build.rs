//! Builds again when a policy file appears or goes: `include_dir` alone sees only changes of files that were there before.

#[expect(clippy::print_stdout, reason = "this is how a build script talks to Cargo")]
fn main() {
    println!("cargo::rerun-if-changed=policies");
}
