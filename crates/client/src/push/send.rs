//! One file on its way to the server, from where it was cut off.

use std::fs;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};

use modelry_core::{Error, Kind, Result};
use serde_json::json;
use ureq::http::Method;

use crate::api::{File, Upload};
use crate::files::{LocalFile, failed};
use crate::http::Api;
use crate::parallel::{Patience, Stop};
use crate::progress::Progress;

/// How much was sent by all senders.
#[derive(Debug, Default)]
pub(super) struct Sent(AtomicU64);

impl Sent {
    /// In bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a file is sent with.
pub(super) struct Sender<'a> {
    pub(super) api: &'a Api,
    /// The number of the version in the project.
    pub(super) package: i64,
    pub(super) progress: &'a Progress,
    pub(super) stop: &'a Stop,
    pub(super) sent: &'a Sent,
}

impl Sender<'_> {
    /// Sends what the server does not have of a file, and tries again when the connection breaks off.
    pub(super) fn send(&self, local: &LocalFile, file: &File) -> Result<()> {
        let begin = json!({
            "package": self.package.to_string(), "path": file.path, "size": file.size, "sha256": file.sha256,
        });
        let (mut told, mut furthest, mut patience) = (0, 0, Patience::default());
        loop {
            self.stop.check()?;
            let outcome = self.api.send::<Upload>(&Method::POST, "/uploads", &begin).and_then(|upload| {
                if upload.received > furthest {
                    patience.renew();
                }
                furthest = furthest.max(upload.received);
                if upload.done { Ok(upload) } else { self.send_rest(local, file, &upload, &mut told) }
            });
            let failure = match outcome {
                Ok(upload) if upload.done => {
                    self.progress.add_bytes(file.size - told);
                    self.progress.add_files(1);
                    return Ok(());
                }
                Ok(_) => Error::unavailable(format!("{} was not received as a whole", file.path)),
                Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::Conflict) => error,
                Err(error) => return Err(error),
            };
            patience.bear(failure, self.stop)?;
        }
    }

    /// Sends the file from where the server says that it stands. `told` is how far the progress knows.
    fn send_rest(&self, local: &LocalFile, file: &File, upload: &Upload, told: &mut u64) -> Result<Upload> {
        // Where all is there and the server was cut off before it made the file of it, the last byte makes it try again.
        let start = upload.received.min(file.size.saturating_sub(1));
        let open = || -> io::Result<fs::File> {
            let mut bytes = fs::File::open(&local.place)?;
            bytes.seek(SeekFrom::Start(start))?;
            Ok(bytes)
        };
        let bytes = open().map_err(|error| failed("open", &local.place, &error))?;
        let mut rest = Rest { bytes, at: start, size: file.size, told, sender: self };
        let path = format!("/uploads/{}", modelry_core::address::segment(&upload.id));
        let answer = self.api.upload(&path, (start, file.size), &mut rest);
        let was_short =
            rest.at < file.size && rest.bytes.metadata().is_ok_and(|found| found.len() < file.size);
        if was_short {
            return Err(Error::invalid(format!(
                "{} became shorter while it was pushed",
                local.place.display()
            )));
        }
        answer
    }
}

/// What is left of a file, read as it is sent.
struct Rest<'a> {
    bytes: fs::File,
    at: u64,
    size: u64,
    told: &'a mut u64,
    sender: &'a Sender<'a>,
}

impl Read for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.sender.stop.check().map_err(io::Error::other)?;
        let most = usize::try_from(self.size - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.bytes.read(&mut buffer[..most])?;
        self.at += read as u64;
        self.sender.sent.0.fetch_add(read as u64, Ordering::Relaxed);
        if self.at > *self.told {
            self.sender.progress.add_bytes(self.at - *self.told);
            *self.told = self.at;
        }
        Ok(read)
    }
}
