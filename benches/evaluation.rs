//! How long it takes to read and to evaluate `ready.json`, with the same policies under real OPA beside it in the same run.
//!
//! `cargo bench --no-default-features --bench evaluation`; with `-- --test` everything is run once and nothing measured.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run must end loudly")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use factgate::evaluate::{Document, Evaluation, evaluate};
use factgate::policy::{Policies, PolicyOptions};
use factgate_collector::fact::Facts;
use serde_json::{Map, Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn ready() -> Vec<u8> {
    fs::read(root().join("tests/fixtures/facts/ready.json")).expect("the archived document is there")
}

/// Reading a document with every check that its reader makes, its digest included, and beside it no check at all.
fn parse(criterion: &mut Criterion) {
    let bytes = ready();
    let mut group = criterion.benchmark_group("parse");
    group.bench_function("facts", |bencher| {
        bencher.iter(|| Facts::parse("ready.json", &bytes).expect("the archived document is readable"));
    });
    group.bench_function("bare json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Value>(&bytes).expect("it is JSON"));
    });
    group.finish();
}

/// Every lane's checks, observations and artifacts. Ours also makes the verdict of them.
fn evaluation(criterion: &mut Criterion) {
    let facts = Facts::parse("ready.json", &ready()).expect("the archived document is readable");
    let policies = Policies::embedded(&PolicyOptions::default()).expect("the policies compile");
    let document = Document::new(facts.json().clone(), facts.is_sealed()).expect("it has an identity");
    let evaluated = evaluate(&document, &policies, &[], &[]).expect("it can be evaluated");
    let mut opa = Opa::start(&policies, &facts, &evaluated);

    let mut group = criterion.benchmark_group("evaluate");
    group.sample_size(20);
    group.bench_function("factgate", |bencher| {
        bencher.iter(|| evaluate(&document, &policies, &[], &[]).expect("it can be evaluated"));
    });
    group.bench_function("opa", |bencher| bencher.iter_custom(|rounds| opa.rounds(rounds)));
    group.finish();
}

/// Real OPA in a process of its own, compiled and warm.
struct Opa {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Opa {
    fn start(policies: &Policies, facts: &Facts, evaluated: &Evaluation) -> Self {
        let mut process = Command::new(python())
            .arg(root().join("tests/opa/bench.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let questions = process.stdin.take().expect("standard input is piped");
        let answers = BufReader::new(process.stdout.take().expect("standard output is piped"));
        let mut opa = Self { process, questions, answers };
        let verdict = &evaluated.verdict;
        let lanes: Map<String, Value> = verdict.lanes.iter().map(|lane| (lane.lane.clone(), json!(lane))).collect();
        let job = json!({
            "policies": [root().join("policies")],
            "input": facts.json(),
            "data": {"factgate": {
                "tool": verdict.tool,
                "policies_digest": verdict.policies.digest,
                "verdict": {"lanes": lanes},
            }},
            "queries": queries(policies),
        });
        let answer = opa.ask(&job);
        let values = answer["values"].as_array().unwrap_or_else(|| panic!("OPA does not evaluate: {answer}"));
        // What is timed must be the same work: the artifacts are the last and largest part of it.
        let theirs: Vec<&Value> = values.iter().skip(1).collect();
        let ours: Vec<Value> = evaluated.artifacts.values().map(|bodies| json!(bodies)).collect();
        assert!(theirs.into_iter().eq(&ours), "the engines differ; the differential test says where");
        opa
    }

    fn rounds(&mut self, rounds: u64) -> Duration {
        let nanoseconds = self.ask(&json!(rounds));
        Duration::from_nanos(nanoseconds.as_u64().expect("OPA answers with a duration"))
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").and_then(|()| self.questions.flush()).expect("OPA listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("OPA answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("OPA answered {line:?}: {error}"))
    }
}

impl Drop for Opa {
    fn drop(&mut self) {
        // It would end by itself at the end of its input; nothing of it is wanted any more.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The same terms that an evaluation asks for: one query for all checks and observations, and one for each lane's artifacts.
/// Fewer queries read the input less often, which is to OPA's advantage.
fn queries(policies: &Policies) -> Vec<String> {
    let packages = || policies.lanes().iter().map(|lane| &lane.package);
    let checks = policies.lanes().iter().flat_map(|lane| {
        let rules = (1..=lane.codes.len()).map(|number| format!("b{number}"));
        rules.chain(["observations".to_owned()]).map(|rule| format!("data.{}.{rule}", lane.package))
    });
    let checks = format!("[{}]", checks.collect::<Vec<_>>().join(", "));
    std::iter::once(checks).chain(packages().map(|package| format!("data.{package}.artifacts"))).collect()
}

/// The interpreter of the test environment. A benchmark without its peer would look complete and not be.
fn python() -> PathBuf {
    let python = root().join(".venv/bin/python");
    assert!(python.is_file(), "{} is missing: run tests/setup first", python.display());
    python
}

criterion_group!(benches, parse, evaluation);
criterion_main!(benches);
