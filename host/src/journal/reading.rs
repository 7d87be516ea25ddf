//! A journal that somebody else may be writing to, for commands that look and change nothing.

use std::convert::Infallible;

use super::audit::{self, Audit, AuditError, Pace};
use super::directory::{self, DirectoryError};
use super::{Head, JournalError, Leg, Place, Stored, amounts, whole};
use crate::ids::Digest;
use crate::money::Micros;
use crate::storage::{Database, Reach, Readers};

/// A journal that is read beside a server that may be writing to it.
#[derive(Debug)]
pub struct Reading {
    readers: Readers,
    anchor: Option<Head>,
}

impl Reading {
    /// Reads beside the journal's own readers.
    pub(super) fn beside(readers: Readers) -> Self {
        Self { readers, anchor: None }
    }

    /// Reads from these connections, up to at least this fact.
    pub(super) fn of(readers: Readers, anchor: Option<Head>) -> Self {
        Self { readers, anchor }
    }

    /// Opens the journal at a place for reading. Where the place names no database, its directory does.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub async fn open(place: impl Into<Place>) -> Result<Self, JournalError> {
        let Place { directory, database, accepted } = place.into();
        // Before the database: the anchor may fall behind it while this reads, but must not run ahead.
        let anchor = directory::anchor(&directory)?;
        let database = directory::choose(&directory, database)?;
        if matches!(&database, Database::Sqlite(file) if !file.exists()) {
            return Err(DirectoryError::Nothing(directory).into());
        }
        Ok(Self { readers: Readers::open(&database, &accepted, Reach::Anywhere).await?, anchor })
    }

    /// Reads everything and says what was found.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] names the first fact that does not hold; the others say why the journal cannot be
    /// read.
    pub async fn verify(&self) -> Result<Audit, JournalError> {
        self.verify_at(Pace::Full).await
    }

    /// Reads everything at this pace.
    pub(super) async fn verify_at(&self, pace: Pace) -> Result<Audit, JournalError> {
        let each = |_, _: &[Leg]| Ok::<_, Infallible>(());
        let audit = audit::read_all(&self.readers, self.anchor, pace, each).await;
        let audit = audit.map_err(|error| match error {
            AuditError::Damaged(damage) => JournalError::Damaged(damage),
            AuditError::Storage { source, .. } => source.into(),
            AuditError::Refused { source, .. } => match source {},
        })?;
        let complaint = self.readers.integrity().await?;
        complaint.map_or(Ok(audit), |complaint| Err(JournalError::Malformed(complaint)))
    }

    /// Reads everything, gives each fact with its legs to `each` once it is known to hold, and says what was found.
    ///
    /// # Errors
    /// [`AuditError::Damaged`] names the first fact that does not hold; nothing after it was given to `each`.
    pub async fn read_all<E>(
        &self,
        each: impl FnMut(Stored, &[Leg]) -> Result<(), E>,
    ) -> Result<Audit, AuditError<E>> {
        audit::read_all(&self.readers, self.anchor, Pace::Full, each).await
    }

    /// Returns up to `limit` facts after this one, unverified.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn facts_after(&self, seq: u64, limit: usize) -> Result<Vec<Stored>, JournalError> {
        Ok(self.readers.facts_after(seq, limit).await?)
    }

    /// Returns the facts about one ping, in order, unverified.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn history(&self, subject: u128) -> Result<Vec<Stored>, JournalError> {
        Ok(self.readers.facts_of(subject).await?)
    }

    /// Returns up to `limit` facts of these kinds after this one, unverified.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn facts_of_kinds(
        &self,
        seq: u64,
        kinds: [u16; 3],
        limit: usize,
    ) -> Result<Vec<Stored>, JournalError> {
        Ok(self.readers.facts_of_kinds(seq, kinds, limit).await?)
    }

    /// Returns the newest fact.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn head(&self) -> Result<Head, JournalError> {
        Ok(self.readers.head().await?)
    }

    /// Returns the bytes of a module.
    ///
    /// # Errors
    /// If the database failed, or the bytes no longer have the digest.
    pub async fn module(&self, digest: Digest) -> Result<Option<Vec<u8>>, JournalError> {
        whole(digest, self.readers.module(digest).await?)
    }

    /// Returns the balance of every account.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn balances(&self) -> Result<Vec<(String, Micros)>, JournalError> {
        Ok(amounts(self.readers.balances().await?))
    }

    /// Lets the database go.
    pub async fn close(self) {
        self.readers.close().await;
    }
}
