//! Open pings: what was promised for each copy of a lead, and how far it is.

use std::sync::Arc;

use super::named::Map;
use super::shares::Shares;
use crate::clock::Moment;
use crate::facts::{Counted, PingAnswered, Posted, Winner};
use crate::ids::PingId;
use crate::money::Micros;

/// All open pings, and how many of them each source has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pings {
    open: Map<PingId, OpenPing>,
    shares: Shares,
}

impl Pings {
    pub(super) fn get(&self, ping: &PingId) -> Option<&OpenPing> {
        self.open.get(ping)
    }

    pub(super) fn get_mut(&mut self, ping: &PingId) -> Option<&mut OpenPing> {
        self.open.get_mut(ping)
    }

    pub(super) fn insert(&mut self, ping: PingId, open: OpenPing) {
        self.shares.add(open.source);
        if let Some(before) = self.open.insert(ping, open) {
            self.shares.take(before.source);
        }
    }

    pub(super) fn remove(&mut self, ping: &PingId) -> Option<OpenPing> {
        let open = self.open.remove(ping)?;
        self.shares.take(open.source);
        Some(open)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &OpenPing> {
        self.open.values()
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&PingId, &OpenPing)> {
        self.open.iter()
    }

    pub(super) const fn shares(&self) -> &Shares {
        &self.shares
    }
}

/// An accepted ping whose copies are not all settled.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenPing {
    /// The auction as it was held.
    pub auction: Arc<PingAnswered>,
    /// What ends a hold is kept here and in the copies: by then the auction is long out of the processor's caches.
    pub(super) held_until: Moment,
    /// The number of the source's name.
    pub(super) source: u32,
    pub(super) test: bool,
    /// What became of each copy.
    pub copies: Vec<Copy>,
    /// Buyers that refused this lead: none of them gets another copy.
    pub(super) refused: Vec<String>,
    /// The post that claimed the ping, once there is one.
    pub posted: Option<Box<Posted>>,
    /// The contact data was erased: no buyer is asked any more.
    pub erased: bool,
}

impl OpenPing {
    /// Returns who gets a copy, at what price.
    pub fn winner<'p>(&'p self, copy: &'p Copy) -> Option<&'p Winner> {
        copy.successor.as_deref().or_else(|| self.auction.winners.get(copy.place))
    }

    /// Returns the copies whose money is held, with their numbers.
    pub fn held(&self) -> impl Iterator<Item = (u32, &Copy)> {
        (0_u32..).zip(&self.copies).filter(|(_, copy)| copy.stage == Stage::Held)
    }

    /// Returns whether a buyer has a copy or refused one.
    pub fn taken_by(&self, buyer: &str) -> bool {
        let has = |copy: &Copy| self.winner(copy).is_some_and(|winner| winner.buyer == buyer);
        self.copies.iter().filter(|copy| copy.stage != Stage::Void).any(has)
            || self.refused.iter().any(|refused| refused == buyer)
    }

    /// Returns whether a campaign may not have this person.
    pub fn passes_over(&self, campaign: &str) -> bool {
        let posted = self.posted.as_ref();
        posted.is_some_and(|posted| {
            posted.passed_over.iter().any(|passed| passed.campaign == campaign)
        })
    }
}

/// One copy of a lead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copy {
    /// Which of the auction's winners it was won by.
    pub(super) place: usize,
    /// Who got it after that one.
    pub(super) successor: Option<Box<Winner>>,
    /// The numbers of the buyer's and the campaign's names.
    pub(super) buyer: u32,
    pub(super) campaign: u32,
    /// What was set aside for it, and the periods that it counts for.
    pub(super) due: Micros,
    pub(super) counted: Counted,
    /// What the lead has in common with itself: while this copy is held, its campaign is promised no other like it.
    pub(super) fingerprint: [u8; 32],
    pub stage: Stage,
    /// An attempt has begun and its end is not recorded: whoever finds this in a recovered book does not know whether the
    /// buyer has the lead.
    pub asked: bool,
    /// An attempt of unknown end went to this buyer: it may have the lead, whatever later attempts say.
    pub uncertain: bool,
    /// The attempt under way is a status call.
    pub inquired: bool,
    /// The buyer said last that it does not have the lead: it is sent again.
    pub absent: bool,
    /// It was sent to this buyer again although it may have had it.
    pub sent_again: bool,
    /// How many buyers before this one had the lead shown to them and refused it.
    pub refusals: u32,
    /// The live transfer that is open.
    pub transfer: Option<OpenTransfer>,
    /// How many live transfers of this copy there were.
    pub transfers: u32,
    /// The copy's number in the order in which copies began to wait for their buyers.
    pub line: u64,
    /// It was given up, and then sent again by hand: it is this buyer's or nobody's.
    pub reopened: bool,
}

/// A live transfer that nobody has said yet how it went.
#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq)]
pub struct OpenTransfer {
    /// Which of its copy it is, from 0.
    pub turn: u32,
    /// How long the call must be connected to be a sale.
    pub connected_seconds: u32,
    pub expires: Moment,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Money is held for it.
    #[default]
    Held,
    /// The buyer has it and paid.
    Sold,
    /// Its buyer was not reached, and nobody is asked any more; no money is held. It can be sent again by hand.
    GivenUp,
    /// Nobody gets it; no money is held.
    Void,
}
