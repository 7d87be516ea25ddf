//! What is given to the journal.

use super::{ContactRow, Duty, DutyKey, PersonRow};
use crate::clock::Moment;
use crate::money::Micros;

/// One fact with everything that it implies.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub at: Moment,
    /// The ping that the fact is about; none if it is about the exchange itself.
    pub subject: Option<u128>,
    /// Says how to read the payload. The journal does not look.
    pub kind: u16,
    /// Never holds contact data.
    pub payload: Vec<u8>,
    /// What the fact means in money. The amounts sum to zero.
    pub entries: Vec<Entry>,
    pub duties: Vec<DutyChange>,
    pub contact: Option<ContactChange>,
}

/// One leg of a double entry.
///
/// Above zero is a debit, below zero a credit. So what the exchange has (`cash`) stands above zero, what it owes
/// (`buyer:acme:prepaid`, `source:x:payable`) or has earned (`exchange:revenue`) below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub account: String,
    pub amount: Micros,
    /// Why: `sale`, `deposit`, `return`.
    pub code: &'static str,
}

/// What a fact changes about what is still to be done. Changes in one record, and records, apply in order.
#[derive(Clone, Debug)]
pub enum DutyChange {
    /// There is this to do; it replaces a duty with the same key.
    Add(Duty),
    /// It was tried and is to be tried again. Nothing happens if there is no such duty.
    Reschedule { key: DutyKey, due: Moment, attempts: u32 },
    /// It is done, or will never be. Nothing happens if there is no such duty.
    Done(DutyKey),
}

/// What a fact changes about whom a lead speaks of.
#[derive(Clone, Debug)]
pub enum ContactChange {
    /// Keeps this, and by what the person is found; it replaces what was kept for the subject.
    Put { contact: ContactRow, persons: Vec<PersonRow> },
    /// No delivery needs it any more; it is kept until then.
    Keep { subject: u128, until: Moment },
    /// Forgets the contact data and its key. The bytes are overwritten, in the log too as soon as it has been moved into
    /// the database: [`super::Journal::overwrite`].
    Drop { subject: u128 },
    /// Forgets by what the person is found as well.
    Erase { subject: u128 },
    /// Forgets contact data whose time is over, and every print that was to be kept until before this.
    Sweep { subjects: Vec<u128>, persons_before: Moment },
    /// Replaces keys by the same keys, wrapped anew: of subjects, and of the exchange itself by name.
    Rewrap { keys: Vec<(u128, Vec<u8>)>, secrets: Vec<(String, Vec<u8>)> },
}

impl Record {
    /// Returns by how many millionths the legs miss zero.
    pub fn imbalance(&self) -> i128 {
        self.entries.iter().map(|entry| i128::from(entry.amount.get())).sum()
    }
}
