//! `gavel buyer list`, `show` and `rotate`: how buyers stand in a running exchange, and what signs their leads.

use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::ask::Exchange;
use crate::cli::module::{print, print_json};
use crate::ids::BuyerId;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// The buyer.
    name: String,
    #[command(flatten)]
    exchange: Exchange,
}

pub(super) fn list(args: &List, as_json: bool) -> Result<(), Failure> {
    let found = args.exchange.get("buyers")?;
    if as_json {
        return print_json(&found);
    }
    let buyers = found.get("buyers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if buyers.is_empty() {
        return print("there are no buyers yet: PUT /v1/buyers/NAME makes one, as /docs shows");
    }
    buyers.iter().try_for_each(|buyer| print(&title(buyer)))
}

pub(super) fn show(args: &One, as_json: bool) -> Result<(), Failure> {
    let name = named(&args.name)?;
    let found = args.exchange.get(&format!("buyers/{name}"))?;
    if as_json { print_json(&found) } else { print(&lines(&found).join("\n")) }
}

pub(super) fn rotate(args: &One, as_json: bool) -> Result<(), Failure> {
    let name = named(&args.name)?;
    let made = args.exchange.post(&format!("buyers/{name}/signing/rotate"), json!({}))?;
    if as_json {
        return print_json(&made);
    }
    print(&format!(
        "leads to {name} are signed with this from now on; it is not shown again:\n{}\nThe secret before it signs as well until {}: have the buyer replace it by then.",
        text(&made, "/secret"),
        text(&made, "/old_secret_until")
    ))
}

fn named(name: &str) -> Result<BuyerId, Failure> {
    BuyerId::parse(name).map_err(|error| {
        let why = format!("`{name}` is no buyer's name: {error}; `gavel buyer list` shows them");
        Failure::usage(why)
    })
}

fn title(buyer: &Value) -> String {
    let paused = if buyer.get("active") == Some(&Value::Bool(false)) { ", paused" } else { "" };
    format!(
        "{}{paused}: balance {}, held {}, available {}",
        text(buyer, "/id"),
        text(buyer, "/balance"),
        text(buyer, "/held"),
        text(buyer, "/available")
    )
}

fn lines(buyer: &Value) -> Vec<String> {
    let mut lines = vec![title(buyer), format!("  leads      {}", way(buyer))];
    lines.push(format!("  refused    {}", refused(buyer)));
    match buyer.get("end_point") {
        None => lines
            .push("  bids       by its campaigns' prices and filters; it is not asked".to_owned()),
        Some(end_point) => lines.extend(asked(buyer, end_point)),
    }
    lines
}

/// How the buyer gets its leads.
fn way(buyer: &Value) -> String {
    let ways = [
        ("/delivery/url", "posted to "),
        ("/delivery/email/to", "written to "),
        ("/delivery/transfer/number", "callers transferred to "),
    ];
    let way = ways.iter().find(|(pointer, _)| !text(buyer, pointer).is_empty());
    let way = way.map_or(String::new(), |(pointer, how)| format!("{how}{}", text(buyer, pointer)));
    let said = |pointer: &str| buyer.pointer(pointer) == Some(&Value::Bool(true));
    let adapter = match text(buyer, "/delivery/adapter/module") {
        "" => String::new(),
        adapter => format!(", through {adapter}"),
    };
    let signed = match buyer.pointer("/delivery/signing") {
        None => String::new(),
        Some(_) => match text(buyer, "/delivery/signing/old_secret_until") {
            "" => ", signed".to_owned(),
            until => format!(", signed (with the secret before, too, until {until})"),
        },
    };
    let order = if said("/delivery/in_order") { ", one at a time" } else { "" };
    let again = match buyer.pointer("/delivery/status") {
        Some(_) => ", its status page asked when in doubt",
        None if said("/delivery/idempotent") => ", asked again when in doubt",
        None => "",
    };
    format!("{way}{adapter}{signed}{order}{again}")
}

fn refused(buyer: &Value) -> String {
    let (posts, refused) = (number(buyer, "/rejects/posts"), number(buyer, "/rejects/refused"));
    match (posts, text(buyer, "/rejects/rate_percent")) {
        (0, _) => "nothing: no post of its has ended yet".to_owned(),
        (posts, "") => format!("{refused} of its {posts} posts so far; too few for a rate"),
        (posts, rate) => format!("{refused} of its last {posts} posts, {rate} %"),
    }
}

/// How its end point for bids stands.
fn asked(buyer: &Value, end_point: &Value) -> Vec<String> {
    let url = text(buyer, "/bidding/url");
    let outcomes = end_point.get("outcomes").and_then(Value::as_object);
    let counts = outcomes.into_iter().flatten().filter(|(_, count)| count.as_u64() != Some(0));
    let counts: Vec<String> = counts.map(|(outcome, count)| format!("{outcome} {count}")).collect();
    if counts.is_empty() {
        return vec![format!(
            "  bids       asked at {url}; not yet since the exchange was started"
        )];
    }
    let stands = match text(end_point, "/breaker") {
        "open" => format!(
            "left alone for {} s more, because it failed too often ({} times in a row)",
            number(end_point, "/open_seconds_left"),
            number(end_point, "/openings_in_a_row")
        ),
        "half-open" => "being tried again after it failed too often".to_owned(),
        _ => "in use".to_owned(),
    };
    let ms = |pointer: &str| number(end_point, pointer).div_ceil(1_000);
    let mut lines = vec![
        format!("  bids       asked at {url}: {stands}"),
        format!("    outcomes {}, since the exchange was started", counts.join(", ")),
        format!(
            "    at once  {} out; {} may be by what it copes with, {} by its contract",
            number(end_point, "/in_flight"),
            number(end_point, "/concurrency/now"),
            number(end_point, "/concurrency/most")
        ),
        format!(
            "    answers  half within {} ms, 99 of 100 within {} ms",
            ms("/latency_micros/p50"),
            ms("/latency_micros/p99")
        ),
    ];
    if end_point.get("quota").is_some_and(Value::is_object) {
        lines.push(format!(
            "    quota    {} of {} questions a second are left",
            number(end_point, "/quota/left"),
            number(end_point, "/quota/per_second")
        ));
    }
    lines
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_is_told_in_lines() {
        let mut buyer = json!({
            "id": "acme", "active": true, "balance": "98.00", "held": "2.00", "available": "96.00",
            "delivery": {"url": "https://crm.acme.example/leads", "in_order": true, "idempotent": true,
                "adapter": {"module": "px-adapter"}, "signing": {"secret": "[hidden]"}},
            "bidding": {"url": "https://crm.acme.example/bids"},
            "rejects": {"posts": 40, "refused": 3, "rate_percent": "7.5"},
            "end_point": {"breaker": "open", "open_seconds_left": 23, "openings_in_a_row": 2, "in_flight": 1,
                "concurrency": {"now": 8, "most": 64}, "quota": {"per_second": 100, "left": 97},
                "latency_micros": {"p10": 1, "p50": 11_200, "p99": 80_000},
                "outcomes": {"bid": 120, "no-bid": 3, "late": 0}},
        });
        let told = "\
acme: balance 98.00, held 2.00, available 96.00
  leads      posted to https://crm.acme.example/leads, through px-adapter, signed, one at a time, asked again when in doubt
  refused    3 of its last 40 posts, 7.5 %
  bids       asked at https://crm.acme.example/bids: left alone for 23 s more, because it failed too often (2 times in a row)
    outcomes bid 120, no-bid 3, since the exchange was started
    at once  1 out; 8 may be by what it copes with, 64 by its contract
    answers  half within 12 ms, 99 of 100 within 80 ms
    quota    97 of 100 questions a second are left";
        assert_eq!(lines(&buyer).join("\n"), told);
        buyer["end_point"] = json!({"breaker": "closed", "outcomes": {}});
        buyer["rejects"] = json!({"posts": 2, "refused": 1, "rate_percent": null});
        buyer["active"] = json!(false);
        buyer["delivery"]["signing"]["old_secret_until"] = json!("2026-03-03T17:00:00.000Z");
        let told = lines(&buyer).join("\n");
        assert!(told.starts_with("acme, paused: "), "{told}");
        assert!(told.contains("1 of its 2 posts so far; too few for a rate"), "{told}");
        let both = "signed (with the secret before, too, until 2026-03-03T17:00:00.000Z), one";
        assert!(told.contains(both), "{told}");
        assert!(told.ends_with("not yet since the exchange was started"), "{told}");
    }
}
