//! SQLite: a file in the exchange's own directory.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use sqlx::{SqliteConnection, SqlitePool};

use super::head::Guard;
use super::readers::READERS_MAX;
use super::rows::{Link, Script};
use super::settings::{self, Accepted};
use super::{Batch, StorageError, database, head, rows, writer};

/// How long the writer waits for readers when it empties the log; facts wait meanwhile.
const EMPTYING_WAIT: Duration = Duration::from_millis(20);
/// Of the file, in bytes. A fact takes most of a kilobyte: larger pages are written with fewer calls.
const PAGE_BYTES: u32 = 8 << 10;
/// The log is moved into the file when it has so many pages. Each time costs two syncs, and a page that changed in many
/// commits is moved once.
const LOG_PAGES: u32 = 4_000;
/// Rows that a query may run ahead of whoever takes them: what is read at once when a journal is read back, so that the
/// thread that reads does not sleep and wake for each few of them.
const ROWS_AHEAD: usize = 2_048;

/// Opens the file for writing, makes it if there is none, brings its schema up to date, and begins an epoch.
pub(super) async fn open(
    file: &Path,
    accepted: &Accepted,
) -> Result<(SqliteConnection, Guard), StorageError> {
    let options = options(file)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("wal_autocheckpoint", LOG_PAGES.to_string())
        // What is deleted is overwritten: a forgotten person must not linger in a free page.
        .pragma("secure_delete", "ON");
    let opened = options.connect().await;
    let mut connection =
        opened.map_err(|source| StorageError::Open { file: file.into(), source })?;
    settings::warn(&settings::check_sqlite(&mut connection, accepted).await?);
    database::migrate(&mut connection, |step| step.1).await?;
    let rows = sqlx::query(head::BEGIN).fetch_all(&mut connection).await?;
    let guard = rows::Rows::Sqlite(rows).first(head::read)?.ok_or(head::NO_HEAD)?;
    Ok((connection, guard))
}

/// Opens the file for reading.
pub(super) async fn readers(file: &Path, accepted: &Accepted) -> Result<SqlitePool, StorageError> {
    let accepted = accepted.clone();
    let pool = SqlitePoolOptions::new().max_connections(READERS_MAX).after_connect(
        move |connection, _| {
            let accepted = accepted.clone();
            Box::pin(async move {
                let checked = settings::check_sqlite(connection, &accepted).await;
                checked.map(drop).map_err(|error| sqlx::Error::Configuration(error.into()))
            })
        },
    );
    let opened = pool.connect_with(options(file).read_only(true)).await;
    opened.map_err(|source| StorageError::Open { file: file.into(), source })
}

/// Writes a batch in one transaction.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    guard: Guard,
    batch: &Batch,
) -> Result<(), StorageError> {
    let mut script = Script::default();
    script.add("BEGIN IMMEDIATE", &[])?;
    writer::write_tables(&mut Link::Sqlite(&mut script), guard, batch).await?;
    script.add("COMMIT", &[])?;
    let Err(error) = script.run(&mut *connection).await else { return Ok(()) };
    // Whatever this says, the error before it is the one to be told.
    let _ = sqlx::query("ROLLBACK").execute(connection).await;
    match &error {
        sqlx::Error::Database(why) if why.is_check_violation() => Err(StorageError::Fenced),
        _ => Err(error.into()),
    }
}

/// Copies one moment of the database into a new file, which can be opened like the first.
pub(super) async fn copy(pool: &SqlitePool, file: &Path) -> Result<(), StorageError> {
    let open = |source| StorageError::Open { file: file.into(), source };
    let name = file.to_str().ok_or_else(|| {
        open(sqlx::Error::Configuration("the name of the file is not in UTF-8".into()))
    })?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(pool).await?;
    // The copy has another kind of journal; opening it once gives it the right one.
    let copied = options(file).journal_mode(SqliteJournalMode::Wal).pragma("secure_delete", "ON");
    let mut copied = copied.connect().await.map_err(open)?;
    // What a copy holds of a person, nobody is to open: erasure would not reach it.
    sqlx::query("DELETE FROM contact_key").execute(&mut copied).await?;
    close(copied).await
}

/// Moves the write-ahead log into the file and empties it. Returns whether it could: not while somebody reads.
pub(super) async fn empty_log(connection: &mut SqliteConnection) -> Result<bool, StorageError> {
    wait(connection, EMPTYING_WAIT).await?;
    let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
    let busy: i64 = moved.try_get(0)?;
    wait(connection, settings::BUSY_TIMEOUT).await?;
    Ok(busy == 0)
}

/// Has the connection wait so long for another's lock from now on.
async fn wait(connection: &mut SqliteConnection, patience: Duration) -> Result<(), StorageError> {
    let pragma = AssertSqlSafe(format!("PRAGMA busy_timeout = {}", patience.as_millis()));
    sqlx::query(pragma).execute(connection).await?;
    Ok(())
}

/// Moves the write-ahead log into the file and closes it.
pub(super) async fn close(mut connection: SqliteConnection) -> Result<(), StorageError> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

pub(super) fn options(file: &Path) -> SqliteConnectOptions {
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
