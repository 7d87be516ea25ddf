//! What the calls of one version cost, and which failed.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;

use super::OTHERS;

/// The most failures that are told apart by their words; the rest share a line.
pub const WORDS_MAX: usize = 20;
/// Digits of fuel that are kept: percentiles are exact to a thousandth.
const DIGITS: u8 = 3;

/// The calls of one version.
#[derive(Clone)]
pub(super) struct Spent {
    fuel: Histogram<u64>,
    failed: u64,
    words: BTreeMap<String, u64>,
}

impl Default for Spent {
    #[expect(clippy::expect_used, reason = "three digits are within what a histogram can keep")]
    fn default() -> Self {
        let fuel = Histogram::new(DIGITS).expect("a histogram of three digits");
        Self { fuel, failed: 0, words: BTreeMap::new() }
    }
}

impl fmt::Debug for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Spent");
        shown.field("calls", &self.fuel.len()).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Spent {
    /// Counts a call by its fuel, or by why it failed.
    pub(super) fn add(&mut self, call: &Result<u64, String>) {
        match call {
            // A histogram that resizes itself takes every number.
            Ok(fuel) => drop(self.fuel.record(*fuel)),
            Err(words) => {
                self.failed = self.failed.saturating_add(1);
                let full = !self.words.contains_key(words) && self.words.len() >= WORDS_MAX;
                let words = if full { OTHERS } else { words };
                let count = self.words.entry(words.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// Returns how many calls failed.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (&str, u64)> {
        self.words.iter().map(|(words, count)| (words.as_str(), *count))
    }

    /// Returns the fuel that so many of a hundred calls stay within, of those that did not fail; none if there are none.
    pub(super) fn percentile(&self, percent: u8) -> Option<u64> {
        let fuel = self.fuel.value_at_percentile(f64::from(percent));
        Some(fuel).filter(|_| !self.fuel.is_empty())
    }

    /// Returns the fuel that 99 of 100 calls stay within; none if more failed than that, for a failed call has no
    /// cost to speak of.
    pub(super) fn p99_of_all(&self) -> Option<u64> {
        let all = self.fuel.len().saturating_add(self.failed);
        let bearable = self.failed.saturating_mul(100) < all;
        self.percentile(99).filter(|_| bearable)
    }
}
