//! How much of a source's deadline the exchange needs for itself once the bids are in: deciding, writing to the disk,
//! answering.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::guard::Latency;

/// What is kept back until the exchange knows its own pace.
pub const TAIL_AT_FIRST: Duration = Duration::from_millis(25);
/// The least and the most that is kept back.
pub const TAIL_MIN: Duration = Duration::from_millis(5);
pub const TAIL_MAX: Duration = Duration::from_millis(150);
/// What writing the answer to the connection takes, and what timers are late by: not measured, kept back on top.
const ANSWERING: Duration = Duration::from_millis(3);

/// The measured time from the last bid to the durable decision.
#[derive(Debug)]
pub struct Tail {
    latency: Mutex<Latency>,
    p99_micros: AtomicU64,
}

impl Default for Tail {
    fn default() -> Self {
        let at_first = TAIL_AT_FIRST.saturating_sub(ANSWERING);
        let micros = u64::try_from(at_first.as_micros()).unwrap_or(0);
        Self { latency: Mutex::default(), p99_micros: AtomicU64::new(micros) }
    }
}

impl Tail {
    /// Returns what is kept back: 99 in 100 decisions took less.
    pub fn kept_back(&self) -> Duration {
        let p99 = Duration::from_micros(self.p99_micros.load(Ordering::Relaxed));
        (p99 + ANSWERING).clamp(TAIL_MIN, TAIL_MAX)
    }

    /// Notes that a decision which began then is durable by now.
    pub fn closed(&self, began: Instant) {
        let took = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
        let mut latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        if latency.record(took) {
            let p99 = latency.quantiles().p99;
            self.p99_micros.store(u64::from(p99), Ordering::Relaxed);
            metrics::gauge!("gavel_own_tail_micros").set(p99);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_back_follows_what_was_measured() {
        let tail = Tail::default();
        assert_eq!(tail.kept_back(), TAIL_AT_FIRST);
        let ago = |ms| Instant::now().checked_sub(Duration::from_millis(ms)).unwrap();
        (0..64).for_each(|_| tail.closed(ago(40)));
        assert!((43..60).contains(&tail.kept_back().as_millis()), "{:?}", tail.kept_back());
        (0..64).for_each(|_| tail.closed(ago(4_000)));
        assert_eq!(tail.kept_back(), TAIL_MAX);
        (0..512).for_each(|_| tail.closed(Instant::now()));
        assert_eq!(tail.kept_back(), TAIL_MIN);
    }
}
