//! The one task that writes. It takes what waits, commits it as one transaction, and only then acknowledges.
//!
//! While a commit waits for the disk, the next batch gathers by itself; an idle journal runs no timer. Nobody can cancel
//! the task, so no transaction is left half done.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use metrics::{counter, gauge, histogram};
use tokio::sync::{mpsc, oneshot, watch};

use super::chain::{self, Content};
use super::directory::Directory;
use super::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, ContactChange, DutyChange, Record};
use crate::clock::Moment;
use crate::ids::Digest;
use crate::money::Micros;
use crate::storage::{self, Batch, Duty, DutyKey, EntryRow, Head, Stored};

/// What waits to be written, and who waits for it.
#[derive(Debug)]
pub(super) enum Work {
    Fact(Record, oneshot::Sender<u64>),
    Module(Digest, Vec<u8>, oneshot::Sender<u64>),
    /// Nothing to write: somebody waits for what was given before.
    Mark(oneshot::Sender<u64>),
}

/// The writer's state.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) directory: Directory,
    pub(super) storage: storage::Writer,
    pub(super) queue: mpsc::Receiver<Work>,
    /// Changes when no more work is to be taken.
    pub(super) closing: watch::Receiver<()>,
    pub(super) head: watch::Sender<Head>,
    pub(super) busy: Arc<Busy>,
}

/// Since when the writer has been at its current batch.
#[derive(Debug)]
pub(super) struct Busy {
    start: Instant,
    /// Microseconds after `start`, or 0 between batches.
    since: AtomicU64,
}

impl Busy {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), since: AtomicU64::new(0) }
    }

    /// Returns for how many microseconds the current batch has been under way.
    pub(super) fn micros(&self) -> u64 {
        match self.since.load(Ordering::Relaxed) {
            0 => 0,
            since => self.now().saturating_sub(since),
        }
    }

    fn begin(&self) {
        self.since.store(self.now().max(1), Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Writer {
    /// Writes until the journal is closed and everything that waits is durable.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.next().await {
            self.busy.begin();
            let batch = self.gather(first);
            self.commit(batch).await;
            self.busy.end();
        }
        if let Err(error) = self.directory.sync() {
            tracing::warn!(%error, "the anchor was not synced");
        }
        if let Err(error) = self.storage.close().await {
            tracing::warn!(%error, "the write-ahead log was not moved into the database");
        }
    }

    async fn next(&mut self) -> Option<Work> {
        tokio::select! {
            work = self.queue.recv() => work,
            _ = self.closing.changed() => {
                // Seats that were given out stay good; no new ones are.
                self.queue.close();
                self.queue.recv().await
            }
        }
    }

    /// Takes what else waits, up to a full batch.
    fn gather(&mut self, first: Work) -> Gathered {
        let mut gathered = Gathered::after(*self.head.borrow());
        gathered.take(first);
        while gathered.waiting.len() < BATCH_RECORDS_MAX && gathered.bytes < BATCH_BYTES_MAX {
            let Ok(work) = self.queue.try_recv() else { break };
            gathered.take(work);
        }
        gathered
    }

    async fn commit(&mut self, gathered: Gathered) {
        let begun = Instant::now();
        let (batch, waiting) = gathered.close();
        let (head, records) = (batch.head, batch.facts.len());
        if let Err(error) = self.storage.write(batch).await {
            stop_the_process(&error);
        }
        if let Err(error) = self.directory.set_anchor(head) {
            stop_the_process(&error);
        }
        self.head.send_replace(head);
        histogram!("gavel_journal_commit_seconds").record(begun.elapsed());
        histogram!("gavel_journal_batch_records")
            .record(u32::try_from(records).unwrap_or(u32::MAX));
        gauge!("gavel_journal_queue_records")
            .set(u32::try_from(self.queue.len()).unwrap_or(u32::MAX));
        counter!("gavel_journal_commits_total").increment(1);
        for (waiting, seq) in waiting {
            // Whoever stopped waiting still has the record on disk.
            let _ = waiting.send(seq);
        }
    }
}

/// A batch in the making.
struct Gathered {
    batch: Batch,
    bytes: usize,
    waiting: Vec<(oneshot::Sender<u64>, u64)>,
    moves: HashMap<String, i64>,
    duties: BTreeMap<DutyKey, DutyEnd>,
    contacts: BTreeMap<u128, Option<Vec<u8>>>,
}

/// What the records of one batch make of a duty, taken together.
enum DutyEnd {
    Put(Duty),
    Moved(Moment, u32),
    Done,
}

impl Gathered {
    fn after(head: Head) -> Self {
        Self {
            batch: Batch { head, ..Batch::default() },
            bytes: 0,
            waiting: Vec::new(),
            moves: HashMap::new(),
            duties: BTreeMap::new(),
            contacts: BTreeMap::new(),
        }
    }

    fn take(&mut self, work: Work) {
        match work {
            Work::Fact(record, waiting) => {
                self.record(record);
                self.waiting.push((waiting, self.batch.head.seq));
            }
            Work::Module(digest, wasm, waiting) => {
                self.bytes += wasm.len();
                self.batch.modules.push((digest, wasm));
                self.waiting.push((waiting, self.batch.head.seq));
            }
            Work::Mark(waiting) => self.waiting.push((waiting, self.batch.head.seq)),
        }
    }

    fn record(&mut self, record: Record) {
        let Record { at, subject, kind, payload, entries, duties, contact } = record;
        self.bytes += payload.len();
        let legs = entries.iter().map(|entry| (entry.account.as_str(), entry.amount, entry.code));
        let legs = chain::entries(legs);
        let seq = self.batch.head.seq + 1;
        let content = Content { seq, at, subject, kind, payload: &payload };
        let hash = chain::link(self.batch.head.hash, content, legs);
        self.batch.head = Head { seq, hash };
        self.batch.facts.push(Stored { seq, at, subject, kind, payload, hash });
        for (leg, entry) in (0..).zip(entries) {
            self.move_balance(&entry.account, entry.amount);
            let super::Entry { account, amount, code } = entry;
            self.batch.entries.push(EntryRow { seq, leg, account, amount, code });
        }
        for change in duties {
            self.duty(change);
        }
        match contact {
            None => (),
            Some(ContactChange::Put { subject, sealed }) => {
                self.bytes += sealed.len();
                self.contacts.insert(subject, Some(sealed));
            }
            Some(ContactChange::Drop { subject }) => drop(self.contacts.insert(subject, None)),
        }
    }

    fn move_balance(&mut self, account: &str, amount: Micros) {
        let moved = match self.moves.get(account) {
            None => amount,
            Some(moved) => match Micros::new(*moved).checked_add(amount) {
                Some(sum) => sum,
                None => stop_the_process(&format_args!(
                    "the balance of {account} does not fit into 64 bits"
                )),
            },
        };
        match self.moves.get_mut(account) {
            Some(known) => *known = moved.get(),
            None => drop(self.moves.insert(account.to_owned(), moved.get())),
        }
    }

    fn duty(&mut self, change: DutyChange) {
        match change {
            DutyChange::Add(duty) => {
                self.bytes += duty.payload.len();
                self.duties.insert(duty.key, DutyEnd::Put(duty));
            }
            DutyChange::Done(key) => drop(self.duties.insert(key, DutyEnd::Done)),
            DutyChange::Reschedule { key, due, attempts } => match self.duties.get_mut(&key) {
                Some(DutyEnd::Put(duty)) => (duty.due, duty.attempts) = (due, attempts),
                Some(DutyEnd::Done) => (),
                Some(DutyEnd::Moved(..)) | None => {
                    self.duties.insert(key, DutyEnd::Moved(due, attempts));
                }
            },
        }
    }

    fn close(mut self) -> (Batch, Vec<(oneshot::Sender<u64>, u64)>) {
        let batch = &mut self.batch;
        batch.moves = self.moves.into_iter().filter(|(_, amount)| *amount != 0).collect();
        for (key, end) in self.duties {
            match end {
                DutyEnd::Put(duty) => batch.duties.push(duty),
                DutyEnd::Moved(due, attempts) => batch.rescheduled.push((key, due, attempts)),
                DutyEnd::Done => batch.done.push(key),
            }
        }
        for (subject, sealed) in self.contacts {
            match sealed {
                Some(sealed) => batch.contacts.push((subject, sealed)),
                None => batch.forgotten.push(subject),
            }
        }
        (self.batch, self.waiting)
    }
}

/// Ends the process, because an acknowledgement could no longer be trusted.
///
/// After a failed write or sync nobody knows what is on the disk: Linux marks the pages of a failed sync as clean, so
/// the next sync succeeds although the content is lost. What the memory believes and what the disk holds may differ from
/// here on. The one safe way to go on is to begin again from what the disk gives back, and those who still wait for an
/// acknowledgement must not get one.
#[expect(clippy::print_stderr, reason = "the last words must not depend on a log being set up")]
pub(super) fn stop_the_process(reason: &dyn Display) -> ! {
    tracing::error!(%reason, "the journal cannot go on");
    eprintln!(
        "gavel: the journal cannot go on, so the process stops without another acknowledgement: {reason}"
    );
    std::process::abort()
}
