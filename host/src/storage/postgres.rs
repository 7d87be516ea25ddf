//! PostgreSQL: a server elsewhere, which may be lost in the middle of a commit and found again.
//!
//! The writing session holds an advisory lock, so a second process refuses to start, and an epoch, so a process that
//! lost its session without noticing can write nothing. When a connection ends and it is unknown whether the commit was
//! heard, the lock is taken again first: by then the old session has ended one way or the other, and the head of the
//! journal says which.
//!
//! `sslmode` in the address says how much TLS there must be; without it TLS is spoken if the server offers it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, Row as _};

use super::head::Guard;
use super::readers::{READERS_MAX, Reach};
use super::rows::{Link, Rows};
use super::settings::{self, Accepted};
use super::{Batch, StorageError, Url, database, head, writer};

/// How long connecting may take, once.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long one batch may take before the connection counts as lost.
const BATCH_MAX: Duration = Duration::from_secs(30);
/// How long a lost database is looked for before the process stops.
const SEARCH_MAX: Duration = Duration::from_secs(60);
/// How long a start waits for the lock: the server may not have noticed yet that a killed process is gone.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// How long to wait between two looks.
const SEARCH_PAUSE: Duration = Duration::from_millis(200);
/// The first half of the advisory lock's key; the second is the schema, so that each may have a journal of its own.
const LOCK: &str = "hashtext('gavel journal'), hashtext(current_schema())";

/// The session that writes.
#[derive(Debug)]
pub(super) struct Session {
    url: Url,
    accepted: Accepted,
    connection: PgConnection,
    /// The server's number for this session.
    pid: i32,
}

/// Whether the lock was to be had.
enum Locking {
    Taken(Session),
    HeldBy { pid: i32, holder: String },
}

/// What became of a batch whose commit was not answered.
enum Outcome {
    Written,
    NotWritten,
}

impl Session {
    /// Connects, takes the lock, brings the schema up to date and begins an epoch.
    pub(super) async fn begin(
        url: &Url,
        accepted: &Accepted,
    ) -> Result<(Self, Guard), StorageError> {
        let give_up = Instant::now() + LOCK_WAIT;
        let mut session = loop {
            match Self::lock(url, accepted).await? {
                Locking::Taken(session) => break session,
                Locking::HeldBy { .. } if Instant::now() < give_up => {
                    tokio::time::sleep(SEARCH_PAUSE).await;
                }
                Locking::HeldBy { pid, holder } => {
                    return Err(StorageError::InUse { url: url.clone(), holder, pid });
                }
            }
        };
        settings::warn(&settings::check_postgres(&mut session.connection, accepted).await?);
        database::migrate(&mut session.connection, |step| step.2).await?;
        let guard = session.head(head::BEGIN).await?;
        Ok((session, guard))
    }

    /// Connects to the primary and takes the lock, if nobody has it.
    async fn lock(url: &Url, accepted: &Accepted) -> Result<Locking, StorageError> {
        let mut connection = connect(url).await?;
        refuse_standby(url, &mut connection).await?;
        let lock =
            sqlx::AssertSqlSafe(format!("SELECT pg_backend_pid(), pg_try_advisory_lock({LOCK})"));
        let row = sqlx::query(lock).fetch_one(&mut connection).await?;
        let (pid, taken): (i32, bool) = (row.try_get(0)?, row.try_get(1)?);
        if taken {
            let (url, accepted) = (url.clone(), accepted.clone());
            return Ok(Locking::Taken(Self { url, accepted, connection, pid }));
        }
        let holder = "SELECT pid, concat_ws(', ', usename, nullif(application_name, ''), host(client_addr), \
                          'since ' || backend_start::timestamptz(0)) \
                      FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted \
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                          AND classid::bigint = hashtext('gavel journal')::bigint & 4294967295 \
                          AND objid::bigint = hashtext(current_schema())::bigint & 4294967295";
        let row = sqlx::query(holder).fetch_optional(&mut connection).await?;
        connection.close().await?;
        let unknown = || Ok(Locking::HeldBy { pid: 0, holder: "it has just ended".to_owned() });
        row.map_or_else(unknown, |row| {
            Ok(Locking::HeldBy { pid: row.try_get(0)?, holder: row.try_get(1)? })
        })
    }

    /// Writes a batch once, whatever becomes of the connection.
    pub(super) async fn write(&mut self, guard: Guard, batch: &Batch) -> Result<(), StorageError> {
        let Err(mut error) = self.attempt(guard, batch).await else { return Ok(()) };
        let give_up = Instant::now() + SEARCH_MAX;
        while error.is_lost_connection() && Instant::now() < give_up {
            tracing::warn!(
                error = error.told(),
                seq = batch.head.seq,
                "database lost, looking for it"
            );
            match self.find_out(guard, batch, give_up).await? {
                Outcome::Written => {
                    tracing::info!(seq = batch.head.seq, "database found, it has the batch");
                    return Ok(());
                }
                Outcome::NotWritten => {
                    tracing::info!(seq = batch.head.seq, "database found, writing the batch again");
                    let Err(again) = self.attempt(guard, batch).await else { return Ok(()) };
                    error = again;
                }
            }
        }
        Err(error)
    }

    async fn attempt(&mut self, guard: Guard, batch: &Batch) -> Result<(), StorageError> {
        let connection = &mut self.connection;
        let writing = async {
            let mut tx = connection.begin().await?;
            writer::write_tables(&mut Link::Postgres(&mut tx), guard, batch).await?;
            Ok(tx.commit().await?)
        };
        // A session that is left in the middle is never used again: what follows is `find_out`.
        tokio::time::timeout(BATCH_MAX, writing).await.unwrap_or(Err(StorageError::Silent))
    }

    /// Finds the database again and whether it has the batch.
    ///
    /// A batch without facts moves no head, so it counts as not written: all that it holds may be written twice.
    async fn find_out(
        &mut self,
        guard: Guard,
        batch: &Batch,
        give_up: Instant,
    ) -> Result<Outcome, StorageError> {
        let found = loop {
            let error = match self.look().await {
                Ok(found) => break found,
                Err(error) => error,
            };
            if !error.is_lost_connection() || Instant::now() > give_up {
                return Err(error);
            }
            tokio::time::sleep(SEARCH_PAUSE).await;
        };
        if found.epoch != guard.epoch {
            return Err(StorageError::Fenced);
        }
        match found.head {
            head if head == guard.head => Ok(Outcome::NotWritten),
            head if head == batch.head => Ok(Outcome::Written),
            head if head.seq < guard.head.seq => {
                Err(StorageError::Older { found: head.seq, acknowledged: guard.head.seq })
            }
            _ => Err(StorageError::Fenced),
        }
    }

    /// Begins a new session in place of the lost one and reads how far the journal goes.
    async fn look(&mut self) -> Result<Guard, StorageError> {
        let session = match Self::lock(&self.url, &self.accepted).await? {
            Locking::Taken(session) => session,
            Locking::HeldBy { pid, .. } if pid == self.pid || pid == 0 => {
                // The server has not noticed yet that our old session is gone.
                let mut connection = connect(&self.url).await?;
                let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(pid);
                end.execute(&mut connection).await?;
                return Err(StorageError::Silent);
            }
            Locking::HeldBy { .. } => return Err(StorageError::Fenced),
        };
        *self = session;
        settings::check_postgres(&mut self.connection, &self.accepted).await?;
        self.head(head::SELECT).await
    }

    async fn head(&mut self, sql: &'static str) -> Result<Guard, StorageError> {
        let rows = Rows::Postgres(sqlx::query(sql).fetch_all(&mut self.connection).await?);
        rows.first(head::read)?.ok_or(head::NO_HEAD)
    }

    /// Lets the lock and the connection go.
    pub(super) async fn close(self) -> Result<(), StorageError> {
        Ok(self.connection.close().await?)
    }
}

/// Opens connections for reading.
pub(super) async fn readers(url: &Url, reach: Reach) -> Result<PgPool, StorageError> {
    let primary = url.clone();
    let pool = PgPoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(CONNECT_MAX)
        .after_connect(move |connection, _| {
            let primary = primary.clone();
            Box::pin(async move {
                if reach == Reach::Anywhere {
                    return Ok(());
                }
                let checked = refuse_standby(&primary, connection).await;
                checked.map_err(|error| sqlx::Error::Configuration(error.into()))
            })
        });
    // The first one by hand: a pool would only say that it waited too long.
    connect(url).await?.close().await?;
    let options = options(url)?.options([("default_transaction_read_only", "on")]);
    let opened = pool.connect_with(options).await;
    opened.map_err(|source| StorageError::Connect { url: url.clone(), source })
}

/// Looks for what the server itself knows to be broken. Its pages have checksums, which every read compares.
pub(super) async fn integrity(pool: &PgPool) -> Result<Option<String>, StorageError> {
    let broken = "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid \
                  WHERE relnamespace = current_schema()::regnamespace AND NOT (indisvalid AND indisready) LIMIT 1";
    let row = sqlx::query(broken).fetch_optional(pool).await?;
    let name = row.map(|row| row.try_get::<String, _>(0)).transpose()?;
    Ok(name.map(|name| format!("index {name} is not valid; rebuild it with REINDEX")))
}

async fn connect(url: &Url) -> Result<PgConnection, StorageError> {
    let failed = |source| match is_of_tls(&source) {
        true => StorageError::Tls { url: url.clone(), source },
        false => StorageError::Connect { url: url.clone(), source },
    };
    let connecting = options(url)?;
    let connected = tokio::time::timeout(CONNECT_MAX, connecting.connect()).await;
    connected.map_err(|_| StorageError::Silent)?.map_err(failed)
}

/// Says whether a server was found, and no TLS with it: a certificate that does not hold comes as malformed input.
fn is_of_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.kind() == ErrorKind::InvalidData,
        _ => false,
    }
}

fn options(url: &Url) -> Result<PgConnectOptions, StorageError> {
    Ok(url.options()?.application_name("gavel").disable_statement_logging())
}

async fn refuse_standby(url: &Url, connection: &mut PgConnection) -> Result<(), StorageError> {
    let row = sqlx::query("SELECT pg_is_in_recovery()").fetch_one(connection).await?;
    match row.try_get(0)? {
        true => Err(StorageError::Standby { url: url.clone() }),
        false => Ok(()),
    }
}
