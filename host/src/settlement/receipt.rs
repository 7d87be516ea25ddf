//! The receipt of an auction: who could have had the lead, who got it, who did not and why, and what was paid.

use serde_json::{Value, json};

use super::answer::Story;
use super::disclosures::{disclosures, erasure};
use super::entries;
use crate::clock::Moment;
use crate::facts::{
    Asked, BidMade, Fact, LeftOut, ModuleUsed, PassedOver, PriceRule, Ranking, Rule, Terms, Tier,
    Winner,
};
use crate::ids::{Digest, PingId};
use crate::lead::{PingView, Schema};
use crate::money::{Micros, Share};
use crate::reasons::{Exclusion, Refusal};
use std::sync::Arc;

/// Returns the receipt as JSON: a pure function of the ping's facts with their times, and of the schema that names
/// the fields of the lead. `at` is the moment that it is read at: a ping that nobody posts expires without a fact of its
/// own.
///
/// Returns `None` if the facts are not those of an answered ping.
pub fn receipt(
    facts: &[(u64, Moment, Fact)],
    schema: Option<&Arc<Schema>>,
    currency: &str,
    at: Moment,
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
    Some(json!({
        "auction": ping.to_string(),
        "status": story.status(at),
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
        "terms": terms(&auction.terms),
        "bids": auction.bids.iter().map(|made| bid(&auction.terms, made)).collect::<Vec<Value>>(),
        "asked": auction.asked.iter().map(asked).collect::<Vec<Value>>(),
        "winners": auction.winners.iter().map(winner).collect::<Vec<Value>>(),
        "left_out": auction.left_out.iter().map(left_out).collect::<Vec<Value>>(),
        "duplicate_of": auction.duplicate_of.map(|ping| PingId::from_u128(ping).to_string()),
        "replaces": auction.replaces.map(|ping| PingId::from_u128(ping).to_string()),
        "superseded_by": story.superseded_by.map(|ping| ping.to_string()),
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
        "exclusive": winner.exclusive,
    })
}

/// Says the rules as a policy names them: of tiers only where there is more than one rule.
fn terms(terms: &Terms) -> Value {
    let margin = i64::from(Share::from_millionths(terms.margin).millionths());
    let margin = Micros::new(margin.saturating_mul(100));
    let mut value = json!({
        "policy": terms.policy,
        "rule": terms.rule.code(),
        "copies": terms.copies,
        "reserve": amount(terms.reserve),
        "increment": amount(terms.increment),
        "margin_percent": margin.with_decimals(margin.decimals()),
        "disclosures_max": terms.disclosures_max,
        "changed_post": terms.changed_post.code(),
    });
    let Some(object) = value.as_object_mut() else { return value };
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
