//! `gavel statement`: a buyer's or source's account in a period, from a directory or from a running exchange, and whether
//! a statement that somebody has still holds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};

use super::Failure;
use super::place::place;
use crate::exchange::recorded_statement;
use crate::ids::{BuyerId, SourceId};
use crate::money::AccountName;
use crate::settlement::{Period, Statement, from_csv, to_csv};

/// How long an exchange may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// Ask a running exchange, with the key in GAVEL_OPERATOR_KEY, unless --data is there.
    #[arg(long, visible_alias = "exchange", env = "GAVEL_URL")]
    url: Option<String>,
    /// The operator's key.
    #[arg(long, env = "GAVEL_OPERATOR_KEY", hide = true, hide_env_values = true)]
    operator_key: Option<String>,
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
    let statement = match (&wanted.data, &wanted.url) {
        (Some(directory), _) => {
            let place = place(directory.clone(), wanted.database.as_deref())?;
            let read = recorded_statement(place, &account, &wanted.currency, &period);
            super::block_on(read)?.map_err(|error| Failure::because(&error))?
        }
        (None, Some(url)) => super::block_on(wanted.ask(url))??,
        (None, None) => {
            let message =
                "name the exchange's directory with --data DIR, or a running one with --url URL";
            return Err(Failure::usage(message));
        }
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

    async fn ask(&self, url: &str) -> Result<Statement, Failure> {
        // Without a provider reqwest panics, even if it never speaks TLS. If one is installed it stays.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(ANSWER_TIMEOUT).no_proxy().build();
        let client = client.map_err(|error| Failure::because(&error))?;
        let party = match (&self.buyer, &self.source) {
            (Some(buyer), _) => format!("buyers/{buyer}"),
            (None, source) => format!("sources/{}", source.as_deref().unwrap_or_default()),
        };
        let mut query = form(&[("format", Some("json")), ("zone", Some(&self.zone))]);
        query.push_str(&form(&[
            ("month", self.month.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
        ]));
        let at = format!(
            "{}/v1/{party}/statement?{}",
            url.trim_end_matches('/'),
            query.trim_start_matches('&')
        );
        let key = self.operator_key.as_deref().ok_or_else(|| {
            Failure::usage("set GAVEL_OPERATOR_KEY to the key of the exchange's operator")
        })?;
        let response = client.get(&at).bearer_auth(key).send().await;
        let response = response.map_err(|error| Failure::because(&error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| Failure::because(&error))?;
        if !status.is_success() {
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let detail = problem.get("detail").and_then(Value::as_str).unwrap_or(&text);
            return Err(Failure::could_not_run(format!(
                "the exchange answered {status}: {detail}"
            )));
        }
        serde_json::from_str(&text).map_err(|error| Failure::because(&error))
    }
}

/// Writes the parameters of an address that are there.
fn form(pairs: &[(&str, Option<&str>)]) -> String {
    let given = pairs.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let encode = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let one = |byte: u8| {
            if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        };
        text.bytes().map(one).collect()
    };
    given.map(|(name, value)| format!("&{name}={}", encode(value))).collect()
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
