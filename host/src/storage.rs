//! The only place for sqlx: one writer, a few readers, one file per table.
//!
//! It speaks in plain rows and knows nothing of what they mean. The schema is in `migrations/sqlite`. Every connection
//! is asked, before its first use, whether a commit through it survives a power cut; one that does not is refused.

mod balances;
mod contacts;
mod duties;
mod entries;
mod facts;
mod head;
mod modules;
mod persons;
mod rows;
mod secrets;
mod settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlSafeStr as _};
use sqlx::{SqliteConnection, SqlitePool};

use crate::clock::Moment;
use crate::ids::Digest;
use crate::money::Micros;

/// Connections that read beside the writer.
const READERS_MAX: u32 = 4;
/// How long the writer waits for readers when it empties the log; facts wait meanwhile.
const SCRUB_WAIT: Duration = Duration::from_millis(20);
/// Rows that a query may run ahead of whoever takes them.
const ROWS_AHEAD: usize = 256;

/// A fact as it lies in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the journal, from 1, without gaps.
    pub seq: u64,
    pub at: Moment,
    /// The ping that it is about.
    pub subject: Option<u128>,
    pub kind: u16,
    pub payload: Vec<u8>,
    /// Its link in the chain.
    pub hash: Digest,
}

/// One leg of a fact's double entry as it lies in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The fact that it belongs to.
    pub seq: u64,
    pub account: String,
    /// Above zero is a debit, below zero a credit.
    pub amount: Micros,
    pub code: String,
    /// The fact with the account's leg before this one, 0 if there is none.
    pub previous: u64,
}

/// What tells one duty from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DutyKey {
    pub subject: u128,
    /// Tells the duties of one subject apart.
    pub step: u32,
}

/// Something still to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub key: DutyKey,
    pub kind: u16,
    /// Not to be tried before.
    pub due: Moment,
    /// How often it was tried.
    pub attempts: u32,
    pub payload: Vec<u8>,
}

/// One line of an account's statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub seq: u64,
    pub at: Moment,
    pub subject: Option<u128>,
    /// Above zero is a debit, below zero a credit.
    pub amount: Micros,
    pub code: String,
}

/// The newest fact: how far the journal goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// 0 before the first fact.
    pub seq: u64,
    /// All zeros before the first fact.
    pub hash: Digest,
}

/// How far each part of the journal goes, and the balances, all at one moment.
#[derive(Debug)]
pub struct Extent {
    pub head: Head,
    /// The newest fact's number, 0 if there is none.
    pub facts_end: u64,
    /// The number of the newest fact that has entries, 0 if there is none.
    pub entries_end: u64,
    pub balances: Vec<Balance>,
}

/// Where an account stands, or by how much one transaction moves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub account: String,
    /// Above zero is a debit, below zero a credit.
    pub amount: Micros,
    /// The newest fact that moved it.
    pub newest: u64,
}

/// Everything that one transaction writes. Each key appears at most once in each list.
#[derive(Debug, Default)]
pub struct Batch {
    pub facts: Vec<Stored>,
    pub entries: Vec<EntryRow>,
    /// By how much each account moves.
    pub moves: Vec<Balance>,
    pub duties: Vec<Duty>,
    pub rescheduled: Vec<(DutyKey, Moment, u32)>,
    pub done: Vec<DutyKey>,
    pub contacts: Vec<ContactRow>,
    /// Contact data that no delivery needs any more, and until when it is kept.
    pub kept: Vec<(u128, Moment)>,
    /// Contact data that goes, with its key.
    pub forgotten: Vec<u128>,
    pub persons: Vec<PersonRow>,
    /// Subjects whose prints go.
    pub persons_forgotten: Vec<u128>,
    /// Prints that were to be kept until before this go.
    pub persons_before: Option<Moment>,
    /// Keys that were wrapped anew.
    pub contact_keys: Vec<(u128, Vec<u8>)>,
    pub secrets: Vec<(String, Vec<u8>)>,
    pub modules: Vec<(Digest, Vec<u8>)>,
    pub head: Head,
}

/// One leg on its way to the ledger.
#[derive(Debug)]
pub struct EntryRow {
    pub seq: u64,
    pub leg: u32,
    pub account: String,
    pub amount: Micros,
    pub code: &'static str,
    /// The fact with the account's leg before this one, 0 if there is none.
    pub previous: u64,
}

/// Contact data as it lies in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    pub subject: u128,
    pub sealed: Vec<u8>,
    /// The key that opens it, wrapped.
    pub key: Vec<u8>,
    /// When it is forgotten; none while a delivery may need it.
    pub until: Option<Moment>,
}

/// By what a lead's person is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub print: [u8; 32],
    pub subject: u128,
    pub until: Moment,
}

/// Why the database could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the database {} cannot be opened", file.display())]
    Open { file: PathBuf, source: sqlx::Error },
    #[error(
        "the database's setting `{name}` is {actual}, but a commit is only durable with {wanted}"
    )]
    Setting { name: &'static str, actual: String, wanted: &'static str },
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("row {seq} of table `{table}` has no readable `{column}`")]
    Row { table: &'static str, seq: u64, column: &'static str },
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
}

impl StorageError {
    /// Whether the database file itself is malformed.
    pub fn is_damage(&self) -> bool {
        let error = match self {
            Self::Open { source, .. } | Self::Sql(source) => source,
            Self::Setting { .. } | Self::Migrate(_) | Self::Row { .. } => return false,
        };
        // SQLITE_CORRUPT and SQLITE_NOTADB; the low byte is the code, the rest says more.
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
        matches!(code.map(|code| code & 0xff), Some(11 | 26))
    }
}

/// The one connection that writes.
#[derive(Debug)]
pub struct Writer {
    connection: SqliteConnection,
}

/// Connections that only read. They see what is committed, at once.
#[derive(Clone, Debug)]
pub struct Readers {
    pool: SqlitePool,
}

impl Writer {
    /// Opens the database for writing, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// If the file cannot be opened, a durability setting does not hold, or the schema is newer than this program.
    pub async fn open(file: &Path) -> Result<Self, StorageError> {
        let options = options(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What is deleted is overwritten: a forgotten person must not linger in a free page.
            .pragma("secure_delete", "ON");
        let opened = options.connect().await;
        let mut connection =
            opened.map_err(|source| StorageError::Open { file: file.into(), source })?;
        settings::check(&mut connection).await?;
        migrations().run(&mut connection).await.map_err(StorageError::Migrate)?;
        Ok(Self { connection })
    }

    /// Writes everything in the batch in one transaction. When it returns without an error, the batch is durable.
    ///
    /// # Errors
    /// After an error it is unknown what is on disk: the caller must not go on.
    pub async fn write(&mut self, batch: Batch) -> Result<(), StorageError> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        facts::insert(&mut tx, batch.facts).await?;
        entries::insert(&mut tx, batch.entries).await?;
        balances::add(&mut tx, batch.moves).await?;
        duties::delete(&mut tx, batch.done).await?;
        duties::put(&mut tx, batch.duties).await?;
        duties::reschedule(&mut tx, batch.rescheduled).await?;
        contacts::delete(&mut tx, batch.forgotten).await?;
        contacts::put(&mut tx, batch.contacts).await?;
        contacts::keep(&mut tx, batch.kept).await?;
        contacts::put_keys(&mut tx, batch.contact_keys).await?;
        persons::delete(&mut tx, batch.persons_forgotten).await?;
        persons::put(&mut tx, batch.persons).await?;
        persons::sweep(&mut tx, batch.persons_before).await?;
        secrets::put(&mut tx, batch.secrets).await?;
        modules::put(&mut tx, batch.modules).await?;
        head::set(&mut tx, batch.head).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps a wrapped key of the exchange itself. Durable when it returns.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn put_secret(&mut self, name: &str, wrapped: Vec<u8>) -> Result<(), StorageError> {
        secrets::put(&mut self.connection, vec![(name.to_owned(), wrapped)]).await
    }

    /// Moves the write-ahead log into the database file and empties it, so that what was deleted is gone from it too.
    /// Returns whether it could: not while somebody reads.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn scrub(&mut self) -> Result<bool, StorageError> {
        settings::wait(&mut self.connection, SCRUB_WAIT).await?;
        let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        let busy: i64 = moved.fetch_one(&mut self.connection).await?.try_get(0)?;
        settings::wait(&mut self.connection, settings::BUSY_TIMEOUT).await?;
        Ok(busy == 0)
    }

    /// Moves the write-ahead log into the database file and closes the connection.
    ///
    /// # Errors
    /// If the database failed; everything committed is durable even so.
    pub async fn close(mut self) -> Result<(), StorageError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await?;
        Ok(self.connection.close().await?)
    }
}

impl Readers {
    /// Opens the database for reading, beside whoever writes to it.
    ///
    /// # Errors
    /// If there is no such database, it cannot be opened, or a durability setting does not hold.
    pub async fn open(file: &Path) -> Result<Self, StorageError> {
        let pool =
            SqlitePoolOptions::new().max_connections(READERS_MAX).after_connect(|connection, _| {
                Box::pin(async move {
                    let checked = settings::check(connection).await;
                    checked.map_err(|error| sqlx::Error::Configuration(error.into()))
                })
            });
        let opened = pool.connect_with(options(file).read_only(true)).await;
        let pool = opened.map_err(|source| StorageError::Open { file: file.into(), source })?;
        Ok(Self { pool })
    }

    /// Has the database check its own structure, indexes included; returns its complaint, if it has one.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn integrity(&self) -> Result<Option<String>, StorageError> {
        let row = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&self.pool).await?;
        let answer: String = row.try_get(0)?;
        Ok((answer != "ok").then_some(answer))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(settings::BUSY_TIMEOUT)
        // A mapped page hides read errors and shows stray writes.
        .pragma("mmap_size", "0")
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

fn migrations() -> Migrator {
    let first = include_str!("../migrations/sqlite/0001_journal.sql").into_sql_str();
    Migrator::with_migrations(vec![Migration::new(
        1,
        "journal".into(),
        MigrationType::Simple,
        first,
        false,
    )])
}

/// Changes a database behind the journal's back, as a slip of the hand or an attacker would.
#[cfg(test)]
pub(crate) async fn tamper(file: &Path, sql: &'static str) {
    let mut connection = options(file).foreign_keys(false).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
