//! A buyer's money in the book, and its exact arithmetic.

use crate::money::Micros;

/// A buyer's money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Paid in less paid out.
    pub balance: Micros,
    /// Set aside for leads that are not settled yet.
    pub held: Micros,
}

impl Account {
    /// Returns what may still be set aside with this much credit; what is beyond the largest amount counts as that.
    pub fn free(&self, credit_limit: Micros) -> Micros {
        let wide = |amount: Micros| i128::from(amount.get());
        let free = wide(self.balance) - wide(self.held) + wide(credit_limit);
        let beyond = if free < 0 { i64::MIN } else { i64::MAX };
        Micros::new(i64::try_from(free).unwrap_or(beyond))
    }
}

#[expect(
    clippy::expect_used,
    reason = "sums of money stay below 9 million millions: beyond is a bug"
)]
pub(super) fn sum(left: Micros, right: Micros) -> Micros {
    left.checked_add(right).expect("an account's sum fits")
}

#[expect(
    clippy::expect_used,
    reason = "sums of money stay below 9 million millions: beyond is a bug"
)]
pub(super) fn difference(left: Micros, right: Micros) -> Micros {
    left.checked_sub(right).expect("an account's difference fits")
}
