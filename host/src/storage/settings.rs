//! The settings without which a commit may be lost at a power cut, asked of every connection.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::StorageError;

/// How long a connection waits for another's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Older releases can corrupt a database when its log is reset while two connections write.
const VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

/// Refuses a connection through which a commit might not be durable.
pub(super) async fn check(connection: &mut SqliteConnection) -> Result<(), StorageError> {
    let version = ask(connection, "SELECT sqlite_version()").await?;
    if !new_enough(&version) {
        return Err(StorageError::Setting {
            name: "sqlite_version",
            actual: version,
            wanted: "3.51.3 or newer",
        });
    }
    for (name, query, wanted) in [
        ("journal_mode", "PRAGMA journal_mode", "wal"),
        ("synchronous", "PRAGMA synchronous", "2"),
        ("foreign_keys", "PRAGMA foreign_keys", "1"),
        ("busy_timeout", "PRAGMA busy_timeout", "5000"),
        ("mmap_size", "PRAGMA mmap_size", "0"),
    ] {
        let actual = ask(connection, query).await?;
        if actual != wanted {
            return Err(StorageError::Setting { name, actual, wanted });
        }
    }
    Ok(())
}

/// Has the connection wait so long for another's lock from now on.
pub(super) async fn wait(
    connection: &mut SqliteConnection,
    patience: Duration,
) -> Result<(), StorageError> {
    let pragma = format!("PRAGMA busy_timeout = {}", patience.as_millis());
    sqlx::query(AssertSqlSafe(pragma)).execute(connection).await?;
    Ok(())
}

async fn ask(
    connection: &mut SqliteConnection,
    query: &'static str,
) -> Result<String, StorageError> {
    let row = sqlx::query(query).fetch_one(connection).await?;
    Ok(match row.try_get::<String, _>(0) {
        Ok(text) => text,
        Err(_) => row.try_get::<i64, _>(0)?.to_string(),
    })
}

fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    (part(), part(), part()) >= VERSION_MIN
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    use super::*;

    async fn check_with(
        change: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> String {
        let directory = tempfile::tempdir().unwrap();
        let options = super::super::options(&directory.path().join("test.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut connection = change(options).connect().await.unwrap();
        check(&mut connection)
            .await
            .map_or_else(|error| error.to_string(), |()| "durable".to_owned())
    }

    #[tokio::test]
    async fn our_own_settings_are_durable() {
        assert_eq!(check_with(|options| options).await, "durable");
    }

    #[tokio::test]
    async fn a_setting_that_could_lose_a_commit_is_refused() {
        assert_eq!(
            check_with(|options| options.synchronous(SqliteSynchronous::Normal)).await,
            "the database's setting `synchronous` is 1, but a commit is only durable with 2"
        );
        assert_eq!(
            check_with(|options| options.journal_mode(SqliteJournalMode::Memory)).await,
            "the database's setting `journal_mode` is memory, but a commit is only durable with wal"
        );
        assert!(
            check_with(|options| options.foreign_keys(false)).await.contains("`foreign_keys` is 0")
        );
        assert!(
            check_with(|options| options.pragma("mmap_size", "4096"))
                .await
                .contains("`mmap_size` is 4096")
        );
        assert!(
            check_with(|options| options.busy_timeout(Duration::ZERO))
                .await
                .contains("`busy_timeout` is 0")
        );
    }

    #[test]
    fn a_release_with_the_log_reset_fault_is_too_old() {
        assert!(new_enough("3.51.3") && new_enough("3.52.0") && new_enough("4.0.0"));
        assert!(!new_enough("3.51.2") && !new_enough("3.8.11") && !new_enough(""));
    }
}
