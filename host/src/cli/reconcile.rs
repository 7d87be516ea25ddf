//! `gavel reconcile`: reads everything that an exchange recorded and says whether its books agree.

use serde_json::{Value, json};

use super::Failure;
use super::place::Where;
use crate::exchange::{Reconciled, reconcile};
use crate::money::{DECIMALS, Micros};
use crate::settlement::AccountLine;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    journal: Where,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this command prints what it finds")]
pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let found = super::block_on(reconcile(args.journal.place()?, |facts| {
        if !json {
            eprint!("\rcompared {facts} facts");
        }
    }))?;
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            if !json {
                eprintln!();
            } else if error.is_found() {
                println!("{}", json!({"holds": false, "fault": error.to_string()}));
            }
            return Err(match error.is_found() {
                true => Failure::does_not_hold(format!("the books do not agree: {error}")),
                false => Failure::because(&error),
            });
        }
    };
    if json {
        println!("{}", in_json(&found));
        return Ok(());
    }
    if found.facts > 0 {
        eprintln!("\rcompared {} facts", found.facts);
    }
    print!("{}", table(&found.accounts));
    println!(
        "\nthe books agree: {} facts, {} entries in {} accounts that sum to 0.00; {} sales, {} returns, {} pings open",
        found.facts,
        found.entries,
        found.accounts.len(),
        found.sales,
        found.returns,
        found.open_pings,
    );
    Ok(())
}

/// Lays the accounts out under each other: what each was debited and credited, and what stands on it.
fn table(accounts: &[AccountLine]) -> String {
    let rows = accounts.iter().map(|line| {
        [line.account.clone(), wide(line.debits), wide(line.credits), line.balance.to_string()]
    });
    let head = ["account", "debits", "credits", "balance"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.len()).max().unwrap_or(0)
    };
    let (one, two, three, four) = (width(0), width(1), width(2), width(3));
    let line = |[account, debits, credits, balance]: &[String; 4]| {
        format!("{account:one$}  {debits:>two$}  {credits:>three$}  {balance:>four$}\n")
    };
    rows.iter().map(line).collect()
}

/// Writes a sum that may be larger than any amount.
fn wide(micros: i128) -> String {
    if let Ok(micros) = i64::try_from(micros) {
        return Micros::new(micros).to_string();
    }
    let one = 10_i128.pow(DECIMALS);
    format!("{}.{:06}", micros / one, (micros % one).abs())
}

fn in_json(found: &Reconciled) -> Value {
    let accounts = found.accounts.iter().map(|line| {
        json!({
            "account": line.account,
            "debits": wide(line.debits),
            "credits": wide(line.credits),
            "balance": line.balance.to_string(),
            "lines": line.newest.map(|newest| newest.lines),
            "chain": line.newest.map(|newest| newest.chain.to_string()),
        })
    });
    json!({
        "holds": true,
        "facts": found.facts,
        "entries": found.entries,
        "sales": found.sales,
        "returns": found.returns,
        "open_pings": found.open_pings,
        "accounts": accounts.collect::<Vec<Value>>(),
    })
}
