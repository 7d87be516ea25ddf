//! What a buyer that lost by its price would have had to bid, all else being as it was.

use super::close::clear;
use crate::clearing::{Bid, offer};
use crate::facts::{BidMade, PingAnswered};
use crate::ids::PingId;
use crate::money::Micros;
use crate::reasons::Exclusion;

/// A cent, in millionths: prices to win are whole cents, so that none says another's bid to the last digit.
const CENT: i64 = 10_000;

/// Returns the price to win, in whole cents above what it takes; exactly the reserve where that was all that stood in the
/// way. `None` if no bid would have won.
pub(super) fn price_to_win(auction: &PingAnswered, buyer: &str) -> Option<Micros> {
    let competing = |bid: &&BidMade| {
        let left = auction.left_out.iter().find(|left| left.campaign == bid.campaign);
        left.and_then(|left| Exclusion::from_code(&left.reason)).is_none_or(competed)
    };
    let bids = || auction.bids.iter().filter(competing);
    let others: Vec<Bid<'_>> = bids().filter(|bid| bid.buyer != buyer).map(offer).collect();
    // The buyer's best bid stands where it stood, with another amount.
    let best = bids().filter(|bid| bid.buyer == buyer).max_by_key(|bid| bid.amount)?;
    let ping = PingId::from_u128(auction.ping);
    let wins = |amount: i64| {
        let own = BidMade { amount, exclusive: None, ..best.clone() };
        let mut offers = others.clone();
        offers.push(offer(&own));
        let last = offers.len().saturating_sub(1);
        clear(&auction.terms, ping, &offers).winners.iter().any(|won| won.bid == last)
    };
    let tier = usize::try_from(best.tier).ok().and_then(|tier| auction.terms.tiers.get(tier));
    let reserve = tier.map_or(auction.terms.reserve, |tier| tier.reserve).max(1);
    if wins(reserve) {
        return Some(Micros::new(reserve));
    }
    let (mut loses, mut won) = (reserve, reserve.saturating_mul(2));
    while !wins(won) {
        if won == i64::MAX {
            return None;
        }
        (loses, won) = (won, won.saturating_mul(2));
    }
    while won.saturating_sub(loses) > 1 {
        let middle = loses.midpoint(won);
        if wins(middle) {
            won = middle;
        } else {
            loses = middle;
        }
    }
    let cents = won.div_euclid(CENT).checked_add(1)?;
    cents.checked_mul(CENT).map(Micros::new)
}

/// Returns whether a bid that was left out so was in the contest.
fn competed(exclusion: Exclusion) -> bool {
    matches!(exclusion, Exclusion::Outbid | Exclusion::BelowReserve | Exclusion::OwnBetterBid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{LeftOut, ModuleUsed, Terms, Winner};

    /// Renders what a buyer would have had to bid. Lines are `copies 2`, `reserve 2.00` and `bid BUYER 12.00 [code]`.
    #[track_caller]
    fn check(text: &str, buyer: &str, expected: Option<&str>) {
        let (mut copies, mut reserve) = (1, 0);
        let (mut bids, mut left_out) = (Vec::new(), Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[0] {
                "copies" => copies = words[1].parse().unwrap(),
                "reserve" => reserve = Micros::parse(words[1]).unwrap().get(),
                _ => {
                    let (campaign, buyer) = (words[1].to_owned(), words[1].to_owned());
                    let amount = Micros::parse(words[2]).unwrap().get();
                    if let Some(reason) = words.get(3) {
                        let (campaign, reason) = (campaign.clone(), (*reason).to_owned());
                        left_out.push(LeftOut { campaign, reason, detail: None });
                    }
                    bids.push(BidMade { campaign, buyer, amount, ..BidMade::default() });
                }
            }
        }
        let normalizer = ModuleUsed { name: String::new(), version: 1, digest: [0; 32], fuel: 0 };
        let auction = PingAnswered {
            ping: 7,
            source: "web".to_owned(),
            vertical: "auto".to_owned(),
            catalog: 1,
            received_ms: 0,
            body: [0; 32],
            test: false,
            normalizer,
            filters: Vec::new(),
            frame: Vec::new(),
            terms: Terms::second_price(copies, reserve, 10_000, 0),
            left_out,
            bids,
            winners: Vec::<Winner>::new(),
            asked: Vec::new(),
            duplicate_of: None,
            replaces: None,
            fingerprint: [0; 32],
            expires_ms: 0,
            held_until_ms: 0,
            request: None,
        };
        let price = price_to_win(&auction, buyer).map(|price| price.to_string());
        assert_eq!(price.as_deref(), expected);
    }

    #[test]
    fn a_loser_had_to_bid_a_cent_above_the_last_winner() {
        let text = "reserve 2.00\nbid alfa 12.00\nbid bravo 9.00 outbid\nbid carol 5.00 outbid";
        check(text, "bravo", Some("12.01"));
        check(text, "carol", Some("12.01"));
        check(&format!("copies 2\n{text}"), "carol", Some("9.01"));
        check("bid alfa 12.005\nbid bravo 9.00 outbid", "bravo", Some("12.01"));
    }

    #[test]
    fn the_reserve_is_enough_where_nobody_else_competes() {
        check("reserve 10.00\nbid alfa 9.00 below-reserve", "alfa", Some("10.00"));
        check(
            "reserve 10.00\nbid alfa 99.00 no-funds\nbid bravo 9.00 below-reserve",
            "bravo",
            Some("10.00"),
        );
    }

    #[test]
    fn an_equal_bid_that_lost_the_tie_needs_a_cent_more() {
        check("bid alfa 9.00\nbid bravo 9.00 outbid", "bravo", Some("9.01"));
    }
}
