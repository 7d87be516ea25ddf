//! Bodies of answers, the ill-behaved ones too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

/// A piece of a body without an end.
const PIECE: &[u8] = &[b' '; 4_096];

/// How long an answer that breaks off takes.
const BREAKS_AFTER: Duration = Duration::from_millis(30);

/// What an answer's body is.
pub(super) enum Spoken {
    /// All at once.
    Whole(Option<Bytes>),
    /// A byte, a pause, a byte.
    InParts { left: Bytes, pause: Duration, sleeping: Pin<Box<Sleep>> },
    /// Blanks for ever.
    Endless,
    /// Some bytes, then, once they are on their way, the connection breaks.
    Broken { first: Option<Bytes>, sleeping: Pin<Box<Sleep>> },
}

impl Spoken {
    pub(super) fn whole(text: impl Into<Bytes>) -> Self {
        Self::Whole(Some(text.into()))
    }

    pub(super) fn in_parts(text: impl Into<Bytes>, pause: Duration) -> Self {
        Self::InParts { left: text.into(), pause, sleeping: Box::pin(sleep(Duration::ZERO)) }
    }

    pub(super) fn broken(text: impl Into<Bytes>) -> Self {
        Self::Broken { first: Some(text.into()), sleeping: Box::pin(sleep(BREAKS_AFTER)) }
    }
}

impl Body for Spoken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let spoken = match self.get_mut() {
            Self::Whole(text) => text.take().map(Ok),
            Self::Endless => Some(Ok(Bytes::from_static(PIECE))),
            Self::Broken { first, sleeping } => match first.take() {
                Some(text) => Some(Ok(text)),
                None if sleeping.as_mut().poll(cx).is_pending() => return Poll::Pending,
                None => Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))),
            },
            Self::InParts { left, pause, sleeping } => {
                if left.is_empty() {
                    return Poll::Ready(None);
                }
                if sleeping.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                *sleeping = Box::pin(sleep(*pause));
                Some(Ok(left.split_to(1)))
            }
        };
        Poll::Ready(spoken.map(|spoken| spoken.map(Frame::data)))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(text) => {
                let length = text.as_ref().map_or(0, Bytes::len);
                hyper::body::SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::InParts { .. } | Self::Endless | Self::Broken { .. } => {
                hyper::body::SizeHint::default()
            }
        }
    }
}
