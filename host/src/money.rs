//! Money as whole millionths of the exchange's one currency. No floats, no silent overflow, every rounding has a name.

mod accounts;
mod rounding;

use std::fmt;

pub use accounts::{AccountName, NoAccount};
pub use rounding::Rounding;

/// Digits after the point that an amount can have.
pub const DECIMALS: u32 = 6;
const ONE: i64 = 1_000_000;

/// An amount in millionths of the currency. May be negative: a ledger has two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(i64);

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("an amount is digits with at most one point, such as 12.50")]
    NotDecimal,
    #[error("an amount has at most six digits after the point")]
    TooPrecise,
    #[error("the amount is larger than 9223372036854.775807")]
    TooLarge,
}

impl Micros {
    pub const ZERO: Self = Self(0);

    /// Takes an amount in millionths.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the amount in millionths.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads a decimal such as `12.5` exactly.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(AmountError::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS as usize {
            return Err(AmountError::TooPrecise);
        }
        let whole: i64 = whole.parse().map_err(|_| AmountError::TooLarge)?;
        let fraction: i64 =
            format!("{fraction:0<6}").parse().map_err(|_| AmountError::NotDecimal)?;
        let micros = whole.checked_mul(ONE).and_then(|whole| whole.checked_add(fraction));
        let micros = micros.ok_or(AmountError::TooLarge)?;
        Ok(Self(if negative { micros.saturating_neg() } else { micros }))
    }

    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Returns the same part of this amount as `part` is of `whole`, a half going to the even neighbour; nothing if the
    /// whole is nothing.
    #[must_use]
    pub fn part_half_even(self, part: Self, whole: Self) -> Self {
        if whole.0 <= 0 {
            return Self::ZERO;
        }
        let (scaled, whole) = (i128::from(self.0) * i128::from(part.0), i128::from(whole.0));
        let (quotient, rest) = (scaled.div_euclid(whole), scaled.rem_euclid(whole));
        let up = match (rest * 2).cmp(&whole) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Greater => 1,
            std::cmp::Ordering::Equal => quotient.rem_euclid(2),
        };
        Self(i64::try_from(quotient + up).unwrap_or(i64::MAX))
    }

    /// Prints the amount with exactly this many digits after the point, at most six; digits beyond are cut.
    pub fn with_decimals(self, decimals: u32) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (
            self.0.unsigned_abs() / ONE.unsigned_abs(),
            self.0.unsigned_abs() % ONE.unsigned_abs(),
        );
        let fraction = format!("{fraction:06}");
        match fraction.get(..decimals.min(DECIMALS) as usize) {
            None | Some("") => format!("{sign}{whole}"),
            Some(fraction) => format!("{sign}{whole}.{fraction}"),
        }
    }

    /// Returns how many digits after the point the amount needs.
    pub fn decimals(self) -> u32 {
        let mut fraction = self.0.unsigned_abs() % ONE.unsigned_abs();
        let mut decimals = DECIMALS;
        while decimals > 0 && fraction.is_multiple_of(10) {
            fraction /= 10;
            decimals -= 1;
        }
        decimals
    }
}

/// At least two digits after the point, more only where they are not zero: `12.50`, `0.125`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_decimals(self.decimals().max(2)))
    }
}

/// A part of a whole, in millionths of it: the operator's margin, for example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    pub const NONE: Self = Self(0);
    pub const WHOLE: Self = Self(1_000_000);

    /// Reads a percentage such as `15` or `12.5`, from 0 to 100 with at most four digits after the point.
    pub fn parse_percent(text: &str) -> Result<Self, AmountError> {
        let percent = Micros::parse(text)?.get();
        if percent % 100 != 0 {
            return Err(AmountError::TooPrecise);
        }
        match u32::try_from(percent / 100) {
            Ok(share) if share <= Self::WHOLE.0 => Ok(Self(share)),
            _ => Err(AmountError::TooLarge),
        }
    }

    /// Takes millionths of the whole; more than the whole is the whole.
    pub fn from_millionths(millionths: u32) -> Self {
        Self(millionths.min(Self::WHOLE.0))
    }

    /// Returns the share in millionths of the whole.
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let actual = match Micros::parse(text) {
            Ok(amount) => amount.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(actual, expected);
    }

    #[test]
    fn amounts_are_read_exactly() {
        check("12.5", "12.50");
        check("0.000001", "0.000001");
        check("7", "7.00");
        check("-3.25", "-3.25");
        check("1.5000000000", "1.50");
        check("9223372036854.775807", "9223372036854.775807");
    }

    #[test]
    fn what_is_not_an_amount_says_so() {
        for text in ["", "abc", "1e3", ".5", "5.", "1,000", "+1", "NaN", "1.2.3", " 1"] {
            check(text, "an amount is digits with at most one point, such as 12.50");
        }
        check("0.0000001", "an amount has at most six digits after the point");
        check("9223372036854.775808", "the amount is larger than 9223372036854.775807");
        check("99999999999999999999", "the amount is larger than 9223372036854.775807");
    }

    #[test]
    fn a_part_rounds_half_to_even_and_the_whole_is_exact() {
        let part = |of: i64, part: i64, whole: i64| {
            Micros::new(of).part_half_even(Micros::new(part), Micros::new(whole)).get()
        };
        assert_eq!(part(10_625_000, 12_500_000, 12_500_000), 10_625_000);
        assert_eq!([part(1, 1, 2), part(3, 1, 2), part(5, 1, 2), part(7, 1, 3)], [0, 2, 2, 2]);
        assert_eq!([part(5, 0, 7), part(5, 3, 0)], [0, 0]);
    }

    #[test]
    fn a_percentage_is_between_nothing_and_all() {
        assert_eq!(Share::parse_percent("12.5"), Ok(Share(125_000)));
        assert_eq!(Share::parse_percent("100"), Ok(Share::WHOLE));
        assert_eq!(Share::parse_percent("100.0001"), Err(AmountError::TooLarge));
        assert_eq!(Share::parse_percent("-1"), Err(AmountError::TooLarge));
        assert_eq!(Share::parse_percent("0.00001"), Err(AmountError::TooPrecise));
    }
}
