//! The circuit breaker of one buyer's end point: a state machine that is told the time.
//!
//! Closed, it counts; open, nobody calls; half-open, a few probes find out. One call has one outcome. Whether it may open
//! at all is also for others to say: see [`super::Guards`].

use std::time::{Duration, Instant};

/// So many failures in a row open the breaker.
pub const FAILURES_IN_A_ROW: u32 = 5;
/// Or half of the calls of [`WINDOW`], once there were so many.
pub const WINDOW_CALLS_MIN: u32 = 20;
pub const WINDOW: Duration = Duration::from_secs(10);
/// How long it is open the first time; the n-th time in a row n times as long, up to [`OPEN_MAX`], and up to a quarter
/// more by lot, so that buyers who fell together do not come back together.
pub const OPEN: Duration = Duration::from_secs(30);
pub const OPEN_MAX: Duration = Duration::from_secs(300);
/// So many probes in a row have to succeed. The first goes alone; each success lets one more go at the same time.
pub const PROBES: u32 = 10;
/// A breaker that stayed closed for so long has made up for one opening.
pub(super) const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

/// The window's seconds.
const SECONDS: usize = 10;

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Closed,
    Open { until: Instant },
    HalfOpen { out: u32, good: u32 },
}

/// What one call says of the end point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bidding) enum Verdict {
    /// It answered in time, whatever it said.
    Good,
    /// It did not, and that is its own doing.
    Bad,
    /// Nothing: the exchange itself was late, or gave the call up.
    Nothing,
}

/// The right to call, handed back with the call's [`Verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Call,
    Probe,
}

/// What a verdict changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Opened {
        until: Instant,
    },
    /// It was to open, but others are open already.
    Kept,
    Closed,
}

/// The breaker of one end point.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    stage: Stage,
    /// Openings in a row, with some forgiven.
    ejections: u32,
    in_a_row: u32,
    seconds: [Second; SECONDS],
    closed_since: Instant,
    born: Instant,
    dice: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    number: u64,
    calls: u32,
    bad: u32,
}

impl Breaker {
    /// A closed breaker. The seed decides its lots.
    pub(super) fn new(now: Instant, seed: u64) -> Self {
        Self {
            stage: Stage::Closed,
            ejections: 0,
            in_a_row: 0,
            seconds: [Second::default(); SECONDS],
            closed_since: now,
            born: now,
            dice: seed,
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// How often in a row it has opened.
    pub(super) fn ejections(&self) -> u32 {
        self.ejections
    }

    /// Returns the right to call, or until when nobody may.
    pub(super) fn admit(&mut self, now: Instant) -> Result<Pass, Instant> {
        if let Stage::Open { until } = self.stage {
            if now < until {
                return Err(until);
            }
            self.stage = Stage::HalfOpen { out: 0, good: 0 };
        }
        match &mut self.stage {
            Stage::HalfOpen { out, good } if *out > (*good).min(PROBES.saturating_sub(1)) => {
                // Enough are out to find out.
                Err(now)
            }
            Stage::HalfOpen { out, .. } => {
                *out = out.saturating_add(1);
                Ok(Pass::Probe)
            }
            Stage::Closed | Stage::Open { .. } => Ok(Pass::Call),
        }
    }

    /// Takes a call's verdict. `may_open` is asked only when the breaker is about to open from closed.
    pub(super) fn record(
        &mut self,
        now: Instant,
        pass: Pass,
        verdict: Verdict,
        may_open: impl FnOnce() -> bool,
    ) -> Option<Change> {
        match (self.stage, pass) {
            (Stage::HalfOpen { out, good }, Pass::Probe) => {
                self.probed(now, out.saturating_sub(1), good, verdict)
            }
            (Stage::Closed, _) => {
                self.count(now, verdict);
                if !self.is_failing(now) {
                    return None;
                }
                self.start_over();
                if may_open() {
                    let closed = now.saturating_duration_since(self.closed_since);
                    let forgiven = closed.as_secs() / FORGIVEN_AFTER.as_secs();
                    let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
                    self.ejections = self.ejections.saturating_sub(forgiven);
                    Some(self.open(now))
                } else {
                    Some(Change::Kept)
                }
            }
            // A call that began before the breaker opened says nothing new.
            (Stage::Open { .. } | Stage::HalfOpen { .. }, _) => None,
        }
    }

    fn probed(&mut self, now: Instant, out: u32, good: u32, verdict: Verdict) -> Option<Change> {
        match verdict {
            Verdict::Bad => return Some(self.open(now)),
            Verdict::Nothing => self.stage = Stage::HalfOpen { out, good },
            Verdict::Good => {
                let good = good.saturating_add(1);
                self.stage = Stage::HalfOpen { out, good };
                if good >= PROBES {
                    self.stage = Stage::Closed;
                    self.closed_since = now;
                    self.start_over();
                    return Some(Change::Closed);
                }
            }
        }
        None
    }

    fn open(&mut self, now: Instant) -> Change {
        self.ejections = self.ejections.saturating_add(1);
        let open = OPEN.saturating_mul(self.ejections).min(OPEN_MAX);
        let quarter = u64::try_from(open.as_millis() / 4).unwrap_or(0);
        let lot = Duration::from_millis(self.roll() % quarter.saturating_add(1));
        let until = now.checked_add((open + lot).min(OPEN_MAX)).unwrap_or(now);
        self.stage = Stage::Open { until };
        Change::Opened { until }
    }

    fn count(&mut self, now: Instant, verdict: Verdict) {
        let bad = match verdict {
            Verdict::Nothing => return,
            Verdict::Good => {
                self.in_a_row = 0;
                0
            }
            Verdict::Bad => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                1
            }
        };
        let number = self.second(now);
        let place = usize::try_from(number % SECONDS as u64).unwrap_or(0);
        if let Some(second) = self.seconds.get_mut(place) {
            if second.number != number {
                *second = Second { number, ..Second::default() };
            }
            second.calls = second.calls.saturating_add(1);
            second.bad = second.bad.saturating_add(bad);
        }
    }

    fn is_failing(&self, now: Instant) -> bool {
        if self.in_a_row >= FAILURES_IN_A_ROW {
            return true;
        }
        let number = self.second(now);
        let within = |second: &&Second| number.saturating_sub(second.number) < SECONDS as u64;
        let (calls, bad) =
            self.seconds.iter().filter(within).fold((0_u32, 0_u32), |(calls, bad), second| {
                (calls.saturating_add(second.calls), bad.saturating_add(second.bad))
            });
        calls >= WINDOW_CALLS_MIN && bad.saturating_mul(2) >= calls
    }

    /// Counted from 1, so that a second that was never used is no second.
    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.born).as_secs().saturating_add(SECONDS as u64)
    }

    fn start_over(&mut self) {
        self.in_a_row = 0;
        self.seconds = [Second::default(); SECONDS];
    }

    /// The generator of Steele, Lea and Flood (SplitMix64).
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays a script of `+` good, `-` bad, `0` nothing, each a call at once, and `.` a second that passes; shows where
    /// the breaker stands at the end.
    fn play(script: &str, may_open: bool) -> String {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(now, 7);
        for step in script.chars() {
            let verdict = match step {
                '+' => Verdict::Good,
                '-' => Verdict::Bad,
                '0' => Verdict::Nothing,
                '.' => {
                    now += Duration::from_secs(1);
                    continue;
                }
                _ => continue,
            };
            if let Ok(pass) = breaker.admit(now) {
                breaker.record(now, pass, verdict, || may_open);
            }
        }
        match breaker.stage() {
            Stage::Closed => "closed".to_owned(),
            Stage::Open { .. } => format!("open {}", breaker.ejections()),
            Stage::HalfOpen { out, good } => format!("half-open {out} {good}"),
        }
    }

    fn check(script: &str, expected: &str) {
        assert_eq!(play(script, true), expected, "{script}");
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        check("----", "closed");
        check("-----", "open 1");
        check("----+----", "closed");
        check("----0-", "open 1");
    }

    #[test]
    fn half_of_twenty_calls_within_ten_seconds_open_it() {
        check("-+-+-+-+-+-+-+-+-+-", "closed");
        check("-+-+-+-+-+-+-+-+-+-+", "open 1");
        check("-+-+-+-+-+-+-+-+-+-..........+", "closed");
        check("-++-++-++-++-++-++-++-++-++-++-++-++", "closed");
    }

    #[test]
    fn it_opens_for_longer_each_time() {
        let wait = ".".repeat(38);
        check(&format!("-----{wait}-"), "open 2");
        // Twice 30 seconds and a lot: still open after 38.
        check(&format!("-----{wait}-{wait}+"), "open 2");
        check(&format!("-----{wait}-{wait}{wait}+"), "half-open 0 1");
    }

    #[test]
    fn ten_good_probes_close_it_and_a_bad_one_opens_it() {
        let wait = ".".repeat(38);
        check(&format!("-----{wait}+++++++++"), "half-open 0 9");
        check(&format!("-----{wait}++++++++++"), "closed");
        check(&format!("-----{wait}+++++++++-"), "open 2");
        check(&format!("-----{wait}00000"), "half-open 0 0");
    }

    #[test]
    fn an_old_opening_is_forgiven() {
        let (wait, hour) = (".".repeat(38), ".".repeat(3_600));
        check(&format!("-----{wait}++++++++++{hour}-----"), "open 1");
        check(&format!("-----{wait}++++++++++-----"), "open 2");
    }

    #[test]
    fn what_may_not_open_stays_closed_and_counts_from_the_start() {
        assert_eq!(play("-----", false), "closed");
    }

    #[test]
    fn probes_go_one_by_one_at_first() {
        let start = Instant::now();
        let mut breaker = Breaker::new(start, 1);
        for _ in 0..FAILURES_IN_A_ROW {
            let pass = breaker.admit(start).unwrap();
            breaker.record(start, pass, Verdict::Bad, || true);
        }
        let later = start + OPEN_MAX;
        let mut most = 0;
        for _ in 0..PROBES {
            let mut out = Vec::new();
            while let Ok(pass) = breaker.admit(later) {
                out.push(pass);
                if out.len() > 20 {
                    break;
                }
            }
            most = out.len().max(most);
            for pass in out {
                breaker.record(later, pass, Verdict::Nothing, || true);
            }
            let pass = breaker.admit(later).unwrap();
            breaker.record(later, pass, Verdict::Good, || true);
        }
        assert_eq!(most, usize::try_from(PROBES).unwrap());
        assert_eq!(breaker.stage(), Stage::Closed);
    }

    /// Calls so often a second for so many seconds an end point that is as good as `good` says; returns how many calls
    /// were made and how often the breaker opened.
    fn live(per_second: u64, seconds: u64, good: impl Fn(u64, u64) -> bool) -> (u64, u32) {
        let start = Instant::now();
        let mut breaker = Breaker::new(start, 3);
        let (mut called, mut opened) = (0, 0);
        for number in 0..per_second * seconds {
            let ms = number * 1_000 / per_second;
            let now = start + Duration::from_millis(ms);
            let Ok(pass) = breaker.admit(now) else { continue };
            called += 1;
            let verdict = if good(ms / 1_000, number) { Verdict::Good } else { Verdict::Bad };
            let change = breaker.record(now, pass, verdict, || true);
            opened += u32::from(matches!(change, Some(Change::Opened { .. })));
        }
        (called, opened)
    }

    #[test]
    fn a_flapping_end_point_swings_at_most_once_a_minute() {
        let (called, opened) = live(50, 1_200, |second, _| second / 30 % 2 == 0);
        assert!(opened <= 20, "{opened} openings in 20 minutes");
        assert!(called > 1_000, "{called} calls: it is used while it is well");
    }

    #[test]
    fn an_end_point_that_fails_half_of_the_time_is_left_alone() {
        let (called, opened) = live(50, 1_200, |_, number| number % 2 == 0);
        assert!(opened <= 20 && called < 50 * 1_200 / 20, "{called} calls, {opened} openings");
    }

    #[test]
    fn an_end_point_that_fails_now_and_then_is_kept() {
        let (called, opened) = live(50, 1_200, |_, number| number % 7 != 0);
        assert_eq!((called, opened), (50 * 1_200, 0));
    }

    proptest! {
        #[test]
        fn it_is_never_open_for_longer_than_allowed_and_always_comes_back(
            script in proptest::collection::vec((0..4_u8, 0..2_000_u64), 1..400),
            seed in any::<u64>(),
        ) {
            let mut now = Instant::now();
            let mut breaker = Breaker::new(now, seed);
            let mut out: Vec<Pass> = Vec::new();
            for (act, wait_ms) in script {
                now += Duration::from_millis(wait_ms);
                match act {
                    0 | 1 => out.extend(breaker.admit(now).ok()),
                    2 => {
                        if let Some(pass) = out.pop() {
                            breaker.record(now, pass, Verdict::Bad, || true);
                        }
                    }
                    _ => {
                        if let Some(pass) = out.pop() {
                            breaker.record(now, pass, Verdict::Good, || true);
                        }
                    }
                }
                if let Stage::Open { until } = breaker.stage() {
                    prop_assert!(until <= now + OPEN_MAX);
                }
            }
            for pass in out.drain(..) {
                breaker.record(now, pass, Verdict::Nothing, || true);
            }
            now += OPEN_MAX;
            for _ in 0..=PROBES {
                let pass = breaker.admit(now);
                prop_assert!(pass.is_ok(), "{breaker:?}");
                breaker.record(now, pass.unwrap(), Verdict::Good, || true);
            }
            prop_assert_eq!(breaker.stage(), Stage::Closed);
        }

        #[test]
        fn an_end_point_that_always_fails_gets_hardly_any_calls(
            seed in any::<u64>(), per_second in 1..200_u64,
        ) {
            let start = Instant::now();
            let mut breaker = Breaker::new(start, seed);
            let (mut called, calls) = (0_u64, per_second * 600);
            for number in 0..calls {
                let now = start + Duration::from_millis(number * 1_000 / per_second);
                if let Ok(pass) = breaker.admit(now) {
                    called += 1;
                    breaker.record(now, pass, Verdict::Bad, || true);
                }
            }
            // Five to open, then a probe each time.
            prop_assert!(called <= 5 + 8, "{called} of {calls}");
        }
    }
}
