//! Uploads that are gone on with where they broke off.

use futures_util::StreamExt as _;
use modelry_blob::{Growing, too_large};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::ids::{ProjectId, UserId};
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Kind, Result};
use modelry_store::blobs;
use modelry_store::files::{self, NewFile};
use modelry_store::uploads::{self, Upload};

use super::turns::Held;
use super::{Known, done_with, known};
use crate::App;
use crate::access::Granted;
use crate::transfer::{self, Incoming, PlaceOf};

/// How much more has to be durable before that is noted: a note costs a transaction, and a client that sends so much again
/// after a crash loses little.
const NOTED_EVERY_BYTES: u64 = 32 * 1024 * 1024;

/// A file that somebody is about to send.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// What it is to belong to, in the words of the protocol.
    pub target: String,
    /// Its path there.
    pub path: ArtifactPath,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// Their digest, if it is known.
    pub sha256: Option<Sha256>,
}

/// Which bytes of a file a request sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub start: u64,
    /// After the last.
    pub end: u64,
}

/// Begins an upload, or finds the one that the caller began of the same file. Where the caller may read the same bytes
/// already, the file is there without sending any.
pub async fn begin(app: &App, granted: &Granted, announced: Announcement, place: PlaceOf) -> Result<Upload> {
    let limit = app.settings.limits.file_bytes;
    if announced.size_bytes > limit {
        return Err(too_large(limit));
    }
    let project = granted.project();
    let new = Upload {
        id: app.new_eid().to_string(),
        user: granted.access.user(),
        target: announced.target,
        path: announced.path.to_string(),
        size_bytes: Some(announced.size_bytes),
        sha256: announced.sha256,
        store_key: Some(StoreKey::new(app.random.bytes())),
        received_bytes: 0,
        secret: None,
        is_done: false,
        created_at: app.clock.now(),
    };
    if let Some(sha256) = announced.sha256
        && let Some(known) = known(app, granted, sha256, announced.size_bytes).await?
        && share(app, project, &new, known, place.clone()).await?
    {
        return Ok(Upload { received_bytes: announced.size_bytes, is_done: true, ..new });
    }
    let begun = app.db.write(move |tx| {
        transfer::check(tx, &place)?;
        if let Some(begun) = uploads::find_same(tx, project, &new)? {
            return Ok(begun);
        }
        uploads::insert(tx, project, &new)?;
        Ok(new.clone())
    });
    begun.await
}

/// Makes the file of bytes that are there, and notes an upload that is done. Answers whether they still were there.
async fn share(app: &App, project: ProjectId, new: &Upload, known: Known, place: PlaceOf) -> Result<bool> {
    let done = Upload { is_done: true, received_bytes: known.size_bytes, store_key: None, ..new.clone() };
    app.db
        .write(move |tx| {
            let Known { blob, sha256, size_bytes } = known;
            if blobs::find_same(tx, sha256, size_bytes)? != Some(blob) {
                return Ok(false);
            }
            let (tree, path) = place(tx)?;
            files::put(tx, tree, &NewFile { path, blob, size_bytes, modified_at: done.created_at })?;
            uploads::insert(tx, project, &done)?;
            Ok(true)
        })
        .await
}

/// An upload of the caller's.
pub async fn find(app: &App, (project, user): (ProjectId, Option<UserId>), id: String) -> Result<Upload> {
    app.db.read(move |tx| uploads::get_own(tx, project, user, &id)).await
}

/// Gives an upload up, and removes its bytes.
pub async fn give_up(app: &App, project: ProjectId, upload: &Upload) -> Result<()> {
    let _held = app.turns.take(&upload.id).await;
    abandon(app, project, upload).await
}

async fn abandon(app: &App, project: ProjectId, upload: &Upload) -> Result<()> {
    let id = upload.id.clone();
    app.db.write(move |tx| uploads::delete(tx, project, &id)).await?;
    if let Some(store_key) = &upload.store_key {
        transfer::remove(app, store_key).await;
    }
    app.turns.forget(&upload.id);
    Ok(())
}

/// Takes the bytes `span` of an upload; with the last byte the file is where `place` says.
///
/// What arrives is kept, in steps of 32 MiB or so and when the body ends, however it ends. Bytes that are there already may be
/// sent again. Fails with `Conflict` when those before `span` are missing.
pub async fn receive(
    app: &App,
    granted: &Granted,
    upload: Upload,
    span: Span,
    (bytes, place): (Incoming, PlaceOf),
) -> Result<Upload> {
    let (app, granted) = (app.clone(), granted.clone());
    // A client that goes ends the body, not the work on what it has sent.
    let task =
        tokio::spawn(async move { receive_held(&app, &granted, &upload.id, span, (bytes, place)).await });
    task.await.map_err(|error| Error::internal("an upload was cut off").with_source(error))?
}

async fn receive_held(
    app: &App,
    granted: &Granted,
    id: &str,
    span: Span,
    (bytes, place): (Incoming, PlaceOf),
) -> Result<Upload> {
    let mut held = app.turns.take(id).await;
    let upload = find(app, (granted.project(), granted.access.user()), id.to_owned()).await?;
    if upload.is_done {
        return Ok(upload);
    }
    let project = granted.project();
    if span.start > upload.received_bytes {
        return Err(Error::conflict(format!(
            "the upload goes on at byte {}, not at byte {}",
            upload.received_bytes, span.start
        )));
    }
    let (upload, broken) = take(app, project, upload, (span, bytes), &mut held).await?;
    if let Some(error) = broken {
        return Err(error);
    }
    if upload.size_bytes != Some(upload.received_bytes) {
        return Ok(upload);
    }
    finish(app, granted, &upload, held, place).await?;
    Ok(Upload { is_done: true, ..upload })
}

/// Appends a body to what is there. Answers how far the upload is, which is noted unless it is whole, and why the body
/// broke off, if it did.
async fn take(
    app: &App,
    project: ProjectId,
    upload: Upload,
    (span, bytes): (Span, Incoming),
    held: &mut Held,
) -> Result<(Upload, Option<Error>)> {
    let store_key = upload.store_key.as_ref().ok_or_else(|| Error::invalid("this upload takes parts"))?;
    let summed = held.summed.take();
    let growing = app.blobs.resume(store_key, span.start, summed).await?;
    if span.start < upload.received_bytes {
        note(app, project, &upload.id, span.start).await?;
    }
    let mut noted = span.start;
    let appended = async {
        let broken = append(app, (project, &upload.id), (growing, span, bytes), &mut noted, held).await;
        let (received, broken) = broken?;
        let is_whole = broken.is_none() && upload.size_bytes == Some(received);
        if !is_whole && received > noted {
            note(app, project, &upload.id, received).await?;
        }
        Ok((received, broken))
    };
    match appended.await {
        Ok((received_bytes, broken)) => Ok((Upload { received_bytes, ..upload }, broken)),
        Err(error) => {
            // What is not noted does not count, and would keep a full disk full until somebody goes on with the upload.
            app.blobs.resume(store_key, noted, None).await?;
            Err(error)
        }
    }
}

/// Appends `bytes` to what grows, and notes in `noted`, too, how far it is durable while it does. Answers how far it is
/// now, and why they broke off, if they did.
async fn append(
    app: &App,
    (project, id): (ProjectId, &str),
    (mut growing, span, mut bytes): (Growing, Span, Incoming),
    noted: &mut u64,
    held: &mut Held,
) -> Result<(u64, Option<Error>)> {
    let (mut at, mut broken) = (span.start, None);
    while at < span.end && broken.is_none() {
        let next = tokio::select! {
            next = bytes.next() => next,
            () = held.overtaken() => Some(Err(Error::conflict("another request goes on with this upload"))),
        };
        match next {
            Some(Ok(piece)) => {
                let wanted = usize::try_from(span.end - at).map_or(piece.len(), |rest| piece.len().min(rest));
                growing.push(&piece[..wanted]).await?;
                at += wanted as u64;
            }
            Some(Err(error)) => broken = Some(error),
            None => {
                broken = Some(Error::invalid(format!("the body ended {} bytes early", span.end - at)));
            }
        }
        if growing.durable_bytes() >= *noted + NOTED_EVERY_BYTES {
            // Even if this fails, what is being written has to come to its end before anybody else goes on.
            match note(app, project, id, growing.durable_bytes()).await {
                Ok(()) => *noted = growing.durable_bytes(),
                Err(error) => broken = Some(error),
            }
        }
    }
    let (received_bytes, summed) = growing.finish().await?;
    *held.summed = summed;
    Ok((received_bytes, broken))
}

async fn note(app: &App, project: ProjectId, id: &str, bytes: u64) -> Result<()> {
    let (id, now) = (id.to_owned(), app.clock.now());
    app.db.write(move |tx| uploads::set_received(tx, project, &id, bytes, now)).await
}

/// Makes the file of an upload whose bytes are all there, though that may not be noted. An upload that cannot become one
/// is given up.
async fn finish(app: &App, granted: &Granted, upload: &Upload, mut held: Held, place: PlaceOf) -> Result<()> {
    let project = granted.project();
    let store_key = upload.store_key.clone().ok_or_else(|| Error::invalid("this upload takes parts"))?;
    let written = match held.summed.take() {
        Some(summed) => summed.finish(),
        None => app.blobs.sum_again(&store_key, upload.received_bytes).await?,
    };
    let sha256 = written.sha256;
    let checked = match upload.sha256 {
        Some(announced) if announced != sha256 => Err(Error::invalid(format!(
            "the bytes received have the sha-256 {sha256}, but {announced} was announced: nothing was stored"
        ))),
        _ => Ok(()),
    };
    let place = done_with(app, project, upload, written.size_bytes, place);
    let kept = transfer::keep(app.clone(), (store_key.clone(), written), checked, place).await;
    match &kept {
        Ok(()) => app.turns.forget(&upload.id),
        Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::Internal) => {
            note_whole(app, granted, upload, &store_key).await;
        }
        Err(_) => abandon(app, project, upload).await?,
    }
    kept
}

/// Notes that all bytes are there, so that the file is tried again when the last one is sent once more; where that fails
/// too, what is not noted goes.
async fn note_whole(app: &App, granted: &Granted, upload: &Upload, store_key: &StoreKey) {
    let project = granted.project();
    if note(app, project, &upload.id, upload.received_bytes).await.is_ok() {
        return;
    }
    let noted = find(app, (project, granted.access.user()), upload.id.clone()).await;
    let cut = async { app.blobs.resume(store_key, noted?.received_bytes, None).await };
    if let Err(error) = cut.await {
        // Whoever goes on with the upload cuts it then.
        tracing::warn!(upload = %upload.id, %error, "an upload is longer on the disk than noted");
    }
}
