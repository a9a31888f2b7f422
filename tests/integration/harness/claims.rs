//! What the harness promises to the other tests.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::emulator::COLLECTOR;
use super::world::World;
use super::{factgate, opa, registry, terraform};

const STATE_BUCKET: &str = "fraud-platform-dev-full-tfstate";

#[test]
fn an_applied_world_plans_clean_and_pins_its_handles() {
    let world = World::applied();
    for stack in terraform::STACKS {
        terraform::run(&world, stack, &["init", "-no-color"]);
        // With this flag Terraform succeeds only if nothing is to be changed.
        terraform::run(&world, stack, &["plan", "-no-color", "-detailed-exitcode"]);
    }
    let registry = std::fs::read_to_string(world.registry()).unwrap();
    let outputs = terraform::outputs(&world, "streaming");
    assert!(registry.contains(&format!("* `MSK_CLUSTER_ARN = {}`", outputs["msk_cluster_arn"])), "{registry}");
    assert!(!registry.contains(r#" = "TO_PIN"`"#), "{registry}");
}

#[test]
fn worlds_do_not_reach_one_another() {
    let (drifted, untouched) = (World::bootstrapped(), World::empty());
    let copy = drifted.aws.fork();
    drifted.aws.hand("s3", "DeletePublicAccessBlock", json!({"Bucket": STATE_BUCKET}));
    let read =
        |aws: &super::emulator::Emulator| aws.try_hand("s3", "GetPublicAccessBlock", json!({"Bucket": STATE_BUCKET}));
    assert!(read(&drifted.aws).unwrap_err().contains("NoSuchPublicAccessBlockConfiguration"));
    assert!(read(&untouched.aws).unwrap_err().contains("NoSuchBucket"));
    assert_eq!(read(&copy).unwrap()["PublicAccessBlockConfiguration"]["BlockPublicAcls"], true);
    copy.reset();
    assert!(read(&copy).unwrap_err().contains("NoSuchBucket"));
}

#[test]
fn a_fork_survives_calls_in_flight() {
    let world = World::bootstrapped();
    world.aws.add_rule(json!({"service": "sts", "fault": "hang", "seconds": 2}));
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| world.aws.fork().try_hand("s3", "HeadBucket", json!({"Bucket": STATE_BUCKET})).unwrap())
            })
            .collect();
        assert!(world.aws.try_hand("sts", "GetCallerIdentity", json!({})).is_err());
        for caller in callers {
            assert_eq!(caller.join().unwrap()["BucketRegion"], "eu-west-2");
        }
    });
}

#[test]
fn faults_are_answered_in_the_protocol_of_the_service() {
    let world = World::empty();
    // One service for each protocol: REST-XML, AWS JSON, REST-JSON, query, EC2 query.
    let calls = [
        ("s3", "GetBucketEncryption", json!({"Bucket": STATE_BUCKET}), ["AccessDenied", "SlowDown", "InternalError"]),
        (
            "glue",
            "GetRegistry",
            json!({"RegistryId": {"RegistryName": "x"}}),
            ["AccessDeniedException", "ThrottlingException", "InternalServerError"],
        ),
        (
            "kafka",
            "ListClustersV2",
            json!({}),
            ["AccessDeniedException", "TooManyRequestsException", "InternalServerErrorException"],
        ),
        ("iam", "ListRoles", json!({}), ["AccessDenied", "Throttling", "InternalFailure"]),
        ("ec2", "DescribeVpcs", json!({}), ["UnauthorizedOperation", "RequestLimitExceeded", "InternalError"]),
    ];
    for (service, operation, parameters, codes) in calls {
        for (fault, code) in ["access_denied", "throttle", "server_error"].into_iter().zip(codes) {
            world.aws.add_rule(json!({"service": service, "op": operation, "fault": fault, "times": 1}));
            let error = world.aws.try_hand(service, operation, parameters.clone()).unwrap_err();
            assert!(error.contains(&format!("({code})")), "{service} {fault}: {error}");
        }
    }
    world.aws.add_rule(json!({"fault": "malformed"}));
    assert!(world.aws.try_hand("iam", "ListRoles", json!({})).unwrap_err().contains("Unable to parse response"));
    world.aws.clear_rules();
    assert!(world.aws.try_hand("iam", "ListRoles", json!({})).is_ok());
}

#[test]
fn a_fault_aimed_at_the_collector_spares_everybody_else() {
    let world = World::bootstrapped();
    world.aws.clear_log();
    world.aws.fail("s3", "HeadBucket", "access_denied");
    world.aws.hand("s3", "HeadBucket", json!({"Bucket": STATE_BUCKET}));
    let [call] = &world.aws.log()[..] else { panic!("one call: {:?}", world.aws.log()) };
    assert_eq!((&*call.service, &*call.operation, call.status, call.ruled), ("s3", "HeadBucket", Some(200), false));
    assert!(!call.is_collectors() && !call.user_agent.contains(COLLECTOR));
    assert!(call.path.contains(STATE_BUCKET) && call.body.is_empty());
}

#[test]
fn a_rule_replaces_an_answer_or_a_part_of_it_as_often_as_it_says() {
    let world = World::bootstrapped();
    let table =
        || world.aws.hand("dynamodb", "DescribeTable", json!({"TableName": "fraud-platform-dev-full-tf-locks"}));
    let rule = |action: &str, value| world.aws.add_rule(json!({"op": "DescribeTable", "times": 1, action: value}));
    rule("patch", json!({"Table.TableStatus": "UPDATING"}));
    rule("reply", json!({"json": {"Table": {"TableName": "canned"}}}));
    assert_eq!(table()["Table"], json!({"TableName": "canned"}));
    assert_eq!(table()["Table"]["TableStatus"], "UPDATING");
    assert_eq!(table()["Table"]["TableStatus"], "ACTIVE");
}

#[test]
#[should_panic(expected = "unknown keys: ['servise']")]
fn a_misspelt_rule_is_refused() {
    World::empty().aws.add_rule(json!({"servise": "s3", "fault": "throttle"}));
}

#[test]
fn schemas_are_listed_from_the_live_registry_page_by_page() {
    let world = World::applied();
    let identity = json!({"RegistryName": "fraud-platform-dev-full"});
    let mut names = BTreeSet::new();
    let mut request = json!({"RegistryId": identity, "MaxResults": 1});
    loop {
        let page = world.aws.hand("glue", "ListSchemas", request.clone());
        assert_eq!(page["Schemas"].as_array().unwrap().len(), 1);
        names.insert(page["Schemas"][0]["SchemaName"].as_str().unwrap().to_owned());
        if page["NextToken"].is_null() {
            break;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(names, ["fp.bus.traffic.fraud.v1", "fp.control.anchor.v1"].map(String::from).into());
}

#[test]
fn pinning_touches_only_what_an_output_names() {
    let outputs: Map<_, _> = [("ids".to_owned(), json!(["a", "b"]))].into_iter().collect();
    let registry = "* `IDS = \"TO_PIN\"` (later)\n* `OTHER = \"TO_PIN\"`\n* `IDS_COUNT = 2`\n";
    let pinned = registry::pin_handles(registry, &outputs);
    assert_eq!(pinned, "* `IDS = [\"a\",\"b\"]` (later)\n* `OTHER = \"TO_PIN\"`\n* `IDS_COUNT = 2`\n");
    assert_eq!(registry::remove_handle(&pinned, "OTHER"), "* `IDS = [\"a\",\"b\"]` (later)\n* `IDS_COUNT = 2`\n");
    let world = World::empty();
    world.change_registry(|text| registry::set_handle(text, "MSK_REGION", &json!("eu-west-1")));
    assert!(std::fs::read_to_string(world.registry()).unwrap().contains("* `MSK_REGION = \"eu-west-1\"`\n"));
}

#[test]
fn opa_evaluates_rules_tests_and_data_of_a_single_document() {
    let module =
        "package probe\n\nanswer := input.n + data.factgate.n\n\ntest_no_input if not input\n\ntest_wrong if false\n";
    let documents = json!([{"input": {"n": 1}, "data": {"factgate": {"n": 2}}}, {"input": {"n": 1}}]);
    let modules = json!({"probe.rego": module});
    let job = json!({"modules": modules, "documents": documents, "queries": ["data.probe.answer"], "tests": true});
    let broken = json!({"modules": {"broken.rego": "package broken\n\nx := y\n"}});
    let [result, refused] = &opa::evaluate(&[job, broken])[..] else { panic!("two results") };
    assert_eq!(
        result["results"],
        json!([{"data.probe.answer": {"value": 3}}, {"data.probe.answer": {"undefined": true}}])
    );
    let tests = json!({"data.probe.test_no_input": {"value": true}, "data.probe.test_wrong": {"undefined": true}});
    assert_eq!(result["tests"], tests);
    assert!(refused["error"].as_str().unwrap().contains("rego_unsafe_var_error"));
}

#[test]
fn the_program_runs_in_a_world_and_alone() {
    let world = World::empty();
    let folder = tempfile::tempdir().unwrap();
    for run in [factgate::run_in(&world, ["--version"]), factgate::run_alone(folder.path(), ["--version"])] {
        assert_eq!((run.code, &*run.stderr), (0, ""), "{run:?}");
    }
}
