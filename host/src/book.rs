//! The book: balances, holds, caps, budgets, copies, duplicates and suppression lists, in memory, behind one lock.
//!
//! The book changes only by facts, in the order in which the journal gets them: a decision reads the [`State`], makes
//! a fact, applies it and hands it to the journal while the lock is held. So replaying the journal rebuilds the book
//! exactly, and two pings can never both be promised the same last cent.
//!
//! A hold ends exactly once: it is posted by a sale, voided by a refusal, or expires.

mod account;
mod apply;
mod counters;
mod duplicates;
mod money;
mod erasure;
mod expiries;
mod kept;
mod limits;
#[cfg(test)]
mod model;
mod named;
mod permits;
mod persons;
mod pings;
mod postbacks;
mod promised;
mod rejects;
mod shares;
mod shipments;
mod suppressions;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::catalog::{Buyer, Campaign};
use crate::clock::Moment;
use crate::facts::{Counted, Periods, Request};
use crate::ids::PingId;
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::schedule::periods_in_zone;
use account::sum;
use counters::Counters;
use duplicates::{Requests, Window};
use expiries::Expiries;
use limits::within;
use money::Money;
use named::Named;
use persons::Persons;
use pings::Pings;
use postbacks::Postbacks;
use promised::Promised;
use rejects::Ends;
use shipments::Shipments;
use suppressions::Suppressions;

pub use account::Account;
pub use counters::{PERIODS_KEPT, Taken, Used};
pub use expiries::ENDED_MAX;
pub use kept::Kept;
pub use limits::{Bar, Detail, Limit, Measure, Span, Whose};
pub use money::{CALLS_KEPT_MS, CALLS_MAX, Call, RETURNS_LISTED_MAX, Return, Tally};
pub use persons::PERSONS_MAX;
pub use pings::{Copy, OpenPing, OpenTransfer, Stage};
pub use postbacks::{LastTry, POSTBACKS_DELIVERED_MAX, POSTBACKS_FAILED_MAX};
pub use rejects::{REJECTS_MIN, REJECTS_WINDOW, Rejects};
pub use shares::{may_have_more, room_beside};
pub use shipments::{
    SHIPMENTS_DEAD_MAX, SHIPMENTS_KEPT_MAX, Shipment, ShipmentKey, ShipmentStatus,
};
pub use suppressions::{Entry, SUPPRESSIONS_MAX};

/// The most pings of all sources that may be open. A source has its share of them; beyond it its new pings are shed.
pub const OPEN_PINGS_MAX: usize = 500_000;
/// The most answered requests of all sources that are remembered by their Idempotency-Key. A source has its share of
/// them.
pub const REQUESTS_MAX: usize = 1_000_000;
/// How long a request is remembered by its Idempotency-Key: a day, the field's usual least.
pub const REQUESTS_KEPT_MS: i64 = 86_400_000;
/// The most leads that are remembered to recognise duplicates; the oldest is forgotten first.
pub const DUPLICATES_MAX: usize = 2_000_000;

/// The one book of an exchange.
#[derive(Debug, Default)]
pub struct Book {
    state: Mutex<State>,
}

impl Book {
    /// Takes a state that was rebuilt from the journal.
    pub fn new(state: State) -> Self {
        Self { state: Mutex::new(state) }
    }

    /// Runs one decision alone: nothing else reads or changes the book until it returns.
    pub fn decide<R>(&self, decision: impl FnOnce(&mut State) -> R) -> R {
        decision(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is true after all facts so far. Two that got the same facts are equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    buyers: Named<Purse>,
    campaigns: Named<Counters>,
    sources: Named<()>,
    verticals: Named<()>,
    pings: Pings,
    expiries: Expiries,
    /// By source, and whether it was a test: tests and live leads do not see each other.
    offered: Window<(u32, bool, [u8; 32])>,
    bought: Window<(u32, [u8; 32])>,
    promised: Promised,
    persons: Persons,
    suppressions: Suppressions,
    requests: Requests,
    money: Money,
    /// How many copies ever began to wait for their buyers.
    lined_up: u64,
    postbacks: Postbacks,
    shipments: Shipments,
}

/// What a buyer has, and what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Purse {
    account: Account,
    counters: Counters,
    ends: Ends,
}

impl State {
    /// Returns a buyer's money.
    pub fn account(&self, buyer: &str) -> Account {
        self.buyers.get(buyer).map(|purse| purse.account).unwrap_or_default()
    }

    /// Returns what a campaign took in the periods of this moment.
    pub fn used_by_campaign(&self, campaign: &Campaign, at: Moment) -> Used {
        let periods = periods_in_zone(&campaign.zone, at);
        used(self.campaigns.get(campaign.id.as_str()), periods).1
    }

    /// Returns what all campaigns of a buyer took in the periods of this moment.
    pub fn used_by_buyer(&self, buyer: &Buyer, at: Moment) -> Used {
        let purse = self.buyers.get(buyer.id.as_str());
        used(purse.map(|purse| &purse.counters), periods_in_zone(&buyer.zone, at)).1
    }

    /// Returns an accepted ping that is not settled yet.
    pub fn open_ping(&self, ping: PingId) -> Option<&OpenPing> {
        self.pings.get(&ping)
    }

    /// Returns the live transfer of a copy that nobody has said yet how it went.
    pub fn open_transfer(&self, ping: PingId, copy: u32) -> Option<OpenTransfer> {
        self.open_ping(ping)?.copies.get(usize::try_from(copy).ok()?)?.transfer
    }

    /// Returns how many pings are accepted and not settled.
    pub fn open_pings(&self) -> usize {
        self.pings.len()
    }

    /// Returns how many posted copies are neither sold nor given up.
    pub fn deliveries_open(&self) -> usize {
        let posted = self.pings.values().filter(|open| open.posted.is_some());
        posted.map(|open| open.held().count()).sum()
    }

    /// Returns the ping and the request that an Idempotency-Key of a source stands for.
    pub fn request(&self, source: &str, key: [u8; 32]) -> Option<(PingId, &Request)> {
        let seen = self.requests.get(self.sources.known(source)?, key)?;
        Some((seen.ping, &seen.detail))
    }

    /// Returns whether another Idempotency-Key of a source is remembered: its share is not full.
    pub fn remembers_request_of(&self, source: &str, at: Moment) -> bool {
        let oldest = before(at, REQUESTS_KEPT_MS);
        self.requests.has_room(self.sources.known(source), REQUESTS_MAX, oldest)
    }

    /// Returns whether a source may have another ping open: its share is not full.
    pub fn opens_ping_of(&self, source: &str) -> bool {
        let own = self.sources.known(source).map_or(0, |source| self.pings.shares().of(source));
        may_have_more(own, self.pings.len(), OPEN_PINGS_MAX)
    }

    /// Returns the ping in which the same source offered the same lead at or after `since`, as a test if this one is.
    pub fn offered_since(
        &self,
        source: &str,
        (test, fingerprint): (bool, [u8; 32]),
        since: Moment,
    ) -> Option<PingId> {
        let seen = self.offered.get(&(self.sources.known(source)?, test, fingerprint))?;
        (seen.at >= since).then_some(seen.ping)
    }

    /// Says whether the campaign may buy this lead at all, whatever the price.
    pub fn admits(
        &self,
        campaign: &Campaign,
        fingerprint: [u8; 32],
        at: Moment,
    ) -> Result<(), Bar> {
        let least = Micros::new(1);
        if !campaign.caps.any() && !campaign.buyer.caps.any() {
            self.not_bought(campaign, fingerprint, at)?;
            let purse = self.buyers.get(campaign.buyer.id.as_str());
            return funds(&campaign.buyer, purse, least);
        }
        self.covers(campaign, fingerprint, least, at).map(drop)
    }

    /// Says whether the campaign may buy this lead at this amount, as the book stands now: pings that were answered
    /// since the shortlist may have taken its last place. Returns the periods that it counts for.
    pub fn covers(
        &self,
        campaign: &Campaign,
        fingerprint: [u8; 32],
        amount: Micros,
        at: Moment,
    ) -> Result<Counted, Bar> {
        self.not_bought(campaign, fingerprint, at)?;
        let buyer = campaign.buyer.as_ref();
        let own = periods_in_zone(&campaign.zone, at);
        let shared =
            if buyer.zone == campaign.zone { own } else { periods_in_zone(&buyer.zone, at) };
        let (own, taken) = used(self.campaigns.get(campaign.id.as_str()), own);
        within(&campaign.caps, Whose::Campaign, &taken, own, amount)?;
        let purse = self.buyers.get(buyer.id.as_str());
        let (shared, taken) = used(purse.map(|purse| &purse.counters), shared);
        within(&buyer.caps, Whose::Buyer, &taken, shared, amount)?;
        funds(buyer, purse, amount)?;
        Ok(Counted { campaign: own, buyer: shared })
    }

    /// Says whether the campaign neither bought this lead within its window nor is promised it now.
    fn not_bought(
        &self,
        campaign: &Campaign,
        fingerprint: [u8; 32],
        at: Moment,
    ) -> Result<(), Bar> {
        if campaign.duplicate_window.is_zero() {
            return Ok(());
        }
        let since = since(at, campaign.duplicate_window);
        let Some(number) = self.campaigns.known(campaign.id.as_str()) else { return Ok(()) };
        let seen = self.bought.get(&(number, fingerprint));
        let bought = seen.is_some_and(|seen| seen.at >= since);
        if bought || self.promised.has(number, fingerprint) {
            return Err(Bar::plain(Exclusion::DuplicateForCampaign));
        }
        Ok(())
    }

    /// Returns how many entries a suppression list has.
    pub fn suppressions_of(&self, list: &str) -> usize {
        self.suppressions.entries_of(list)
    }

    /// Returns how many entries all suppression lists have.
    pub const fn suppressions(&self) -> usize {
        self.suppressions.entries()
    }

    /// Returns pings whose money was held until before a moment of the steady clock and that nobody posted, oldest first.
    pub fn overdue(&self, at: Moment, limit: usize) -> Vec<PingId> {
        self.expiries.overdue(at, limit, |ping| waits(&self.pings, ping))
    }

    /// Returns the deadline of the hold that ends next unless its ping is posted.
    pub fn next_expiry(&self) -> Option<Moment> {
        self.expiries.next(|ping| waits(&self.pings, ping))
    }

    /// Returns the latest moment of the steady clock at which an open ping was answered.
    pub fn held_since(&self) -> Option<Moment> {
        self.pings.values().map(|open| open.auction.held_since()).max()
    }

    /// Returns the sum of all holds of open pings, by buyer: what every account's `held` must equal. Everybody waits while
    /// this is counted, so it goes by numbers.
    pub fn holds(&self) -> HashMap<String, Micros> {
        let mut sums: Vec<Option<Micros>> = vec![None; self.buyers.count()];
        for open in self.pings.values().filter(|open| !open.test) {
            for (_, copy) in open.held() {
                let buyer = usize::try_from(copy.buyer).unwrap_or(usize::MAX);
                if let Some(held) = sums.get_mut(buyer) {
                    *held = Some(sum(held.unwrap_or_default(), copy.due));
                }
            }
        }
        let named = self.buyers.named(&sums);
        named.filter_map(|(buyer, held)| Some((buyer.to_owned(), (*held)?))).collect()
    }
}

/// Returns whether a ping waits for its post.
fn waits(pings: &Pings, ping: PingId) -> bool {
    pings.get(&ping).is_some_and(|open| open.posted.is_none())
}

/// Returns the periods that a hold counts for, and what was taken in them.
fn used(counters: Option<&Counters>, periods: Periods) -> (Periods, Used) {
    let Some(counters) = counters else { return (periods, Used::default()) };
    let periods = counters.effective(periods);
    (periods, counters.used(periods))
}

/// Says whether the buyer's balance and credit cover this amount.
fn funds(buyer: &Buyer, purse: Option<&Purse>, amount: Micros) -> Result<(), Bar> {
    let account = purse.map(|purse| purse.account).unwrap_or_default();
    if amount <= account.free(buyer.credit_limit) {
        return Ok(());
    }
    Err(Bar::plain(Exclusion::NoFunds))
}

fn since(at: Moment, window: std::time::Duration) -> Moment {
    before(at, i64::try_from(window.as_millis()).unwrap_or(i64::MAX))
}

fn before(at: Moment, milliseconds: i64) -> Moment {
    Moment::from_unix_ms(at.unix_ms().saturating_sub(milliseconds))
}
