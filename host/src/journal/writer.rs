//! The one task that writes. It takes what waits, commits it as one transaction, and only then acknowledges.
//!
//! While a commit waits for the disk, the next batch is gathered and its links are computed; an idle journal runs no
//! timer. Nobody can cancel the task, so no transaction is left half done.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use metrics::{counter, gauge, histogram};
use tokio::sync::{mpsc, oneshot, watch};

use super::chain::{self, Content};
use super::contacts::ContactChanges;
use super::directory::Directory;
use super::payload::Payload;
use super::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, DutyChange, Entry, Record};
use crate::clock::Moment;
use crate::ids::Digest;
use crate::money::Micros;
use crate::storage::{self, Balance, Batch, Duty, DutyKey, Entries, Head, Stored};

/// What waits to be written, and who waits for it.
#[derive(Debug)]
pub(super) enum Work {
    /// With what writes the payload, if it is not in the record, and what belongs into the same transaction before it.
    Fact {
        before: Vec<Record>,
        record: Record,
        payload: Option<Arc<Payload>>,
        waiting: oneshot::Sender<u64>,
    },
    Module(Digest, Vec<u8>, oneshot::Sender<u64>),
    /// What was forgotten before is to be overwritten in the log too; whether that could be done.
    Overwrite(oneshot::Sender<bool>),
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
    /// The newest fact that moved each account.
    pub(super) newest: Newest,
}

/// The newest fact that moved each account, by the account.
pub(super) type Newest = HashMap<String, u64>;

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
        let mut gathered = Gathered::after(*self.head.borrow());
        loop {
            if gathered.is_empty() {
                let Some(first) = self.next().await else { break };
                gathered.take(first, &self.newest);
            }
            self.busy.begin();
            gathered = self.write(gathered).await;
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

    /// Takes what else waits, up to a full batch, writes it, and returns what was gathered meanwhile.
    async fn write(&mut self, mut gathered: Gathered) -> Gathered {
        while gathered.has_room() {
            let Ok(work) = self.queue.try_recv() else { break };
            gathered.take(work, &self.newest);
        }
        let (batch, waiting, scrubs) = gathered.close();
        for Balance { account, newest, .. } in &batch.moves {
            match self.newest.get_mut(account) {
                Some(known) => *known = *newest,
                None => drop(self.newest.insert(account.clone(), *newest)),
            }
        }
        let mut gathered = Gathered::after(batch.head);
        let begun = Instant::now();
        let written = {
            let mut writing = pin!(self.storage.write(&batch));
            let mut open = true;
            loop {
                tokio::select! {
                    biased;
                    written = &mut writing => break written,
                    // Seats that were given out stay good; no new ones are.
                    _ = self.closing.changed() => self.queue.close(),
                    work = self.queue.recv(), if open && gathered.has_room() => match work {
                        Some(work) => gathered.take(work, &self.newest),
                        None => open = false,
                    },
                }
            }
        };
        if let Err(error) = written {
            stop_the_process(&error.told());
        }
        self.acknowledge(batch.head, batch.facts.len(), waiting, begun);
        if !scrubs.is_empty() {
            self.scrub(scrubs).await;
        }
        gathered
    }

    async fn scrub(&mut self, waiting: Scrubs) {
        match self.storage.empty_log().await {
            Ok(scrubbed) => waiting.into_iter().for_each(|waiting| {
                let _ = waiting.send(scrubbed);
            }),
            Err(error) => stop_the_process(&error.told()),
        }
    }

    /// Says of what is durable now that it is.
    fn acknowledge(&self, head: Head, records: usize, waiting: Waiting, begun: Instant) {
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

/// Who waits for which record.
type Waiting = Vec<(oneshot::Sender<u64>, u64)>;
/// Who waits for the log to be emptied.
type Scrubs = Vec<oneshot::Sender<bool>>;

/// A batch in the making.
struct Gathered {
    batch: Batch,
    bytes: usize,
    waiting: Waiting,
    scrubs: Scrubs,
    moves: BTreeMap<String, Balance>,
    duties: BTreeMap<DutyKey, DutyEnd>,
    contacts: ContactChanges,
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
            scrubs: Vec::new(),
            moves: BTreeMap::new(),
            duties: BTreeMap::new(),
            contacts: ContactChanges::default(),
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.scrubs.is_empty()
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < BATCH_RECORDS_MAX && self.bytes < BATCH_BYTES_MAX
    }

    /// Adds what waits; `newest` is what moved each account before this batch.
    fn take(&mut self, work: Work, newest: &Newest) {
        match work {
            Work::Fact { before, mut record, payload, waiting } => {
                before.into_iter().for_each(|record| self.record(record, newest));
                if let Some(payload) = payload {
                    record.payload = payload.take();
                }
                self.record(record, newest);
                self.waiting.push((waiting, self.batch.head.seq));
            }
            Work::Module(digest, wasm, waiting) => {
                self.bytes += wasm.len();
                self.batch.modules.push((digest, wasm));
                self.waiting.push((waiting, self.batch.head.seq));
            }
            Work::Overwrite(waiting) => self.scrubs.push(waiting),
            Work::Mark(waiting) => self.waiting.push((waiting, self.batch.head.seq)),
        }
    }

    fn record(&mut self, record: Record, newest: &Newest) {
        let Record { at, subject, kind, payload, entries, duties, contact } = record;
        self.bytes += payload.len();
        let legs = entries.iter().map(|entry| (entry.account.as_str(), entry.amount, entry.code));
        let legs = chain::entries(legs);
        let seq = self.batch.head.seq + 1;
        let content = Content { seq, at, subject, kind, payload: &payload };
        let hash = chain::link(self.batch.head.hash, content, legs);
        self.batch.head = Head { seq, hash };
        let mut legs = Entries::default();
        for Entry { account, amount, code } in &entries {
            let previous = self.move_account(account, *amount, seq, newest);
            legs.push(account, *amount, code, previous);
        }
        self.batch.facts.push((Stored { seq, at, subject, kind, payload, hash }, legs));
        for change in duties {
            self.duty(change);
        }
        if let Some(change) = contact {
            self.bytes += self.contacts.take(change);
        }
    }

    /// Moves the account, and returns the fact that moved it last.
    fn move_account(&mut self, account: &str, amount: Micros, seq: u64, newest: &Newest) -> u64 {
        let balance = match self.moves.get_mut(account) {
            Some(balance) => balance,
            None => {
                let newest = newest.get(account).copied().unwrap_or(0);
                let account = account.to_owned();
                let unmoved = Balance { account: account.clone(), amount: Micros::ZERO, newest };
                self.moves.entry(account).or_insert(unmoved)
            }
        };
        let Some(sum) = balance.amount.checked_add(amount) else {
            stop_the_process(&format_args!("the balance of {account} does not fit into 64 bits"))
        };
        balance.amount = sum;
        std::mem::replace(&mut balance.newest, seq)
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

    fn close(mut self) -> (Batch, Waiting, Scrubs) {
        let batch = &mut self.batch;
        batch.moves = self.moves.into_values().collect();
        for (key, end) in self.duties {
            match end {
                DutyEnd::Put(duty) => batch.duties.push(duty),
                DutyEnd::Moved(due, attempts) => batch.rescheduled.push((key, due, attempts)),
                DutyEnd::Done => batch.done.push(key),
            }
        }
        self.contacts.close(batch);
        (self.batch, self.waiting, self.scrubs)
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
        "gavel: the journal cannot go on, so the process stops without another acknowledgement: {reason}\n\
         gavel: everything that it acknowledged is on the disk; put right what failed, such as space that ran out, and start it again"
    );
    std::process::abort()
}
