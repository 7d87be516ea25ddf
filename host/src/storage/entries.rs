//! Table `entry`: what facts mean in money.

use super::facts::most;
use super::rows::{self, Link, Row, Sql, Statement, Value, both};
use super::{EntryRow, Leg, Line, Readers, StorageError};
use crate::clock::Moment;
use crate::money::Micros;

const INSERT: Statement = Statement {
    sqlite: (
        "INSERT INTO entry (seq, leg, account, amount, code, previous) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO entry (seq, leg, account, amount, code, previous) \
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])",
};

/// Walks the account's entries from the newest back. Only an entry's first leg of the account in a fact leads to an
/// earlier fact. SQLite must be told to keep the order of the join.
const STATEMENT: Sql = Sql {
    sqlite: "WITH RECURSIVE moved (seq, place) AS ( \
                 SELECT newest, CAST(1 AS bigint) FROM balance WHERE account = $1 \
                 UNION ALL SELECT entry.previous, place + 1 FROM moved CROSS JOIN entry USING (seq) \
                 WHERE account = $1 AND previous > 0 AND previous < entry.seq AND place < $2 \
             ) \
             SELECT seq, at, subject, amount, code FROM moved CROSS JOIN entry USING (seq) JOIN fact USING (seq) \
             WHERE account = $1 ORDER BY seq DESC, leg DESC LIMIT $2",
    postgres: "WITH RECURSIVE moved (seq, place) AS ( \
                 SELECT newest, CAST(1 AS bigint) FROM balance WHERE account = $1 \
                 UNION ALL SELECT entry.previous, place + 1 FROM moved JOIN entry USING (seq) \
                 WHERE account = $1 AND previous > 0 AND previous < entry.seq AND place < $2 \
             ) \
             SELECT seq, at, subject, amount, code FROM moved JOIN entry USING (seq) JOIN fact USING (seq) \
             WHERE account = $1 ORDER BY seq DESC, leg DESC LIMIT $2",
};

pub(super) async fn insert(link: &mut Link<'_>, entries: &[EntryRow]) -> Result<(), StorageError> {
    let columns = [
        rows::numbers(entries, |entry| rows::signed(entry.seq)),
        rows::numbers(entries, |entry| i64::from(entry.leg)),
        rows::texts(entries, |entry| &entry.account),
        rows::numbers(entries, |entry| entry.amount.get()),
        rows::texts(entries, |entry| entry.code),
        rows::numbers(entries, |entry| rows::signed(entry.previous)),
    ];
    rows::run(link, INSERT, &columns).await
}

impl Readers {
    /// Returns the legs of the facts after `after` up to `last`, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a leg.
    pub async fn legs_between(&self, after: u64, last: u64) -> Result<Vec<Leg>, StorageError> {
        let sql = "SELECT seq, account, amount, code, previous FROM entry \
                   WHERE seq > $1 AND seq <= $2 ORDER BY seq, leg";
        let values = [Value::Number(rows::signed(after)), Value::Number(rows::signed(last))];
        self.query(both(sql), &values).await?.read(read)
    }

    /// Returns the newest lines of one account's statement, newest first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn statement(&self, account: &str, limit: usize) -> Result<Vec<Line>, StorageError> {
        let rows = self.query(STATEMENT, &[Value::Text(account), most(limit)]).await?;
        rows.read(|row| {
            Ok(Line {
                seq: row.count(0)?,
                at: Moment::from_unix_ms(row.number(1)?),
                subject: row.subject(2)?,
                amount: Micros::new(row.number(3)?),
                code: row.text(4)?,
            })
        })
    }
}

fn read(row: Row<'_>) -> Result<Leg, StorageError> {
    let seq = row.count(0)?;
    let unreadable =
        |column| move |_: sqlx::Error| StorageError::Row { table: "entry", seq, column };
    Ok(Leg {
        seq,
        account: row.text(1).map_err(unreadable("account"))?,
        amount: Micros::new(row.number(2).map_err(unreadable("amount"))?),
        code: row.text(3).map_err(unreadable("code"))?,
        previous: row.count(4).map_err(unreadable("previous"))?,
    })
}
