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
use super::disclosures::{Inquired, disclosures, erasure};
use super::{entries, postback};
use crate::clearing;
use crate::clock::Moment;
use crate::facts::{
    Asked, BidMade, Charged, Ended, Fact, Fee, LeftOut, ModuleUsed, PassedOver, PingAnswered,
    PostRefused, PriceRule, Ranking, Rule, Terms, Tier, Winner,
};
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
    /// When the receipt is read: a ping that nobody posts expires without a fact of its own.
    pub at: Moment,
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
    let inquired = Inquired::of(facts.iter().map(|placed| &placed.fact));
    let whole = json!({
        "auction": PingId::from_u128(auction.ping).to_string(),
        "status": story.status(case.at),
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
        "margin_rounding": auction.terms.margin_rounding.code(),
        "source_fees": fee(&auction.terms.source_fee),
        "buyer_fees": buyer_fees(&auction.terms),
        "bids": auction.bids.iter().map(|made| bid(&auction.terms, made)).collect::<Vec<Value>>(),
        "asked": auction.asked.iter().map(asked).collect::<Vec<Value>>(),
        "winners": auction.winners.iter().map(winner).collect::<Vec<Value>>(),
        "left_out": auction.left_out.iter().map(left_out).collect::<Vec<Value>>(),
        "reasons": reasons(auction),
        "outcomes": outcomes::outcomes(case, auction),
        "duplicate_of": auction.duplicate_of.map(|ping| PingId::from_u128(ping).to_string()),
        "replaces": auction.replaces.map(|ping| PingId::from_u128(ping).to_string()),
        "superseded_by": story.superseded_by.map(|ping| ping.to_string()),
        "price": price(auction).map(|price| price.to_string()),
        "payout": auction.payout().to_string(),
        "paid": paid(facts).to_string(),
        "posted": story.posted.is_some(),
        "passed_over": story.posted.iter().flat_map(|posted| &posted.passed_over).map(passed_over)
            .collect::<Vec<Value>>(),
        "post_refused": story.refused.as_ref().map(post_refused),
        "deliveries": facts.iter().enumerate()
            .filter_map(|(place, placed)| delivery(placed, inquired.ends_at(place))).collect::<Vec<Value>>(),
        "resends": facts.iter().filter_map(resend).collect::<Vec<Value>>(),
        "postbacks": postback::attempts(facts.iter().map(|placed| (placed.at, &placed.fact))),
        "disclosures": disclosures(&timed),
        "erased": erasure(&timed),
        "ledger": money.collect::<Vec<Value>>(),
        "facts": facts.iter().map(placed).collect::<Vec<Value>>(),
        "links": facts.iter().map(link).collect::<Vec<Value>>(),
    });
    match seal::plain(whole) {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Returns what the source was paid for the copies that were sold. What returns took back is in the ledger.
fn paid(facts: &[Placed]) -> Micros {
    let sold = facts.iter().filter_map(|placed| match &placed.fact {
        Fact::Delivered(delivered) if delivered.ended == Ended::Sold => Some(delivered.payout),
        _ => None,
    });
    Micros::new(sold.fold(0, i64::saturating_add))
}

fn buyer_fees(terms: &Terms) -> Vec<Value> {
    let known = terms.buyer_fees.iter();
    known.map(|known| json!({"buyer": known.buyer, "fees": fee(&known.fee)})).collect()
}

fn post_refused(refused: &PostRefused) -> Value {
    let message = Refusal::from_code(&refused.reason).map(Refusal::message);
    json!({"code": refused.reason, "message": message, "detail": refused.detail})
}

/// Where a fact stands in the chain.
fn placed(placed: &Placed) -> Value {
    let kind = Fact::kind_name(placed.fact.kind());
    json!({"seq": placed.seq, "at": placed.at.to_string(), "kind": kind, "hash": placed.hash.to_string()})
}

/// What a fact's hash begins with: that of the one before it.
fn link(placed: &Placed) -> Value {
    json!({"seq": placed.seq, "before": placed.before.to_string()})
}

fn amount(micros: i64) -> String {
    Micros::new(micros).to_string()
}

/// Returns what the winners pay together.
fn price(auction: &PingAnswered) -> Option<Micros> {
    let prices = auction.winners.iter().map(|winner| Micros::new(winner.price));
    prices.reduce(|sum, price| sum.checked_add(price).unwrap_or(sum))
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

fn asked(asked: &Asked) -> Value {
    json!({
        "campaign": asked.campaign,
        "buyer": asked.buyer,
        "outcome": asked.outcome,
        "micros": asked.micros,
        "adapter": asked.adapter.as_ref().map(module),
        "handle": asked.handle,
    })
}

fn winner(winner: &Winner) -> Value {
    json!({
        "campaign": winner.campaign,
        "buyer": winner.buyer,
        "bid": amount(winner.bid),
        "price": amount(winner.price),
        "fees": charged(&winner.fees),
        "due": winner.due().to_string(),
        "exclusive": winner.exclusive,
    })
}

/// A fee as it was agreed.
fn fee(fee: &Fee) -> Value {
    json!({
        "per_lead": amount(fee.per_lead),
        "percent": percent(fee.percent),
        "rounding": fee.rounding.code(),
        "on_return": fee.on_return.code(),
    })
}

/// What fees come to for one lead.
fn charged(fees: &Charged) -> Value {
    json!({"lead": amount(fees.lead), "percent": amount(fees.percent)})
}

/// Says the rules as a policy names them: of tiers only where there is more than one rule. Nothing of it says what the
/// source is paid: buyers see it.
fn terms(terms: &Terms) -> Value {
    let mut value = json!({
        "policy": terms.policy,
        "rule": terms.rule.code(),
        "copies": terms.copies,
        "reserve": amount(terms.reserve),
        "increment": amount(terms.increment),
        "disclosures_max": terms.disclosures_max,
        "changed_post": terms.changed_post.code(),
    });
    let Some(object) = value.as_object_mut() else { return value };
    if terms.reject_penalty {
        object.insert("reject_penalty".to_owned(), true.into());
    }
    match (terms.rule, terms.tiers.as_slice()) {
        (Rule::Tiers, tiers) => {
            let tiers: Vec<Value> = tiers.iter().map(tier).collect();
            object.insert("tiers".to_owned(), tiers.into());
        }
        (_, [only]) => {
            object.insert("rank".to_owned(), only.ranking.code().into());
            if let PriceRule::Fixed(price) = only.price {
                object.insert("price".to_owned(), amount(price).into());
            }
        }
        (_, _) => (),
    }
    value
}

fn tier(tier: &Tier) -> Value {
    let price = match tier.price {
        PriceRule::Fixed(price) => Some(amount(price)),
        PriceRule::Second | PriceRule::First => None,
    };
    json!({
        "rule": tier.price.code(),
        "price": price,
        "rank": tier.ranking.code(),
        "reserve": amount(tier.reserve),
    })
}

/// A bid with its tier, counted from 1, where there are tiers.
fn bid(terms: &Terms, bid: &BidMade) -> Value {
    let mut value = json!({
        "campaign": bid.campaign,
        "buyer": bid.buyer,
        "amount": amount(bid.amount),
    });
    let Some(object) = value.as_object_mut() else { return value };
    if let Some(exclusive) = bid.exclusive {
        object.insert("exclusive".to_owned(), amount(exclusive).into());
    }
    if terms.reject_penalty {
        let rejects = bid.rejects;
        let ranked = |bid| clearing::ranked(Micros::new(bid), rejects).to_string();
        object.insert("reject_rate_percent".to_owned(), percent(rejects * 100).into());
        object.insert("ranked".to_owned(), ranked(bid.amount).into());
        if let Some(exclusive) = bid.exclusive {
            object.insert("ranked_exclusive".to_owned(), ranked(exclusive).into());
        }
    }
    if terms.rule == Rule::Tiers {
        object.insert("tier".to_owned(), bid.tier.saturating_add(1).into());
    }
    let tier = terms.tiers.get(usize::try_from(bid.tier).unwrap_or(usize::MAX));
    match tier.map(|tier| tier.ranking) {
        Some(Ranking::Weighted) => drop(object.insert("weight".to_owned(), bid.standing.into())),
        Some(Ranking::Order) if bid.standing < u32::MAX => {
            object.insert("place".to_owned(), bid.standing.saturating_add(1).into());
        }
        Some(Ranking::Order | Ranking::Bid) | None => (),
    }
    value
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

/// A delivery that the operator had made again; with what is held anew, if it had been given up.
fn resend(placed: &Placed) -> Option<Value> {
    let Fact::ShipmentResent(resent) = &placed.fact else { return None };
    Some(json!({
        "fact": placed.seq,
        "at": placed.at.to_string(),
        "copy": resent.copy,
        "campaign": resent.campaign,
        "buyer": resent.buyer,
        "held": resent.held.as_ref().map(winner),
    }))
}

fn delivery(placed: &Placed, status_call: bool) -> Option<Value> {
    let Fact::Delivered(delivered) = &placed.fact else { return None };
    Some(json!({
        "at": placed.at.to_string(),
        "copy": delivered.copy,
        "attempt": delivered.attempt,
        "status_call": status_call,
        "campaign": delivered.campaign,
        "buyer": delivered.buyer,
        "outcome": delivered.ended.code(),
        "detail": delivered.detail,
        "price": amount(delivered.price),
        "fees": charged(&delivered.buyer_fees),
        "due": delivered.due().to_string(),
        "source_fees": charged(&delivered.source_fees),
        "payout": amount(delivered.payout),
        "again_at": delivered.again_ms.map(|ms| Moment::from_unix_ms(ms).to_string()),
        "successor": delivered.successor.as_ref().map(winner),
        "adapter": delivered.adapter.as_ref().map(module),
    }))
}
