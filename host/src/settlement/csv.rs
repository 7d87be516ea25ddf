//! Statements as CSV: one row for the opening, one a line, one for the closing.

use super::statement::{FORM, Standing, Statement, StatementLine};

/// The columns. The first row's `code` is `opening`, the last row's is `closing`; their `fact` counts the account's lines.
const COLUMNS: [&str; 9] =
    ["account", "currency", "fact", "at", "code", "reference", "amount", "balance", "chain"];

/// Writes a statement.
pub fn to_csv(statement: &Statement) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let ends = |code: &str, at: &Option<String>, standing: &Standing| {
        let at = at.clone().unwrap_or_default();
        let Standing { balance, lines, chain } = standing.clone();
        [lines.to_string(), at, code.to_owned(), String::new(), String::new(), balance, chain]
    };
    let opening = ends("opening", &statement.from, &statement.opening);
    let closing = ends("closing", &statement.to, &statement.closing);
    let lines = statement.lines.iter().cloned().map(|line| {
        let StatementLine { fact, at, code, reference, amount, balance, chain } = line;
        [fact.to_string(), at, code, reference, amount, balance, chain]
    });
    let rows = std::iter::once(opening).chain(lines).chain([closing]);
    let named = [statement.account.clone(), statement.currency.clone()];
    // Writing to memory does not fail.
    let _ = writer.write_record(COLUMNS);
    for row in rows {
        let _ = writer.write_record(named.iter().chain(&row));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Reads a statement back.
///
/// # Errors
///
/// What is missing or cannot be read, and in which row.
pub fn from_csv(text: &str) -> Result<Statement, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| error.to_string())?;
    if !columns.iter().eq(COLUMNS) {
        return Err(format!("the columns of a statement are {}", COLUMNS.join(",")));
    }
    let rows: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
    let rows = rows.map_err(|error| error.to_string())?;
    let (Some((first, rest)), Some(last)) = (rows.split_first(), rows.last()) else {
        return Err("there is no row".to_owned());
    };
    let get =
        |row: &csv::StringRecord, column: usize| row.get(column).unwrap_or_default().to_owned();
    let count = |row: &csv::StringRecord| {
        get(row, 2)
            .parse()
            .map_err(|_| format!("`{}` is no number in the column fact", get(row, 2)))
    };
    let standing = |row: &csv::StringRecord, code: &str| {
        if get(row, 4) != code {
            return Err(format!("the row `{code}` is missing"));
        }
        Ok(Standing { balance: get(row, 7), lines: count(row)?, chain: get(row, 8) })
    };
    let (opening, closing) = (standing(first, "opening")?, standing(last, "closing")?);
    let middle = rest.split_last().map(|(_, middle)| middle).unwrap_or_default();
    let mut lines = Vec::with_capacity(middle.len());
    for row in middle {
        if get(row, 0) != get(first, 0) {
            return Err(format!(
                "the row of fact {} belongs to account {}",
                get(row, 2),
                get(row, 0)
            ));
        }
        lines.push(StatementLine {
            fact: count(row)?,
            at: get(row, 3),
            code: get(row, 4),
            reference: get(row, 5),
            amount: get(row, 6),
            balance: get(row, 7),
            chain: get(row, 8),
        });
    }
    let moment = |row: &csv::StringRecord| Some(get(row, 3)).filter(|at| !at.is_empty());
    Ok(Statement {
        statement: FORM,
        account: get(first, 0),
        currency: get(first, 1),
        zone: String::new(),
        from: moment(first),
        to: moment(last),
        opening,
        lines,
        closing,
    })
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Point;
    use super::super::statement::{Booked, Period, statement};
    use super::*;
    use crate::clock::Moment;
    use crate::money::Micros;

    const ACCOUNT: &str = "buyer:acme:prepaid";

    fn booked(seq: u64, at: i64, code: &str, reference: &str, amount: i64) -> Booked {
        let (code, reference) = (code.to_owned(), reference.to_owned());
        Booked { seq, at: Moment::from_unix_ms(at), code, reference, amount: Micros::new(amount) }
    }

    fn example(period: &Period) -> Statement {
        let lines = [
            booked(3, 1_000, "deposit", "wire, \"1\"", 50_000_000),
            booked(9, 2_000, "sale", "ld_1", -12_500_000),
            // The clock was set back: the line still follows the one before it.
            booked(12, 1_500, "return", "ld_1", 12_500_000),
            booked(20, 90_000_000, "sale", "ld_2", -125_000),
        ];
        statement(ACCOUNT, "USD", period, Point::beginning(ACCOUNT), lines).unwrap().0
    }

    fn all() -> Period {
        Period::read(None, None, None, None).unwrap()
    }

    #[test]
    fn a_stranger_gets_the_same_chain_from_the_description() {
        use crate::ids::Digest;
        let statement = example(&all());
        let mut chain = Digest::of(b"gavel statement 1\nbuyer:acme:prepaid\n");
        for line in [
            "deposit\twire, \"1\"\t50.00\t50.00\n",
            "sale\tld_1\t-12.50\t37.50\n",
            "return\tld_1\t12.50\t50.00\n",
            "sale\tld_2\t-0.125\t49.875\n",
        ] {
            chain = Digest::of(&[chain.as_bytes().as_slice(), line.as_bytes()].concat());
        }
        assert_eq!(statement.closing.chain, chain.to_string());
        assert_eq!(statement.closing.balance, "49.875");
    }

    #[test]
    fn a_statement_reads_back_and_holds() {
        let statement = example(&all());
        assert_eq!(statement.verify(), Ok(()));
        let back = from_csv(&to_csv(&statement)).unwrap();
        assert_eq!((back.verify(), &back.lines), (Ok(()), &statement.lines));
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        let day = |from, to| Period::read(None, from, to, None).unwrap();
        let first = example(&day(None, Some("1970-01-02")));
        let second = example(&day(Some("1970-01-02"), None));
        assert_eq!((first.lines.len(), second.lines.len()), (3, 1));
        assert_eq!(first.closing, second.opening);
        assert_eq!((first.verify(), second.verify()), (Ok(()), Ok(())));
        // In Chicago the first of January is not over yet by then.
        let chicago =
            Period::read(None, None, Some("1970-01-02"), Some("America/Chicago")).unwrap();
        let last = example(&chicago).lines.pop().unwrap();
        assert_eq!(last.at, "1970-01-01T19:00:00.000-06:00");
    }

    #[test]
    fn every_change_is_found() {
        type Change = fn(&mut Statement);
        let changes: [(&str, Change); 7] = [
            ("line 2 (fact 9): with -12.00 the balance is 38.00", |s| {
                s.lines[1].amount = "-12.00".into()
            }),
            ("line 3 (fact 12): its chain is", |s| s.lines[2].reference = "ld_9".into()),
            ("line 2 (fact 12): with 12.50 the balance is 62.50", |s| drop(s.lines.remove(1))),
            ("line 4 (fact 20): with -0.125 the balance is 49.875, but it says 1.00", |s| {
                s.lines[3].balance = "1.00".into()
            }),
            ("after 4 lines the balance is 49.875", |s| s.closing.balance = "50.00".into()),
            ("the opening is the account's beginning", |s| s.opening.balance = "1.00".into()),
            ("line 1 (fact 3): its amount: an amount is digits", |s| {
                s.lines[0].amount = "5e1".into()
            }),
        ];
        for (expected, change) in changes {
            let mut statement = example(&all());
            change(&mut statement);
            let why = statement.verify().unwrap_err();
            assert!(why.starts_with(expected), "{why}");
        }
    }

    #[test]
    fn a_period_says_what_is_wrong_with_it() {
        let read = |month, from, to, zone| Period::read(month, from, to, zone).unwrap_err();
        assert!(read(Some("2026-13"), None, None, None).contains("`2026-13` is no month"));
        assert!(read(Some("2026-01"), Some("2026-01-01"), None, None).contains("not both"));
        assert!(read(None, Some("yesterday"), None, None).contains("neither a day such as"));
        assert!(read(None, Some("2026-02-01"), Some("2026-01-01"), None).contains("ends before"));
        assert!(read(None, None, None, Some("Mars")).contains("no time zone `Mars`"));
    }
}
