//! A receipt in plain sentences. It tells what the receipt shows and computes nothing but the sum that it shows.

use serde_json::Value;

use super::fees::{agreed, rounded, with_fees};
use super::post::post;
use crate::money::Micros;

/// An auction, told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Story {
    pub(super) title: String,
    /// Each with its title and its lines.
    pub(super) sections: Vec<(&'static str, Vec<String>)>,
}

/// Tells a receipt, or somebody's part of one.
pub(super) fn story(receipt: &Value) -> Story {
    let status = receipt.get("status").and_then(Value::as_str);
    let status = status.map_or(String::new(), |status| format!(", {status}"));
    let test = if receipt.get("test") == Some(&Value::Bool(true)) { ", a test" } else { "" };
    let title =
        format!("{}: {}{status}{test}", text(receipt, "auction"), text(receipt, "vertical"));
    let sections = [
        ("What came", what_came(receipt)),
        ("The rules, fixed before the first bid was asked for", rules(receipt)),
        ("Who could have bought it", campaigns(receipt)),
        ("How the price came to be", price(receipt)),
        ("What happened at the post", post(receipt)),
        ("The money", money(receipt)),
        ("Who was told", told(receipt)),
        ("The record", record(receipt)),
    ];
    Story { title, sections: sections.into_iter().filter(|(_, lines)| !lines.is_empty()).collect() }
}

fn what_came(receipt: &Value) -> Vec<String> {
    let received = text(receipt, "received_at");
    let source = match text(receipt, "source") {
        "" => String::new(),
        source => format!(" from source {source}"),
    };
    let reader = receipt.pointer("/modules/normalizer");
    let reader = reader.map_or(String::new(), |module| format!(", read by {}", versioned(module)));
    let mut lines = vec![format!("{received}: a ping{source}{reader}")];
    let fields = receipt.get("lead").and_then(Value::as_object);
    let fields: Vec<String> = fields
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    if !fields.is_empty() {
        lines.push(fields.join(", "));
    }
    if let Some(earlier) = receipt.get("duplicate_of").and_then(Value::as_str) {
        lines.push(format!(
            "It repeats {earlier} within the vertical's window, so nobody was asked."
        ));
    }
    lines
}

fn rules(receipt: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(terms) = receipt.get("terms") {
        let copies = terms.get("copies").and_then(Value::as_u64).unwrap_or_default();
        let copies = if copies == 1 { "1 copy".to_owned() } else { format!("{copies} copies") };
        lines.push(format!(
            "{}: {copies}, reserve {}, increment {}",
            text(terms, "rule"),
            priced(receipt, text(terms, "reserve")),
            priced(receipt, text(terms, "increment"))
        ));
    }
    if let Some(margin) = receipt.get("margin_percent").and_then(Value::as_str) {
        lines.push(format!("The exchange keeps {margin} % of the price{}.", rounded(receipt)));
    }
    if let Some(fees) =
        receipt.get("source_fees").and_then(|fees| agreed(receipt, fees, "of the rest"))
    {
        lines.push(format!("The source is charged {fees}."));
    }
    for known in list(receipt, "buyer_fees") {
        let fees = known.get("fees").and_then(|fees| agreed(receipt, fees, "of the price"));
        if let Some(fees) = fees {
            lines.push(format!("{} pays on top of the price {fees}.", text(known, "buyer")));
        }
    }
    lines
}

/// One campaign's line: its name, its bid, and what became of it.
type Row = (String, String, String);

fn campaigns(receipt: &Value) -> Vec<String> {
    let mut rows: Vec<Row> = if receipt.get("winners").is_some() {
        let bid = |campaign: &str| {
            let found = list(receipt, "bids").iter().find(|bid| text(bid, "campaign") == campaign);
            found.map(|bid| text(bid, "amount"))
        };
        let won = list(receipt, "winners")
            .iter()
            .map(|won| row(text(won, "campaign"), Some(text(won, "bid")), None));
        let left = list(receipt, "left_out").iter();
        won.chain(
            left.map(|left| row(text(left, "campaign"), bid(text(left, "campaign")), Some(left))),
        )
        .collect()
    } else {
        let own = list(receipt, "outcomes").iter().flat_map(|outcome| list(outcome, "campaigns"));
        own.map(|one| {
            let lost = (one.get("won") != Some(&Value::Bool(true))).then_some(one);
            row(text(one, "campaign"), one.get("bid").and_then(Value::as_str), lost)
        })
        .collect()
    };
    if rows.is_empty() {
        let reasons = list(receipt, "reasons").iter();
        return reasons
            .map(|reason| {
                let count = reason.get("campaigns").and_then(Value::as_u64).unwrap_or_default();
                format!("{count} × {}", because(reason))
            })
            .collect();
    }
    rows.sort();
    let width = rows.iter().map(|(name, _, _)| name.chars().count()).max().unwrap_or_default();
    let width = width.saturating_add(4);
    let bids = rows.iter().map(|(_, bid, _)| bid.chars().count()).max().unwrap_or_default();
    let bids = bids.saturating_add(2).max(12);
    let lines = rows.iter().map(|(name, bid, what)| format!("{name:<width$}{bid:<bids$}{what}"));
    let mut lines: Vec<String> = lines.collect();
    let filters = receipt.pointer("/modules/filters").and_then(Value::as_array);
    let filters: Vec<String> = filters.into_iter().flatten().map(versioned).collect();
    if !filters.is_empty() {
        lines.push(format!("Filters that were asked: {}", filters.join(", ")));
    }
    lines
}

fn row(campaign: &str, bid: Option<&str>, lost: Option<&Value>) -> Row {
    let bid = bid.map_or("no bid".to_owned(), |amount| format!("bid {amount}"));
    (campaign.to_owned(), bid, lost.map_or("won".to_owned(), because))
}

fn because(left: &Value) -> String {
    let words = left.get("message").and_then(Value::as_str).unwrap_or_else(|| text(left, "code"));
    match left.get("detail").and_then(Value::as_str) {
        Some(detail) => format!("{words}: {detail}"),
        None => words.to_owned(),
    }
}

fn price(receipt: &Value) -> Vec<String> {
    let winners = list(receipt, "winners");
    let amount = |amount: &str| priced(receipt, amount);
    if receipt.get("winners").is_none() {
        return own_price(receipt);
    }
    let Some(lowest) = winners.last() else {
        if receipt.get("duplicate_of").is_some_and(Value::is_string) {
            return Vec::new();
        }
        let bids = list(receipt, "bids").len();
        let reserve = receipt.get("terms").map_or("", |terms| text(terms, "reserve"));
        return vec![match bids {
            0 => "Nobody won: there was no bid.".to_owned(),
            count => {
                let bids = if count == 1 { "1 bid".to_owned() } else { format!("{count} bids") };
                format!(
                    "Nobody won: of {bids} none was at or above the reserve of {} and could be paid.",
                    amount(reserve)
                )
            }
        }];
    };
    let mut lines: Vec<String> = winners
        .iter()
        .enumerate()
        .map(|(index, winner)| {
            let place = if index == 0 { "bid most" } else { "bid next" };
            let copy = if winners.len() == 1 { "the copy" } else { "a copy" };
            format!(
                "{} {place}: {}. It gets {copy}.",
                text(winner, "campaign"),
                amount(text(winner, "bid"))
            )
        })
        .collect();
    let price = text(lowest, "price");
    if receipt.pointer("/terms/rule").and_then(Value::as_str) == Some("second-price") {
        lines.extend(second_price(receipt, lowest));
    }
    let each = if winners.len() == 1 { "So the price is" } else { "So each of them pays" };
    let payout = text(receipt, "payout");
    let of = if winners.len() == 1 { "of it" } else { "of all of it" };
    lines.push(format!("{each} {}, and the source gets {} {of}.", amount(price), amount(payout)));
    lines
}

/// Computes the second price before the reader's eyes.
fn second_price(receipt: &Value, lowest: &Value) -> Vec<String> {
    let terms = receipt.get("terms").unwrap_or(&Value::Null);
    let (reserve, increment) = (text(terms, "reserve"), text(terms, "increment"));
    let outbid = |campaign: &str| {
        let mut left = list(receipt, "left_out").iter();
        left.any(|left| text(left, "campaign") == campaign && text(left, "code") == "outbid")
    };
    let losing = list(receipt, "bids").iter().filter(|bid| outbid(text(bid, "campaign")));
    let Some(next) = losing.max_by_key(|bid| micros(text(bid, "amount"))) else {
        return vec![format!(
            "No other buyer bid the reserve or more, so the reserve of {} is the price.",
            priced(receipt, reserve)
        )];
    };
    let (best, bid) = (micros(text(next, "amount")), micros(text(lowest, "bid")));
    let beaten = best.checked_add(micros(increment)).unwrap_or(best);
    let mut lines = vec![format!(
        "The best bid of a buyer that got none is {}, of {}. One step above it: {best} + {increment} = {beaten}.",
        priced(receipt, text(next, "amount")),
        text(next, "campaign")
    )];
    lines.push(if beaten > bid {
        format!("That is above the lowest winning bid of {bid}, and nobody pays more than it bid.")
    } else if beaten < micros(reserve) {
        format!("That is below the reserve of {reserve}, which is the least price.")
    } else {
        format!(
            "That is not below the reserve of {reserve} and not above the winning bid of {bid}."
        )
    });
    lines
}

/// What one buyer may know of the price.
fn own_price(receipt: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for outcome in list(receipt, "outcomes") {
        if let Some(price) = outcome.get("price").and_then(Value::as_str) {
            let fees = with_fees(receipt, outcome);
            lines.push(format!("The price is {}{fees}.", priced(receipt, price)));
        }
        if let Some(price) = outcome.get("price_to_win").and_then(Value::as_str) {
            lines.push(format!("A bid of {} would have won.", priced(receipt, price)));
        }
    }
    if let (Some(price), Some(payout)) = (
        receipt.get("price").and_then(Value::as_str),
        receipt.get("payout").and_then(Value::as_str),
    ) {
        lines.push(format!(
            "The price is {}, of which the source gets {}.",
            priced(receipt, price),
            priced(receipt, payout)
        ));
    }
    lines
}

fn money(receipt: &Value) -> Vec<String> {
    let legs = list(receipt, "ledger");
    if legs.is_empty() {
        return match receipt.get("ledger") {
            Some(_) => vec!["No money moved.".to_owned()],
            None => Vec::new(),
        };
    }
    let mut sum = Micros::ZERO;
    let mut lines = Vec::new();
    for leg in legs {
        let amount = text(leg, "amount");
        sum = sum.checked_add(micros(amount)).unwrap_or(sum);
        lines.push(format!("{:<22}{amount:>12}  {}", text(leg, "account"), text(leg, "code")));
    }
    if receipt.get("winners").is_some() {
        lines.push(format!("{:<22}{:>12}", "sum", sum.to_string()));
    }
    lines
}

fn told(receipt: &Value) -> Vec<String> {
    let postbacks = list(receipt, "postbacks").iter();
    postbacks
        .map(|one| {
            let (at, owner, event) = (text(one, "at"), text(one, "owner"), text(one, "event"));
            let (id, detail) = (text(one, "id"), text(one, "detail"));
            match (text(one, "outcome"), text(one, "again_at")) {
                ("delivered", _) => format!("{at}: {owner} was told {event}, {id}."),
                ("resent", _) => format!("{at}: {id} was sent again by hand."),
                (_, "") => format!(
                    "{at}: {owner} was not told {event}: {detail}. `gavel postbacks resend {id}` sends it again."
                ),
                (_, again) => format!(
                    "{at}: {owner} was not told {event}: {detail}. It is tried again at {again}."
                ),
            }
        })
        .collect()
}

fn record(receipt: &Value) -> Vec<String> {
    let facts = list(receipt, "facts").iter().map(|fact| {
        let seq = fact.get("seq").and_then(Value::as_u64).unwrap_or_default();
        format!("fact {seq}, {}, {}", text(fact, "kind"), text(fact, "hash"))
    });
    let mut lines: Vec<String> = facts.collect();
    if let Some(key) = receipt.pointer("/proof/statement/key").and_then(Value::as_str) {
        lines.push(format!("signed by key {key}; `gavel verify` checks it"));
    }
    lines
}

fn versioned(module: &Value) -> String {
    let version = module.get("version").and_then(Value::as_u64).unwrap_or_default();
    format!("{} version {version}", text(module, "name"))
}

pub(super) fn priced(receipt: &Value, amount: &str) -> String {
    format!("{amount} {}", text(receipt, "currency"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(plain).collect::<Vec<String>>().join(" "),
        other => other.to_string(),
    }
}

pub(super) fn micros(amount: &str) -> Micros {
    Micros::parse(amount).unwrap_or_default()
}

pub(super) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
