//! Every format tells the same story of the same verdict, and is what its schema says.
//!
//! One run writes all of them, so that they are of one verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use assert_cmd::Command;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use regex::Regex;
use serde_json::{Value, json};

use crate::documents::sealed;
use crate::fixtures;
use crate::harness::factgate::{Run, run_alone};
use crate::harness::tools;

/// What a reader learns: GO or not, and which claims about which subjects block, and whether it is because they could not be read. What no
/// code says (an unsealed document) counts as `verdict`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Story {
    is_go: bool,
    blockers: BTreeSet<Blocker>,
    has_reasons: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Blocker {
    code: String,
    subject: String,
    claim: String,
    is_unreadable: bool,
}

impl Story {
    fn blocks(&mut self, code: &str, subject: &str, claim: &str, is_unreadable: bool) {
        let [code, subject, claim] = [code, subject, claim].map(str::to_owned);
        let is_new = self.blockers.insert(Blocker { code, subject, claim, is_unreadable });
        assert!(is_new, "the same blocker twice");
    }

    /// A blocker as JSON has it.
    fn blocks_as(&mut self, blocker: &Value) {
        let text = |key: &str| blocker[key].as_str().unwrap_or_else(|| panic!("no {key}: {blocker}"));
        self.blocks(text("code"), text("subject"), text("claim"), text("cause") == "unreadable");
    }

    fn is_waived(&mut self, code: &str, subject: &str) {
        let before = self.blockers.len();
        self.blockers.retain(|blocker| (blocker.code.as_str(), blocker.subject.as_str()) != (code, subject));
        assert!(self.blockers.len() < before, "{code} {subject}");
    }

    /// The exit code that follows from it.
    fn code(&self) -> i32 {
        match self {
            Self { is_go: true, .. } => 0,
            Self { has_reasons: false, blockers, .. } if blockers.iter().all(|blocker| blocker.is_unreadable) => 3,
            Self { .. } => 1,
        }
    }
}

/// The claim and whether it could not be read, as a sentence of details says: `"…" does not hold: … because it could not be read.`
fn told(detail: &str) -> (&str, bool) {
    let (claim, why) = detail.strip_prefix('"').and_then(|rest| rest.split_once("\" does not hold: ")).unwrap();
    (claim, why.contains(" because it could not be read."))
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
    let mut sole = document("ready");
    sole["handles"]["FLINK_PARALLELISM_DEFAULT"]["value"] = json!(0);
    vec![
        case("ready", &document("ready"), &[]),
        case("go by waiver", &sealed(sole), &["--waivers", "waivers.toml"]),
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
    let blockers = verdict["lanes"].as_array().unwrap().iter().flat_map(|lane| lane["blockers"].as_array().unwrap());
    blockers.filter(|blocker| blocker.get("waived").is_none()).for_each(|blocker| story.blocks_as(blocker));
    assert_eq!(verdict["only_unreadable"], story.code() == 3);
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
        let blockers = decision["result"]["blockers"].as_array().unwrap().iter();
        let open: Vec<&Value> = blockers.filter(|blocker| blocker.get("waived").is_none()).collect();
        assert_eq!(decision["result"]["ok"], open.is_empty());
        open.into_iter().for_each(|blocker| story.blocks_as(blocker));
    }
    let ids: BTreeSet<&str> = lines.iter().map(|line| line["decision_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), lines.len(), "each decision has an id of its own");
    story
}

fn from_sarif(run: &Run) -> Story {
    let log = run.json();
    let run_of = &log["runs"][0];
    let mut story = Story { is_go: run_of["properties"]["outcome"] == "GO", ..Story::default() };
    assert_eq!(run_of["invocations"][0]["exitCode"], run.code);
    for result in run_of["results"].as_array().unwrap() {
        let rule = result["ruleId"].as_str().unwrap();
        assert_eq!(run_of["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize]["id"], rule);
        // All results have suppressions, or none; those of what is waived are not empty.
        if !result["suppressions"].as_array().unwrap().is_empty() {
            continue;
        }
        match rule {
            "verdict" => story.has_reasons = true,
            code => {
                let mut blocker = result["properties"].clone();
                blocker["code"] = code.into();
                story.blocks_as(&blocker);
            }
        }
    }
    story
}

fn from_junit(run: &Run) -> Story {
    let report = Report::deserialize_from_str(&run.stdout).unwrap();
    let mut story = Story { is_go: true, ..Story::default() };
    for case in report.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        if let TestCaseStatus::NonSuccess { kind, .. } = &case.status {
            story.is_go = false;
            match case.classname.as_ref().unwrap().as_str() {
                "verdict" => story.has_reasons = true,
                code => {
                    let (subject, claim) = case.name.as_str().split_once(": ").unwrap();
                    story.blocks(code, subject, claim, *kind == NonSuccessKind::Error);
                }
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
        let (title, message) = (plain(&found[3]), plain(&found[4]));
        match (&found[1], title.split_once(' ')) {
            ("notice", _) => story.is_go = title.ends_with(": GO"),
            ("error", None) if title == "verdict" => story.has_reasons = true,
            ("error", Some((code, subject))) => {
                let detail = message.strip_prefix(subject).unwrap().strip_prefix(": ").unwrap();
                let (claim, is_unreadable) = told(detail);
                story.blocks(code, subject, claim, is_unreadable);
            }
            ("warning", _) => {}
            other => panic!("{other:?}"),
        }
    }
    story
}

fn from_table(run: &Run) -> Story {
    let mut story = Story::default();
    let heading = Regex::new("^(M2[A-J]-B[0-9]+) S[12] ").unwrap();
    let mark = Regex::new("^  ✗ ([a-z]+) +(.*?): (.*)$").unwrap();
    let (mut code, mut subject) = (String::new(), String::new());
    // Where the claims of a group stand, and whether they could not be read.
    let mut group = None;
    for line in run.stdout.lines() {
        if let Some(found) = heading.captures(line) {
            code = found[1].to_owned();
        } else if let Some(found) = mark.captures(line) {
            subject = found[2].to_owned();
            let is_unreadable = &found[1] == "unreadable";
            story.blocks(&code, &subject, &found[3], is_unreadable);
            group = Some((line.chars().count() - found[3].chars().count(), is_unreadable));
            continue;
        } else if line.starts_with("      waived ") {
            story.is_waived(&code, &subject);
        }
        let is_claim = |indent: usize| line.chars().take_while(|character| *character == ' ').count() == indent;
        match group {
            Some((indent, is_unreadable)) if is_claim(indent) => {
                story.blocks(&code, &subject, line.trim_start(), is_unreadable);
            }
            _ => group = None,
        }
    }
    let headline = run.stdout.lines().nth(1).unwrap();
    story.is_go = headline.starts_with("GO ");
    story.has_reasons = run.stdout.lines().skip(2).take_while(|line| !line.starts_with("run ")).count() > 0;
    story
}

fn from_markdown(run: &Run) -> Story {
    let mut story = Story::default();
    let row = Regex::new(r#"^\| (M2[A-J]-B[0-9]+) \| S[12] \| [^|]* \| ([a-z]+) \| (.*?): (".*) \| "#).unwrap();
    let waiver = Regex::new(r"^\| applied \| (M2[A-J]-B[0-9]+) \| ([^|]*) \| ").unwrap();
    let escape = Regex::new(r"\\(.)").unwrap();
    let mut section = "";
    for line in run.stdout.lines() {
        section = line.strip_prefix("### ").unwrap_or(section);
        if let Some(found) = row.captures(line).filter(|_| section == "Blockers") {
            let [subject, detail] = [3, 4].map(|group| escape.replace_all(&found[group], "$1").into_owned());
            let (claim, is_unreadable) = told(&detail);
            assert_eq!(is_unreadable, &found[2] == "unreadable");
            story.blocks(&found[1], &subject, claim, is_unreadable);
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
    let mut codes = BTreeMap::new();
    for case in cases() {
        let story = from_json(&case.output("json"));
        assert_eq!(story.is_go, matches!(case.name, "ready" | "go by waiver"));
        assert_eq!(story.has_reasons, case.name == "unsealed");
        assert_eq!(story.code(), case.code, "{}", case.name);
        for (format, read) in READERS {
            assert_eq!(read(&case.output(format)), story, "{} as {format}", case.name);
        }
        codes.insert(case.name, case.code);
    }
    let expected =
        [("ready", 0), ("go by waiver", 0), ("blocked", 1), ("waived", 1), ("unsealed", 1), ("unreadable", 3)];
    assert_eq!(codes, expected.into());
    for name in ["ready", "go by waiver", "blocked", "unreadable"] {
        for (format, _) in READERS {
            let run = Case::named(name).run(format, &[]);
            assert_eq!(run.code, Case::named(name).code, "{name} as {format}");
            assert_eq!(run.stdout, Case::named(name).output(format).stdout, "{name} as {format}");
        }
    }
}

/// <https://www.openpolicyagent.org/docs/management-decision-logs#decision-log-events>
#[test]
fn decisions_have_the_fields_of_opas_decision_logs() {
    let lines = |case: &Case| -> Vec<Value> {
        case.output("ndjson").stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let verdict = Case::named("blocked").output("json").json();
    for decision in lines(Case::named("blocked")) {
        let fields: Vec<&String> = decision.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["bundles", "decision_id", "input", "labels", "path", "result", "timestamp"]);
        assert!(decision["labels"].as_object().unwrap().values().all(Value::is_string), "{decision}");
        assert_eq!(decision["bundles"]["policies"]["revision"], verdict["policies"]["digest"]);
        assert_eq!(decision["input"]["digest"], verdict["facts"]["digest"]);
        assert_eq!(decision["timestamp"], verdict["facts"]["collected_at"]);
    }
    let id = |case: &str| lines(Case::named(case)).pop().unwrap()["decision_id"].clone();
    assert_ne!(id("blocked"), id("waived"), "with a waiver it is another decision");
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

/// Two documents in one run.
fn several(format: &str) -> Run {
    run_alone(&fixtures::folder(), ["eval", "ready.json", "blocked.json", "-o", format])
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
    let blocked = Case::named("blocked");
    fs::write(blocked.folder.path().join("altered.json"), altered(&blocked.output("json").json()).to_string()).unwrap();
    let against_a_baseline = blocked.run("sarif", &["--baseline", "altered.json"]);
    assert!(sarif_states(&against_a_baseline.json()).contains_key("absent"));
    for run in cases().iter().map(|case| case.output("sarif")).chain([against_a_baseline, several("sarif")]) {
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
    fs::write(folder.path().join("several.xml"), several("junit").stdout).unwrap();
    let files = [files, vec!["several.xml".to_owned()]].concat();
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
    let all = from_json(&verdict).blockers.len();
    let states = sarif_states(&same.json());
    assert_eq!(states.keys().collect::<Vec<_>>(), ["unchanged"]);
    assert_eq!(states["unchanged"], all);
    let other = case.run("sarif", &["--baseline", "other.json"]);
    let states = sarif_states(&other.json());
    assert_eq!((states["new"], states["updated"], states["absent"]), (1, 1, 1), "{states:?}");
    assert_eq!((same.code, other.code), (verdict.code, verdict.code));
    let github = case.run("github", &["--baseline", "other.json"]);
    assert!(github.stdout.contains("; 1 new, 1 cleared"), "{}", github.stdout);
    assert_eq!(github.stdout.matches(" (new)::").count(), 1);
}

#[test]
fn a_baseline_of_several_documents_is_one_for_each_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ready", "blocked"] {
        fs::copy(fixtures::folder().join(format!("{name}.json")), folder.path().join(format!("{name}.json"))).unwrap();
    }
    let eval = |documents: &[&str], more: &[&str]| {
        run_alone(folder.path(), ["eval"].iter().chain(documents).chain(more).copied())
    };
    assert_eq!(eval(&["ready.json", "blocked.json"], &["-o", "json=before.json"]).code, 1);
    // What blocked one document does not excuse the other.
    let run = eval(&["blocked.json", "ready.json"], &["-o", "sarif", "--baseline", "before.json"]);
    let states = |index: usize| -> BTreeSet<String> {
        let results = run.json()["runs"][index]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["baselineState"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((states(0), states(1)), (["new".to_owned()].into(), ["absent".to_owned()].into()));
    let run = eval(&["blocked.json"], &["-o", "github", "--baseline", "before.json"]);
    assert_eq!((run.code, run.stdout.as_str()), (4, ""));
    assert!(run.stderr.contains("has 2 verdicts, and 1 documents are evaluated"), "{}", run.stderr);
}

#[test]
fn a_reason_that_no_blocker_says_is_new_unchanged_or_gone() {
    // An unsealed document blocks by a reason, and by the code that asks for the seal.
    let (case, ready) = (Case::named("unsealed"), Case::named("ready"));
    let states = |case: &Case, baseline: &Case| -> BTreeMap<String, String> {
        let file = format!("baseline of {}.json", baseline.name);
        fs::write(case.folder.path().join(&file), baseline.output("json").stdout).unwrap();
        let log = case.run("sarif", &["--baseline", &file]).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        results.map(|result| (text(&result["ruleId"]), text(&result["baselineState"]))).collect()
    };
    let both = |state: &str| ["M2J-B8", "verdict"].map(|rule| (rule.to_owned(), state.to_owned())).into();
    assert_eq!(states(case, case), both("unchanged"));
    assert_eq!(states(case, ready), both("new"));
    assert_eq!(states(ready, case), both("absent"));
    let github = case.run("github", &["--baseline", "baseline of ready.json"]).stdout;
    assert!(github.contains("1 blockers, 0 waived, 1 other reasons; 2 new, 0 cleared"), "{github}");
    assert!(github.contains("title=verdict (new)::"), "{github}");
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
    let sarif = several("sarif").json();
    let outcomes: Vec<&Value> =
        sarif["runs"].as_array().unwrap().iter().map(|run| &run["properties"]["outcome"]).collect();
    assert_eq!(outcomes, ["GO", "NO-GO"]);
    let ndjson = several("ndjson");
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
