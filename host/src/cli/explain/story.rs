//! A receipt in plain sentences. It tells what the receipt shows and computes nothing but the sum that it shows.

use serde_json::Value;

use super::fees::{agreed, rounded};
use super::post::post;
use super::price::price;
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
            rule(receipt, terms),
            priced(receipt, text(terms, "reserve")),
            priced(receipt, text(terms, "increment"))
        ));
        lines.extend((1_u32..).zip(list(terms, "tiers")).map(|(number, tier)| {
            let reserve = priced(receipt, text(tier, "reserve"));
            format!("Tier {number}: {}, reserve {reserve}", rule(receipt, tier))
        }));
        if terms.get("reject_penalty") == Some(&Value::Bool(true)) {
            lines.push("A bid counts as what is left of it after the share of its last posts that its buyer refused.".to_owned());
        }
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

/// Says how a price is made and who comes first, where that is not the highest bid.
fn rule(receipt: &Value, terms: &Value) -> String {
    let price = terms.get("price").and_then(Value::as_str);
    let price = price.map_or(String::new(), |price| format!(" at {}", priced(receipt, price)));
    let rank = match text(terms, "rank") {
        "order" => ", in the policy's order",
        "weighted" => ", by a draw",
        _ => "",
    };
    format!("{}{price}{rank}", text(terms, "rule"))
}

/// One campaign's line: its name, its bid, and what became of it.
type Row = (String, String, String);

fn campaigns(receipt: &Value) -> Vec<String> {
    let bid = |campaign: &str| {
        let mut bids = list(receipt, "bids").iter();
        bids.find(|bid| text(bid, "campaign") == campaign)
    };
    let mut rows: Vec<Row> = if receipt.get("winners").is_some() {
        let won = list(receipt, "winners").iter();
        let won = won.map(|won| (text(won, "campaign"), None));
        let left = list(receipt, "left_out").iter();
        let all = won.chain(left.map(|left| (text(left, "campaign"), Some(left))));
        all.map(|(campaign, lost)| row(campaign, bid(campaign), "amount", lost)).collect()
    } else {
        let own = list(receipt, "outcomes").iter().flat_map(|outcome| list(outcome, "campaigns"));
        own.map(|one| {
            let lost = (one.get("won") != Some(&Value::Bool(true))).then_some(one);
            row(text(one, "campaign"), Some(one), "bid", lost)
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

fn row(campaign: &str, bid: Option<&Value>, amount: &str, lost: Option<&Value>) -> Row {
    let told = bid.and_then(|bid| told_bid(bid, amount));
    let told = told.map_or("no bid".to_owned(), |bid| format!("bid {bid}"));
    (campaign.to_owned(), told, lost.map_or("won".to_owned(), because))
}

/// Tells a bid whose amount for a copy stands in this member, and what it counts as where refusals count.
fn told_bid(bid: &Value, amount: &str) -> Option<String> {
    let copy = bid.get(amount).and_then(Value::as_str)?;
    let counted = |amount: &str, ranked: &str| match text(bid, ranked) {
        "" => amount.to_owned(),
        ranked if ranked == amount => amount.to_owned(),
        ranked => format!("{amount}, counts as {ranked}"),
    };
    let copy = (copy, counted(copy, "ranked"));
    Some(match bid.get("exclusive").and_then(Value::as_str) {
        None => copy.1,
        Some(alone) if micros(copy.0).is_positive() => {
            format!("{}; alone {}", copy.1, counted(alone, "ranked_exclusive"))
        }
        Some(alone) => format!("alone {}", counted(alone, "ranked_exclusive")),
    })
}

pub(super) fn because(left: &Value) -> String {
    let words = left.get("message").and_then(Value::as_str).unwrap_or_else(|| text(left, "code"));
    match left.get("detail").and_then(Value::as_str) {
        Some(detail) => format!("{words}: {detail}"),
        None => words.to_owned(),
    }
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
