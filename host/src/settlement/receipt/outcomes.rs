//! What became of each buyer in an auction: all that it may know, and nothing of the others but the price that they made.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Case, Inquired, amount, charged, message};
use crate::facts::{BidMade, Delivered, Fact, PassedOver, PingAnswered, Winner};
use crate::reasons::Exclusion;

/// One buyer's part.
#[derive(Default)]
struct Part<'a> {
    campaigns: BTreeMap<&'a str, Value>,
    won: bool,
    lost_by_price: bool,
}

/// Returns one outcome for each buyer that had a campaign in the auction, by the buyers' names.
pub(super) fn outcomes(case: &Case<'_>, auction: &PingAnswered) -> Vec<Value> {
    let bids: BTreeMap<&str, &BidMade> =
        auction.bids.iter().map(|bid| (bid.campaign.as_str(), bid)).collect();
    let bid = |campaign: &str| bids.get(campaign).map(|bid| amount(bid.amount));
    let exclusive = |campaign: &str| bids.get(campaign).and_then(|bid| bid.exclusive).map(amount);
    let mut parts: BTreeMap<String, Part<'_>> = BTreeMap::new();
    for Winner { campaign, buyer, .. } in &auction.winners {
        let part = parts.entry(buyer.clone()).or_default();
        part.won = true;
        let told = json!({"campaign": campaign, "bid": bid(campaign), "exclusive": exclusive(campaign), "won": true, "code": null, "message": null, "detail": null});
        part.campaigns.insert(campaign, told);
    }
    for left in &auction.left_out {
        let campaign = left.campaign.as_str();
        let bidder = bids.get(campaign).map(|bid| bid.buyer.clone());
        let Some(buyer) = bidder.or_else(|| (case.owner)(campaign)) else { continue };
        let part = parts.entry(buyer).or_default();
        part.lost_by_price |= by_price(&left.reason);
        let told = json!({"campaign": campaign, "bid": bid(campaign), "exclusive": exclusive(campaign), "won": false, "code": left.reason, "message": message(&left.reason), "detail": left.detail});
        part.campaigns.insert(campaign, told);
    }
    parts.into_iter().map(|(buyer, part)| outcome(case, auction, &buyer, part)).collect()
}

fn outcome(case: &Case<'_>, auction: &PingAnswered, buyer: &str, part: Part<'_>) -> Value {
    let won = won(case, auction, buyer);
    let asked = !part.won && part.lost_by_price;
    let price_to_win = asked.then(|| (case.price_to_win)(auction, buyer)).flatten();
    let passed = posts(case).filter(|passed| passed.buyer == buyer).map(|passed| {
        json!({
            "campaign": passed.campaign,
            "code": passed.reason,
            "message": message(&passed.reason),
            "detail": passed.detail,
        })
    });
    let inquired = Inquired::of(case.facts.iter().map(|placed| &placed.fact));
    let deliveries =
        case.facts.iter().enumerate().filter_map(|(place, placed)| match &placed.fact {
            Fact::Delivered(delivered) if delivered.buyer == buyer => Some(json!({
                "at": placed.at.to_string(),
                "campaign": delivered.campaign,
                "attempt": delivered.attempt,
                "status_call": inquired.ends_at(place),
                "outcome": delivered.ended.code(),
                "detail": delivered.detail,
                "price": amount(delivered.price),
                "fees": charged(&delivered.buyer_fees),
                "due": delivered.due().to_string(),
            })),
            _ => None,
        });
    json!({
        "buyer": buyer,
        "won": part.won,
        "price": won.map(|won| amount(won.price)),
        "fees": won.map(|won| charged(&won.fees)),
        "due": won.map(|won| won.due().to_string()),
        "price_to_win": price_to_win.map(|price| price.to_string()),
        "campaigns": part.campaigns.into_values().collect::<Vec<Value>>(),
        "passed_over": passed.collect::<Vec<Value>>(),
        "deliveries": deliveries.collect::<Vec<Value>>(),
    })
}

/// What a buyer gets the lead for if it takes it: as a winner, or as the one that came next when a winner refused or was passed over.
fn won<'c>(case: &Case<'c>, auction: &'c PingAnswered, buyer: &str) -> Option<&'c Winner> {
    let refused = case.facts.iter().filter_map(|placed| match &placed.fact {
        Fact::Delivered(Delivered { successor, .. }) => successor.as_ref(),
        _ => None,
    });
    let successors = posts(case).filter_map(|passed| passed.successor.as_ref()).chain(refused);
    let won = auction.winners.iter().chain(successors).filter(|winner| winner.buyer == buyer);
    won.last()
}

/// Returns those who were passed over at the post.
fn posts<'c>(case: &Case<'c>) -> impl Iterator<Item = &'c PassedOver> {
    let posts = case.facts.iter().filter_map(|placed| match &placed.fact {
        Fact::Posted(posted) => Some(&posted.passed_over),
        _ => None,
    });
    posts.flatten()
}

/// Returns whether a higher bid would have changed it.
fn by_price(code: &str) -> bool {
    [Exclusion::Outbid, Exclusion::BelowReserve].iter().any(|reason| reason.code() == code)
}
