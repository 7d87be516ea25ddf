//! What happened so far, counted on the sources' side of the wire.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::answers::{No, Verdict};
use crate::money::Micros;

/// How many events the view remembers.
const EVENTS_MAX: usize = 6;
/// How many unexplained answers are kept to be shown.
const UNEXPLAINED_MAX: usize = 20;
/// How many sales are kept to be checked.
const SALES_MAX: usize = 20_000;
/// The longest latency that is told apart, in microseconds.
const LATENCY_US_MAX: u64 = 60_000_000;

/// The counts, shared by the stream, the view and the checks.
#[derive(Debug)]
pub(super) struct Tally {
    counts: Mutex<Counts>,
    latency: Mutex<Histogram<u64>>,
    sales: Mutex<Sales>,
}

/// Everything that is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Leads that were offered, by ping or by a full call.
    pub(super) offered: u64,
    pub(super) answered: u64,
    pub(super) accepted: u64,
    pub(super) posted: u64,
    pub(super) sold: u64,
    /// Sales whose outcome was still open when the post was answered.
    pub(super) pending: u64,
    /// Leads that were due while too many were under way.
    pub(super) skipped: u64,
    /// Calls without any answer, and why the last one had none.
    pub(super) unanswered: u64,
    pub(super) last_unanswered: Option<String>,
    pub(super) said_no: BTreeMap<(No, String), u64>,
    pub(super) refused: BTreeMap<(u16, String), u64>,
    pub(super) unexplained: u64,
    pub(super) unexplained_quotes: Vec<String>,
    /// Posts that were sent twice under one key, and those that heard two different answers.
    pub(super) repeated: u64,
    pub(super) repeated_differently: u64,
    /// What sources were told they are paid.
    pub(super) payout: Micros,
    /// The latest events, and how many there were in all.
    pub(super) events: VecDeque<String>,
    pub(super) event_count: u64,
    latest_accepted: Option<String>,
    under_way: BTreeSet<u64>,
    watched: Watched,
}

/// The leads that sources were told are sold, or are being sold.
#[derive(Clone, Debug, Default)]
pub(super) struct Sales {
    pub(super) sold: Vec<Sale>,
    pub(super) open: Vec<Sale>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    /// What its receipt is found by.
    pub(super) ping_id: String,
    pub(super) payout: Micros,
    /// When it was offered.
    pub(super) sent: Instant,
}

/// The offers that were under way while a filter was swapped.
#[derive(Clone, Debug, Default)]
struct Watched {
    growing: bool,
    open: BTreeSet<u64>,
    all: usize,
    lost: usize,
}

/// What became of the watched offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    pub(super) all: usize,
    pub(super) open: usize,
    pub(super) lost: usize,
}

/// How long pings wait for their answers, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

impl Tally {
    pub(super) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let latency = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)?;
        Ok(Self { counts: Mutex::default(), latency: Mutex::new(latency), sales: Mutex::default() })
    }

    /// Returns the counts as they are now.
    pub(super) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    /// Returns how long pings waited for their answers so far.
    pub(super) fn latency(&self) -> Latency {
        let latency = lock(&self.latency);
        Latency { p50_us: latency.value_at_quantile(0.5), p99_us: latency.value_at_quantile(0.99) }
    }

    /// Returns the sales so far.
    pub(super) fn sales(&self) -> Sales {
        lock(&self.sales).clone()
    }

    /// Notes something worth telling.
    pub(super) fn event(&self, event: String) {
        let mut counts = lock(&self.counts);
        if counts.events.len() == EVENTS_MAX {
            counts.events.pop_front();
        }
        counts.events.push_back(event);
        counts.event_count += 1;
    }

    /// A lead was due while too many were under way.
    pub(super) fn skip(&self) {
        lock(&self.counts).skipped += 1;
    }

    /// Lead `number` is offered.
    pub(super) fn offer(&self, number: u64) {
        let mut counts = lock(&self.counts);
        counts.offered += 1;
        counts.under_way.insert(number);
        if counts.watched.growing {
            counts.watched.open.insert(number);
            counts.watched.all += 1;
        }
    }

    /// The ping of lead `number` was answered.
    pub(super) fn answer_ping(&self, number: u64, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LATENCY_US_MAX);
        lock(&self.latency).saturating_record(micros);
        self.answer(number);
    }

    /// The offer of lead `number` was answered. How long a full call takes is its buyer's affair.
    pub(super) fn answer(&self, number: u64) {
        let mut counts = lock(&self.counts);
        counts.answered += 1;
        counts.end(number, 0);
    }

    /// The offer of lead `number`, or a post if there is no number, got no answer at all.
    pub(super) fn lose(&self, number: Option<u64>, why: String) {
        let mut counts = lock(&self.counts);
        counts.unanswered += 1;
        counts.last_unanswered = Some(why);
        if let Some(number) = number {
            counts.end(number, 1);
        }
    }

    /// Counts what an answer said. Sales are counted with their leads, by `sell` and `leave_open`.
    pub(super) fn hear(&self, verdict: &Verdict) {
        let mut counts = lock(&self.counts);
        match verdict {
            Verdict::Accepted { ping_id, .. } => {
                counts.accepted += 1;
                counts.latest_accepted = Some(ping_id.clone());
            }
            Verdict::Sold { .. } | Verdict::Pending { .. } => (),
            Verdict::No { word, code } => {
                *counts.said_no.entry((*word, code.clone())).or_default() += 1;
            }
            Verdict::Refused { status, code } => {
                *counts.refused.entry((*status, code.clone())).or_default() += 1;
            }
            Verdict::Unexplained { status, body } => {
                counts.unexplained += 1;
                if counts.unexplained_quotes.len() < UNEXPLAINED_MAX {
                    counts.unexplained_quotes.push(format!("{status} {body}"));
                }
            }
        }
    }

    /// Returns the latest accepted ping, once.
    pub(super) fn take_latest_accepted(&self) -> Option<String> {
        lock(&self.counts).latest_accepted.take()
    }

    /// An accepted lead is posted.
    pub(super) fn post(&self) {
        lock(&self.counts).posted += 1;
    }

    /// A lead is sold.
    pub(super) fn sell(&self, sale: Sale) {
        let mut counts = lock(&self.counts);
        counts.sold += 1;
        counts.payout = counts.payout.checked_add(sale.payout).unwrap_or(counts.payout);
        drop(counts);
        let mut sales = lock(&self.sales);
        if sales.sold.len() < SALES_MAX {
            sales.sold.push(sale);
        }
    }

    /// A lead was taken; its outcome follows.
    pub(super) fn leave_open(&self, sale: Sale) {
        lock(&self.counts).pending += 1;
        lock(&self.sales).open.push(sale);
    }

    /// Takes the leads whose outcome is open; each comes back by `sell` or `leave_open`, or is unsold.
    pub(super) fn take_open(&self) -> Vec<Sale> {
        lock(&self.counts).pending = 0;
        std::mem::take(&mut lock(&self.sales).open)
    }

    /// A lead whose outcome was open was not bought in the end.
    pub(super) fn unsold_later(&self) {
        let reason = (No::Unsold, "after-pending".to_owned());
        *lock(&self.counts).said_no.entry(reason).or_default() += 1;
    }

    /// A post was sent twice under one key.
    pub(super) fn repeat(&self, same: bool) {
        let mut counts = lock(&self.counts);
        counts.repeated += 1;
        counts.repeated_differently += u64::from(!same);
    }

    /// Begins to watch the offers that are under way, and those that begin until `close_watch`.
    pub(super) fn open_watch(&self) {
        let mut counts = lock(&self.counts);
        let open = counts.under_way.clone();
        counts.watched = Watched { growing: true, all: open.len(), open, lost: 0 };
    }

    /// Watches no further offers; those that are watched stay so until they end.
    pub(super) fn close_watch(&self) {
        lock(&self.counts).watched.growing = false;
    }

    /// Returns what became of the watched offers so far.
    pub(super) fn watch(&self) -> Watch {
        let counts = lock(&self.counts);
        let Watched { open, all, lost, .. } = &counts.watched;
        Watch { all: *all, open: open.len(), lost: *lost }
    }
}

impl Counts {
    /// Returns how many offers wait for their answer.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Returns how often an answer said no in this way, for whatever reason.
    pub(super) fn no(&self, word: No) -> u64 {
        self.said_no.iter().filter(|((said, _), _)| *said == word).map(|(_, count)| count).sum()
    }

    /// Returns how many submissions were refused, for whatever reason.
    pub(super) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    fn end(&mut self, number: u64, lost: usize) {
        self.under_way.remove(&number);
        if self.watched.open.remove(&number) {
            self.watched.lost += lost;
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_knows_who_was_under_way_and_who_was_lost() {
        let tally = Tally::new().unwrap();
        (1..=3).for_each(|number| tally.offer(number));
        tally.answer_ping(1, Duration::from_millis(1));
        tally.open_watch();
        tally.offer(4);
        tally.close_watch();
        tally.offer(5);
        tally.answer(2);
        tally.lose(Some(3), "reset".into());
        tally.lose(Some(5), "reset".into());
        assert_eq!(tally.watch(), Watch { all: 3, open: 1, lost: 1 });
    }

    #[test]
    fn an_open_sale_is_counted_once_when_it_is_known() {
        let tally = Tally::new().unwrap();
        let sale = Sale { ping_id: "pg".into(), payout: Micros::new(5), sent: Instant::now() };
        tally.leave_open(sale);
        for sale in tally.take_open() {
            tally.sell(sale);
        }
        let counts = tally.counts();
        assert_eq!((counts.pending, counts.sold, counts.payout), (0, 1, Micros::new(5)));
    }

    #[test]
    fn the_view_remembers_the_last_events() {
        let tally = Tally::new().unwrap();
        (0..10).for_each(|number| tally.event(number.to_string()));
        assert_eq!(tally.counts().events, ["4", "5", "6", "7", "8", "9"]);
    }
}
