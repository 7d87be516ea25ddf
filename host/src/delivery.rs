//! The back door: the full lead goes to the buyer that won it.
//!
//! A copy is sold, refused or unknown. Refused, it goes to the best of the recorded bids that are left, at the price
//! that clearing them again gives. Unknown, it stays with the buyer that may have it: an exclusive lead is never sold
//! a second time because an answer was lost.

pub mod courier;
mod end;
mod letter;
pub mod postman;
mod question;
mod resend;
mod spoken;
pub mod status;
pub mod transfer;

use crate::book::{Copy, OpenPing, Stage, State};
use crate::catalog::{Market, ModuleVersion, Upkeep};
use crate::clearing::{Bid, TieKey, award_on, offer};
use crate::clock::Moment;
use crate::facts::{
    BidMade, Charged, Counted, Delivered, Ended, Fact, ModuleUsed, Parts, StatusAsked, Terms,
    TransferReport, Winner,
};
use crate::ids::PingId;
use crate::journal::{Duty, DutyChange, DutyKey};
use crate::money::Micros;
use crate::sandbox::Forfeit;
use courier::Outcome;
use end::{End, May, certain};

pub use end::{NOT_SENT_AGAIN_MS, UNKNOWN_AGAIN_MS};
pub use question::{Question, question};
pub use resend::{Unsendable, resend};
pub use spoken::{Offer, attempt};

/// The kind of a duty to deliver, in the outbox.
pub const DELIVER: u16 = 1;

/// Why the end of an attempt is unknown that the process did not live to see.
pub const INTERRUPTED: &str = "the exchange stopped before the answer was recorded";

/// One copy of a lead on its way to one buyer.
#[derive(Clone, Debug)]
pub struct Errand {
    pub ping: PingId,
    pub copy: u32,
    pub winner: Winner,
    /// How often this buyer was asked for this copy before.
    pub attempts: u32,
}

impl Errand {
    /// The first time that this buyer is asked for this copy.
    pub fn first(ping: PingId, copy: u32, winner: Winner) -> Self {
        Self { ping, copy, winner, attempts: 0 }
    }

    /// Returns what the buyer knows the copy by: the same for every attempt for the same campaign, after a crash too.
    pub fn idempotency_key(&self) -> String {
        format!("{}-{}-{}", self.ping.lead(), self.copy, self.winner.campaign)
    }
}

/// What came of one attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub outcome: Outcome,
    /// The adapter that took part.
    pub adapter: Option<ModuleUsed>,
    /// The call of it that brought nothing.
    pub failed: Option<Failed>,
    /// What of it was said about a live transfer.
    pub transfer: Option<TransferReport>,
}

/// A call of an adapter that brought nothing.
#[derive(Clone, Debug)]
pub struct Failed {
    pub module: ModuleVersion,
    pub upkeep: Upkeep,
    pub forfeit: Forfeit,
    /// Whether it was to read the buyer's answer: then what made it fail is the buyer's words.
    pub reading: bool,
}

impl Attempt {
    /// An outcome without an adapter.
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome, adapter: None, failed: None, transfer: None }
    }
}

/// Returns what an attempt's outcome means for the copy, as a fact; `None` if the copy is settled already, or went to
/// another buyer while this one was asked. Who gets it next is asked at once, unless it `waits`.
pub fn conclude(
    state: &State,
    market: &Market,
    errand: &Errand,
    attempt: Attempt,
    waits: impl Fn(&Winner) -> bool,
    at: Moment,
) -> Option<Delivered> {
    let open = state.open_ping(errand.ping)?;
    let copy = held(open, errand)?;
    let winner = &errand.winner;
    let mut delivered = Delivered {
        ping: errand.ping.as_u128(),
        source: open.auction.source.clone(),
        copy: errand.copy,
        campaign: winner.campaign.clone(),
        buyer: winner.buyer.clone(),
        attempt: errand.attempts.saturating_add(1),
        ended: Ended::Unknown,
        detail: None,
        price: 0,
        buyer_fees: Charged::default(),
        payout: 0,
        source_fees: Charged::default(),
        again_ms: None,
        successor: None,
        in_line: false,
        adapter: attempt.adapter,
        transfer: attempt.transfer,
    };
    let outcome = certain(attempt.outcome, (copy, open.erased), errand);
    let buyer = market.buyer_named(&winner.buyer);
    let may = May {
        be_asked: buyer.is_some_and(|buyer| buyer.may_be_asked_again()),
        be_sent: buyer.is_some_and(|buyer| buyer.active),
    };
    let end = End::of(outcome, copy, (errand, may), at);
    if end.ended == Ended::Sold {
        delivered.price = winner.price;
        delivered.buyer_fees = winner.fees;
        let Parts { payout, fees, .. } = open.auction.terms.parts(Micros::new(winner.price));
        (delivered.payout, delivered.source_fees) = (payout.get(), fees);
    }
    let next = |shown| next_winner(state, market, open, (copy, shown), at);
    delivered.successor = end.passed_on.and_then(next);
    (delivered.ended, delivered.detail, delivered.again_ms) = (end.ended, end.detail, end.again_ms);
    if open.erased {
        // There is nothing left to ask anybody with.
        (delivered.again_ms, delivered.successor) = (None, None);
    }
    delivered.in_line = delivered.successor.as_ref().is_some_and(waits);
    Some(delivered)
}

/// Returns how often a buyer counts as asked after an attempt that ended so: what it says that it does not have is sent as
/// if it were the first time.
pub fn attempts_after(state: &State, ended: &Delivered) -> u32 {
    let open = state.open_ping(PingId::from_u128(ended.ping));
    let copy = open.zip(usize::try_from(ended.copy).ok());
    let copy = copy.and_then(|(open, index)| open.copies.get(index));
    if copy.is_some_and(|copy| copy.absent) { 0 } else { ended.attempt }
}

/// Says whether a winner's buyer takes one lead at a time.
pub fn takes_in_order(market: &Market, winner: &Winner) -> bool {
    market.buyer_named(&winner.buyer).is_some_and(|buyer| buyer.in_order)
}

/// Returns the copy if it is still this buyer's to take: not settled, and not passed on to another by the operator's word.
pub fn held<'p>(open: &'p OpenPing, errand: &Errand) -> Option<&'p Copy> {
    let copy = open.copies.get(usize::try_from(errand.copy).ok()?)?;
    let due = copy.stage == Stage::Held
        && open.winner(copy) == Some(&errand.winner)
        && open.posted.is_some();
    due.then_some(copy)
}

/// Returns whether the buyer may be asked now: the copy is its to take, and the lead was not erased.
pub fn may_ask(open: &OpenPing, errand: &Errand) -> bool {
    held(open, errand).is_some() && !open.erased
}

/// Returns who gets a refused copy: of the buyers that have none and refused none, and may have this person. Nobody does
/// once as many buyers were `shown` the person as the terms allow; a buyer that was not reached was shown nothing. And
/// nobody does if the copy was sent again after it was given up: its source was told that nobody has the lead.
fn next_winner(
    state: &State,
    market: &Market,
    open: &OpenPing,
    (copy, shown): (&Copy, u32),
    at: Moment,
) -> Option<Winner> {
    if copy.reopened || shown >= open.auction.terms.disclosures_max {
        return None;
    }
    let vertical = market.vertical_named(&open.auction.vertical)?;
    let person = open.posted.as_ref()?.person;
    let free = |bid: &BidMade| {
        // The person may have been sold to the buyer since the post.
        let campaign = vertical.campaign(&bid.campaign);
        let may = campaign.is_some_and(|one| state.may_have(one, &person, &[], at).is_ok());
        may && !open.taken_by(&bid.buyer) && !open.passes_over(&bid.campaign)
    };
    successor(state, market, open, free, at)
}

/// Clears the recorded bids again for one copy, among those that are `free` to have it and can pay by now. What was sold
/// to one buyer alone is sold so again, and a copy as a copy: nobody is added to those who see the person.
pub fn successor(
    state: &State,
    market: &Market,
    open: &OpenPing,
    free: impl Fn(&BidMade) -> bool,
    at: Moment,
) -> Option<Winner> {
    let auction = &open.auction;
    let vertical = market.vertical_named(&auction.vertical)?;
    let alone = auction.winners.first().is_some_and(|winner| winner.exclusive);
    let left: Vec<(BidMade, Counted)> = auction
        .bids
        .iter()
        .filter(|bid| free(bid))
        .map(|bid| BidMade { exclusive: bid.exclusive.filter(|_| alone), ..bid.clone() })
        .filter_map(|bid| {
            let campaign = vertical.campaign(&bid.campaign)?;
            let most = Some(Micros::new(bid.most())).filter(|most| most.is_positive())?;
            let due = auction.terms.due(&bid.buyer, most);
            let covered = state.covers(campaign, auction.fingerprint, due, at).ok()?;
            (campaign.active && campaign.buyer.active).then_some((bid, covered))
        })
        .collect();
    let bids: Vec<Bid<'_>> = left.iter().map(|(bid, _)| offer(bid)).collect();
    let terms = Terms { copies: 1, ..auction.terms.clone() };
    let ping = PingId::from_u128(auction.ping);
    let cleared = award_on(&terms, &TieKey::new(ping.to_string().as_bytes()), &bids);
    let won = cleared.winners.first()?;
    let (bid, counted) = left.get(won.bid)?;
    Some(Winner {
        campaign: bid.campaign.clone(),
        buyer: bid.buyer.clone(),
        bid: bid.most(),
        price: won.price.get(),
        fees: auction.terms.fee_of(&bid.buyer).on(won.price),
        exclusive: alone,
        counted: *counted,
    })
}

/// Returns how a fact changes the outbox. The fact is applied to the book already.
pub fn duties(fact: &Fact, at: Moment, state: &State) -> Vec<DutyChange> {
    match fact {
        Fact::Posted(posted) => {
            let open = state.open_ping(PingId::from_u128(posted.ping));
            let held = open.into_iter().flat_map(OpenPing::held);
            held.map(|(copy, _)| DutyChange::Add(duty(posted.ping, copy, at))).collect()
        }
        Fact::Delivered(delivered) => {
            let key = DutyKey { subject: delivered.ping, step: delivered.copy };
            let attempts = attempts_after(state, delivered);
            let again = delivered.again_ms.map(|again| (again, attempts));
            // A duty is done and added anew rather than changed, because an operator's word may come when none is due.
            match again.or(delivered.successor.is_some().then_some((at.unix_ms(), 0))) {
                None => vec![DutyChange::Done(key)],
                Some((due, attempts)) => {
                    let due = Moment::from_unix_ms(due);
                    let duty = Duty { due, attempts, ..duty(delivered.ping, delivered.copy, at) };
                    vec![DutyChange::Done(key), DutyChange::Add(duty)]
                }
            }
        }
        // Nobody waits for the report of a test.
        Fact::TransferOffered(offered)
            if state.open_ping(PingId::from_u128(offered.ping)).is_none() =>
        {
            Vec::new()
        }
        Fact::TransferOffered(offered) => {
            let key = DutyKey { subject: offered.ping, step: offered.copy };
            let due = Moment::from_unix_ms(offered.expires_ms);
            vec![DutyChange::Done(key), DutyChange::Add(duty(offered.ping, offered.copy, due))]
        }
        Fact::ShipmentResent(resent) => {
            let attempts = resent.attempts;
            vec![DutyChange::Add(Duty { attempts, ..duty(resent.ping, resent.copy, at) })]
        }
        Fact::AskedAgain(again) | Fact::StatusAsked(StatusAsked(again)) => {
            let attempts = again.attempt.saturating_sub(1);
            vec![DutyChange::Add(Duty { attempts, ..duty(again.ping, again.copy, at) })]
        }
        // Nothing is sent of a lead that was erased.
        Fact::ContactErased(erased) => {
            let open = state.open_ping(PingId::from_u128(erased.ping));
            // What is under way keeps its duty: after a crash the end of an attempt is to be recorded as unknown, and a
            // transfer waits for its report.
            let left = open.into_iter().flat_map(|open| (0_u32..).zip(&open.copies));
            let left = left.filter(|(_, copy)| !copy.asked && copy.transfer.is_none());
            let left = left.map(|(index, _)| index);
            let all: std::collections::BTreeSet<u32> =
                erased.voided.iter().copied().chain(left).collect();
            let done = |step| DutyChange::Done(DutyKey { subject: erased.ping, step });
            all.into_iter().map(done).collect()
        }
        Fact::Saved(_)
        | Fact::ContactsSwept(_)
        | Fact::MasterKeyRotated(_)
        | Fact::ModuleUploaded(_)
        | Fact::ModuleStepped(_)
        | Fact::Deposited(_)
        | Fact::PingAnswered(_)
        | Fact::SubmissionRefused(_)
        | Fact::Transferred(_)
        | Fact::ReturnRequested(_)
        | Fact::ReturnDecided(_)
        | Fact::CallMade(_)
        | Fact::CallAnswered(_)
        | Fact::PostRefused(_)
        | Fact::Superseded(_)
        | Fact::SuppressionsAdded(_)
        | Fact::SuppressionsRemoved(_)
        | Fact::KeyAdopted(_)
        | Fact::PostbackTried(_)
        | Fact::PostbackResent(_)
        | Fact::Expired(_) => Vec::new(),
    }
}

fn duty(subject: u128, step: u32, due: Moment) -> Duty {
    Duty { key: DutyKey { subject, step }, kind: DELIVER, due, attempts: 0, payload: Vec::new() }
}
