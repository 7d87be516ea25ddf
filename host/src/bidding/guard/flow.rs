//! How many calls one end point gets: at once, by what it copes with, and a second, by its contract.

use std::time::Instant;

/// The limit of calls at once begins here, or at the contract's if that is less.
pub(super) const START: u32 = 16;
const MILLI: u64 = 1_000;

/// Calls at once: one more for each round of good calls, half for a bad one (AIMD), from 1 to the contract's limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Concurrency {
    in_flight: u32,
    /// The limit in thousandths.
    limit: u64,
    most: u32,
    cut: Option<Instant>,
}

/// Between two cuts there has to be a round: calls that were out together fail together.
const BETWEEN_CUTS: std::time::Duration = std::time::Duration::from_millis(100);

impl Concurrency {
    pub(super) fn new(most: u32) -> Self {
        let most = most.max(1);
        Self { in_flight: 0, limit: u64::from(START.min(most)) * MILLI, most, cut: None }
    }

    /// Takes a place, if there is one.
    pub(super) fn enter(&mut self) -> bool {
        let free = self.in_flight < self.limit();
        self.in_flight = self.in_flight.saturating_add(u32::from(free));
        free
    }

    /// Gives a place back. `coped` says whether the end point coped with the call; nothing if the call says nothing.
    pub(super) fn leave(&mut self, now: Instant, coped: Option<bool>) {
        let crowded = self.in_flight.saturating_mul(2) >= self.limit();
        self.in_flight = self.in_flight.saturating_sub(1);
        match coped {
            // A limit that nobody reaches proves nothing.
            Some(true) if crowded => {
                let more = MILLI * MILLI / self.limit.max(MILLI);
                self.limit = (self.limit + more).min(u64::from(self.most) * MILLI);
            }
            Some(false) => {
                let recent =
                    self.cut.is_some_and(|cut| now.saturating_duration_since(cut) < BETWEEN_CUTS);
                if !recent {
                    self.limit = (self.limit / 2).max(MILLI);
                    self.cut = Some(now);
                }
            }
            Some(true) | None => (),
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many may be out at once by now.
    pub(super) fn limit(&self) -> u32 {
        u32::try_from(self.limit / MILLI).unwrap_or(u32::MAX)
    }

    /// What the contract allows.
    pub(super) fn most(&self) -> u32 {
        self.most
    }
}

/// Calls a second: a bucket that holds a second's worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    per_second: u32,
    /// Thousandths of a call.
    left: u64,
    at: Instant,
}

impl Quota {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second, left: u64::from(per_second) * MILLI, at: now }
    }

    /// The most calls a second, and how many are left of this moment's.
    pub(super) fn seen(mut self, now: Instant) -> (u32, u32) {
        self.refill(now);
        (self.per_second, u32::try_from(self.left / MILLI).unwrap_or(u32::MAX))
    }

    /// Takes a call, if there is one left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        let enough = self.left >= MILLI;
        if enough {
            self.left -= MILLI;
        }
        enough
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        // A call's thousandth comes each millisecond for every call a second.
        let whole_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        if whole_ms > 0 {
            let full = u64::from(self.per_second) * MILLI;
            let more = whole_ms.saturating_mul(u64::from(self.per_second));
            self.left = self.left.saturating_add(more).min(full);
            let counted = std::time::Duration::from_millis(whole_ms);
            self.at = self.at.checked_add(counted).unwrap_or(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_limit_grows_with_use_and_is_cut_once_a_round() {
        let now = Instant::now();
        let mut flow = Concurrency::new(32);
        assert_eq!(flow.limit(), START);
        let round = |flow: &mut Concurrency, now, coped| {
            let mut out = 0;
            while flow.enter() {
                out += 1;
            }
            (0..out).for_each(|_| flow.leave(now, coped));
            out
        };
        assert_eq!(round(&mut flow, now, Some(true)), 16);
        assert_eq!(round(&mut flow, now, Some(true)), 16);
        assert!(flow.limit() > START, "{flow:?}");
        for _ in 0..200 {
            round(&mut flow, now, Some(true));
        }
        assert_eq!(flow.limit(), 32);
        round(&mut flow, now, Some(false));
        assert_eq!(flow.limit(), 16);
        for step in 1..10 {
            round(&mut flow, now + Duration::from_secs(step), Some(false));
        }
        assert_eq!((flow.limit(), flow.in_flight()), (1, 0));
    }

    #[test]
    fn a_limit_that_is_not_reached_does_not_grow() {
        let now = Instant::now();
        let mut flow = Concurrency::new(1_000);
        for _ in 0..10_000 {
            assert!(flow.enter());
            flow.leave(now, Some(true));
        }
        assert_eq!(flow.limit(), START);
    }

    #[test]
    fn a_quota_is_a_second_s_worth_and_refills() {
        let start = Instant::now();
        let mut quota = Quota::new(10, start);
        let taken = |quota: &mut Quota, ms: u64| {
            (0..100).filter(|_| quota.take(start + Duration::from_millis(ms))).count()
        };
        assert_eq!(quota.seen(start), (10, 10));
        assert_eq!(taken(&mut quota, 0), 10);
        assert_eq!(quota.seen(start + Duration::from_millis(250)), (10, 2));
        assert_eq!(taken(&mut quota, 50), 0);
        assert_eq!(taken(&mut quota, 100), 1);
        assert_eq!(taken(&mut quota, 10_000), 10);
    }

    #[test]
    fn a_quota_that_is_asked_often_loses_nothing() {
        let start = Instant::now();
        let mut quota = Quota::new(7, start);
        let every_100_us = (0..100_000_u64).map(|tick| start + Duration::from_micros(tick * 100));
        let taken = every_100_us.filter(|now| quota.take(*now)).count();
        assert!((7 + 68..=7 + 70).contains(&taken), "{taken}");
    }
}
