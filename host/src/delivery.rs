//! The back door: the full lead goes to the buyer that won it.
//!
//! A copy is sold, refused or unknown. Refused, it goes to the best of the recorded bids that are left, at the price
//! that clearing them again gives. Unknown, it stays with the buyer that may have it: an exclusive lead is never sold
//! a second time because an answer was lost.

pub mod courier;
mod letter;
pub mod postman;
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
use crate::ids::{Digest, PingId};
use crate::journal::{Duty, DutyChange, DutyKey};
use crate::money::Micros;
use crate::sandbox::Forfeit;
use courier::{Outcome, Refuser};

pub use resend::{Unsendable, resend};
pub use spoken::{Offer, attempt};

/// The kind of a duty to deliver, in the outbox.
pub const DELIVER: u16 = 1;

/// How long after each attempt that certainly failed the same buyer is tried again; after the last it is given up and
/// the copy goes to the next bidder.
pub const NOT_SENT_AGAIN_MS: [i64; 5] = [200, 1_000, 3_000, 10_000, 30_000];

/// How long after each attempt of unknown end a buyer is asked again that promised idempotency or has a status page. After
/// the last the operator decides; any other buyer is never asked again.
pub const UNKNOWN_AGAIN_MS: [i64; 6] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];

/// By how much of itself a pause may be longer: 1 part in 4.
const JITTER_PARTS: i64 = 4;

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
    let again = |schedule: &[i64], at_least| {
        Some(at.unix_ms().saturating_add(pause(errand, schedule, at_least)?))
    };
    match certain(attempt.outcome, (copy, open.erased), errand) {
        Outcome::Sold { reference } => {
            delivered.ended = Ended::Sold;
            delivered.detail = reference;
            delivered.price = winner.price;
            delivered.buyer_fees = winner.fees;
            let Parts { payout, fees, .. } = open.auction.terms.parts(Micros::new(winner.price));
            (delivered.payout, delivered.source_fees) = (payout.get(), fees);
        }
        Outcome::Rejected { reason, .. } | Outcome::Duplicate { reason } => {
            delivered.ended = Ended::Rejected;
            delivered.detail = Some(reason);
            let shown = copy.refusals.saturating_add(1);
            delivered.successor = next_winner(state, market, open, (copy, shown), at);
        }
        Outcome::NotSent { why, retry_after } => {
            let asked = retry_after.and_then(|pause| i64::try_from(pause.as_millis()).ok());
            delivered.ended = Ended::NotSent;
            delivered.detail = Some(why);
            delivered.again_ms = again(&NOT_SENT_AGAIN_MS, asked.unwrap_or(0));
            if delivered.again_ms.is_none() {
                let shown = (copy, copy.refusals);
                delivered.successor = next_winner(state, market, open, shown, at);
            }
        }
        Outcome::Expired { why } => {
            delivered.ended = Ended::Expired;
            delivered.detail = Some(why);
        }
        Outcome::Unknown { why } => {
            let may =
                market.buyer_named(&winner.buyer).is_some_and(|buyer| buyer.may_be_asked_again());
            delivered.detail = Some(why);
            delivered.again_ms = again(&UNKNOWN_AGAIN_MS, 0).filter(|_| may);
        }
    }
    if open.erased {
        // There is nothing left to ask anybody with.
        (delivered.again_ms, delivered.successor) = (None, None);
    }
    delivered.in_line = delivered.successor.as_ref().is_some_and(waits);
    Some(delivered)
}

/// Returns how long after an attempt the next one follows, at least after what the buyer asked for; nothing if that was the
/// last. Up to a quarter is added by lot, so that what failed together does not come back together.
fn pause(errand: &Errand, schedule: &[i64], at_least: i64) -> Option<i64> {
    let attempts = errand.attempts;
    let pause = *schedule.get(usize::try_from(attempts).ok()?)?.max(&at_least);
    let lot = Digest::of(format!("{} {} {attempts}", errand.ping, errand.copy).as_bytes());
    let drawn = lot.as_bytes().first_chunk().map_or(0, |drawn| u16::from_be_bytes(*drawn));
    let jitter = (pause / JITTER_PARTS).saturating_mul(drawn.into()) / i64::from(u16::MAX);
    Some(pause.saturating_add(jitter))
}

/// Says whether a winner's buyer takes one lead at a time.
pub fn takes_in_order(market: &Market, winner: &Winner) -> bool {
    market.buyer_named(&winner.buyer).is_some_and(|buyer| buyer.in_order)
}

/// Once a buyer may have the lead, only its own no is one: "I have this person already", "not reached" and what somebody
/// says at its door prove nothing any more.
fn certain(outcome: Outcome, (copy, erased): (&Copy, bool), errand: &Errand) -> Outcome {
    let last = erased
        || usize::try_from(errand.attempts).is_ok_and(|done| done >= NOT_SENT_AGAIN_MS.len());
    match outcome {
        Outcome::Duplicate { reason } | Outcome::Rejected { reason, by: Refuser::Door }
            if copy.uncertain =>
        {
            Outcome::Unknown { why: reason }
        }
        Outcome::NotSent { why, .. } if copy.uncertain && last => Outcome::Unknown { why },
        other => other,
    }
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
            let again = delivered.again_ms.map(|again| (again, delivered.attempt));
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
            // An attempt under way keeps its duty: after a crash its end is to be recorded as unknown.
            let left = open.into_iter().flat_map(|open| (0_u32..).zip(&open.copies));
            let left = left.filter(|(_, copy)| !copy.asked).map(|(index, _)| index);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_together_comes_back_apart_and_the_same_on_every_replay() {
        let winner = Winner {
            campaign: "alfa".to_owned(),
            buyer: "alfa".to_owned(),
            bid: 0,
            price: 0,
            fees: Charged::default(),
            exclusive: false,
            counted: Counted::default(),
        };
        let errand = |ping| Errand::first(PingId::from_u128(ping), 0, winner.clone());
        let all: Vec<i64> =
            (0..100).map(|ping| pause(&errand(ping), &NOT_SENT_AGAIN_MS, 0).unwrap()).collect();
        assert!(all.iter().all(|pause| (200..=250).contains(pause)), "{all:?}");
        let apart: std::collections::BTreeSet<i64> = all.iter().copied().collect();
        assert!(apart.len() > 30, "{apart:?}");
        assert_eq!(pause(&errand(7), &NOT_SENT_AGAIN_MS, 0), Some(all[7]));
        let asked = pause(&errand(7), &NOT_SENT_AGAIN_MS, 60_000).unwrap();
        assert!((60_000..=75_000).contains(&asked), "{asked}");
        let last = Errand { attempts: 5, ..errand(7) };
        assert_eq!(pause(&last, &NOT_SENT_AGAIN_MS, 60_000), None);
    }
}
