//! What became of a lead once it was posted: every attempt to hand it over, and who had it made again.

use serde_json::Value;

use super::fees::with_fees;
use super::story::{because, list, priced, text};

/// Tells the attempts in the order of their times.
pub(super) fn post(receipt: &Value) -> Vec<String> {
    let own = list(receipt, "outcomes").iter().flat_map(|outcome| {
        list(outcome, "deliveries").iter().map(move |delivery| (text(outcome, "buyer"), delivery))
    });
    let all =
        list(receipt, "deliveries").iter().map(|delivery| (text(delivery, "buyer"), delivery));
    let told: Vec<(&str, &Value)> =
        if receipt.get("deliveries").is_some() { all.collect() } else { own.collect() };
    let passed = passed_over(receipt);
    if told.is_empty() {
        let stand = match receipt.get("posted").and_then(Value::as_bool) {
            Some(posted) => not_delivered(receipt, posted, passed.is_empty()),
            None => None,
        };
        return passed.into_iter().chain(stand).collect();
    }
    let resent = list(receipt, "resends").iter().map(|one| {
        let held = one.get("held").filter(|held| held.is_object());
        let held = held.map_or(String::new(), |held| {
            format!(", and {} of its money were held anew", priced(receipt, text(held, "due")))
        });
        let line = format!(
            "{}: the operator had it sent to {} again{held}.",
            text(one, "at"),
            text(one, "buyer")
        );
        (text(one, "at"), line)
    });
    let attempts = told
        .into_iter()
        .map(|(buyer, delivery)| (text(delivery, "at"), attempt(receipt, buyer, delivery)));
    let mut lines: Vec<(&str, String)> = resent.chain(attempts).collect();
    // Times of one spelling sort as text.
    lines.sort_by_key(|(at, _)| *at);
    passed.into_iter().chain(lines.into_iter().map(|(_, line)| line)).collect()
}

/// Says how a lead stands that was handed to nobody yet, as far as the reader may know.
fn not_delivered(receipt: &Value, posted: bool, nobody_passed: bool) -> Option<String> {
    let refused = receipt.get("post_refused").filter(|refused| refused.is_object());
    Some(match (posted, text(receipt, "status")) {
        (true, _) if receipt.get("test") == Some(&Value::Bool(true)) => {
            "The lead was posted. It is a test, so it went to nobody.".to_owned()
        }
        (true, "unsold") if !nobody_passed => return None,
        (true, "sold") => {
            let paid = priced(receipt, text(receipt, "paid"));
            format!("The lead was posted and sold, and the source was paid {paid}.")
        }
        (true, "unsold") => "The lead was posted, and no buyer took it.".to_owned(),
        (true, _) => "The lead was posted; no buyer has answered yet.".to_owned(),
        (false, _) if let Some(refused) = refused => {
            format!("The post was not taken: {}.", because(refused))
        }
        (false, "unsold") => "The post was not taken.".to_owned(),
        (false, "superseded") => {
            let later = text(receipt, "superseded_by");
            format!(
                "The post said otherwise than the ping, so the lead was auctioned again: {later}."
            )
        }
        (false, "accepted") => "No lead was posted so far.".to_owned(),
        (false, "expired") => "No lead was posted in time.".to_owned(),
        (false, _) => "No lead was posted: there was no buyer to post it to.".to_owned(),
    })
}

/// Says which bidders may not have the person, before anything was shown to them.
fn passed_over(receipt: &Value) -> Vec<String> {
    let own = list(receipt, "outcomes").iter().flat_map(|outcome| {
        list(outcome, "passed_over").iter().map(move |passed| (text(outcome, "buyer"), passed))
    });
    let all = list(receipt, "passed_over").iter().map(|passed| (text(passed, "buyer"), passed));
    let told: Vec<(&str, &Value)> =
        if receipt.get("passed_over").is_some() { all.collect() } else { own.collect() };
    let line = |(buyer, passed): (&str, &Value)| {
        let next = next(receipt, passed);
        format!("{buyer} was passed over: {}.{next}", because(passed))
    };
    told.into_iter().map(line).collect()
}

/// Says who gets a copy instead.
fn next(receipt: &Value, step: &Value) -> String {
    let next = step.get("successor").filter(|next| next.is_object());
    next.map_or(String::new(), |next| {
        format!(" {} comes next, at {}.", text(next, "buyer"), priced(receipt, text(next, "price")))
    })
}

fn attempt(receipt: &Value, buyer: &str, delivery: &Value) -> String {
    let detail = delivery.get("detail").and_then(Value::as_str).filter(|detail| !detail.is_empty());
    let status_call = delivery.get("status_call") == Some(&Value::Bool(true));
    let inquired = if status_call { "asked what became of it, " } else { "" };
    let why = detail.map_or(String::new(), |detail| format!(": {detail}"));
    let what = match text(delivery, "outcome") {
        "sold" => {
            let reference =
                detail.map_or(String::new(), |detail| format!(" Its reference: {detail}"));
            let price = priced(receipt, text(delivery, "price"));
            format!("{buyer} took it for {price}{}.{reference}", with_fees(receipt, delivery))
        }
        "rejected" => format!("{buyer} refused it{why}."),
        "not-sent" if status_call => format!("{buyer} does not have it{why}."),
        "not-sent" => format!("{buyer} could not be reached{why}."),
        "expired" => {
            format!("{buyer} may have had the caller, but {}.", detail.unwrap_or("nobody said"))
        }
        _ => format!("{buyer} may have it, and nobody knows{why}. The lead stays reserved."),
    };
    let next = match (next(receipt, delivery), text(delivery, "again_at")) {
        (next, "") => next,
        (next, again) if next.is_empty() => format!(" It is tried again at {again}."),
        (next, _) => next,
    };
    format!("{}: {inquired}{what}{next}", text(delivery, "at"))
}
