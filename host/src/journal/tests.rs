//! What the journal promises, tried out on real files and a real server.

mod contract;
mod damage;
mod lost;
#[path = "../../../tests/postgres.rs"]
mod postgres;
mod proxy;
mod stopping;
mod tls;

use std::convert::Infallible;
use std::path::Path;

use super::*;
use crate::clock::Moment;
use crate::storage::{Database, tamper};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// Makes a place for a journal that nobody else knows.
    fn home(self) -> Home {
        let url = match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::Server::shared().database().parse().unwrap()),
        };
        Home { directory: tempfile::tempdir().unwrap(), url }
    }
}

/// A place for a journal.
#[derive(Debug)]
struct Home {
    directory: tempfile::TempDir,
    url: Option<Url>,
}

impl Home {
    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn place(&self) -> Place {
        Place { database: self.url.clone(), ..Place::from(self.path()) }
    }

    fn database(&self) -> Database {
        match &self.url {
            Some(url) => Database::Postgres(url.clone()),
            None => Database::Sqlite(self.path().join("journal.db")),
        }
    }

    /// The address of its database.
    fn address(&self) -> String {
        self.url.as_ref().unwrap().to_string()
    }

    /// Changes the database behind the journal's back. The text is SQLite's.
    async fn tamper(&self, sql: &str) {
        let mut sql = sql.to_owned();
        if self.url.is_some() {
            for hex in ["", "00", "66"] {
                sql = sql.replace(&format!("x'{hex}'"), &format!("'\\x{hex}'::bytea"));
            }
            for bytes in ["16", "32"] {
                let zeros = format!("decode(repeat('00', {bytes}), 'hex')");
                sql = sql.replace(&format!("zeroblob({bytes})"), &zeros);
            }
        }
        tamper(&self.database(), &sql).await;
    }
}

impl From<&Home> for Place {
    fn from(home: &Home) -> Self {
        home.place()
    }
}

/// Fact number `n` of a test: every third is about nothing, the others about ping `n / 3`; every second moves money.
fn record(n: u64) -> Record {
    let amount = Micros::new(1_000 + i64::try_from(n).unwrap());
    let entry = |account: &str, amount| Entry { account: account.to_owned(), amount, code: "sale" };
    let back = Micros::ZERO.checked_sub(amount).unwrap();
    Record {
        at: Moment::from_unix_ms(1_767_225_600_000 + i64::try_from(n).unwrap()),
        subject: (!n.is_multiple_of(3)).then_some(u128::from(n / 3)),
        kind: 7,
        payload: format!("fact number {n}").into_bytes(),
        entries: match n % 2 {
            0 => vec![entry("buyer:acme:prepaid", amount), entry("source:x:payable", back)],
            _ => Vec::new(),
        },
        ..Record::default()
    }
}

async fn open(place: impl Into<Place>) -> Journal {
    let mut opened = Journal::open(place).await.unwrap();
    opened.recover(|_| Ok::<_, Infallible>(())).await.unwrap();
    opened.start().unwrap()
}

async fn commit(journal: &Journal, record: Record) -> u64 {
    journal.seat().await.unwrap().fill(record).wait().await.unwrap()
}

/// A closed journal with this many facts.
async fn journal_of(kind: Kind, facts: u64) -> Home {
    let directory = kind.home();
    let journal = open(&directory).await;
    for n in 1..=facts {
        commit(&journal, record(n)).await;
    }
    journal.close().await;
    directory
}

async fn verify(place: impl Into<Place>) -> Result<Audit, JournalError> {
    let reading = Reading::open(place).await?;
    let audit = reading.verify().await;
    reading.close().await;
    audit
}

/// What `recover` says, and how many facts it gave out before.
async fn recovered(place: impl Into<Place>) -> (u64, String) {
    let mut facts = 0;
    let mut opened = match Journal::open(place).await {
        Ok(opened) => opened,
        Err(error) => return (0, error.to_string()),
    };
    let read = opened.recover(|_| {
        facts += 1;
        Ok::<_, Infallible>(())
    });
    let said = read.await.map_or_else(|error| error.to_string(), |_| "holds".to_owned());
    (facts, said)
}
