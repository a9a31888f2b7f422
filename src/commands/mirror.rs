//! The mirror, as the commands use it: one runtime and one connection for all that a command does with it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use factgate_collector::aws::Options;
use factgate_collector::aws::mirror::Mirror;
use factgate_collector::fact::Handle;
use tokio::runtime::Runtime;

use super::collect::interruption;
use crate::error::Error;
use crate::evidence::mirror::{MirrorTarget, S3Folder};
use crate::evidence::verify::{self, VerifiedPack};
use crate::evidence::{MANIFEST, WrittenPack};

/// A connection to the mirror, for as long as [`connected`] keeps it.
pub(super) struct Connected<'run> {
    runtime: &'run Runtime,
    mirror: Mirror,
    deadline: Instant,
}

/// Waits for the mirror until the deadline, and as long as nobody asks this process to end.
fn wait<T, E>(runtime: &Runtime, deadline: Instant, work: impl Future<Output = Result<T, E>>) -> Result<T, Error>
where
    Error: From<E>,
{
    runtime.block_on(async {
        tokio::select! {
            done = tokio::time::timeout_at(deadline.into(), work) => match done {
                Ok(done) => Ok(done?),
                Err(_) => Err(Error::MirrorDeadline),
            },
            signal = interruption() => Err(Error::MirrorInterrupted(signal)),
        }
    })
}

/// Connects to the mirror, in the registry's region unless the options name one, and works with it.
pub(super) fn connected<T>(
    pinned_region: Option<&str>,
    options: Options,
    work: impl FnOnce(&Connected<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let deadline = options.deadline;
    let mirror = wait(&runtime, deadline, Mirror::open(options, pinned_region));
    let result = mirror.and_then(|mirror| work(&Connected { runtime: &runtime, mirror, deadline }));
    // A call that hangs in the operating system (a name look-up) must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

impl Connected<'_> {
    /// The names of the packs in the mirror.
    pub(super) fn packs(&self, root: &S3Folder) -> Result<Vec<String>, Error> {
        wait(self.runtime, self.deadline, self.mirror.folders(&root.bucket, &root.prefix))
    }

    /// Reads a pack and proves it whole.
    pub(super) fn verify(&self, folder: &S3Folder) -> Result<VerifiedPack, Error> {
        let files = wait(self.runtime, self.deadline, self.mirror.download(&folder.bucket, &folder.prefix))?;
        Ok(verify::files(&folder.to_string(), folder.name(), &files)?)
    }

    /// Uploads a pack, and proves it as a reader would find it.
    fn upload(&self, folder: &S3Folder, pack: &WrittenPack) -> Result<(), Error> {
        wait(self.runtime, self.deadline, self.mirror.upload(&folder.bucket, &folder.prefix, &pack.files, MANIFEST))
    }
}

/// Uploads packs, if there is a mirror. Returns where each is, by its phase execution id.
pub(super) fn upload(
    target: &MirrorTarget,
    packs: &[WrittenPack],
    handles: &BTreeMap<String, Handle>,
    options: Options,
) -> Result<BTreeMap<String, S3Folder>, Error> {
    let Some(root) = target.root(handles)? else { return Ok(BTreeMap::new()) };
    connected(pinned_region(handles), options, |mirror| {
        let mut places = BTreeMap::new();
        for pack in packs {
            let folder = root.folder(&pack.phase_execution_id);
            mirror.upload(&folder, pack)?;
            places.insert(pack.phase_execution_id.clone(), folder);
        }
        Ok(places)
    })
}

/// The registry's `AWS_REGION`.
pub(super) fn pinned_region(handles: &BTreeMap<String, Handle>) -> Option<&str> {
    handles.get("AWS_REGION").and_then(|handle| handle.value.as_str())
}
