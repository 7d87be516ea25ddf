//! The ping tree: tiers are asked one after another, and a lower one only for the copies that no higher one took.
//!
//! Each tier is an auction of its own, with its own ranking and price rule. What is bid in another tier sets no price:
//! a lower tier is not asked while a higher one sells, and a buyer that has a copy is not asked again.

use super::{Award, Bid, Outcome, Policy, TieKey, Won, award};
use crate::facts::{BidMade, Terms, Tier};
use crate::money::Micros;

/// Returns a recorded bid as the auction takes it.
pub fn offer(made: &BidMade) -> Bid<'_> {
    Bid {
        bidder: &made.buyer,
        amount: Micros::new(made.amount),
        exclusive: made.exclusive.map(Micros::new),
        tier: made.tier,
        standing: made.standing,
        rejects: made.rejects,
    }
}

/// Awards the lead on recorded terms. A lead that went to one buyer alone goes to no lower tier, and one of which a
/// copy is sold is not sold alone any more.
pub fn award_on(terms: &Terms, tie: &TieKey, bids: &[Bid<'_>]) -> Award {
    if let [tier] = terms.tiers.as_slice() {
        return award(&policy(terms, tier, terms.copies), tie, bids);
    }
    let mut whole = Award { outcomes: vec![Outcome::LowerTier; bids.len()], ..Award::default() };
    for (number, tier) in (0_u32..).zip(&terms.tiers) {
        let sold = u32::try_from(whole.winners.len()).unwrap_or(u32::MAX);
        let left = terms.copies.saturating_sub(sold);
        if left == 0 || whole.exclusive {
            break;
        }
        let bought = |bid: &Bid<'_>| {
            whole
                .winners
                .iter()
                .any(|won| bids.get(won.bid).is_some_and(|has| has.bidder == bid.bidder))
        };
        let members = bids.iter().enumerate().filter(|(_, bid)| bid.tier == number);
        let (again, asked): (Vec<_>, Vec<_>) = members.partition(|(_, bid)| bought(bid));
        again.iter().for_each(|(index, _)| mark(&mut whole, *index, Outcome::OwnBetterBid));
        let offers: Vec<Bid<'_>> = asked
            .iter()
            .map(|(_, bid)| Bid { exclusive: bid.exclusive.filter(|_| sold == 0), ..**bid })
            .collect();
        let found = award(&policy(terms, tier, left), tie, &offers);
        for ((index, _), outcome) in asked.iter().zip(&found.outcomes) {
            mark(&mut whole, *index, *outcome);
        }
        let place = |won: &Won| Some(Won { bid: asked.get(won.bid)?.0, ..*won });
        whole.winners.extend(found.winners.iter().filter_map(place));
        whole.exclusive = found.exclusive && sold == 0;
    }
    whole
}

fn policy(terms: &Terms, tier: &Tier, copies: u32) -> Policy {
    Policy {
        copies,
        reserve: Micros::new(tier.reserve),
        increment: Micros::new(terms.increment),
        price: tier.price,
        ranking: tier.ranking,
    }
}

fn mark(award: &mut Award, index: usize, outcome: Outcome) {
    if let Some(place) = award.outcomes.get_mut(index) {
        *place = outcome;
    }
}
