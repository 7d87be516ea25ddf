//! How long does the gavel take for 50 bids, and how does that compare to sorting 50 pairs of numbers?
//!
//! `./x bench --bench clearing`. A sort is the least that any auction does.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "times are not money")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/timing.rs"]
mod timing;

use gavel::clearing::{Award, Bid, Policy, TieKey, award};
use gavel::money::Micros;

use dice::Dice;
use rounds::{Case, compare};

const BIDS: usize = 50;
/// Different auctions that take turns, so that no branch is learnt by heart.
const AUCTIONS: usize = 64;

fn main() {
    let names: Vec<String> = (0..BIDS).map(|buyer| format!("buyer-{buyer:02}")).collect();
    let alone = auctions(&names, BIDS, 20_000);
    let shared = auctions(&names, 10, 20_000);
    let tied = auctions(&names, BIDS, 12);
    let sided: Vec<Vec<Bid<'_>>> = alone.iter().map(|bids| with_exclusive(bids)).collect();
    let pairs: Vec<Vec<(i64, usize)>> = alone
        .iter()
        .map(|bids| bids.iter().map(|bid| bid.amount.get()).zip(0..).collect())
        .collect();
    let sort = |call: usize| {
        let mut pairs = pairs.get(call % AUCTIONS).unwrap().clone();
        pairs.sort_unstable();
        pairs
    };
    compare(
        "auctions",
        vec![
            Case::new("peer: 50 (amount, index) pairs sorted", sort),
            Case::new("50 buyers, one copy", clearing(&alone, 1)),
            Case::new("50 buyers, four copies", clearing(&alone, 4)),
            Case::new("50 buyers, four copies, half bid for the lead alone", clearing(&sided, 4)),
            Case::new("10 buyers with 5 bids each, one copy", clearing(&shared, 1)),
            Case::new("50 buyers with 12 different amounts, one copy", clearing(&tied, 1)),
        ],
    );
}

fn clearing<'a>(auctions: &'a [Vec<Bid<'a>>], copies: u32) -> impl FnMut(usize) -> Award + 'a {
    let policy = Policy::second_price(copies, Micros::new(2_000_000), Micros::new(10_000));
    let tie = TieKey::new(b"ping");
    move |call| award(&policy, &tie, auctions.get(call % AUCTIONS).unwrap())
}

/// Every second buyer also bids for the lead alone, two to four times as much: now one side wins, now the other.
fn with_exclusive<'b>(bids: &[Bid<'b>]) -> Vec<Bid<'b>> {
    let exclusive = |(index, bid): (usize, &Bid<'b>)| {
        let times = i64::try_from(index % 5).unwrap() / 2 + 2;
        let alone = Micros::new(bid.amount.get() * times);
        Bid { exclusive: Some(alone).filter(|_| index % 2 == 0), ..*bid }
    };
    bids.iter().enumerate().map(exclusive).collect()
}

/// Bids of 1.00 to 31.00 by this many buyers, with this many different amounts.
fn auctions(names: &[String], buyers: usize, amounts: u32) -> Vec<Vec<Bid<'_>>> {
    let mut dice = Dice::of(1);
    let mut bid = |index: usize| {
        let step = 30_000_000 / i64::from(amounts);
        let amount = 1_000_000 + step * i64::from(dice.below(amounts));
        Bid::new(names.get(index % buyers).unwrap(), Micros::new(amount))
    };
    (0..AUCTIONS).map(|_| (0..BIDS).map(&mut bid).collect()).collect()
}
