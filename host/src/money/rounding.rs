//! Shares of amounts: every rounding has a name, which says to what unit it goes and which way.

use rkyv::{Archive, Deserialize, Serialize};

use super::{Micros, Share};

/// Millionths in a cent.
const CENT: i64 = 10_000;

/// How a share of an amount becomes an amount.
#[derive(
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// To the nearest millionth, a half to the even neighbour (banker's rounding).
    #[default]
    HalfEvenToMillionth,
    /// To the millionth below.
    DownToMillionth,
    /// To the millionth above.
    UpToMillionth,
    /// To the nearest cent, a half to the even neighbour.
    HalfEvenToCent,
    /// To the cent below.
    DownToCent,
    /// To the cent above.
    UpToCent,
}

/// Which way what is not whole goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    HalfEven,
    Down,
    Up,
}

impl Rounding {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::HalfEvenToMillionth => "half-even-to-millionth",
            Self::DownToMillionth => "down-to-millionth",
            Self::UpToMillionth => "up-to-millionth",
            Self::HalfEvenToCent => "half-even-to-cent",
            Self::DownToCent => "down-to-cent",
            Self::UpToCent => "up-to-cent",
        }
    }

    /// Returns whether it goes to whole cents.
    pub const fn is_to_cent(self) -> bool {
        matches!(self, Self::HalfEvenToCent | Self::DownToCent | Self::UpToCent)
    }

    const fn way(self) -> Way {
        match self {
            Self::HalfEvenToMillionth | Self::HalfEvenToCent => Way::HalfEven,
            Self::DownToMillionth | Self::DownToCent => Way::Down,
            Self::UpToMillionth | Self::UpToCent => Way::Up,
        }
    }

    /// Returns the unit in millionths.
    const fn unit(self) -> i64 {
        if self.is_to_cent() { CENT } else { 1 }
    }

    /// Returns by how many millionths the rounded share may be more than the exact one, at most.
    const fn excess(self) -> i64 {
        match self.way() {
            Way::Down => 0,
            Way::HalfEven => (self.unit() + 1) / 2,
            Way::Up => self.unit(),
        }
    }
}

impl Micros {
    /// Returns this share of an amount that is not below zero. Rounding up to the cent may make it more than the amount;
    /// of a larger amount it is never less.
    #[must_use]
    pub fn share(self, share: Share, rounding: Rounding) -> Self {
        let scaled = i128::from(self.0) * i128::from(share.0);
        let unit = i128::from(Share::WHOLE.0) * i128::from(rounding.unit());
        let (quotient, rest) = (scaled.div_euclid(unit), scaled.rem_euclid(unit));
        let up = match (rounding.way(), (rest * 2).cmp(&unit)) {
            (Way::Down, _) | (Way::HalfEven, std::cmp::Ordering::Less) => false,
            (Way::Up, _) => rest > 0,
            (Way::HalfEven, std::cmp::Ordering::Equal) => quotient % 2 != 0,
            (Way::HalfEven, std::cmp::Ordering::Greater) => true,
        };
        let rounded = (quotient + i128::from(up)) * i128::from(rounding.unit());
        Self(i64::try_from(rounded).unwrap_or(i64::MAX))
    }

    /// Returns the least that is left of this amount, or of any larger one, when the share is taken: rounding to cents
    /// may take a cent more of a millionth more.
    #[must_use]
    pub fn least_left(self, share: Share, rounding: Rounding) -> Self {
        let (taken, excess) = match rounding.is_to_cent() && share != Share::NONE {
            false => (self.share(share, rounding), 0),
            true => (self.share(share, Rounding::UpToMillionth), rounding.excess()),
        };
        Self(self.0.saturating_sub(taken.0).saturating_sub(excess).max(0))
    }
}

impl Share {
    /// Returns an amount of which, and of any larger one, at least `net` is left when this share is taken, and hardly
    /// more; the largest amount if nothing would be left of any.
    pub fn gross_up(self, net: Micros, rounding: Rounding) -> Micros {
        let (whole, kept) = (i128::from(Self::WHOLE.0), i128::from(Self::WHOLE.0 - self.0));
        if net <= Micros::ZERO {
            return Micros::ZERO;
        }
        if kept == 0 {
            return Micros(i64::MAX);
        }
        let in_cents = rounding.is_to_cent() && self != Self::NONE;
        let excess = if in_cents { i128::from(rounding.excess()) } else { 0 };
        let gross = ((i128::from(net.0) + excess) * whole).div_euclid(kept);
        let gross = Micros(i64::try_from(gross).unwrap_or(i64::MAX));
        // What the division cut off is at most a millionth; rounding the share may take or give one more.
        let near = (0..4).filter_map(|step| gross.checked_add(Micros(step)));
        let enough = |gross: &Micros| gross.least_left(self, rounding) >= net;
        near.into_iter().find(enough).unwrap_or(Micros(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Rounding; 6] = [
        Rounding::HalfEvenToMillionth,
        Rounding::DownToMillionth,
        Rounding::UpToMillionth,
        Rounding::HalfEvenToCent,
        Rounding::DownToCent,
        Rounding::UpToCent,
    ];

    #[test]
    fn every_rounding_goes_where_its_name_says() {
        // Of 2.5 %: halves, just below them and just above them.
        let share = Share::parse_percent("2.5").unwrap();
        for (amount, expected) in [
            ("1.00", ["0.025", "0.025", "0.025", "0.02", "0.02", "0.03"]),
            ("1.40", ["0.035", "0.035", "0.035", "0.04", "0.03", "0.04"]),
            ("1.000001", ["0.025", "0.025", "0.025001", "0.03", "0.02", "0.03"]),
            ("0.00002", ["0.00", "0.00", "0.000001", "0.00", "0.00", "0.01"]),
            ("0.00006", ["0.000002", "0.000001", "0.000002", "0.00", "0.00", "0.01"]),
            ("0.40", ["0.01", "0.01", "0.01", "0.01", "0.01", "0.01"]),
            ("0", ["0.00"; 6]),
        ] {
            let amount = Micros::parse(amount).unwrap();
            let shares = ALL.map(|rounding| amount.share(share, rounding).to_string());
            assert_eq!(shares, expected, "of {amount}");
        }
    }

    #[test]
    fn a_share_rounds_half_to_even() {
        let half = Share::parse_percent("50").unwrap();
        for (amount, share) in [(1, 0), (2, 1), (3, 2), (5, 2), (7, 4)] {
            let rounded = Micros::new(amount).share(half, Rounding::HalfEvenToMillionth);
            assert_eq!(rounded, Micros::new(share), "{amount}");
        }
    }

    #[test]
    fn a_grossed_up_price_leaves_the_net_and_hardly_more() {
        for (percent, net) in [("15", 10_000_000), ("33.3333", 7), ("0", 5), ("12.5", 1)] {
            let (share, net) = (Share::parse_percent(percent).unwrap(), Micros::new(net));
            let rounding = Rounding::HalfEvenToMillionth;
            let left = |price: Micros| price.least_left(share, rounding);
            let price = share.gross_up(net, rounding);
            assert!(left(price) >= net, "{percent} of {price}");
            assert!(left(Micros::new(price.get() - 2)) < net, "{percent} of {price}");
        }
        let none_left = Share::WHOLE.gross_up(Micros::new(1), Rounding::UpToCent);
        assert_eq!(none_left, Micros::new(i64::MAX));
        // What the source asked for is there at the price itself: 11.764706 less 15 % is 10.00.
        let share = Share::parse_percent("15").unwrap();
        let price = share.gross_up(Micros::new(10_000_000), Rounding::HalfEvenToMillionth);
        assert_eq!(price, Micros::new(11_764_706));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_is_left_of_every_higher_price(
            net in 1..100_000_000_i64,
            share in 0..999_000_u32,
            rounding in 0..6_usize,
            more in 0..100_000_i64,
        ) {
            let (share, rounding) = (Share::from_millionths(share), ALL[rounding]);
            let asked = share.gross_up(Micros::new(net), rounding);
            let price = asked.checked_add(Micros::new(more)).unwrap();
            let left = price.checked_sub(price.share(share, rounding)).unwrap();
            prop_assert!(left.get() >= net, "{left} of {price} is below {net}");
            prop_assert!(price.least_left(share, rounding) <= left);
            prop_assert!(asked.least_left(share, rounding) <= left);
        }

        #[test]
        fn a_share_is_within_a_unit_of_the_exact_one_and_grows_with_the_amount(
            amount in 0..1_000_000_000_i64,
            share in 0..=1_000_000_u32,
            rounding in 0..6_usize,
        ) {
            let (part, rounding) = (Share::from_millionths(share), ALL[rounding]);
            let rounded = Micros::new(amount).share(part, rounding).get();
            let exact = i128::from(amount) * i128::from(share);
            let off = i128::from(rounded) * 1_000_000 - exact;
            let unit = i128::from(rounding.unit()) * 1_000_000;
            prop_assert_eq!(rounded % rounding.unit(), 0);
            let near = match rounding.way() {
                Way::Down => (1 - unit..=0).contains(&off),
                Way::Up => (0..unit).contains(&off),
                Way::HalfEven => off.abs() * 2 <= unit,
            };
            prop_assert!(near, "{rounded} of {exact}");
            prop_assert!(Micros::new(amount + 1).share(part, rounding).get() >= rounded);
        }
    }
}
