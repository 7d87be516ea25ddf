//! How long a connection is waited for on which nothing happens.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// How long the first request may take to begin: as long as its head.
const FIRST_MAX: Duration = super::HEAD_READ_MAX;
/// How long nothing may be read and nothing written while no request is open. An answer that nobody reads is no request.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What happened on one connection.
#[derive(Debug)]
pub(super) struct Patience {
    born: Instant,
    /// A request came.
    began: AtomicBool,
    /// How many requests are not answered yet.
    open: AtomicUsize,
    /// When bytes came or went, in milliseconds since it was born.
    moved_ms: AtomicU64,
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Open(Arc<Patience>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.moved();
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Patience {
    pub(super) fn new() -> Self {
        let (began, open, moved_ms) =
            (AtomicBool::default(), AtomicUsize::default(), AtomicU64::default());
        Self { born: Instant::now(), began, open, moved_ms }
    }

    /// Notes that a request came.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.began.store(true, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Returns once nothing has happened for too long.
    pub(super) async fn lost(&self) {
        loop {
            let lapses = self.lapses();
            if lapses <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(lapses).await;
        }
    }

    /// Returns when it is over if nothing happens any more; while a request is open, when to look again.
    fn lapses(&self) -> Instant {
        if self.open.load(Ordering::Relaxed) > 0 {
            return Instant::now() + IDLE_MAX;
        }
        if !self.began.load(Ordering::Relaxed) {
            return self.born + FIRST_MAX;
        }
        self.born + Duration::from_millis(self.moved_ms.load(Ordering::Relaxed)) + IDLE_MAX
    }

    fn moved(&self) {
        let ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(ms, Ordering::Relaxed);
    }
}

/// A stream that notes when bytes come and go.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    patience: Arc<Patience>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, patience: Arc<Patience>) -> Self {
        Self { stream, patience }
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(1..)) = written {
            self.patience.moved();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.patience.moved();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_waited_for_as_long_as_its_head() {
        let patience = Patience::new();
        patience.moved();
        assert_eq!(patience.lapses(), patience.born + FIRST_MAX);
    }

    #[test]
    fn an_open_request_is_waited_for_and_what_comes_after_it_for_a_while() {
        let patience = Arc::new(Patience::new());
        let (first, second) = (patience.open(), patience.open());
        drop(first);
        let later = || Instant::now() + IDLE_MAX;
        let before = later();
        assert!(patience.lapses() >= before);
        patience.moved_ms.store(7_000, Ordering::Relaxed);
        let lapses = patience.lapses();
        assert!(before <= lapses && lapses <= later());
        drop(second);
        let before = patience.lapses();
        assert!(before <= later());
        patience.moved_ms.fetch_add(5_000, Ordering::Relaxed);
        assert_eq!(patience.lapses(), before + Duration::from_secs(5));
    }
}
