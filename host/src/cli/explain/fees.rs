//! Fees in words.

use serde_json::Value;

use super::story::{micros, priced, text};
use crate::money::Rounding;

/// How the margin is rounded, where it is another way than the usual one.
pub(super) fn rounded(receipt: &Value) -> String {
    match text(receipt, "margin_rounding") {
        "" => String::new(),
        usual if usual == Rounding::default().code() => String::new(),
        other => format!(", rounded {other}"),
    }
}

/// A fee in words; nothing if nothing is charged.
pub(super) fn agreed(receipt: &Value, fees: &Value, of: &str) -> Option<String> {
    let (per_lead, percent) = (text(fees, "per_lead"), text(fees, "percent"));
    let per_lead = Some(per_lead).filter(|amount| micros(amount).is_positive());
    let per_lead = per_lead.map(|amount| format!("{} a lead", priced(receipt, amount)));
    let rounding = text(fees, "rounding");
    let percent = Some(percent).filter(|percent| !matches!(*percent, "" | "0"));
    let percent = percent.map(|percent| format!("{percent} % {of}, rounded {rounding}"));
    let both: Vec<String> = per_lead.into_iter().chain(percent).collect();
    let kept = if text(fees, "on_return") == "kept" {
        "; a return leaves it with the exchange"
    } else {
        ""
    };
    (!both.is_empty()).then(|| format!("{}{kept}", both.join(" and ")))
}

/// What a buyer pays in all, where that is more than the price.
pub(super) fn with_fees(receipt: &Value, bought: &Value) -> String {
    match (text(bought, "due"), text(bought, "price")) {
        (due, price) if due.is_empty() || due == price => String::new(),
        (due, _) => format!(", {} with its fees", priced(receipt, due)),
    }
}
