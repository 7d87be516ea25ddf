//! Closing an auction: who can pay, who wins, and a reason for everyone else. Pure, so that a replay closes the same
//! way.

use crate::bidding::{Bid as Offered, Bids};
use crate::book::{Bar, State};
use crate::catalog::{Campaign, Place, Policy, Source, Vertical};
use crate::clearing::{Award, Bid, Outcome, TieKey, Won, award_on, offer};
use crate::clock::Moment;
use crate::facts::{BidMade, Counted, LeftOut, ModuleUsed, Terms, Winner};
use crate::ids::{Digest, PingId};
use crate::matching::left_out;
use crate::money::Micros;
use crate::reasons::Exclusion;

/// An auction's end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closed {
    pub winners: Vec<Winner>,
    pub left_out: Vec<LeftOut>,
    pub bids: Vec<BidMade>,
    pub filters: Vec<ModuleUsed>,
}

/// Closes an auction. `covers` is the book's word on caps, funds and budgets at this instant: a bid that it does not
/// cover, by the most that the buyer may have to pay, neither wins nor sets a price; `rejects` is its word on a buyer's
/// refusals. A late auction has no winners.
pub fn close(
    terms: &Terms,
    policy: &Policy,
    ping: PingId,
    bids: Bids<'_>,
    late: bool,
    covers: impl Fn(&Campaign, Micros) -> Result<Counted, Bar>,
    rejects: impl Fn(&str) -> u32,
) -> Closed {
    let Bids { bids, left_out: mut excluded, filters, .. } = bids;
    let rejects = |bid: &Offered<'_>| {
        if terms.reject_penalty { rejects(bid.campaign.buyer.id.as_str()) } else { 0 }
    };
    let made = bids.iter().map(|bid| recorded(policy, bid, rejects(bid)));
    let made: Vec<BidMade> = made.collect();
    let mut payable = Vec::with_capacity(bids.len());
    for (bid, made) in bids.iter().zip(&made) {
        let most = Micros::new(made.most());
        let lost = if late {
            Err((Exclusion::DeadlinePassed, None))
        } else if most.is_positive() {
            // A buyer pays its fees on top: never more than on its bid.
            covers(bid.campaign, terms.due(&made.buyer, most)).map_err(Bar::told)
        } else {
            Err((Exclusion::NotPositive, None))
        };
        match lost {
            Ok(counted) => payable.push((bid.campaign, made, counted)),
            Err((exclusion, detail)) => excluded.push(left_out(bid.campaign, exclusion, detail)),
        }
    }
    let offers: Vec<Bid<'_>> = payable.iter().map(|(_, made, _)| offer(made)).collect();
    let award = clear(terms, ping, &offers);
    let winner = |won: &Won| {
        let (_, made, counted) = payable.get(won.bid)?;
        let exclusive = award.exclusive;
        Some(Winner {
            campaign: made.campaign.clone(),
            buyer: made.buyer.clone(),
            bid: if exclusive { made.most() } else { made.amount },
            price: won.price.get(),
            fees: terms.fee_of(&made.buyer).on(won.price),
            exclusive,
            counted: *counted,
        })
    };
    let winners = award.winners.iter().filter_map(winner).collect();
    for ((campaign, ..), outcome) in payable.iter().zip(&award.outcomes) {
        let exclusion = match outcome {
            Outcome::Won => continue,
            Outcome::Outbid => Exclusion::Outbid,
            Outcome::Outranked => Exclusion::Outranked,
            Outcome::LowerTier => Exclusion::LowerTier,
            Outcome::BelowReserve => Exclusion::BelowReserve,
            Outcome::NotPositive => Exclusion::NotPositive,
            Outcome::OwnBetterBid => Exclusion::OwnBetterBid,
        };
        excluded.push(left_out(campaign, exclusion, None));
    }
    excluded.sort_by(|one, other| one.campaign.cmp(&other.campaign));
    Closed { winners, left_out: excluded, bids: made, filters }
}

fn recorded(policy: &Policy, bid: &Offered<'_>, rejects: u32) -> BidMade {
    let Place { tier, standing } = policy.place(bid.campaign).unwrap_or_default();
    BidMade {
        campaign: bid.campaign.id.as_str().to_owned(),
        buyer: bid.campaign.buyer.id.as_str().to_owned(),
        amount: bid.amount.get(),
        exclusive: bid.exclusive.map(Micros::get),
        tier,
        standing,
        rejects,
    }
}

/// Awards a lead on recorded terms. A hash of the ping's handle breaks ties and draws.
pub(super) fn clear(terms: &Terms, ping: PingId, offers: &[Bid<'_>]) -> Award {
    award_on(terms, &TieKey::new(ping.to_string().as_bytes()), offers)
}

/// Returns what the same lead has in common with itself, or zeros where nobody asks for duplicates.
pub fn fingerprint(vertical: &Vertical, frame: &[u64]) -> [u8; 32] {
    let asked = !vertical.duplicate_window.is_zero()
        || vertical.campaigns.iter().any(|campaign| !campaign.duplicate_window.is_zero());
    if !asked {
        return [0; 32];
    }
    let bytes: Vec<u8> = frame.iter().flat_map(|word| word.to_le_bytes()).collect();
    *Digest::of(&bytes).as_bytes()
}

/// Returns the earlier ping in which the same source offered the same lead within the vertical's window: among tests for
/// a test, else among live pings.
pub(super) fn duplicate(
    book: &State,
    vertical: &Vertical,
    source: &Source,
    (test, print): (bool, [u8; 32]),
    at: Moment,
) -> Option<PingId> {
    let window = i64::try_from(vertical.duplicate_window.as_millis()).unwrap_or(i64::MAX);
    if window == 0 {
        return None;
    }
    let since = Moment::from_unix_ms(at.unix_ms().saturating_sub(window));
    book.offered_since(source.id.as_str(), (test, print), since)
}
