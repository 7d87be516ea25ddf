//! How long answers take: quantiles of the newest ones.

/// How many are kept.
const KEPT: usize = 256;
/// Quantiles are computed anew after so many.
const EVERY: u32 = 16;

/// The newest durations in microseconds, with their quantiles.
#[derive(Clone, Debug)]
pub(in crate::bidding) struct Latency {
    newest: Vec<u32>,
    next: usize,
    since: u32,
    seen: u64,
    quantiles: Quantiles,
}

/// Of a hundred durations, so many are shorter; in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    pub p10: u32,
    pub p50: u32,
    pub p99: u32,
}

impl Default for Latency {
    fn default() -> Self {
        let quantiles = Quantiles::default();
        Self { newest: Vec::with_capacity(KEPT), next: 0, since: 0, seen: 0, quantiles }
    }
}

impl Latency {
    /// Takes a duration; returns whether the quantiles were computed anew.
    pub(in crate::bidding) fn record(&mut self, micros: u32) -> bool {
        match self.newest.get_mut(self.next) {
            Some(place) => *place = micros,
            None => self.newest.push(micros),
        }
        self.next = (self.next + 1) % KEPT;
        self.seen = self.seen.saturating_add(1);
        self.since += 1;
        let due = self.since >= EVERY || self.seen <= u64::from(EVERY);
        if due {
            self.since = 0;
            let mut sorted = self.newest.clone();
            sorted.sort_unstable();
            let at = |percent: usize| {
                sorted.get(sorted.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0)
            };
            self.quantiles = Quantiles { p10: at(10), p50: at(50), p99: at(99) };
        }
        due
    }

    pub(in crate::bidding) fn quantiles(&self) -> Quantiles {
        self.quantiles
    }

    /// How many durations there ever were.
    pub(in crate::bidding) fn seen(&self) -> u64 {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_newest() {
        let mut latency = Latency::default();
        (1..=100).for_each(|micros| {
            latency.record(micros);
        });
        let Quantiles { p10, p50, p99 } = latency.quantiles();
        assert!((8..=11).contains(&p10) && (45..=51).contains(&p50) && p99 >= 90);
        for _ in 0..KEPT {
            latency.record(7_000);
        }
        assert_eq!(latency.quantiles(), Quantiles { p10: 7_000, p50: 7_000, p99: 7_000 });
        assert_eq!(latency.seen(), 100 + KEPT as u64);
    }
}
