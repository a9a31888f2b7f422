//! The mirror overwrites nothing, and takes nothing for whole that it cannot read back.
//!
//! Only the environment gives the SDK credentials, and a process cannot change its own safely: the test runs its second half in a
//! process of its own, in the environment of a world.

use std::collections::BTreeMap;

use assert_cmd::Command;
use factgate_collector::aws::Options;
use factgate_collector::aws::mirror::{Mirror, MirrorError};
use serde_json::{Value, json};

use crate::harness::world::World;

const BUCKET: &str = "mirror";
const MANIFEST: &str = "manifest.sha256";

fn versions(world: &World) -> BTreeMap<String, usize> {
    let listed = world.aws.hand("s3", "ListObjectVersions", json!({"Bucket": BUCKET}));
    let mut versions = BTreeMap::new();
    for version in listed["Versions"].as_array().unwrap() {
        *versions.entry(version["Key"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    versions
}

#[test]
fn what_stands_in_the_mirror_is_never_overwritten_and_never_taken_for_something_else() {
    let world = World::empty();
    let s3 = |operation: &str, more: Value| {
        let mut parameters = json!({"Bucket": BUCKET});
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.aws.hand("s3", operation, parameters)
    };
    s3("CreateBucket", json!({"CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}}));
    s3("PutBucketVersioning", json!({"VersioningConfiguration": {"Status": "Enabled"}}));
    s3("PutObject", json!({"Key": "foreign/more.json", "Body": "{}"}));
    let other = json!({"status": 200, "body": "something else"});
    world.aws.add_rule(json!({"service": "s3", "method": "GET", "path": "/altered/a.json", "reply": other}));

    let mut command = Command::new(std::env::current_exe().unwrap());
    let inner = "mirror::in_the_environment_of_a_world";
    let output = world.enter(&mut command).args(["--exact", inner, "--ignored"]).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");

    let expected = [
        ("altered/a.json", 1),
        ("foreign/a.json", 1),
        ("foreign/more.json", 1),
        ("pack/a.json", 1),
        ("pack/manifest.sha256", 1),
    ];
    assert_eq!(versions(&world), expected.map(|(key, count)| (key.to_owned(), count)).into());
}

#[test]
#[ignore = "it is run by the test above, in another environment"]
fn in_the_environment_of_a_world() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mirror = Mirror::open(Options::default(), None).await.unwrap();
        let pack = |text: &str| {
            BTreeMap::from([
                ("a.json".to_owned(), text.as_bytes().to_vec()),
                (MANIFEST.to_owned(), b"digests".to_vec()),
            ])
        };
        // The second upload of the same pack is none.
        for _ in 0..2 {
            mirror.upload(BUCKET, "pack/", &pack("{}"), MANIFEST).await.unwrap();
        }
        let conflict = mirror.upload(BUCKET, "pack/", &pack("{} "), MANIFEST).await;
        assert!(matches!(&conflict, Err(MirrorError::Conflict { key, .. }) if key == "pack/a.json"), "{conflict:?}");
        assert_eq!(mirror.download(BUCKET, "pack/").await.unwrap(), pack("{}"));
        let foreign = mirror.upload(BUCKET, "foreign/", &pack("{}"), MANIFEST).await;
        assert!(matches!(&foreign, Err(MirrorError::Foreign { key, .. }) if key == "foreign/more.json"), "{foreign:?}");
        let altered = mirror.upload(BUCKET, "altered/", &pack("{}"), MANIFEST).await;
        assert!(matches!(&altered, Err(MirrorError::Altered { key, .. }) if key == "altered/a.json"), "{altered:?}");
    });
}
