//! S3: buckets and their configuration.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::types::ServerSideEncryptionRule;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, observe, send};
use super::catalog::{Aspect, Aspects, Kind, Subject};
use super::operation::Operation;
use super::session::Session;

const SERVICE: &str = "s3";

static HEAD_BUCKET: Operation =
    Operation::headers(SERVICE, "HeadBucket", "s3:ListBucket").absent(&["NotFound", "NoSuchBucket"]);
static GET_BUCKET_LOCATION: Operation =
    Operation::xml(SERVICE, "GetBucketLocation", Some("s3:GetBucketLocation"), "LocationConstraint", &[])
        .absent(&["NoSuchBucket"]);
static GET_BUCKET_ENCRYPTION: Operation = Operation::xml(
    SERVICE,
    "GetBucketEncryption",
    Some("s3:GetEncryptionConfiguration"),
    "ServerSideEncryptionConfiguration",
    &["Rule"],
)
.absent(&["NoSuchBucket", "ServerSideEncryptionConfigurationNotFoundError"]);
static GET_BUCKET_VERSIONING: Operation =
    Operation::xml(SERVICE, "GetBucketVersioning", Some("s3:GetBucketVersioning"), "VersioningConfiguration", &[])
        .absent(&["NoSuchBucket"]);
static GET_PUBLIC_ACCESS_BLOCK: Operation = Operation::xml(
    SERVICE,
    "GetPublicAccessBlock",
    Some("s3:GetBucketPublicAccessBlock"),
    "PublicAccessBlockConfiguration",
    &[],
)
.absent(&["NoSuchBucket", "NoSuchPublicAccessBlockConfiguration"]);
static GET_BUCKET_TAGGING: Operation =
    Operation::xml(SERVICE, "GetBucketTagging", Some("s3:GetBucketTagging"), "Tagging", &["TagSet"])
        .absent(&["NoSuchBucket", NO_SUCH_TAG_SET]);

const NO_SUCH_TAG_SET: &str = "NoSuchTagSet";

/// A bucket.
pub(super) static BUCKETS: Kind = Kind {
    service: SERVICE,
    kind: "buckets",
    aspects: &[
        Aspect { name: "head", operations: &[&HEAD_BUCKET] },
        Aspect { name: "location", operations: &[&GET_BUCKET_LOCATION] },
        Aspect { name: "encryption", operations: &[&GET_BUCKET_ENCRYPTION] },
        Aspect { name: "versioning", operations: &[&GET_BUCKET_VERSIONING] },
        Aspect { name: "public_access_block", operations: &[&GET_PUBLIC_ACCESS_BLOCK] },
        Aspect { name: "tagging", operations: &[&GET_BUCKET_TAGGING] },
    ],
    read,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let bucket = subject.name.as_str();
        let (head, region) = head(session, bucket).await;
        let bucket = Bucket { session, client: client(session, &region), name: bucket, region };
        let (location, encryption, versioning, public_access_block, tagging) = futures::join!(
            bucket.location(),
            bucket.encryption(),
            bucket.versioning(),
            bucket.public_access_block(),
            bucket.tagging(),
        );
        vec![
            ("head", observe(head)),
            ("location", observe(location)),
            ("encryption", observe(encryption)),
            ("versioning", observe(versioning)),
            ("public_access_block", observe(public_access_block)),
            ("tagging", observe(tagging)),
        ]
    }
    .boxed()
}

fn client(session: &Session<'_>, region: &str) -> Client {
    // A stand-in has no DNS name for each bucket.
    let path_style = session.connection.endpoint_url().is_some();
    session.client(region, |config| Client::from_conf(Builder::from(config).force_path_style(path_style).build()))
}

/// Whether the bucket is there and ours to see, and in which region its other reads must go.
async fn head(session: &Session<'_>, bucket: &str) -> (Outcome, String) {
    let asked = session.connection.region();
    let first = head_in(session, bucket, asked, 1).await;
    let Err(failure) = &first else { return (first, asked.to_owned()) };
    // S3 answers a request in the wrong region with a redirect (or, where signatures differ too much, with 400) that names the
    // right one. That proves where the bucket is, but not that this caller may see it: ask again there.
    match (&failure.bucket_region, failure.status) {
        (Some(region), Some(301 | 307 | 400)) if region != asked => {
            let region = region.clone();
            let mut second = head_in(session, bucket, &region, 2).await;
            let receipts = match &mut second {
                Ok(answer) => &mut answer.receipts,
                Err(second) => &mut second.receipts,
            };
            receipts.splice(0..0, failure.receipts.iter().cloned());
            (second, region)
        }
        (Some(region), _) => {
            let region = region.clone();
            (first, region)
        }
        (None, _) => (first, asked.to_owned()),
    }
}

async fn head_in(session: &Session<'_>, bucket: &str, region: &str, ask: u32) -> Outcome {
    let client = client(session, region);
    let call = session.call(&HEAD_BUCKET, bucket).page(ask).region(region);
    let mut outcome = send!(typed: call, client.head_bucket(), "Bucket" => bucket(bucket)).await;
    if let Err(failure) = &mut outcome
        && failure.status == Some(404)
    {
        // HEAD has no body to name the code; GET would have said this.
        failure.error.code = "NoSuchBucket".to_owned();
    }
    Ok(outcome?.map(|output| json!({"BucketRegion": output.bucket_region.as_deref().unwrap_or(region)})))
}

struct Bucket<'a> {
    session: &'a Session<'a>,
    client: Client,
    name: &'a str,
    region: String,
}

impl<'a> Bucket<'a> {
    fn call(&self, operation: &'static Operation) -> Call<'a> {
        self.session.call(operation, self.name).region(&self.region)
    }

    async fn location(&self) -> Outcome {
        let request = self.client.get_bucket_location();
        let answer = send!(typed: self.call(&GET_BUCKET_LOCATION), request, "Bucket" => bucket(self.name)).await?;
        Ok(answer.map(|output| {
            // The API's two historic spellings: nothing for us-east-1, `EU` for eu-west-1.
            let region = match output.location_constraint.as_ref().map_or("", |region| region.as_str()) {
                "" => "us-east-1",
                "EU" => "eu-west-1",
                region => region,
            };
            json!({"LocationConstraint": region})
        }))
    }

    async fn encryption(&self) -> Outcome {
        let request = self.client.get_bucket_encryption();
        send!(typed: self.call(&GET_BUCKET_ENCRYPTION), request, "Bucket" => bucket(self.name)).await?.try_map(
            &GET_BUCKET_ENCRYPTION,
            |output| {
                let rules = output.server_side_encryption_configuration.ok_or("the answer has no configuration")?.rules;
                Ok(json!({"Rules": rules.iter().map(encryption_rule).collect::<Vec<_>>()}))
            },
        )
    }

    async fn versioning(&self) -> Outcome {
        let request = self.client.get_bucket_versioning();
        let answer = send!(typed: self.call(&GET_BUCKET_VERSIONING), request, "Bucket" => bucket(self.name)).await?;
        Ok(answer.map(|output| {
            // A bucket that never had versioning has no status: null, never `Suspended`.
            let mut value = json!({"Status": output.status.as_ref().map(|status| status.as_str())});
            if let Some(mfa_delete) = &output.mfa_delete {
                value["MFADelete"] = json!(mfa_delete.as_str());
            }
            value
        }))
    }

    async fn public_access_block(&self) -> Outcome {
        let request = self.client.get_public_access_block();
        send!(typed: self.call(&GET_PUBLIC_ACCESS_BLOCK), request, "Bucket" => bucket(self.name)).await?.try_map(
            &GET_PUBLIC_ACCESS_BLOCK,
            |output| {
                let block = output.public_access_block_configuration.ok_or("the answer has no configuration")?;
                Ok(json!({
                    "BlockPublicAcls": block.block_public_acls,
                    "IgnorePublicAcls": block.ignore_public_acls,
                    "BlockPublicPolicy": block.block_public_policy,
                    "RestrictPublicBuckets": block.restrict_public_buckets,
                }))
            },
        )
    }

    async fn tagging(&self) -> Outcome {
        let request = self.client.get_bucket_tagging();
        let outcome = send!(typed: self.call(&GET_BUCKET_TAGGING), request, "Bucket" => bucket(self.name)).await;
        match outcome {
            Ok(answer) => Ok(answer.map(|output| {
                let tags: Map<String, Value> =
                    output.tag_set.into_iter().map(|tag| (tag.key, Value::String(tag.value))).collect();
                json!({ "Tags": tags })
            })),
            // The bucket is there and has no tag: that is an answer, not an absence.
            Err(failure) if failure.error.code == NO_SUCH_TAG_SET => {
                Ok(super::call::Answer { value: json!({"Tags": {}}), receipts: failure.receipts })
            }
            Err(failure) => Err(failure),
        }
    }
}

fn encryption_rule(rule: &ServerSideEncryptionRule) -> Value {
    let mut value = Map::new();
    if let Some(by_default) = &rule.apply_server_side_encryption_by_default {
        let mut algorithm = json!({"SSEAlgorithm": by_default.sse_algorithm.as_str()});
        if let Some(key) = &by_default.kms_master_key_id {
            algorithm["KMSMasterKeyID"] = json!(key);
        }
        value.insert("ApplyServerSideEncryptionByDefault".to_owned(), algorithm);
    }
    if let Some(enabled) = rule.bucket_key_enabled {
        value.insert("BucketKeyEnabled".to_owned(), json!(enabled));
    }
    if let Some(blocked) = &rule.blocked_encryption_types {
        let types: Vec<_> = blocked.encryption_type().iter().map(|blocked| blocked.as_str()).collect();
        value.insert("BlockedEncryptionTypes".to_owned(), json!({ "EncryptionType": types }));
    }
    Value::Object(value)
}
