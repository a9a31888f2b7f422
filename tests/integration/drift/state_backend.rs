//! Drift of what the bootstrap made, and of where stacks keep their state.

use std::fs;

use serde_json::json;

use super::{assert_blocks, edit};
use crate::harness::registry::set_handle;
use crate::harness::world::World;

const BUCKET: &str = "fraud-platform-dev-full-tfstate";
const LOCKS: &str = "fraud-platform-dev-full-tf-locks";

#[test]
fn suspended_versioning_of_the_state_bucket_blocks() {
    let world = World::applied();
    let suspended = json!({"Bucket": BUCKET, "VersioningConfiguration": {"Status": "Suspended"}});
    world.aws.hand("s3", "PutBucketVersioning", suspended);
    assert_blocks(&world, &["M2A-B2"], ("M2A-B2", "TF_STATE_BUCKET", "violated"));
}

#[test]
fn one_open_public_access_flag_of_the_state_bucket_blocks() {
    let world = World::applied();
    let open = json!({
        "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": false,
    });
    let parameters = json!({"Bucket": BUCKET, "PublicAccessBlockConfiguration": open});
    world.aws.hand("s3", "PutPublicAccessBlock", parameters);
    assert_blocks(&world, &["M2A-B2"], ("M2A-B2", "TF_STATE_BUCKET", "violated"));
}

#[test]
fn removed_encryption_of_the_state_bucket_blocks() {
    let world = World::applied();
    world.aws.hand("s3", "DeleteBucketEncryption", json!({"Bucket": BUCKET}));
    assert_blocks(&world, &["M2A-B2"], ("M2A-B2", "TF_STATE_BUCKET", "absent"));
}

#[test]
fn a_state_bucket_in_another_region_blocks() {
    let world = World::applied();
    let versions = world.aws.hand("s3", "ListObjectVersions", json!({"Bucket": BUCKET}));
    let mut contents = Vec::new();
    for version in versions["Versions"].as_array().unwrap() {
        let object = json!({"Bucket": BUCKET, "Key": version["Key"], "VersionId": version["VersionId"]});
        if version["IsLatest"] == true {
            let content = world.aws.hand("s3", "GetObject", object.clone())["Body"].clone();
            contents.push(json!({"Bucket": BUCKET, "Key": version["Key"], "Body": content}));
        }
        world.aws.hand("s3", "DeleteObject", object);
    }
    assert!(!contents.is_empty(), "Terraform keeps its states here");
    world.aws.hand("s3", "DeleteBucket", json!({"Bucket": BUCKET}));
    let location = json!({"LocationConstraint": "eu-west-1"});
    let ireland = json!({"Bucket": BUCKET, "CreateBucketConfiguration": location, "@region": "eu-west-1"});
    world.aws.hand("s3", "CreateBucket", ireland);
    let enabled = json!({"Bucket": BUCKET, "VersioningConfiguration": {"Status": "Enabled"}});
    world.aws.hand("s3", "PutBucketVersioning", enabled);
    let rules = json!([{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]);
    let encrypted = json!({"Bucket": BUCKET, "ServerSideEncryptionConfiguration": {"Rules": rules}});
    world.aws.hand("s3", "PutBucketEncryption", encrypted);
    let closed = json!({
        "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
    });
    world.aws.hand("s3", "PutPublicAccessBlock", json!({"Bucket": BUCKET, "PublicAccessBlockConfiguration": closed}));
    for content in contents {
        world.aws.hand("s3", "PutObject", content);
    }
    assert_blocks(&world, &["M2A-B2"], ("M2A-B2", "TF_STATE_BUCKET", "violated"));
}

/// Without the table nobody can lock the state, so Terraform cannot plan either; the outputs can still be read.
#[test]
fn a_deleted_lock_table_blocks() {
    let world = World::applied();
    world.aws.hand("dynamodb", "DeleteTable", json!({"TableName": LOCKS}));
    let codes = ["M2A-B1", "M2A-B2", "M2B-B2", "M2B-B4", "M2C-B2"];
    assert_blocks(&world, &codes, ("M2A-B1", "TF_LOCK_TABLE", "absent"));
}

/// A lock is an item under the key `LockID`: with another key there is none, and Terraform cannot plan.
#[test]
fn a_lock_table_with_another_hash_key_blocks() {
    let world = World::applied();
    world.aws.hand("dynamodb", "DeleteTable", json!({"TableName": LOCKS}));
    let table = json!({
        "TableName": LOCKS,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "Lock", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "Lock", "AttributeType": "S"}],
    });
    world.aws.hand("dynamodb", "CreateTable", table);
    let codes = ["M2A-B2", "M2B-B2", "M2B-B4", "M2C-B2"];
    assert_blocks(&world, &codes, ("M2A-B2", "TF_LOCK_TABLE", "violated"));
}

#[test]
fn state_keys_of_two_stacks_swapped_in_the_registry_block() {
    let world = World::applied();
    world.change_registry(|text| {
        let text = set_handle(text, "TF_STATE_KEY_OPS", &json!("dev_full/runtime/terraform.tfstate"));
        set_handle(&text, "TF_STATE_KEY_RUNTIME", &json!("dev_full/ops/terraform.tfstate"))
    });
    assert_blocks(&world, &["M2A-B4"], ("M2A-B4", "TF_STATE_KEY_OPS", "violated"));
}

/// Terraform is initialised with the handles, which override the block; whoever runs it by hand gets what the block says.
#[test]
fn a_backend_block_with_another_key_than_the_handle_blocks() {
    let world = World::applied();
    edit(&world, "core/versions.tf", "dev_full/core/terraform.tfstate", "dev_full/core/old.tfstate");
    assert_blocks(&world, &["M2A-B4"], ("M2A-B4", "core", "violated"));
}

/// Where the backend would be is then unknown, which blocks by its own code.
#[test]
fn a_missing_stack_folder_blocks() {
    let world = World::applied();
    fs::remove_dir_all(world.terraform_root().join("ops")).unwrap();
    assert_blocks(&world, &["M2A-B3", "M2A-B4"], ("M2A-B3", "TF_STACK_OPS_DIR", "absent"));
}
