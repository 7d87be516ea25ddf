//! What if: recorded auctions are cleared again on other terms, and the difference in awards and money is told.
//!
//! Who was asked, what was bid and what the book said of funds and caps are taken as recorded: buyers might have bid
//! otherwise on other terms, and nobody knows how.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::close::clear;
use super::opening::OpenError;
use super::recording::{Settings, Window};
use crate::clearing::{Bid, offer};
use crate::clock::Moment;
use crate::comparison::{Comparison, Side, Sight};
use crate::facts::{BidMade, Fact, PingAnswered, Terms};
use crate::ids::PingId;
use crate::journal::{Place, Reading};
use crate::money::Micros;
use crate::reasons::Exclusion;

/// How many auctions are told one by one: those whose buyers would pay most more or less.
pub const SHOWN_MAX: usize = 10;
/// How many facts are read at a time.
const PAGE_FACTS: usize = 500;

/// The terms that are tried; what is absent stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherTerms {
    /// The vertical's reserve. A source that asked for more still gets no less.
    pub reserve: Option<Micros>,
    pub increment: Option<Micros>,
    pub copies: Option<u32>,
}

impl OtherTerms {
    /// Returns the terms of an auction with these in their place. A tier that had the auction's reserve gets the new one.
    fn over(&self, recorded: &Terms) -> Terms {
        let mut terms = recorded.clone();
        if let Some(reserve) = self.reserve {
            let reserve = reserve.get().max(recorded.least);
            terms.reserve = reserve;
            for tier in &mut terms.tiers {
                let usual = tier.reserve <= recorded.reserve;
                tier.reserve = if usual { reserve } else { tier.reserve.max(reserve) };
            }
        }
        terms.increment = self.increment.map_or(recorded.increment, Micros::get);
        terms.copies = self.copies.unwrap_or(recorded.copies);
        terms
    }
}

/// An auction that would have ended otherwise.
struct Changed {
    ping: PingId,
    old: Side,
    new: Side,
}

impl Changed {
    /// By how much more or less its buyers would pay, in millionths.
    fn weight(&self) -> i64 {
        paid(&self.new).saturating_sub(paid(&self.old))
    }

    fn to_json(&self) -> Value {
        let side = |side: &Side| {
            let prices = side.prices.iter().map(Micros::to_string);
            json!({"winners": side.winners, "prices": prices.collect::<Vec<String>>()})
        };
        let change = Micros::new(self.weight()).to_string();
        json!({"auction": self.ping.to_string(), "old": side(&self.old), "new": side(&self.new), "buyers_pay": change})
    }
}

/// Clears the recorded auctions of a journal again on other terms: those of one vertical or of all, of the
/// last so long or of all time. Tests and duplicates are left out. Returns the difference as JSON.
///
/// # Errors
///
/// If the journal cannot be read.
pub async fn what_if(
    place: Place,
    terms: OtherTerms,
    vertical: Option<&str>,
    (last, now): (Option<Duration>, Moment),
) -> Result<Value, OpenError> {
    let reading = Reading::open(place).await?;
    let since = Window { last, settings: Settings::Then }.since(now);
    let (mut comparison, mut changed, mut after) = (Comparison::default(), Vec::new(), 0);
    loop {
        let page = reading.facts_of_kinds(after, [Fact::AUCTION_KIND; 3], PAGE_FACTS).await?;
        let Some(end) = page.last() else { break };
        after = end.seq;
        for stored in page {
            let Fact::PingAnswered(auction) = Fact::decode(stored.kind, &stored.payload)? else {
                continue;
            };
            let wanted = vertical.is_none_or(|vertical| vertical == auction.vertical)
                && since.is_none_or(|since| auction.received_ms >= since.unix_ms());
            if !wanted || auction.test || auction.duplicate_of.is_some() {
                continue;
            }
            let sight = sight(&auction, terms.over(&auction.terms));
            if comparison.add(&sight, || Value::Null) {
                changed.push(Changed { ping: sight.ping, old: sight.old, new: sight.new });
                changed.sort_by_key(|one| (Reverse(one.weight().unsigned_abs()), one.ping));
                changed.truncate(SHOWN_MAX);
            }
        }
    }
    reading.close().await;
    let all = comparison.to_json();
    let told = |member: &str| all.get(member).cloned().unwrap_or_default();
    let amount = |amount: Option<Micros>| amount.map(|amount| amount.to_string());
    Ok(json!({
        "vertical": vertical,
        "since": since.map(|since| since.to_string()),
        "terms": {"reserve": amount(terms.reserve), "increment": amount(terms.increment), "copies": terms.copies},
        "leads": told("leads"),
        "differs": told("differs"),
        "awards": told("awards"),
        "money": told("money"),
        "campaigns": campaigns(&all),
        "auctions": changed.iter().map(Changed::to_json).collect::<Vec<Value>>(),
    }))
}

/// Returns the campaigns without the verdicts of filters, which other terms do not touch.
fn campaigns(all: &Value) -> Vec<Value> {
    let rows = all.get("campaigns").and_then(Value::as_array).into_iter().flatten().cloned();
    rows.map(|mut row| {
        if let Some(row) = row.as_object_mut() {
            row.remove("verdicts");
        }
        row
    })
    .collect()
}

fn sight(auction: &PingAnswered, other: Terms) -> Sight {
    let ping = PingId::from_u128(auction.ping);
    let won = auction.winners.iter();
    let old = side(
        won.map(|winner| (winner.campaign.clone(), (Micros::new(winner.price), winner.due()))),
    );
    let contested =
        auction.bids.iter().filter(|bid| bid.most() > 0 && contests(auction, &bid.campaign));
    let contested: Vec<&BidMade> = contested.collect();
    let offers: Vec<Bid<'_>> = contested.iter().copied().map(offer).collect();
    let award = clear(&other, ping, &offers);
    let won = award.winners.iter();
    let new = side(won.filter_map(|won| {
        let bid = contested.get(won.bid)?;
        Some((bid.campaign.clone(), (won.price, other.due(&bid.buyer, won.price))))
    }));
    Sight { ping, terms: other, campaigns: Vec::new(), old, new }
}

/// Takes winners, each with its price and with what it pays.
fn side(winners: impl Iterator<Item = (String, (Micros, Micros))>) -> Side {
    let won: BTreeMap<String, (Micros, Micros)> = winners.collect();
    let (winners, paid): (Vec<String>, Vec<_>) = won.into_iter().unzip();
    let (prices, dues) = paid.into_iter().unzip();
    Side { said: Vec::new(), spent: Ok(0), winners, prices, dues }
}

fn paid(side: &Side) -> i64 {
    side.dues.iter().fold(0, |sum, due| due.get().saturating_add(sum))
}

/// Returns whether a bid was in the contest, whatever became of it there.
fn contests(auction: &PingAnswered, campaign: &str) -> bool {
    let left = auction.left_out.iter().find(|left| left.campaign == campaign);
    let exclusion = left.and_then(|left| Exclusion::from_code(&left.reason));
    exclusion.is_none_or(|exclusion| {
        exclusion != Exclusion::DeadlinePassed && !exclusion.is_of_the_book()
    })
}
