//! Drift of the event bus, its schemas and its handles.

use serde_json::json;

use super::{append, assert_blocks, pinned};
use crate::harness::registry::set_handle;
use crate::harness::terraform;
use crate::harness::world::World;

const REGISTRY: &str = "fraud-platform-dev-full";
const ANCHOR: &str = "fp.control.anchor.v1";

#[test]
fn changed_compatibility_of_a_schema_blocks() {
    let world = World::applied();
    let schema = json!({"RegistryName": REGISTRY, "SchemaName": "fp.bus.traffic.fraud.v1"});
    let change = json!({"SchemaId": schema, "Compatibility": "NONE", "SchemaVersionNumber": {"LatestVersion": true}});
    world.aws.hand("glue", "UpdateSchema", change);
    assert_blocks(&world, &["M2C-B2", "M2C-B5"], ("M2C-B5", "GLUE_SCHEMA_COMPATIBILITY_MODE", "violated"));
}

#[test]
fn a_deleted_anchor_schema_blocks() {
    let world = World::applied();
    let schema = json!({"RegistryName": REGISTRY, "SchemaName": ANCHOR});
    world.aws.hand("glue", "DeleteSchema", json!({"SchemaId": schema}));
    assert_blocks(&world, &["M2C-B2", "M2C-B5"], ("M2C-B5", "GLUE_ANCHOR_SCHEMA_NAME", "absent"));
}

#[test]
fn a_replaced_broker_parameter_blocks() {
    let world = World::applied();
    let parameter = json!({
        "Name": "/fraud-platform/dev_full/msk/bootstrap_brokers",
        "Type": "SecureString",
        "Value": "boot-elsewhere.c1.kafka-serverless.eu-west-2.amazonaws.com:9098",
        "Overwrite": true,
    });
    world.aws.hand("ssm", "PutParameter", parameter);
    assert_blocks(&world, &["M2C-B2", "M2C-B4"], ("M2C-B4", "SSM_MSK_BOOTSTRAP_BROKERS_PATH", "violated"));
}

#[test]
fn a_client_policy_detached_from_the_runtime_role_blocks() {
    let world = World::applied();
    let role = "fraud-platform-dev-full-eks-runtime-platform-base";
    let policy = "arn:aws:iam::123456789012:policy/fraud-platform-dev-full-msk-client";
    world.aws.hand("iam", "DetachRolePolicy", json!({"RoleName": role, "PolicyArn": policy}));
    assert_blocks(&world, &["M2C-B2", "M2C-B4"], ("M2C-B4", "ROLE_EKS_RUNTIME_PLATFORM_BASE", "violated"));
}

#[test]
fn a_handle_that_names_no_cluster_blocks() {
    let world = World::applied();
    let arn = pinned(&world, "MSK_CLUSTER_ARN").as_str().unwrap().replace("-msk/", "-msk-old/");
    world.change_registry(|text| set_handle(text, "MSK_CLUSTER_ARN", &json!(arn)));
    assert_blocks(&world, &["M2C-B3", "M2C-B4"], ("M2C-B3", "MSK_CLUSTER_ARN", "absent"));
}

/// A cluster of brokers that somebody runs, open to clients without IAM, in the place of the serverless one.
#[test]
fn a_handle_that_names_a_provisioned_cluster_blocks() {
    let world = World::applied();
    let brokers = json!({
        "InstanceType": "kafka.m5.large",
        "ClientSubnets": pinned(&world, "MSK_CLIENT_SUBNET_IDS"),
        "SecurityGroups": [pinned(&world, "MSK_SECURITY_GROUP_ID")],
    });
    let provisioned = json!({
        "BrokerNodeGroupInfo": brokers,
        "ClientAuthentication": {"Unauthenticated": {"Enabled": true}},
        "KafkaVersion": "3.6.0",
        "NumberOfBrokerNodes": 3,
    });
    let request = json!({"ClusterName": "by-hand", "Provisioned": provisioned});
    let arn = world.aws.hand("kafka", "CreateClusterV2", request)["ClusterArn"].clone();
    world.change_registry(|text| set_handle(text, "MSK_CLUSTER_ARN", &arn));
    assert_blocks(&world, &["M2C-B3", "M2C-B4"], ("M2C-B4", "MSK_CLUSTER_ARN", "violated"));
}

#[test]
fn a_handle_with_other_brokers_than_aws_reports_blocks() {
    let world = World::applied();
    let brokers = json!("boot-elsewhere.c1.kafka-serverless.eu-west-2.amazonaws.com:9098");
    world.change_registry(|text| set_handle(text, "MSK_BOOTSTRAP_BROKERS_SASL_IAM", &brokers));
    assert_blocks(&world, &["M2C-B3"], ("M2C-B3", "MSK_BOOTSTRAP_BROKERS_SASL_IAM", "violated"));
}

#[test]
fn two_flink_applications_of_one_name_block() {
    let world = World::applied();
    let name = pinned(&world, "FLINK_APP_SR_READY_V0");
    world.change_registry(|text| set_handle(text, "FLINK_APP_RTDL_IEG_V0", &name));
    assert_blocks(&world, &["M2C-B6"], ("M2C-B6", "FLINK_APP_RTDL_IEG_V0", "violated"));
}

#[test]
fn an_unapplied_change_of_the_streaming_stack_blocks() {
    let world = World::applied();
    append(&world, "streaming/schemas.tf", "\noutput \"schemas\" {\n  value = keys(local.schemas)\n}\n");
    assert_blocks(&world, &["M2C-B2"], ("M2C-B2", "streaming", "violated"));
}

/// Everything that the stack made is gone, its outputs with it; the handles still name it.
#[test]
fn a_destroyed_streaming_stack_blocks() {
    let world = World::applied();
    terraform::run(&world, "streaming", &["init", "-no-color"]);
    terraform::run(&world, "streaming", &["destroy", "-no-color", "-auto-approve"]);
    let codes = ["M2C-B1", "M2C-B2", "M2C-B3", "M2C-B4", "M2C-B5"];
    assert_blocks(&world, &codes, ("M2C-B1", "streaming", "violated"));
}
