//! Which database, and where. The schema of both is brought up to date here.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;

use super::StorageError;

/// A database that may be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A server of PostgreSQL.
    Postgres(Url),
}

/// The address of a PostgreSQL database: `postgres://user:password@host:5432/name`. It prints without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected postgres://user:password@host:5432/name{0}")]
pub struct NotAnUrl(String);

impl FromStr for Url {
    type Err = NotAnUrl;

    fn from_str(text: &str) -> Result<Self, NotAnUrl> {
        let text = text.trim();
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(NotAnUrl(String::new()));
        }
        match text.parse::<PgConnectOptions>() {
            Ok(options) if options.get_database().is_some() => Ok(Self(text.to_owned())),
            Ok(_) => Err(NotAnUrl(": it names no database".to_owned())),
            Err(error) => Err(NotAnUrl(format!(": {error}"))),
        }
    }
}

impl Url {
    /// Returns the address with its password left out.
    pub fn without_password(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return String::new() };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let authority = match authority.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((user, _)) => format!("{user}@{host}"),
                None => authority.to_owned(),
            },
            None => authority.to_owned(),
        };
        // A password may also stand among the parameters.
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let query: Vec<&str> = query
            .split('&')
            .filter(|one| !one.is_empty() && !one.starts_with("password="))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{authority}{path}{mark}{}", query.join("&"))
    }

    pub(super) fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.0.parse()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_password())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

/// The schema, oldest step first: what it is called, for SQLite, for PostgreSQL.
const STEPS: [(&str, &str, &str); 1] = [(
    "journal",
    include_str!("../../migrations/sqlite/0001_journal.sql"),
    include_str!("../../migrations/postgres/0001_journal.sql"),
)];

/// Brings the schema up to date; each step is a transaction.
pub(super) async fn migrate<C: Migrate>(
    connection: &mut C,
    text: impl Fn(&(&'static str, &'static str, &'static str)) -> &'static str,
) -> Result<(), StorageError> {
    let steps = (1..).zip(&STEPS).map(|(version, step)| {
        let (name, sql) = (step.0.into(), text(step).into_sql_str());
        Migration::new(version, name, MigrationType::Simple, sql, false)
    });
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let migrator = Migrator::with_migrations(steps.collect());
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => StorageError::Newer { found, known },
        error => StorageError::Migrate(error),
    })
}

#[cfg(test)]
pub(crate) async fn tamper(database: &Database, sql: &str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    match database {
        Database::Sqlite(file) => {
            let options = super::sqlite::options(file).foreign_keys(false);
            let mut connection = options.connect().await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Database::Postgres(url) => {
            let mut connection = url.options().unwrap().connect().await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_prints_its_password() {
        for (given, printed) in [
            ("postgres://gavel:s3cret@db:5432/gavel", "postgres://gavel@db:5432/gavel"),
            ("postgres://gavel@db/gavel", "postgres://gavel@db/gavel"),
            ("postgresql://db/gavel?sslmode=disable", "postgresql://db/gavel?sslmode=disable"),
            ("postgres://u:p%40x@db/gavel?password=s3cret&host=x", "postgres://u@db/gavel?host=x"),
        ] {
            let url: Url = given.parse().unwrap();
            assert_eq!(
                (url.to_string(), format!("{url:?}")),
                (printed.to_owned(), format!("Url({printed})"))
            );
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_one_looks_like() {
        for wrong in ["mysql://db/gavel", "gavel", "", "sqlite:gavel.db"] {
            let error = wrong.parse::<Url>().unwrap_err().to_string();
            assert_eq!(error, "expected postgres://user:password@host:5432/name", "{wrong}");
        }
        let error = "postgres://db:5432".parse::<Url>().unwrap_err().to_string();
        assert!(error.ends_with(": it names no database"), "{error}");
    }
}
