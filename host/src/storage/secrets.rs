//! Table `secret`: keys of the exchange itself, wrapped.

use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Readers, StorageError};

const PUT: Statement = Statement {
    before: "INSERT OR REPLACE INTO secret (name, wrapped) SELECT * FROM (VALUES ",
    row: "(?,?)",
    after: rows::WHERE_BOUND,
};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    secrets: Vec<(String, Vec<u8>)>,
) -> Result<(), StorageError> {
    rows::run(connection, PUT, secrets, |arguments, (name, wrapped)| {
        arguments.add(name)?;
        arguments.add(wrapped)
    })
    .await
}

impl Readers {
    /// Returns the wrapped key with this name.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let query = sqlx::query("SELECT wrapped FROM secret WHERE name = ?").bind(name.to_owned());
        let row = query.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
