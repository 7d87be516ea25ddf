//! `gavel statement`: a buyer's or source's account in a period, from a directory or from a running exchange, and whether
//! a statement that somebody has still holds.

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::json;

use super::Failure;
use super::ask::{Body, Exchange};
use super::place::place;
use crate::exchange::recorded_statement;
use crate::ids::{BuyerId, SourceId};
use crate::money::AccountName;
use crate::settlement::{Period, Statement, from_csv, to_csv};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compute every balance and hash of a statement again. Exit code 1 names the first line that does not hold.
    Verify {
        /// A statement as JSON or CSV.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Wanted {
    /// Read an exchange's directory; works beside a running server.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL database with the journal, if it has a password; without one, the directory knows.
    #[arg(long, env = "GAVEL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Unless --data is there. In GAVEL_OPERATOR_KEY a buyer's or a source's own key does as well, for its own account.
    #[command(flatten)]
    exchange: Exchange,
    /// The buyer whose account it is.
    #[arg(long, conflicts_with = "source")]
    buyer: Option<String>,
    /// The source whose account it is.
    #[arg(long)]
    source: Option<String>,
    /// A whole month, such as 2026-01.
    #[arg(long)]
    month: Option<String>,
    /// The first day, such as 2026-01-05, or the first moment.
    #[arg(long)]
    from: Option<String>,
    /// The first day or moment that is not part of it any more.
    #[arg(long)]
    to: Option<String>,
    /// The time zone in which days begin.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// The currency to name, which a directory does not know.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Print CSV.
    #[arg(long)]
    csv: bool,
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    if let Some(Command::Verify { file }) = &args.command {
        return verify(file, json);
    }
    let wanted = &args.wanted;
    let account = wanted.account()?;
    let period = Period::read(
        wanted.month.as_deref(),
        wanted.from.as_deref(),
        wanted.to.as_deref(),
        Some(&wanted.zone),
    );
    let period = period.map_err(Failure::usage)?;
    let statement = match &wanted.data {
        Some(directory) => {
            let place = place(directory.clone(), wanted.database.as_deref())?;
            let read = recorded_statement(place, &account, &wanted.currency, &period);
            super::block_on(read)?.map_err(|error| Failure::because(&error))?
        }
        None => wanted.ask()?,
    };
    if wanted.csv {
        print!("{}", to_csv(&statement));
    } else if json {
        let text = serde_json::to_string_pretty(&statement);
        println!("{}", text.map_err(|error| Failure::because(&error))?);
    } else {
        print!("{}", told(&statement));
    }
    Ok(())
}

impl Wanted {
    fn account(&self) -> Result<AccountName, Failure> {
        let wrong = |error: crate::ids::IdError| Failure::usage(error.to_string());
        match (&self.buyer, &self.source) {
            (Some(buyer), _) => {
                BuyerId::parse(buyer).map_err(wrong)?;
                Ok(AccountName::Prepaid(buyer.clone()))
            }
            (None, Some(source)) => {
                SourceId::parse(source).map_err(wrong)?;
                Ok(AccountName::Payable(source.clone()))
            }
            (None, None) => {
                Err(Failure::usage("whose statement? name --buyer NAME or --source NAME"))
            }
        }
    }

    fn ask(&self) -> Result<Statement, Failure> {
        let party = match (&self.buyer, &self.source) {
            (Some(buyer), _) => format!("buyers/{buyer}"),
            (None, source) => format!("sources/{}", source.as_deref().unwrap_or_default()),
        };
        let mut query = vec![("format", "json"), ("zone", &self.zone)];
        let period = [("month", &self.month), ("from", &self.from), ("to", &self.to)];
        query.extend(period.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
        let path = format!("{party}/statement");
        let answer = self.exchange.call(Method::GET, &path, &query, Body::Nothing)?;
        serde_json::from_value(answer).map_err(|error| Failure::because(&error))
    }
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
fn verify(file: &Path, json: bool) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::could_not_run(format!("{}: {error}", file.display())))?;
    let read = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| error.to_string()),
        false => from_csv(&text),
    };
    let statement: Statement = read.map_err(|error| {
        Failure::usage(format!("{} is no statement as JSON or CSV: {error}", file.display()))
    })?;
    if let Err(why) = statement.verify() {
        if json {
            println!("{}", json!({"holds": false, "fault": why}));
        }
        return Err(Failure::does_not_hold(format!("{}: {why}", file.display())));
    }
    let (lines, closing) = (statement.lines.len(), &statement.closing);
    match json {
        true => println!(
            "{}",
            json!({"holds": true, "account": statement.account, "lines": lines, "balance": closing.balance, "chain": closing.chain})
        ),
        false => println!(
            "the statement holds: {lines} lines of {}, closing balance {} {}\nchain {}",
            statement.account, closing.balance, statement.currency, closing.chain
        ),
    }
    Ok(())
}

/// Lays a statement out for a terminal.
fn told(statement: &Statement) -> String {
    let end = |what: &str, at: &Option<String>, balance: &str| {
        [
            at.clone().unwrap_or_default(),
            what.to_owned(),
            String::new(),
            String::new(),
            balance.to_owned(),
        ]
    };
    let mut rows = vec![end("opening", &statement.from, &statement.opening.balance)];
    rows.extend(statement.lines.iter().map(|line| {
        [&line.at, &line.code, &line.reference, &line.amount, &line.balance].map(String::clone)
    }));
    rows.push(end("closing", &statement.to, &statement.closing.balance));
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let [one, two, three, four, five] = [width(0), width(1), width(2), width(3), width(4)];
    let row = |[at, code, reference, amount, balance]: &[String; 5]| {
        format!("{at:one$}  {code:two$}  {reference:three$}  {amount:>four$}  {balance:>five$}\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "{} in {}, days of {}\n{rows}chain {}\n",
        statement.account, statement.currency, statement.zone, statement.closing.chain
    )
}
