//! Table `duty`: what is still to be done.

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Duty, DutyKey, Readers, StorageError};
use crate::clock::Moment;

const PUT: Statement = Statement {
    before: "INSERT OR REPLACE INTO duty (subject, step, kind, due, attempts, payload) SELECT * FROM (VALUES ",
    row: "(?,?,?,?,?,?)",
    after: rows::WHERE_BOUND,
};

const RESCHEDULE: Statement = Statement {
    before: "UPDATE duty SET due = new.column3, attempts = new.column4 FROM (VALUES ",
    row: "(?,?,?,?)",
    after: ") AS new WHERE subject = new.column1 AND step = new.column2",
};

// By subject first: the pair alone would not be looked up in the key, but read the whole table.
const DELETE: Statement = Statement {
    before: "WITH done (subject, step) AS (VALUES ",
    row: "(?,?)",
    after: ") DELETE FROM duty WHERE subject IN (SELECT subject FROM done) \
             AND (subject, step) IN (SELECT subject, step FROM done)",
};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    duties: Vec<Duty>,
) -> Result<(), StorageError> {
    rows::run(connection, PUT, duties, |arguments, duty| {
        arguments.add(duty.key.subject.to_be_bytes().to_vec())?;
        arguments.add(duty.key.step)?;
        arguments.add(duty.kind)?;
        arguments.add(duty.due.unix_ms())?;
        arguments.add(duty.attempts)?;
        arguments.add(duty.payload)
    })
    .await
}

pub(super) async fn reschedule(
    connection: &mut SqliteConnection,
    changes: Vec<(DutyKey, Moment, u32)>,
) -> Result<(), StorageError> {
    rows::run(connection, RESCHEDULE, changes, |arguments, (key, due, attempts)| {
        arguments.add(key.subject.to_be_bytes().to_vec())?;
        arguments.add(key.step)?;
        arguments.add(due.unix_ms())?;
        arguments.add(attempts)
    })
    .await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    done: Vec<DutyKey>,
) -> Result<(), StorageError> {
    rows::run(connection, DELETE, done, |arguments, key| {
        arguments.add(key.subject.to_be_bytes().to_vec())?;
        arguments.add(key.step)
    })
    .await
}

impl Readers {
    /// Returns every duty, oldest subject first.
    ///
    /// # Errors
    /// If the database failed, or a row cannot be read as a duty.
    pub async fn duties(&self) -> Result<Vec<Duty>, StorageError> {
        let rows =
            sqlx::query("SELECT * FROM duty ORDER BY subject, step").fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &SqliteRow) -> Result<Duty, StorageError> {
    let subject = rows::subject(row)?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Duty {
        key: DutyKey { subject, step: row.try_get("step")? },
        kind: row.try_get("kind")?,
        due: Moment::from_unix_ms(row.try_get("due")?),
        attempts: row.try_get("attempts")?,
        payload: row.try_get("payload")?,
    })
}
