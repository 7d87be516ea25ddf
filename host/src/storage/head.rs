//! Table `head`: how far the journal goes.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::{Extent, Head, Readers, StorageError};
use super::{balances, rows};
use crate::ids::Digest;

const SELECT: &str = "SELECT seq, hash FROM head";

pub(super) async fn set(connection: &mut SqliteConnection, head: Head) -> Result<(), StorageError> {
    let query = sqlx::query("UPDATE head SET seq = ?, hash = ?")
        .bind(rows::signed(head.seq))
        .bind(head.hash.as_bytes().to_vec());
    query.execute(connection).await?;
    Ok(())
}

impl Readers {
    /// Returns the newest fact.
    ///
    /// # Errors
    /// If the database failed, or the row is not readable.
    pub async fn head(&self) -> Result<Head, StorageError> {
        read(&sqlx::query(SELECT).fetch_one(&self.pool).await?)
    }

    /// Returns how far each part of the journal goes, all at one moment.
    ///
    /// # Errors
    /// If the database failed, or a row is not readable.
    pub async fn extent(&self) -> Result<Extent, StorageError> {
        let mut tx = self.pool.begin().await?;
        let head = read(&sqlx::query(SELECT).fetch_one(&mut *tx).await?)?;
        let ends = sqlx::query(
            "SELECT ifnull((SELECT max(seq) FROM fact), 0), ifnull((SELECT max(seq) FROM entry), 0)",
        );
        let ends = ends.fetch_one(&mut *tx).await?;
        let balances = balances::read(&mut tx).await?;
        tx.commit().await?;
        Ok(Extent { head, facts_end: ends.try_get(0)?, entries_end: ends.try_get(1)?, balances })
    }
}

fn read(row: &SqliteRow) -> Result<Head, StorageError> {
    let seq = rows::seq(row)?;
    let hash: Vec<u8> = row.try_get("hash")?;
    let hash =
        hash.try_into().map_err(|_| StorageError::Row { table: "head", seq, column: "hash" })?;
    Ok(Head { seq, hash: Digest::from_bytes(hash) })
}
