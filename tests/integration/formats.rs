//! Every format tells the same story of the same verdict, and is what its schema says.
//!
//! One run writes all of them, so that they are of one verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use assert_cmd::Command;
use quick_junit::{Report, TestCaseStatus};
use regex::Regex;
use serde_json::{Value, json};

use crate::fixtures;
use crate::harness::factgate::{Run, run_alone};
use crate::harness::tools;

/// What a reader learns: GO or not, and which subjects each code blocks on. What no code says (an unsealed document) counts as `verdict`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Story {
    is_go: bool,
    blockers: BTreeMap<String, BTreeSet<String>>,
    has_reasons: bool,
}

impl Story {
    fn blocks(&mut self, code: &str, subject: &str) {
        self.blockers.entry(code.to_owned()).or_default().insert(subject.to_owned());
    }

    fn is_waived(&mut self, code: &str, subject: &str) {
        let subjects = self.blockers.get_mut(code).unwrap();
        assert!(subjects.remove(subject), "{code} {subject}");
        if subjects.is_empty() {
            self.blockers.remove(code);
        }
    }
}

/// A document with everything that decides on the verdict, in a folder of its own.
struct Case {
    name: &'static str,
    folder: tempfile::TempDir,
    arguments: Vec<&'static str>,
    /// The exit code of the run that wrote every format.
    code: i32,
}

const WAIVERS: &str = "[[waivers]]\ncode = \"M2C-B6\"\nsubject = \"FLINK_PARALLELISM_DEFAULT\"\nowner = \"streaming\"\n\
                       reason = \"100 % known, and harmless: see the log\"\nexpires_at = \"2999-01-01T00:00:00Z\"\n";

/// Every case, evaluated once.
fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(make_cases);
    &CASES
}

fn make_cases() -> Vec<Case> {
    let case = |name, document: &Value, arguments: &[&'static str]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("facts.json"), document.to_string()).unwrap();
        fs::write(folder.path().join("waivers.toml"), WAIVERS).unwrap();
        let outputs = READERS.map(|(format, _)| format!("--output={format}=verdict.{format}"));
        let run = ["eval", "facts.json"].into_iter().chain(arguments.iter().copied());
        let code = run_alone(folder.path(), run.chain(outputs.iter().map(String::as_str))).code;
        Case { name, folder, arguments: arguments.to_vec(), code }
    };
    let document = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(fixtures::folder().join(format!("{name}.json"))).unwrap()).unwrap()
    };
    let mut unsealed = document("ready");
    unsealed.as_object_mut().unwrap().remove("digest");
    vec![
        case("ready", &document("ready"), &[]),
        case("blocked", &document("blocked"), &[]),
        case("unreadable", &document("unreadable"), &[]),
        case("waived", &document("blocked"), &["--waivers", "waivers.toml"]),
        case("unsealed", &unsealed, &[]),
    ]
}

impl Case {
    fn named(name: &str) -> &'static Self {
        cases().iter().find(|case| case.name == name).unwrap()
    }

    /// What the one run wrote in a format.
    fn output(&self, format: &str) -> Run {
        let stdout = fs::read_to_string(self.folder.path().join(format!("verdict.{format}"))).unwrap();
        Run { code: self.code, stdout, stderr: String::new() }
    }

    fn run(&self, format: &str, more: &[&str]) -> Run {
        let arguments = ["eval", "facts.json", "-o", format].into_iter().chain(self.arguments.iter().copied());
        run_alone(self.folder.path(), arguments.chain(more.iter().copied()))
    }
}

fn from_json(run: &Run) -> Story {
    let verdict = run.json();
    let mut story = Story { is_go: verdict["outcome"] == "GO", ..Story::default() };
    story.has_reasons = !verdict["reasons"].as_array().unwrap().is_empty();
    for blocker in verdict["lanes"].as_array().unwrap().iter().flat_map(|lane| lane["blockers"].as_array().unwrap()) {
        if blocker.get("waived").is_none() {
            story.blocks(blocker["code"].as_str().unwrap(), blocker["subject"].as_str().unwrap());
        }
    }
    story
}

fn from_ndjson(run: &Run) -> Story {
    let mut story = Story::default();
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (verdict, codes) = lines.split_last().unwrap();
    story.is_go = verdict["result"]["outcome"] == "GO";
    story.has_reasons = !verdict["result"]["reasons"].as_array().unwrap().is_empty();
    assert_eq!(verdict["result"]["exit_code"], run.code);
    for decision in codes {
        for blocker in decision["result"]["blockers"].as_array().unwrap() {
            if blocker.get("waived").is_none() {
                story.blocks(decision["result"]["code"].as_str().unwrap(), blocker["subject"].as_str().unwrap());
            }
        }
    }
    let ids: BTreeSet<&str> = lines.iter().map(|line| line["decision_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), lines.len(), "each decision has an id of its own");
    story
}

fn from_sarif(run: &Run) -> Story {
    let log = run.json();
    let run_of = &log["runs"][0];
    let mut story = Story { is_go: run_of["properties"]["outcome"] == "GO", ..Story::default() };
    for result in run_of["results"].as_array().unwrap() {
        let rule = result["ruleId"].as_str().unwrap();
        assert_eq!(run_of["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize]["id"], rule);
        // All results have suppressions, or none; those of what is waived are not empty.
        if !result["suppressions"].as_array().unwrap().is_empty() {
            continue;
        }
        match rule {
            "verdict" => story.has_reasons = true,
            code => story.blocks(code, result["properties"]["subject"].as_str().unwrap()),
        }
    }
    story
}

fn from_junit(run: &Run) -> Story {
    let report = Report::deserialize_from_str(&run.stdout).unwrap();
    let mut story = Story { is_go: true, ..Story::default() };
    for case in report.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        if matches!(case.status, TestCaseStatus::NonSuccess { .. }) {
            story.is_go = false;
            match case.classname.as_ref().unwrap().as_str() {
                "verdict" => story.has_reasons = true,
                code => story.blocks(code, case.name.as_str().split_once(": ").unwrap().0),
            }
        }
    }
    story
}

fn from_github(run: &Run) -> Story {
    let plain = |text: &str| {
        text.replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    };
    let command = Regex::new("^::(error|warning|notice) file=([^,]*),title=([^:]*)::(.*)$").unwrap();
    let mut story = Story::default();
    for line in run.stdout.lines() {
        let found = command.captures(line).unwrap_or_else(|| panic!("{line}"));
        let title = plain(&found[3]);
        match (&found[1], title.split_once(' ')) {
            ("notice", _) => story.is_go = title.ends_with(": GO"),
            ("error", None) if title == "verdict" => story.has_reasons = true,
            ("error", Some((code, subject))) => story.blocks(code, subject),
            ("warning", _) => {}
            other => panic!("{other:?}"),
        }
    }
    story
}

fn from_table(run: &Run) -> Story {
    let mut story = Story::default();
    let heading = Regex::new("^(M2[A-J]-B[0-9]+) S[12] ").unwrap();
    let mark = Regex::new("^  ✗ [a-z]+ +(.*?): ").unwrap();
    let (mut code, mut subject) = (String::new(), String::new());
    for line in run.stdout.lines() {
        if let Some(found) = heading.captures(line) {
            code = found[1].to_owned();
        } else if let Some(found) = mark.captures(line) {
            subject = found[1].to_owned();
            story.blocks(&code, &subject);
        } else if line.starts_with("      waived ") {
            story.is_waived(&code, &subject);
        }
    }
    let headline = run.stdout.lines().nth(1).unwrap();
    story.is_go = headline.starts_with("GO ");
    story.has_reasons = run.stdout.lines().skip(2).take_while(|line| !line.starts_with("run ")).count() > 0;
    story
}

fn from_markdown(run: &Run) -> Story {
    let mut story = Story::default();
    let row = Regex::new(r#"^\| (M2[A-J]-B[0-9]+) \| S[12] \| [^|]* \| ([a-z]+) \| (.*?): "#).unwrap();
    let waiver = Regex::new(r"^\| applied \| (M2[A-J]-B[0-9]+) \| ([^|]*) \| ").unwrap();
    let escape = Regex::new(r"\\(.)").unwrap();
    let mut section = "";
    for line in run.stdout.lines() {
        section = line.strip_prefix("### ").unwrap_or(section);
        if let Some(found) = row.captures(line).filter(|_| section == "Blockers") {
            story.blocks(&found[1], &escape.replace_all(&found[3], "$1"));
        }
        if let Some(found) = waiver.captures(line) {
            story.is_waived(&found[1], &escape.replace_all(&found[2], "$1"));
        }
        story.is_go |= line.starts_with("- Outcome: **GO**");
        story.has_reasons |= line.starts_with("- Blocks: ");
    }
    story
}

type Reader = fn(&Run) -> Story;

const READERS: [(&str, Reader); 7] = [
    ("json", from_json),
    ("table", from_table),
    ("markdown", from_markdown),
    ("junit", from_junit),
    ("sarif", from_sarif),
    ("github", from_github),
    ("ndjson", from_ndjson),
];

#[test]
fn every_format_tells_the_same_story_and_ends_the_same() {
    for case in cases() {
        let story = from_json(&case.output("json"));
        assert_eq!(story.is_go, case.name == "ready");
        assert_eq!(story.has_reasons, case.name == "unsealed");
        for (format, read) in READERS {
            assert_eq!(read(&case.output(format)), story, "{} as {format}", case.name);
        }
    }
    for name in ["ready", "unreadable"] {
        for (format, _) in READERS {
            let run = Case::named(name).run(format, &[]);
            assert_eq!(run.code, Case::named(name).code, "{name} as {format}");
            assert_eq!(run.stdout, Case::named(name).output(format).stdout, "{name} as {format}");
        }
    }
}

#[test]
fn what_is_waived_is_suppressed_skipped_or_a_warning() {
    let case = Case::named("waived");
    let sarif = case.output("sarif").json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<&Value> =
        results.iter().filter(|result| !result["suppressions"].as_array().unwrap().is_empty()).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["ruleId"], "M2C-B6");
    let justification = suppressed[0]["suppressions"][0]["justification"].as_str().unwrap();
    assert!(justification.contains("100 % known") && justification.contains("streaming"), "{justification}");
    assert_eq!(case.output("github").stdout.matches("::warning ").count(), 1);
    let report = Report::deserialize_from_str(&case.output("junit").stdout).unwrap();
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    assert_eq!(cases.filter(|case| matches!(case.status, TestCaseStatus::Skipped { .. })).count(), 1);
}

#[test]
fn sarif_logs_are_what_the_published_schema_says() {
    let schema =
        fs::read_to_string(tools::repository().join("tests/fixtures/schemas/sarif-schema-2.1.0.json")).unwrap();
    // ECMA 262 takes a bracket that closes nothing for itself; the validator's regular expressions do not.
    assert_eq!(schema.matches("{2}]?$").count(), 2);
    let schema: Value = serde_json::from_str(&schema.replace("{2}]?$", r"{2}\\]?$")).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    assert!(!validator.is_valid(&json!({"version": "2.1.0", "runs": [{"results": []}]})), "a run needs a tool");
    let against_a_baseline = Case::named("blocked").run("sarif", &["--baseline", "verdict.json"]);
    for run in cases().iter().map(|case| case.output("sarif")).chain([against_a_baseline]) {
        let log = run.json();
        let faults: Vec<String> = validator.iter_errors(&log).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0]);
    }
}

#[test]
fn junit_reports_are_what_the_published_schema_says() {
    const PROGRAM: &str = "import sys, xmlschema\nschema = xmlschema.XMLSchema(sys.argv[1])\n\
                           for name in sys.argv[2:]:\n    schema.validate(name)\nprint(len(sys.argv) - 2)\n";
    let schema = tools::repository().join("tests/fixtures/schemas/junit-4.xsd");
    let folder = tempfile::tempdir().unwrap();
    let validate = |files: &[String]| {
        let mut command = Command::new(tools::python());
        command.args(["-c", PROGRAM]).arg(&schema).args(files).current_dir(folder.path()).output().unwrap()
    };
    let files: Vec<String> = cases()
        .iter()
        .map(|case| {
            let name = format!("{}.xml", case.name);
            fs::write(folder.path().join(&name), case.output("junit").stdout).unwrap();
            name
        })
        .collect();
    let output = validate(&files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), files.len().to_string());
    fs::write(folder.path().join("wrong.xml"), "<testsuites><testsuite><testcase/></testsuite></testsuites>").unwrap();
    assert!(!validate(&["wrong.xml".to_owned()]).status.success(), "a case needs a name");
}

fn sarif_states(log: &Value) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        *states.entry(result["baselineState"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    states
}

/// A baseline of fewer, other and more blockers.
fn altered(verdict: &Value) -> Value {
    let mut altered = verdict.clone();
    let blockers = altered["lanes"][0]["blockers"].as_array_mut().unwrap();
    blockers.remove(0);
    blockers[0]["actual"] = json!("something else");
    let mut gone = blockers[1].clone();
    gone["claim"] = json!("something that holds by now");
    blockers.push(gone);
    altered
}

#[test]
fn a_baseline_tells_what_is_new_and_what_is_gone() {
    let case = Case::named("blocked");
    let verdict = case.output("json");
    let write = |name: &str, text: &str| fs::write(case.folder.path().join(name), text).unwrap();
    write("same.json", &verdict.stdout);
    write("other.json", &altered(&verdict.json()).to_string());
    let same = case.run("sarif", &["--baseline", "same.json"]);
    let all = from_json(&verdict).blockers.values().map(BTreeSet::len).sum::<usize>();
    let states = sarif_states(&same.json());
    assert_eq!(states.keys().collect::<Vec<_>>(), ["unchanged"]);
    assert!(states["unchanged"] >= all);
    let other = case.run("sarif", &["--baseline", "other.json"]);
    let states = sarif_states(&other.json());
    assert_eq!((states["new"], states["updated"], states["absent"]), (1, 1, 1), "{states:?}");
    assert_eq!((same.code, other.code), (verdict.code, verdict.code));
    let github = case.run("github", &["--baseline", "other.json"]);
    assert!(github.stdout.contains("; 1 new, 1 cleared"), "{}", github.stdout);
    assert_eq!(github.stdout.matches(" (new)::").count(), 1);
}

#[test]
fn a_baseline_that_is_no_verdict_is_refused() {
    let case = Case::named("ready");
    for name in ["facts.json", "missing.json"] {
        let run = case.run("sarif", &["--baseline", name]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""));
        assert!(run.stderr.contains("help: name a verdict"), "{}", run.stderr);
    }
}

#[test]
fn fingerprints_depend_on_code_subject_and_claim_alone() {
    let fingerprints = |case: &Case| -> BTreeMap<String, (String, String, String)> {
        let log = case.output("sarif").json();
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        results
            .filter(|result| result["ruleId"] != "verdict")
            .map(|result| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let properties = &result["properties"];
                let identity = (text(&result["ruleId"]), text(&properties["subject"]), text(&properties["claim"]));
                (text(&result["partialFingerprints"]["factgate/v1"]), identity)
            })
            .collect()
    };
    let (blocked, unreadable) = (fingerprints(Case::named("blocked")), fingerprints(Case::named("unreadable")));
    let both: Vec<&String> = blocked.keys().filter(|key| unreadable.contains_key(*key)).collect();
    assert!(!both.is_empty());
    for key in both {
        assert_eq!(blocked[key], unreadable[key]);
    }
}

#[test]
fn the_job_summary_is_appended_where_github_asks_for_it() {
    let case = Case::named("blocked");
    let summary = case.folder.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_factgate"));
    command.env_clear().env("GITHUB_STEP_SUMMARY", &summary).current_dir(case.folder.path());
    let output = command.args(["eval", "facts.json", "-o", "github"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n## ") && text.contains("M2A-B2"), "{text}");
    let unwritable = Path::new("missing/summary.md");
    let mut command = Command::new(env!("CARGO_BIN_EXE_factgate"));
    command.env_clear().env("GITHUB_STEP_SUMMARY", unwritable).current_dir(case.folder.path());
    let output = command.args(["eval", "facts.json", "-o", "github"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "a summary that is lost is no success");
}

#[test]
fn several_documents_are_several_runs() {
    let folder = fixtures::folder();
    let both = ["eval", "ready.json", "blocked.json", "-o"];
    let sarif = run_alone(&folder, both.into_iter().chain(["sarif"])).json();
    let outcomes: Vec<&Value> =
        sarif["runs"].as_array().unwrap().iter().map(|run| &run["properties"]["outcome"]).collect();
    assert_eq!(outcomes, ["GO", "NO-GO"]);
    let ndjson = run_alone(&folder, both.into_iter().chain(["ndjson"]));
    let lines: Vec<Value> = ndjson.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["path"] == "factgate/verdict").count(), 2);
}

#[test]
fn a_format_that_a_command_does_not_have_is_a_usage_error_and_a_configured_one_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["codes"][..], &["diff", "a.json", "b.json"], &["explain", "M2A-B1"], &["verify", "pack"]] {
        let run = run_alone(folder.path(), command.iter().copied().chain(["-o", "sarif"]));
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{command:?}");
        assert!(run.stderr.contains("has no sarif form"), "{}", run.stderr);
    }
    fs::write(folder.path().join("factgate.toml"), "output = [\"sarif=verdict.sarif\"]\n").unwrap();
    let run = run_alone(folder.path(), ["explain", "M2A-B1"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("M2A-B1") && !folder.path().join("verdict.sarif").exists());
}
