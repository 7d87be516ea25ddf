//! Tables `contact` and `contact_key`: who the person is, sealed, and the wrapped key of each.

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{ContactRow, Readers, StorageError};
use crate::clock::Moment;

const PUT: Statement = Statement {
    before: "INSERT OR REPLACE INTO contact (subject, sealed, until) SELECT * FROM (VALUES ",
    row: "(?,?,?)",
    after: rows::WHERE_BOUND,
};

const PUT_KEY: Statement = Statement {
    before: "INSERT OR REPLACE INTO contact_key (subject, wrapped) SELECT * FROM (VALUES ",
    row: "(?,?)",
    after: rows::WHERE_BOUND,
};

const KEEP: Statement = Statement {
    before: "UPDATE contact SET until = new.column2 FROM (VALUES ",
    row: "(?,?)",
    after: ") AS new WHERE subject = new.column1",
};

const DELETE: Statement =
    Statement { before: "DELETE FROM contact WHERE subject IN (VALUES ", row: "(?)", after: ")" };

const DELETE_KEY: Statement = Statement {
    before: "DELETE FROM contact_key WHERE subject IN (VALUES ",
    row: "(?)",
    after: ")",
};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    contacts: Vec<ContactRow>,
) -> Result<(), StorageError> {
    let keys = contacts.iter().map(|contact| (contact.subject, contact.key.clone())).collect();
    put_keys(connection, keys).await?;
    rows::run(connection, PUT, contacts, |arguments, contact| {
        arguments.add(contact.subject.to_be_bytes().to_vec())?;
        arguments.add(contact.sealed)?;
        arguments.add(contact.until.map(Moment::unix_ms))
    })
    .await
}

pub(super) async fn put_keys(
    connection: &mut SqliteConnection,
    keys: Vec<(u128, Vec<u8>)>,
) -> Result<(), StorageError> {
    rows::run(connection, PUT_KEY, keys, |arguments, (subject, wrapped)| {
        arguments.add(subject.to_be_bytes().to_vec())?;
        arguments.add(wrapped)
    })
    .await
}

pub(super) async fn keep(
    connection: &mut SqliteConnection,
    kept: Vec<(u128, Moment)>,
) -> Result<(), StorageError> {
    rows::run(connection, KEEP, kept, |arguments, (subject, until)| {
        arguments.add(subject.to_be_bytes().to_vec())?;
        arguments.add(until.unix_ms())
    })
    .await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    forgotten: Vec<u128>,
) -> Result<(), StorageError> {
    for statement in [DELETE_KEY, DELETE] {
        rows::run(connection, statement, forgotten.clone(), |arguments, subject| {
            arguments.add(subject.to_be_bytes().to_vec())
        })
        .await?;
    }
    Ok(())
}

impl Readers {
    /// Returns the sealed contact data of a subject with its wrapped key, unless either is gone.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact(&self, subject: u128) -> Result<Option<ContactRow>, StorageError> {
        let query = sqlx::query(
            "SELECT sealed, wrapped, until FROM contact JOIN contact_key USING (subject) WHERE subject = ?",
        );
        let row = query.bind(subject.to_be_bytes().to_vec()).fetch_optional(&self.pool).await?;
        let read = |row: SqliteRow| {
            let until: Option<i64> = row.try_get(2)?;
            let until = until.map(Moment::from_unix_ms);
            Ok(ContactRow { subject, sealed: row.try_get(0)?, key: row.try_get(1)?, until })
        };
        row.map(read).transpose()
    }

    /// Returns up to `limit` subjects whose contact data was to be kept until before this moment.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contacts_overdue(
        &self,
        at: Moment,
        limit: usize,
    ) -> Result<Vec<u128>, StorageError> {
        let query = sqlx::query("SELECT subject FROM contact WHERE until < ? LIMIT ?");
        let query = query.bind(at.unix_ms()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let found = query.fetch_all(&self.pool).await?;
        found.iter().map(|row| Ok(rows::subject(row)?.unwrap_or_default())).collect()
    }

    /// Returns up to `limit` wrapped keys of subjects after this one, in order.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact_keys(
        &self,
        after: Option<u128>,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StorageError> {
        let query = sqlx::query(
            "SELECT subject, wrapped FROM contact_key WHERE subject > ? ORDER BY subject LIMIT ?",
        );
        let after = after.map_or_else(Vec::new, |after| after.to_be_bytes().to_vec());
        let query = query.bind(after).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let found = query.fetch_all(&self.pool).await?;
        let read = |row: &SqliteRow| Ok((rows::subject(row)?.unwrap_or_default(), row.try_get(1)?));
        found.iter().map(read).collect()
    }
}
