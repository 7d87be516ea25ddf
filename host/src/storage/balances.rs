//! Table `balance`: the sum of every account's entries.

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Balance, Readers, StorageError};
use crate::money::Micros;

// A sum beyond 64 bits would become a real number, which the strict column refuses.
const ADD: Statement = Statement {
    before: "INSERT INTO balance (account, amount, newest) SELECT * FROM (VALUES ",
    row: "(?,?,?)",
    after: ") WHERE column1 IS NOT NULL ON CONFLICT (account) DO UPDATE SET amount = amount + excluded.amount, newest = excluded.newest",
};

pub(super) async fn add(
    connection: &mut SqliteConnection,
    moves: Vec<Balance>,
) -> Result<(), StorageError> {
    rows::run(connection, ADD, moves, |arguments, Balance { account, amount, newest }| {
        arguments.add(account)?;
        arguments.add(amount.get())?;
        arguments.add(rows::signed(newest))
    })
    .await
}

impl Readers {
    /// Returns the balance of every account that ever had an entry, by name.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn balances(&self) -> Result<Vec<Balance>, StorageError> {
        read(&mut *self.pool.acquire().await?).await
    }
}

pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Balance>, StorageError> {
    let rows = sqlx::query("SELECT account, amount, newest FROM balance ORDER BY account");
    let rows = rows.fetch_all(connection).await?;
    let balance = |row: &SqliteRow| {
        let (account, amount) = (row.try_get(0)?, Micros::new(row.try_get(1)?));
        Ok(Balance { account, amount, newest: row.try_get(2)? })
    };
    rows.iter().map(balance).collect()
}
