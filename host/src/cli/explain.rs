//! `gavel explain`: tells the story of an auction to a person.

mod contest;
mod fees;
mod post;
mod price;
mod story;

use std::path::PathBuf;

use serde_json::{Value, json};

use self::story::{Story, story};
use super::ask::Exchange;
use super::module::{print, print_json};
use super::place::place;
use super::{Failure, block_on};
use crate::clock::Clock;
use crate::demo::ink::coloured;
use crate::exchange::receipt_in;
use crate::ids::PingId;
use crate::sandbox::Compiler;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The auction, by its ping's id.
    ping: String,
    /// The directory of an exchange, which may be running.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL database with the journal of --data, if it has a password; without one, the directory knows.
    #[arg(long, env = "GAVEL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Without --data. A source's or a buyer's key in GAVEL_OPERATOR_KEY tells its part of the story.
    #[command(flatten)]
    exchange: Exchange,
    /// The currency of all amounts in --data.
    #[arg(long, env = "GAVEL_CURRENCY", default_value = "USD")]
    currency: String,
}

pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let ping = PingId::parse(&args.ping).map_err(|error| {
        Failure::usage(format!(
            "`{}` is no auction: {error}; a ping's answer has its `ping_id`",
            args.ping
        ))
    })?;
    let receipt = match &args.data {
        Some(data) => {
            let compiler = Compiler::this_program();
            let read = block_on(receipt_in(
                place(data.clone(), args.database.as_deref())?,
                (ping, Clock::system().now()),
                &args.currency,
                compiler,
            ))?;
            let read = read.map_err(|error| Failure::because(&error))?;
            Value::Object(read.ok_or_else(|| {
                Failure::usage(format!("there is no auction {ping} in {}", data.display()))
            })?)
        }
        None => args.exchange.get(&format!("auctions/{ping}"))?,
    };
    let told = story(&receipt);
    if json {
        return print_json(&in_json(&told));
    }
    print(&in_text(&told, coloured()))
}

fn in_text(story: &Story, coloured: bool) -> String {
    let bold = |text: &str| {
        if coloured { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut out = bold(&story.title);
    for (title, lines) in &story.sections {
        out.push_str(&format!("\n\n{}", bold(title)));
        for line in lines {
            out.push_str(&format!("\n  {line}"));
        }
    }
    out
}

fn in_json(story: &Story) -> Value {
    let sections = story.sections.iter();
    let sections = sections.map(|(title, lines)| json!({"title": title, "lines": lines}));
    json!({"title": story.title, "sections": sections.collect::<Vec<Value>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells a receipt's story and compares it with text.
    #[track_caller]
    fn check(receipt: &Value, expected: &str) {
        let told = in_text(&story(receipt), false);
        assert_eq!(told, expected.trim(), "\n{told}\n");
    }

    fn winner(campaign: &str, buyer: &str, bid: &str, price: &str) -> Value {
        json!({"campaign": campaign, "buyer": buyer, "bid": bid, "price": price})
    }

    fn receipt() -> Value {
        json!({
            "auction": "pg_01kd0b4tq0e8m2v6x9c3r7s5wz", "status": "sold", "source": "web",
            "vertical": "auto-insurance", "received_at": "2026-03-02T17:00:31.204Z",
            "expires_at": "2026-03-02T17:05:31.204Z", "currency": "USD", "test": false, "catalog": 9,
            "body": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "lead": {"zip": "90210", "state": "CA", "age": 40},
            "modules": {"normalizer": {"name": "auto-insurance", "version": 1}, "filters": [{"name": "zip-list", "version": 3}]},
            "terms": {"rule": "second-price", "copies": 1, "reserve": "2.00", "increment": "0.01"},
            "margin_percent": "10",
            "bids": [
                {"campaign": "acme-west", "buyer": "acme", "amount": "12.00"},
                {"campaign": "bolt-all", "buyer": "bolt", "amount": "8.00"},
                {"campaign": "cato-1", "buyer": "cato", "amount": "1.00"},
            ],
            "winners": [winner("acme-west", "acme", "12.00", "8.01")],
            "left_out": [
                {"campaign": "bolt-all", "code": "outbid", "message": "another buyer bid better", "detail": null},
                {"campaign": "cato-1", "code": "below-reserve", "message": "the bid is below the reserve", "detail": null},
                {"campaign": "dora-young", "code": "criteria-unmet", "message": "the lead does not meet the campaign's criteria", "detail": "age < 21 (age is 40)"},
            ],
            "duplicate_of": null, "price": "8.01", "payout": "7.209", "posted": true,
            "deliveries": [
                {"at": "2026-03-02T17:00:32.018Z", "copy": 0, "attempt": 1, "campaign": "acme-west", "buyer": "acme", "outcome": "rejected", "detail": "not for us", "price": "0.00", "payout": "0.00", "again_at": null, "successor": winner("bolt-all", "bolt", "8.00", "2.00")},
                {"at": "2026-03-02T17:00:32.418Z", "copy": 0, "attempt": 1, "campaign": "bolt-all", "buyer": "bolt", "outcome": "sold", "detail": "B-1", "price": "2.00", "payout": "1.80", "again_at": null, "successor": null},
            ],
            "ledger": [
                {"fact": 14, "account": "buyer:bolt:prepaid", "amount": "2.00", "code": "sale"},
                {"fact": 14, "account": "source:web:payable", "amount": "-1.80", "code": "sale"},
                {"fact": 14, "account": "exchange:revenue", "amount": "-0.20", "code": "margin"},
            ],
            "facts": [
                {"seq": 12, "at": "2026-03-02T17:00:31.204Z", "kind": "ping-answered", "hash": "sha256:aa"},
                {"seq": 14, "at": "2026-03-02T17:00:32.418Z", "kind": "delivered", "hash": "sha256:bb"},
            ],
        })
    }

    #[test]
    fn a_sale_is_told_from_the_ping_to_the_money() {
        check(
            &receipt(),
            "
pg_01kd0b4tq0e8m2v6x9c3r7s5wz: auto-insurance, sold

What came
  2026-03-02T17:00:31.204Z: a ping from source web, read by auto-insurance version 1
  zip 90210, state CA, age 40

The rules, fixed before the first bid was asked for
  second-price: 1 copy, reserve 2.00 USD, increment 0.01 USD
  The exchange keeps 10 % of the price.

Who could have bought it
  acme-west     bid 12.00   won
  bolt-all      bid 8.00    another buyer bid better
  cato-1        bid 1.00    the bid is below the reserve
  dora-young    no bid      the lead does not meet the campaign's criteria: age < 21 (age is 40)
  Filters that were asked: zip-list version 3

How the price came to be
  acme-west bid most: 12.00 USD. It gets the copy.
  The best bid of a buyer that got none is 8.00 USD, of bolt-all. One step above it: 8.00 + 0.01 = 8.01.
  That is not below the reserve of 2.00 and not above the winning bid of 12.00.
  So the price is 8.01 USD, and the source gets 7.209 USD of it.

What happened at the post
  2026-03-02T17:00:32.018Z: acme refused it: not for us. bolt comes next, at 2.00 USD.
  2026-03-02T17:00:32.418Z: bolt took it for 2.00 USD. Its reference: B-1

The money
  buyer:bolt:prepaid            2.00  sale
  source:web:payable           -1.80  sale
  exchange:revenue             -0.20  margin
  sum                           0.00

The record
  fact 12, ping-answered, sha256:aa
  fact 14, delivered, sha256:bb
",
        );
    }

    #[test]
    fn a_lead_that_nobody_bought_says_why() {
        let mut unsold = receipt();
        for (member, value) in [
            ("status", json!("rejected")),
            ("bids", json!([{"campaign": "cato-1", "buyer": "cato", "amount": "1.00"}])),
            ("winners", json!([])),
            (
                "left_out",
                json!([{"campaign": "cato-1", "code": "below-reserve", "message": "the bid is below the reserve", "detail": null}]),
            ),
            ("price", json!(null)),
            ("posted", json!(false)),
            ("deliveries", json!([])),
            ("ledger", json!([])),
        ] {
            unsold[member] = value;
        }
        let told = in_text(&story(&unsold), false);
        assert!(told.contains("Nobody won: of 1 bid none was at or above the reserve of 2.00 USD and could be paid."), "{told}");
        assert!(told.contains("No lead was posted: there was no buyer to post it to."), "{told}");
        assert!(told.contains("No money moved."), "{told}");
    }

    #[test]
    fn the_reserve_is_the_price_where_nobody_competes() {
        let mut alone = receipt();
        alone["bids"] = json!([{"campaign": "acme-west", "buyer": "acme", "amount": "12.00"}]);
        alone["winners"] = json!([winner("acme-west", "acme", "12.00", "2.00")]);
        alone["left_out"] = json!([]);
        alone["price"] = json!("2.00");
        let told = in_text(&story(&alone), false);
        assert!(
            told.contains(
                "No other buyer bid the reserve or more, so the reserve of 2.00 USD is the price."
            ),
            "{told}"
        );
    }

    #[test]
    fn a_buyers_part_is_told_too() {
        let part = json!({
            "auction": "pg_01kd0b4tq0e8m2v6x9c3r7s5wz", "vertical": "auto-insurance",
            "received_at": "2026-03-02T17:00:31.204Z", "currency": "USD", "test": false,
            "terms": {"rule": "second-price", "copies": 1, "reserve": "2.00", "increment": "0.01"},
            "outcomes": [{"buyer": "cato", "won": false, "price": null, "price_to_win": "12.01",
                "campaigns": [{"campaign": "cato-1", "bid": "5.00", "won": false, "code": "outbid", "message": "another buyer bid better", "detail": null}],
                "deliveries": []}],
        });
        let told = in_text(&story(&part), false);
        assert!(told.contains("cato-1    bid 5.00    another buyer bid better"), "{told}");
        assert!(told.contains("A bid of 12.01 USD would have won."), "{told}");
    }

    #[test]
    fn a_source_reads_how_its_lead_ended_though_not_who_had_it() {
        let mut part = json!({
            "auction": "pg_01kd0b4tq0e8m2v6x9c3r7s5wz", "status": "sold", "source": "web",
            "vertical": "auto-insurance", "received_at": "2026-03-02T17:00:31.204Z",
            "currency": "USD", "posted": true, "price": "8.01", "payout": "7.209", "paid": "1.80",
        });
        let check = |part: &Value, expected: &str| {
            let told = in_text(&story(part), false);
            assert!(told.ends_with(expected), "{told}");
        };
        check(&part, "The lead was posted and sold, and the source was paid 1.80 USD.");
        part["status"] = json!("unsold");
        check(&part, "The lead was posted, and no buyer took it.");
        part["status"] = json!("pending");
        check(&part, "The lead was posted; no buyer has answered yet.");
    }

    #[test]
    fn whoever_may_not_have_the_person_is_told_before_the_attempts() {
        let mut passed = receipt();
        passed["deliveries"] = json!([]);
        passed["passed_over"] = json!([{"campaign": "acme-west", "buyer": "acme", "code": "suppressed",
            "message": "the person is on a suppression list", "detail": "own-customers", "copy": 0,
            "successor": winner("bolt-all", "bolt", "8.00", "2.00")}]);
        passed["status"] = json!("pending");
        let told = in_text(&story(&passed), false);
        let expected = "acme was passed over: the person is on a suppression list: own-customers. bolt comes next, at 2.00 USD.\n  The lead was posted; no buyer has answered yet.";
        assert!(told.contains(expected), "{told}");
    }
}
