//! The lines in which leads wait for buyers that take one at a time, in the order in which their posts were taken.
//!
//! A copy stands in its buyer's line from the fact that obliges to deliver it until its delivery is over: sold, refused,
//! given up, or left to the operator. So one that does not get through holds back only its own buyer's. One that the
//! operator has sent again stands behind those that wait by then: it overtakes nobody.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Exchange;
use crate::book::State;
use crate::delivery::{Errand, takes_in_order};
use crate::facts::Fact;
use crate::ids::PingId;
use crate::journal::Duty;

/// A copy of a lead.
type Waiting = (PingId, u32);

/// Those who wait for one buyer, the first in line first, each with what it is called by when it is.
type Line = VecDeque<(Waiting, Arc<Notify>)>;

/// Who waits for whom, by buyer.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Mutex<HashMap<String, Line>>>);

/// A place in a buyer's line. Dropped, it is left.
#[derive(Debug)]
pub(super) struct Turn {
    lines: Lines,
    buyer: String,
    copy: Waiting,
}

impl Lines {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a copy at the end of a buyer's line.
    fn join(&self, buyer: &str, copy: Waiting) {
        self.locked().entry(buyer.to_owned()).or_default().push_back((copy, Arc::default()));
    }

    /// Takes a copy out of a buyer's line, and calls whoever is first then.
    pub(super) fn leave(&self, buyer: &str, copy: Waiting) {
        let mut lines = self.locked();
        let Some(line) = lines.get_mut(buyer) else { return };
        line.retain(|(waiting, call)| {
            let stays = *waiting != copy;
            if !stays {
                call.notify_one();
            }
            stays
        });
        match line.front() {
            Some((_, call)) => call.notify_one(),
            None => drop(lines.remove(buyer)),
        }
    }

    /// Returns what calls a copy that stands behind another, once it does no longer.
    fn call(&self, buyer: &str, copy: Waiting) -> Option<Arc<Notify>> {
        let lines = self.locked();
        let mut behind = lines.get(buyer)?.iter().skip(1);
        behind.find(|(waiting, _)| *waiting == copy).map(|(_, call)| Arc::clone(call))
    }

    fn is_first(&self, buyer: &str, copy: Waiting) -> bool {
        let lines = self.locked();
        lines.get(buyer).and_then(VecDeque::front).is_some_and(|(waiting, _)| *waiting == copy)
    }

    /// Waits until it is a copy's turn; returns nothing if the exchange is told to stop before.
    pub(super) async fn turn(&self, errand: &Errand, stop: &CancellationToken) -> Option<Turn> {
        let (buyer, copy) = (errand.winner.buyer.clone(), (errand.ping, errand.copy));
        // A call before the wait is not lost.
        while let Some(call) = self.call(&buyer, copy) {
            stop.run_until_cancelled(call.notified()).await?;
        }
        // Whoever was before it may have left only for the stop.
        let left = stop.is_cancelled() && self.is_first(&buyer, copy);
        (!left).then(|| Turn { lines: self.clone(), buyer, copy })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.lines.leave(&self.buyer, self.copy);
    }
}

impl Exchange {
    /// Puts the copies that a fact obliges to deliver in line, where their buyers want that. The book has the fact already,
    /// and nothing comes between: the order of the lines is the order of the book.
    pub(super) fn line_up(&self, book: &State, fact: &Fact) {
        let (ping, copies) = match fact {
            Fact::Posted(posted) => (posted.ping, posted.in_line.as_slice()),
            Fact::Delivered(delivered) if delivered.in_line => {
                (delivered.ping, std::slice::from_ref(&delivered.copy))
            }
            Fact::ShipmentResent(resent) if resent.in_line => {
                (resent.ping, std::slice::from_ref(&resent.copy))
            }
            _ => return,
        };
        let (ping, market) = (PingId::from_u128(ping), self.catalog.load());
        let Some(open) = book.open_ping(ping) else { return };
        for (copy, held) in open.held().filter(|(copy, _)| copies.contains(copy)) {
            // Others wait for room, and stand in no line.
            let winner = open.winner(held).filter(|winner| takes_in_order(&market, winner));
            if let Some(winner) = winner {
                self.lines.join(&winner.buyer, (ping, copy));
            }
        }
    }

    /// Puts what an earlier process left in line, in the order in which it stood there.
    pub(super) fn line_up_again(&self, duties: &[Duty]) {
        let market = self.catalog.load();
        let mut left: Vec<(u64, String, Waiting)> = self.book.decide(|book| {
            let standing = duties.iter().filter_map(|duty| {
                let copy = (PingId::from_u128(duty.key.subject), duty.key.step);
                let open = book.open_ping(copy.0)?;
                let (_, held) = open.held().find(|(index, _)| *index == copy.1)?;
                // Nothing is sent of a caller's lead, so nobody would take its place out of the line.
                held.transfer.is_none().then_some(())?;
                Some((held.line, open.winner(held)?.buyer.clone(), copy))
            });
            standing.collect()
        });
        left.sort_unstable();
        for (_, buyer, copy) in left {
            if market.buyer_named(&buyer).is_some_and(|buyer| buyer.in_order) {
                self.lines.join(&buyer, copy);
            }
        }
    }
}
