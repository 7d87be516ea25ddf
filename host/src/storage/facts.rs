//! Table `fact`: what happened, in order.

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Readers, StorageError, Stored};
use crate::clock::Moment;
use crate::ids::Digest;

const INSERT: Statement = Statement {
    before: "INSERT INTO fact (seq, at, subject, kind, payload, hash) SELECT * FROM (VALUES ",
    row: "(?,?,?,?,?,?)",
    after: rows::WHERE_BOUND,
};

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    facts: Vec<Stored>,
) -> Result<(), StorageError> {
    rows::run(connection, INSERT, facts, |arguments, fact| {
        arguments.add(rows::signed(fact.seq))?;
        arguments.add(fact.at.unix_ms())?;
        arguments.add(fact.subject.map(|subject| subject.to_be_bytes().to_vec()))?;
        arguments.add(fact.kind)?;
        arguments.add(fact.payload)?;
        arguments.add(fact.hash.as_bytes().to_vec())
    })
    .await
}

impl Readers {
    /// Returns up to `limit` facts after this one, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_after(&self, seq: u64, limit: usize) -> Result<Vec<Stored>, StorageError> {
        let query = sqlx::query("SELECT * FROM fact WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(rows::signed(seq))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// Returns up to `limit` facts of these kinds after this one, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_of_kinds(
        &self,
        seq: u64,
        [one, two, three]: [u16; 3],
        limit: usize,
    ) -> Result<Vec<Stored>, StorageError> {
        let query = sqlx::query(
            "SELECT * FROM fact WHERE seq > ? AND kind IN (?, ?, ?) ORDER BY seq LIMIT ?",
        );
        let query = query.bind(rows::signed(seq)).bind(one).bind(two).bind(three);
        let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// Returns the facts about one subject, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_of(&self, subject: u128) -> Result<Vec<Stored>, StorageError> {
        let query = sqlx::query("SELECT * FROM fact WHERE subject = ? ORDER BY seq")
            .bind(subject.to_be_bytes().to_vec());
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }
}

fn read(row: &SqliteRow) -> Result<Stored, StorageError> {
    let seq = rows::seq(row)?;
    let unreadable =
        |column| move |_: sqlx::Error| StorageError::Row { table: "fact", seq, column };
    let hash: Vec<u8> = row.try_get("hash").map_err(unreadable("hash"))?;
    let hash =
        hash.try_into().map_err(|_| StorageError::Row { table: "fact", seq, column: "hash" })?;
    Ok(Stored {
        seq,
        at: Moment::from_unix_ms(row.try_get("at").map_err(unreadable("at"))?),
        subject: rows::subject(row).map_err(unreadable("subject"))?,
        kind: row.try_get("kind").map_err(unreadable("kind"))?,
        payload: row.try_get("payload").map_err(unreadable("payload"))?,
        hash: Digest::from_bytes(hash),
    })
}
