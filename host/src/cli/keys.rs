//! `gavel keys`: the keys with which an exchange signs its receipts.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::ask::Exchange;
use super::module::{print, print_json};
use crate::signing;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show the public keys, the one that signs first.
    Show(Place),
    /// Make a new signing key. What the keys before it signed stays checkable.
    Rotate(Place),
}

/// Whose keys.
#[derive(Debug, clap::Args)]
struct Place {
    /// The directory of an exchange that is not running.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Without --data.
    #[command(flatten)]
    exchange: Exchange,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let answer = match args.act {
        Act::Show(Place { data: Some(data), .. }) => {
            let key = signing::own_key(&data).map_err(|error| Failure::because(&error))?;
            let key = key.ok_or_else(|| {
                let place = data.display();
                Failure::could_not_run(format!(
                    "there is no signing key in {place}: the first start makes one, and `gavel keys rotate --data {place}` too"
                ))
            })?;
            one(&key.public())
        }
        Act::Rotate(Place { data: Some(data), .. }) => {
            if !data.is_dir() {
                let place = data.display();
                return Err(Failure::usage(format!(
                    "there is no directory {place}: --data names that of an exchange"
                )));
            }
            let made = signing::rotate(&data).map_err(|error| Failure::because(&error))?;
            one(&made.public())
        }
        Act::Show(Place { exchange, .. }) => exchange.get("keys")?,
        Act::Rotate(Place { exchange, .. }) => exchange.post("keys/rotate", json!({}))?,
    };
    if json {
        return print_json(&answer);
    }
    for key in answer.get("keys").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        let when = match (text("since"), text("until")) {
            ("", _) => "signs from the next start on".to_owned(),
            (since, "") => format!("signs since {since}"),
            (since, until) => format!("signed from {since} to {until}"),
        };
        print(&format!("{}  {}  {when}", text("key"), text("public")))?;
    }
    Ok(())
}

fn one(key: &signing::PublicKey) -> Value {
    json!({"keys": [{"key": key.id(), "algorithm": "ed25519", "public": key.to_string(), "signs": true}]})
}
