//! The gavel: bids become an award, as a pure function.
//!
//! Some copies of one lead go to as many different buyers, and each winner pays what it takes to beat the best buyer
//! that got none. Invariants:
//!
//! - Nobody pays more than it bid or less than the reserve.
//! - A buyer's own bids never set its price. Only its best one counts.
//! - The order of the bids decides nothing, and neither does speed.

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;

use std::cmp::Reverse;

use sha2::{Digest as _, Sha256};

use crate::money::Micros;

/// What is sold and on which terms. It is fixed before the first bid is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many buyers may get the lead.
    pub copies: u32,
    /// The least that a bid must be, and the price where nobody competes. A negative reserve counts as zero.
    pub reserve: Micros,
    /// What is added to the competing bid that sets the price. A negative increment counts as zero.
    pub increment: Micros,
}

/// Decides between equal bids of different buyers.
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
}

/// What one buyer offers for one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid<'b> {
    /// The buyer.
    pub bidder: &'b str,
    pub amount: Micros,
}

/// What became of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its buyer gets a copy.
    Won,
    /// Enough other buyers bid more, or as much and won the tie.
    Outbid,
    /// It is less than the reserve, so it competes with nobody.
    BelowReserve,
    /// It is zero or less.
    NotPositive,
    /// Another bid of the same buyer, at least as high, counts in its place.
    OwnBetterBid,
}

/// Who gets the lead, and for how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// What every winner pays; `None` if nobody won.
    pub price: Option<Micros>,
    /// The winning bids by their place among the bids, the best first.
    pub winners: Vec<usize>,
    /// What became of each bid, in the order of the bids.
    pub outcomes: Vec<Outcome>,
    /// The best bid of a buyer that did not win, which set the price; `None` if nobody competed and the reserve did.
    pub price_set_by: Option<usize>,
}

#[derive(Clone, Copy)]
struct Contender<'b> {
    index: usize,
    bidder: &'b str,
    amount: Micros,
}

/// Awards the copies to the buyers that offer most, all at one price:
/// `min(lowest winning bid, max(reserve, best bid of the next buyer + increment))`, or the reserve if there is no next
/// buyer.
///
/// Equal bids of one buyer are the same bid to this function, and the first of them counts. A caller that tells them
/// apart, by campaign for example, lists them in an order that does not depend on speed.
pub fn award(policy: &Policy, tie: &TieKey, bids: &[Bid<'_>]) -> Award {
    let reserve = policy.reserve.max(Micros::ZERO);
    let mut outcomes: Vec<Outcome> =
        bids.iter().map(|bid| first_look(bid.amount, reserve)).collect();
    let mut contenders = best_of_each_buyer(tie, bids, &mut outcomes);
    rank(tie, &mut contenders);

    let copies = usize::try_from(policy.copies).unwrap_or(usize::MAX).min(contenders.len());
    let (winners, losers) = contenders.split_at(copies);
    let Some(lowest) = winners.last() else {
        return Award { price: None, winners: Vec::new(), outcomes, price_set_by: None };
    };
    for winner in winners {
        set(&mut outcomes, winner.index, Outcome::Won);
    }
    let next = losers.first();
    let price = next.map_or(reserve, |next| {
        // Beyond the largest amount there is only the winner's own bid, which is the limit anyway.
        let beaten = next.amount.checked_add(policy.increment.max(Micros::ZERO));
        beaten.map_or(lowest.amount, |beaten| beaten.max(reserve).min(lowest.amount))
    });
    Award {
        price: Some(price),
        winners: winners.iter().map(|winner| winner.index).collect(),
        outcomes,
        price_set_by: next.map(|next| next.index),
    }
}

/// A bid that may compete is outbid until it turns out otherwise.
fn first_look(amount: Micros, reserve: Micros) -> Outcome {
    if !amount.is_positive() {
        Outcome::NotPositive
    } else if amount < reserve {
        Outcome::BelowReserve
    } else {
        Outcome::Outbid
    }
}

fn best_of_each_buyer<'b>(
    tie: &TieKey,
    bids: &[Bid<'b>],
    outcomes: &mut [Outcome],
) -> Vec<Contender<'b>> {
    let eligible = bids
        .iter()
        .enumerate()
        .zip(outcomes.iter())
        .filter(|(_, outcome)| **outcome == Outcome::Outbid);
    let mut contenders: Vec<Contender<'b>> = eligible
        .map(|((index, bid), _)| Contender { index, bidder: bid.bidder, amount: bid.amount })
        .collect();
    contenders.sort_unstable_by(|a, b| {
        let key =
            |c: &Contender<'b>| (c.bidder, Reverse(c.amount), tie.arrival_of(c.index), c.index);
        key(a).cmp(&key(b))
    });
    contenders.dedup_by(|later, best| {
        let same = later.bidder == best.bidder;
        if same {
            set(outcomes, later.index, Outcome::OwnBetterBid);
        }
        same
    });
    contenders
}

/// Sorts the best bid first. Only equal bids are worth a hash.
fn rank(tie: &TieKey, contenders: &mut [Contender<'_>]) {
    contenders.sort_unstable_by_key(|contender| Reverse(contender.amount));
    for equals in contenders.chunk_by_mut(|a, b| a.amount == b.amount) {
        if equals.len() > 1 {
            equals.sort_by_cached_key(|contender| tie.rank(contender));
        }
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

    /// Runs `copies`, `reserve` and `increment` lines and one `bidder amount` line per bid; what is left out is 1, 0, 0.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut policy = Policy { copies: 1, reserve: Micros::ZERO, increment: Micros::ZERO };
        let mut bids = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (word, value) = line.split_once(' ').unwrap();
            let amount = Micros::parse(value.trim()).unwrap();
            match word {
                "copies" => policy.copies = value.trim().parse().unwrap(),
                "reserve" => policy.reserve = amount,
                "increment" => policy.increment = amount,
                bidder => bids.push(Bid { bidder, amount }),
            }
        }
        let award = award(&policy, &TieKey::new(b"a table"), &bids);
        let winners: Vec<&str> = award.winners.iter().map(|&winner| bids[winner].bidder).collect();
        let mut actual = match award.price {
            Some(price) => format!("{} at {price}", winners.join(" ")),
            None => "nobody".to_owned(),
        };
        if let Some(index) = award.price_set_by {
            actual += &format!(" set by {}", bids[index].bidder);
        }
        for (bid, outcome) in bids.iter().zip(&award.outcomes) {
            if !matches!(outcome, Outcome::Won | Outcome::Outbid) {
                actual += &format!(", {} {outcome:?}", bid.bidder);
            }
        }
        assert_eq!(actual, expected);
    }

    #[test]
    fn the_winner_pays_the_second_price() {
        check("A 12.50\nB 11.25\nC 3", "A at 11.25 set by B");
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
        check("reserve 10\nincrement 0.01\nA 12\nB 10", "A at 10.01 set by B");
    }

    #[test]
    fn the_increment_never_lifts_the_price_above_the_winning_bid() {
        check("increment 5\nA 12\nB 11", "A at 12.00 set by B");
        check(
            "increment 1\nA 9223372036854.775807\nB 9223372036854",
            "A at 9223372036854.775807 set by B",
        );
    }

    #[test]
    fn the_increment_is_not_added_to_the_reserve() {
        check("reserve 10\nincrement 1\nA 12", "A at 10.00");
    }

    #[test]
    fn copies_go_to_different_buyers_at_one_price() {
        check("copies 2\nA 9\nA 8\nB 7\nC 5\nD 4", "A B at 5.00 set by C, A OwnBetterBid");
        check("copies 3\nreserve 2\nA 9\nB 7", "A B at 2.00");
        check("copies 2\nincrement 3\nA 9\nB 7\nC 5", "A B at 7.00 set by C");
    }

    #[test]
    fn a_buyer_does_not_compete_with_itself() {
        check("reserve 1\nA 9\nA 8\nA 9", "A at 1.00, A OwnBetterBid, A OwnBetterBid");
        check("A 8\nA 9\nB 3", "A at 3.00 set by B, A OwnBetterBid");
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
        check("increment -5\nA 9\nB 8", "A at 8.00 set by B");
    }

    #[test]
    fn among_equals_the_earliest_wins_where_arrival_decides() {
        let policy = Policy { copies: 1, reserve: Micros::ZERO, increment: Micros::ZERO };
        let amount = Micros::new(5);
        let bids = ["A", "B", "C", "C"].map(|bidder| Bid { bidder, amount });
        let award = award(&policy, &TieKey::arrival(vec![3, 2, 4, 1]), &bids);
        assert_eq!(award.winners, [3]);
        assert_eq!((award.price, award.price_set_by), (Some(amount), Some(1)));
        assert_eq!(award.outcomes[2], Outcome::OwnBetterBid);
    }

    #[test]
    fn a_tie_falls_the_same_way_on_every_machine() {
        let policy = Policy { copies: 6, reserve: Micros::ZERO, increment: Micros::ZERO };
        let bids = ["ada", "bob", "cyd", "dee", "eve", "fay"]
            .map(|bidder| Bid { bidder, amount: Micros::new(1) });
        let order = |key: &str| {
            let award = award(&policy, &TieKey::new(key.as_bytes()), &bids);
            award.winners.iter().map(|&winner| bids[winner].bidder).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order("pg_1"), "ada bob cyd eve fay dee");
        assert_eq!(order("pg_2"), "fay dee eve cyd ada bob");
    }
}
