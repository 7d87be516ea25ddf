//! Table `person`: by which leads a person is found, as keyed prints.

use super::facts::most;
use super::rows::{self, Link, Statement, Value, both};
use super::{PersonRow, Readers, StorageError};
use crate::clock::Moment;

const PUT: Statement = Statement {
    sqlite: (
        "INSERT OR REPLACE INTO person (print, subject, until) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO person (print, subject, until) \
               SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) \
               ON CONFLICT (print, subject) DO UPDATE SET until = excluded.until",
};

const DELETE: Statement = Statement {
    sqlite: ("DELETE FROM person WHERE subject IN (VALUES ", ")"),
    postgres: "DELETE FROM person WHERE subject = ANY ($1::bytea[])",
};

const SWEEP: Statement = Statement {
    sqlite: ("DELETE FROM person WHERE until < (VALUES ", ")"),
    postgres: "DELETE FROM person WHERE until < ANY ($1::bigint[])",
};

pub(super) async fn put(link: &mut Link<'_>, persons: &[PersonRow]) -> Result<(), StorageError> {
    let columns = [
        rows::blobs(persons, |person| &person.print),
        rows::subjects(persons, |person| Some(person.subject)),
        rows::numbers(persons, |person| person.until.unix_ms()),
    ];
    rows::run(link, PUT, &columns).await
}

pub(super) async fn delete(link: &mut Link<'_>, subjects: &[u128]) -> Result<(), StorageError> {
    rows::run(link, DELETE, &[rows::subjects(subjects, |subject| Some(*subject))]).await
}

pub(super) async fn sweep(link: &mut Link<'_>, before: Option<Moment>) -> Result<(), StorageError> {
    let before: Vec<Moment> = before.into_iter().collect();
    rows::run(link, SWEEP, &[rows::numbers(&before, |before| before.unix_ms())]).await
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
        let sql =
            both("SELECT subject FROM person WHERE print = $1 ORDER BY subject DESC LIMIT $2");
        let rows = self.query(sql, &[Value::Bytes(&print), most(limit)]).await?;
        rows.read(|row| Ok(row.subject(0)?.unwrap_or_default()))
    }

    /// Returns whether a subject has prints.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn has_persons(&self, subject: u128) -> Result<bool, StorageError> {
        let sql = both("SELECT until FROM person WHERE subject = $1 LIMIT 1");
        let rows = self.query(sql, &[Value::Bytes(&subject.to_be_bytes())]).await?;
        Ok(rows.first(|row| Ok(row.number(0)?))?.is_some())
    }

    /// Returns whether there are prints that were to be kept until before this moment.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn persons_overdue(&self, at: Moment) -> Result<bool, StorageError> {
        let sql = both("SELECT until FROM person WHERE until < $1 LIMIT 1");
        let rows = self.query(sql, &[Value::Number(at.unix_ms())]).await?;
        Ok(rows.first(|row| Ok(row.number(0)?))?.is_some())
    }
}
