//! The connections that only read.

use std::path::Path;

use sqlx::{PgPool, Row as _, SqlitePool};

use super::rows::{self, Rows, Sql, Value};
use super::settings::Accepted;
use super::{Database, StorageError, postgres, sqlite};

/// Connections that read beside the writer.
pub(super) const READERS_MAX: u32 = 4;

/// Connections that only read. They see what is committed, at once.
#[derive(Clone, Debug)]
pub struct Readers(Pool);

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// How far reading may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only from where it is also written: what decides about money.
    Primary,
    /// From a standby too: what only looks.
    Anywhere,
}

impl Readers {
    /// Opens the database for reading, beside whoever writes to it.
    ///
    /// # Errors
    /// If there is no such database, it cannot be opened, or a durability setting does not hold.
    pub async fn open(
        database: &Database,
        accepted: &Accepted,
        reach: Reach,
    ) -> Result<Self, StorageError> {
        Ok(Self(match database {
            Database::Sqlite(file) => Pool::Sqlite(sqlite::readers(file, accepted).await?),
            Database::Postgres(url) => Pool::Postgres(postgres::readers(url, reach).await?),
        }))
    }

    /// Has the database check its own structure, indexes included; returns its complaint, if it has one.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn integrity(&self) -> Result<Option<String>, StorageError> {
        match &self.0 {
            Pool::Sqlite(pool) => {
                let row = sqlx::query("PRAGMA integrity_check(1)").fetch_one(pool).await?;
                let answer: String = row.try_get(0)?;
                Ok((answer != "ok").then_some(answer))
            }
            Pool::Postgres(pool) => postgres::integrity(pool).await,
        }
    }

    /// Copies one moment of the database into a new file. Whoever writes goes on meanwhile.
    ///
    /// # Errors
    /// If the database failed, the file is there already, or the database is no file.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StorageError> {
        match &self.0 {
            Pool::Sqlite(pool) => sqlite::copy(pool, file).await,
            Pool::Postgres(_) => Err(StorageError::NoFile),
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.0 {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// Runs one query.
    pub(super) async fn query(&self, sql: Sql, values: &[Value<'_>]) -> Result<Rows, StorageError> {
        match &self.0 {
            Pool::Sqlite(pool) => {
                let query = sqlx::query_with(sql.sqlite, rows::sqlite_arguments(values)?);
                Ok(Rows::Sqlite(query.fetch_all(pool).await?))
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query_with(sql.postgres, rows::postgres_arguments(values)?);
                Ok(Rows::Postgres(query.fetch_all(pool).await?))
            }
        }
    }
}
