//! The receipt of an auction: who could have had the lead, who got it, who did not and why, and what was paid.

use serde_json::{Value, json};

use super::answer::Story;
use super::disclosures::{disclosures, erasure};
use super::entries;
use crate::clock::Moment;
use crate::facts::{Fact, LeftOut, ModuleUsed, PassedOver, Winner};
use crate::ids::{Digest, PingId};
use crate::lead::{PingView, Schema};
use crate::money::{Micros, Share};
use crate::reasons::{Exclusion, Refusal};
use std::sync::Arc;

/// Returns the receipt as JSON: a pure function of the ping's facts with their times, and of the schema that names
/// the fields of the lead.
///
/// Returns `None` if the facts are not those of an answered ping.
pub fn receipt(
    facts: &[(u64, Moment, Fact)],
    schema: Option<&Arc<Schema>>,
    currency: &str,
) -> Option<Value> {
    let story = Story::of(facts.iter().map(|(_, _, fact)| fact));
    let auction = story.auction.as_ref()?;
    let ping = PingId::from_u128(auction.ping);
    let lead =
        schema.and_then(|schema| PingView::from_frame(Arc::clone(schema), &auction.frame).ok());
    let money: Vec<Value> = facts
        .iter()
        .flat_map(|(seq, _, fact)| entries(fact).into_iter().map(move |entry| (seq, entry)))
        .map(|(seq, entry)| {
            json!({"fact": seq, "account": entry.account, "amount": entry.amount.to_string(), "code": entry.code})
        })
        .collect();
    let margin = Micros::new(
        i64::from(Share::from_millionths(auction.terms.margin).millionths()).saturating_mul(100),
    );
    Some(json!({
        "auction": ping.to_string(),
        "status": story.status(),
        "source": auction.source,
        "vertical": auction.vertical,
        "received_at": Moment::from_unix_ms(auction.received_ms).to_string(),
        "expires_at": auction.expires().to_string(),
        "currency": currency,
        "test": auction.test,
        "catalog": auction.catalog,
        "body": Digest::from_bytes(auction.body).to_string(),
        "lead": lead.map(|lead| lead.to_json()),
        "modules": {
            "normalizer": module(&auction.normalizer),
            "filters": auction.filters.iter().map(module).collect::<Vec<Value>>(),
        },
        "terms": {
            "rule": "second-price",
            "copies": auction.terms.copies,
            "reserve": amount(auction.terms.reserve),
            "increment": amount(auction.terms.increment),
            "margin_percent": margin.with_decimals(margin.decimals()),
        },
        "bids": auction.bids.iter().map(|bid| {
            json!({"campaign": bid.campaign, "buyer": bid.buyer, "amount": amount(bid.amount)})
        }).collect::<Vec<Value>>(),
        "winners": auction.winners.iter().map(winner).collect::<Vec<Value>>(),
        "left_out": auction.left_out.iter().map(left_out).collect::<Vec<Value>>(),
        "duplicate_of": auction.duplicate_of.map(|ping| PingId::from_u128(ping).to_string()),
        "payout": auction.payout().to_string(),
        "posted": story.posted.is_some(),
        "passed_over": story.posted.iter().flat_map(|posted| &posted.passed_over).map(passed_over)
            .collect::<Vec<Value>>(),
        "post_refused": story.refused.as_ref().map(|refused| {
            let message = Refusal::from_code(&refused.reason).map(Refusal::message);
            json!({"code": refused.reason, "message": message, "detail": refused.detail})
        }),
        "deliveries": facts.iter().filter_map(delivery).collect::<Vec<Value>>(),
        "disclosures": disclosures(facts),
        "erased": erasure(facts),
        "ledger": money,
        "facts": facts.iter().map(|(seq, at, fact)| {
            json!({"seq": seq, "at": at.to_string(), "kind": Fact::kind_name(fact.kind())})
        }).collect::<Vec<Value>>(),
    }))
}

fn amount(micros: i64) -> String {
    Micros::new(micros).to_string()
}

fn module(module: &ModuleUsed) -> Value {
    let digest = Digest::from_bytes(module.digest).to_string();
    json!({"name": module.name, "version": module.version, "digest": digest, "fuel": module.fuel})
}

fn winner(winner: &Winner) -> Value {
    json!({
        "campaign": winner.campaign,
        "buyer": winner.buyer,
        "bid": amount(winner.bid),
        "price": amount(winner.price),
    })
}

fn left_out(left: &LeftOut) -> Value {
    let message = Exclusion::from_code(&left.reason).map(Exclusion::message);
    json!({"campaign": left.campaign, "code": left.reason, "message": message, "detail": left.detail})
}

/// A bidder that may not have the person; with the copy it had won, if it had, and who gets it instead.
fn passed_over(passed: &PassedOver) -> Value {
    let message = Exclusion::from_code(&passed.reason).map(Exclusion::message);
    json!({
        "campaign": passed.campaign,
        "buyer": passed.buyer,
        "code": passed.reason,
        "message": message,
        "detail": passed.detail,
        "copy": passed.copy,
        "successor": passed.successor.as_ref().map(winner),
    })
}

fn delivery((_, at, fact): &(u64, Moment, Fact)) -> Option<Value> {
    let Fact::Delivered(delivered) = fact else { return None };
    Some(json!({
        "at": at.to_string(),
        "copy": delivered.copy,
        "attempt": delivered.attempt,
        "campaign": delivered.campaign,
        "buyer": delivered.buyer,
        "outcome": delivered.ended.code(),
        "detail": delivered.detail,
        "price": amount(delivered.price),
        "payout": amount(delivered.payout),
        "again_at": delivered.again_ms.map(|ms| Moment::from_unix_ms(ms).to_string()),
        "successor": delivered.successor.as_ref().map(winner),
        "adapter": delivered.adapter.as_ref().map(module),
    }))
}
