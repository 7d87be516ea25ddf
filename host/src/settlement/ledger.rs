//! The ledger in memory: every account's balance, and the chain of every buyer's and source's statement.
//!
//! It is the fold of all entries, kept beside the book and compared with it at every fact that moves money. What differs
//! is a [`Discrepancy`]: a fault of ours, after which no money may move.
//!
//! A statement's chain is plain enough to be recomputed with a SHA-256 and what the counterparty noted itself. Amounts
//! are the counterparty's: what it gets is above zero.
//!
//! ```text
//! chain(0) = SHA-256( "gavel statement 1" LF account LF )
//! chain(n) = SHA-256( chain(n-1) ‖ code TAB reference TAB amount TAB balance LF )
//!
//! chain      32 bytes
//! account    such as buyer:acme:prepaid
//! code       deposit, sale, lead-fee, percent-fee, return, lead-fee-return, percent-fee-return, withdrawal, payout,
//!            correction, write-off
//! reference  of sales and returns the lead's id, of everything else the reference that it was booked under
//! amount     at least two digits after the point, more only where they are not zero: 12.50, -0.125
//! balance    after the line
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{entries, payable, prepaid};
use crate::book::{Stage, State};
use crate::clock::Moment;
use crate::facts::{Delivered, Ended, Fact, ShipmentResent, Winner};
use crate::ids::{Digest, PingId};
use crate::journal::{Entry, Leg};
use crate::money::{AccountName, Micros};

/// Where the accounts do not agree with what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    #[error("fact {seq} has legs that sum to {sum} millionths instead of zero")]
    Unbalanced { seq: u64, sum: i128 },
    #[error("fact {seq} of kind {kind} means `{expected}`, but its entries are `{found}`")]
    Entries { seq: u64, kind: &'static str, expected: String, found: String },
    #[error("fact {seq} sells copy {copy} of {ping}, for which no money is held")]
    NotHeld { seq: u64, ping: PingId, copy: u32 },
    #[error("fact {seq} sells copy {copy} of {ping} for {price}, but {held} is held for it")]
    OtherThanHeld { seq: u64, ping: PingId, copy: u32, price: Micros, held: Micros },
    #[error("fact {seq} sends copy {copy} of {ping} again, which was not given up at that price")]
    NotGivenUp { seq: u64, ping: PingId, copy: u32 },
    #[error("after fact {seq} `{account}` has {ledger} in the ledger and {book} in the book")]
    Balance { seq: u64, account: String, ledger: Micros, book: Micros },
    #[error("after fact {seq} buyer `{buyer}` has {held} held, and its open holds sum to {holds}")]
    Held { seq: u64, buyer: String, held: Micros, holds: Micros },
    #[error("fact {seq} takes `{account}` beyond the largest amount")]
    Overflow { seq: u64, account: String },
    #[error("after fact {seq} all accounts together have {sum} millionths instead of zero")]
    Sum { seq: u64, sum: i128 },
}

/// A place on a statement's chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The fact of the last line, 0 before the first.
    pub seq: u64,
    /// The time of the last line. It never goes back, whatever the machine's clock did.
    pub at: Moment,
    /// How many lines there are.
    pub lines: u64,
    /// The counterparty's balance after the last line.
    pub balance: Micros,
    /// The chain's hash after the last line.
    pub chain: Digest,
}

impl Point {
    /// Returns the beginning of an account's chain.
    pub fn beginning(account: &str) -> Self {
        let chain = Digest::of(format!("gavel statement 1\n{account}\n").as_bytes());
        Self { chain, ..Self::default() }
    }

    /// Returns the place after one more line, whose amount is the counterparty's; nothing if the balance does not fit.
    pub fn after(&self, line: &Step<'_>) -> Option<Self> {
        let balance = self.balance.checked_add(line.amount)?;
        let mut text = String::with_capacity(96);
        // Writing to a text does not fail.
        let _ = writeln!(text, "{}\t{}\t{}\t{balance}", line.code, line.reference, line.amount);
        let mut hash = Sha256::new();
        hash.update(self.chain.as_bytes());
        hash.update(text.as_bytes());
        Some(Self {
            seq: line.seq,
            at: self.at.max(line.at),
            lines: self.lines.saturating_add(1),
            balance,
            chain: Digest::from_bytes(hash.finalize().into()),
        })
    }
}

/// One line on its way onto a statement.
#[derive(Clone, Copy, Debug)]
pub struct Step<'l> {
    pub seq: u64,
    pub at: Moment,
    pub code: &'l str,
    pub reference: &'l str,
    /// The counterparty's: what it gets is above zero.
    pub amount: Micros,
}

/// One account.
#[derive(Clone, Debug, Default)]
struct Trail {
    balance: Micros,
    debits: i128,
    credits: i128,
    /// The newest place on the statement's chain; only buyers and sources have statements.
    newest: Option<Point>,
    /// The last place of every day in UTC but the newest.
    days: Vec<Point>,
}

/// What a table of accounts shows of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLine {
    pub account: String,
    /// All debits, in millionths.
    pub debits: i128,
    /// All credits, in millionths, above zero.
    pub credits: i128,
    /// Above zero is a debit.
    pub balance: Micros,
    /// The newest place on the statement's chain, of buyers and sources.
    pub newest: Option<Point>,
}

/// All accounts after all facts so far.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    seq: u64,
    entries: u64,
    accounts: HashMap<String, Trail>,
}

impl Ledger {
    /// Returns the number of the newest fact.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns how many entries there are.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Returns an account's balance; above zero is a debit.
    pub fn balance(&self, account: &str) -> Micros {
        self.accounts.get(account).map(|trail| trail.balance).unwrap_or_default()
    }

    /// Returns every account that ever moved, by name.
    pub fn accounts(&self) -> Vec<AccountLine> {
        let sorted: BTreeMap<&String, &Trail> = self.accounts.iter().collect();
        let line = |(account, trail): (&String, &Trail)| AccountLine {
            account: account.clone(),
            debits: trail.debits,
            credits: trail.credits,
            balance: trail.balance,
            newest: trail.newest,
        };
        sorted.into_iter().map(line).collect()
    }

    /// Returns the sum of all accounts in millionths.
    pub fn sum(&self) -> i128 {
        self.accounts.values().map(|trail| i128::from(trail.balance.get())).sum()
    }

    /// Returns the last known place of an account's chain before a moment, and the newest.
    pub fn before(&self, account: &str, moment: Moment) -> (Point, Point) {
        let beginning = Point::beginning(account);
        let Some(trail) = self.accounts.get(account) else { return (beginning, beginning) };
        let before = trail.days.partition_point(|point| point.at < moment).checked_sub(1);
        let start = before.and_then(|index| trail.days.get(index)).copied().unwrap_or(beginning);
        (start, trail.newest.unwrap_or(beginning))
    }

    /// Says whether the legs can be taken: whether every balance stays below the largest amount.
    ///
    /// # Errors
    ///
    /// The account that would not.
    pub fn fits(&self, legs: &[Entry]) -> Result<(), String> {
        let beyond = |leg: &&Entry| self.balance(&leg.account).checked_add(leg.amount).is_none();
        legs.iter().find(beyond).map_or(Ok(()), |leg| Err(leg.account.clone()))
    }

    /// Takes the next fact with its legs.
    ///
    /// # Errors
    ///
    /// A [`Discrepancy`] if they do not sum to zero, or do not fit.
    pub fn take(&mut self, at: Moment, fact: &Fact, legs: &[Entry]) -> Result<(), Discrepancy> {
        self.seq = self.seq.saturating_add(1);
        let seq = self.seq;
        if legs.is_empty() {
            return Ok(());
        }
        match legs.iter().map(|leg| i128::from(leg.amount.get())).sum() {
            0 => (),
            sum => return Err(Discrepancy::Unbalanced { seq, sum }),
        }
        let reference = reference(fact);
        for leg in legs {
            self.entries = self.entries.saturating_add(1);
            let overflow = || Discrepancy::Overflow { seq, account: leg.account.clone() };
            let trail = match self.accounts.get_mut(&leg.account) {
                Some(trail) => trail,
                None => {
                    let newest = has_statement(&leg.account);
                    let newest = newest.then(|| Point::beginning(&leg.account));
                    let trail = Trail { newest, ..Trail::default() };
                    self.accounts.entry(leg.account.clone()).or_insert(trail)
                }
            };
            trail.balance = trail.balance.checked_add(leg.amount).ok_or_else(overflow)?;
            match i128::from(leg.amount.get()) {
                amount if amount > 0 => trail.debits += amount,
                amount => trail.credits -= amount,
            }
            if let Some(newest) = trail.newest {
                let amount = Micros::ZERO.checked_sub(leg.amount).ok_or_else(overflow)?;
                let step = Step { seq, at, code: leg.code, reference: &reference, amount };
                let next = newest.after(&step).ok_or_else(overflow)?;
                if newest.lines > 0 && next.at.day() > newest.at.day() {
                    trail.days.push(newest);
                }
                trail.newest = Some(next);
            }
        }
        Ok(())
    }

    /// Compares the accounts that the legs moved with the book, once the book has taken the fact too.
    ///
    /// # Errors
    ///
    /// A [`Discrepancy`] if they differ.
    pub fn agrees(&self, book: &State, legs: &[Entry]) -> Result<(), Discrepancy> {
        legs.iter().try_for_each(|leg| self.agrees_on(book, &leg.account))
    }

    fn agrees_on(&self, book: &State, account: &str) -> Result<(), Discrepancy> {
        let in_book = match AccountName::parse(account) {
            Ok(AccountName::Prepaid(buyer)) => {
                let account = book.account(&buyer);
                if account.held.is_negative() {
                    let (held, holds) = (account.held, Micros::ZERO);
                    return Err(Discrepancy::Held { seq: self.seq, buyer, held, holds });
                }
                account.balance
            }
            Ok(AccountName::Payable(source)) => book.owed(&source),
            Ok(_) | Err(_) => return Ok(()),
        };
        let ledger = Micros::ZERO.checked_sub(self.balance(account)).unwrap_or_default();
        if ledger == in_book {
            return Ok(());
        }
        let account = account.to_owned();
        Err(Discrepancy::Balance { seq: self.seq, account, ledger, book: in_book })
    }

    /// Compares everything with the book: every account, every buyer's holds, and all accounts with zero.
    ///
    /// # Errors
    ///
    /// The first [`Discrepancy`].
    pub fn agrees_wholly(&self, book: &State) -> Result<(), Discrepancy> {
        match self.sum() {
            0 => (),
            sum => return Err(Discrepancy::Sum { seq: self.seq, sum }),
        }
        for account in self.accounts.keys() {
            self.agrees_on(book, account)?;
        }
        let holds = book.holds();
        for (buyer, account) in book.accounts() {
            let holds = holds.get(buyer).copied().unwrap_or_default();
            if holds != account.held {
                let (buyer, held) = (buyer.to_owned(), account.held);
                return Err(Discrepancy::Held { seq: self.seq, buyer, held, holds });
            }
            self.agrees_on(book, &prepaid(buyer))?;
        }
        for source in book.sources_owed() {
            self.agrees_on(book, &payable(source))?;
        }
        Ok(())
    }
}

/// Says whether the book, before it takes a sale, holds exactly its price with the buyer's fees for it; and before it
/// holds money anew for a copy that is sent again, whether the copy was given up at that price.
///
/// # Errors
///
/// A [`Discrepancy`] if not: the copy is settled already, or another price was fixed.
pub fn backed(book: &State, seq: u64, fact: &Fact) -> Result<(), Discrepancy> {
    let sale = match fact {
        Fact::Delivered(sale @ Delivered { ended: Ended::Sold, .. }) => sale,
        Fact::ShipmentResent(resent) => return given_up(book, seq, resent),
        _ => return Ok(()),
    };
    let (ping, copy) = (PingId::from_u128(sale.ping), sale.copy);
    let held = book.open_ping(ping).and_then(|open| {
        let copy = open.copies.get(usize::try_from(copy).ok()?)?;
        let held = copy.stage == Stage::Held && !open.auction.test;
        Some(open.winner(copy).filter(|_| held)?.due())
    });
    let held = held.ok_or(Discrepancy::NotHeld { seq, ping, copy })?;
    let price = sale.due();
    if price == held {
        return Ok(());
    }
    Err(Discrepancy::OtherThanHeld { seq, ping, copy, price, held })
}

fn given_up(book: &State, seq: u64, resent: &ShipmentResent) -> Result<(), Discrepancy> {
    let Some(held) = &resent.held else { return Ok(()) };
    let (ping, copy) = (PingId::from_u128(resent.ping), resent.copy);
    let before = book.given_up((ping, copy)).and_then(|(open, copy)| open.winner(copy));
    // It counts for the caps of its own time.
    let same =
        before.is_some_and(|before| Winner { counted: held.counted, ..before.clone() } == *held);
    if same { Ok(()) } else { Err(Discrepancy::NotGivenUp { seq, ping, copy }) }
}

/// Compares the entries that lie in the ledger with what their fact means.
///
/// # Errors
///
/// A [`Discrepancy`] if the fact means others, fewer, or more.
pub fn meant(seq: u64, fact: &Fact, found: &[Leg]) -> Result<Vec<Entry>, Discrepancy> {
    let legs = entries(fact);
    let same = |(leg, found): (&Entry, &Leg)| {
        (&leg.account, leg.amount, leg.code) == (&found.account, found.amount, found.code.as_str())
    };
    if legs.len() == found.len() && legs.iter().zip(found).all(same) {
        return Ok(legs);
    }
    let expected = legs.iter().map(|leg| format!("{} {} {}", leg.account, leg.amount, leg.code));
    let found = found.iter().map(|leg| format!("{} {} {}", leg.account, leg.amount, leg.code));
    Err(Discrepancy::Entries {
        seq,
        kind: Fact::kind_name(fact.kind()),
        expected: expected.collect::<Vec<String>>().join(", "),
        found: found.collect::<Vec<String>>().join(", "),
    })
}

fn has_statement(account: &str) -> bool {
    account.starts_with("buyer:") || account.starts_with("source:")
}

/// Returns what a line of a statement is known by to both sides.
pub fn reference(fact: &Fact) -> String {
    match fact {
        Fact::Deposited(deposited) => deposited.reference.clone(),
        Fact::Transferred(transferred) => transferred.reference.clone(),
        fact => fact.subject().map(|ping| ping.lead().to_string()).unwrap_or_default(),
    }
}
