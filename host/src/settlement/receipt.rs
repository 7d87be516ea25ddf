//! The receipt of an auction: who could have had the lead, who got it, who did not and why, and what was paid.
//!
//! It is a pure function of the ping's facts. [`seal`] signs it, [`view`] says who sees which part of it.

pub mod canonical;
pub mod outcomes;
pub mod seal;
pub mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::Story;
use super::disclosures::{disclosures, erasure};
use super::entries;
use crate::clock::Moment;
use crate::facts::{Fact, LeftOut, ModuleUsed, PassedOver, PingAnswered, Terms, Winner};
use crate::ids::{Digest, PingId};
use crate::lead::{PingView, Schema};
use crate::money::{Micros, Share};
use crate::reasons::{Exclusion, Refusal};

/// A fact in its place: when it happened, and its links in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub seq: u64,
    pub at: Moment,
    pub fact: Fact,
    /// The fact's own link.
    pub hash: Digest,
    /// The link of the fact before it, about whatever that was.
    pub before: Digest,
}

/// What a receipt is written from.
#[derive(Clone, Copy)]
pub struct Case<'c> {
    /// The facts of one ping, in order.
    pub facts: &'c [Placed],
    /// Whose a campaign was when the ping came.
    pub owner: &'c dyn Fn(&str) -> Option<String>,
    /// What names the fields of the lead.
    pub schema: Option<&'c Arc<Schema>>,
    /// What a buyer that lost by its price would have had to bid.
    pub price_to_win: &'c dyn Fn(&PingAnswered, &str) -> Option<Micros>,
    pub currency: &'c str,
}

impl std::fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// Returns the whole receipt, as the operator sees it, without its proof.
///
/// Returns `None` if the facts are not those of an answered ping.
pub fn receipt(case: &Case<'_>) -> Option<Map<String, Value>> {
    let facts = case.facts;
    let story = Story::of(facts.iter().map(|placed| &placed.fact));
    let auction = story.auction.as_ref()?;
    let lead = case
        .schema
        .and_then(|schema| PingView::from_frame(Arc::clone(schema), &auction.frame).ok());
    let money = facts.iter().flat_map(|placed| {
        let legs = entries(&placed.fact).into_iter();
        legs.map(|leg| json!({"fact": placed.seq, "account": leg.account, "amount": leg.amount.to_string(), "code": leg.code}))
    });
    let timed: Vec<(u64, Moment, Fact)> =
        facts.iter().map(|placed| (placed.seq, placed.at, placed.fact.clone())).collect();
    let whole = json!({
        "auction": PingId::from_u128(auction.ping).to_string(),
        "status": story.status(),
        "source": auction.source,
        "vertical": auction.vertical,
        "received_at": Moment::from_unix_ms(auction.received_ms).to_string(),
        "expires_at": auction.expires().to_string(),
        "currency": case.currency,
        "test": auction.test,
        "catalog": auction.catalog,
        "body": Digest::from_bytes(auction.body).to_string(),
        "lead": lead.map(|lead| lead.to_json()),
        "modules": {
            "normalizer": module(&auction.normalizer),
            "filters": auction.filters.iter().map(module).collect::<Vec<Value>>(),
        },
        "terms": terms(&auction.terms),
        "margin_percent": percent(auction.terms.margin),
        "bids": auction.bids.iter().map(|bid| {
            json!({"campaign": bid.campaign, "buyer": bid.buyer, "amount": amount(bid.amount)})
        }).collect::<Vec<Value>>(),
        "winners": auction.winners.iter().map(winner).collect::<Vec<Value>>(),
        "left_out": auction.left_out.iter().map(left_out).collect::<Vec<Value>>(),
        "reasons": reasons(auction),
        "outcomes": outcomes::outcomes(case, auction),
        "duplicate_of": auction.duplicate_of.map(|ping| PingId::from_u128(ping).to_string()),
        "price": auction.price().map(|price| price.to_string()),
        "payout": auction.payout().to_string(),
        "posted": story.posted.is_some(),
        "passed_over": story.posted.iter().flat_map(|posted| &posted.passed_over).map(passed_over)
            .collect::<Vec<Value>>(),
        "post_refused": story.refused.as_ref().map(|refused| {
            let message = Refusal::from_code(&refused.reason).map(Refusal::message);
            json!({"code": refused.reason, "message": message, "detail": refused.detail})
        }),
        "deliveries": facts.iter().filter_map(delivery).collect::<Vec<Value>>(),
        "disclosures": disclosures(&timed),
        "erased": erasure(&timed),
        "ledger": money.collect::<Vec<Value>>(),
        "facts": facts.iter().map(|placed| {
            json!({"seq": placed.seq, "at": placed.at.to_string(), "kind": Fact::kind_name(placed.fact.kind()), "hash": placed.hash.to_string()})
        }).collect::<Vec<Value>>(),
        "links": facts.iter().map(|placed| {
            json!({"seq": placed.seq, "before": placed.before.to_string()})
        }).collect::<Vec<Value>>(),
    });
    match seal::plain(whole) {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn amount(micros: i64) -> String {
    Micros::new(micros).to_string()
}

/// What the buyers may know of the rules: nothing of it says what the source is paid.
fn terms(terms: &Terms) -> Value {
    json!({
        "rule": "second-price",
        "copies": terms.copies,
        "reserve": amount(terms.reserve),
        "increment": amount(terms.increment),
    })
}

fn percent(millionths: u32) -> String {
    let share = i64::from(Share::from_millionths(millionths).millionths());
    let percent = Micros::new(share.saturating_mul(100));
    percent.with_decimals(percent.decimals())
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
    json!({"campaign": left.campaign, "code": left.reason, "message": message(&left.reason), "detail": left.detail})
}

/// A bidder that may not have the person; with the copy it had won, if it had, and who gets it instead.
fn passed_over(passed: &PassedOver) -> Value {
    json!({
        "campaign": passed.campaign,
        "buyer": passed.buyer,
        "code": passed.reason,
        "message": message(&passed.reason),
        "detail": passed.detail,
        "copy": passed.copy,
        "successor": passed.successor.as_ref().map(winner),
    })
}

/// Returns a reason in words.
fn message(code: &str) -> Option<&'static str> {
    Exclusion::from_code(code).map(Exclusion::message)
}

/// How many campaigns each reason left out: what a source may know of them.
fn reasons(auction: &PingAnswered) -> Vec<Value> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for left in &auction.left_out {
        let count = counts.entry(&left.reason).or_default();
        *count = count.saturating_add(1);
    }
    let counted = counts.into_iter();
    counted
        .map(|(code, count)| json!({"code": code, "message": message(code), "campaigns": count}))
        .collect()
}

fn delivery(placed: &Placed) -> Option<Value> {
    let Fact::Delivered(delivered) = &placed.fact else { return None };
    Some(json!({
        "at": placed.at.to_string(),
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
