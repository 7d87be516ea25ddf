//! How the prices came to be, who pays what, or why nobody won.

use serde_json::Value;

use super::contest::contests;
use super::fees::with_fees;
use super::story::{list, micros, priced, text};

/// Tells how a receipt's prices came to be; of somebody's part of one, what it may know of that.
pub(super) fn price(receipt: &Value) -> Vec<String> {
    let winners = list(receipt, "winners");
    if receipt.get("winners").is_none() {
        return own_price(receipt);
    }
    if winners.is_empty() {
        return nobody(receipt);
    }
    let mut lines: Vec<String> =
        contests(receipt).iter().flat_map(|contest| contest.told()).collect();
    lines.push(paid(receipt, winners));
    lines
}

/// Says what each winner pays, and what the source gets.
fn paid(receipt: &Value, winners: &[Value]) -> String {
    let payout = priced(receipt, text(receipt, "payout"));
    let pays = |winner: &Value| {
        let fees = with_fees(receipt, winner);
        format!("{}{fees}", priced(receipt, text(winner, "price")))
    };
    let first = winners.first().map(pays).unwrap_or_default();
    if winners.len() == 1 {
        return format!("So the price is {first}, and the source gets {payout} of it.");
    }
    if winners.iter().all(|winner| pays(winner) == first) {
        return format!("So each of them pays {first}, and the source gets {payout} of all of it.");
    }
    let each = winners.iter();
    let each = each.map(|winner| format!("{} pays {}", text(winner, "campaign"), pays(winner)));
    let each: Vec<String> = each.collect();
    let all = priced(receipt, text(receipt, "price"));
    format!(
        "So {}. The prices come to {all}, and the source gets {payout} of that.",
        each.join("; ")
    )
}

/// Says why nobody won.
fn nobody(receipt: &Value) -> Vec<String> {
    if receipt.get("duplicate_of").is_some_and(Value::is_string) {
        return Vec::new();
    }
    let count = list(receipt, "bids").len();
    let late = |left: &Value| text(left, "code") == "deadline-passed";
    if count == 0 {
        return vec!["Nobody won: there was no bid.".to_owned()];
    }
    if list(receipt, "left_out").iter().any(late) {
        return vec![
            "Nobody won: the source's deadline passed before the auction closed.".to_owned(),
        ];
    }
    let terms = receipt.get("terms").unwrap_or(&Value::Null);
    let amount = |member: &str| priced(receipt, text(terms, member));
    let asked = match text(terms, "rule") {
        "fixed" if micros(text(terms, "price")) < micros(text(terms, "reserve")) => {
            return vec![format!(
                "Nobody won: the fixed price of {} is below the reserve of {}, so nothing could be sold.",
                amount("price"),
                amount("reserve")
            )];
        }
        "fixed" => format!("the fixed price of {}", amount("price")),
        "tiers" => "the reserve of its tier".to_owned(),
        _ => format!("the reserve of {}", amount("reserve")),
    };
    let bids = if count == 1 { "1 bid".to_owned() } else { format!("{count} bids") };
    vec![format!("Nobody won: of {bids} none was at or above {asked} and could be paid.")]
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
