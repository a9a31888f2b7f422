//! Builds again when a policy file appears or goes: `include_dir` alone sees only changes of files that were there before.

fn main() {
    println!("cargo::rerun-if-changed=policies");
}
