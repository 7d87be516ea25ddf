//! The durable facts: what happened, what it meant in money, and what is still to be done, committed together.
//!
//! - Nothing is acknowledged before it is on the disk. One task writes; what waits meanwhile is the next batch.
//! - The order of [`Seat::fill`] calls is the order of the journal: whoever holds a lock while filling decides it.
//! - The legs of every record sum to zero. One that does not is never written; it stops the process.
//! - Facts carry numbers without gaps and a hash chain, so damage is found and refused, never skipped.
//! - After a failed write or sync the process stops: see [`writer::stop_the_process`].
//! - Contact data is not part of any fact, so forgetting a person leaves the chain whole.

mod audit;
mod backup;
mod chain;
mod contacts;
mod directory;
mod payload;
mod disk;
mod place;
mod reading;
mod record;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use self::audit::Pace;
use self::directory::Directory;
use self::payload::Payload;
use self::writer::{Busy, Work, Writer};
use crate::ids::Digest;
use crate::money::Micros;
use crate::storage::{self, Balance, Database, Extent, Reach, Readers, StorageError};

pub use self::audit::{Audit, AuditError, Damage, Fault};
pub use self::backup::{BackedUp, BackupError, back_up};
pub use self::directory::DirectoryError;
pub use self::disk::FreeSpace;
pub use self::place::Place;
pub use self::reading::Reading;
pub use self::record::{ContactChange, DutyChange, Entry, Record};
pub use crate::storage::{
    Accepted, ContactRow, Duty, DutyKey, Head, Leg, Line, PersonRow, Stored, Url,
};

/// The most records in one transaction.
pub const BATCH_RECORDS_MAX: usize = 256;
/// A transaction with this much content takes no further record.
pub const BATCH_BYTES_MAX: usize = 1 << 20;
/// Records that may wait: one batch that gathers while another is written, twice.
pub const QUEUE_RECORDS_MAX: usize = 2 * BATCH_RECORDS_MAX;
/// A batch that takes longer than this makes [`Journal::try_seat`] refuse: the disk is too slow for new work.
pub const COMMIT_MICROS_MAX: u64 = 50_000;

/// Returns the link that a fact with these legs has in the chain after another, as the journal's own check computes it.
pub fn link(before: Digest, fact: &Stored, legs: &[Entry]) -> Digest {
    let Stored { seq, at, subject, kind, payload, .. } = fact;
    let content = chain::Content { seq: *seq, at: *at, subject: *subject, kind: *kind, payload };
    let legs = legs.iter().map(|leg| (leg.account.as_str(), leg.amount, leg.code));
    chain::link(before, content, chain::entries(legs))
}

/// Why a journal cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The facts hold, but what is derived from them to find them faster does not.
    #[error("the database is malformed: {0}")]
    Malformed(String),
    #[error("module {0} is damaged: its bytes have another digest")]
    Module(Digest),
}

/// The journal takes no more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is closed")]
pub struct Closed;

/// Why there is no seat right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("the journal's queue is full")]
    Queue,
    #[error("the disk is too slow for more")]
    Disk,
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// A journal that is open, locked for this process, and not yet written to.
#[derive(Debug)]
pub struct Opened {
    directory: Directory,
    storage: storage::Writer,
    database: Database,
    accepted: Accepted,
    readers: Readers,
    head: Head,
    anchor: Option<Head>,
    balances: Vec<Balance>,
}

impl Opened {
    /// Reads every fact in order, gives each to `each` once it is known to hold, and says what was found.
    ///
    /// # Errors
    /// [`AuditError::Damaged`] names the first fact that does not hold; nothing after it was given to `each`.
    pub async fn recover<E>(
        &mut self,
        mut each: impl FnMut(Stored) -> Result<(), E>,
    ) -> Result<Audit, AuditError<E>> {
        audit::read_all(&self.readers, self.anchor, Pace::Full, |fact, _| each(fact)).await
    }

    /// Returns what is still to be done, oldest subject first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn duties(&self) -> Result<Vec<Duty>, JournalError> {
        Ok(self.readers.duties().await?)
    }

    /// Starts the task that writes.
    ///
    /// # Errors
    /// If the anchor cannot be written.
    pub fn start(self) -> Result<Journal, JournalError> {
        let Self { directory, storage, database, accepted, readers, head, balances, .. } = self;
        directory.raise_anchor(head)?;
        let (sender, queue) = mpsc::channel(QUEUE_RECORDS_MAX);
        let (close, closing) = watch::channel(());
        let (head_sender, head) = watch::channel(head);
        let busy = Arc::new(Busy::new());
        let newest =
            balances.into_iter().map(|balance| (balance.account, balance.newest)).collect();
        let writer = Writer {
            directory,
            storage,
            queue,
            closing,
            head: head_sender,
            busy: Arc::clone(&busy),
            newest,
        };
        let task = Mutex::new(Some(tokio::spawn(writer.run())));
        let inner = Inner { sender, close, head, busy, database, accepted, readers, task };
        Ok(Journal(Arc::new(inner)))
    }
}

/// An open journal. Clones are the same journal.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sender: mpsc::Sender<Work>,
    close: watch::Sender<()>,
    head: watch::Receiver<Head>,
    busy: Arc<Busy>,
    database: Database,
    accepted: Accepted,
    readers: Readers,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal at a place, or begins one there, for this process alone.
    ///
    /// # Errors
    /// If another process has it, it is not durable here, it is newer than this program, or its end is missing.
    pub async fn open(place: impl Into<Place>) -> Result<Opened, JournalError> {
        let Place { directory, database, accepted } = place.into();
        let directory = Directory::take(&directory)?;
        let anchor = directory.anchor()?;
        let database = directory.database(database)?;
        let storage = storage::Writer::open(&database, &accepted).await?;
        let readers = Readers::open(&database, &accepted, Reach::Primary).await?;
        let Extent { head, balances, .. } = readers.extent().await?;
        if anchor.is_some_and(|anchor| anchor.seq > head.seq) {
            return Err(Damage { seq: head.seq + 1, fault: Fault::Unanchored }.into());
        }
        Ok(Opened { directory, storage, database, accepted, readers, head, anchor, balances })
    }

    /// Waits for room for one record.
    ///
    /// # Errors
    /// If the journal was closed.
    pub async fn seat(&self) -> Result<Seat, Closed> {
        let permit = self.0.sender.clone().reserve_owned().await;
        permit.map(Seat).map_err(|_| Closed)
    }

    /// Returns room for one record if there is some now: for work that is better refused than kept waiting.
    ///
    /// # Errors
    /// If the queue is full, the disk is stuck, or the journal was closed.
    pub fn try_seat(&self) -> Result<Seat, Full> {
        if self.0.busy.micros() > COMMIT_MICROS_MAX {
            return Err(Full::Disk);
        }
        self.0.sender.clone().try_reserve_owned().map(Seat).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Full::Queue,
            mpsc::error::TrySendError::Closed(_) => Full::Closed(Closed),
        })
    }

    /// Returns for how long the batch that is being written has been under way; zero if there is none.
    pub fn lag(&self) -> Duration {
        Duration::from_micros(self.0.busy.micros())
    }

    /// Returns the newest durable fact.
    pub fn head(&self) -> Head {
        *self.0.head.borrow()
    }

    /// Waits until the fact with this number is durable.
    ///
    /// # Errors
    /// If the journal was closed before.
    pub async fn reached(&self, seq: u64) -> Result<(), Closed> {
        let mut head = self.0.head.clone();
        head.wait_for(|head| head.seq >= seq).await.map(drop).map_err(|_| Closed)
    }

    /// Returns the facts about one ping, in order.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn history(&self, subject: u128) -> Result<Vec<Stored>, JournalError> {
        Ok(self.0.readers.facts_of(subject).await?)
    }

    /// Returns up to `limit` facts after this one, in order.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn read(&self, after_seq: u64, limit: usize) -> Result<Vec<Stored>, JournalError> {
        Ok(self.0.readers.facts_after(after_seq, limit).await?)
    }

    /// Returns the journal for whoever reads at length and writes nothing.
    pub fn reading(&self) -> Reading {
        Reading::beside(self.0.readers.clone())
    }

    /// Reads everything again beside the writer, at half speed, and says what was found.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] or [`JournalError::Malformed`] if it does not hold; the others say why it cannot be
    /// read.
    pub async fn prove(&self) -> Result<Audit, JournalError> {
        // Over connections of its own: others have pages in memory that may be another on the disk by now.
        let readers = Readers::open(&self.0.database, &self.0.accepted, Reach::Primary).await?;
        let reading = Reading::beside(readers);
        let audit = reading.verify_at(Pace::Half).await;
        reading.close().await;
        audit
    }

    /// Returns every account that ever moved with its balance, by name; debits are above zero.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn balances(&self) -> Result<Vec<(String, Micros)>, JournalError> {
        Ok(amounts(self.0.readers.balances().await?))
    }

    /// Returns the newest lines of an account's statement, newest first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn statement(&self, account: &str, limit: usize) -> Result<Vec<Line>, JournalError> {
        Ok(self.0.readers.statement(account, limit).await?)
    }

    /// Waits until every record that was filled before is durable.
    ///
    /// # Errors
    /// If the journal was closed.
    pub async fn settled(&self) -> Result<(), Closed> {
        let (sender, receiver) = oneshot::channel();
        self.seat().await?.0.send(Work::Mark(sender));
        receiver.await.map(drop).map_err(|_| Closed)
    }

    /// Keeps a component under its digest. Durable when it returns, before any record that is filled later.
    ///
    /// # Errors
    /// If the journal was closed.
    pub async fn put_module(&self, digest: Digest, wasm: Vec<u8>) -> Result<(), Closed> {
        let (sender, receiver) = oneshot::channel();
        self.seat().await?.0.send(Work::Module(digest, wasm, sender));
        receiver.await.map(drop).map_err(|_| Closed)
    }

    /// Returns the component with this digest.
    ///
    /// # Errors
    /// If the database failed, or the bytes no longer have the digest.
    pub async fn module(&self, digest: Digest) -> Result<Option<Vec<u8>>, JournalError> {
        whole(digest, self.0.readers.module(digest).await?)
    }

    /// Takes no new seats, waits until every seat given out is filled or dropped and everything is durable, and closes
    /// the database. Every clone is closed with it.
    pub async fn close(self) {
        self.0.close.send_replace(());
        let task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = match task {
            Some(task) => Some(task.await),
            None => None,
        } {
            tracing::error!(%error, "the journal's writer ended early");
        }
        self.0.readers.close().await;
    }
}

/// Room for one record.
#[derive(Debug)]
pub struct Seat(mpsc::OwnedPermit<Work>);

impl Seat {
    /// Puts the record at the end of the journal. From here on it will be written, whether or not anybody waits.
    ///
    /// Legs that do not sum to zero are a fault of ours: the process stops, and the record is not written.
    pub fn fill(self, record: Record) -> Committed {
        balanced(&record);
        let (sender, receiver) = oneshot::channel();
        let before = Vec::new();
        self.0.send(Work::Fact { before, record, payload: None, waiting: sender });
        Committed { durable: receiver, payload: None }
    }
}

/// Legs that do not sum to zero are a fault of ours: the process stops.
fn balanced(record: &Record) {
    match record.imbalance() {
        0 => (),
        sum => writer::stop_the_process(&format_args!(
            "the legs of a record of kind {} sum to {sum} millionths: {:?}",
            record.kind, record.entries
        )),
    }
}

/// A record on its way to the disk.
#[derive(Debug)]
#[must_use = "nothing may be answered before the record is durable"]
pub struct Committed {
    durable: oneshot::Receiver<u64>,
    payload: Option<Arc<Payload>>,
}

impl Committed {
    /// Waits until the record is durable and returns its number; of linked records, the last one's.
    ///
    /// # Errors
    /// If the journal ended first; then it is unknown whether the record was written.
    pub async fn wait(self) -> Result<u64, Closed> {
        if let Some(payload) = self.payload {
            payload.write();
        }
        self.durable.await.map_err(|_| Closed)
    }
}

/// What callers need to know of balances.
fn amounts(balances: Vec<Balance>) -> Vec<(String, Micros)> {
    balances.into_iter().map(|balance| (balance.account, balance.amount)).collect()
}

/// Lets a module through only if its bytes still have their digest.
fn whole(digest: Digest, wasm: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, JournalError> {
    match wasm {
        Some(wasm) if Digest::of(&wasm) != digest => Err(JournalError::Module(digest)),
        wasm => Ok(wasm),
    }
}
