//! Time, as an argument: the one place that asks the machine what time it is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Notify;

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// A point in time, in whole milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self(unix_ms)
    }

    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Returns the day in UTC, counted from 1970-01-01.
    pub fn day(self) -> i32 {
        i32::try_from(self.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX)
    }

    /// Returns the moment this much later; the end of time is its own later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the moment as a clock on the wall of this time zone shows it.
    pub fn in_zone(self, zone: &TimeZone) -> jiff::civil::DateTime {
        zone.to_datetime(self.timestamp())
    }

    /// Writes the moment as RFC 3339 with the time zone's offset, to the millisecond.
    pub fn in_zone_text(self, zone: &TimeZone) -> String {
        let zoned = self.timestamp().to_zoned(zone.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
    }

    /// Returns how far the clocks of this time zone are from UTC.
    pub fn offset_in_zone(self, zone: &TimeZone) -> jiff::tz::Offset {
        zone.to_offset(self.timestamp())
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }
}

/// RFC 3339 in UTC, to the millisecond.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

/// Where the exchange gets its time from: the machine, or a test's hand.
///
/// It tells two times. [`now`](Clock::now) is what the wall says, which somebody may set. [`steady`](Clock::steady) is
/// moved by nothing but the passing of time: money is held by it, so that no hold ends early or never because a clock was
/// set.
#[derive(Clone, Debug)]
pub struct Clock {
    began: Moment,
    running: Instant,
    hand: Option<Arc<Hand>>,
}

/// A clock that a test moves.
#[derive(Debug)]
struct Hand {
    wall: AtomicI64,
    steady: AtomicI64,
    /// By how much the wall jumped.
    jumped: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "the clock is where time comes from")]
    pub fn system() -> Self {
        let began = Moment(Timestamp::now().as_millisecond());
        Self { began, running: Instant::now(), hand: None }
    }

    /// A clock that stands still until it is [set](Clock::set).
    pub fn standing(at: Moment) -> Self {
        let hand = Hand {
            wall: AtomicI64::new(at.0),
            steady: AtomicI64::new(at.0),
            jumped: AtomicI64::new(0),
            moved: Notify::new(),
        };
        Self { hand: Some(Arc::new(hand)), ..Self::system() }
    }

    /// Lets time pass on a standing clock, and on every clone of it; none passes if the moment was reached before. The
    /// machine's clock stays as it is.
    pub fn set(&self, at: Moment) {
        if let Some(hand) = &self.hand {
            let passed = at.0.saturating_sub(hand.jumped.load(Ordering::SeqCst));
            hand.wall.store(at.0, Ordering::SeqCst);
            hand.steady.fetch_max(passed, Ordering::SeqCst);
            hand.moved.notify_waiters();
        }
    }

    /// Sets a standing clock's wall without any time passing, as somebody sets a machine's.
    pub fn jump(&self, at: Moment) {
        if let Some(hand) = &self.hand {
            let before = hand.wall.swap(at.0, Ordering::SeqCst);
            hand.jumped.fetch_add(at.0.saturating_sub(before), Ordering::SeqCst);
            hand.moved.notify_waiters();
        }
    }

    /// Returns the time on the wall.
    #[expect(clippy::disallowed_methods, reason = "the clock is where time comes from")]
    pub fn now(&self) -> Moment {
        match &self.hand {
            Some(hand) => Moment(hand.wall.load(Ordering::SeqCst)),
            None => Moment(Timestamp::now().as_millisecond()),
        }
    }

    /// Returns the time that only its passing moves. It began with the wall's, or where [`not_before`](Clock::not_before)
    /// said.
    pub fn steady(&self) -> Moment {
        match &self.hand {
            Some(hand) => Moment(hand.steady.load(Ordering::SeqCst)),
            None => self.began.after(self.running.elapsed()),
        }
    }

    /// Returns the clock with a steady time that is nowhere before this moment: what was recorded by it before a restart.
    #[must_use]
    pub fn not_before(self, moment: Moment) -> Self {
        if let Some(hand) = &self.hand {
            let before = hand.steady.fetch_max(moment.0, Ordering::SeqCst);
            let behind = moment.0.saturating_sub(before).max(0);
            hand.jumped.fetch_sub(behind, Ordering::SeqCst);
        }
        Self { began: self.began.max(moment), ..self }
    }

    /// Waits until the steady time is past a moment.
    pub async fn past(&self, moment: Moment) {
        loop {
            let moved = self.hand.as_ref().map(|hand| hand.moved.notified());
            let left = moment.0.saturating_sub(self.steady().0);
            let Ok(left) = u64::try_from(left) else { return };
            match moved {
                Some(moved) => moved.await,
                None => tokio::time::sleep(Duration::from_millis(left.saturating_add(1))).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Returns how many hours the wall and the steady time are from the beginning.
    fn hours(clock: &Clock) -> (i64, i64) {
        (clock.now().unix_ms() / HOUR, clock.steady().unix_ms() / HOUR)
    }

    #[test]
    fn the_wall_jumps_and_the_steady_time_only_passes() {
        let clock = Clock::standing(Moment::default());
        let at = |hours: i64| Moment::from_unix_ms(hours * HOUR);
        clock.set(at(2));
        assert_eq!(hours(&clock), (2, 2));
        clock.jump(at(26));
        assert_eq!(hours(&clock), (26, 2));
        clock.set(at(27));
        assert_eq!(hours(&clock), (27, 3));
        clock.jump(at(-24));
        clock.set(at(-23));
        assert_eq!(hours(&clock), (-23, 4));
        clock.set(at(-24));
        assert_eq!(hours(&clock), (-24, 4));
        assert_eq!(hours(&clock.not_before(at(9))), (-24, 9));
    }

    #[tokio::test]
    async fn a_moment_is_waited_for_by_the_steady_time() {
        let (clock, at) = (Clock::standing(Moment::default()), Moment::from_unix_ms);
        let waiting = clock.past(at(1_000));
        tokio::pin!(waiting);
        for set in
            [|clock: &Clock| clock.jump(Moment(9_000)), |clock: &Clock| clock.set(Moment(10_000))]
        {
            set(&clock);
            let soon = tokio::time::timeout(Duration::from_millis(20), &mut waiting).await;
            assert!(soon.is_err(), "{:?}", clock.steady());
        }
        clock.set(at(10_001));
        waiting.await;
        let system = Clock::system();
        let began = system.steady();
        system.past(began.after(Duration::from_millis(5))).await;
        assert!(system.steady() > began.after(Duration::from_millis(5)));
    }
}
