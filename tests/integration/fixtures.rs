//! The archived fact documents under `tests/fixtures/facts`: each is what a real run against the emulator collected.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::factgate::run_alone;
use crate::harness::gate::gate_all;
use crate::harness::world::World;

/// Where the archived documents are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/facts")
}

/// The reads that are denied in `unreadable.json`: one or more of each service.
const DENIED: [(&str, &str); 24] = [
    ("s3", "GetBucketEncryption"),
    ("s3", "GetBucketVersioning"),
    ("s3", "GetPublicAccessBlock"),
    ("dynamodb", "DescribeTable"),
    ("kms", "DescribeKey"),
    ("iam", "ListAttachedRolePolicies"),
    ("kafka", "DescribeClusterV2"),
    ("kafka", "GetBootstrapBrokers"),
    ("glue", "GetRegistry"),
    ("glue", "GetSchemaVersion"),
    ("ssm", "GetParameter"),
    ("tagging", "GetResources"),
    ("states", "DescribeStateMachine"),
    ("apigateway", "GetStages"),
    ("lambda", "GetFunctionConfiguration"),
    ("eks", "DescribeCluster"),
    ("sqs", "GetQueueAttributes"),
    ("iam", "SimulatePrincipalPolicy"),
    ("sagemaker", "ListEndpoints"),
    ("budgets", "DescribeBudget"),
    ("monitoring", "DescribeAlarms"),
    ("monitoring", "GetDashboard"),
    ("logs", "DescribeLogGroups"),
    ("ssm", "DescribeParameters"),
];

#[test]
#[ignore = "writes the archived documents anew; run it after the fact document or the example stacks have changed"]
fn write_archived_documents() {
    let ready = World::rehearsed();
    keep(&ready, "ready.json", 0);

    let blocked = World::rehearsed();
    let bucket = "fraud-platform-dev-full-evidence";
    let suspended = json!({"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}});
    blocked.aws.hand("s3", "PutBucketVersioning", suspended);
    blocked.aws.hand("s3", "DeletePublicAccessBlock", json!({"Bucket": "fraud-platform-dev-full-tfstate"}));
    blocked.aws.hand("ssm", "DeleteParameter", json!({"Name": "/fraud-platform/dev_full/msk/bootstrap_brokers"}));
    let role = "fraud-platform-dev-full-eks-nodegroup";
    let policy = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy";
    blocked.aws.hand("iam", "DetachRolePolicy", json!({"RoleName": role, "PolicyArn": policy}));
    let queue = json!({"QueueName": "fraud-platform-dev-full-ig-dlq"});
    let queue = blocked.aws.hand("sqs", "GetQueueUrl", queue);
    blocked.aws.hand("sqs", "DeleteQueue", json!({"QueueUrl": queue["QueueUrl"]}));
    blocked.aws.hand("cloudwatch", "DisableAlarmActions", json!({"AlarmNames": ["fraud-platform-dev-full-rtdl-lag"]}));
    blocked.aws.hand("logs", "DeleteLogGroup", json!({"logGroupName": "/fraud-platform/dev_full/correlation-audit"}));
    fs::remove_dir_all(blocked.terraform_root().join("ops")).unwrap();
    blocked.change_registry(|text| text.replace("FLINK_PARALLELISM_DEFAULT = 2", "FLINK_PARALLELISM_DEFAULT = 0"));
    keep(&blocked, "blocked.json", 1);

    let unreadable = World::rehearsed();
    for (service, operation) in DENIED {
        unreadable.aws.fail(service, operation, "access_denied");
    }
    keep(&unreadable, "unreadable.json", 3);
}

fn keep(world: &World, name: &str, code: i32) {
    let run = gate_all(world, &[]);
    assert_eq!(run.code, code, "{name}\n{}\n{}", run.stdout, run.stderr);
    fs::create_dir_all(folder()).unwrap();
    fs::copy(world.folder().join("facts.json"), folder().join(name)).unwrap();
}

#[test]
fn archived_documents_have_their_exit_codes() {
    for (name, code) in [("ready.json", 0), ("blocked.json", 1), ("unreadable.json", 3)] {
        let run = run_alone(&folder(), ["eval", name]);
        assert_eq!(run.code, code, "{name}\n{}\n{}", run.stdout, run.stderr);
    }
}
