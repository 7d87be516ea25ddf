//! Table `person`: by which leads a person is found, as keyed prints.

use sqlx::{Arguments as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{PersonRow, Readers, StorageError};
use crate::clock::Moment;

const PUT: Statement = Statement {
    before: "INSERT OR REPLACE INTO person (print, subject, until) SELECT * FROM (VALUES ",
    row: "(?,?,?)",
    after: rows::WHERE_BOUND,
};

const DELETE: Statement =
    Statement { before: "DELETE FROM person WHERE subject IN (VALUES ", row: "(?)", after: ")" };

pub(super) async fn put(
    connection: &mut SqliteConnection,
    persons: Vec<PersonRow>,
) -> Result<(), StorageError> {
    rows::run(connection, PUT, persons, |arguments, person| {
        arguments.add(person.print.to_vec())?;
        arguments.add(person.subject.to_be_bytes().to_vec())?;
        arguments.add(person.until.unix_ms())
    })
    .await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    subjects: Vec<u128>,
) -> Result<(), StorageError> {
    rows::run(connection, DELETE, subjects, |arguments, subject| {
        arguments.add(subject.to_be_bytes().to_vec())
    })
    .await
}

pub(super) async fn sweep(
    connection: &mut SqliteConnection,
    before: Option<Moment>,
) -> Result<(), StorageError> {
    if let Some(before) = before {
        let sweep = sqlx::query("DELETE FROM person WHERE until < ?").bind(before.unix_ms());
        sweep.execute(connection).await?;
    }
    Ok(())
}

impl Readers {
    /// Returns up to `limit` subjects in which a person with this print is named, newest first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn subjects_of(
        &self,
        print: [u8; 32],
        limit: usize,
    ) -> Result<Vec<u128>, StorageError> {
        let query =
            sqlx::query("SELECT subject FROM person WHERE print = ? ORDER BY subject DESC LIMIT ?");
        let query = query.bind(print.to_vec()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let found = query.fetch_all(&self.pool).await?;
        found.iter().map(|row| Ok(rows::subject(row)?.unwrap_or_default())).collect()
    }

    /// Returns whether a subject has prints.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn has_persons(&self, subject: u128) -> Result<bool, StorageError> {
        let query = sqlx::query("SELECT 1 FROM person WHERE subject = ? LIMIT 1");
        let found = query.bind(subject.to_be_bytes().to_vec()).fetch_optional(&self.pool).await?;
        Ok(found.is_some())
    }

    /// Returns whether there are prints that were to be kept until before this moment.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn persons_overdue(&self, at: Moment) -> Result<bool, StorageError> {
        let query = sqlx::query("SELECT 1 FROM person WHERE until < ? LIMIT 1").bind(at.unix_ms());
        Ok(query.fetch_optional(&self.pool).await?.is_some())
    }
}
