//! Statements of a running exchange: from the last known place of the account's chain before the period, over what the
//! journal has since, to the newest, where the chain in memory must be met again.

use super::office::invalid;
use super::opening::OpenError;
use super::{ActError, Exchange};
use crate::facts::Fact;
use crate::ids::PingId;
use crate::journal::{AuditError, JournalError, Line, Place, Reading};
use crate::money::{AccountName, Micros};
use crate::settlement::{self, Booked, Period, Point, Statement};

/// The most lines that a statement over HTTP reads back. What lies further back is for `gavel statement --data`.
pub const LINES_READ_MAX: u64 = 200_000;
/// Lines that may be booked while a statement is read.
const LINES_BETWEEN_MAX: u64 = 10_000;

impl Exchange {
    /// Returns the statement of a buyer's or source's account.
    ///
    /// # Errors
    ///
    /// [`ActError::NotFound`] if nobody has this account, [`ActError::Invalid`] if too many lines came since the period
    /// began, [`ActError::Closed`] if the journal cannot be read.
    pub async fn statement(
        &self,
        account: &AccountName,
        period: &Period,
    ) -> Result<Statement, ActError> {
        if !self.has_party(account) {
            return Err(ActError::NotFound(format!("account `{account}`")));
        }
        let account = account.to_string();
        let party = account.rsplit_once(':').map_or(account.as_str(), |(party, _)| party);
        let _berth = self.harbour.lists.berth(party).await;
        let (start, newest) = self.books.ledger().before(&account, period.from);
        let count = newest.lines.saturating_sub(start.lines);
        if count > LINES_READ_MAX {
            let message = format!(
                "{count} lines came since the period began, and {LINES_READ_MAX} can be read so; ask `gavel statement --data DIR`, which takes its time"
            );
            return Err(invalid("/from", message));
        }
        // The ledger in memory may know of lines that are on their way to the disk yet.
        self.journal.settled().await.map_err(|_| ActError::Closed)?;
        let limit = usize::try_from(count.saturating_add(LINES_BETWEEN_MAX)).unwrap_or(usize::MAX);
        let lines = self.journal.statement(&account, limit).await.map_err(|error| {
            tracing::error!(%error, %account, "statement not readable");
            ActError::Closed
        })?;
        let mut booked = Vec::with_capacity(lines.len());
        for line in lines.into_iter().rev() {
            if line.seq > start.seq && line.seq <= newest.seq {
                booked.push(self.booked_line(line).await?);
            }
        }
        let laid_out = settlement::statement(&account, &self.currency, period, start, booked);
        let met =
            laid_out.filter(|(_, end)| (end.chain, end.lines) == (newest.chain, newest.lines));
        let Some((statement, _)) = met else {
            tracing::error!(%account, "the journal's lines do not lead to the ledger's chain");
            return Err(ActError::Closed);
        };
        Ok(statement)
    }

    async fn booked_line(&self, line: Line) -> Result<Booked, ActError> {
        let reference = match line.subject {
            Some(subject) => PingId::from_u128(subject).lead().to_string(),
            None => {
                let before = line.seq.saturating_sub(1);
                let facts = self.journal.read(before, 1).await.map_err(|_| ActError::Closed)?;
                let stored = facts.first().ok_or(ActError::Closed)?;
                let fact = Fact::decode(stored.kind, &stored.payload).map_err(|error| {
                    tracing::error!(%error, seq = stored.seq, "fact not readable");
                    ActError::Closed
                })?;
                settlement::reference(&fact)
            }
        };
        let amount = Micros::ZERO.checked_sub(line.amount).unwrap_or_default();
        Ok(Booked { seq: line.seq, at: line.at, code: line.code, reference, amount })
    }
}

/// Reads the statement of an account from the journal in a directory, beside a running exchange or without one.
///
/// # Errors
///
/// If the journal does not hold or cannot be read.
pub async fn recorded_statement(
    place: impl Into<Place>,
    account: &AccountName,
    currency: &str,
    period: &Period,
) -> Result<Statement, OpenError> {
    let reading = Reading::open(place).await?;
    let account = account.to_string();
    let mut booked = Vec::new();
    let read = reading.read_all(|stored, legs| {
        for leg in legs.iter().filter(|leg| leg.account == account) {
            let fact = Fact::decode(stored.kind, &stored.payload)?;
            booked.push(Booked {
                seq: stored.seq,
                at: stored.at,
                code: leg.code.clone(),
                reference: settlement::reference(&fact),
                amount: Micros::ZERO.checked_sub(leg.amount).unwrap_or_default(),
            });
        }
        Ok::<(), OpenError>(())
    });
    let read = read.await.map_err(|error| match error {
        AuditError::Damaged(damage) => JournalError::from(damage).into(),
        AuditError::Storage { source, .. } => JournalError::from(source).into(),
        AuditError::Refused { source, .. } => source,
    });
    reading.close().await;
    read?;
    let start = Point::beginning(&account);
    let laid_out = settlement::statement(&account, currency, period, start, booked);
    let (statement, _) = laid_out
        .ok_or_else(|| OpenError::Unfoldable(format!("a balance of `{account}` does not fit")))?;
    Ok(statement)
}
