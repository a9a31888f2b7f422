//! The mirror, as the commands use it: each call on a runtime of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use factgate_collector::aws::Options;
use factgate_collector::aws::mirror::Mirror;
use factgate_collector::fact::Handle;

use crate::error::Error;
use crate::evidence::mirror::{MirrorTarget, S3Folder};
use crate::evidence::verify::{self, VerifiedPack};
use crate::evidence::{MANIFEST, WrittenPack};

/// Uploads packs, and proves each as a reader would find it. Returns where each pack is, by its phase execution id.
pub(super) fn upload(
    target: &MirrorTarget,
    packs: &[WrittenPack],
    handles: &BTreeMap<String, Handle>,
    options: Options,
) -> Result<BTreeMap<String, S3Folder>, Error> {
    let Some(root) = target.root(handles)? else { return Ok(BTreeMap::new()) };
    block_on(async {
        let mirror = Mirror::open(options, pinned_region(handles)).await?;
        let mut places = BTreeMap::new();
        for pack in packs {
            let folder = root.folder(&pack.phase_execution_id);
            mirror.upload(&folder.bucket, &folder.prefix, &pack.files, MANIFEST).await?;
            places.insert(pack.phase_execution_id.clone(), folder);
        }
        Ok(places)
    })
}

/// The names of the packs in the mirror.
pub(super) fn packs(
    root: &S3Folder,
    handles: &BTreeMap<String, Handle>,
    options: Options,
) -> Result<Vec<String>, Error> {
    block_on(async {
        let mirror = Mirror::open(options, pinned_region(handles)).await?;
        Ok(mirror.folders(&root.bucket, &root.prefix).await?)
    })
}

fn pinned_region(handles: &BTreeMap<String, Handle>) -> Option<&str> {
    handles.get("AWS_REGION").and_then(|handle| handle.value.as_str())
}

/// Reads a pack from the mirror and proves it whole.
pub(super) fn verify(
    folder: &S3Folder,
    handles: &BTreeMap<String, Handle>,
    options: Options,
) -> Result<VerifiedPack, Error> {
    let files = block_on(async {
        let mirror = Mirror::open(options, pinned_region(handles)).await?;
        Ok(mirror.download(&folder.bucket, &folder.prefix).await?)
    })?;
    Ok(verify::files(&folder.to_string(), folder.name(), &files)?)
}

fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let result = runtime.block_on(work);
    // A call that hangs in the operating system (a name look-up) must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}
