//! What stands between the exchange and each buyer's end point: a breaker, a limit of calls at once, a quota.
//!
//! - Every call begins with a [`Ticket`] and ends with exactly one verdict; a ticket that is dropped says nothing.
//! - Never are more than [`OPEN_SHARE_MAX`] in a hundred of the end points shut off, one excepted: where everybody seems
//!   to fail, the fault is likely here, and an exchange that asks nobody sells nothing.
//! - Nothing is kept over a restart: every end point starts closed.

mod breaker;
mod flow;
mod latency;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;

use crate::catalog::Bidding;
use crate::ids::BuyerId;

use super::remote::Outcome;
use breaker::{Breaker, Change, Pass};
use flow::{Concurrency, Quota};

pub(super) use breaker::Verdict;
pub use breaker::{FAILURES_IN_A_ROW, OPEN, OPEN_MAX, PROBES, Stage, WINDOW, WINDOW_CALLS_MIN};
pub(super) use latency::Latency;
pub use latency::Quantiles;

/// Of a hundred end points in use, so many may be shut off at once; one always may.
pub const OPEN_SHARE_MAX: usize = 50;
/// More than half of the end points failing within this time are an alarm, if there are [`ALARM_MIN`] in use.
pub const ALARM_WINDOW: Duration = Duration::from_secs(10);
const ALARM_MIN: usize = 3;
/// An end point that nobody wanted to call for so long is not in use: its buyer may be paused.
const IN_USE: Duration = Duration::from_secs(60);
/// The most calls out at once to all buyers together.
pub const CALLS_MAX: usize = 8_192;
/// A buyer whose quickest tenth of answers takes longer than what is left is not asked, once this many are known.
const KNOWN_MIN: u64 = 20;
/// Of a contract that is longer than this, the time that nearly all of the buyer's answers take is enough, if it is known.
const LONG: Duration = Duration::from_secs(1);
/// All the same it is asked this often, or nobody would notice that it became quicker.
const ASKED_ANYWAY: Duration = Duration::from_secs(1);
/// Less time than this is no use to anybody.
const TIME_MIN: Duration = Duration::from_millis(2);

/// Why a buyer was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// Its end point failed too often.
    BreakerOpen { left: Duration },
    /// Enough probes are out to an end point that failed.
    Probing,
    /// As many calls are out as it copes with, or as its contract allows.
    Crowded { limit: u32 },
    /// It was asked as often this second as its contract allows.
    Quota,
    /// What is left of the source's deadline is no use.
    TooLittleTime { left: Duration },
}

/// The guards of all buyers.
#[derive(Clone, Debug)]
pub struct Guards(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    guards: DashMap<BuyerId, Arc<Guard>>,
    trips: Mutex<Trips>,
    out: AtomicUsize,
    seed: u64,
    born: Instant,
}

#[derive(Debug, Default)]
struct Trips {
    recent: VecDeque<(Instant, BuyerId)>,
    alarmed: Option<Instant>,
}

/// One buyer's end point.
#[derive(Debug)]
pub(super) struct Guard {
    buyer: BuyerId,
    contract: Arc<Bidding>,
    state: Mutex<State>,
    open: AtomicBool,
    /// When it was to be called last, also if it was not because it is shut off; in milliseconds after the birth of the
    /// guards.
    wanted_ms: AtomicU64,
    counts: [Count; Outcome::ALL.len()],
}

/// How often one outcome was.
#[derive(Debug)]
struct Count {
    seen: AtomicU64,
    told: metrics::Counter,
}

impl Count {
    fn of(buyer: &BuyerId, outcome: Outcome) -> Self {
        let labels = [("buyer", buyer.to_string()), ("outcome", outcome.code().to_owned())];
        let told = metrics::counter!("gavel_buyer_asked_total", &labels);
        Self { seen: AtomicU64::new(0), told }
    }
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    concurrency: Concurrency,
    quota: Option<Quota>,
    latency: Latency,
    called: Option<Instant>,
}

/// What can be seen of an end point.
#[derive(Clone, Debug)]
pub struct Seen {
    pub stage: Stage,
    pub ejections: u32,
    pub in_flight: u32,
    pub limit: u32,
    pub most: u32,
    /// The most calls a second by the contract, and how many are left at this moment; nothing if it names no such limit.
    pub quota: Option<(u32, u32)>,
    pub latency: Quantiles,
    /// How often each outcome was, since the start.
    pub counts: Vec<(Outcome, u64)>,
}

/// The right to call an end point once.
#[derive(Debug)]
pub(super) struct Ticket {
    guards: Guards,
    guard: Arc<Guard>,
    pass: Pass,
    ended: bool,
}

impl Guards {
    /// Guards that know nobody yet. The seed decides their lots.
    pub fn new(now: Instant, seed: u64) -> Self {
        Self(Arc::new(Shared {
            guards: DashMap::new(),
            trips: Mutex::default(),
            out: AtomicUsize::new(0),
            seed,
            born: now,
        }))
    }

    /// Returns the guard of a buyer's end point; a new one if the contract is another than it was.
    pub(super) fn of(&self, buyer: &BuyerId, contract: &Arc<Bidding>, now: Instant) -> Arc<Guard> {
        if let Some(guard) = self.0.guards.get(buyer)
            && guard.contract.is_same_end_point(contract)
        {
            return Arc::clone(&guard);
        }
        let name = u64::from_le_bytes(
            crate::ids::Digest::of(buyer.as_str().as_bytes())
                .as_bytes()
                .first_chunk()
                .copied()
                .unwrap_or_default(),
        );
        let state = State {
            breaker: Breaker::new(now, self.0.seed ^ name),
            concurrency: Concurrency::new(contract.concurrency),
            quota: contract.calls_per_second.map(|calls| Quota::new(calls, now)),
            latency: Latency::default(),
            called: None,
        };
        let guard = Arc::new(Guard {
            buyer: buyer.clone(),
            contract: Arc::clone(contract),
            state: Mutex::new(state),
            open: AtomicBool::new(false),
            wanted_ms: AtomicU64::new(0),
            counts: Outcome::ALL.map(|outcome| Count::of(buyer, outcome)),
        });
        self.0.guards.insert(buyer.clone(), Arc::clone(&guard));
        guard
    }

    /// Returns what can be seen of a buyer's end point; nothing if it was never asked.
    pub fn seen(&self, buyer: &BuyerId) -> Option<Seen> {
        let guard = Arc::clone(&*self.0.guards.get(buyer)?);
        Some(guard.seen())
    }

    /// Returns the right to call, if the end point may be called with so much time left.
    pub(super) fn admit(
        &self,
        guard: &Arc<Guard>,
        now: Instant,
        left: Duration,
    ) -> Result<Ticket, Skipped> {
        if self.0.out.fetch_add(1, Ordering::Relaxed) >= CALLS_MAX {
            self.0.out.fetch_sub(1, Ordering::Relaxed);
            return Err(Skipped::Crowded { limit: guard.state().concurrency.limit() });
        }
        let admitted = guard.admit(now, left);
        if matches!(admitted, Ok(_) | Err(Skipped::BreakerOpen { .. } | Skipped::Probing)) {
            guard.wanted_ms.store(self.age_ms(now).max(1), Ordering::Relaxed);
        }
        match admitted {
            Ok(pass) => {
                let (guards, guard) = (self.clone(), Arc::clone(guard));
                Ok(Ticket { guards, guard, pass, ended: false })
            }
            Err(skipped) => {
                self.0.out.fetch_sub(1, Ordering::Relaxed);
                Err(skipped)
            }
        }
    }

    fn age_ms(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.0.born);
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }

    /// Decides whether one more end point may be shut off, and raises the alarm where too many want to be.
    fn may_open(&self, guard: &Guard, now: Instant) -> bool {
        let mut trips = self.0.trips.lock().unwrap_or_else(PoisonError::into_inner);
        trips.recent.retain(|(at, buyer)| {
            now.saturating_duration_since(*at) <= ALARM_WINDOW && *buyer != guard.buyer
        });
        trips.recent.push_back((now, guard.buyer.clone()));
        let now_ms = self.age_ms(now);
        let in_use_ms = u64::try_from(IN_USE.as_millis()).unwrap_or(u64::MAX);
        let (mut in_use, mut open) = (0_usize, 0_usize);
        for other in &self.0.guards {
            let wanted = other.wanted_ms.load(Ordering::Relaxed);
            if wanted == 0 || now_ms - wanted.min(now_ms) > in_use_ms {
                continue;
            }
            in_use += 1;
            let shut = other.open.load(Ordering::Relaxed) && other.buyer != guard.buyer;
            open += usize::from(shut);
        }
        if in_use >= ALARM_MIN && trips.recent.len().saturating_mul(2) > in_use {
            let alarmed = trips.alarmed;
            let quiet = |at| now.saturating_duration_since(at) > ALARM_WINDOW;
            if alarmed.is_none_or(quiet) {
                trips.alarmed = Some(now);
                metrics::counter!("gavel_buyers_failing_together_total").increment(1);
                tracing::error!(
                    failing = trips.recent.len(),
                    in_use,
                    "more than half of the buyers fail at once: look at this machine's network, names and load first"
                );
            }
        }
        let may =
            open == 0 || (open + 1).saturating_mul(100) <= in_use.saturating_mul(OPEN_SHARE_MAX);
        if may {
            guard.open.store(true, Ordering::Relaxed);
        }
        may
    }
}

impl Guard {
    /// Counts an outcome, as the auction saw it.
    pub(super) fn count(&self, outcome: Outcome) {
        if let Some(count) = self.counts.get(outcome.place()) {
            count.seen.fetch_add(1, Ordering::Relaxed);
            count.told.increment(1);
        }
    }

    fn seen(&self) -> Seen {
        let state = self.state();
        Seen {
            stage: state.breaker.stage(),
            ejections: state.breaker.ejections(),
            in_flight: state.concurrency.in_flight(),
            limit: state.concurrency.limit(),
            most: state.concurrency.most(),
            quota: state.quota.map(|quota| quota.seen(Instant::now())),
            latency: state.latency.quantiles(),
            counts: Outcome::ALL
                .iter()
                .zip(&self.counts)
                .map(|(outcome, count)| (*outcome, count.seen.load(Ordering::Relaxed)))
                .collect(),
        }
    }

    fn admit(&self, now: Instant, left: Duration) -> Result<Pass, Skipped> {
        let mut state = self.state();
        if let Stage::Open { until } = state.breaker.stage()
            && now < until
        {
            return Err(Skipped::BreakerOpen { left: until.saturating_duration_since(now) });
        }
        let quickest = Duration::from_micros(u64::from(state.latency.quantiles().p10));
        let known = state.latency.seen() >= KNOWN_MIN;
        let lately =
            state.called.is_some_and(|at| now.saturating_duration_since(at) < ASKED_ANYWAY);
        if left < TIME_MIN || (known && lately && left < quickest) {
            return Err(Skipped::TooLittleTime { left });
        }
        if !state.concurrency.enter() {
            return Err(Skipped::Crowded { limit: state.concurrency.limit() });
        }
        let refused = if state.quota.as_mut().is_some_and(|quota| !quota.take(now)) {
            Skipped::Quota
        } else {
            match state.breaker.admit(now) {
                Ok(pass) => {
                    state.called = Some(now);
                    return Ok(pass);
                }
                Err(_) => Skipped::Probing,
            }
        };
        state.concurrency.leave(now, None);
        Err(refused)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of the state is whole, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Returns how long the end point may take before it is its own fault that an answer is late, whatever its source has
    /// time for.
    pub(super) fn fair_time(&self) -> Duration {
        let state = self.guard.state();
        let slowest = Duration::from_micros(u64::from(state.latency.quantiles().p99));
        let own = (state.latency.seen() >= KNOWN_MIN).then(|| slowest.max(LONG));
        self.guard.contract.timeout.min(own.unwrap_or(Duration::MAX))
    }

    /// Ends the call. `took` is how long the answer took, if there was one.
    pub(super) fn end(mut self, now: Instant, verdict: Verdict, took: Option<Duration>) {
        self.finish(now, verdict, took);
    }

    fn finish(&mut self, now: Instant, verdict: Verdict, took: Option<Duration>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.guards.0.out.fetch_sub(1, Ordering::Relaxed);
        let (guards, guard) = (&self.guards, &self.guard);
        let mut state = guard.state();
        state.concurrency.leave(
            now,
            match verdict {
                Verdict::Good => Some(true),
                Verdict::Bad => Some(false),
                Verdict::Nothing => None,
            },
        );
        if let Some(took) = took {
            state.latency.record(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
        let change = state.breaker.record(now, self.pass, verdict, || guards.may_open(guard, now));
        drop(state);
        self.tell(change, now);
    }

    fn tell(&self, change: Option<Change>, now: Instant) {
        let buyer = &self.guard.buyer;
        let gauge =
            || metrics::gauge!("gavel_buyer_breaker_open", "buyer" => buyer.as_str().to_owned());
        match change {
            None => (),
            Some(Change::Opened { until }) => {
                self.guard.open.store(true, Ordering::Relaxed);
                gauge().set(1);
                let rest = until.saturating_duration_since(now);
                tracing::warn!(%buyer, ?rest, "end point shut off: it failed too often");
            }
            Some(Change::Kept) => {
                metrics::counter!("gavel_buyer_breaker_kept_closed_total", "buyer" => buyer.as_str().to_owned()).increment(1);
            }
            Some(Change::Closed) => {
                self.guard.open.store(false, Ordering::Relaxed);
                gauge().set(0);
                tracing::info!(%buyer, "end point in use again");
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.finish(Instant::now(), Verdict::Nothing, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Headers;
    use crate::egress::Egress;

    const LEFT: Duration = Duration::from_secs(10);

    /// The guards of buyers of these names.
    fn guards(names: &[&str], now: Instant) -> (Guards, Vec<Arc<Guard>>) {
        let guards = Guards::new(now, 1);
        let destination = Egress::public().check("https://bids.buyer.example/").unwrap();
        let contract = Arc::new(Bidding {
            destination,
            timeout: LEFT,
            bid_max: None,
            calls_per_second: None,
            concurrency: 8,
            headers: Headers::default(),
            adapter: None,
        });
        let of = |name: &&str| guards.of(&BuyerId::parse(name).unwrap(), &contract, now);
        let all = names.iter().map(of).collect();
        (guards, all)
    }

    /// Calls an end point so often, and returns how many calls were let through.
    fn call(guards: &Guards, guard: &Arc<Guard>, now: Instant, verdict: Verdict) -> u32 {
        let admitted = (0..60).filter_map(|_| guards.admit(guard, now, LEFT).ok());
        let ended = admitted.map(|ticket| ticket.end(now, verdict, None));
        u32::try_from(ended.count()).unwrap()
    }

    #[test]
    fn an_end_point_that_nobody_wants_any_more_shields_no_other() {
        let born = Instant::now();
        let (guards, all) = guards(&["alfa", "bravo", "carol"], born);
        let [alfa, bravo, carol] = &all[..] else { panic!("{all:?}") };
        call(&guards, carol, born, Verdict::Good);
        call(&guards, bravo, born, Verdict::Good);
        assert!(call(&guards, alfa, born, Verdict::Bad) < 60, "the first is shut off");
        // While it is wanted, at most half of all may be shut off: of three, one.
        let soon = born + Duration::from_secs(1);
        assert_eq!(call(&guards, bravo, soon, Verdict::Bad), 60);
        let later = born + IN_USE + Duration::from_secs(5);
        call(&guards, carol, later, Verdict::Good);
        assert!(call(&guards, bravo, later, Verdict::Bad) < 60, "its buyer was paused meanwhile");
    }
}
