//! Table `module`: Wasm components by their digest.

use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Readers, StorageError};
use crate::ids::Digest;

// The same digest is the same bytes, so what is there already may stay.
const PUT: Statement = Statement {
    before: "INSERT OR IGNORE INTO module (digest, wasm) SELECT * FROM (VALUES ",
    row: "(?,?)",
    after: rows::WHERE_BOUND,
};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    modules: Vec<(Digest, Vec<u8>)>,
) -> Result<(), StorageError> {
    rows::run(connection, PUT, modules, |arguments, (digest, wasm)| {
        arguments.add(digest.as_bytes().to_vec())?;
        arguments.add(wasm)
    })
    .await
}

impl Readers {
    /// Returns the component with this digest, as it lies in the database.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn module(&self, digest: Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let query = sqlx::query("SELECT wasm FROM module WHERE digest = ?");
        let row = query.bind(digest.as_bytes().to_vec()).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
