//! Who sees which part of a receipt.
//!
//! The operator sees all. A source sees what it sent and what it was paid, and why it was refused in numbers, but neither
//! who bid nor how much. A buyer sees the rules and what became of itself: its own bids among as many sealed ones as
//! there were, what it pays if it won, and what would have won if it lost by its price.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Placed;
use crate::facts::{Fact, Party, StatusAsked};

/// What a source sees.
const SOURCE: [&str; 24] = [
    "auction",
    "status",
    "source",
    "vertical",
    "received_at",
    "expires_at",
    "currency",
    "test",
    "body",
    "lead",
    "margin_percent",
    "margin_rounding",
    "source_fees",
    "reasons",
    "duplicate_of",
    "replaces",
    "superseded_by",
    "price",
    "payout",
    "paid",
    "posted",
    "postbacks",
    "ledger",
    "facts",
];
/// What a buyer sees.
const BUYER: [&str; 13] = [
    "auction",
    "vertical",
    "received_at",
    "currency",
    "test",
    "terms",
    "buyer_fees",
    "bids",
    "asked",
    "outcomes",
    "postbacks",
    "ledger",
    "facts",
];
/// What stands for an auction in a list of a source's.
const SOURCE_LINE: [&str; 13] = [
    "auction",
    "status",
    "vertical",
    "received_at",
    "expires_at",
    "currency",
    "test",
    "reasons",
    "duplicate_of",
    "price",
    "payout",
    "paid",
    "posted",
];
/// What stands for an auction in a list of a buyer's.
const BUYER_LINE: [&str; 6] =
    ["auction", "vertical", "received_at", "currency", "test", "outcomes"];

/// Who looks at a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    Operator,
    /// The source with this name.
    Source(String),
    /// The buyer with this name.
    Buyer(String),
}

/// Returns the part of a whole receipt that somebody may see; nothing if he has no part in it.
pub fn view(
    whole: &Map<String, Value>,
    facts: &[Placed],
    viewer: &Viewer,
) -> Option<Map<String, Value>> {
    let (members, prefix) = match viewer {
        Viewer::Operator => return Some(whole.clone()),
        Viewer::Source(source) => {
            whole.get("source").filter(|name| *name == source)?;
            (SOURCE.as_slice(), format!("source:{source}:"))
        }
        Viewer::Buyer(buyer) => (BUYER.as_slice(), format!("buyer:{buyer}:")),
    };
    let known: BTreeSet<u64> = facts
        .iter()
        .filter(|placed| concerns(&placed.fact, viewer))
        .map(|placed| placed.seq)
        .collect();
    let owner = prefix.trim_end_matches(':');
    let own = |member: &str, element: &Value| {
        let text = |name: &str| element.get(name).and_then(Value::as_str);
        match (member, viewer) {
            ("ledger", _) => text("account").is_some_and(|account| account.starts_with(&prefix)),
            ("postbacks", _) => text("owner") == Some(owner),
            ("facts", _) => {
                element.get("seq").and_then(Value::as_u64).is_some_and(|seq| known.contains(&seq))
            }
            ("buyer_fees" | "bids" | "asked" | "outcomes", Viewer::Buyer(buyer)) => {
                text("buyer") == Some(buyer)
            }
            _ => true,
        }
    };
    let mut seen = pick(whole, members);
    for (member, value) in &mut seen {
        if let Value::Array(elements) = value {
            elements.retain(|element| own(member, element));
        }
    }
    let empty = |member: &str| seen.get(member).and_then(Value::as_array).is_none_or(Vec::is_empty);
    let concerned = !matches!(viewer, Viewer::Buyer(_)) || !empty("outcomes");
    concerned.then_some(seen)
}

/// Returns a view in one line of a list.
pub fn line(view: &Map<String, Value>, viewer: &Viewer) -> Value {
    let mut line = match viewer {
        Viewer::Operator => view.clone(),
        Viewer::Source(_) => pick(view, &SOURCE_LINE),
        Viewer::Buyer(_) => pick(view, &BUYER_LINE),
    };
    if let Some(Value::Array(outcomes)) = line.remove("outcomes") {
        let own = outcomes.into_iter().next().and_then(|outcome| outcome.as_object().cloned());
        line.extend(own.unwrap_or_default());
    }
    Value::Object(line)
}

fn pick(members: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let known = members.iter().filter(|(name, _)| names.contains(&name.as_str()));
    known.map(|(name, member)| (name.clone(), member.clone())).collect()
}

/// Returns whether a fact is about somebody.
fn concerns(fact: &Fact, viewer: &Viewer) -> bool {
    match (fact, viewer) {
        (_, Viewer::Operator) | (Fact::PingAnswered(_), _) => true,
        (
            Fact::Posted(_)
            | Fact::Delivered(_)
            | Fact::AskedAgain(_)
            | Fact::StatusAsked(_)
            | Fact::ShipmentResent(_)
            | Fact::TransferOffered(_),
            Viewer::Source(_),
        ) => true,
        (Fact::Delivered(delivered), Viewer::Buyer(buyer)) => delivered.buyer == *buyer,
        (Fact::TransferOffered(offered), Viewer::Buyer(buyer)) => offered.buyer == *buyer,
        (Fact::AskedAgain(asked) | Fact::StatusAsked(StatusAsked(asked)), Viewer::Buyer(buyer)) => {
            asked.buyer == *buyer
        }
        (Fact::ShipmentResent(resent), Viewer::Buyer(buyer)) => resent.buyer == *buyer,
        (Fact::PostbackTried(tried), _) => is_for(tried.key.party, &tried.owner, viewer),
        (Fact::PostbackResent(resent), _) => is_for(resent.key.party, &resent.owner, viewer),
        _ => false,
    }
}

fn is_for(party: Party, name: &str, viewer: &Viewer) -> bool {
    match (party, viewer) {
        (_, Viewer::Operator) => true,
        (Party::Source, Viewer::Source(source)) => source == name,
        (Party::Buyer, Viewer::Buyer(buyer)) => buyer == name,
        (Party::Source, Viewer::Buyer(_)) | (Party::Buyer, Viewer::Source(_)) => false,
    }
}
