//! Table `module`: Wasm components by their digest.

use super::rows::{self, Link, Statement, Value, both};
use super::{Readers, StorageError};
use crate::ids::Digest;

// The same digest is the same bytes, so what is there already may stay.
const PUT: Statement = Statement {
    sqlite: (
        "INSERT OR IGNORE INTO module (digest, wasm) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO module (digest, wasm) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
               ON CONFLICT (digest) DO NOTHING",
};

pub(super) async fn put(
    link: &mut Link<'_>,
    modules: &[(Digest, Vec<u8>)],
) -> Result<(), StorageError> {
    let columns = [
        rows::blobs(modules, |(digest, _)| digest.as_bytes()),
        rows::blobs(modules, |(_, wasm)| wasm),
    ];
    rows::run(link, PUT, &columns).await
}

impl Readers {
    /// Returns the component with this digest, as it lies in the database.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn module(&self, digest: Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = both("SELECT wasm FROM module WHERE digest = $1");
        let rows = self.query(sql, &[Value::Bytes(digest.as_bytes())]).await?;
        rows.first(|row| Ok(row.bytes(0)?))
    }
}
