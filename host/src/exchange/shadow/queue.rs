//! The queue before the shadows: bounded in number and in bytes, and nobody waits at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many pings may wait for a shadow.
pub const QUEUE_MAX: usize = 1_024;
/// How many bytes of submissions may wait for the shadow of a normalizer.
pub const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The end at which pings leave something.
#[derive(Debug)]
pub(super) struct Queue<T> {
    sender: SyncSender<(T, usize)>,
    bytes: Arc<AtomicUsize>,
}

/// The end at which it is taken.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    receiver: Receiver<(T, usize)>,
    bytes: Arc<AtomicUsize>,
}

/// Returns both ends of a queue.
pub(super) fn queue<T>() -> (Queue<T>, Waiting<T>) {
    let (sender, receiver) = sync_channel(QUEUE_MAX);
    let bytes = Arc::<AtomicUsize>::default();
    (Queue { sender, bytes: Arc::clone(&bytes) }, Waiting { receiver, bytes })
}

impl<T> Queue<T> {
    /// Leaves something of so many bytes, if there is room. Returns whether there was.
    pub(super) fn leave(&self, left: T, bytes: usize) -> bool {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let room = before.saturating_add(bytes) <= QUEUE_BYTES_MAX;
        let taken = room && self.sender.try_send((left, bytes)).is_ok();
        if !taken {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        taken
    }
}

impl<T> Waiting<T> {
    /// Waits for the next; nothing once the other end is gone and all was taken.
    pub(super) fn next(&self) -> Option<T> {
        let (left, bytes) = self.receiver.recv().ok()?;
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_the_queue_full_is_not_taken() {
        let (queue, waiting) = queue();
        let left = (0..2 * QUEUE_MAX).filter(|ping| queue.leave(*ping, 0)).count();
        assert_eq!(left, QUEUE_MAX);
        assert_eq!(waiting.next(), Some(0));
        assert!(queue.leave(7, 0) && !queue.leave(8, 0));
        drop(queue);
        assert_eq!(std::iter::from_fn(|| waiting.next()).last(), Some(7));
    }

    #[test]
    fn what_has_too_many_bytes_is_not_taken() {
        let (queue, waiting) = queue();
        assert!(queue.leave(1, QUEUE_BYTES_MAX) && !queue.leave(2, 1) && queue.leave(3, 0));
        assert_eq!(waiting.next(), Some(1));
        assert!(queue.leave(4, 1) && !queue.leave(5, QUEUE_BYTES_MAX));
    }
}
