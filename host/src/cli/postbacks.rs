//! `gavel postbacks`: what sources and buyers were told of their leads, and what was not taken.

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
    /// List postbacks, the newest pings' first, and the end points that are disabled.
    List(Wanted),
    /// Show one with every attempt and what it says.
    Show(One),
    /// Send one again now, and on the whole schedule. Its receiver knows it by the same id.
    Resend(One),
    /// Make a new signing secret; the one before it signs beside it for a day.
    Rotate(Whose),
    /// Send an end point something that is no news, once, and say what came back.
    Test(Whose),
}

#[derive(Debug, clap::Args)]
struct One {
    /// Its id, as in the list and in the header `webhook-id`.
    id: String,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
struct Whose {
    /// Such as source:web or buyer:acme.
    owner: String,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
struct Wanted {
    /// Only those that are waiting, delivered or dead.
    #[arg(long, value_parser = ["waiting", "delivered", "dead"])]
    status: Option<String>,
    /// Only one owner's, such as source:web or buyer:acme.
    #[arg(long)]
    owner: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// Where the list goes on, as its last line said.
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    #[command(flatten)]
    exchange: Exchange,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let command = args.command.unwrap_or(Command::List(args.wanted));
    let answer = match &command {
        Command::List(wanted) => list(wanted)?,
        Command::Show(One { id, exchange }) => exchange.get(&format!("postbacks/{id}"))?,
        Command::Resend(One { id, exchange }) => {
            exchange.post(&format!("postbacks/{id}/resend"), json!({}))?
        }
        Command::Rotate(Whose { owner, exchange }) => {
            exchange.post("postbacks/rotate", json!({ "owner": owner }))?
        }
        Command::Test(Whose { owner, exchange }) => {
            exchange.post("postbacks/test", json!({ "owner": owner }))?
        }
    };
    let taken = text(&answer, "outcome") == "delivered";
    if json {
        print_json(&answer)?;
    } else {
        print(&told(&command, &answer))?;
    }
    match command {
        Command::Test(Whose { owner, .. }) if !taken => Err(Failure::does_not_hold(format!(
            "{owner} did not take it; when its end point is mended, try again"
        ))),
        _ => Ok(()),
    }
}

fn list(wanted: &Wanted) -> Result<Value, Failure> {
    let limit = wanted.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    for (name, value) in
        [("status", &wanted.status), ("owner", &wanted.owner), ("before", &wanted.before)]
    {
        query.extend(value.as_deref().map(|value| (name, value)));
    }
    wanted.exchange.call(Method::GET, "postbacks", &query, Body::Nothing)
}

fn told(command: &Command, answer: &Value) -> String {
    match command {
        Command::List(_) => lines(answer),
        Command::Show(_) => shown(answer),
        Command::Resend(One { id, .. }) => format!(
            "{id} goes out again to {}; `gavel postbacks show {id}` says what came of it",
            text(answer, "owner")
        ),
        Command::Rotate(Whose { owner, .. }) => format!(
            "{owner} signs with this from now on; it is not shown again:\n{}\nThe secret before it signs as well until {}: replace it at the receiver by then.",
            text(answer, "secret"),
            text(answer, "old_secret_until")
        ),
        Command::Test(Whose { owner, .. }) => {
            let status = number(answer, "http_status");
            let status = status.map_or(String::new(), |status| format!(", status {status}"));
            match text(answer, "detail") {
                "" => format!("{owner} took {} in {} ms{status}", text(answer, "id"), took(answer)),
                why => format!("{owner} did not take {}: {why}", text(answer, "id")),
            }
        }
    }
}

fn lines(answer: &Value) -> String {
    let all = array(answer, "postbacks");
    let mut lines: Vec<String> = all.iter().map(line).collect();
    match (all.is_empty(), array(answer, "end_points").len()) {
        (false, _) => (),
        (true, 0) => lines.push("no postbacks: PUT a source or a buyer with `\"postback\": {\"url\": ..}`, and it is told of its leads from then on".to_owned()),
        (true, count) => {
            let there = if count == 1 { "1 end point is".to_owned() } else { format!("{count} end points are") };
            lines.push(format!("no such postbacks; {there} to be told of what becomes of leads"));
        }
    }
    for end_point in array(answer, "end_points") {
        if let Some(disabled) = end_point.get("disabled").filter(|disabled| disabled.is_object()) {
            let owner = text(end_point, "owner");
            let (at, why) = (text(disabled, "at"), text(disabled, "why"));
            lines.push(format!(
                "{owner} is disabled since {at}: {why}. Save it with its `postback` again to go on"
            ));
        }
    }
    match text(answer, "next") {
        "" => (),
        next => lines.push(format!("there are more: --before {next}")),
    }
    lines.join("\n")
}

fn line(one: &Value) -> String {
    let attempt = number(one, "attempt").unwrap_or_default();
    let stands = match (text(one, "status"), attempt) {
        ("waiting", 0) => "waiting for its first attempt".to_owned(),
        ("waiting", attempt) => {
            let (why, next) = (text(one, "detail"), text(one, "next_at"));
            format!("failed {attempt} times ({why}), next at {next}")
        }
        ("delivered", _) => format!("delivered at {}", text(one, "last_at")),
        ("dead", _) => format!("dead since {}: {}", text(one, "last_at"), text(one, "detail")),
        (other, _) => other.to_owned(),
    };
    format!("{}  {}  {}  {stands}", text(one, "id"), text(one, "owner"), text(one, "event"))
}

fn shown(one: &Value) -> String {
    let mut lines = vec![line(one)];
    for step in array(one, "attempts") {
        let (at, outcome) = (text(step, "at"), text(step, "outcome"));
        if outcome == "resent" {
            lines.push(format!("  {at}  sent again by the {}", text(step, "by")));
            continue;
        }
        let attempt = number(step, "attempt").unwrap_or_default();
        let why = match text(step, "detail") {
            "" => String::new(),
            why => format!(": {why}"),
        };
        let again = match text(step, "again_at") {
            "" => String::new(),
            again => format!("; next at {again}"),
        };
        lines.push(format!("  {at}  attempt {attempt} {outcome} in {} ms{why}{again}", took(step)));
    }
    lines.push(format!("  {}", one.get("body").unwrap_or(&Value::Null)));
    lines.join("\n")
}

fn took(value: &Value) -> u64 {
    number(value, "took_ms").unwrap_or_default()
}

fn number(value: &Value, member: &str) -> Option<u64> {
    value.get(member).and_then(Value::as_u64)
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn array<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
