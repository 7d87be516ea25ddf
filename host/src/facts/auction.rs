//! What follows from the record of an auction: what is paid, and until when it holds.

use super::{PingAnswered, Winner};
use crate::clock::Moment;
use crate::money::Micros;

impl Winner {
    /// Returns what is held: the price with the fees.
    pub fn due(&self) -> Micros {
        Micros::new(self.price.saturating_add(self.fees.total()))
    }
}

impl PingAnswered {
    /// Returns what the source is paid if every winner takes its copy.
    pub fn payout(&self) -> Micros {
        let parts = self.winners.iter().map(|winner| self.terms.payout(Micros::new(winner.price)));
        parts.fold(Micros::ZERO, |sum, part| sum.checked_add(part).unwrap_or(sum))
    }

    /// Returns the moment after which the price no longer holds, as it is told.
    pub fn expires(&self) -> Moment {
        Moment::from_unix_ms(self.expires_ms)
    }

    /// Returns the moment of the steady clock after which the money is no longer held.
    pub fn held_until(&self) -> Moment {
        Moment::from_unix_ms(self.held_until_ms)
    }

    /// Returns the moment of the steady clock at which the ping was answered.
    pub fn held_since(&self) -> Moment {
        let held = self.expires_ms.saturating_sub(self.received_ms);
        Moment::from_unix_ms(self.held_until_ms.saturating_sub(held))
    }
}
