//! Table `contact`: who the person is, sealed.

use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Readers, StorageError};

const PUT: Statement = Statement {
    before: "INSERT OR REPLACE INTO contact (subject, sealed) SELECT * FROM (VALUES ",
    row: "(?,?)",
    after: rows::WHERE_BOUND,
};

const DELETE: Statement =
    Statement { before: "DELETE FROM contact WHERE subject IN (VALUES ", row: "(?)", after: ")" };

pub(super) async fn put(
    connection: &mut SqliteConnection,
    contacts: Vec<(u128, Vec<u8>)>,
) -> Result<(), StorageError> {
    rows::run(connection, PUT, contacts, |arguments, (subject, sealed)| {
        arguments.add(subject.to_be_bytes().to_vec())?;
        arguments.add(sealed)
    })
    .await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    forgotten: Vec<u128>,
) -> Result<(), StorageError> {
    rows::run(connection, DELETE, forgotten, |arguments, subject| {
        arguments.add(subject.to_be_bytes().to_vec())
    })
    .await
}

impl Readers {
    /// Returns the sealed contact data of a subject.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact(&self, subject: u128) -> Result<Option<Vec<u8>>, StorageError> {
        let query = sqlx::query("SELECT sealed FROM contact WHERE subject = ?");
        let row = query.bind(subject.to_be_bytes().to_vec()).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
