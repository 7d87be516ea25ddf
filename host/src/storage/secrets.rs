//! Table `secret`: keys of the exchange itself, wrapped.

use super::rows::{self, Link, Statement, Value, both};
use super::{Readers, StorageError};

const PUT: Statement = Statement {
    sqlite: (
        "INSERT OR REPLACE INTO secret (name, wrapped) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO secret (name, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[]) \
               ON CONFLICT (name) DO UPDATE SET wrapped = excluded.wrapped",
};

pub(super) async fn put(
    link: &mut Link<'_>,
    secrets: &[(String, Vec<u8>)],
) -> Result<(), StorageError> {
    let columns =
        [rows::texts(secrets, |(name, _)| name), rows::blobs(secrets, |(_, wrapped)| wrapped)];
    rows::run(link, PUT, &columns).await
}

impl Readers {
    /// Returns the wrapped key with this name.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = both("SELECT wrapped FROM secret WHERE name = $1");
        let rows = self.query(sql, &[Value::Text(name)]).await?;
        rows.first(|row| Ok(row.bytes(0)?))
    }
}
