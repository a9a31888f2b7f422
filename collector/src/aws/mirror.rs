//! The durable mirror of evidence: the only thing that is ever written to AWS.
//!
//! ```text
//! files ─► put (only where nothing is, with its sha256) ─► read back, compare ─► … ─► the manifest, last
//! ```
//!
//! Nothing is overwritten: where an object stands already, it must hold the same bytes. The manifest goes last, so that a folder
//! whose upload broke off verifies as little as one that was never begun.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::call::chain;
use super::client::{Connection, ConnectionError, Options};
use crate::help::Help;

/// What S3 answers where something stands already.
const STANDS_ALREADY: u16 = 412;

/// What S3 answers while another writes under the same key.
const BEING_WRITTEN: u16 = 409;

/// The largest object that is read back: as large as the largest file of a pack.
const LARGEST_OBJECT: i64 = 64 << 20;

/// Why the mirror does not hold the evidence.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// No call to AWS can be made at all.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// S3 refused.
    #[error("s3://{bucket}/{key} cannot be {what}: {reason}")]
    Refused {
        /// The bucket.
        bucket: String,
        /// The object, or the folder.
        key: String,
        /// What was tried.
        what: &'static str,
        /// What S3 said.
        reason: String,
    },
    /// Something else stands there.
    #[error("s3://{bucket}/{key} holds something else already")]
    Conflict {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
    /// S3 does not give back what it was given.
    #[error("s3://{bucket}/{key} does not read back as it was written")]
    Altered {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
    /// The folder holds what does not belong there.
    #[error("s3://{bucket}/{key} does not belong to the pack")]
    Foreign {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
}

impl Help for MirrorError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Connection(_) => return None,
            Self::Refused { .. } => {
                "the mirror needs s3:PutObject, s3:GetObject and s3:ListBucket, in the region of the bucket (--region)"
                    .to_owned()
            }
            Self::Conflict { .. } => {
                "packs are kept for audit and never overwritten: find out who wrote the other one".to_owned()
            }
            Self::Altered { .. } => "no pack exists before it can be read back: run again".to_owned(),
            Self::Foreign { .. } => "find out who wrote it; a pack holds only what its manifest lists".to_owned(),
        })
    }
}

/// A connection to the buckets that mirror evidence.
#[derive(Clone, Debug)]
pub struct Mirror {
    client: Client,
}

impl Mirror {
    /// Connects. `pinned_region` is the registry's `AWS_REGION`.
    ///
    /// # Errors
    ///
    /// If there is no region, or there are no credentials.
    pub async fn open(options: Options, pinned_region: Option<&str>) -> Result<Self, MirrorError> {
        let connection = Connection::open(options, pinned_region).await;
        connection.verify()?;
        let path_style = connection.endpoint_url().is_some();
        Ok(Self { client: Client::from_conf(Builder::from(&connection.config).force_path_style(path_style).build()) })
    }

    /// Uploads the files of one folder. `prefix` ends with `/`; the file `last` goes last.
    ///
    /// # Errors
    ///
    /// If S3 refuses, something else stands there, or what was written does not read back. The file `last` is not there then,
    /// unless it was before.
    pub async fn upload(
        &self,
        bucket: &str,
        prefix: &str,
        files: &BTreeMap<String, Vec<u8>>,
        last: &str,
    ) -> Result<(), MirrorError> {
        let (before, behind): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| *name != last);
        for (name, bytes) in before {
            self.put(bucket, &format!("{prefix}{name}"), bytes).await?;
        }
        // What does not belong there is found before the manifest declares the folder whole.
        for key in self.keys(bucket, prefix).await? {
            let is_ours = key.strip_prefix(prefix).is_some_and(|name| files.contains_key(name));
            if !is_ours {
                return Err(MirrorError::Foreign { bucket: bucket.to_owned(), key });
            }
        }
        for (name, bytes) in behind {
            self.put(bucket, &format!("{prefix}{name}"), bytes).await?;
        }
        Ok(())
    }

    /// Reads every file of one folder. `prefix` ends with `/`.
    ///
    /// # Errors
    ///
    /// If S3 refuses, or there are folders in the folder.
    pub async fn download(&self, bucket: &str, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, MirrorError> {
        let mut files = BTreeMap::new();
        for key in self.keys(bucket, prefix).await? {
            let name = key.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.contains('/'));
            let Some(name) = name else { return Err(MirrorError::Foreign { bucket: bucket.to_owned(), key }) };
            files.insert(name.to_owned(), self.get(bucket, &key).await?);
        }
        Ok(files)
    }

    /// The names of the folders directly below one, sorted. `prefix` ends with `/` or is empty.
    ///
    /// # Errors
    ///
    /// If S3 refuses.
    pub async fn folders(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, MirrorError> {
        let mut folders = Vec::new();
        let mut pages =
            self.client.list_objects_v2().bucket(bucket).prefix(prefix).delimiter("/").into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refused(bucket, prefix, "listed", &error))?;
            let names = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
            let names = names.filter_map(|folder| folder.strip_prefix(prefix)?.strip_suffix('/'));
            folders.extend(names.map(str::to_owned));
        }
        folders.sort_unstable();
        Ok(folders)
    }

    async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, MirrorError> {
        let mut keys = Vec::new();
        let mut pages = self.client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refused(bucket, prefix, "listed", &error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key()).map(str::to_owned));
        }
        Ok(keys)
    }

    /// Writes an object where none is, and reads it back.
    async fn put(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), MirrorError> {
        let written = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .if_none_match("*")
            .checksum_sha256(STANDARD.encode(Sha256::digest(bytes)))
            .body(ByteStream::from(bytes.to_vec()))
            .send()
            .await;
        let stood_already = match &written {
            Ok(_) => false,
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                if !matches!(status, Some(STANDS_ALREADY | BEING_WRITTEN)) {
                    return Err(refused(bucket, key, "written", error));
                }
                true
            }
        };
        let found = self.get(bucket, key).await?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        match (found == bytes, stood_already) {
            (true, _) => Ok(()),
            (false, true) => Err(MirrorError::Conflict { bucket, key }),
            (false, false) => Err(MirrorError::Altered { bucket, key }),
        }
    }

    async fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, MirrorError> {
        let answer = self
            .client
            .get_object()
            .bucket(bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|error| refused(bucket, key, "read", &error))?;
        let failed = |reason: String| MirrorError::Refused {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            what: "read",
            reason,
        };
        if answer.content_length().is_some_and(|length| length > LARGEST_OBJECT) {
            return Err(failed("it is larger than any file of a pack".to_owned()));
        }
        let body = answer.body.collect().await.map_err(|error| failed(chain(&error)))?;
        Ok(body.into_bytes().to_vec())
    }
}

fn refused<E>(bucket: &str, key: &str, what: &'static str, error: &E) -> MirrorError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let reason = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => chain(error),
    };
    MirrorError::Refused { bucket: bucket.to_owned(), key: key.to_owned(), what, reason }
}
