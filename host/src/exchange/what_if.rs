//! What if: recorded auctions are cleared again on other terms, and the difference in awards and money is told.
//!
//! Who was asked, what was bid and what the book said of funds and caps are taken as recorded: buyers might have bid
//! otherwise on other terms, and nobody knows how.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::close::clear;
use super::opening::OpenError;
use super::recording::{Settings, Window};
use crate::catalog::Amount;
use crate::clearing::Bid;
use crate::clock::Moment;
use crate::comparison::{Comparison, Side, Sight};
use crate::facts::{Fact, PingAnswered, Saved, Terms};
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
    /// Returns the terms of an auction in which the vertical's own reserve was `usual`.
    fn over(&self, recorded: Terms, usual: Micros) -> Terms {
        let asked = Micros::new(recorded.reserve);
        let least = if asked > usual { asked } else { Micros::ZERO };
        Terms {
            reserve: self.reserve.map_or(recorded.reserve, |reserve| reserve.max(least).get()),
            increment: self.increment.map_or(recorded.increment, Micros::get),
            copies: self.copies.unwrap_or(recorded.copies),
            ..recorded
        }
    }
}

/// The reserves that verticals had, by the versions of the catalog.
#[derive(Default)]
struct Reserves(HashMap<String, Vec<(u64, Micros)>>);

impl Reserves {
    async fn read(reading: &Reading) -> Result<Self, OpenError> {
        #[derive(Deserialize)]
        struct Reserved {
            #[serde(default)]
            reserve: Amount,
        }
        let (mut reserves, mut after) = (Self::default(), 0);
        loop {
            let page = reading.facts_of_kinds(after, Fact::CATALOG_KINDS, PAGE_FACTS).await?;
            let Some(last) = page.last() else { return Ok(reserves) };
            after = last.seq;
            for stored in page {
                let Fact::Saved(Saved { what, id, body }) =
                    Fact::decode(stored.kind, &stored.payload)?
                else {
                    continue;
                };
                if what == "vertical" {
                    let reserved: Reserved = serde_json::from_str(&body)
                        .map_err(|error| OpenError::Unfoldable(error.to_string()))?;
                    reserves.0.entry(id).or_default().push((stored.seq, reserved.reserve.0));
                }
            }
        }
    }

    fn at(&self, vertical: &str, catalog: u64) -> Micros {
        let reserves = self.0.get(vertical).map_or(&[][..], Vec::as_slice);
        let past = reserves.partition_point(|(seq, _)| *seq <= catalog);
        let last = past.checked_sub(1).and_then(|last| reserves.get(last));
        last.map_or(Micros::ZERO, |(_, reserve)| *reserve)
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
            let price = Some(side.price.to_string()).filter(|_| !side.winners.is_empty());
            json!({"winners": side.winners, "price": price})
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
    let reserves = Reserves::read(&reading).await?;
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
            let usual = reserves.at(&auction.vertical, auction.catalog);
            let sight = sight(&auction, terms.over(auction.terms, usual));
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
    let old = side(auction.winners.iter().map(|winner| winner.campaign.clone()), auction.price());
    let offered =
        auction.bids.iter().filter(|bid| bid.amount > 0 && contests(auction, &bid.campaign));
    let offered: Vec<_> = offered.collect();
    let offers: Vec<Bid<'_>> = offered
        .iter()
        .map(|bid| Bid { bidder: bid.buyer.as_str(), amount: Micros::new(bid.amount) })
        .collect();
    let award = clear(&other, ping, &offers);
    let won = award.winners.iter().filter_map(|index| offered.get(*index));
    let new = side(won.map(|bid| bid.campaign.clone()), award.price);
    Sight { ping, terms: other, campaigns: Vec::new(), old, new }
}

fn side(winners: impl Iterator<Item = String>, price: Option<Micros>) -> Side {
    let winners: BTreeSet<String> = winners.collect();
    Side {
        said: Vec::new(),
        spent: Ok(0),
        winners: winners.into_iter().collect(),
        price: price.unwrap_or_default(),
    }
}

fn paid(side: &Side) -> i64 {
    side.winners.iter().fold(0, |sum, _| side.price.get().saturating_add(sum))
}

/// Returns whether a bid was in the contest, whatever became of it there.
fn contests(auction: &PingAnswered, campaign: &str) -> bool {
    let left = auction.left_out.iter().find(|left| left.campaign == campaign);
    let exclusion = left.and_then(|left| Exclusion::from_code(&left.reason));
    exclusion.is_none_or(|exclusion| {
        exclusion != Exclusion::DeadlinePassed && !exclusion.is_of_the_book()
    })
}
