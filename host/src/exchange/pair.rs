//! A pair of versions of a filter over one recorded auction: both judge the same frame for the same campaigns, and the
//! auction is closed again with the bids of each.
//!
//! All else is as it was recorded: who was asked, what the others bid, what buyers answered over the network, what the
//! book said of caps and funds. What a buyer would have answered that was not asked then, nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use lead_frame::{FieldId, Frame, Value};
use serde_json::{Map, Value as Json};

use super::close::clear;
use crate::bidding::Outcome;
use crate::catalog::Campaign;
use crate::clearing::{Bid, offer};
use crate::clock::Moment;
use crate::comparison::{Said, Side, Sight};
use crate::facts::{Asked, BidMade, PingAnswered, Terms};
use crate::ids::PingId;
use crate::lead::{self, Value as LeadValue};
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::sandbox::{ConfiguredFilter, Forfeit, Need, Verdict};

/// What a receipt says of a campaign that was asked and did not bid.
const ASKED: [Exclusion; 10] = [
    Exclusion::FilterDeclined,
    Exclusion::FilterForfeited,
    Exclusion::FilterOutOfService,
    Exclusion::NoPrice,
    Exclusion::NoBid,
    Exclusion::BidLate,
    Exclusion::BidRefused,
    Exclusion::BidInvalid,
    Exclusion::BidUnreachable,
    Exclusion::NotAsked,
];
/// What the book says of a bid that it does not cover.
const UNCOVERED: [Exclusion; 4] = [
    Exclusion::CapReached,
    Exclusion::BudgetSpent,
    Exclusion::NoFunds,
    Exclusion::DuplicateForCampaign,
];

/// A recorded auction, as far as a filter has a say in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Auction {
    pub ping: PingId,
    pub at: Moment,
    pub terms: Terms,
    pub frame: Vec<u64>,
    /// The campaigns that the filter was asked for, in order.
    pub asked: Vec<String>,
    /// Every bid that was made, those of the asked campaigns among them.
    pub bids: Vec<BidMade>,
    /// What the buyers of asked campaigns answered over the network: `bid`, or why there was none.
    pub answers: BTreeMap<String, String>,
    /// The campaigns whose caps, budget or funds did not cover their bid.
    pub uncovered: BTreeSet<String>,
    /// The source's deadline passed, so nobody won.
    pub late: bool,
}

/// A campaign's place in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub slot: u32,
    pub buyer: String,
    /// What it bids for a copy if the filter names no price.
    pub price: Option<Micros>,
    /// What it then bids for the lead alone.
    pub exclusive: Option<Micros>,
    /// Its buyer is asked for bids over the network where nobody else names a price.
    pub is_remote: bool,
}

impl Seat {
    /// Returns the seat of a campaign that uses a filter.
    pub(super) fn of(campaign: &Campaign) -> Option<Self> {
        let slot = campaign.filter?.slot;
        let buyer = campaign.buyer.id.as_str().to_owned();
        let is_remote = campaign.buyer.bidding.is_some();
        let (price, exclusive) = (campaign.price, campaign.exclusive);
        Some(Self { slot, buyer, price, exclusive, is_remote })
    }
}

impl Auction {
    /// Returns what of a ping's answer concerns the filter of these campaigns; nothing if none of them was asked. Tests
    /// and duplicates are left out: no money was at stake.
    pub(super) fn of(answered: &PingAnswered, seated: impl Fn(&str) -> bool) -> Option<Self> {
        if answered.test || answered.duplicate_of.is_some() {
            return None;
        }
        let reason = |exclusions: &[Exclusion], code: &str| {
            exclusions.iter().any(|exclusion| exclusion.code() == code)
        };
        let bidding = answered.bids.iter().map(|bid| &bid.campaign);
        let silent = answered.left_out.iter().filter(|left| reason(&ASKED, &left.reason));
        let asked = bidding.chain(silent.map(|left| &left.campaign));
        let asked: BTreeSet<&String> = asked.filter(|campaign| seated(campaign)).collect();
        if asked.is_empty() {
            return None;
        }
        let bid = |campaign: &str| answered.bids.iter().any(|bid| bid.campaign == campaign);
        let left = answered.left_out.iter();
        let uncovered = left.filter(|left| reason(&UNCOVERED, &left.reason) && bid(&left.campaign));
        let late = Exclusion::DeadlinePassed.code();
        let answers = answered.asked.iter().filter(|told| asked.contains(&told.campaign));
        let answers = answers.map(|told| (told.campaign.clone(), answer(answered, told)));
        Some(Self {
            ping: PingId::from_u128(answered.ping),
            at: Moment::from_unix_ms(answered.received_ms),
            terms: answered.terms.clone(),
            frame: answered.frame.clone(),
            answers: answers.collect(),
            asked: asked.into_iter().cloned().collect(),
            bids: answered.bids.clone(),
            uncovered: uncovered.map(|left| left.campaign.clone()).collect(),
            late: answered.left_out.iter().any(|left| left.reason == late),
        })
    }

    /// Has both versions judge the lead for the campaigns that have a seat; nothing if none has one, or the sandbox had
    /// no room for a call, which is neither version's doing.
    pub(super) fn judge(
        &self,
        seat: impl Fn(&str) -> Option<Seat>,
        (old, new): (&ConfiguredFilter, &ConfiguredFilter),
    ) -> Option<Sight> {
        let seated = self.asked.iter().filter_map(|campaign| Some((campaign, seat(campaign)?)));
        let seats: BTreeMap<&String, Seat> = seated.collect();
        if seats.is_empty() {
            return None;
        }
        Some(Sight {
            ping: self.ping,
            terms: self.terms.clone(),
            campaigns: seats.keys().map(|campaign| (*campaign).clone()).collect(),
            old: self.side(&seats, old)?,
            new: self.side(&seats, new)?,
        })
    }

    fn side(&self, seats: &BTreeMap<&String, Seat>, code: &ConfiguredFilter) -> Option<Side> {
        let slots: Vec<u32> = seats.values().map(|seat| seat.slot).collect();
        let (said, spent) = match code.evaluate(&self.frame, &slots) {
            Ok(evaluated) => {
                let verdicts = evaluated.verdicts.into_iter().zip(seats);
                let said = verdicts.map(|(verdict, seat)| self.word(verdict, seat.0, seat.1));
                (said.collect(), Ok(evaluated.fuel))
            }
            Err(Forfeit::NoRoom) => return None,
            Err(forfeit) => (vec![Said::Failed; seats.len()], Err(forfeit.to_string())),
        };
        let mut side =
            Side { said, spent, winners: Vec::new(), prices: Vec::new(), dues: Vec::new() };
        for (campaign, price, due) in self.close(seats, &side.said) {
            side.winners.push(campaign);
            side.prices.push(price);
            side.dues.push(due);
        }
        Some(side)
    }

    /// Returns the campaigns that win, each with its price and with what it pays, in the order of their names.
    fn close(
        &self,
        seats: &BTreeMap<&String, Seat>,
        said: &[Said],
    ) -> Vec<(String, Micros, Micros)> {
        let others = self.bids.iter().filter(|bid| !seats.contains_key(&bid.campaign)).cloned();
        let own = seats.iter().zip(said).filter_map(|((campaign, seat), said)| match said {
            Said::Bid(amount) => Some(self.bid(campaign, seat, *amount)),
            Said::Unpriced | Said::Refused(_) | Said::Failed => None,
        });
        let covered =
            |bid: &BidMade| !self.late && bid.most() > 0 && !self.uncovered.contains(&bid.campaign);
        let bids: Vec<BidMade> = others.chain(own).filter(covered).collect();
        let offers: Vec<Bid<'_>> = bids.iter().map(offer).collect();
        let award = clear(&self.terms, self.ping, &offers);
        let won = award.winners.iter();
        let won = won.filter_map(|won| {
            let bid = bids.get(won.bid)?;
            Some((bid.campaign.clone(), won.price, self.terms.due(&bid.buyer, won.price)))
        });
        let mut winners: Vec<(String, Micros, Micros)> = won.collect();
        winners.sort_unstable();
        winners
    }

    fn word(&self, verdict: Verdict, campaign: &str, seat: &Seat) -> Said {
        let price = match verdict {
            Verdict::Yes(price) => price,
            Verdict::No(reason) => return Said::Refused(reason.into()),
        };
        if let Some(amount) = price.or(seat.price).or(seat.exclusive.map(|_| Micros::ZERO)) {
            return Said::Bid(amount);
        }
        let made = self.bids.iter().find(|bid| bid.campaign == campaign);
        match (self.answers.get(campaign), made) {
            (Some(answer), Some(made)) if answer == Outcome::Bid.code() => {
                Said::Bid(Micros::new(made.amount))
            }
            (Some(answer), _) => Said::Refused(answer.clone()),
            (None, _) if seat.is_remote => Said::Unpriced,
            (None, _) => Said::Refused(Exclusion::NoPrice.code().to_owned()),
        }
    }

    /// Returns the bid of a campaign of the filter. The record knows a campaign's tier by its bid; one that did not bid
    /// then is taken for one of the last tier.
    fn bid(&self, campaign: &str, seat: &Seat, amount: Micros) -> BidMade {
        let known = self.bids.iter().find(|bid| bid.campaign == campaign);
        let last = u32::try_from(self.terms.tiers.len().saturating_sub(1)).unwrap_or(u32::MAX);
        BidMade {
            campaign: campaign.to_owned(),
            buyer: seat.buyer.clone(),
            amount: amount.get(),
            exclusive: seat
                .exclusive
                .filter(|_| seat.price.unwrap_or_default() == amount)
                .map(Micros::get),
            tier: known.map_or(last, |known| known.tier),
            standing: known.map_or(0, |known| known.standing),
            rejects: known.map_or(0, |known| known.rejects),
        }
    }
}

/// Returns what a buyer answered for a campaign, as receipts word it.
fn answer(answered: &PingAnswered, told: &Asked) -> String {
    let left = || answered.left_out.iter().find(|left| left.campaign == told.campaign);
    match left().filter(|_| told.outcome != Outcome::Bid.code()) {
        Some(left) => left.reason.clone(),
        None => told.outcome.clone(),
    }
}

/// Returns what a filter reads of a lead, by the names in its needs. A frame holds no contact data.
pub(super) fn read_fields<'n>(frame: &[u64], needs: impl Iterator<Item = &'n Need>) -> Json {
    let Ok(frame) = Frame::open(frame) else { return Json::Null };
    let mut read = Map::new();
    for need in needs {
        if let Some(value) = frame.get(FieldId::of(&need.name)) {
            read.insert(need.name.clone(), shown(value));
        }
    }
    Json::Object(read)
}

fn shown(value: Value<'_>) -> Json {
    match value {
        Value::Text(text) => text.into(),
        Value::Integer(number) => number.into(),
        Value::Decimal(millionths) => LeadValue::Decimal(millionths).to_json(),
        Value::Boolean(yes) => yes.into(),
        Value::Date(days) => lead::date_text(days).into(),
        Value::Texts(texts) => texts.iter().collect::<Vec<&str>>().into(),
    }
}
