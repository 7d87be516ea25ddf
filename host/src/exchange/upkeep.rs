//! What the exchange does for its journal while it runs: it looks at the room on the disk, and reads everything again to
//! see whether it still holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};

use super::{Exchange, Trouble};
use crate::config::Keeping;
use crate::journal::JournalError;

/// How often the disk is asked for its room.
const DISK_PAUSE: Duration = Duration::from_millis(500);
/// A batch that takes longer than this makes the exchange take no new leads: the disk or the database is stuck.
const LAG_MAX: Duration = Duration::from_secs(3);

/// What is watched, and what was seen.
#[derive(Debug)]
pub(super) struct Upkeep {
    data: PathBuf,
    keeping: Keeping,
    disk_low: AtomicBool,
}

impl Upkeep {
    pub(super) fn new(data: PathBuf, keeping: Keeping) -> Self {
        Self { data, keeping, disk_low: AtomicBool::new(false) }
    }
}

impl Exchange {
    /// Refuses new leads while there is no room for them. What was accepted before is finished.
    pub(super) fn room(&self) -> Result<(), Trouble> {
        if self.upkeep.disk_low.load(Ordering::Relaxed) {
            return Err(Trouble::DiskLow);
        }
        if self.journal.lag() > LAG_MAX {
            return Err(Trouble::Overloaded("the database does not keep up"));
        }
        Ok(())
    }

    /// Asks the disk for its room, now and then.
    pub(super) async fn watch_disk(self: Arc<Self>) {
        let stopping = self.stopping.clone();
        while stopping.run_until_cancelled(tokio::time::sleep(DISK_PAUSE)).await.is_some() {
            self.look_at_the_disk();
        }
    }

    /// Asks the disk for its room. A disk that does not say is not low: writing to it tells.
    pub(super) fn look_at_the_disk(&self) {
        let Upkeep { data, keeping, disk_low } = &self.upkeep;
        let free = match keeping.free_space.at(data) {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(%error, "the disk does not say how much room it has");
                return;
            }
        };
        let low = free < keeping.disk_low_bytes;
        // In mebibytes, which are exact as the metric's numbers go.
        gauge!("gavel_disk_free_mib").set(u32::try_from(free >> 20).unwrap_or(u32::MAX));
        gauge!("gavel_disk_low").set(u32::from(low));
        match (disk_low.swap(low, Ordering::Relaxed), low) {
            (false, true) => {
                let low_water = keeping.disk_low_bytes;
                tracing::error!(free, low_water, "disk almost full, no new leads are taken");
            }
            (true, false) => tracing::info!(free, "disk has room again, new leads are taken"),
            (true, true) | (false, false) => (),
        }
    }

    /// Verifies the journal now and then.
    pub(super) async fn prove(self: Arc<Self>) {
        let every = self.upkeep.keeping.scrub_every;
        if every.is_zero() {
            return;
        }
        gauge!("gavel_journal_damaged").set(0);
        let stopping = self.stopping.clone();
        while stopping.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            let begun = Instant::now();
            let Some(proven) = stopping.run_until_cancelled(self.journal.prove()).await else {
                return;
            };
            match proven {
                Ok(audit) => {
                    gauge!("gavel_journal_damaged").set(0);
                    let (facts, took) = (audit.head().seq, begun.elapsed());
                    tracing::info!(facts, ?took, "journal verified");
                }
                Err(error @ (JournalError::Damaged(_) | JournalError::Malformed(_))) => {
                    gauge!("gavel_journal_damaged").set(1);
                    tracing::error!(
                        %error,
                        "journal damaged: stop the exchange, keep a copy of the directory, and restore a backup"
                    );
                }
                Err(error) => tracing::warn!(%error, "the journal could not be verified"),
            }
            counter!("gavel_journal_proofs_total").increment(1);
        }
    }
}
