//! The gavel: bids become an award, as a pure function.
//!
//! Some copies of one lead go to as many different buyers. A policy says who comes first and what is paid. Invariants
//! of every rule:
//!
//! - Nobody pays more than it bid or less than the reserve.
//! - A buyer's own bids never set its price. Only its best one counts.
//! - A bid below the reserve neither wins nor sets a price.
//! - The order of the bids decides nothing, and neither does speed: ties and draws are keyed hashes.
//!
//! # Where refusals count
//!
//! A bid may be ranked by less than it is: by what is left of it after the share of posts that its buyer refuses,
//! [`ranked`]. Everything above is then said of ranked amounts, and every price is the least bid that has the ranked amount
//! it takes, rounded up to a millionth. The reserve is compared with the bid itself. So a refusal costs places, and nobody
//! pays more than it bid or less than the reserve.
//!
//! # Second price, where bids depend on the number of copies
//!
//! A buyer may bid for the lead alone, for a copy of one that others buy as well, or both. So there are two sides: the
//! best bid for the lead alone, and the best bids for the copies together. The side whose bids sum to more gets the
//! lead, and at the same sum the one buyer, because then fewer people see the data.
//!
//! The winning side pays what the losing side bid, plus the increment, and each of its members at least what beats the
//! next bid for the same thing. Several winners share what is due at one level: each pays the level or its own bid,
//! whichever is lower. What a winner bid for the other side is no rival of its own: a buyer that buys alone does not
//! compete with its own bid for a copy, and a buyer of a copy not with its own bid for the lead alone.
//!
//! With one kind of bids this is the usual second price: the best losing bid of another buyer. With both kinds:
//!
//! - A buyer that wins the lead alone pays the sum of the bids that its winning displaces (Vickrey, Clarke, Groves),
//!   whatever it bid itself, so that honesty is its best bid.
//! - No loser offered more than was paid (the outcome is in the core): nobody can say that the lead was sold below what
//!   they bid. Clarke's prices for several winners do not have that: two buyers that each bid 20 for a copy would pay
//!   nothing against 20 for the lead alone.
//! - That has a price. Where an exclusive bid binds, a winner of a copy that bids less leaves more of what is due to the
//!   other winners. No rule is honest for everyone, efficient and in the core (Ausubel and Milgrom, "The Lovely but
//!   Lonely Vickrey Auction", 2006); here those who win the lead alone, and everyone where nobody bids for the lead alone,
//!   have no reason to shade.

mod sides;
mod tiers;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;

use std::cmp::Reverse;

use sha2::{Digest as _, Sha256};

use crate::facts::{PriceRule, Ranking};
use crate::money::Micros;

pub use tiers::{award_on, offer};

/// What is sold and on which terms. It is fixed before the first bid is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many buyers may get the lead.
    pub copies: u32,
    /// The least that a bid must be, and the price where nobody competes. A negative reserve counts as zero.
    pub reserve: Micros,
    /// What is added to the competing bid that sets the price. A negative increment counts as zero.
    pub increment: Micros,
    pub price: PriceRule,
    pub ranking: Ranking,
}

impl Policy {
    /// Returns the usual policy: the highest bids win at the second price.
    pub const fn second_price(copies: u32, reserve: Micros, increment: Micros) -> Self {
        Self { copies, reserve, increment, price: PriceRule::Second, ranking: Ranking::Bid }
    }

    /// Returns the least bid that may win; `None` if nothing can be sold, because the fixed price is below the reserve.
    fn floor(&self) -> Option<Micros> {
        let reserve = self.reserve.max(Micros::ZERO);
        match self.price {
            PriceRule::Fixed(price) => Some(Micros::new(price)).filter(|price| *price >= reserve),
            PriceRule::Second | PriceRule::First => Some(reserve),
        }
    }
}

/// Decides between equal bids of different buyers, and draws.
#[derive(Clone, Debug)]
pub struct TieKey(Order);

#[derive(Clone, Debug)]
enum Order {
    Hash([u8; 32]),
    Arrival(Vec<u64>),
}

/// The lower rank wins. Two buyers never have the same one, because their names differ.
type Rank<'b> = (u64, [u8; 32], &'b str);

impl TieKey {
    /// Ranks buyers by a hash of these bytes and their names, so that each has the same chance and nobody can know
    /// the order before the auction exists. The exchange takes the auction's id as it is printed.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Order::Hash(Sha256::digest(bytes).into()))
    }

    /// Ranks bids by these numbers, one for each bid in the same order, the lowest first; a bid without one comes last.
    /// Bids of the same number are ranked by the buyers' names.
    pub fn arrival(ranks: Vec<u64>) -> Self {
        Self(Order::Arrival(ranks))
    }

    fn arrival_of(&self, bid: usize) -> u64 {
        match &self.0 {
            Order::Hash(_) => 0,
            Order::Arrival(ranks) => ranks.get(bid).copied().unwrap_or(u64::MAX),
        }
    }

    fn rank<'b>(&self, contender: &Contender<'b>) -> Rank<'b> {
        let hash = match &self.0 {
            Order::Hash(key) => {
                Sha256::new().chain_update(key).chain_update(contender.bidder).finalize().into()
            }
            Order::Arrival(_) => [0; 32],
        };
        (self.arrival_of(contender.index), hash, contender.bidder)
    }

    /// Draws a number for these contenders, who stand in the order of their names: other contenders, another draw.
    fn draw(&self, contenders: &[Contender<'_>]) -> u128 {
        let key = match &self.0 {
            Order::Hash(key) => *key,
            Order::Arrival(_) => [0; 32],
        };
        let mut hash = Sha256::new().chain_update(key).chain_update(b"draw");
        for contender in contenders {
            // No name holds a zero, so two lists of names never read the same.
            hash = hash.chain_update([0]).chain_update(contender.bidder);
        }
        hash.finalize().iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
    }
}

/// What one buyer offers for one lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid<'b> {
    /// The buyer.
    pub bidder: &'b str,
    /// For a copy, whoever else gets one; zero if the buyer wants the lead alone or not at all.
    pub amount: Micros,
    /// For the lead alone.
    pub exclusive: Option<Micros>,
    /// The tier of a ping tree, from 0.
    pub tier: u32,
    /// The bid's place where an order decides, its weight where lots are drawn.
    pub standing: u32,
    /// By how many ten-thousandths the bid is worth less than it is.
    pub rejects: u32,
}

impl<'b> Bid<'b> {
    /// Returns a bid that is the same whoever else gets a copy.
    pub const fn new(bidder: &'b str, amount: Micros) -> Self {
        Self { bidder, amount, exclusive: None, tier: 0, standing: 0, rejects: 0 }
    }

    /// Returns what it offers where one copy is sold: whoever is content with a copy is so with the only one.
    fn alone(&self) -> Micros {
        self.exclusive.map_or(self.amount, |exclusive| exclusive.max(self.amount))
    }
}

/// The whole of a bid, in ten-thousandths.
const WHOLE: i128 = 10_000;

/// Returns what is left of a bid of a buyer that refuses so many ten-thousandths of its posts, rounded down to a millionth.
pub fn ranked(amount: Micros, rejects: u32) -> Micros {
    let left = i128::from(amount.get()) * (WHOLE - i128::from(rejects)).max(0);
    Micros::new(i64::try_from(left.div_euclid(WHOLE)).unwrap_or(i64::MAX))
}

/// Returns the least bid of a buyer that is ranked by so much or more; nothing if no bid is.
fn least_ranked(worth: i128, rejects: u32) -> Option<i128> {
    let left = (WHOLE - i128::from(rejects)).max(0);
    let whole = worth.checked_mul(WHOLE)?;
    Some(whole.checked_div_euclid(left)? + i128::from(whole.checked_rem_euclid(left)? > 0))
}

/// What became of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its buyer gets a copy.
    Won,
    /// Enough other buyers bid more, or as much and won the tie.
    Outbid,
    /// Enough other buyers came first by the policy's order or draw.
    Outranked,
    /// A higher tier took the lead.
    LowerTier,
    /// It is less than the reserve, so it competes with nobody.
    BelowReserve,
    /// It is zero or less.
    NotPositive,
    /// Another bid of the same buyer counts in its place.
    OwnBetterBid,
}

/// A winning bid, by its place among the bids, and what its buyer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Won {
    pub bid: usize,
    pub price: Micros,
}

/// Who gets the lead, and for how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Award {
    /// The winning bids, the first in rank first.
    pub winners: Vec<Won>,
    /// One buyer gets the lead, and nobody else may.
    pub exclusive: bool,
    /// What became of each bid, in the order of the bids.
    pub outcomes: Vec<Outcome>,
}

#[derive(Clone, Copy)]
struct Contender<'b> {
    index: usize,
    bidder: &'b str,
    amount: Micros,
    /// What it is ranked by.
    worth: Micros,
    standing: u32,
    rejects: u32,
}

/// Awards the copies by the policy. At the second price and without bids for the lead alone, every winner pays
/// `min(lowest winning bid, max(reserve, best bid of the next buyer + increment))`, or the reserve if there is no next
/// buyer; the module's head says what changes with them.
///
/// Bids for the lead alone compete with those for copies where the ranking is by bid. Where there is one copy, they are
/// the bids. Equal bids of one buyer are the same bid to this function, and the first of them counts. A caller that
/// tells them apart, by campaign for example, lists them in an order that does not depend on speed.
pub fn award(policy: &Policy, tie: &TieKey, bids: &[Bid<'_>]) -> Award {
    let single = policy.copies == 1;
    let sides = policy.ranking == Ranking::Bid && policy.copies > 1;
    let counted = |bid: &Bid<'_>| if single || sides { bid.alone() } else { bid.amount };
    let Some(floor) = policy.floor() else {
        let none = |bid: &Bid<'_>| match first_look(counted(bid), Micros::ZERO) {
            Outcome::NotPositive => Outcome::NotPositive,
            _ => Outcome::BelowReserve,
        };
        return Award { outcomes: bids.iter().map(none).collect(), ..Award::default() };
    };
    let mut outcomes: Vec<Outcome> =
        bids.iter().map(|bid| first_look(counted(bid), floor)).collect();
    let offered = |bid: &Bid<'_>| if single { bid.alone() } else { bid.amount };
    let mut copies = best_of_each_buyer(policy.ranking, tie, bids, floor, &offered);
    rank(policy.ranking, tie, &mut copies);
    let mut alone = Vec::new();
    if sides && bids.iter().any(|bid| bid.exclusive.is_some()) {
        let exclusive = |bid: &Bid<'_>| bid.exclusive.unwrap_or_default();
        alone = best_of_each_buyer(policy.ranking, tie, bids, floor, &exclusive);
        rank(policy.ranking, tie, &mut alone);
    }
    let lost = match policy.ranking {
        Ranking::Bid => Outcome::Outbid,
        Ranking::Order | Ranking::Weighted => Outcome::Outranked,
    };
    for contender in copies.iter().chain(&alone) {
        set(&mut outcomes, contender.index, lost);
    }
    let (winners, exclusive) = sides::settle(policy, &copies, &alone);
    for winner in &winners {
        set(&mut outcomes, winner.bid, Outcome::Won);
    }
    Award { exclusive: exclusive || single && !winners.is_empty(), winners, outcomes }
}

/// A bid that may compete counts for nothing until it turns out to be its buyer's best.
fn first_look(amount: Micros, floor: Micros) -> Outcome {
    if !amount.is_positive() {
        Outcome::NotPositive
    } else if amount < floor {
        Outcome::BelowReserve
    } else {
        Outcome::OwnBetterBid
    }
}

fn best_of_each_buyer<'b>(
    ranking: Ranking,
    tie: &TieKey,
    bids: &[Bid<'b>],
    floor: Micros,
    offered: &dyn Fn(&Bid<'b>) -> Micros,
) -> Vec<Contender<'b>> {
    let all = bids.iter().enumerate().map(|(index, bid)| {
        let Bid { bidder, standing, rejects, .. } = *bid;
        let amount = offered(bid);
        Contender { index, bidder, amount, worth: ranked(amount, rejects), standing, rejects }
    });
    let enough = |amount: Micros| amount.is_positive() && amount >= floor;
    let mut contenders: Vec<Contender<'b>> =
        all.filter(|contender| enough(contender.amount)).collect();
    contenders.sort_unstable_by(|a, b| {
        let key = |c: &Contender<'b>| {
            let place = if ranking == Ranking::Order { c.standing } else { 0 };
            let bid = (Reverse(c.amount), Reverse(c.standing), tie.arrival_of(c.index));
            (c.bidder, place, bid, c.index)
        };
        key(a).cmp(&key(b))
    });
    contenders.dedup_by(|later, best| later.bidder == best.bidder);
    contenders
}

/// Sorts the first in rank first. Contenders come in the order of their names. Only equals are worth a hash.
fn rank(ranking: Ranking, tie: &TieKey, contenders: &mut [Contender<'_>]) {
    match ranking {
        Ranking::Bid => {
            contenders.sort_unstable_by_key(|contender| Reverse(contender.worth));
            settle_ties(tie, contenders, |a, b| a.worth == b.worth);
        }
        Ranking::Order => {
            contenders.sort_unstable_by_key(|contender| contender.standing);
            settle_ties(tie, contenders, |a, b| a.standing == b.standing);
        }
        Ranking::Weighted => draw_lots(tie, contenders),
    }
}

fn settle_ties<'b>(
    tie: &TieKey,
    contenders: &mut [Contender<'b>],
    same: impl FnMut(&Contender<'b>, &Contender<'b>) -> bool,
) {
    for equals in contenders.chunk_by_mut(same) {
        if equals.len() > 1 {
            equals.sort_by_cached_key(|contender| tie.rank(contender));
        }
    }
}

/// Draws one after another, each with the chance of its weight among those that are left. A weight of zero counts as
/// one. The draw is 128 bits wide, so what its remainder favours is less than one in 2^90.
fn draw_lots(tie: &TieKey, mut left: &mut [Contender<'_>]) {
    while left.len() > 1 {
        let weight = |contender: &Contender<'_>| u128::from(contender.standing.max(1));
        let total: u128 = left.iter().map(weight).sum();
        let mut lot = tie.draw(left) % total;
        let drawn = left.iter().position(|contender| {
            let here = lot < weight(contender);
            lot = lot.saturating_sub(weight(contender));
            here
        });
        // The others keep the order of their names.
        if let Some(until) = left.get_mut(..=drawn.unwrap_or_default()) {
            until.rotate_right(1);
        }
        let (_, rest) = left.split_at_mut(1);
        left = rest;
    }
}

fn set(outcomes: &mut [Outcome], index: usize, outcome: Outcome) {
    if let Some(place) = outcomes.get_mut(index) {
        *place = outcome;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `copies`, `reserve`, `increment`, `rule` and `rank` lines and one `bidder amount` line per bid, which may end
    /// with `alone amount`, `standing number` or `rejects ten-thousandths`; what is left out is 1, 0, 0, the second price and by bid.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut policy = Policy::second_price(1, Micros::ZERO, Micros::ZERO);
        let mut bids = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let amount = Micros::parse(words[words.len() - 1]).unwrap_or_default();
            match words.as_slice() {
                ["copies", copies] => policy.copies = copies.parse().unwrap(),
                ["reserve", _] => policy.reserve = amount,
                ["increment", _] => policy.increment = amount,
                ["rule", "first"] => policy.price = PriceRule::First,
                ["rule", "fixed", _] => policy.price = PriceRule::Fixed(amount.get()),
                ["rank", "order"] => policy.ranking = Ranking::Order,
                ["rank", "weighted"] => policy.ranking = Ranking::Weighted,
                [bidder, own, "alone", _] => {
                    let own = Micros::parse(own).unwrap();
                    bids.push(Bid { exclusive: Some(amount), ..Bid::new(bidder, own) });
                }
                [bidder, own, "standing", standing] => {
                    let standing = standing.parse().unwrap();
                    bids.push(Bid { standing, ..Bid::new(bidder, Micros::parse(own).unwrap()) });
                }
                [bidder, own, "rejects", rejects] => {
                    let rejects = rejects.parse().unwrap();
                    bids.push(Bid { rejects, ..Bid::new(bidder, Micros::parse(own).unwrap()) });
                }
                [bidder, _] => bids.push(Bid::new(bidder, amount)),
                _ => panic!("{line}"),
            }
        }
        let award = award(&policy, &TieKey::new(b"a table"), &bids);
        let winners = award.winners.iter();
        let winners = winners.map(|won| format!("{} at {}", bids[won.bid].bidder, won.price));
        let mut actual = winners.collect::<Vec<_>>().join(" ");
        if actual.is_empty() {
            "nobody".clone_into(&mut actual);
        }
        if award.exclusive && policy.copies != 1 {
            actual += " alone";
        }
        for (bid, outcome) in bids.iter().zip(&award.outcomes) {
            if !matches!(outcome, Outcome::Won | Outcome::Outbid) {
                actual += &format!(", {} {outcome:?}", bid.bidder);
            }
        }
        assert_eq!(actual, expected);
    }

    #[test]
    fn refusals_cost_places_and_every_price_is_the_least_bid_that_still_wins() {
        let market = "increment 0.01\nalfa 12 rejects 5000\nbravo 9";
        check(market, "bravo at 6.01");
        check("increment 0.01\nalfa 20 rejects 5000\nbravo 9", "alfa at 18.02");
        // 9.01 is 0.667 of 13.508246..., so the millionth above it is asked.
        check("increment 0.01\nalfa 20 rejects 3330\nbravo 9", "alfa at 13.508246");
        check("alfa 18 rejects 5000\nbravo 9 rejects 1", "alfa at 17.9982");
        // Above its bid nobody pays, whatever the increment.
        check("increment 5\nalfa 20 rejects 5000\nbravo 9", "alfa at 20.00");
        // The reserve is compared with the bid, and is due where nobody competes.
        check("reserve 10\nalfa 12 rejects 9000\nbravo 9", "alfa at 10.00, bravo BelowReserve");
        check("reserve 2\nalfa 12 rejects 10000", "alfa at 2.00");
        check("reserve 2\nalfa 12 rejects 10000\nbravo 3 rejects 100", "bravo at 2.00");
        check("rule first\nalfa 12 rejects 5000\nbravo 9", "bravo at 9.00");
        // Two copies: each pays what it takes by its own rate.
        let two = "copies 2\nincrement 0.01\nalfa 20 rejects 5000\nbravo 9\ncarol 6";
        check(two, "alfa at 12.02 bravo at 6.01");
    }

    #[test]
    fn the_winner_pays_the_second_price() {
        check("A 12.50\nB 11.25\nC 3", "A at 11.25");
    }

    #[test]
    fn without_a_rival_the_reserve_is_the_price() {
        check("reserve 10\nA 12.50", "A at 10.00");
        check("A 12.50", "A at 0.00");
    }

    #[test]
    fn a_bid_below_the_reserve_sets_no_price() {
        check("reserve 10\nA 12.50\nB 9.999999", "A at 10.00, B BelowReserve");
        check("reserve 10\nA 9.999999", "nobody, A BelowReserve");
    }

    #[test]
    fn a_bid_at_the_reserve_competes() {
        check("reserve 10\nincrement 0.01\nA 12\nB 10", "A at 10.01");
    }

    #[test]
    fn the_increment_never_lifts_the_price_above_the_winning_bid() {
        check("increment 5\nA 12\nB 11", "A at 12.00");
        check("increment 1\nA 9223372036854.775807\nB 9223372036854", "A at 9223372036854.775807");
    }

    #[test]
    fn the_increment_is_not_added_to_the_reserve() {
        check("reserve 10\nincrement 1\nA 12", "A at 10.00");
    }

    #[test]
    fn copies_go_to_different_buyers_at_one_price() {
        check("copies 2\nA 9\nA 8\nB 7\nC 5\nD 4", "A at 5.00 B at 5.00, A OwnBetterBid");
        check("copies 3\nreserve 2\nA 9\nB 7", "A at 2.00 B at 2.00");
        check("copies 2\nincrement 3\nA 9\nB 7\nC 5", "A at 7.00 B at 7.00");
    }

    #[test]
    fn a_buyer_does_not_compete_with_itself() {
        check("reserve 1\nA 9\nA 8\nA 9", "A at 1.00, A OwnBetterBid, A OwnBetterBid");
        check("A 8\nA 9\nB 3", "A at 3.00, A OwnBetterBid");
    }

    #[test]
    fn nothing_is_sold_for_nothing_to_nobody() {
        check("", "nobody");
        check("copies 0\nA 5", "nobody");
        check("A 0\nB -1", "nobody, A NotPositive, B NotPositive");
    }

    #[test]
    fn terms_below_zero_count_as_zero() {
        check("reserve -5\nA 3", "A at 0.00");
        check("increment -5\nA 9\nB 8", "A at 8.00");
    }

    #[test]
    fn among_equals_the_earliest_wins_where_arrival_decides() {
        let policy = Policy::second_price(1, Micros::ZERO, Micros::ZERO);
        let amount = Micros::new(5);
        let bids = ["A", "B", "C", "C"].map(|bidder| Bid::new(bidder, amount));
        let award = award(&policy, &TieKey::arrival(vec![3, 2, 4, 1]), &bids);
        assert_eq!(award.winners, [Won { bid: 3, price: amount }]);
        assert_eq!(award.outcomes[2], Outcome::OwnBetterBid);
    }

    #[test]
    fn a_tie_falls_the_same_way_on_every_machine() {
        let policy = Policy::second_price(6, Micros::ZERO, Micros::ZERO);
        let bids = ["ada", "bob", "cyd", "dee", "eve", "fay"]
            .map(|bidder| Bid::new(bidder, Micros::new(1)));
        let order = |key: &str| {
            let award = award(&policy, &TieKey::new(key.as_bytes()), &bids);
            award.winners.iter().map(|won| bids[won.bid].bidder).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order("pg_1"), "ada bob cyd eve fay dee");
        assert_eq!(order("pg_2"), "fay dee eve cyd ada bob");
    }

    #[test]
    fn at_the_first_price_every_winner_pays_its_bid() {
        check("rule first\ncopies 2\nreserve 3\nA 9\nB 7\nC 5", "A at 9.00 B at 7.00");
        check("rule first\nreserve 10\nA 9", "nobody, A BelowReserve");
    }

    #[test]
    fn at_a_fixed_price_whoever_bids_enough_may_win_and_pays_just_that() {
        check("rule fixed 6\nA 9\nB 7\nC 5", "A at 6.00, C BelowReserve");
        check("rule fixed 6\ncopies 3\nA 9\nB 6\nC 5", "A at 6.00 B at 6.00, C BelowReserve");
        check("rule fixed 6\nreserve 6.01\nA 9\nB 0", "nobody, A BelowReserve, B NotPositive");
    }

    #[test]
    fn where_an_order_decides_the_first_that_bids_enough_wins() {
        let bids = "A 9 standing 2\nB 5 standing 1\nC 7 standing 3";
        let check = |rule: &str, expected: &str| {
            check(&format!("rank order\n{rule}\n{bids}"), expected);
        };
        check("rule fixed 6", "A at 6.00, B BelowReserve, C Outranked");
        check("rule fixed 5", "B at 5.00, A Outranked, C Outranked");
        check("rule first", "B at 5.00, A Outranked, C Outranked");
        // No bid keeps another from winning, so the reserve is what it takes.
        check("reserve 2", "B at 2.00, A Outranked, C Outranked");
    }

    #[test]
    fn a_draw_falls_on_each_by_its_weight() {
        let amount = Micros::new(7);
        let policy = Policy {
            ranking: Ranking::Weighted,
            price: PriceRule::First,
            ..Policy::second_price(2, Micros::ZERO, Micros::ZERO)
        };
        let bids = [("ada", 1), ("bob", 3), ("cyd", 6)]
            .map(|(bidder, standing)| Bid { standing, ..Bid::new(bidder, amount) });
        let (mut first, mut second) = ([0_u32; 3], [0_u32; 3]);
        for auction in 0..100_000_u32 {
            let award = award(&policy, &TieKey::new(&auction.to_le_bytes()), &bids);
            first[award.winners[0].bid] += 1;
            second[award.winners[1].bid] += 1;
        }
        let near = |count: u32, share: u32| count.abs_diff(share) < 600;
        assert!(near(first[0], 10_000) && near(first[1], 30_000), "{first:?}");
        // The second is drawn by the weights of those that are left: 1/3 of 3/10 and 1/4 · 6/10 make 19.3 % for ada.
        assert!(near(second[0], 3_000 * 10 / 7 + 6_000 * 10 / 4), "{second:?}");
    }

    #[test]
    fn the_side_that_bids_more_gets_the_lead_and_pays_what_the_other_bid() {
        let shared = "copies 2\nincrement 0.01\nreserve 5\nB 8\nC 8\nD 7\n";
        let check = |alone: &str, expected: &str| check(&format!("{shared}{alone}"), expected);
        check("A 0 alone 20", "A at 16.01 alone");
        check("A 0 alone 16", "A at 16.00 alone");
        check("A 0 alone 15.99", "B at 8.00 C at 8.00");
        check("A 0 alone 15", "B at 7.505 C at 7.505");
        check("A 0 alone 9", "B at 7.01 C at 7.01");
        check("A 0 alone 20\nE 0 alone 18", "A at 18.01 alone");
        check("A 0 alone 4.99", "B at 7.01 C at 7.01, A BelowReserve");
    }

    #[test]
    fn what_a_buyer_bids_for_the_other_side_is_no_rival_of_its_own() {
        check("copies 2\nA 8 alone 20\nB 9", "A at 9.00 alone");
        check("copies 2\nA 9 alone 15\nB 9", "A at 0.00 B at 6.00");
        check("copies 2\nA 9 alone 15\nB 9\nC 0 alone 15", "A at 7.50 B at 7.50");
    }

    #[test]
    fn winners_share_what_is_due_at_one_level_and_nobody_pays_more_than_it_bid() {
        check("copies 3\nA 9\nB 5\nC 1\nD 0 alone 12", "A at 6.00 B at 5.00 C at 1.00");
        check("copies 3\nA 9\nB 5\nC 1\nD 0 alone 14.999999", "A at 8.999999 B at 5.00 C at 1.00");
        check(
            "copies 2\nA 0.000009\nB 0.000009\nD 0 alone 0.000007",
            "A at 0.000004 B at 0.000004",
        );
    }

    #[test]
    fn one_copy_is_sold_alone_to_whoever_says_so_or_not() {
        check("A 8 alone 20\nB 12\nC 0 alone 11", "A at 12.00");
        check("rule fixed 10\ncopies 2\nA 0 alone 30\nB 10\nC 10", "B at 10.00 C at 10.00");
        check("rule first\ncopies 2\nA 0 alone 30\nB 10\nC 10", "A at 30.00 alone");
        check("rank order\nrule first\ncopies 2\nA 0 alone 30\nB 10", "B at 10.00, A NotPositive");
    }

    #[test]
    fn amounts_at_the_very_end_do_not_overflow() {
        let most = "9223372036854.775807";
        check(
            &format!("copies 2\nincrement {most}\nA {most}\nB {most}\nC {most} alone {most}"),
            &format!("A at {most} B at {most}"),
        );
    }
}
