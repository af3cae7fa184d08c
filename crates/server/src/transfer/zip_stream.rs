//! Zip archives as they are sent: file after file, then the directory of them all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use crc32fast::Hasher;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::{Error, Result};
use modelry_store::files::{ManifestEntry, Tree};

use super::archive::entries;
use super::zip::{Layout, Member};
use crate::App;

/// An archive of what `tree` has below `dir`.
///
/// Of each file only its checksum is held until the directory is written, for which the files are listed again. Files
/// that were added or removed in between break the archive off before its end.
pub(super) fn stream(
    app: &App,
    tree: Tree,
    dir: Option<ArtifactPath>,
) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
    let ledger = Ledger::default();
    let members = {
        let (app, ledger) = (app.clone(), ledger.clone());
        entries(app.clone(), tree, dir.clone())
            .and_then(move |entry| member(app.clone(), entry, ledger.clone()))
            .try_flatten()
    };
    members.chain(directory(app.clone(), tree, dir, ledger))
}

/// What is known of the files that were sent.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Sent>>);

#[derive(Default)]
struct Sent {
    /// The checksums of whole files, in their order.
    checksums: VecDeque<u32>,
    /// That of the file which is being sent.
    current: Hasher,
    layout: Layout,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Sent> {
        self.0.lock().expect("no holder of this lock panics")
    }

    fn update(&self, bytes: &[u8]) {
        self.lock().current.update(bytes);
    }

    /// Ends a file, and answers its checksum.
    fn end_file(&self, member: Member<'_>) -> u32 {
        let mut sent = self.lock();
        let checksum = std::mem::take(&mut sent.current).finalize();
        sent.checksums.push_back(checksum);
        sent.layout.add(member);
        checksum
    }
}

/// A file in the archive: header, bytes, checksum.
async fn member(
    app: App,
    entry: ManifestEntry,
    ledger: Ledger,
) -> Result<impl Stream<Item = Result<Bytes>> + Send> {
    let bytes = super::archive::read_all(&app, &entry).await?;
    let header = member_of(&entry).header();
    let reading = ledger.clone();
    let bytes = bytes.inspect_ok(move |piece| reading.update(piece));
    let end = stream::once(async move {
        let member = member_of(&entry);
        Ok(member.descriptor(ledger.end_file(member)))
    });
    Ok(stream::iter([Ok(header)]).chain(bytes).chain(end))
}

fn member_of(entry: &ManifestEntry) -> Member<'_> {
    Member { path: &entry.path, size_bytes: entry.size_bytes }
}

/// The directory of the files that were sent, and the end of the archive.
fn directory(
    app: App,
    tree: Tree,
    dir: Option<ArtifactPath>,
    ledger: Ledger,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let listed = Arc::new(Mutex::new(Layout::default()));
    let so_far = listed.clone();
    let sent = ledger.clone();
    let entries = entries(app, tree, dir).map(move |entry| {
        let entry = entry?;
        let checksum = sent.lock().checksums.pop_front().ok_or_else(changed)?;
        let offset = so_far.lock().expect("no holder of this lock panics").add(member_of(&entry));
        Ok(member_of(&entry).entry(checksum, offset))
    });
    entries.chain(stream::once(async move {
        let layout = *listed.lock().expect("no holder of this lock panics");
        if layout == ledger.lock().layout { Ok(layout.end()) } else { Err(changed()) }
    }))
}

fn changed() -> Error {
    Error::conflict("files were added or removed while an archive of them was sent")
}
