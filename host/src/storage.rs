//! The only place for sqlx: one writer, a few readers, one file per table.
//!
//! It speaks in plain rows and knows nothing of what they mean; nobody outside knows which database it speaks to. The
//! schemas are in `migrations`. Every connection is asked, before its first use, whether a commit through it survives a
//! power cut; one that does not is refused, unless that setting was accepted by name. One process writes at a time:
//! each start counts an epoch up, and a batch is only taken from the process whose epoch it is.

mod balances;
mod contacts;
mod database;
mod duties;
mod entries;
mod facts;
mod head;
mod modules;
mod persons;
mod postgres;
mod readers;
mod rows;
mod secrets;
mod settings;
mod sqlite;
mod writer;

use std::path::PathBuf;

use crate::clock::Moment;
use crate::ids::Digest;
use crate::money::Micros;

pub use database::{Database, Url};
pub use entries::Entries;
pub use readers::{Reach, Readers};
pub use settings::{Accepted, SETTINGS};
pub use writer::Writer;

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
    pub facts: Vec<(Stored, Entries)>,
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

/// Contact data as it lies in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    pub subject: u128,
    pub sealed: Vec<u8>,
    /// The key that opens it, wrapped.
    pub key: Vec<u8>,
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
        "the database {url} cannot be reached; is the server running, and are name and password right?"
    )]
    Connect { url: Url, source: sqlx::Error },
    #[error(
        "{url} is there, but it and this program do not agree on TLS; `sslmode=verify-full&sslrootcert=FILE` in the address \
         compares the server's certificate with the authorities in FILE, `sslmode=require` takes any, and \
         `sslmode=disable` does without"
    )]
    Tls { url: Url, source: sqlx::Error },
    #[error(
        "the database's setting `{name}` is {actual}, but a commit is only durable with {wanted}; {remedy}, or start with \
         --accept-unsafe-database {name} and risk that acknowledged facts are lost"
    )]
    Setting { name: &'static str, actual: String, wanted: &'static str, remedy: &'static str },
    #[error(
        "{url} is a standby in recovery; connect to the primary, because only there can money be moved"
    )]
    Standby { url: Url },
    #[error(
        "{url} is in use by another process ({holder}); stop that one, or give this one a database of its own. If that \
         process cannot be reached, `SELECT pg_terminate_backend({pid})` takes the database from it for good"
    )]
    InUse { url: Url, holder: String, pid: i32 },
    #[error("another process has taken the database over, so this one may not write any more")]
    Fenced,
    #[error(
        "the database ends at fact {found}, though fact {acknowledged} was acknowledged: it is an older copy, such as a \
         standby that was behind when it took over"
    )]
    Older { found: u64, acknowledged: u64 },
    #[error("a server's database is no file to copy")]
    NoFile,
    #[error("the database did not answer in time")]
    Silent,
    #[error(
        "the database's schema has version {found}, and this program knows versions up to {known}; start the program \
         that wrote it last, or a newer one"
    )]
    Newer { found: i64, known: i64 },
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("row {seq} of table `{table}` has no readable `{column}`")]
    Row { table: &'static str, seq: u64, column: &'static str },
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
}

impl StorageError {
    /// Returns the error and what caused it, on one line.
    pub fn told(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // The driver's errors repeat their cause.
            let more = error.to_string();
            if !text.ends_with(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        text
    }

    /// Whether the database's files themselves are malformed.
    pub fn is_damage(&self) -> bool {
        let (Self::Open { source, .. } | Self::Sql(source)) = self else { return false };
        let code = source.as_database_error().and_then(|error| error.code());
        let Some(code) = code else { return false };
        // PostgreSQL's data_corrupted and index_corrupted have letters; SQLite's codes are numbers: SQLITE_CORRUPT and
        // SQLITE_NOTADB, where the low byte is the code and the rest says more.
        matches!(&*code, "XX001" | "XX002")
            || matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(11 | 26))
    }

    /// Whether it is unknown what became of a transaction, or the connection can be had again.
    fn is_lost_connection(&self) -> bool {
        let error = match self {
            Self::Silent | Self::Standby { .. } => return true,
            Self::Connect { source, .. } | Self::Sql(source) => source,
            _ => return false,
        };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
            // Connection exceptions, shutdowns, too many connections, aborts in favour of another transaction, and
            // completion unknown.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code.starts_with("08")
                    || code.starts_with("57P")
                    || matches!(&*code, "53300" | "40001" | "40P01" | "40003" | "25P03" | "25P04")
            }),
            _ => false,
        }
    }
}

/// Changes a database behind the journal's back, as a slip of the hand or an attacker would.
#[cfg(test)]
pub(crate) use database::tamper;
