//! Table `fact`: what happened, in order.

use super::rows::{self, Link, Row, Statement, Value, both};
use super::{Entries, Leg, Readers, StorageError, Stored, entries};
use crate::clock::Moment;
use crate::ids::Digest;

const INSERT: Statement = Statement {
    sqlite: (
        "INSERT INTO fact (seq, at, subject, kind, payload, entries, hash) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO fact (seq, at, subject, kind, payload, entries, hash) \
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[])",
};

pub(super) async fn insert(
    link: &mut Link<'_>,
    facts: &[(Stored, Entries)],
) -> Result<(), StorageError> {
    let columns = [
        rows::numbers(facts, |(fact, _)| rows::signed(fact.seq)),
        rows::numbers(facts, |(fact, _)| fact.at.unix_ms()),
        rows::subjects(facts, |(fact, _)| fact.subject),
        rows::numbers(facts, |(fact, _)| i64::from(fact.kind)),
        rows::blobs(facts, |(fact, _)| &fact.payload),
        rows::optional_texts(facts, |(_, entries)| entries.text()),
        rows::blobs(facts, |(fact, _)| fact.hash.as_bytes()),
    ];
    rows::run(link, INSERT, &columns).await
}

impl Readers {
    /// Returns up to `limit` facts after this one, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_after(&self, seq: u64, limit: usize) -> Result<Vec<Stored>, StorageError> {
        let sql = "SELECT seq, at, subject, kind, payload, hash FROM fact WHERE seq > $1 ORDER BY seq LIMIT $2";
        self.query(both(sql), &[Value::Number(rows::signed(seq)), most(limit)]).await?.read(read)
    }

    /// Returns the facts after `after` up to `last` with their legs, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_with_legs(
        &self,
        after: u64,
        last: u64,
    ) -> Result<Vec<(Stored, Vec<Leg>)>, StorageError> {
        let sql = "SELECT seq, at, subject, kind, payload, hash, entries FROM fact \
                   WHERE seq > $1 AND seq <= $2 ORDER BY seq";
        let values = [Value::Number(rows::signed(after)), Value::Number(rows::signed(last))];
        self.query(both(sql), &values).await?.read(|row| {
            let fact = read(row)?;
            let legs = entries::read(row, 6).map_err(unreadable(fact.seq, "entries"))?;
            Ok((fact, legs))
        })
    }

    /// Returns up to `limit` facts of these kinds after this one, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_of_kinds(
        &self,
        seq: u64,
        kinds: [u16; 3],
        limit: usize,
    ) -> Result<Vec<Stored>, StorageError> {
        let [one, two, three] = kinds.map(|kind| Value::Number(i64::from(kind)));
        let sql = "SELECT seq, at, subject, kind, payload, hash FROM fact \
                   WHERE seq > $1 AND kind IN ($2, $3, $4) ORDER BY seq LIMIT $5";
        let values = [Value::Number(rows::signed(seq)), one, two, three, most(limit)];
        self.query(both(sql), &values).await?.read(read)
    }

    /// Returns the facts about one subject, in order.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a fact.
    pub async fn facts_of(&self, subject: u128) -> Result<Vec<Stored>, StorageError> {
        let sql = "SELECT seq, at, subject, kind, payload, hash FROM fact WHERE subject = $1 ORDER BY seq";
        self.query(both(sql), &[Value::Bytes(&subject.to_be_bytes())]).await?.read(read)
    }
}

/// A limit on rows.
pub(super) fn most<'a>(limit: usize) -> Value<'a> {
    Value::Number(i64::try_from(limit).unwrap_or(i64::MAX))
}

fn read(row: Row<'_>) -> Result<Stored, StorageError> {
    let seq = row.count(0)?;
    let unreadable = |column| unreadable(seq, column);
    Ok(Stored {
        seq,
        at: Moment::from_unix_ms(row.number(1).map_err(unreadable("at"))?),
        subject: row.subject(2).map_err(unreadable("subject"))?,
        kind: row.narrow(3).map_err(unreadable("kind"))?,
        payload: row.bytes(4).map_err(unreadable("payload"))?,
        hash: Digest::from_bytes(row.exactly(5).map_err(unreadable("hash"))?),
    })
}

fn unreadable(seq: u64, column: &'static str) -> impl FnOnce(sqlx::Error) -> StorageError {
    move |_| StorageError::Row { table: "fact", seq, column }
}
