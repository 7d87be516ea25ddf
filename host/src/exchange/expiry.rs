//! The end of holds that nobody posted in time: a deadline, which the book knows and the steady clock brings. A wall clock
//! that is set ends no hold early and keeps none for longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

use super::Exchange;
use crate::clock::Moment;
use crate::facts::{Expired, Fact, PingAnswered};
use crate::ids::PingId;

/// How many holds may expire in one fact.
const EXPIRED_AT_ONCE_MAX: usize = 1_000;

/// The deadline that is waited for.
#[derive(Debug)]
pub(super) struct Deadline {
    unix_ms: AtomicI64,
    sooner: Notify,
}

impl Default for Deadline {
    fn default() -> Self {
        Self { unix_ms: AtomicI64::new(i64::MAX), sooner: Notify::new() }
    }
}

impl Deadline {
    /// Takes note of a ping: its hold may end before the one that is waited for.
    pub(super) fn comes(&self, auction: &PingAnswered) {
        let until = auction.held_until_ms;
        if !auction.winners.is_empty() && until < self.unix_ms.fetch_min(until, Ordering::SeqCst) {
            self.sooner.notify_one();
        }
    }
}

impl Exchange {
    /// Ends every hold at its deadline, until the exchange stops.
    pub(super) async fn expire(self: Arc<Self>) {
        loop {
            loop {
                match self.expire_some().await {
                    Some(true) => (),
                    Some(false) => break,
                    None => return,
                }
            }
            let next = self.book.decide(|book| {
                let next = book.next_expiry().unwrap_or(Moment::from_unix_ms(i64::MAX));
                self.deadline.unix_ms.store(next.unix_ms(), Ordering::SeqCst);
                next
            });
            tokio::select! {
                () = self.clock.past(next) => (),
                () = self.deadline.sooner.notified() => (),
                () = self.stopping.cancelled() => return,
            }
        }
    }

    /// Ends holds whose deadline is over; returns whether there were any, and nothing if the journal takes no facts.
    async fn expire_some(&self) -> Option<bool> {
        let steady = self.clock.steady();
        if self.book.decide(|book| book.overdue(steady, 1).is_empty()) {
            return Some(false);
        }
        let seat = self.journal.seat().await.ok()?;
        let at = self.clock.now();
        let committed = self.book.decide(|book| {
            let overdue = book.overdue(steady, EXPIRED_AT_ONCE_MAX);
            let pings: Vec<u128> = overdue.into_iter().map(PingId::as_u128).collect();
            metrics::counter!("gavel_holds_expired_total")
                .increment(pings.len().try_into().unwrap_or(0));
            self.record(book, seat, at, &Fact::Expired(Expired { pings }), None)
        });
        committed.wait().await.ok().map(|_| true)
    }
}
