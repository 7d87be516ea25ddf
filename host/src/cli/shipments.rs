//! `gavel shipments`: deliveries whose end nobody knows or that were given up, and the operator's word about them.

use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::ask::{Body, Exchange};
use super::module::{print, print_json};

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
    /// List them, the newest pings' first.
    List(Wanted),
    /// Send a lead again to the buyer that it was for, with the same Idempotency-Key: one that the buyer may have, or one
    /// that was given up. Its money is held until it answers; nobody else gets one that was given up.
    Resend(Which),
    /// Say that the buyer has the lead: it pays what was held, and the source is paid.
    Sold(Said),
    /// Say that the buyer has not got the lead: its money is released, and the next bidder gets the lead.
    Rejected(Said),
}

#[derive(Debug, clap::Args)]
struct Wanted {
    /// Only those that are waiting (tried again), unknown (the buyer may have it) or dead (given up).
    #[arg(long, value_parser = ["waiting", "unknown", "dead"])]
    status: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// Where the list goes on, as its last line said.
    #[arg(long, value_name = "NEXT")]
    before: Option<String>,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The auction, by its ping's id.
    auction: String,
    /// Which copy of the lead.
    #[arg(long, default_value_t = 0)]
    copy: u32,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
struct Said {
    #[command(flatten)]
    which: Which,
    /// The buyer's reference of the sale, or its reason. It is recorded for ever, so it must not name the person.
    #[arg(long, default_value = "")]
    note: String,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let command = args.command.unwrap_or(Command::List(args.wanted));
    let answer = match &command {
        Command::List(wanted) => list(wanted)?,
        Command::Resend(Which { auction, copy, exchange }) => {
            exchange.post(&format!("auctions/{auction}/resend"), json!({ "copy": copy }))?
        }
        Command::Sold(said) => settle(said, "sold")?,
        Command::Rejected(said) => settle(said, "rejected")?,
    };
    if json { print_json(&answer) } else { print(&told(&command, &answer)) }
}

fn list(wanted: &Wanted) -> Result<Value, Failure> {
    let limit = wanted.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    for (name, value) in [("status", &wanted.status), ("before", &wanted.before)] {
        query.extend(value.as_deref().map(|value| (name, value)));
    }
    wanted.exchange.call(Method::GET, "shipments", &query, Body::Nothing)
}

fn settle(said: &Said, outcome: &str) -> Result<Value, Failure> {
    let Said { which: Which { auction, copy, exchange }, note } = said;
    let body = json!({"copy": copy, "outcome": outcome, "note": note});
    exchange.post(&format!("auctions/{auction}/resolve"), body)
}

fn told(command: &Command, answer: &Value) -> String {
    let (buyer, price) = (text(answer, "buyer"), text(answer, "price"));
    match command {
        Command::List(wanted) => lines(wanted.status.as_deref(), answer),
        Command::Resend(Which { auction, .. }) => {
            let held = match text(answer, "held_again") {
                "" => "Its money stays held until then.".to_owned(),
                held => format!(
                    "{held} of its money are held again until then. The source was told that nobody has the lead; if {buyer} takes it now, the source is told and paid."
                ),
            };
            format!(
                "the lead goes to {buyer} again; `gavel explain {auction}` says what came of it. {held}"
            )
        }
        Command::Sold(_) => {
            format!("sold to {buyer} for {price}: it has paid, and the source is paid")
        }
        Command::Rejected(_) => match text(answer, "successor") {
            "" => format!(
                "{buyer} did not get it: its money is released. Nobody else wants the lead."
            ),
            next => {
                format!("{buyer} did not get it: its money is released. The lead goes to {next}.")
            }
        },
    }
}

fn lines(status: Option<&str>, answer: &Value) -> String {
    let all = answer.get("shipments").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut lines: Vec<String> =
        all.iter().map(|one| line(one, text(answer, "currency"))).collect();
    if all.is_empty() {
        lines.push(match status {
            None => "every delivery has ended as it should".to_owned(),
            Some(status) => format!("no delivery is {status}"),
        });
    }
    match text(answer, "next") {
        "" => (),
        next => lines.push(format!("there are more: --before {next}")),
    }
    lines.join("\n")
}

fn line(one: &Value, currency: &str) -> String {
    let (auction, buyer, since) = (text(one, "auction"), text(one, "buyer"), text(one, "since"));
    let copy = one.get("copy").and_then(Value::as_u64).unwrap_or_default();
    let held = match text(one, "held") {
        "" => "no money is held".to_owned(),
        held => format!("{held} {currency} held"),
    };
    let sendable = one.get("sendable") == Some(&Value::Bool(true));
    let stands = match (text(one, "status"), text(one, "again_at"), text(one, "resent_at")) {
        (_, "", at) if !at.is_empty() => format!("was sent it again at {at}, and has not answered yet"),
        ("unknown", "", _) => {
            "may have it: ask it, then say `sold` or `rejected`, or send it again with `resend`".to_owned()
        }
        ("unknown", again, _) => format!("may have it: it is asked again at {again}"),
        ("waiting", again, _) => format!("was not reached: it is tried again at {again}"),
        (_, _, _) if sendable => "was not reached, and the lead was given up: `resend` sends it again".to_owned(),
        (_, _, _) => {
            "was not reached, and the lead was given up: its contact data is gone, so only its source can offer it again".to_owned()
        }
    };
    format!(
        "{auction}  copy {copy}  {buyer} {stands}\n    since {since}, after attempt {}: {} ({held})",
        one.get("attempt").and_then(Value::as_u64).unwrap_or_default(),
        text(one, "detail")
    )
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}
