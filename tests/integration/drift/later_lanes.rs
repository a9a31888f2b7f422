//! Drift of what the lanes D to J rest on.
//!
//! One run of the whole gate takes the better part of a minute, so that several things drift at once here. The set of codes is exact
//! all the same, and each drift has to show as a blocker of its own.

use serde_json::{Value, json};

use super::{assert_verdict, edit, pinned};
use crate::harness::gate::gate_all;
use crate::harness::registry::set_handle;
use crate::harness::terraform;
use crate::harness::world::World;

const NAME: &str = "fraud-platform-dev-full";

fn name(rest: &str) -> String {
    format!("{NAME}-{rest}")
}

fn parameter(rest: &str) -> String {
    format!("/fraud-platform/dev_full/{rest}")
}

/// Somebody was in the console. What Terraform manages shows in the plans of its stacks, too.
#[test]
fn changes_by_hand_block_in_every_lane_that_reads_them() {
    let world = World::rehearsed();
    let hand = |service: &str, operation: &str, parameters: Value| world.aws.hand(service, operation, parameters);

    let principal = json!({"Service": "ec2.amazonaws.com"});
    let assume = json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]);
    let ec2 = json!({"Version": "2012-10-17", "Statement": assume});
    let trust = json!({"RoleName": name("apigw-ig-invoke"), "PolicyDocument": ec2.to_string()});
    hand("iam", "UpdateAssumeRolePolicy", trust);
    let reads = json!({"RoleName": name("lambda-ig-execution"), "PolicyName": "lambda-ig-execution"});
    hand("iam", "DeleteRolePolicy", reads);
    let only_parameters = json!([{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]);
    let document = json!({"Version": "2012-10-17", "Statement": only_parameters}).to_string();
    let boundary = hand("iam", "CreatePolicy", json!({"PolicyName": "boundary", "PolicyDocument": document}));
    let bounded = json!({
        "RoleName": name("mwaa-execution"), "PermissionsBoundary": boundary["Policy"]["Arn"],
    });
    hand("iam", "PutRolePermissionsBoundary", bounded);
    let machines = hand("stepfunctions", "ListStateMachines", json!({}));
    let machines = machines["stateMachines"].as_array().unwrap();
    let platform = machines.iter().find(|machine| machine["name"] == name("platform-run-v0").as_str()).unwrap();
    hand("stepfunctions", "DeleteStateMachine", json!({"stateMachineArn": platform["stateMachineArn"]}));
    let api = pinned(&world, "APIGW_IG_API_ID");
    hand("apigatewayv2", "DeleteStage", json!({"ApiId": api, "StageName": "v1"}));
    let handler = json!({"FunctionName": name("ig-handler")});
    let function = hand("lambda", "GetFunctionConfiguration", handler);
    let mut variables = function["Environment"]["Variables"].clone();
    variables["SSM_IG_API_KEY_PATH"] = json!(parameter("another"));
    let changed = json!({"FunctionName": name("ig-handler"), "Environment": {"Variables": variables}});
    hand("lambda", "UpdateFunctionConfiguration", changed);
    hand("eks", "DeleteNodegroup", json!({"clusterName": NAME, "nodegroupName": name("base")}));
    hand("eks", "DeleteCluster", json!({"name": NAME}));

    hand("ssm", "DeleteParameter", json!({"Name": parameter("databricks/token")}));
    let token = json!({"Name": parameter("databricks/token"), "Type": "String", "Value": "to-be-seeded"});
    hand("ssm", "PutParameter", token);
    hand("ssm", "DeleteParameter", json!({"Name": parameter("mlflow/tracking_uri")}));
    hand("ssm", "DeleteParameter", json!({"Name": parameter("aurora/endpoint")}));
    let container = json!({"Image": "123456789012.dkr.ecr.eu-west-2.amazonaws.com/stray:1"});
    let execution = pinned(&world, "ROLE_SAGEMAKER_EXECUTION");
    let model = json!({"ModelName": "stray", "PrimaryContainer": container, "ExecutionRoleArn": execution});
    hand("sagemaker", "CreateModel", model);
    let variant = json!({
        "VariantName": "all", "ModelName": "stray", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large",
    });
    let configuration = json!({"EndpointConfigName": "stray", "ProductionVariants": [variant]});
    hand("sagemaker", "CreateEndpointConfig", configuration);
    hand("sagemaker", "CreateEndpoint", json!({"EndpointName": "stray", "EndpointConfigName": "stray"}));

    hand("cloudwatch", "DisableAlarmActions", json!({"AlarmNames": [name("rtdl-lag")]}));
    hand("budgets", "DeleteBudget", json!({"AccountId": "123456789012", "BudgetName": name("monthly")}));
    hand("logs", "DeleteLogGroup", json!({"logGroupName": parameter("correlation-audit")}));

    let tags = json!({"project": "fraud-platform", "env": "dev_full", "owner": "platform-team"});
    hand("sqs", "CreateQueue", json!({"QueueName": "left-over", "tags": tags}));

    let run = gate_all(&world, &[]);
    let codes = [
        "M2D-B5", "M2E-B2", "M2E-B3", "M2E-B4", "M2E-B6", "M2F-B2", "M2F-B3", "M2F-B5", "M2G-B2", "M2G-B4", "M2G-B5",
        "M2H-B2", "M2H-B4", "M2H-B5", "M2H-B6", "M2H-B8", "M2I-B5", "M2J-B2", "M2J-B4", "M2J-B5", "M2J-B6",
    ];
    let keys = [
        ("M2D-B5", "SR_READY_COMMIT_STATE_MACHINE", "absent"),
        ("M2E-B3", "ROLE_APIGW_IG_INVOKE", "violated"),
        ("M2E-B6", "EKS_CLUSTER_NAME", "absent"),
        ("M2F-B2", "SSM_DATABRICKS_TOKEN_PATH", "violated"),
        ("M2F-B3", "ROLE_LAMBDA_IG_EXECUTION", "violated"),
        ("M2G-B4", "SSM_MLFLOW_TRACKING_URI_PATH", "absent"),
        ("M2H-B4", "SSM_AURORA_ENDPOINT_PATH", "absent"),
        ("M2H-B6", "AWS_BUDGET_NAME", "absent"),
        ("M2H-B6", "ALARM_RTDL_LAG", "violated"),
    ];
    assert_verdict(&world, &run, &codes, &keys);
    // What a boundary allows decides, so it is read as well.
    let facts = world.json("facts.json");
    let role = &facts["aws"]["iam"]["roles"][pinned(&world, "ROLE_MWAA_EXECUTION").as_str().unwrap()]["role"]["value"];
    assert_eq!(role["PermissionsBoundary"]["Document"]["Statement"][0]["Action"], "ssm:*", "{role:#}");
}

/// Somebody edited the registry: the account is as it was.
#[test]
fn handles_that_changed_block_in_every_lane_that_reads_them() {
    let world = World::rehearsed();
    world.change_registry(|text| {
        let mut text = text.to_owned();
        for (handle, value) in [
            ("FP_BUS_RTDL_V1", json!("fp.bus.RTDL")),
            ("TOPIC_PROBE_POLICY_M2D", json!("SOMETIMES")),
            ("ROLE_STEP_FUNCTIONS_ORCHESTRATOR", json!("TO_PIN")),
            ("RUNTIME_PATH_SWITCH_IN_PHASE_ALLOWED", json!(true)),
            ("SSM_REDIS_ENDPOINT_PATH", json!("/elsewhere/redis")),
            ("SECRETS_PLAINTEXT_OUTPUT_ALLOWED", json!(true)),
            ("ROLE_SAGEMAKER_EXECUTION", json!(format!("arn:aws:iam::123456789012:role/{NAME}-sagemaker-old"))),
            ("ROLE_MWAA_EXECUTION", json!(format!("arn:aws:iam::123456789012:role/{NAME}-mwaa-old"))),
            ("KAFKA_BACKEND", json!("LOCAL_KAFKA")),
        ] {
            text = set_handle(&text, handle, &value);
        }
        text
    });
    let run = gate_all(&world, &[]);
    let codes = [
        "M2D-B1", "M2D-B6", "M2E-B3", "M2E-B5", "M2E-B7", "M2F-B1", "M2F-B2", "M2F-B3", "M2F-B6", "M2F-B7", "M2G-B3",
        "M2H-B3", "M2H-B4", "M2I-B4", "M2J-B2", "M2J-B3", "M2J-B7",
    ];
    let keys = [
        ("M2D-B1", "FP_BUS_RTDL_V1", "violated"),
        ("M2D-B6", "TOPIC_PROBE_POLICY_M2D", "violated"),
        ("M2E-B3", "ROLE_STEP_FUNCTIONS_ORCHESTRATOR", "unpinned"),
        ("M2E-B5", "RUNTIME_PATH_SWITCH_IN_PHASE_ALLOWED", "violated"),
        ("M2F-B1", "SSM_REDIS_ENDPOINT_PATH", "violated"),
        ("M2F-B6", "SECRETS_PLAINTEXT_OUTPUT_ALLOWED", "violated"),
        ("M2G-B3", "ROLE_SAGEMAKER_EXECUTION", "absent"),
        ("M2H-B3", "ROLE_MWAA_EXECUTION", "absent"),
        ("M2J-B7", "KAFKA_BACKEND", "violated"),
    ];
    assert_verdict(&world, &run, &codes, &keys);
}

/// The stacks that the rehearsal covered are gone again, and Terraform refuses the configuration of the one that they are built on.
#[test]
fn destroyed_and_broken_stacks_block() {
    let world = World::rehearsed();
    for stack in ["ops", "data_ml"] {
        terraform::run(&world, stack, &["init", "-no-color"]);
        terraform::run(&world, stack, &["destroy", "-no-color", "-auto-approve"]);
    }
    edit(&world, "runtime/outputs.tf", "output \"eks_cluster_arn\" {", "output \"eks_cluster_arn\" {\n  none  = true");
    let run = gate_all(&world, &[]);
    let codes = [
        "M2A-B3", "M2E-B1", "M2E-B2", "M2E-B7", "M2F-B2", "M2F-B3", "M2F-B4", "M2F-B5", "M2G-B1", "M2G-B2", "M2G-B3",
        "M2G-B4", "M2G-B5", "M2H-B1", "M2H-B2", "M2H-B3", "M2H-B4", "M2H-B5", "M2H-B6", "M2H-B8", "M2I-B5", "M2J-B2",
        "M2J-B6",
    ];
    let keys = [("M2G-B1", "data_ml", "violated"), ("M2H-B1", "ops", "violated"), ("M2E-B2", "runtime", "violated")];
    assert_verdict(&world, &run, &codes, &keys);
}
