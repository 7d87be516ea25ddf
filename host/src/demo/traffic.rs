//! The stream: sources that ping, think, and post, at a steady rate whatever the answers take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::answers::{self, No, Verdict};
use super::api::{Api, Call};
use super::dialects::{self, Stage};
use super::leads::{self, Course, Fault, Lead};
use super::tally::{Sale, Tally};
use crate::money::Micros;

/// The most leads that are under way at once; further ones are skipped and counted.
const UNDER_WAY_MAX: u32 = 512;

/// The sources, with their keys in the market's order.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) api: Api,
    pub(super) keys: Vec<String>,
    pub(super) tally: Arc<Tally>,
    pub(super) seed: u64,
    pub(super) today: Date,
    places: Arc<Semaphore>,
    next: AtomicU64,
}

impl Traffic {
    pub(super) fn new(
        api: Api,
        keys: Vec<String>,
        tally: Arc<Tally>,
        seed: u64,
        today: Date,
    ) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(UNDER_WAY_MAX).unwrap_or(1)));
        Self { api, keys, tally, seed, today, places, next: AtomicU64::new(1) }
    }

    /// Sends leads at this rate until `leads` were due or `stop` is true. Every lead is due at its own moment, so a
    /// slow answer delays nobody.
    pub(super) async fn stream(
        self: &Arc<Self>,
        per_second: u32,
        leads: Option<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        let gap = Duration::from_secs(1) / per_second.max(1);
        let mut due = tokio::time::Instant::now();
        while leads.is_none_or(|leads| self.next.load(Ordering::Relaxed) <= leads) {
            tokio::select! {
                () = tokio::time::sleep_until(due) => self.launch(),
                _ = stop.wait_for(|stop| *stop) => return,
            }
            due += gap;
        }
    }

    /// Sends the next lead now.
    pub(super) fn launch(self: &Arc<Self>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.tally.skip();
            return;
        };
        let lead = leads::lead(self.seed, number, self.today);
        // Counted before the task runs, so that a watch that begins now sees it.
        self.tally.offer(number);
        tokio::spawn(Arc::clone(self).walk(lead, place));
    }

    /// Waits until every lead's walk has ended, and says whether that was in time.
    pub(super) async fn drain(&self, patience: Duration) -> bool {
        let all = self.places.acquire_many(UNDER_WAY_MAX);
        tokio::time::timeout(patience, all).await.is_ok()
    }

    async fn walk(self: Arc<Self>, lead: Lead, _place: OwnedSemaphorePermit) {
        let sent = Instant::now();
        let full = lead.course == Course::Full;
        let stage = if full { Stage::Full } else { Stage::Ping };
        let reply = match self.api.send(&self.call(&lead, &stage)).await {
            Ok(reply) => reply,
            Err(error) => return self.tally.lose(Some(lead.number), error.to_string()),
        };
        if full {
            self.tally.answer(lead.number);
        } else {
            self.tally.answer_ping(lead.number, reply.took);
        }
        let verdict = answers::read(&reply);
        self.tally.hear(&verdict);
        match verdict {
            Verdict::Accepted { ping_id, .. } if lead.course != Course::PingOnly => {
                tokio::time::sleep(lead.think).await;
                self.post(&lead, ping_id, sent).await;
            }
            Verdict::Sold { .. } | Verdict::Pending { .. } => self.close(verdict, sent),
            Verdict::Accepted { .. }
            | Verdict::No { .. }
            | Verdict::Refused { .. }
            | Verdict::Unexplained { .. } => (),
        }
    }

    async fn post(&self, lead: &Lead, ping_id: String, sent: Instant) {
        self.tally.post();
        let call = self.call(lead, &Stage::Post { ping_id });
        let reply = match self.api.send(&call).await {
            Ok(reply) => reply,
            Err(error) => return self.tally.lose(None, error.to_string()),
        };
        let verdict = answers::read(&reply);
        self.tally.hear(&verdict);
        if lead.course == Course::PostedTwice {
            match self.api.send(&call).await {
                Ok(again) => self.tally.repeat(same(&verdict, &answers::read(&again))),
                Err(error) => self.tally.lose(None, error.to_string()),
            }
        }
        self.close(verdict, sent);
    }

    fn close(&self, verdict: Verdict, sent: Instant) {
        match verdict {
            Verdict::Sold { ping_id, price } => {
                self.tally.sell(Sale { ping_id, payout: price, sent });
            }
            Verdict::Pending { ping_id } => {
                self.tally.leave_open(Sale { ping_id, payout: Micros::ZERO, sent });
            }
            Verdict::Accepted { .. }
            | Verdict::No { .. }
            | Verdict::Refused { .. }
            | Verdict::Unexplained { .. } => (),
        }
    }

    fn call(&self, lead: &Lead, stage: &Stage) -> Call {
        let key = match lead.fault {
            Some(Fault::WrongKey) => "nobody-has-ever-had-this-key",
            _ => self.keys.get(lead.source).map(String::as_str).unwrap_or_default(),
        };
        let mut call = dialects::call(lead, stage, key);
        if lead.fault == Some(Fault::CutOff) {
            call.body.truncate(call.body.len() / 2);
        }
        // A ping has none: a source that offers a lead twice means it.
        if !matches!(stage, Stage::Ping) {
            call.idempotency_key = Some(format!("demo-{}-{}", self.seed, lead.number));
        }
        call
    }
}

/// A repeated post may hear the outcome that its first answer had to leave open.
fn same(first: &Verdict, again: &Verdict) -> bool {
    match (first, again) {
        (Verdict::Pending { ping_id: first }, Verdict::Sold { ping_id: again, .. }) => {
            first == again
        }
        (Verdict::Pending { .. }, Verdict::No { word: No::Unsold, .. }) => true,
        (first, again) => first == again,
    }
}
