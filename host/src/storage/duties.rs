//! Table `duty`: what is still to be done.

use super::rows::{self, Link, Row, Statement, both};
use super::{Duty, DutyKey, Readers, StorageError};
use crate::clock::Moment;

const PUT: Statement = Statement {
    sqlite: (
        "INSERT OR REPLACE INTO duty (subject, step, kind, due, attempts, payload) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO duty (subject, step, kind, due, attempts, payload) \
               SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[]) \
               ON CONFLICT (subject, step) DO UPDATE SET \
               kind = excluded.kind, due = excluded.due, attempts = excluded.attempts, payload = excluded.payload",
};

const RESCHEDULE: Statement = Statement {
    sqlite: (
        "UPDATE duty SET due = new.column3, attempts = new.column4 FROM (VALUES ",
        ") AS new WHERE subject = new.column1 AND step = new.column2",
    ),
    postgres: "UPDATE duty SET due = new.due, attempts = new.attempts \
               FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[]) AS new (subject, step, due, attempts) \
               WHERE duty.subject = new.subject AND duty.step = new.step",
};

// By subject first: SQLite would not look up the pair alone in the key, but read the whole table.
const DELETE: Statement = Statement {
    sqlite: (
        "WITH done (subject, step) AS (VALUES ",
        ") DELETE FROM duty WHERE subject IN (SELECT subject FROM done) \
           AND (subject, step) IN (SELECT subject, step FROM done)",
    ),
    postgres: "DELETE FROM duty USING unnest($1::bytea[], $2::bigint[]) AS done (subject, step) \
               WHERE duty.subject = done.subject AND duty.step = done.step",
};

pub(super) async fn put(link: &mut Link<'_>, duties: &[Duty]) -> Result<(), StorageError> {
    let columns = [
        rows::subjects(duties, |duty| Some(duty.key.subject)),
        rows::numbers(duties, |duty| i64::from(duty.key.step)),
        rows::numbers(duties, |duty| i64::from(duty.kind)),
        rows::numbers(duties, |duty| duty.due.unix_ms()),
        rows::numbers(duties, |duty| i64::from(duty.attempts)),
        rows::blobs(duties, |duty| &duty.payload),
    ];
    rows::run(link, PUT, &columns).await
}

pub(super) async fn reschedule(
    link: &mut Link<'_>,
    changes: &[(DutyKey, Moment, u32)],
) -> Result<(), StorageError> {
    let columns = [
        rows::subjects(changes, |(key, ..)| Some(key.subject)),
        rows::numbers(changes, |(key, ..)| i64::from(key.step)),
        rows::numbers(changes, |(_, due, _)| due.unix_ms()),
        rows::numbers(changes, |(.., attempts)| i64::from(*attempts)),
    ];
    rows::run(link, RESCHEDULE, &columns).await
}

pub(super) async fn delete(link: &mut Link<'_>, done: &[DutyKey]) -> Result<(), StorageError> {
    let columns = [
        rows::subjects(done, |key| Some(key.subject)),
        rows::numbers(done, |key| i64::from(key.step)),
    ];
    rows::run(link, DELETE, &columns).await
}

impl Readers {
    /// Returns every duty, oldest subject first.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a duty.
    pub async fn duties(&self) -> Result<Vec<Duty>, StorageError> {
        let sql =
            "SELECT subject, step, kind, due, attempts, payload FROM duty ORDER BY subject, step";
        self.query(both(sql), &[]).await?.read(read)
    }
}

fn read(row: Row<'_>) -> Result<Duty, StorageError> {
    let subject = row.subject(0)?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Duty {
        key: DutyKey { subject, step: row.narrow(1)? },
        kind: row.narrow(2)?,
        due: Moment::from_unix_ms(row.number(3)?),
        attempts: row.narrow(4)?,
        payload: row.bytes(5)?,
    })
}
