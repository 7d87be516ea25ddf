//! Table `head`: how far the journal goes, and who may go on.

use super::rows::{self, Link, Row, Sql, Value, both};
use super::{Balance, Extent, Head, Readers, StorageError};
use crate::ids::Digest;
use crate::money::Micros;

/// What must hold for a batch to be written: whose turn it is, and the fact that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) epoch: u64,
    pub(super) head: Head,
}

/// The newest fact, and the epoch.
pub(super) const SELECT: &str = "SELECT seq, hash, epoch FROM head";

/// Counts the epoch up: from now on nobody else's batches are taken.
pub(super) const BEGIN: &str = "UPDATE head SET epoch = epoch + 1 RETURNING seq, hash, epoch";

/// Moves the head on. Where somebody else has, SQLite's row breaks its own `CHECK`, and PostgreSQL's is not found.
const ADVANCE: Sql = Sql {
    sqlite: "UPDATE head SET seq = ?, hash = ?, only = (epoch = ? AND seq = ? AND hash = ?)",
    postgres: "UPDATE head SET seq = $1, hash = $2 WHERE epoch = $3 AND seq = $4 AND hash = $5",
};

/// Moves the head on, if nobody else has. In SQLite that shows when the statements are run.
pub(super) async fn advance(
    link: &mut Link<'_>,
    Guard { epoch, head }: Guard,
    to: Head,
) -> Result<(), StorageError> {
    let values = [
        Value::Number(rows::signed(to.seq)),
        Value::Bytes(to.hash.as_bytes()),
        Value::Number(rows::signed(epoch)),
        Value::Number(rows::signed(head.seq)),
        Value::Bytes(head.hash.as_bytes()),
    ];
    match link {
        Link::Sqlite(script) => Ok(script.add(ADVANCE.sqlite, &values)?),
        Link::Postgres(connection) => {
            let query = sqlx::query_with(ADVANCE.postgres, rows::postgres_arguments(&values)?);
            match query.execute(&mut **connection).await?.rows_affected() {
                0 => Err(StorageError::Fenced),
                _ => Ok(()),
            }
        }
    }
}

impl Readers {
    /// Returns the newest fact.
    ///
    /// # Errors
    /// If the database failed, or the row is not readable.
    pub async fn head(&self) -> Result<Head, StorageError> {
        let found = self.query(both(SELECT), &[]).await?.first(read)?;
        Ok(found.ok_or(NO_HEAD)?.head)
    }

    /// Returns how far each part of the journal goes, all at one moment.
    ///
    /// # Errors
    /// If the database failed, or a row is not readable.
    pub async fn extent(&self) -> Result<Extent, StorageError> {
        // One statement sees one moment.
        let sql = "SELECT head.seq, hash, epoch, \
                       coalesce((SELECT max(seq) FROM fact), 0), \
                       CAST(CASE WHEN account IS NULL THEN 0 ELSE 1 END AS bigint), coalesce(account, ''), coalesce(amount, 0), coalesce(newest, 0) \
                   FROM head LEFT JOIN balance ON true ORDER BY account";
        let rows = self.query(both(sql), &[]).await?;
        let extent = rows.first(|row| {
            Ok(Extent { head: read(row)?.head, facts_end: row.count(3)?, balances: Vec::new() })
        })?;
        let balances = rows.read(|row| match row.number(4)? {
            0 => Ok(None),
            _ => {
                let (account, amount) = (row.text(5)?, Micros::new(row.number(6)?));
                Ok(Some(Balance { account, amount, newest: row.count(7)? }))
            }
        })?;
        let balances = balances.into_iter().flatten().collect();
        Ok(Extent { balances, ..extent.ok_or(NO_HEAD)? })
    }
}

/// The row of `head` is not there.
pub(super) const NO_HEAD: StorageError =
    StorageError::Row { table: "head", seq: 0, column: "only" };

/// Reads the first three columns as head and epoch.
pub(super) fn read(row: Row<'_>) -> Result<Guard, StorageError> {
    let seq = row.count(0)?;
    let hash =
        row.exactly(1).map_err(|_| StorageError::Row { table: "head", seq, column: "hash" })?;
    Ok(Guard { epoch: row.count(2)?, head: Head { seq, hash: Digest::from_bytes(hash) } })
}
