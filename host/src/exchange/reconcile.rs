//! Reconciliation: everything that a journal holds is read once, and all that must agree is compared.
//!
//! - The journal: numbers without a gap, every link of the chain, legs that sum to zero, balances that are the fold of
//!   their entries.
//! - Every fact has exactly the entries that it means, and there are no others.
//! - Every sale had exactly its price held for it, and sells a copy that was not sold before.
//! - What the book has is what the ledger has: every buyer's balance, every source's payable.
//! - What every buyer has held is the sum of its open holds.
//! - Every statement's chain leads from the account's first line to its balance.

use crate::book::State;
use crate::facts::{Ended, Fact, Unreadable};
use crate::journal::{AuditError, JournalError, Leg, Place, Reading, Stored};
use crate::settlement::{AccountLine, Discrepancy, Ledger, backed, meant};

/// After how many facts progress is told.
const PROGRESS_EVERY: u64 = 50_000;

/// What a reconciliation found where everything agrees.
#[derive(Clone, Debug)]
pub struct Reconciled {
    pub facts: u64,
    pub entries: u64,
    pub sales: u64,
    /// Accepted returns.
    pub returns: u64,
    /// Pings whose money is still held.
    pub open_pings: usize,
    pub accounts: Vec<AccountLine>,
}

/// Why books do not reconcile, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Discrepancy(#[from] Discrepancy),
    #[error("fact {seq} cannot be read")]
    Unreadable { seq: u64, source: Unreadable },
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl ReconcileError {
    /// Whether something was found that does not hold, and not only that it cannot be said.
    pub fn is_found(&self) -> bool {
        match self {
            Self::Discrepancy(_) => true,
            Self::Unreadable { .. } => false,
            Self::Journal(error) => {
                matches!(error, JournalError::Damaged(_) | JournalError::Malformed(_))
            }
        }
    }
}

/// Reads a journal and compares all that must agree. `progress` hears the number of facts done from time to time. Works
/// beside a running exchange.
///
/// # Errors
///
/// The first thing that does not agree, or why the journal cannot be read.
pub async fn reconcile(
    place: impl Into<Place>,
    mut progress: impl FnMut(u64),
) -> Result<Reconciled, ReconcileError> {
    let reading = Reading::open(place).await?;
    let mut counted = Counted::default();
    let read = reading.read_all(|stored, legs| {
        if stored.seq.is_multiple_of(PROGRESS_EVERY) {
            progress(stored.seq);
        }
        counted.take(&stored, legs)
    });
    let audit = read.await.map_err(|error| match error {
        AuditError::Damaged(damage) => JournalError::from(damage).into(),
        AuditError::Storage { source, .. } => JournalError::from(source).into(),
        AuditError::Refused { source, .. } => source,
    });
    reading.close().await;
    let audit = audit?;
    let Counted { book, ledger, sales, returns } = counted;
    ledger.agrees_wholly(&book)?;
    Ok(Reconciled {
        facts: audit.head().seq,
        entries: audit.entries(),
        sales,
        returns,
        open_pings: book.open_pings(),
        accounts: ledger.accounts(),
    })
}

#[derive(Default)]
struct Counted {
    book: State,
    ledger: Ledger,
    sales: u64,
    returns: u64,
}

impl Counted {
    fn take(&mut self, stored: &Stored, legs: &[Leg]) -> Result<(), ReconcileError> {
        let seq = stored.seq;
        let fact = Fact::decode(stored.kind, &stored.payload)
            .map_err(|source| ReconcileError::Unreadable { seq, source })?;
        let entries = meant(seq, &fact, legs)?;
        backed(&self.book, seq, &fact)?;
        self.ledger.take(stored.at, &fact, &entries)?;
        self.book.apply(stored.at, &fact);
        self.ledger.agrees(&self.book, &entries)?;
        match &fact {
            Fact::Delivered(delivered) if delivered.ended == Ended::Sold => {
                self.sales = self.sales.saturating_add(1);
            }
            Fact::ReturnDecided(decided) if decided.accepted => {
                self.returns = self.returns.saturating_add(1);
            }
            _ => (),
        }
        Ok(())
    }
}
