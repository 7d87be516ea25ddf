//! Diffs on a running exchange, beside its traffic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{DiffError, Found, Pace, Version, digest_of, filter, filter_of, record, run};
use crate::catalog::Draft;
use crate::exchange::office::invalid;
use crate::exchange::recording::{JournalTape, Seatings, Settings, Tape, Window};
use crate::exchange::{ActError, Exchange};
use crate::ids::ModuleName;

/// How long a diff may take on a running exchange; then it ends with the leads that it judged.
pub const DIFF_TIME_MAX: Duration = Duration::from_secs(60);
/// The diff that runs on an exchange: one at a time, and beside it one that a gate asks for.
#[derive(Debug)]
pub(in crate::exchange) struct Diffing {
    turn: Semaphore,
    gate: Semaphore,
    done: AtomicU64,
    of: AtomicU64,
}

impl Default for Diffing {
    fn default() -> Self {
        let one = || Semaphore::new(1);
        Self { turn: one(), gate: one(), done: AtomicU64::new(0), of: AtomicU64::new(0) }
    }
}

impl Diffing {
    fn turn(&self) -> Result<SemaphorePermit<'_>, ActError> {
        self.turn.try_acquire().map_err(|_| {
            ActError::Conflict(
                "another comparison runs on this exchange: try again when it is done".to_owned(),
            )
        })
    }
}

impl Exchange {
    /// Compares two versions of a filter over the leads of a window, beside the traffic: it rests as long as it works,
    /// and ends after [`DIFF_TIME_MAX`] or [`LEADS_MAX`] leads, the newest first.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there are no such versions, they are normalizers, one of them does not take the settings of the
    /// campaigns, or another diff runs.
    pub async fn diff(
        &self,
        name: &str,
        (old, new): (u32, u32),
        window: Window,
    ) -> Result<Json, ActError> {
        let draft = self.draft().await;
        let module = filter_of(&draft, name)?;
        if old == new {
            return Err(invalid("/new", "the same version twice: name another"));
        }
        let (old, new) =
            (self.version(&draft, name, old).await?, self.version(&draft, name, new).await?);
        let _turn = self.diffing.turn()?;
        let Diffing { done, of, .. } = &self.diffing;
        let progress = |looked_at: u64, all: u64| {
            done.store(looked_at, Ordering::Relaxed);
            of.store(all, Ordering::Relaxed);
        };
        progress(0, 0);
        let versions = (&module, &old, &new);
        let bounds = (DIFF_TIME_MAX, u64::MAX);
        let found = self.compare(versions, &draft, window, bounds, progress).await?;
        Ok(found.to_json(&module, (&old, &new), window.settings.name()))
    }

    /// Returns how much the diff that runs has looked at, of how much; nothing if none runs.
    pub fn diff_progress(&self) -> Option<(u64, u64)> {
        let runs = self.diffing.turn.available_permits() == 0;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        runs.then(|| (read(&self.diffing.done), read(&self.diffing.of)))
    }

    /// Returns the leads of a window that a filter was asked about, as a recording.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there is no such filter, or a comparison or another recording is made.
    pub async fn recording(&self, name: &str, window: Window) -> Result<Vec<u8>, ActError> {
        let draft = self.draft().await;
        let module = filter_of(&draft, name)?;
        let _turn = self.diffing.turn()?;
        let (reading, now) = (self.journal.reading(), self.clock.now());
        let seatings = self.seatings(&draft, &module, window.settings).await?;
        let tape = JournalTape::new(&reading, seatings, (&window, now), u64::MAX).await?;
        Ok(record(&mut Tape::Journal(tape), &module, (&window, now), Vec::new()).await?)
    }

    /// Compares as a gate does: it waits for the gates before it, and for no other comparison.
    pub(in crate::exchange) async fn compare_at_gate(
        &self,
        versions: (&ModuleName, &Version, &Version),
        draft: &Draft,
        window: Window,
        bounds: (Duration, u64),
    ) -> Result<Found, ActError> {
        let _turn = self.diffing.gate.acquire().await.map_err(|_| ActError::Closed)?;
        self.compare(versions, draft, window, bounds, |_, _| ()).await
    }

    async fn compare(
        &self,
        versions: (&ModuleName, &Version, &Version),
        draft: &Draft,
        window: Window,
        (time_max, facts_max): (Duration, u64),
        progress: impl FnMut(u64, u64),
    ) -> Result<Found, ActError> {
        let (reading, now) = (self.journal.reading(), self.clock.now());
        let seatings = self.seatings(draft, versions.0, window.settings).await?;
        let tape = JournalTape::new(&reading, seatings, (&window, now), facts_max).await?;
        Ok(run(&mut Tape::Journal(tape), versions, Pace::Half(time_max), progress).await?)
    }

    async fn seatings(
        &self,
        draft: &Draft,
        module: &ModuleName,
        settings: Settings,
    ) -> Result<Seatings, DiffError> {
        match settings {
            Settings::Now => Ok(Seatings::now(draft, module)),
            Settings::Then => Ok(Seatings::then(&self.journal.reading(), module).await?.0),
        }
    }

    pub(in crate::exchange) async fn version(
        &self,
        draft: &Draft,
        name: &str,
        number: u32,
    ) -> Result<Version, ActError> {
        let digest = digest_of(draft, name, number)?;
        let admitted = match self.workshop.module(digest) {
            Some(admitted) => admitted,
            None => {
                let wasm = self.journal.module(digest).await.map_err(|_| ActError::Closed)?;
                let wasm = wasm.ok_or_else(|| ActError::NotFound(format!("module {digest}")))?;
                let sandbox = self.workshop.sandbox.clone();
                let admitting = tokio::task::spawn_blocking(move || sandbox.admit(&wasm));
                admitting.await.map_err(|_| ActError::Closed)?.map_err(ActError::Inadmissible)?
            }
        };
        let version = filter(admitted, Some(number), format!("version {number}"))?;
        let module = filter_of(draft, name)?;
        Ok(Version { limits: draft.limits_of("filter", &module), ..version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_takes_no_turn_from_a_gate() {
        let diffing = Diffing::default();
        let _turn = diffing.turn().unwrap();
        assert!(diffing.turn().is_err());
        assert!(diffing.gate.try_acquire().is_ok());
    }
}
