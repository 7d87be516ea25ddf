//! Tables `contact` and `contact_key`: who the person is, sealed, and the wrapped key of each.

use super::facts::most;
use super::rows::{self, Link, Statement, Value, both};
use super::{ContactRow, Readers, StorageError};
use crate::clock::Moment;

const PUT: Statement = Statement {
    sqlite: (
        "INSERT OR REPLACE INTO contact (subject, sealed) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO contact (subject, sealed) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
               ON CONFLICT (subject) DO UPDATE SET sealed = excluded.sealed, until = NULL",
};

const PUT_KEY: Statement = Statement {
    sqlite: (
        "INSERT OR REPLACE INTO contact_key (subject, wrapped) SELECT * FROM (VALUES ",
        rows::WHERE_BOUND,
    ),
    postgres: "INSERT INTO contact_key (subject, wrapped) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
               ON CONFLICT (subject) DO UPDATE SET wrapped = excluded.wrapped",
};

const KEEP: Statement = Statement {
    sqlite: (
        "UPDATE contact SET until = new.column2 FROM (VALUES ",
        ") AS new WHERE subject = new.column1",
    ),
    postgres: "UPDATE contact SET until = new.until FROM unnest($1::bytea[], $2::bigint[]) AS new (subject, until) \
               WHERE contact.subject = new.subject",
};

const DELETE: Statement = Statement {
    sqlite: ("DELETE FROM contact WHERE subject IN (VALUES ", ")"),
    postgres: "DELETE FROM contact WHERE subject = ANY ($1::bytea[])",
};

const DELETE_KEY: Statement = Statement {
    sqlite: ("DELETE FROM contact_key WHERE subject IN (VALUES ", ")"),
    postgres: "DELETE FROM contact_key WHERE subject = ANY ($1::bytea[])",
};

pub(super) async fn put(link: &mut Link<'_>, contacts: &[ContactRow]) -> Result<(), StorageError> {
    let subjects = || rows::subjects(contacts, |contact| Some(contact.subject));
    rows::run(link, PUT_KEY, &[subjects(), rows::blobs(contacts, |contact| &contact.key)]).await?;
    rows::run(link, PUT, &[subjects(), rows::blobs(contacts, |contact| &contact.sealed)]).await
}

pub(super) async fn put_keys(
    link: &mut Link<'_>,
    keys: &[(u128, Vec<u8>)],
) -> Result<(), StorageError> {
    let columns = [
        rows::subjects(keys, |(subject, _)| Some(*subject)),
        rows::blobs(keys, |(_, wrapped)| wrapped),
    ];
    rows::run(link, PUT_KEY, &columns).await
}

pub(super) async fn keep(link: &mut Link<'_>, kept: &[(u128, Moment)]) -> Result<(), StorageError> {
    let columns = [
        rows::subjects(kept, |(subject, _)| Some(*subject)),
        rows::numbers(kept, |(_, until)| until.unix_ms()),
    ];
    rows::run(link, KEEP, &columns).await
}

pub(super) async fn delete(link: &mut Link<'_>, forgotten: &[u128]) -> Result<(), StorageError> {
    for statement in [DELETE_KEY, DELETE] {
        rows::run(link, statement, &[rows::subjects(forgotten, |subject| Some(*subject))]).await?;
    }
    Ok(())
}

impl Readers {
    /// Returns the sealed contact data of a subject with its wrapped key, unless either is gone.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact(&self, subject: u128) -> Result<Option<ContactRow>, StorageError> {
        let sql = both(
            "SELECT sealed, wrapped FROM contact JOIN contact_key USING (subject) WHERE subject = $1",
        );
        let rows = self.query(sql, &[Value::Bytes(&subject.to_be_bytes())]).await?;
        rows.first(|row| Ok(ContactRow { subject, sealed: row.bytes(0)?, key: row.bytes(1)? }))
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
        let sql = both("SELECT subject FROM contact WHERE until < $1 LIMIT $2");
        let values = [Value::Number(at.unix_ms()), most(limit)];
        self.query(sql, &values).await?.read(|row| Ok(row.subject(0)?.unwrap_or_default()))
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
        let sql = both(
            "SELECT subject, wrapped FROM contact_key WHERE subject > $1 ORDER BY subject LIMIT $2",
        );
        let after = after.map_or_else(Vec::new, |after| after.to_be_bytes().to_vec());
        let rows = self.query(sql, &[Value::Bytes(&after), most(limit)]).await?;
        rows.read(|row| Ok((row.subject(0)?.unwrap_or_default(), row.bytes(1)?)))
    }
}
