//! Progress: shown where somebody watches, and nowhere else.

use assert_cmd::Command;

use crate::fixtures;
use crate::harness::tools;

/// What the line says first.
const LINE: &str = "handles of dev_full.registry.md";

/// Runs a collection that no AWS answers, perhaps in a terminal of its own; gives what it showed there or on standard error.
fn collect(in_terminal: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let sample = fixtures::folder().with_file_name("registry").join("dev_full.registry.md");
    std::fs::copy(sample, folder.path().join("dev_full.registry.md")).unwrap();
    let program = env!("CARGO_BIN_EXE_factgate");
    let mut command = Command::new(if in_terminal { tools::python().as_os_str() } else { program.as_ref() });
    if in_terminal {
        command.args(["-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)", program]);
    }
    let arguments = ["collect", "--registry", "dev_full.registry.md", "--terraform", "off", "--facts", "facts.json"];
    let nowhere = ["--endpoint-url", "http://127.0.0.1:9", "--max-attempts", "1", "--deadline", "10s"];
    let output = command
        .args(arguments.iter().chain(&nowhere))
        .env_clear()
        .envs([("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y"), ("TERM", "xterm-256color")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(folder.path().join("facts.json").exists(), "{output:?}");
    String::from_utf8_lossy(if in_terminal { &output.stdout } else { &output.stderr }).into_owned()
}

#[test]
fn progress_is_shown_in_a_terminal_and_nowhere_else() {
    let shown = collect(true);
    assert!(shown.contains(LINE), "{shown}");
    let kept = collect(false);
    assert!(!kept.contains(LINE), "{kept}");
}
