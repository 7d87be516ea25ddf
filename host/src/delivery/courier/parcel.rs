//! A request body that can be taken back until the network has it.
//!
//! Whether the bytes may have left is decided in one place, under one lock: either the connection takes them, or the courier
//! takes them back. So "not sent" is never a guess.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

type Shared = Arc<Mutex<Option<Bytes>>>;

/// The body, for the connection.
pub(super) struct Parcel {
    bytes: Shared,
    length: u64,
    handed_over: bool,
}

/// The courier's side of a [`Parcel`].
pub(super) struct Receipt(Shared);

/// The courier took the body back before the connection asked for it.
#[derive(Debug)]
pub(super) struct Withdrawn;

impl Parcel {
    pub(super) fn new(body: Bytes) -> (Self, Receipt) {
        let length = body.len() as u64;
        let bytes = Arc::new(Mutex::new(Some(body)));
        (Self { bytes: Arc::clone(&bytes), length, handed_over: false }, Receipt(bytes))
    }
}

impl Receipt {
    /// Takes the body back. Returns whether that was in time: then no byte of it has left, and none will.
    pub(super) fn withdraw(self) -> bool {
        take(&self.0).is_some()
    }
}

fn take(bytes: &Shared) -> Option<Bytes> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Body for Parcel {
    type Data = Bytes;
    type Error = Withdrawn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        if self.handed_over {
            return Poll::Ready(None);
        }
        self.handed_over = true;
        Poll::Ready(Some(take(&self.bytes).map(Frame::data).ok_or(Withdrawn)))
    }

    fn is_end_stream(&self) -> bool {
        self.handed_over
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.handed_over { 0 } else { self.length })
    }
}

impl fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shipment was withdrawn")
    }
}

impl std::error::Error for Withdrawn {}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn sent(parcel: Parcel) -> Result<Bytes, Withdrawn> {
        parcel.collect().await.map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn a_body_is_either_sent_or_withdrawn() {
        let (parcel, receipt) = Parcel::new(Bytes::from_static(b"lead"));
        assert_eq!(parcel.size_hint().exact(), Some(4));
        assert_eq!(sent(parcel).await.unwrap(), "lead");
        assert!(!receipt.withdraw());

        let (parcel, receipt) = Parcel::new(Bytes::from_static(b"lead"));
        assert!(receipt.withdraw());
        assert!(sent(parcel).await.is_err());
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_unsent_can_be_withdrawn() {
        let (parcel, receipt) = Parcel::new(Bytes::from_static(b"lead"));
        drop(parcel);
        assert!(receipt.withdraw());
    }
}
