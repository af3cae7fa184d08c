//! The body of a request that brings a file.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use modelry_core::{Error, Result};
use tokio::runtime::Handle;

/// How long an upload may stand still. Much less than the age at which bytes without a row are swept away.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long bytes of a refused upload are still taken.
const LINGER: Duration = Duration::from_secs(5);

/// A file's bytes on their way in; they end with an error when the client goes or stands still.
///
/// Dropped before their end, they are taken and thrown away for a while longer: most clients read the answer only when
/// they have sent everything, and where the connection breaks before, they never learn why they were refused.
pub struct Incoming {
    /// `None` once they have ended.
    bytes: Option<BoxStream<'static, Result<Bytes>>>,
    /// Whether the client sends them without being asked to.
    is_under_way: bool,
}

impl Incoming {
    /// The body of a request with these headers. A client that expects to be asked for it is asked when it is first read.
    pub fn new(headers: &HeaderMap, body: Body) -> Self {
        let bytes = stream::try_unfold(body.into_data_stream(), |mut body| async move {
            match tokio::time::timeout(PATIENCE, body.next()).await {
                Ok(Some(Ok(bytes))) => Ok(Some((bytes, body))),
                Ok(Some(Err(error))) => Err(Error::invalid("the upload broke off").with_source(error)),
                Ok(None) => Ok(None),
                Err(_) => Err(Error::invalid(format!("the upload stood still for {} s", PATIENCE.as_secs()))),
            }
        });
        Self { bytes: Some(bytes.boxed()), is_under_way: !headers.contains_key(EXPECT) }
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.is_under_way = true;
        let Some(bytes) = &mut self.bytes else { return Poll::Ready(None) };
        let next = bytes.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.bytes = None;
        }
        next
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(bytes) = self.bytes.take().filter(|_| self.is_under_way) else { return };
        // Without a runtime the connection is gone as well.
        let Ok(runtime) = Handle::try_current() else { return };
        let rest = bytes.take_while(|piece| std::future::ready(piece.is_ok())).for_each(|_| async {});
        drop(runtime.spawn(tokio::time::timeout(LINGER, rest)));
    }
}
