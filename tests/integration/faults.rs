//! Every AWS read fails in every way there is: the run ends, the fact says why it is missing, and the verdict is NO-GO.
//!
//! The sweep is of every operation of the catalog; the other tests are of whole runs, of lists and of the deadline.

mod sweep;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use factgate::exit::ExitCode;
use factgate_collector::aws::catalog::{CALLER_IDENTITY, CATALOG};
use factgate_collector::fact::{FactDocument, Facts, Observation, ReadErrorKind, Receipt, TerraformMode};
use factgate_collector::registry::Registry;
use serde_json::{Value, json};

use crate::documents::judge_as_is;
use crate::harness::emulator::{COLLECTOR, LoggedCall};
use crate::harness::factgate::{Run, run_in};
use crate::harness::gate::gate_all;
use crate::harness::registry::set_handle;
use crate::harness::world::World;

/// A world in which the collector has occasion for every operation of the catalog.
fn world() -> World {
    let world = World::rehearsed();
    let statement = json!({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    for role in ["fraud-platform-dev-full-eks-nodegroup", "fraud-platform-dev-full-eks-runtime-platform-base"] {
        let inline = json!({"RoleName": role, "PolicyName": "list-buckets", "PolicyDocument": policy});
        world.aws.hand("iam", "PutRolePolicy", inline);
    }
    probe_topics(&world);
    world
}

/// Asks for the list of topics, and fills it with every topic that a handle names.
fn probe_topics(world: &World) {
    world.change_registry(|text| set_handle(text, "TOPIC_PROBE_POLICY_M2D", &json!("REQUIRED")));
    let registry = Registry::read(&world.registry()).unwrap();
    let cluster = &registry.handles["MSK_CLUSTER_ARN"].value;
    for (_, topic) in registry.handles.iter().filter(|(name, _)| name.starts_with("FP_BUS_")) {
        let parameters = json!({
            "ClusterArn": cluster,
            "TopicName": topic.value,
            "PartitionCount": 6,
            "ReplicationFactor": 3,
        });
        world.aws.hand("kafka", "CreateTopic", parameters);
    }
}

/// A service as its calls are signed, and so as the emulator names it, where that differs from its place in the facts.
const SIGNED: [(&str, &str); 5] = [
    ("apigatewayv2", "apigateway"),
    ("cloudwatch", "monitoring"),
    ("costexplorer", "ce"),
    ("kinesisanalyticsv2", "kinesisanalytics"),
    ("sfn", "states"),
];

fn signed(service: &str) -> &str {
    SIGNED.iter().find(|(name, _)| *name == service).map_or(service, |(_, signed)| signed)
}

fn unsigned(signed: String) -> String {
    SIGNED.iter().find(|(_, name)| *name == signed).map_or(signed, |(service, _)| (*service).to_owned())
}

fn collect(world: &World, more: &[&str]) -> Run {
    let fixed = [
        "collect",
        "--registry",
        "dev_full.registry.md",
        "--terraform-root",
        "terraform",
        "--rehearsal",
        "rehearsal.json",
        "--approval",
        "m2_go_ahead.toml,m3_handoff.toml",
        "--facts",
        "facts.json",
    ];
    run_in(world, fixed.iter().chain(more))
}

fn document(world: &World) -> FactDocument {
    Facts::read(&world.folder().join("facts.json")).unwrap().document().clone()
}

/// A clean run, and the calls that it took.
struct Clean {
    document: FactDocument,
    calls: BTreeSet<(String, String)>,
}

static CLEAN: LazyLock<Clean> = LazyLock::new(|| {
    let world = world();
    world.aws.clear_log();
    let run = collect(&world, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let calls = world.aws.log().into_iter().filter(|call| call.is_collectors());
    Clean { document: document(&world), calls: calls.map(|call| (unsigned(call.service), call.operation)).collect() }
});

/// An operation of the catalog: its service, its name, its IAM action.
type Operation = (&'static str, &'static str, Option<&'static str>);

/// Every operation of the catalog, each once.
fn operations() -> BTreeSet<Operation> {
    let listed = CATALOG.iter().flat_map(|entry| entry.kind.aspects).flat_map(|aspect| aspect.operations);
    listed
        .copied()
        .chain([CALLER_IDENTITY])
        .map(|operation| (operation.service, operation.name, operation.action))
        .collect()
}

/// A document of an AWS-only run with what Terraform said in the clean run.
fn with_terraform(mut document: FactDocument) -> Facts {
    let clean = &CLEAN.document;
    document.terraform = clean.terraform.clone();
    document.run.terraform_mode = clean.run.terraform_mode;
    // Without Terraform its logs are not scanned, which would block whatever AWS said.
    document.plaintext_scan = clean.plaintext_scan.clone();
    document.receipts.retain(|_, receipt| matches!(receipt, Receipt::Aws { .. }));
    let local = clean.receipts.iter().filter(|(_, receipt)| !matches!(receipt, Receipt::Aws { .. }));
    document.receipts.extend(local.map(|(key, receipt)| (key.clone(), receipt.clone())));
    document.seal().unwrap()
}

/// Evaluates in this process, which spares hundreds of runs the compilation of the policies.
fn eval(facts: &Facts) -> (ExitCode, Value) {
    let verdict = judge_as_is(facts.json().clone());
    (verdict.exit_code(), serde_json::to_value(verdict).unwrap())
}

/// A fact's path, the calls (service, operation) that it comes from, and what came of them.
type Read<'document> = (String, Vec<(&'static str, &'static str)>, &'document Observation);

/// The observations of a document with their paths; the operations that each takes, where it is the catalog's.
fn observations(document: &FactDocument) -> Vec<Read<'_>> {
    let mut found = vec![(
        "run.caller_identity".to_owned(),
        vec![(CALLER_IDENTITY.service, CALLER_IDENTITY.name)],
        &document.run.caller_identity,
    )];
    for kind in CATALOG.iter().map(|entry| entry.kind) {
        for (name, aspects) in &document.aws[kind.service][kind.kind] {
            // Two kinds may describe one resource, and one of them only some: not every parameter's value is read.
            for (aspect, observation) in
                kind.aspects.iter().filter_map(|aspect| Some((aspect, aspects.get(aspect.name)?)))
            {
                let operations =
                    aspect.operations.iter().map(|operation| (operation.service, operation.name)).collect();
                let path = format!("aws.{}.{}.{name}.{}", kind.service, kind.kind, aspect.name);
                found.push((path, operations, observation));
            }
        }
    }
    found
}

/// Whether the clean run made this call for the fact at `path`: a role without inline policies has none to get.
fn took(path: &str, service: &str, operation: &str) -> bool {
    let clean = observations(&CLEAN.document).into_iter().find(|(known, _, _)| known == path);
    clean.is_none_or(|(_, _, observation)| {
        receipts(observation).iter().any(|key| key.starts_with(&format!("{service}.{operation}/")))
    })
}

fn receipts(observation: &Observation) -> &[String] {
    match observation {
        Observation::Present { receipts, .. }
        | Observation::Absent { receipts, .. }
        | Observation::Unreadable { receipts, .. } => receipts,
        Observation::NotCollected { .. } => &[],
    }
}

#[test]
fn the_catalog_lists_every_call_and_a_clean_run_is_go() {
    let listed: BTreeSet<(String, String)> =
        operations().into_iter().map(|(service, name, _)| (service.to_owned(), name.to_owned())).collect();
    assert_eq!(CLEAN.calls, listed);
    for (service, name, action) in operations() {
        assert!(action.is_some() || (service, name) == ("sts", "GetCallerIdentity"), "{service}.{name}");
    }
    let (code, verdict) = eval(&with_terraform(CLEAN.document.clone()));
    assert_eq!((code, &verdict["outcome"]), (ExitCode::Go, &json!("GO")), "{verdict:#}");
}

#[test]
fn denied_reads_block_as_unreadable() {
    sweep::sweep("access_denied", ReadErrorKind::Denied);
}

#[test]
fn reads_throttled_for_ever_block_as_unreadable() {
    sweep::sweep("throttle", ReadErrorKind::Throttled);
}

#[test]
fn reads_that_fail_for_ever_block_as_unreadable() {
    sweep::sweep("server_error", ReadErrorKind::Server);
}

#[test]
fn reads_that_hang_block_as_unreadable() {
    sweep::sweep("hang", ReadErrorKind::Timeout);
}

#[test]
fn malformed_answers_block_as_unreadable() {
    sweep::sweep("malformed", ReadErrorKind::Malformed);
}

#[test]
fn a_list_whose_second_page_fails_is_unreadable() {
    let lists = [
        ("glue", "ListSchemas", json!({"NextToken": "more"})),
        ("ssm", "DescribeParameters", json!({"NextToken": "more"})),
        ("dynamodb", "ListTagsOfResource", json!({"NextToken": "more"})),
        ("kms", "ListResourceTags", json!({"NextMarker": "more", "Truncated": true})),
        ("tagging", "GetResources", json!({"PaginationToken": "more"})),
        ("sfn", "ListStateMachines", json!({"nextToken": "more"})),
        ("apigatewayv2", "GetStages", json!({"nextToken": "more"})),
        ("apigatewayv2", "GetRoutes", json!({"nextToken": "more"})),
        ("apigatewayv2", "GetIntegrations", json!({"nextToken": "more"})),
        ("apigatewayv2", "GetAuthorizers", json!({"nextToken": "more"})),
        ("eks", "ListNodegroups", json!({"nextToken": "more"})),
        ("sagemaker", "ListEndpoints", json!({"NextToken": "more"})),
        ("budgets", "DescribeNotificationsForBudget", json!({"NextToken": "more"})),
        ("logs", "DescribeLogGroups", json!({"nextToken": "more"})),
        ("costexplorer", "GetCostAndUsage", json!({"NextPageToken": "more"})),
        ("kafka", "ListTopics", json!({"nextToken": "more"})),
    ];
    let world = world();
    for (service, operation, more) in &lists {
        world.aws.fail(signed(service), operation, "access_denied");
        world.aws.add_rule(json!({"service": signed(service), "op": operation, "times": 1, "patch": more}));
    }
    let run = collect(&world, &["--terraform", "off"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let document = document(&world);
    for (service, operation, _) in &lists {
        // One resource gets a first page, and every other call is refused.
        let second = format!("{service}.{operation}/");
        let mut cut_short = 0;
        for (path, _, observation) in
            observations(&document).into_iter().filter(|(_, operations, _)| operations.contains(&(service, operation)))
        {
            let Observation::Unreadable { error, receipts } = observation else { panic!("{path}: {observation:?}") };
            assert_eq!(error.kind, ReadErrorKind::Denied, "{path}");
            cut_short += receipts.iter().filter(|key| key.starts_with(&second) && key.ends_with("#2")).count();
        }
        assert_eq!(cut_short, 1, "{service}.{operation}");
        let answered =
            |call: &LoggedCall| call.is_collectors() && call.operation == *operation && call.status == Some(200);
        assert_eq!(world.aws.log().iter().filter(|call| answered(call)).count(), 1, "{service}.{operation}");
    }
}

#[test]
fn a_denied_read_of_a_whole_run_is_worth_a_retry() {
    let world = World::rehearsed();
    world.aws.fail("s3", "GetBucketVersioning", "access_denied");
    let started = Instant::now();
    let run = gate_all(&world, &["--deadline", "120s"]);
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    assert!(started.elapsed() < Duration::from_secs(120));
    // Who reads the table learns which permission is missing.
    assert!(run.stdout.contains("s3:GetBucketVersioning"), "{}", run.stdout);
}

#[test]
fn a_hung_read_of_a_whole_run_ends_in_time() {
    let world = World::rehearsed();
    world.aws.fail("glue", "GetSchemaVersion", "hang");
    let started = Instant::now();
    let run = gate_all(&world, &["--deadline", "120s", "--call-timeout", "1s", "--max-attempts", "2"]);
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    assert!(started.elapsed() < Duration::from_secs(120));
    assert!(run.stdout.contains("glue:GetSchemaVersion"), "{}", run.stdout);
}

#[test]
fn the_deadline_ends_a_run_in_which_everything_hangs() {
    let world = world();
    world.aws.add_rule(json!({"user_agent": COLLECTOR, "fault": "hang"}));
    let started = Instant::now();
    let run = collect(&world, &["--terraform", "off", "--deadline", "3s"]);
    let elapsed = started.elapsed();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    let document = document(&world);
    assert_eq!(document.run.terraform_mode, TerraformMode::Off);
    for (path, _, observation) in observations(&document) {
        let Observation::Unreadable { error, .. } = observation else { panic!("{path}: {observation:?}") };
        assert_eq!(error.kind, ReadErrorKind::Timeout, "{path}: {error:?}");
    }
}
