//! What both databases have in common: many rows in one statement, queries, and rows that are read by place.
//!
//! Both take `$1` for a value, so most texts serve both.

use std::ops::Range;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, PgConnection, Row as _, SqliteConnection};

use super::StorageError;

/// The most rows in one statement of SQLite.
const ROWS_MAX: usize = 1024;

/// Where a transaction's statements go.
#[derive(Debug)]
pub(super) enum Link<'a> {
    /// To be run when all are there.
    Sqlite(&'a mut Script),
    /// The connection of the transaction.
    Postgres(&'a mut PgConnection),
}

/// Statements of SQLite with their values, run one after the other in one go: each go costs a hop to the driver's thread
/// and back. The driver counts the places of all together, so each is a plain `?`.
#[derive(Debug, Default)]
pub(super) struct Script {
    text: String,
    arguments: SqliteArguments,
}

impl Script {
    /// Adds a statement.
    pub(super) fn add(&mut self, text: &str, values: &[Value<'_>]) -> Result<(), sqlx::Error> {
        self.text.push_str(text);
        self.text.push(';');
        bind(values, &mut self.arguments)
    }

    /// Adds a statement over these rows; places beyond them are NULL.
    fn add_rows(
        &mut self,
        around: (&str, &str),
        columns: &[Column<'_>],
        rows: Range<usize>,
    ) -> Result<(), sqlx::Error> {
        let size = rows.len().next_power_of_two();
        append(&mut self.text, around, columns.len(), size);
        for row in rows.start..rows.start + size {
            for column in columns {
                column.bind_one(row, &mut self.arguments).map_err(sqlx::Error::Encode)?;
            }
        }
        Ok(())
    }

    /// Runs every statement, or all before the one that fails.
    pub(super) async fn run(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let text = AssertSqlSafe(self.text);
        sqlx::query_with(text, self.arguments).execute(connection).await.map(drop)
    }
}

/// A text in each database's own words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// The same text for both.
pub(super) const fn both(text: &'static str) -> Sql {
    Sql { sqlite: text, postgres: text }
}

/// A value of a query.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Number(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A statement over many rows.
///
/// In SQLite each new text costs a compilation. So its places are a power of two in number, and those that nothing is
/// bound to are NULL: it must pass over a row that begins with NULL.
/// In PostgreSQL the columns are arrays, `$1`, `$2` and so on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement {
    /// What stands before `(?,?),(?,?)` and what after.
    pub(super) sqlite: (&'static str, &'static str),
    pub(super) postgres: &'static str,
}

/// The end of a statement of SQLite that inserts: leaves out the rows that nothing is bound to.
pub(super) const WHERE_BOUND: &str = ") WHERE column1 IS NOT NULL";

/// The values of one column, a row each.
#[derive(Debug)]
pub(super) enum Column<'a> {
    Numbers(Vec<i64>),
    Texts(Vec<Option<&'a str>>),
    Blobs(Vec<&'a [u8]>),
    Subjects(Vec<Option<[u8; 16]>>),
}

/// Makes a column of numbers.
pub(super) fn numbers<'a, T>(rows: &[T], number: impl Fn(&T) -> i64) -> Column<'a> {
    Column::Numbers(rows.iter().map(number).collect())
}

/// Makes a column of texts.
pub(super) fn texts<T>(rows: &[T], text: impl Fn(&T) -> &str) -> Column<'_> {
    optional_texts(rows, |row| Some(text(row)))
}

/// Makes a column of texts, NULL where there is none.
pub(super) fn optional_texts<T>(rows: &[T], text: impl Fn(&T) -> Option<&str>) -> Column<'_> {
    Column::Texts(rows.iter().map(text).collect())
}

/// Makes a column of bytes.
pub(super) fn blobs<T>(rows: &[T], blob: impl Fn(&T) -> &[u8]) -> Column<'_> {
    Column::Blobs(rows.iter().map(blob).collect())
}

/// Makes a column of subjects: big-endian, so that they sort as they are numbered.
pub(super) fn subjects<'a, T>(rows: &[T], subject: impl Fn(&T) -> Option<u128>) -> Column<'a> {
    Column::Subjects(rows.iter().map(|row| subject(row).map(u128::to_be_bytes)).collect())
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(rows) => rows.len(),
            Self::Texts(rows) => rows.len(),
            Self::Blobs(rows) => rows.len(),
            Self::Subjects(rows) => rows.len(),
        }
    }

    fn bind_one(&self, row: usize, to: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Numbers(rows) => to.add(rows.get(row).copied()),
            Self::Texts(rows) => to.add(rows.get(row).copied().flatten()),
            Self::Blobs(rows) => to.add(rows.get(row).copied()),
            Self::Subjects(rows) => to.add(rows.get(row).copied().flatten().map(Vec::from)),
        }
    }

    fn bind_all(&self, to: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Numbers(rows) => to.add(rows),
            Self::Texts(rows) => to.add(rows),
            Self::Blobs(rows) => to.add(rows),
            Self::Subjects(rows) => to.add(rows),
        }
    }
}

/// Runs the statement over all rows; nothing happens if there are none.
pub(super) async fn run(
    link: &mut Link<'_>,
    statement: Statement,
    columns: &[Column<'_>],
) -> Result<(), StorageError> {
    let rows = columns.first().map_or(0, Column::len);
    if rows == 0 {
        return Ok(());
    }
    match link {
        Link::Sqlite(script) => {
            for first in (0..rows).step_by(ROWS_MAX) {
                script.add_rows(statement.sqlite, columns, first..rows.min(first + ROWS_MAX))?;
            }
        }
        Link::Postgres(connection) => {
            let mut arguments = PgArguments::default();
            for column in columns {
                column.bind_all(&mut arguments).map_err(sqlx::Error::Encode)?;
            }
            sqlx::query_with(statement.postgres, arguments).execute(&mut **connection).await?;
        }
    }
    Ok(())
}

pub(super) fn sqlite_arguments(values: &[Value<'_>]) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    bind(values, &mut arguments)?;
    Ok(arguments)
}

fn bind(values: &[Value<'_>], arguments: &mut SqliteArguments) -> Result<(), sqlx::Error> {
    for value in values {
        let added = match *value {
            Value::Number(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(())
}

pub(super) fn postgres_arguments(values: &[Value<'_>]) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match *value {
            Value::Number(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn append(text: &mut String, (before, after): (&str, &str), columns: usize, rows: usize) {
    let row = format!("({})", vec!["?"; columns].join(","));
    text.reserve(before.len() + rows * (row.len() + 1) + after.len());
    text.push_str(before);
    for index in 0..rows {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&row);
    }
    text.push_str(after);
    text.push(';');
}

/// What a query found.
#[derive(Debug)]
pub(super) enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

/// A row of either database. Columns are named by their place, from 0.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Sqlite(&'a SqliteRow),
    Postgres(&'a PgRow),
}

impl Rows {
    /// Reads every row.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(Row<'_>) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        match self {
            Self::Sqlite(rows) => rows.iter().map(|row| read(Row::Sqlite(row))).collect(),
            Self::Postgres(rows) => rows.iter().map(|row| read(Row::Postgres(row))).collect(),
        }
    }

    /// Reads the first row, if there is one.
    pub(super) fn first<T>(
        &self,
        read: impl Fn(Row<'_>) -> Result<T, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        match self {
            Self::Sqlite(rows) => rows.first().map(|row| read(Row::Sqlite(row))).transpose(),
            Self::Postgres(rows) => rows.first().map(|row| read(Row::Postgres(row))).transpose(),
        }
    }
}

impl Row<'_> {
    pub(super) fn number(self, column: usize) -> Result<i64, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// Reads a sequence number, or any other number that is never below zero.
    pub(super) fn count(self, column: usize) -> Result<u64, sqlx::Error> {
        self.narrow(column)
    }

    /// Reads a number that must fit into a narrower type.
    pub(super) fn narrow<T>(self, column: usize) -> Result<T, sqlx::Error>
    where
        T: TryFrom<i64, Error = std::num::TryFromIntError>,
    {
        T::try_from(self.number(column)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }

    pub(super) fn text(self, column: usize) -> Result<String, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    pub(super) fn bytes(self, column: usize) -> Result<Vec<u8>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// Reads a text that may be NULL, without a copy.
    pub(super) fn optional_text(&self, column: usize) -> Result<Option<&str>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// Reads bytes of a fixed number.
    pub(super) fn exactly<const N: usize>(self, column: usize) -> Result<[u8; N], sqlx::Error> {
        self.slice(column)?.unwrap_or_default().try_into().map_err(decode)
    }

    /// Reads a subject, or nothing where there is none. A value that is no subject is an error.
    pub(super) fn subject(self, column: usize) -> Result<Option<u128>, sqlx::Error> {
        let read = |bytes: &[u8]| bytes.try_into().map(u128::from_be_bytes);
        self.slice(column)?.map(read).transpose().map_err(decode)
    }

    fn slice(&self, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

fn decode(error: std::array::TryFromSliceError) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// A number that the database keeps as a signed one. Sequence numbers and counts never come near the difference.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
