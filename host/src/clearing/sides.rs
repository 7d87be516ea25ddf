//! Which side gets a lead, one buyer alone or several with a copy each, and what its members pay.

use super::{Contender, Policy, Won, least_ranked};
use crate::facts::{PriceRule, Ranking};
use crate::money::Micros;

/// Decides between the best bid for the lead alone and the best bids for its copies; both lists are ranked. Returns who
/// wins at which price, and whether it wins the lead alone.
pub(super) fn settle(
    policy: &Policy,
    copies: &[Contender<'_>],
    alone: &[Contender<'_>],
) -> (Vec<Won>, bool) {
    let sold = usize::try_from(policy.copies).unwrap_or(usize::MAX).min(copies.len());
    let (winners, losers) = copies.split_at(sold);
    if let Some((best, rivals)) = alone.split_first() {
        let exclusive = worth(policy, std::slice::from_ref(best)) >= worth(policy, winners);
        if exclusive {
            let price = match policy.price {
                PriceRule::First => best.amount,
                PriceRule::Fixed(price) => Micros::new(price),
                PriceRule::Second => price_alone(policy, best, rivals.first(), copies),
            };
            return (vec![Won { bid: best.index, price }], true);
        }
    }
    let won = |(winner, price): (&Contender<'_>, Micros)| Won { bid: winner.index, price };
    let prices = match policy.price {
        PriceRule::First => winners.iter().map(|winner| winner.amount).collect(),
        PriceRule::Fixed(price) => vec![Micros::new(price); winners.len()],
        PriceRule::Second => prices_together(policy, winners, losers.first(), alone),
    };
    (winners.iter().zip(prices).map(won).collect(), false)
}

/// Returns what a side's bids are worth; where the price is fixed, what it pays.
fn worth(policy: &Policy, side: &[Contender<'_>]) -> i128 {
    let each = |member: &Contender<'_>| match policy.price {
        PriceRule::Fixed(price) => i128::from(price),
        PriceRule::Second | PriceRule::First => i128::from(member.worth.get()),
    };
    side.iter().map(each).sum()
}

/// The winner of the lead alone pays what its winning displaces: the next bid for the lead alone, or what the others
/// bid for copies.
fn price_alone(
    policy: &Policy,
    winner: &Contender<'_>,
    next: Option<&Contender<'_>>,
    copies: &[Contender<'_>],
) -> Micros {
    let others = copies.iter().filter(|other| other.bidder != winner.bidder);
    let most = usize::try_from(policy.copies).unwrap_or(usize::MAX);
    let together: i128 = others.take(most).map(|other| i128::from(other.worth.get())).sum();
    let rival = together.max(next.map_or(0, |next| i128::from(next.worth.get())));
    least_bid(policy, winner, beating(policy, rival))
}

/// Winners of copies pay what beats the next bid for a copy, and together what beats the best bid for the lead alone.
fn prices_together(
    policy: &Policy,
    winners: &[Contender<'_>],
    next: Option<&Contender<'_>>,
    alone: &[Contender<'_>],
) -> Vec<Micros> {
    let Some(lowest) = winners.iter().map(|winner| winner.worth).min() else { return Vec::new() };
    // Where an order or a draw decides, no bid keeps another from winning: what it takes is the reserve.
    let next = next.filter(|_| policy.ranking == Ranking::Bid);
    let rival = next.map_or(0, |next| i128::from(next.worth.get()));
    let due = beating(policy, rival).min(i128::from(lowest.get()));
    let levels = levels(policy, winners, alone);
    let price = |(index, winner): (usize, &Contender<'_>)| {
        let against_others = levels.iter().filter(|(own, _)| *own != Some(index));
        let level = against_others.map(|(_, level)| *level).max().unwrap_or_default();
        least_bid(policy, winner, due.max(i128::from(level.get())))
    };
    winners.iter().enumerate().map(price).collect()
}

/// Returns for each bid for the lead alone that matters the level at which the others beat it, with the winner whose bid
/// it is. Of the losers' bids only the best matters. A winner gives up a copy for the lead alone, so it offers only the
/// difference for that, and the others must beat it without its help.
fn levels(
    policy: &Policy,
    winners: &[Contender<'_>],
    alone: &[Contender<'_>],
) -> Vec<(Option<usize>, Micros)> {
    let mut levels = Vec::new();
    let mut beaten = false;
    for bid in alone {
        let own = winners.iter().position(|winner| winner.bidder == bid.bidder);
        if own.is_none() && std::mem::replace(&mut beaten, true) {
            continue;
        }
        let copy = own.and_then(|own| winners.get(own)).map_or(0, |winner| winner.worth.get());
        let offered = i128::from(bid.worth.get()) - i128::from(copy);
        if offered <= 0 {
            continue;
        }
        let due = offered + i128::from(policy.increment.max(Micros::ZERO).get());
        let mut payers: Vec<Micros> = winners
            .iter()
            .filter(|winner| winner.bidder != bid.bidder)
            .map(|winner| winner.worth)
            .collect();
        payers.sort_unstable();
        levels.push((own, level(&payers, due)));
    }
    levels
}

/// Returns the lowest level at which these payers, the lowest bid first, pay `due` together if each pays the level or its
/// bid; their highest bid if they cannot. What is not divisible is rounded up to a millionth each.
fn level(payers: &[Micros], mut due: i128) -> Micros {
    let mut left = i128::try_from(payers.len()).unwrap_or(i128::MAX);
    for payer in payers {
        let amount = i128::from(payer.get());
        if amount.saturating_mul(left) >= due {
            let level = due.div_euclid(left) + i128::from(due.rem_euclid(left) > 0);
            return Micros::new(i64::try_from(level).unwrap_or(i64::MAX));
        }
        due -= amount;
        left -= 1;
    }
    payers.last().copied().unwrap_or_default()
}

/// Returns what a bid must be worth to beat a rival. The increment is added to a rival only.
fn beating(policy: &Policy, rival: i128) -> i128 {
    let increment = i128::from(policy.increment.max(Micros::ZERO).get());
    if rival > 0 { rival + increment } else { 0 }
}

/// Returns the least that a winner could have bid to be worth so much: at least the reserve, and never more than it bid.
fn least_bid(policy: &Policy, winner: &Contender<'_>, worth: i128) -> Micros {
    let reserve = i128::from(policy.reserve.max(Micros::ZERO).get());
    let least = if worth > 0 { least_ranked(worth, winner.rejects) } else { Some(0) };
    let asked = least.unwrap_or(i128::MAX).max(reserve);
    Micros::new(i64::try_from(asked).unwrap_or(i64::MAX)).min(winner.amount)
}
