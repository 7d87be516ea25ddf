//! The settings without which a commit may be lost at a power cut, asked of every connection.

use std::fmt;
use std::time::Duration;

use sqlx::{PgConnection, Row as _, SqliteConnection};

use super::StorageError;

/// How long a connection of SQLite waits for another's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Older releases of SQLite can corrupt a database when its log is reset while two connections write.
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);
/// The oldest release of PostgreSQL that its makers still mend.
const POSTGRES_MIN: u32 = 14;

/// What is asked, and what the answer must be.
struct Setting {
    name: &'static str,
    query: &'static str,
    /// Every answer that will do; a version is compared otherwise.
    good: &'static [&'static str],
    wanted: &'static str,
    remedy: &'static str,
}

const SQLITE: [Setting; 6] = [
    Setting {
        name: "sqlite_version",
        query: "SELECT sqlite_version()",
        good: &[],
        wanted: "3.51.3 or newer",
        remedy: "build the program with the SQLite that it brings along",
    },
    ours("journal_mode", "PRAGMA journal_mode", &["wal"]),
    ours("synchronous", "PRAGMA synchronous", &["2"]),
    ours("foreign_keys", "PRAGMA foreign_keys", &["1"]),
    ours("busy_timeout", "PRAGMA busy_timeout", &["5000"]),
    ours("mmap_size", "PRAGMA mmap_size", &["0"]),
];

/// One that the program itself sets on every connection.
const fn ours(
    name: &'static str,
    query: &'static str,
    good: &'static [&'static str; 1],
) -> Setting {
    let [wanted] = *good;
    Setting {
        name,
        query,
        good,
        wanted,
        remedy: "keep the database on a local disk that lets it be set",
    }
}

const POSTGRES: [Setting; 5] = [
    Setting {
        name: "server_version",
        query: "SELECT current_setting('server_version')",
        good: &[],
        wanted: "14 or newer",
        remedy: "upgrade the server",
    },
    Setting {
        name: "fsync",
        query: "SELECT current_setting('fsync')",
        good: &["on"],
        wanted: "on",
        remedy: "set it with `ALTER SYSTEM SET fsync = on` and `SELECT pg_reload_conf()`",
    },
    Setting {
        name: "full_page_writes",
        query: "SELECT current_setting('full_page_writes')",
        good: &["on"],
        wanted: "on",
        remedy: "set it with `ALTER SYSTEM SET full_page_writes = on` and `SELECT pg_reload_conf()`",
    },
    Setting {
        name: "synchronous_commit",
        query: "SELECT current_setting('synchronous_commit')",
        good: &["on", "remote_apply"],
        wanted: "on or remote_apply",
        remedy: "set it with `ALTER SYSTEM SET synchronous_commit = on` and `SELECT pg_reload_conf()`, and look for another value that is set for the role or the database",
    },
    Setting {
        name: "data_checksums",
        query: "SELECT current_setting('data_checksums')",
        good: &["on"],
        wanted: "on",
        remedy: "stop the server and run `pg_checksums --enable -D DIRECTORY`",
    },
];

/// Every setting that can be accepted by name.
pub const SETTINGS: [&str; 11] = [
    "sqlite_version",
    "journal_mode",
    "synchronous",
    "foreign_keys",
    "busy_timeout",
    "mmap_size",
    "server_version",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "data_checksums",
];

/// Settings that may be as they are, though a commit may be lost by it. Each start says so in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted(Vec<&'static str>);

impl Accepted {
    /// Reads names of settings.
    ///
    /// # Errors
    /// Says of each name that is none which there are.
    pub fn read(names: &[String]) -> Result<Self, Vec<String>> {
        let known = |name: &String| {
            let known = SETTINGS.iter().copied().find(|known| known == name);
            known.ok_or_else(|| {
                format!("--accept-unsafe-database {name}: expected one of {}", SETTINGS.join(", "))
            })
        };
        let (known, unknown): (Vec<_>, Vec<_>) = names.iter().map(known).partition(Result::is_ok);
        if unknown.is_empty() {
            return Ok(Self(known.into_iter().flatten().collect()));
        }
        Err(unknown.into_iter().filter_map(Result::err).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// A setting that is not as it should be and was accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Risk {
    name: &'static str,
    actual: String,
    wanted: &'static str,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {} instead of {}", self.name, self.actual, self.wanted)
    }
}

/// Says in the log what was accepted.
pub(super) fn warn(risks: &[Risk]) {
    for risk in risks {
        tracing::warn!(
            setting = risk.name, actual = %risk.actual, wanted = risk.wanted,
            "unsafe database accepted: acknowledged facts may be lost"
        );
    }
}

/// Refuses a connection through which a commit might not be durable; returns what was accepted of it.
pub(super) async fn check_sqlite(
    connection: &mut SqliteConnection,
    accepted: &Accepted,
) -> Result<Vec<Risk>, StorageError> {
    let mut risks = Vec::new();
    for setting in &SQLITE {
        let row = sqlx::query(setting.query).fetch_one(&mut *connection).await?;
        let actual = match row.try_get::<String, _>(0) {
            Ok(text) => text,
            Err(_) => row.try_get::<i64, _>(0)?.to_string(),
        };
        let good = match setting.good {
            [] => version(&actual) >= SQLITE_MIN,
            good => good.contains(&&*actual),
        };
        risks.extend(judge(setting, good, actual, accepted)?);
    }
    Ok(risks)
}

/// Refuses a server on which a commit might not be durable; returns what was accepted of it.
pub(super) async fn check_postgres(
    connection: &mut PgConnection,
    accepted: &Accepted,
) -> Result<Vec<Risk>, StorageError> {
    let mut risks = Vec::new();
    for setting in &POSTGRES {
        let row = sqlx::query(setting.query).fetch_one(&mut *connection).await?;
        let actual: String = row.try_get(0)?;
        let good = match setting.good {
            [] => version(&actual).0 >= POSTGRES_MIN,
            good => good.contains(&&*actual),
        };
        risks.extend(judge(setting, good, actual, accepted)?);
    }
    Ok(risks)
}

fn judge(
    &Setting { name, wanted, remedy, .. }: &Setting,
    good: bool,
    actual: String,
    accepted: &Accepted,
) -> Result<Option<Risk>, StorageError> {
    match good {
        true => Ok(None),
        false if accepted.has(name) => Ok(Some(Risk { name, actual, wanted })),
        false => Err(StorageError::Setting { name, actual, wanted, remedy }),
    }
}

/// Reads `3.51.3` or `15.18 (Debian 15.18-0)`; what is no number is 0.
fn version(text: &str) -> (u32, u32, u32) {
    let digits = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.split_at(end).0.parse().unwrap_or(0)
    };
    let mut parts = text.split('.').map(digits);
    let mut part = || parts.next().unwrap_or(0);
    (part(), part(), part())
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    use super::*;

    async fn check_with(
        accepted: &[&str],
        change: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> String {
        let directory = tempfile::tempdir().unwrap();
        let options = super::super::sqlite::options(&directory.path().join("test.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut connection = change(options).connect().await.unwrap();
        let accepted: Vec<String> = accepted.iter().map(|&name| name.to_owned()).collect();
        match check_sqlite(&mut connection, &Accepted::read(&accepted).unwrap()).await {
            Ok(risks) if risks.is_empty() => "durable".to_owned(),
            Ok(risks) => risks.iter().map(Risk::to_string).collect::<Vec<_>>().join(", "),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn our_own_settings_are_durable() {
        assert_eq!(check_with(&[], |options| options).await, "durable");
    }

    #[tokio::test]
    async fn a_setting_that_could_lose_a_commit_is_refused_unless_it_is_accepted() {
        let normal = |options: SqliteConnectOptions| options.synchronous(SqliteSynchronous::Normal);
        assert_eq!(
            check_with(&["journal_mode"], normal).await,
            "the database's setting `synchronous` is 1, but a commit is only durable with 2; keep the database on a \
             local disk that lets it be set, or start with --accept-unsafe-database synchronous and risk that \
             acknowledged facts are lost"
        );
        assert_eq!(check_with(&["synchronous"], normal).await, "synchronous is 1 instead of 2");
        for (says, change) in [
            ("`journal_mode` is memory", "journal_mode=memory"),
            ("`foreign_keys` is 0", "foreign_keys=0"),
            ("`mmap_size` is 4096", "mmap_size=4096"),
            ("`busy_timeout` is 0", "busy_timeout=0"),
        ] {
            let said = check_with(&[], |options| {
                let (name, value) = change.split_once('=').unwrap();
                options.pragma(name, value)
            });
            let said = said.await;
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_release_that_is_too_old_is_known_by_its_number() {
        assert!(version("3.51.3") >= SQLITE_MIN && version("3.52.0") >= SQLITE_MIN);
        assert!(version("4.0.0") >= SQLITE_MIN && version("3.51.2") < SQLITE_MIN);
        assert!(version("3.8.11") < SQLITE_MIN && version("") < SQLITE_MIN);
        assert!(version("15.18 (Debian 15.18-0+deb12u1)").0 >= POSTGRES_MIN);
        assert!(version("14beta1").0 >= POSTGRES_MIN && version("13.22").0 < POSTGRES_MIN);
    }

    #[test]
    fn only_known_settings_can_be_accepted() {
        let tables = SQLITE.iter().chain(&POSTGRES).map(|setting| setting.name);
        assert_eq!(tables.collect::<Vec<_>>(), SETTINGS);
        let wrong = Accepted::read(&["fsync".to_owned(), "fsink".to_owned()]).unwrap_err();
        assert_eq!(wrong.len(), 1);
        assert!(
            wrong[0].starts_with("--accept-unsafe-database fsink: expected one of "),
            "{wrong:?}"
        );
    }
}
