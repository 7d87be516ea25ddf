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
    /// Ask the buyer again for a lead that it may have, with the same Idempotency-Key. Its money stays held until it answers.
    Resend(Which),
    /// Say that the buyer has the lead: it pays what was held, and the source is paid.
    Sold(Said),
    /// Say that the buyer has not got the lead: its money is released, and the next bidder gets the lead.
    Rejected(Said),
}

#[derive(Debug, clap::Args)]
struct Wanted {
    /// Only those that are waiting, unknown or dead.
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
        Command::List(_) => lines(answer),
        Command::Resend(Which { auction, .. }) => format!(
            "{buyer} is asked again; `gavel explain {auction}` says what came of it. Its money stays held until then."
        ),
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

fn lines(answer: &Value) -> String {
    let all = answer.get("shipments").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut lines: Vec<String> =
        all.iter().map(|one| line(one, text(answer, "currency"))).collect();
    if all.is_empty() {
        lines.push("every delivery has ended as it should".to_owned());
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
    let stands = match (text(one, "status"), text(one, "again_at")) {
        ("unknown", "") => {
            "may have it; ask it, then say `sold` or `rejected`, or `resend`".to_owned()
        }
        ("unknown", again) => format!("may have it; it is asked again at {again}"),
        ("waiting", again) => format!("not reached; it is tried again at {again}"),
        (_, _) => "given up".to_owned(),
    };
    format!(
        "{auction}  copy {copy}  {buyer} {stands}  since {since}: {} ({held})",
        text(one, "detail")
    )
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}
