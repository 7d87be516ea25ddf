//! Snapshots that were replaced and that pings may still see. Once none is left, the versions that only they had retire.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::Exchange;
use crate::catalog::Market;

/// How often it is looked whether a replaced snapshot is gone.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The replaced snapshots, as far as they are known to be alive.
#[derive(Debug, Default)]
pub(super) struct Drains(Mutex<Replaced>);

#[derive(Debug, Default)]
struct Replaced {
    snapshots: Vec<Weak<Market>>,
    /// A snapshot was replaced since the last retirement.
    since: bool,
}

impl Drains {
    /// Takes note of a snapshot that was replaced.
    pub(super) fn add(&self, replaced: &Arc<Market>) {
        let mut drains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drains.snapshots.retain(|snapshot| snapshot.strong_count() > 0);
        drains.snapshots.push(Arc::downgrade(replaced));
        drains.since = true;
    }

    /// Returns whether every replaced snapshot is gone, if any was replaced since this was last so.
    pub(super) fn gone(&self) -> bool {
        let mut drains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drains.snapshots.retain(|snapshot| snapshot.strong_count() > 0);
        drains.since && drains.snapshots.is_empty()
    }

    fn settle(&self) {
        let mut drains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drains.since = !drains.snapshots.is_empty();
    }
}

impl Exchange {
    /// Retires versions as their pings end, until the exchange is told to stop.
    pub(super) async fn watch_drains(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => (),
                () = self.stopping.cancelled() => return,
            }
            if !self.drains.gone() {
                continue;
            }
            match self.retire().await {
                Ok(()) => self.drains.settle(),
                Err(error) => tracing::warn!(%error, "a drained version is not retired yet"),
            }
        }
    }
}
