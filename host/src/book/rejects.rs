//! How often a buyer refused what it won: of its last so many posts that ended with a yes or a no.

use super::State;

/// How many posts are looked back at.
pub const REJECTS_WINDOW: u32 = 100;
/// With fewer than so many, a buyer has no rate yet.
pub const REJECTS_MIN: u32 = 20;

/// The ends of a buyer's last posts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ends {
    /// A bit for each post, the newest in the lowest place: set if it was refused.
    refused: u128,
    known: u32,
}

impl Ends {
    pub(super) fn add(&mut self, refused: bool) {
        let window = (1_u128 << REJECTS_WINDOW) - 1;
        self.refused = (self.refused << 1 | u128::from(refused)) & window;
        self.known = REJECTS_WINDOW.min(self.known + 1);
    }

    /// Returns the share that was refused, in ten-thousandths, rounded down.
    pub(super) const fn rate(self) -> u32 {
        if self.known < REJECTS_MIN { 0 } else { self.refused.count_ones() * 10_000 / self.known }
    }

    pub(super) const fn counted(self) -> Rejects {
        Rejects { refused: self.refused.count_ones(), of: self.known, rate: self.rate() }
    }
}

/// How often a buyer refused what it won.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejects {
    /// How many of its last posts it refused.
    pub refused: u32,
    /// How many posts that are: at most [`REJECTS_WINDOW`].
    pub of: u32,
    /// The share by which its bids may be ranked, in ten-thousandths; zero while there are fewer than [`REJECTS_MIN`].
    pub rate: u32,
}

impl State {
    /// Returns how many of its last posts a buyer refused, in ten-thousandths, rounded down; zero before there are
    /// [`REJECTS_MIN`].
    pub fn reject_rate(&self, buyer: &str) -> u32 {
        self.rejects(buyer).rate
    }

    /// Returns how often a buyer refused what it won.
    pub fn rejects(&self, buyer: &str) -> Rejects {
        self.buyers.get(buyer).map(|purse| purse.ends.counted()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_posts_and_needs_some() {
        let mut ends = Ends::default();
        for _ in 1..REJECTS_MIN {
            ends.add(true);
            assert_eq!(ends.rate(), 0);
        }
        ends.add(false);
        assert_eq!(ends.rate(), 9_500);
        ends.add(false);
        assert_eq!(ends.rate(), 9_047, "19 of 21, rounded down");
        for _ in 0..REJECTS_WINDOW - 1 {
            ends.add(false);
        }
        assert_eq!(ends.rate(), 0, "the window has moved on");
        for _ in 0..2 * REJECTS_WINDOW {
            ends.add(true);
        }
        assert_eq!(ends.rate(), 10_000);
    }
}
