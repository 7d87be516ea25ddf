//! Many rows in one statement. Each statement costs a hop to the driver's thread, and each new text a compilation. So a
//! statement's places are a power of two in number, and those that nothing is bound to are NULL and do nothing.

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::StorageError;

/// The most rows in one statement.
const ROWS_MAX: usize = 1024;

/// A statement over a list of rows: `before (?,?),(?,?) after`. It must pass over a row that begins with NULL.
#[derive(Clone, Copy)]
pub(super) struct Statement {
    pub(super) before: &'static str,
    /// One row's places, such as `(?,?)`.
    pub(super) row: &'static str,
    pub(super) after: &'static str,
}

/// The end of a statement that inserts: leaves out the rows that nothing is bound to.
pub(super) const WHERE_BOUND: &str = ") WHERE column1 IS NOT NULL";

/// Runs the statement over all rows, in as few groups as the limit allows.
pub(super) async fn run<T>(
    connection: &mut SqliteConnection,
    statement: Statement,
    rows: Vec<T>,
    bind: impl Fn(&mut SqliteArguments, T) -> Result<(), BoxDynError>,
) -> Result<(), StorageError> {
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = rows.len().next_power_of_two().min(ROWS_MAX);
        let mut arguments = SqliteArguments::default();
        for row in rows.by_ref().take(size) {
            bind(&mut arguments, row).map_err(sqlx::Error::Encode)?;
        }
        sqlx::query_with(AssertSqlSafe(text(statement, size)), arguments)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn text(Statement { before, row, after }: Statement, size: usize) -> String {
    let mut text = String::with_capacity(before.len() + size * (row.len() + 1) + after.len());
    text.push_str(before);
    for index in 0..size {
        if index > 0 {
            text.push(',');
        }
        text.push_str(row);
    }
    text.push_str(after);
    text
}

/// A number that the database keeps as a signed one. Sequence numbers and counts never come near the difference.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads a sequence number.
pub(super) fn seq(row: &SqliteRow) -> Result<u64, StorageError> {
    Ok(row.try_get("seq")?)
}

/// Reads a subject, or nothing where there is none. A value that is no subject is an error.
pub(super) fn subject(row: &SqliteRow) -> Result<Option<u128>, sqlx::Error> {
    let bytes: Option<&[u8]> = row.try_get("subject")?;
    let read = |bytes: &[u8]| bytes.try_into().map(u128::from_be_bytes);
    bytes.map(read).transpose().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
