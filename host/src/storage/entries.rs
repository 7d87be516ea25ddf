//! Column `entries` of table `fact`, and its view `entry`: what facts mean in money.

use std::fmt::Write as _;

use super::facts::most;
use super::rows::{Row, Sql, Value};
use super::{Leg, Line, Readers, StorageError};
use crate::clock::Moment;
use crate::money::Micros;

/// A fact's legs as they lie in its row: a JSON list of `[account, amount, code, previous]`, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(String);

impl Entries {
    /// Adds a leg. `previous` is the fact with the account's leg before this one, 0 if there is none.
    pub fn push(&mut self, account: &str, amount: Micros, code: &str, previous: u64) {
        let Self(text) = self;
        match text.pop() {
            None => text.push('['),
            Some(_) => text.push(','),
        }
        text.push('[');
        quote(text, account);
        // Writing to a text cannot fail.
        let _written = write!(text, ",{},", amount.get());
        quote(text, code);
        let _written = write!(text, ",{previous}]]");
    }

    /// Returns the text, or nothing if there are no legs.
    pub(super) fn text(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&self.0)
    }
}

/// Adds a word as JSON has it. Names of accounts and codes have nothing to escape, but nobody promises that here.
fn quote(text: &mut String, word: &str) {
    text.push('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => {
                let _written = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// Reads the legs in a column.
pub(super) fn read(row: Row<'_>, column: usize) -> Result<Vec<Leg>, sqlx::Error> {
    let Some(text) = row.optional_text(column)? else { return Ok(Vec::new()) };
    let legs: Vec<(String, i64, String, u64)> =
        serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let legs = legs.into_iter().map(|(account, amount, code, previous)| Leg {
        account,
        amount: Micros::new(amount),
        code,
        previous,
    });
    Ok(legs.collect())
}

/// Walks the account's entries from the newest back. Only an entry's first leg of the account in a fact leads to an
/// earlier fact. SQLite must be told to keep the order of the join.
const STATEMENT: Sql = Sql {
    sqlite: "WITH RECURSIVE moved (seq, place) AS ( \
                 SELECT newest, CAST(1 AS bigint) FROM balance WHERE account = $1 \
                 UNION ALL SELECT entry.previous, place + 1 FROM moved CROSS JOIN entry USING (seq) \
                 WHERE account = $1 AND previous > 0 AND previous < entry.seq AND place < $2 \
             ) \
             SELECT seq, at, subject, amount, code FROM moved CROSS JOIN entry USING (seq) JOIN fact USING (seq) \
             WHERE account = $1 ORDER BY seq DESC, leg DESC LIMIT $2",
    postgres: "WITH RECURSIVE moved (seq, place) AS ( \
                 SELECT newest, CAST(1 AS bigint) FROM balance WHERE account = $1 \
                 UNION ALL SELECT entry.previous, place + 1 FROM moved JOIN entry USING (seq) \
                 WHERE account = $1 AND previous > 0 AND previous < entry.seq AND place < $2 \
             ) \
             SELECT seq, at, subject, amount, code FROM moved JOIN entry USING (seq) JOIN fact USING (seq) \
             WHERE account = $1 ORDER BY seq DESC, leg DESC LIMIT $2",
};

impl Readers {
    /// Returns the newest lines of one account's statement, newest first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn statement(&self, account: &str, limit: usize) -> Result<Vec<Line>, StorageError> {
        let rows = self.query(STATEMENT, &[Value::Text(account), most(limit)]).await?;
        rows.read(|row| {
            Ok(Line {
                seq: row.count(0)?,
                at: Moment::from_unix_ms(row.number(1)?),
                subject: row.subject(2)?,
                amount: Micros::new(row.number(3)?),
                code: row.text(4)?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_are_a_text_that_any_reader_of_json_understands() {
        let mut entries = Entries::default();
        assert_eq!(entries.text(), None);
        entries.push("buyer:acme:prepaid", Micros::new(12_500_000), "sale", 0);
        entries.push("a \"b\" \\ \n é", Micros::new(i64::MIN), "", u64::MAX);
        let text = entries.text().unwrap();
        assert!(text.starts_with("[[\"buyer:acme:prepaid\",12500000,\"sale\",0],["), "{text}");
        let read: Vec<(String, i64, String, u64)> = serde_json::from_str(text).unwrap();
        assert_eq!(read[1], ("a \"b\" \\ \n é".into(), i64::MIN, String::new(), u64::MAX));
    }
}
