//! The one connection that writes.

use sqlx::SqliteConnection;

use super::head::Guard;
use super::postgres::Session;
use super::rows::Link;
use super::settings::Accepted;
use super::{
    Batch, Database, Head, StorageError, balances, contacts, duties, facts, head, modules, persons,
    secrets, sqlite,
};

/// The one connection that writes. It holds an epoch: as soon as another process begins one, nothing more is written.
#[derive(Debug)]
pub struct Writer {
    connection: Connection,
    guard: Guard,
}

#[derive(Debug)]
enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<Session>),
}

impl Writer {
    /// Opens the database for writing, brings its schema up to date, and begins an epoch.
    ///
    /// # Errors
    /// If it cannot be opened, another process has it, a durability setting does not hold, or the schema is newer than
    /// this program.
    pub async fn open(database: &Database, accepted: &Accepted) -> Result<Self, StorageError> {
        match database {
            Database::Sqlite(file) => {
                let (connection, guard) = sqlite::open(file, accepted).await?;
                Ok(Self { connection: Connection::Sqlite(Box::new(connection)), guard })
            }
            Database::Postgres(url) => {
                let (session, guard) = Session::begin(url, accepted).await?;
                Ok(Self { connection: Connection::Postgres(Box::new(session)), guard })
            }
        }
    }

    /// Writes everything in the batch in one transaction. When it returns without an error, the batch is durable.
    ///
    /// Where the connection is lost and the database can be reached again, it is asked whether it has the batch: then
    /// that is as good, and otherwise it is written once more.
    ///
    /// # Errors
    /// After an error it is unknown what is durable, or this process may not write any more: the caller must not go on.
    pub async fn write(&mut self, batch: &Batch) -> Result<(), StorageError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::write(connection, self.guard, batch).await?,
            Connection::Postgres(session) => session.write(self.guard, batch).await?,
        }
        self.guard.head = batch.head;
        Ok(())
    }

    /// Keeps a wrapped key of the exchange itself. Durable when it returns.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub async fn put_secret(&mut self, name: &str, wrapped: Vec<u8>) -> Result<(), StorageError> {
        let secrets = vec![(name.to_owned(), wrapped)];
        self.write(&Batch { secrets, head: self.guard.head, ..Batch::default() }).await
    }

    /// Overwrites in every file what was deleted. Returns whether it could: SQLite not while somebody reads its log; in
    /// PostgreSQL it is the server's to do, when it vacuums and when it recycles its log.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn empty_log(&mut self) -> Result<bool, StorageError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::empty_log(connection).await,
            Connection::Postgres(_) => Ok(false),
        }
    }

    /// Returns the newest fact that this connection knows to be durable.
    pub fn head(&self) -> Head {
        self.guard.head
    }

    /// Closes the connection; SQLite moves its log into the database file first.
    ///
    /// # Errors
    /// If the database failed; everything committed is durable even so.
    pub async fn close(self) -> Result<(), StorageError> {
        match self.connection {
            Connection::Sqlite(connection) => sqlite::close(*connection).await,
            Connection::Postgres(session) => session.close().await,
        }
    }
}

/// Writes every table of a batch; the head comes first, because it says whether the rest may be written at all.
pub(super) async fn write_tables(
    link: &mut Link<'_>,
    guard: Guard,
    batch: &Batch,
) -> Result<(), StorageError> {
    head::advance(link, guard, batch.head).await?;
    facts::insert(link, &batch.facts).await?;
    balances::add(link, &batch.moves).await?;
    duties::delete(link, &batch.done).await?;
    duties::put(link, &batch.duties).await?;
    duties::reschedule(link, &batch.rescheduled).await?;
    contacts::delete(link, &batch.forgotten).await?;
    contacts::put(link, &batch.contacts).await?;
    contacts::keep(link, &batch.kept).await?;
    contacts::put_keys(link, &batch.contact_keys).await?;
    persons::delete(link, &batch.persons_forgotten).await?;
    persons::put(link, &batch.persons).await?;
    persons::sweep(link, batch.persons_before).await?;
    secrets::put(link, &batch.secrets).await?;
    modules::put(link, &batch.modules).await
}
