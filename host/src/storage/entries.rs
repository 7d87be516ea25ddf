//! Table `entry`: what facts mean in money.

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{EntryRow, Leg, Line, Readers, StorageError};
use crate::clock::Moment;
use crate::money::Micros;

const INSERT: Statement = Statement {
    before: "INSERT INTO entry (seq, leg, account, amount, code, previous) SELECT * FROM (VALUES ",
    row: "(?,?,?,?,?,?)",
    after: rows::WHERE_BOUND,
};

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    entries: Vec<EntryRow>,
) -> Result<(), StorageError> {
    rows::run(connection, INSERT, entries, |arguments, entry| {
        arguments.add(rows::signed(entry.seq))?;
        arguments.add(entry.leg)?;
        arguments.add(entry.account)?;
        arguments.add(entry.amount.get())?;
        arguments.add(entry.code)?;
        arguments.add(rows::signed(entry.previous))
    })
    .await
}

impl Readers {
    /// Returns the legs of the facts after `after` up to `last`, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a leg.
    pub async fn legs_between(&self, after: u64, last: u64) -> Result<Vec<Leg>, StorageError> {
        let query = sqlx::query("SELECT * FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq, leg")
            .bind(rows::signed(after))
            .bind(rows::signed(last));
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// Returns the newest lines of one account's statement, newest first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn statement(&self, account: &str, limit: usize) -> Result<Vec<Line>, StorageError> {
        let query = sqlx::query(
            "WITH RECURSIVE moved (seq) AS ( \
                 SELECT newest FROM balance WHERE account = ?1 \
                 UNION SELECT previous FROM entry JOIN moved USING (seq) WHERE account = ?1 AND previous > 0 \
                 LIMIT ?2 \
             ) \
             SELECT seq, at, subject, amount, code FROM moved CROSS JOIN entry USING (seq) JOIN fact USING (seq) \
             WHERE account = ?1 ORDER BY seq DESC, leg DESC LIMIT ?2",
        );
        let query = query.bind(account.to_owned()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let lines = query.fetch_all(&self.pool).await?;
        let line = |row: &SqliteRow| {
            Ok(Line {
                seq: rows::seq(row)?,
                at: Moment::from_unix_ms(row.try_get("at")?),
                subject: rows::subject(row)?,
                amount: Micros::new(row.try_get("amount")?),
                code: row.try_get("code")?,
            })
        };
        lines.iter().map(line).collect()
    }
}

fn read(row: &SqliteRow) -> Result<Leg, StorageError> {
    let seq = rows::seq(row)?;
    let unreadable =
        |column| move |_: sqlx::Error| StorageError::Row { table: "entry", seq, column };
    Ok(Leg {
        seq,
        account: row.try_get("account").map_err(unreadable("account"))?,
        amount: Micros::new(row.try_get("amount").map_err(unreadable("amount"))?),
        code: row.try_get("code").map_err(unreadable("code"))?,
        previous: row.try_get("previous").map_err(unreadable("previous"))?,
    })
}
