//! What must hold where some bid for the lead alone and others for its copies.

use proptest::prelude::*;

use super::{Market, NAMES, markets_of, won};
use crate::clearing::Award;
use crate::facts::{PriceRule, Ranking};
use crate::money::Micros;

/// Markets at the second price where some bid for the lead alone, and others for its copies.
fn sided() -> impl Strategy<Value = Market> {
    markets_of(true).prop_map(|mut market| {
        (market.policy.price, market.policy.ranking) = (PriceRule::Second, Ranking::Bid);
        market.policy.copies += 1;
        market
    })
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 20_000, failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    /// Of all ways to sell the lead that is made whose bids sum to most: tried one by one, every set of buyers with a copy
    /// each and every buyer alone.
    #[test]
    fn the_lead_goes_where_most_is_bid(market in sided()) {
        let best = |buyer: usize, alone: bool| {
            let own = market.bids.iter().filter(|bid| bid.0 == buyer);
            let own = own.map(|bid| if alone { bid.2.unwrap_or_default() } else { bid.1 });
            own.filter(|bid| *bid > 0 && *bid >= market.policy.reserve.get()).max()
        };
        let alone = (0..NAMES.len()).filter_map(|buyer| best(buyer, true));
        let sets = (0_u32..1 << NAMES.len()).filter(|set| set.count_ones() <= market.policy.copies);
        let together = sets.filter_map(|set| {
            (0..NAMES.len()).filter(|buyer| set >> buyer & 1 == 1).map(|buyer| best(buyer, false)).sum::<Option<i64>>()
        });
        let most = alone.chain(together).max().unwrap_or(0);
        let award = market.award();
        let bid: i64 = award.winners.iter().map(|won| market.offered(&award, won.bid).get()).sum();
        prop_assert_eq!(bid, most);
    }

    /// The outcome is in the core: no loser, and no winner for something else, offered more than was paid.
    #[test]
    fn nobody_can_say_that_the_lead_was_sold_below_what_it_bid(market in sided()) {
        let (award, result) = (market.award(), market.result());
        let total = market.total();
        let own = |buyer: usize| {
            let bid = award.winners.iter().find(|won| market.bids[won.bid].0 == buyer);
            bid.map_or(0, |won| market.offered(&award, won.bid).get() - won.price.get())
        };
        for &(buyer, _, exclusive, _) in &market.bids {
            let alone = exclusive.unwrap_or_default();
            if alone >= market.policy.reserve.get() && !(award.exclusive && won(&result, buyer).is_some()) {
                // What the buyer would pay for the lead alone if that left it as well off as it is.
                prop_assert!(alone - own(buyer) <= total, "{buyer} {alone} {total} {award:?}");
            }
        }
        if award.exclusive {
            let winner = result[0].0;
            let rest = Market { bids: market.bids.iter().map(|bid| (bid.0, bid.1, None, 0)).collect(), ..market.without(winner) };
            let rest = rest.without(winner);
            let copies: i64 = rest.award().winners.iter().map(|won| rest.bids[won.bid].1).sum();
            prop_assert!(copies <= total, "{copies} {total}");
        }
    }

    /// Who wins the lead alone pays what its winning displaces, whatever it bids itself, and cannot gain by bidding
    /// otherwise.
    #[test]
    fn who_wants_the_lead_alone_gains_nothing_by_bidding_otherwise(market in sided(), value in 0_i64..72, other in 0_i64..72) {
        let mut rest = market.without(0);
        // An increment is a step that a bid must take; within it a lower bid pays less.
        rest.policy.increment = Micros::ZERO;
        let gain = |bid: i64| {
            let market = rest.with((0, 0, Some(bid), 0));
            won(&market.result(), 0).map_or(0, |price| value - price.get())
        };
        prop_assert!(gain(other) <= gain(value));
    }

    /// What a buyer bids for one side is no rival of what it bids for the other.
    #[test]
    fn own_bids_for_the_other_side_never_price(market in sided(), pick in any::<prop::sample::Index>(), more in 0_i64..72) {
        let award = market.award();
        prop_assume!(!award.winners.is_empty());
        let bid = award.winners[pick.index(award.winners.len())].bid;
        let buyer = market.bids[bid].0;
        let before = won(&market.result(), buyer).unwrap();
        let other = if award.exclusive { (buyer, more, None, 0) } else { (buyer, 0, Some(more), 0) };
        let changed = market.with(other);
        let after = changed.award();
        // As long as it still wins the same thing.
        let same = after.exclusive == award.exclusive;
        if let Some(price) = won(&changed.result(), buyer).filter(|_| same) {
            let kept = |market: &Market, award: &Award| {
                let mut winners: Vec<usize> = award.winners.iter().map(|won| market.bids[won.bid].0).collect();
                winners.sort_unstable();
                winners
            };
            if kept(&market, &award) == kept(&changed, &after) {
                prop_assert_eq!(price, before);
            }
        }
    }
}
