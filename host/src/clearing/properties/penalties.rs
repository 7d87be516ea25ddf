//! What must hold where refusals cost places.

use proptest::prelude::*;

use super::NAMES;
use crate::clearing::{Award, Bid, Policy, TieKey, award, ranked};
use crate::facts::PriceRule;
use crate::money::Micros;

/// One bid of each buyer: for a copy, for the lead alone, and by how much it is ranked lower.
type Offer = (i64, Option<i64>, u32);

#[derive(Clone, Debug)]
struct Market {
    policy: Policy,
    bids: Vec<Offer>,
}

impl Market {
    fn award(&self) -> Award {
        let offers = NAMES.iter().zip(&self.bids);
        let offers = offers.map(|(name, (amount, exclusive, rejects))| Bid {
            exclusive: exclusive.map(Micros::new),
            rejects: *rejects,
            ..Bid::new(name, Micros::new(*amount))
        });
        award(&self.policy, &TieKey::new(b"penalties"), &offers.collect::<Vec<Bid<'_>>>())
    }

    /// Returns what a buyer pays if it bids so much for a copy.
    fn pays(&self, buyer: usize, amount: i64) -> Option<Micros> {
        let mut other = self.clone();
        other.bids[buyer].0 = amount;
        let winners = other.award().winners;
        winners.iter().find(|won| won.bid == buyer).map(|won| won.price)
    }
}

prop_compose! {
    fn markets(alone: bool, most: u32)(
        copies in 1..=most,
        reserve in 0_i64..900,
        increment in 0_i64..20,
        bids in prop::collection::vec(
            (1_i64..2_000, prop::option::of(1_i64..5_000), prop_oneof![Just(0_u32), 0_u32..=10_000]),
            1..=NAMES.len(),
        ),
    ) -> Market {
        let policy = Policy::second_price(copies, Micros::new(reserve), Micros::new(increment));
        let bids = bids.into_iter();
        let bids = bids.map(|(own, exclusive, rejects)| (own, exclusive.filter(|_| alone), rejects));
        Market { policy, bids: bids.collect() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn nobody_pays_more_than_it_bid_or_less_than_the_reserve(
        market in prop_oneof![markets(true, 3), markets(false, 3)],
        price in prop_oneof![Just(PriceRule::Second), Just(PriceRule::First)],
    ) {
        let policy = Policy { price, ..market.policy };
        let market = Market { policy, ..market };
        let award = market.award();
        for won in &award.winners {
            let (own, alone, _) = market.bids[won.bid];
            let single = market.policy.copies == 1;
            let offered = match (award.exclusive, alone) {
                (true, Some(alone)) if single => alone.max(own),
                (true, Some(alone)) => alone,
                _ => own,
            };
            prop_assert!(won.price.get() <= offered, "{market:?} {award:?}");
            prop_assert!(won.price >= market.policy.reserve, "{market:?} {award:?}");
        }
    }

    #[test]
    fn a_winner_pays_the_least_that_still_wins(market in markets(false, 1)) {
        let award = market.award();
        prop_assume!(!award.winners.is_empty());
        let (winner, price) = (award.winners[0].bid, award.winners[0].price);
        let (reserve, increment) = (market.policy.reserve, market.policy.increment);
        if increment.is_positive() {
            // An equal bid may lose its tie; one that is better by the increment does not. Nothing is no bid.
            prop_assert_eq!(market.pays(winner, price.get().max(1)), Some(price), "{:?}", market);
        }
        if price > reserve {
            // One that is worth an increment less is worth no more than the next.
            let rejects = market.bids[winner].2;
            let best = NAMES.iter().zip(&market.bids).enumerate().filter(|(index, _)| *index != winner);
            let best = best.filter(|(_, (_, bid))| bid.0 >= reserve.get().max(1));
            let best = best.map(|(_, (_, bid))| ranked(Micros::new(bid.0), bid.2)).max().unwrap();
            let short = ranked(Micros::new(price.get() - 1), rejects);
            prop_assert!(short.get() < best.get() + increment.get(), "{market:?} {award:?}");
        }
    }

    #[test]
    fn more_refusals_never_win_a_copy(market in markets(false, 3), more in 1_u32..=10_000) {
        let award = market.award();
        for loser in 0..market.bids.len() {
            if award.winners.iter().any(|won| won.bid == loser) {
                continue;
            }
            let mut other = market.clone();
            other.bids[loser].2 = (other.bids[loser].2 + more).min(10_000);
            // At nothing, ties are by lot as ever.
            prop_assume!(ranked(Micros::new(market.bids[loser].0), market.bids[loser].2).is_positive());
            let wins = other.award().winners.iter().any(|won| won.bid == loser);
            prop_assert!(!wins, "{market:?} {loser}");
        }
    }
}
