//! The same auctions by brute force, and random markets to compare the two on.
//!
//! It compares every bid with every other, sorts nothing, finds a level by halving an interval, and shares no code with
//! the auction.

use super::{Award, Bid, Outcome, Policy, TieKey, Won, award};
use crate::facts::{PriceRule, Ranking};
use crate::ids::Digest;
use crate::money::Micros;

/// How many random markets a normal run compares; the variable asks for more.
const MARKETS: u64 = 100_000;
const MARKETS_VARIABLE: &str = "GAVEL_CLEARING_MARKETS";

/// What is offered for: a copy, or the lead alone.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Copy,
    Alone,
}

struct Slow<'b> {
    policy: Policy,
    bids: &'b [Bid<'b>],
    digests: Vec<Digest>,
    key: [u8; 32],
}

impl Slow<'_> {
    fn copies(&self) -> usize {
        usize::try_from(self.policy.copies).unwrap()
    }

    fn amount(&self, what: For, index: usize) -> i128 {
        let bid = &self.bids[index];
        let exclusive = bid.exclusive.unwrap_or_default();
        let amount = match what {
            For::Alone => exclusive,
            For::Copy if self.policy.copies == 1 => exclusive.max(bid.amount),
            For::Copy => bid.amount,
        };
        i128::from(amount.get())
    }

    fn eligible(&self, what: For, index: usize) -> bool {
        let reserve = i128::from(self.policy.reserve.get());
        let amount = self.amount(what, index);
        let fixed = match self.policy.price {
            PriceRule::Fixed(price) => reserve <= price.into() && amount >= price.into(),
            PriceRule::Second | PriceRule::First => true,
        };
        amount > 0 && amount >= reserve && fixed
    }

    fn same_buyer(&self, one: usize, other: usize) -> bool {
        self.bids[one].bidder == self.bids[other].bidder
    }

    fn beats(&self, what: For, one: usize, other: usize) -> bool {
        let (a, b) = (self.amount(what, one), self.amount(what, other));
        let place = |index: usize| self.bids[index].standing;
        if self.policy.ranking == Ranking::Order && place(one) != place(other) {
            return place(one) < place(other);
        }
        let by_bid = self.policy.ranking == Ranking::Bid || self.same_buyer(one, other);
        if by_bid && a != b {
            return a > b;
        }
        if self.same_buyer(one, other) {
            (place(other), one) < (place(one), other)
        } else {
            self.digests[one] < self.digests[other]
        }
    }

    fn counts(&self, what: For, index: usize) -> bool {
        let better = |other| {
            self.same_buyer(index, other)
                && self.eligible(what, other)
                && self.beats(what, other, index)
        };
        self.eligible(what, index) && !(0..self.bids.len()).any(better)
    }

    /// The bids that count, the first in rank first.
    fn ranked(&self, what: For) -> Vec<usize> {
        let counting: Vec<usize> =
            (0..self.bids.len()).filter(|&index| self.counts(what, index)).collect();
        if self.policy.ranking == Ranking::Weighted {
            return self.drawn(counting);
        }
        let place =
            |index: usize| counting.iter().filter(|&&other| self.beats(what, other, index)).count();
        (0..counting.len())
            .map(|wanted| counting.iter().copied().find(|&index| place(index) == wanted).unwrap())
            .collect()
    }

    /// Draws by laying one ticket after another on a row, in the order of names.
    fn drawn(&self, mut left: Vec<usize>) -> Vec<usize> {
        let mut drawn = Vec::new();
        while !left.is_empty() {
            let mut names: Vec<&str> = left.iter().map(|&index| self.bids[index].bidder).collect();
            names.sort_unstable();
            let hashed: Vec<u8> =
                names.iter().flat_map(|name| [&[0], name.as_bytes()].concat()).collect();
            let hash = Digest::of(&[&self.key, b"draw".as_slice(), &hashed].concat());
            let number = u128::from_be_bytes(hash.as_bytes()[..16].try_into().unwrap());
            let tickets: Vec<&str> = names
                .iter()
                .flat_map(|name| {
                    let index = left.iter().find(|&&index| self.bids[index].bidder == *name);
                    let weight = self.bids[*index.unwrap()].standing.max(1);
                    (0..weight).map(move |_| *name)
                })
                .collect();
            let ticket = usize::try_from(number % u128::try_from(tickets.len()).unwrap()).unwrap();
            let winner = left.iter().position(|&index| self.bids[index].bidder == tickets[ticket]);
            drawn.push(left.remove(winner.unwrap()));
        }
        drawn
    }

    fn worth(&self, what: For, side: &[usize]) -> i128 {
        let each = |&index: &usize| match self.policy.price {
            PriceRule::Fixed(price) => price.into(),
            PriceRule::Second | PriceRule::First => self.amount(what, index),
        };
        side.iter().map(each).sum()
    }

    /// What beats this, no more than the winner bid.
    fn beating(&self, rival: i128, own: i128) -> i128 {
        let asked = if rival > 0 { rival + i128::from(self.policy.increment.get()) } else { 0 };
        asked.max(self.policy.reserve.get().into()).min(own)
    }

    /// The lowest level at which these pay so much, by halving.
    fn level(&self, payers: &[usize], due: i128) -> i128 {
        let paid = |level: i128| -> i128 {
            payers.iter().map(|&payer| self.amount(For::Copy, payer).min(level)).sum()
        };
        let highest = payers.iter().map(|&payer| self.amount(For::Copy, payer)).max().unwrap_or(0);
        let (mut low, mut high) = (0, highest);
        while low < high {
            let middle = (low + high) / 2;
            if paid(middle) >= due {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn price_together(
        &self,
        winner: usize,
        winners: &[usize],
        rest: &[usize],
        alone: &[usize],
    ) -> i128 {
        let own = |index: usize| self.amount(For::Copy, index);
        let next = if self.policy.ranking == Ranking::Bid { rest.first() } else { None };
        let lowest = winners.iter().map(|&index| own(index)).min().unwrap();
        let mut price = self.beating(next.map_or(0, |&next| own(next)), lowest);
        for &rival in alone.iter().filter(|&&rival| !self.same_buyer(rival, winner)) {
            let payers: Vec<usize> =
                winners.iter().copied().filter(|&payer| !self.same_buyer(payer, rival)).collect();
            let copy = winners.iter().find(|&&index| self.same_buyer(index, rival));
            let offered = self.amount(For::Alone, rival) - copy.map_or(0, |&copy| own(copy));
            if offered > 0 {
                let due = offered + i128::from(self.policy.increment.get());
                price = price.max(self.level(&payers, due));
            }
        }
        price.min(own(winner))
    }

    fn price_alone(&self, winner: usize, alone: &[usize], copies: &[usize]) -> i128 {
        let next = alone.get(1).map_or(0, |&next| self.amount(For::Alone, next));
        let others = copies.iter().filter(|&&other| !self.same_buyer(other, winner));
        let together = others.take(self.copies()).map(|&other| self.amount(For::Copy, other)).sum();
        self.beating(next.max(together), self.amount(For::Alone, winner))
    }

    fn award(&self) -> Award {
        let copies = self.ranked(For::Copy);
        let sides = self.policy.ranking == Ranking::Bid && self.policy.copies > 1;
        let alone = if sides { self.ranked(For::Alone) } else { Vec::new() };
        let (winners, rest) = copies.split_at(self.copies().min(copies.len()));
        let exclusive = !alone.is_empty()
            && self.worth(For::Alone, &alone[..1]) >= self.worth(For::Copy, winners);
        let won = if exclusive { &alone[..1] } else { winners };
        let price = |winner: usize| match self.policy.price {
            PriceRule::Fixed(price) => price.into(),
            PriceRule::First if exclusive => self.amount(For::Alone, winner),
            PriceRule::First => self.amount(For::Copy, winner),
            PriceRule::Second if exclusive => self.price_alone(winner, &alone, &copies),
            PriceRule::Second => self.price_together(winner, winners, rest, &alone),
        };
        let counted = |index: usize| copies.contains(&index) || alone.contains(&index);
        let outcome = |index: usize| match () {
            () if won.contains(&index) => Outcome::Won,
            () if counted(index) && self.policy.ranking == Ranking::Bid => Outcome::Outbid,
            () if counted(index) => Outcome::Outranked,
            () if self.amount(For::Copy, index) <= 0
                && !(sides && self.amount(For::Alone, index) > 0) =>
            {
                Outcome::NotPositive
            }
            () if self.eligible(For::Copy, index) || sides && self.eligible(For::Alone, index) => {
                Outcome::OwnBetterBid
            }
            () => Outcome::BelowReserve,
        };
        Award {
            winners: won
                .iter()
                .map(|&bid| Won { bid, price: Micros::new(price(bid).try_into().unwrap()) })
                .collect(),
            exclusive: exclusive || self.policy.copies == 1 && !won.is_empty(),
            outcomes: (0..self.bids.len()).map(outcome).collect(),
        }
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

    fn small(&mut self, limit: u64) -> i64 {
        i64::try_from(self.below(limit)).unwrap()
    }

    /// An amount near a few round ones, so that ties are common; now and then the largest possible.
    fn amount(&mut self, spread: u64) -> Micros {
        match self.below(200) {
            0 => Micros::new(i64::MAX),
            1 => Micros::new(-1),
            _ => Micros::new(self.small(spread)),
        }
    }

    /// In half of the markets that sell copies some bid for the lead alone, up to several times as much.
    fn exclusive(&mut self, sides: bool, spread: u64) -> Option<Micros> {
        (sides && self.below(3) == 0).then(|| self.amount(spread * 4))
    }

    fn policy(&mut self, spread: u64) -> Policy {
        let ranking = [Ranking::Bid, Ranking::Bid, Ranking::Order, Ranking::Weighted];
        let price = match self.below(5) {
            0 => PriceRule::First,
            1 => PriceRule::Fixed(self.small(spread)),
            _ => PriceRule::Second,
        };
        Policy {
            copies: u32::try_from(self.below(8)).unwrap(),
            reserve: Micros::new(self.small(spread)),
            increment: Micros::new(self.small(3)),
            price,
            ranking: ranking[usize::try_from(self.below(4)).unwrap()],
        }
    }
}

#[test]
fn the_auction_agrees_with_brute_force() {
    let names: Vec<String> = (0..64).map(|buyer| format!("buyer-{buyer}")).collect();
    let asked = std::env::var(MARKETS_VARIABLE).ok().map(|text| text.parse().unwrap());
    let mut dice = Dice(7);
    let (mut ties, mut sold, mut alone, mut leveled) = (0, 0, 0, 0);
    let markets = asked.unwrap_or(MARKETS);
    for market in 0..markets {
        let buyers = 1 + dice.below(64);
        let spread = [2, 6, 30, 1_000_000][usize::try_from(dice.below(4)).unwrap()];
        let (policy, sides) = (dice.policy(spread), dice.below(2) == 0);
        let weight = if policy.ranking == Ranking::Bid { 1 } else { 7 };
        let bids: Vec<Bid<'_>> = (0..dice.below(65))
            .map(|_| Bid {
                bidder: &names[usize::try_from(dice.below(buyers)).unwrap()],
                amount: dice.amount(spread),
                exclusive: dice.exclusive(sides, spread),
                tier: 0,
                standing: u32::try_from(dice.below(weight)).unwrap(),
                rejects: 0,
            })
            .collect();
        let bytes = market.to_le_bytes();
        let key = *Digest::of(&bytes).as_bytes();
        let digest = |bid: &Bid<'_>| Digest::of(&[&key, bid.bidder.as_bytes()].concat());
        let slow = Slow { policy, bids: &bids, digests: bids.iter().map(digest).collect(), key };
        let quick = award(&policy, &TieKey::new(&bytes), &bids);
        assert_eq!(quick, slow.award(), "market {market}: {policy:?} {bids:?}");
        let tied = |won: &Won| {
            let same = |(other, bid): (usize, &Bid<'_>)| {
                bid.amount == bids[won.bid].amount && quick.outcomes[other] == Outcome::Outbid
            };
            bids.iter().enumerate().any(same)
        };
        ties += usize::from(quick.winners.last().is_some_and(tied));
        sold += usize::from(!quick.winners.is_empty());
        alone += usize::from(quick.exclusive && policy.copies > 1);
        let prices = quick.winners.iter().map(|won| won.price);
        leveled +=
            usize::from(policy.price == PriceRule::Second && prices.clone().max() != prices.min());
    }
    let many = |count: usize| u64::try_from(count).unwrap() * 100 > markets;
    assert!(
        many(ties) && many(sold) && many(alone) && many(leveled),
        "{ties} ties, {alone} sold alone and {leveled} at several prices in {sold} sales are too few to mean much"
    );
}
