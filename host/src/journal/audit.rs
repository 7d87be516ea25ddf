//! Reading the journal back, and believing nothing: numbers without a gap, every link of the chain, legs that sum to
//! zero, balances that are the sum of their entries.
//!
//! A link covers the hash that the fact before it has on the disk, so links are compared many at once, on whatever core
//! is free, while pages are read ahead. What depends on everything before it follows in order.
//!
//! What this finds: any change to a fact or its entries, and any fact taken away from the middle or, by the head and the
//! anchor, from the end. What it cannot find is a forger who writes the whole chain anew, with head and anchor, or
//! brings back a complete older copy of the directory: only a hash that was noted elsewhere tells then.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use tokio::task::JoinHandle;

use super::chain::{self, Content};
use crate::ids::Digest;
use crate::storage::{Balance, Extent, Head, Leg, Readers, StorageError, Stored};

/// Facts that are read at once.
const PAGE: u64 = 2_048;
/// Pages that are read at the same time, each over a connection of its own.
const PAGES_AHEAD: usize = 3;

/// How fast everything is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Full,
    /// Resting as long as working: beside work that must not wait.
    Half,
}

/// Where the journal is not what was written, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fact {seq} {fault}")]
pub struct Damage {
    /// The first fact that does not hold.
    pub seq: u64,
    pub fault: Fault,
}

/// What is wrong with a fact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("is missing, though later facts are there")]
    Gap,
    #[error("is missing at the end: the database says that it was written")]
    CutOff,
    #[error("is missing at the end: it was acknowledged, as the file `anchor` says")]
    Unanchored,
    #[error("is not the one that the file `anchor` says was acknowledged")]
    OtherThanAnchored,
    #[error("is not the one that the database says is the newest")]
    OtherThanHead,
    #[error("is newer than the one that the database says is the newest")]
    BeyondHead,
    #[error("or its entries were changed: they do not give its hash")]
    Hash,
    #[error("cannot be read: column `{column}` of table `{table}` is malformed")]
    Column { table: &'static str, column: &'static str },
    #[error("or one soon after it cannot be read: the database file is malformed")]
    Malformed,
    #[error("has entries that sum to {0} millionths instead of zero")]
    Unbalanced(i128),
    #[error(
        "has an entry of `{0}` that does not lead to the account's entry before it: its statement is broken"
    )]
    Previous(String),
    #[error(
        "is the newest, but the balance of `{account}` does not follow from the entries, which sum to {sum} millionths"
    )]
    Balance { account: String, sum: i128 },
}

/// Why reading back ended early.
#[derive(Debug, thiserror::Error)]
pub enum AuditError<E> {
    #[error(transparent)]
    Damaged(#[from] Damage),
    #[error("cannot read on after fact {seq}")]
    Storage { seq: u64, source: StorageError },
    /// Whoever took the facts did not accept one.
    #[error("fact {seq} was read but not accepted")]
    Refused { seq: u64, source: E },
}

/// What reading back found.
#[derive(Debug, Default)]
pub struct Audit {
    head: Head,
    entries: u64,
    accounts: BTreeMap<String, Account>,
}

/// What the entries make of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Account {
    sum: i128,
    newest: u64,
}

impl Audit {
    /// The newest fact that holds.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many legs were read.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// How many accounts they name.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// The sum of all accounts, in millionths: zero, or the ledger does not hold.
    pub fn sum(&self) -> i128 {
        self.accounts.values().map(|account| account.sum).sum()
    }

    /// Takes the next fact, whose link was compared already.
    fn fact(&mut self, fact: &Stored, legs: &[Leg], linked: bool) -> Result<(), Fault> {
        if !linked {
            return Err(Fault::Hash);
        }
        match legs.iter().map(|leg| i128::from(leg.amount.get())).sum() {
            0 => (),
            sum => return Err(Fault::Unbalanced(sum)),
        }
        for leg in legs {
            let account = match self.accounts.get_mut(&leg.account) {
                Some(account) => account,
                None => self.accounts.entry(leg.account.clone()).or_default(),
            };
            if leg.previous != account.newest {
                return Err(Fault::Previous(leg.account.clone()));
            }
            account.sum += i128::from(leg.amount.get());
            account.newest = fact.seq;
            self.entries += 1;
        }
        self.head = Head { seq: fact.seq, hash: fact.hash };
        Ok(())
    }

    fn page(&mut self, Page { facts, linked }: &Page) -> Result<(), Damage> {
        let first = self.head.hash;
        for ((fact, own), linked) in facts.iter().zip(linked) {
            let next = self.head.seq + 1;
            if fact.seq != next {
                return Err(Damage { seq: next, fault: Fault::Gap });
            }
            let linked = linked.unwrap_or_else(|| is_linked(first, fact, own));
            self.fact(fact, own, linked).map_err(|fault| Damage { seq: fact.seq, fault })?;
        }
        Ok(())
    }

    /// Compares the balances that are kept with what the entries say.
    fn balances(&self, kept: &[Balance]) -> Result<(), Damage> {
        let mut kept: BTreeMap<&str, &Balance> =
            kept.iter().map(|balance| (balance.account.as_str(), balance)).collect();
        let fault = |account: &str, sum| {
            let fault = Fault::Balance { account: account.to_owned(), sum };
            Err(Damage { seq: self.head.seq, fault })
        };
        for (account, &Account { sum, newest }) in &self.accounts {
            let holds =
                |kept: &Balance| i128::from(kept.amount.get()) == sum && kept.newest == newest;
            if !kept.remove(account.as_str()).is_some_and(holds) {
                return fault(account, sum);
            }
        }
        kept.first_key_value().map_or(Ok(()), |(account, _)| fault(account, 0))
    }
}

/// Some facts in a row, with their legs.
#[derive(Debug)]
struct Page {
    facts: Vec<(Stored, Vec<Leg>)>,
    /// Whether each fact's hash is that of its content and of the fact before it; unknown of the first, because that is
    /// on another page.
    linked: Vec<Option<bool>>,
}

impl Page {
    async fn read(readers: Readers, after: u64, last: u64) -> Result<Self, StorageError> {
        let facts = readers.facts_with_legs(after, last).await?;
        let mut before = None;
        let linked = facts.iter().map(|(fact, own)| {
            let before = before.replace(fact.hash)?;
            Some(is_linked(before, fact, own))
        });
        let linked = linked.collect();
        Ok(Self { facts, linked })
    }
}

fn is_linked(before: Digest, fact: &Stored, legs: &[Leg]) -> bool {
    let Stored { seq, at, subject, kind, ref payload, hash } = *fact;
    let legs = legs.iter().map(|leg| (leg.account.as_str(), leg.amount, leg.code.as_str()));
    let content = Content { seq, at, subject, kind, payload };
    chain::link(before, content, chain::entries(legs)) == hash
}

/// Pages on their way, in order.
struct Ahead {
    readers: Readers,
    pages: VecDeque<JoinHandle<Result<Page, StorageError>>>,
    /// The last fact that is on its way.
    end: u64,
    head: u64,
    most: usize,
}

impl Ahead {
    /// Returns the next page, and sends for the one after those that are on their way.
    async fn next(&mut self) -> Result<Option<Page>, StorageError> {
        while self.pages.len() < self.most && self.end < self.head {
            let last = self.end.saturating_add(PAGE).min(self.head);
            let page = Page::read(self.readers.clone(), self.end, last);
            self.pages.push_back(tokio::spawn(page));
            self.end = last;
        }
        let Some(page) = self.pages.pop_front() else { return Ok(None) };
        match page.await {
            Ok(page) => page.map(Some),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.pages.iter().for_each(JoinHandle::abort);
    }
}

/// Reads every fact up to `head`, gives each to `each` with its legs once it is known to hold, and returns what was found.
pub(super) async fn read_all<E>(
    readers: &Readers,
    anchor: Option<Head>,
    pace: Pace,
    mut each: impl FnMut(Stored, &[Leg]) -> Result<(), E>,
) -> Result<Audit, AuditError<E>> {
    let mut audit = Audit::default();
    let Extent { head, facts_end, balances } =
        readers.extent().await.map_err(|error| sort(0, error))?;
    let most = if pace == Pace::Full { PAGES_AHEAD } else { 1 };
    let (readers, pages) = (readers.clone(), VecDeque::new());
    let mut ahead = Ahead { readers, pages, end: 0, head: head.seq, most };
    loop {
        let (begun, after) = (Instant::now(), audit.head.seq);
        let page = ahead.next().await.map_err(|error| sort(after, error))?;
        let Some(page) = page else { break };
        audit.page(&page)?;
        let last = audit.head.seq;
        if last < after.saturating_add(PAGE).min(head.seq) {
            let fault = if facts_end > last { Fault::Gap } else { Fault::CutOff };
            return Err(Damage { seq: last + 1, fault }.into());
        }
        if let Some(anchor) = anchor.filter(|anchor| anchor.seq > after && anchor.seq <= last) {
            let anchored = page.facts.iter().find(|(fact, _)| fact.seq == anchor.seq);
            if anchored.is_none_or(|(fact, _)| fact.hash != anchor.hash) {
                return Err(Damage { seq: anchor.seq, fault: Fault::OtherThanAnchored }.into());
            }
        }
        for (fact, own) in page.facts {
            let seq = fact.seq;
            each(fact, &own).map_err(|source| AuditError::Refused { seq, source })?;
        }
        if pace == Pace::Half {
            tokio::time::sleep(begun.elapsed()).await;
        }
    }
    if audit.head != head {
        return Err(Damage { seq: head.seq, fault: Fault::OtherThanHead }.into());
    }
    if facts_end > head.seq {
        return Err(Damage { seq: head.seq + 1, fault: Fault::BeyondHead }.into());
    }
    if anchor.is_some_and(|anchor| anchor.seq > head.seq) {
        return Err(Damage { seq: head.seq + 1, fault: Fault::Unanchored }.into());
    }
    audit.balances(&balances)?;
    Ok(audit)
}

/// A row that cannot be read is damage; anything else is the database's own fault.
fn sort<E>(after: u64, error: StorageError) -> AuditError<E> {
    match error {
        StorageError::Row { table, seq, column } => {
            Damage { seq, fault: Fault::Column { table, column } }.into()
        }
        error if error.is_damage() => Damage { seq: after + 1, fault: Fault::Malformed }.into(),
        source => AuditError::Storage { seq: after, source },
    }
}
