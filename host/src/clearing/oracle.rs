//! The same auction by brute force, and random markets to compare the two on.
//!
//! It compares every bid with every other, sorts nothing and shares no code with the auction.

use super::{Award, Bid, Outcome, Policy, TieKey, award};
use crate::ids::Digest;
use crate::money::Micros;

/// How many random markets a normal run compares; the variable asks for more.
const MARKETS: u64 = 100_000;
const MARKETS_VARIABLE: &str = "GAVEL_CLEARING_MARKETS";

struct Slow<'b> {
    policy: Policy,
    bids: &'b [Bid<'b>],
    digests: Vec<Digest>,
}

impl Slow<'_> {
    fn eligible(&self, index: usize) -> bool {
        let amount = self.bids[index].amount;
        amount > Micros::ZERO && amount >= self.policy.reserve
    }

    fn same_buyer(&self, one: usize, other: usize) -> bool {
        self.bids[one].bidder == self.bids[other].bidder
    }

    fn beats(&self, one: usize, other: usize) -> bool {
        let (a, b) = (self.bids[one].amount, self.bids[other].amount);
        if a != b {
            return a > b;
        }
        if self.same_buyer(one, other) {
            one < other
        } else {
            self.digests[one] < self.digests[other]
        }
    }

    fn counts(&self, index: usize) -> bool {
        let better = |other| {
            self.same_buyer(index, other) && self.eligible(other) && self.beats(other, index)
        };
        self.eligible(index) && !(0..self.bids.len()).any(better)
    }

    fn award(&self) -> Award {
        let all = 0..self.bids.len();
        let counting: Vec<usize> = all.clone().filter(|&index| self.counts(index)).collect();
        let place =
            |index: usize| counting.iter().filter(|&&other| self.beats(other, index)).count();
        let at = |wanted: usize| counting.iter().copied().find(|&index| place(index) == wanted);
        let copies = usize::try_from(self.policy.copies).unwrap();
        let winners: Vec<usize> =
            (0..copies.min(counting.len())).map(|wanted| at(wanted).unwrap()).collect();
        let next = at(copies).filter(|_| !winners.is_empty());
        let lowest = winners.iter().map(|&winner| self.bids[winner].amount.get()).min();
        let price = lowest.map(|lowest| {
            let rival = next.map_or(0, |next| {
                i128::from(self.bids[next].amount.get()) + i128::from(self.policy.increment.get())
            });
            let asked = rival.max(i128::from(self.policy.reserve.get()));
            Micros::new(i64::try_from(asked.min(i128::from(lowest))).unwrap())
        });
        let outcome = |index: usize| match () {
            () if winners.contains(&index) => Outcome::Won,
            () if self.bids[index].amount <= Micros::ZERO => Outcome::NotPositive,
            () if !self.eligible(index) => Outcome::BelowReserve,
            () if !counting.contains(&index) => Outcome::OwnBetterBid,
            () => Outcome::Outbid,
        };
        Award { price, price_set_by: next, outcomes: all.map(outcome).collect(), winners }
    }
}

/// SplitMix64: the same markets in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % limit
    }

    /// An amount near a few round ones, so that ties are common; now and then the largest possible.
    fn amount(&mut self, spread: u64) -> Micros {
        match self.below(200) {
            0 => Micros::new(i64::MAX),
            1 => Micros::new(-1),
            _ => Micros::new(i64::try_from(self.below(spread)).unwrap()),
        }
    }
}

#[test]
fn the_auction_agrees_with_brute_force() {
    let names: Vec<String> = (0..64).map(|buyer| format!("buyer-{buyer}")).collect();
    let asked = std::env::var(MARKETS_VARIABLE).ok().map(|text| text.parse().unwrap());
    let mut dice = Dice(7);
    let (mut ties, mut sold) = (0, 0);
    for market in 0..asked.unwrap_or(MARKETS) {
        let buyers = 1 + dice.below(64);
        let spread = [2, 6, 30, 1_000_000][usize::try_from(dice.below(4)).unwrap()];
        let bids: Vec<Bid<'_>> = (0..dice.below(65))
            .map(|_| {
                let bidder = &names[usize::try_from(dice.below(buyers)).unwrap()];
                Bid { bidder, amount: dice.amount(spread) }
            })
            .collect();
        let policy = Policy {
            copies: u32::try_from(dice.below(8)).unwrap(),
            reserve: Micros::new(i64::try_from(dice.below(spread)).unwrap()),
            increment: Micros::new(i64::try_from(dice.below(3)).unwrap()),
        };
        let key = market.to_le_bytes();
        let secret = *Digest::of(&key).as_bytes();
        let digest = |bid: &Bid<'_>| Digest::of(&[&secret, bid.bidder.as_bytes()].concat());
        let slow = Slow { policy, bids: &bids, digests: bids.iter().map(digest).collect() };
        let quick = award(&policy, &TieKey::new(&key), &bids);
        assert_eq!(quick, slow.award(), "market {market}: {policy:?} {bids:?}");
        let lowest = quick.winners.last().map(|&winner| bids[winner].amount);
        ties +=
            usize::from(quick.price_set_by.is_some_and(|next| Some(bids[next].amount) == lowest));
        sold += usize::from(quick.price.is_some());
    }
    assert!(
        ties * 5 > sold && sold > 0,
        "{ties} ties at the margin in {sold} sales are too few to mean much"
    );
}
