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
