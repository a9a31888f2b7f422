//! Drift of what the core stack manages, and of the stack itself.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{append, assert_blocks, assert_blocks_with, assert_verdict, edit, pinned};
use crate::harness::gate::{blockers, gate_first_lanes};
use crate::harness::world::World;

const EVIDENCE: &str = "fraud-platform-dev-full-evidence";

fn suspend_versioning_of_evidence(world: &World) {
    let suspended = json!({"Bucket": EVIDENCE, "VersioningConfiguration": {"Status": "Suspended"}});
    world.aws.hand("s3", "PutBucketVersioning", suspended);
}

#[test]
fn suspended_versioning_of_the_evidence_bucket_blocks() {
    let world = World::applied();
    suspend_versioning_of_evidence(&world);
    assert_blocks(&world, &["M2B-B2", "M2B-B4"], ("M2B-B4", "S3_EVIDENCE_BUCKET", "violated"));
}

#[test]
fn drift_that_the_run_itself_applies_away_opens_the_gate() {
    let world = World::applied();
    suspend_versioning_of_evidence(&world);
    let run = gate_first_lanes(&world, &["--terraform", "apply"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let facts: Value = serde_json::from_slice(&fs::read(world.folder().join("facts.json")).unwrap()).unwrap();
    let core = &facts["terraform"]["stacks"]["core"];
    assert_eq!(core["plan"]["value"]["exit_code"], 2);
    assert_eq!(core["apply"]["value"]["plan_digest"], core["plan"]["value"]["digest"]);
    assert_eq!(core["post_apply_plan"]["value"]["exit_code"], 0);
}

#[test]
fn a_disabled_key_blocks() {
    let world = World::applied();
    let key = world.aws.hand("kms", "DescribeKey", json!({"KeyId": pinned(&world, "KMS_KEY_ALIAS_PLATFORM")}));
    world.aws.hand("kms", "DisableKey", json!({"KeyId": key["KeyMetadata"]["KeyId"]}));
    assert_blocks(&world, &["M2B-B2", "M2B-B4"], ("M2B-B4", "KMS_KEY_ALIAS_PLATFORM", "violated"));
}

#[test]
fn another_tag_of_a_role_blocks() {
    let world = World::applied();
    let another_owner = json!([{"Key": "owner", "Value": "somebody-else"}]);
    let role = "fraud-platform-dev-full-eks-runtime-platform-base";
    world.aws.hand("iam", "TagRole", json!({"RoleName": role, "Tags": another_owner}));
    assert_blocks(&world, &["M2B-B2", "M2B-B4"], ("M2B-B4", "ROLE_EKS_RUNTIME_PLATFORM_BASE", "violated"));
}

/// Each change shows in its own subject, and all of them in a plan that nobody applied, which is about `core`: one gate tells
/// them apart. A subnet's tags are known from the tagged inventory alone, which does not list what has lost the project's tag.
#[test]
fn changes_by_hand_block_by_what_they_changed_each() {
    let world = World::applied();
    let policy = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy";
    let node_group = "fraud-platform-dev-full-eks-nodegroup";
    let subnet = pinned(&world, "MSK_CLIENT_SUBNET_IDS")[1].clone();
    for (service, operation, input) in [
        ("s3", "DeletePublicAccessBlock", json!({"Bucket": EVIDENCE})),
        ("iam", "DetachRolePolicy", json!({"RoleName": node_group, "PolicyArn": policy})),
        ("ec2", "DeleteTags", json!({"Resources": [subnet], "Tags": [{"Key": "project"}]})),
    ] {
        world.aws.hand(service, operation, input);
    }
    let run = gate_first_lanes(&world, &[]);
    let changed = [
        ("M2B-B4", "S3_EVIDENCE_BUCKET", "absent"),
        ("M2B-B4", "ROLE_EKS_NODEGROUP_DEV_FULL", "violated"),
        ("M2B-B4", "MSK_CLIENT_SUBNET_IDS", "violated"),
        ("M2B-B4", "core", "violated"),
    ];
    assert_verdict(&world, &run, &["M2B-B2", "M2B-B4"], &changed);
    let verdict = world.json("verdict.json");
    let found: BTreeSet<&str> = blockers(&verdict)
        .filter(|blocker| blocker["code"] == "M2B-B4")
        .map(|blocker| blocker["subject"].as_str().unwrap())
        .collect();
    assert_eq!(found, changed.iter().map(|(_, subject, _)| *subject).collect(), "no other subject blocks");
}

/// The change is applied by the run, so that nothing but the missing output is wrong.
#[test]
fn an_output_removed_from_the_stack_blocks() {
    let world = World::applied();
    let output = "output \"s3_artifacts_bucket\" {\n  value = aws_s3_bucket.platform[\"artifacts\"].id\n}\n";
    edit(&world, "core/outputs.tf", output, "");
    let key = ("M2B-B3", "S3_ARTIFACTS_BUCKET", "violated");
    assert_blocks_with(&world, &["--terraform", "apply"], &["M2B-B3"], key);
}

#[test]
fn a_plan_left_dirty_blocks() {
    let world = World::applied();
    append(&world, "core/storage.tf", "\nresource \"terraform_data\" \"left_over\" {\n  input = \"unapplied\"\n}\n");
    assert_blocks(&world, &["M2B-B2", "M2B-B4"], ("M2B-B2", "core", "violated"));
}

/// Only the bootstrap has run, and the registry still says `TO_PIN` where an apply would tell. What has no name could not be
/// read, so that its evidence is missing too.
#[test]
fn a_platform_that_was_never_applied_blocks_both_stacks() {
    let world = World::bootstrapped();
    let core = ["M2B-B1", "M2B-B2", "M2B-B3", "M2B-B4", "M2B-B5"];
    let streaming = ["M2C-B1", "M2C-B2", "M2C-B3", "M2C-B4", "M2C-B5", "M2C-B7"];
    assert_blocks(&world, &[&core[..], &streaming[..]].concat(), ("M2B-B1", "core", "absent"));
}
