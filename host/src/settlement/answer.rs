//! What a source hears: a pure function of what was recorded, so that the same request gets the same answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Moment;
use crate::facts::{
    BidMade, Ended, Fact, PingAnswered, PostRefused, Posted, PriceRule, TransferOffered,
};
use crate::ids::{PingId, TransferId};
use crate::money::Micros;
use crate::reasons::{Exclusion, Refusal};

/// The exchange's answer to a ping or a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A buyer was found. The price is what the source is paid; it is firm if a sale brings no less.
    Accepted { ping: PingId, price: Micros, firm: bool, expires: Moment },
    /// No buyer was found.
    Rejected { ping: PingId, reason: Refusal },
    /// The same lead was offered a short time ago.
    Duplicate { ping: PingId, earlier: PingId },
    /// The lead was bought by `copies` buyers; the price is what the source is paid in all.
    /// It names the ping that this one took the place of, if it did.
    Sold { ping: PingId, price: Micros, copies: usize, replaces: Option<PingId> },
    /// The lead was not bought.
    Unsold { ping: PingId, reason: Refusal },
    /// The lead was taken; its outcome follows, of these live transfers when the source says how they went.
    Pending { ping: PingId, transfers: Vec<Transfer> },
}

impl Answer {
    /// Returns the answer to the ping of an auction.
    pub fn to_ping(auction: &PingAnswered) -> Self {
        let ping = PingId::from_u128(auction.ping);
        if let Some(earlier) = auction.duplicate_of {
            return Self::Duplicate { ping, earlier: PingId::from_u128(earlier) };
        }
        if auction.winners.is_empty() {
            return Self::Rejected { ping, reason: unsold_because(auction) };
        }
        let (price, expires) = (auction.payout(), auction.expires());
        Self::Accepted { ping, price, firm: is_firm(auction), expires }
    }

    /// Returns the word that stands for the answer everywhere.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Duplicate { .. } => "duplicate",
            Self::Sold { .. } => "sold",
            Self::Unsold { .. } => "unsold",
            Self::Pending { .. } => "pending",
        }
    }

    /// Returns the answer to the call that does both steps, when its first step found no buyer.
    pub fn unsold(auction: &PingAnswered) -> Self {
        let ping = PingId::from_u128(auction.ping);
        match auction.duplicate_of {
            Some(_) => Self::Unsold { ping, reason: Refusal::Duplicate },
            None => Self::Unsold { ping, reason: unsold_because(auction) },
        }
    }
}

/// Says whether a sale can bring no less than the ping's answer says. A winner that refuses the lead, is not reached or
/// may not have the person is followed by the next of the recorded bids, at the price that is right for those that are
/// left; and of several copies one may stay unsold. So the price is firm if one copy is sold and nobody comes after its
/// winner, or nobody can pay less. That the person may be shown to one buyer only makes no price firm: who was passed
/// over or not reached was shown nothing.
fn is_firm(auction: &PingAnswered) -> bool {
    let terms = &auction.terms;
    let [winner] = auction.winners.as_slice() else { return false };
    // Another campaign of the same buyer may have a person that this one may not.
    let others = auction.bids.iter().filter(|bid| bid.campaign != winner.campaign);
    let next = |bid: &BidMade| {
        let bid = BidMade { exclusive: bid.exclusive.filter(|_| winner.exclusive), ..bid.clone() };
        let tier = terms.tiers.get(usize::try_from(bid.tier).unwrap_or(usize::MAX))?;
        let least = match tier.price {
            PriceRule::First => bid.most(),
            PriceRule::Fixed(price) => price,
            PriceRule::Second => tier.reserve,
        };
        (bid.most() >= least.max(tier.reserve) && bid.most() > 0).then_some(least)
    };
    let promised = terms.payout(Micros::new(winner.price));
    let keeps = |least: i64| terms.least_payout(Micros::new(least)) >= promised;
    others.filter_map(next).all(keeps)
}

fn unsold_because(auction: &PingAnswered) -> Refusal {
    let has = |reason: Exclusion| auction.left_out.iter().any(|left| left.reason == reason.code());
    let all = |reason: Exclusion| {
        let mut left = auction.left_out.iter();
        !auction.left_out.is_empty() && left.all(|left| left.reason == reason.code())
    };
    if all(Exclusion::Suppressed) {
        Refusal::Suppressed
    } else if has(Exclusion::DeadlinePassed) {
        Refusal::DeadlinePassed
    } else if auction.bids.is_empty() {
        Refusal::NoEligibleBuyer
    } else if has(Exclusion::BelowReserve) {
        Refusal::BidsBelowReserve
    } else {
        Refusal::BidsNotPayable
    }
}

/// A live transfer as its source is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub id: TransferId,
    /// Where the caller is transferred to.
    pub number: String,
    /// What the buyer's agent hears first.
    pub whisper: String,
    /// How long the caller must be connected to be sold.
    pub connected_seconds: u32,
    /// Until when the source has to say how it went.
    pub expires: Moment,
    /// Nobody has the number.
    pub test: bool,
}

impl Transfer {
    fn of(offered: &TransferOffered, test: bool) -> Self {
        let TransferOffered { ping, copy, turn, number, whisper, connected_seconds, .. } = offered;
        Self {
            id: TransferId { ping: PingId::from_u128(*ping), copy: *copy, turn: *turn },
            number: number.clone(),
            whisper: whisper.clone(),
            connected_seconds: *connected_seconds,
            expires: Moment::from_unix_ms(offered.expires_ms),
            test,
        }
    }
}

/// All that the journal knows of one ping, in order.
#[derive(Clone, Debug, Default)]
pub struct Story {
    pub auction: Option<Arc<PingAnswered>>,
    pub posted: Option<Posted>,
    /// The ping that took the place of this one.
    pub superseded_by: Option<PingId>,
    /// The post, if its person may not be sold.
    pub refused: Option<PostRefused>,
    copies: Vec<CopyEnd>,
    /// The live transfers that are open.
    transfers: Vec<Transfer>,
    /// How many buyers saw each copy and refused it.
    refusals: Vec<u32>,
    /// The copies that a buyer could not be reached for.
    unreached: BTreeSet<u32>,
    /// The buyers that were asked to take a copy.
    asked: Vec<String>,
}

/// How a copy of the lead stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CopyEnd {
    Open,
    Sold(Micros),
    Void,
    /// Nobody said in time how its live transfer went.
    Expired,
    /// Whoever had won it may not have this person, and nobody else may or wants to.
    PassedOver,
}

impl Story {
    /// Folds the facts of one ping.
    pub fn of<'f>(facts: impl IntoIterator<Item = &'f Fact>) -> Self {
        let mut story = Self::default();
        for fact in facts {
            match fact {
                Fact::PingAnswered(auction) => {
                    story.copies = vec![CopyEnd::Open; auction.winners.len()];
                    story.refusals = vec![0; auction.winners.len()];
                    story.auction = Some(Arc::clone(auction));
                }
                Fact::Posted(posted) => story.take_post(posted),
                Fact::PostRefused(refused) => story.refused = Some(refused.clone()),
                Fact::Superseded(superseded) => {
                    story.superseded_by = Some(PingId::from_u128(superseded.by));
                }
                Fact::TransferOffered(offered) => {
                    let test = story.auction.as_ref().is_some_and(|auction| auction.test);
                    story.transfers.push(Transfer::of(offered, test));
                }
                Fact::Delivered(delivered) => {
                    story.transfers.retain(|transfer| transfer.id.copy != delivered.copy);
                    let index = usize::try_from(delivered.copy).unwrap_or(usize::MAX);
                    story.asked.push(delivered.buyer.clone());
                    let Some(copy) = story.copies.get_mut(index) else { continue };
                    if let Some(refusals) = story.refusals.get_mut(index) {
                        *refusals += u32::from(delivered.ended == Ended::Rejected);
                    }
                    if delivered.ended == Ended::NotSent && delivered.again_ms.is_none() {
                        story.unreached.insert(delivered.copy);
                    }
                    match delivered.ended {
                        Ended::Sold => *copy = CopyEnd::Sold(Micros::new(delivered.payout)),
                        Ended::Rejected | Ended::NotSent if delivered.closes() => {
                            *copy = CopyEnd::Void;
                        }
                        Ended::Expired => *copy = CopyEnd::Expired,
                        Ended::Rejected | Ended::NotSent | Ended::Unknown => (),
                    }
                }
                // Of one that was given up it is open again who has it.
                Fact::ShipmentResent(resent) if resent.held.is_some() => {
                    story.end(resent.copy, CopyEnd::Open);
                    story.unreached.remove(&resent.copy);
                }
                Fact::ContactErased(erased) => {
                    story.transfers.retain(|open| !erased.voided.contains(&open.id.copy));
                    erased.voided.iter().for_each(|copy| story.end(*copy, CopyEnd::Void));
                }
                Fact::Saved(_)
                | Fact::ContactsSwept(_)
                | Fact::MasterKeyRotated(_)
                | Fact::ModuleUploaded(_)
                | Fact::ModuleStepped(_)
                | Fact::Deposited(_)
                | Fact::SubmissionRefused(_)
                | Fact::AskedAgain(_)
                | Fact::StatusAsked(_)
                | Fact::ShipmentResent(_)
                | Fact::Transferred(_)
                | Fact::ReturnRequested(_)
                | Fact::ReturnDecided(_)
                | Fact::CallMade(_)
                | Fact::CallAnswered(_)
                | Fact::SuppressionsAdded(_)
                | Fact::SuppressionsRemoved(_)
                | Fact::KeyAdopted(_)
                | Fact::PostbackTried(_)
                | Fact::PostbackResent(_)
                | Fact::Expired(_) => (),
            }
        }
        story
    }

    fn end(&mut self, copy: u32, end: CopyEnd) {
        let index = usize::try_from(copy).unwrap_or(usize::MAX);
        if let Some(copy) = self.copies.get_mut(index) {
            *copy = end;
        }
    }

    fn take_post(&mut self, posted: &Posted) {
        for passed in posted.passed_over.iter().filter(|passed| passed.successor.is_none()) {
            let index = passed.copy.and_then(|copy| usize::try_from(copy).ok());
            if let Some(end) = index.and_then(|index| self.copies.get_mut(index)) {
                *end = CopyEnd::PassedOver;
            }
        }
        self.posted = Some(posted.clone());
    }

    /// Returns the word for how the ping stands at this moment: its post's answer once there is one, `superseded` if
    /// another ping took its place, `expired` if it was accepted and nobody posted it in time, else its own answer.
    pub fn status(&self, at: Moment) -> Option<&'static str> {
        let auction = self.auction.as_ref()?;
        if self.posted.is_some() || self.refused.is_some() {
            return Some(self.to_post(PingId::from_u128(auction.ping)).status());
        }
        if self.superseded_by.is_some() {
            return Some("superseded");
        }
        let accepted = !auction.winners.is_empty();
        let over = accepted && at > auction.held_until();
        Some(if over { "expired" } else { Answer::to_ping(auction).status() })
    }

    /// Answers a test: it runs the same way and stops before the buyer and the money, so whoever won took it; and a caller
    /// is transferred nowhere, but asked for all the same.
    fn to_test_post(
        &self,
        auction: &PingAnswered,
        ping: PingId,
        replaces: Option<PingId>,
    ) -> Answer {
        if !self.transfers.is_empty() {
            return Answer::Pending { ping, transfers: self.transfers.clone() };
        }
        let taken = auction.winners.iter().zip(&self.copies);
        let taken = taken.filter(|(_, copy)| !matches!(copy, CopyEnd::PassedOver | CopyEnd::Void));
        let (mut price, mut copies) = (Micros::ZERO, 0_usize);
        for (winner, _) in taken {
            let payout = auction.terms.payout(Micros::new(winner.price));
            price = price.checked_add(payout).unwrap_or(price);
            copies = copies.saturating_add(1);
        }
        match copies {
            0 if self.copies.contains(&CopyEnd::Void) => {
                Answer::Unsold { ping, reason: Refusal::AllRejected }
            }
            0 => Answer::Unsold { ping, reason: Refusal::PersonKnown },
            copies => Answer::Sold { ping, price, copies, replaces },
        }
    }

    /// Returns a live transfer that is open.
    pub fn transfer(&self, id: TransferId) -> Option<&Transfer> {
        self.transfers.iter().find(|open| open.id == id)
    }

    /// Returns the answer to a report of a test's transfer, as if it were the first.
    pub fn to_test_report(&self, id: TransferId, sold: bool) -> Answer {
        let mut story = self.clone();
        story.transfers.retain(|open| open.id != id);
        if !sold {
            story.end(id.copy, CopyEnd::Void);
        }
        story.to_post(id.ping)
    }

    /// Says whether somebody might have taken the lead whom the terms did not allow to see it any more.
    fn disclosures_spent(&self) -> bool {
        let Some(auction) = &self.auction else { return false };
        let terms = &auction.terms;
        let left =
            |bid: &BidMade| !self.asked.contains(&bid.buyer) && bid.most() >= terms.reserve.max(1);
        self.refusals.iter().any(|refusals| *refusals >= terms.disclosures_max)
            && auction.bids.iter().any(left)
    }

    /// Returns the answer to the post, as things stand now.
    pub fn to_post(&self, ping: PingId) -> Answer {
        let replaces = self.auction.as_ref().and_then(|auction| auction.replaces);
        let replaces = replaces.map(PingId::from_u128);
        if let Some(refused) = &self.refused {
            let reason = Refusal::from_code(&refused.reason).unwrap_or(Refusal::Suppressed);
            return Answer::Unsold { ping, reason };
        }
        if let Some(auction) = self.auction.as_ref().filter(|auction| auction.test) {
            return self.to_test_post(auction, ping, replaces);
        }
        let sold = self.copies.iter().filter_map(|copy| match copy {
            CopyEnd::Sold(payout) => Some(*payout),
            CopyEnd::Open | CopyEnd::Void | CopyEnd::Expired | CopyEnd::PassedOver => None,
        });
        let (mut price, mut copies) = (Micros::ZERO, 0_usize);
        for payout in sold {
            price = price.checked_add(payout).unwrap_or(price);
            copies = copies.saturating_add(1);
        }
        if self.copies.contains(&CopyEnd::Open) {
            Answer::Pending { ping, transfers: self.transfers.clone() }
        } else if copies > 0 {
            Answer::Sold { ping, price, copies, replaces }
        } else if self.copies.contains(&CopyEnd::Expired) {
            Answer::Unsold { ping, reason: Refusal::TransferExpired }
        } else if self.copies.contains(&CopyEnd::Void) {
            let reason = if self.disclosures_spent() {
                Refusal::DisclosuresSpent
            } else if self.unreached.is_empty() {
                Refusal::AllRejected
            } else {
                Refusal::Unreachable
            };
            Answer::Unsold { ping, reason }
        } else {
            Answer::Unsold { ping, reason: Refusal::PersonKnown }
        }
    }
}
