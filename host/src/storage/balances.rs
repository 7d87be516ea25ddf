//! Table `balance`: the sum of every account's entries.

use super::rows::{self, Link, Statement, both};
use super::{Balance, Readers, StorageError};
use crate::money::Micros;

// A sum beyond 64 bits would become a real number in SQLite, which the strict column refuses, and is an error in
// PostgreSQL.
const ADD: Statement = Statement {
    sqlite: (
        "INSERT INTO balance (account, amount, newest) SELECT * FROM (VALUES ",
        ") WHERE column1 IS NOT NULL ON CONFLICT (account) DO UPDATE SET amount = amount + excluded.amount, newest = excluded.newest",
    ),
    postgres: "INSERT INTO balance (account, amount, newest) \
               SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) \
               ON CONFLICT (account) DO UPDATE SET amount = balance.amount + excluded.amount, newest = excluded.newest",
};

pub(super) async fn add(link: &mut Link<'_>, moves: &[Balance]) -> Result<(), StorageError> {
    let columns = [
        rows::texts(moves, |balance| &balance.account),
        rows::numbers(moves, |balance| balance.amount.get()),
        rows::numbers(moves, |balance| rows::signed(balance.newest)),
    ];
    rows::run(link, ADD, &columns).await
}

impl Readers {
    /// Returns the balance of every account that ever had an entry, by name.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn balances(&self) -> Result<Vec<Balance>, StorageError> {
        let sql = "SELECT account, amount, newest FROM balance ORDER BY account";
        self.query(both(sql), &[]).await?.read(|row| {
            let (account, amount) = (row.text(0)?, Micros::new(row.number(1)?));
            Ok(Balance { account, amount, newest: row.count(2)? })
        })
    }
}
