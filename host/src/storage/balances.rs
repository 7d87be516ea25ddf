//! Table `balance`: the sum of every account's entries.

use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::rows::{self, Statement};
use super::{Readers, StorageError};
use crate::money::Micros;

// A sum beyond 64 bits would become a real number, which the strict column refuses.
const ADD: Statement = Statement {
    before: "INSERT INTO balance (account, amount) VALUES ",
    row: "(?,?)",
    after: " ON CONFLICT (account) DO UPDATE SET amount = amount + excluded.amount",
};

pub(super) async fn add(
    connection: &mut SqliteConnection,
    moves: Vec<(String, i64)>,
) -> Result<(), StorageError> {
    rows::run(connection, ADD, moves, |arguments, (account, amount)| {
        arguments.add(account)?;
        arguments.add(amount)
    })
    .await
}

impl Readers {
    /// Returns every account that ever had an entry with its balance, by name.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn balances(&self) -> Result<Vec<(String, Micros)>, StorageError> {
        read(&mut *self.pool.acquire().await?).await
    }
}

pub(super) async fn read(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, Micros)>, StorageError> {
    let rows = sqlx::query("SELECT account, amount FROM balance ORDER BY account");
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Micros::new(row.try_get(1)?)))).collect()
}
