//! Builds again when a file of the policies or of a new project appears or goes: `include_dir` alone sees only changes of files
//! that were there before.

fn main() {
    println!("cargo::rerun-if-changed=policies");
    println!("cargo::rerun-if-changed=src/templates");
}
