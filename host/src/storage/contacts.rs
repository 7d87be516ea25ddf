//! Table `contact`: who the person is, sealed.

use super::rows::{self, Link, Statement, Value, both};
use super::{Readers, StorageError};

const PUT: Statement = Statement {
    sqlite: (
        "INSERT OR REPLACE INTO contact (subject, sealed) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO contact (subject, sealed) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
               ON CONFLICT (subject) DO UPDATE SET sealed = excluded.sealed",
};

const DELETE: Statement = Statement {
    sqlite: ("DELETE FROM contact WHERE subject IN (VALUES ", ")"),
    postgres: "DELETE FROM contact WHERE subject = ANY ($1::bytea[])",
};

pub(super) async fn put(
    link: &mut Link<'_>,
    contacts: &[(u128, Vec<u8>)],
) -> Result<(), StorageError> {
    let columns = [
        rows::subjects(contacts, |(subject, _)| Some(*subject)),
        rows::blobs(contacts, |(_, sealed)| sealed),
    ];
    rows::run(link, PUT, &columns).await
}

pub(super) async fn delete(link: &mut Link<'_>, forgotten: &[u128]) -> Result<(), StorageError> {
    rows::run(link, DELETE, &[rows::subjects(forgotten, |subject| Some(*subject))]).await
}

impl Readers {
    /// Returns the sealed contact data of a subject.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact(&self, subject: u128) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = both("SELECT sealed FROM contact WHERE subject = $1");
        let rows = self.query(sql, &[Value::Bytes(&subject.to_be_bytes())]).await?;
        rows.first(|row| Ok(row.bytes(0)?))
    }
}
