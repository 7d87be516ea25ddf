//! A payload that is written once, by whoever comes first: the one who waits for its record, or the journal's task.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::writer::Work;
use super::{Committed, Record, Seat, balanced};

impl Seat {
    /// Puts a record at the end of the journal whose payload is yet to be written: whoever waits for the record writes it,
    /// after letting go of the lock that decides the order, or else the journal's own task.
    pub fn fill_later(
        self,
        record: Record,
        payload: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Committed {
        self.fill_linked(Vec::new(), record, payload)
    }

    /// Puts records at the end of the journal that are written together or not at all. The last of them, whose payload is
    /// yet to be written, is the one that is waited for.
    pub fn fill_linked(
        self,
        before: Vec<Record>,
        record: Record,
        payload: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Committed {
        before.iter().chain([&record]).for_each(balanced);
        let (sender, receiver) = oneshot::channel();
        let payload = Arc::new(Payload::of(payload));
        let written = Some(Arc::clone(&payload));
        self.0.send(Work::Fact { before, record, payload: written, waiting: sender });
        Committed { durable: receiver, payload: Some(payload) }
    }

    /// Leaves the place empty: nothing is written, and whoever waits hears that the journal is closed.
    pub fn leave(self) -> Committed {
        Committed { durable: oneshot::channel().1, payload: None }
    }
}

/// What a record will hold.
pub(super) struct Payload(Mutex<Stage>);

enum Stage {
    Due(Box<dyn FnOnce() -> Vec<u8> + Send>),
    Written(Vec<u8>),
}

impl Payload {
    pub(super) fn of(write: impl FnOnce() -> Vec<u8> + Send + 'static) -> Self {
        Self(Mutex::new(Stage::Due(Box::new(write))))
    }

    /// Writes the payload unless it is written.
    pub(super) fn write(&self) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = stage.take();
        *stage = Stage::Written(written);
    }

    /// Returns the payload, written now if it is not yet. It is there once.
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Stage {
    fn take(&mut self) -> Vec<u8> {
        match std::mem::replace(self, Self::Written(Vec::new())) {
            Self::Due(write) => write(),
            Self::Written(payload) => payload,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_the_same_whoever_writes_it() {
        let waiting = Payload::of(|| vec![1, 2, 3]);
        waiting.write();
        waiting.write();
        assert_eq!(waiting.take(), [1, 2, 3]);
        let unwaited = Payload::of(|| vec![1, 2, 3]);
        assert_eq!(unwaited.take(), [1, 2, 3]);
        // Whoever waits may come after the task has taken it.
        unwaited.write();
    }
}
