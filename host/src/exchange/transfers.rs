//! Live transfers: the number that a source is given, and what it says of the call.

use std::sync::Arc;
use std::time::Duration;

use super::{ActError, Exchange};
use crate::book::{OpenTransfer, Stage, State};
use crate::catalog::{Market, Transfer, Vertical, Way};
use crate::clock::Moment;
use crate::delivery::courier::Outcome;
use crate::delivery::transfer::{Call, expired, not_connected, offered, offered_in_test, reported};
use crate::delivery::{self, Errand};
use crate::facts::{Delivered, Ended, Fact, PingAnswered, TransferReport};
use crate::ids::TransferId;
use crate::journal::{Committed, ContactChange, Seat};
use crate::settlement::receipt::view::Viewer;
use crate::settlement::{Answer, Story};

/// Returns what the source of a test is told of buyers that take callers.
pub(super) fn told_in_test(
    market: &Market,
    auction: &PingAnswered,
    fact: &Fact,
    at: Moment,
) -> Option<Vec<Fact>> {
    let Fact::Posted(posted) = fact else { return None };
    let vertical = market.vertical_named(&auction.vertical).filter(|_| auction.test)?;
    let told = (0_u32..).zip(&auction.winners).filter_map(|(copy, winner)| {
        let mut passed = posted.passed_over.iter();
        let winner = match passed.find(|passed| passed.copy == Some(copy)) {
            Some(passed) => passed.successor.as_ref()?,
            None => winner,
        };
        let Way::Transfer(transfer) = &market.buyer_named(&winner.buyer)?.way else { return None };
        let told = offered_in_test(auction, (copy, winner), transfer, vertical.schema(), at);
        Some(Fact::TransferOffered(told))
    });
    Some(told.collect())
}

/// How long it can be said how a call went once the exchange is there again; at most so much longer than before.
const HEARD_AGAIN: Duration = Duration::from_secs(300);
/// How long a report waits for what becomes of the lead after a refusal.
const NEXT_MAX: Duration = Duration::from_secs(5);

impl Exchange {
    /// Records a post, and with it what the source of a test is told of callers.
    pub(super) fn record_post(
        &self,
        book: &mut State,
        seat: Seat,
        at: Moment,
        (fact, contact, told): (Fact, Option<ContactChange>, Option<Vec<Fact>>),
    ) -> Committed {
        let mut told = told.unwrap_or_default();
        match told.pop() {
            None => self.record(book, seat, at, &fact, contact),
            Some(last) => {
                told.insert(0, fact);
                self.record_all(book, seat, at, (&told, &last))
            }
        }
    }

    /// Records that the source is given the buyer's number.
    pub(super) async fn offer_transfer(
        self: &Arc<Self>,
        errand: &Errand,
        transfer: &Transfer,
        vertical: Option<&Arc<Vertical>>,
    ) -> Option<()> {
        let seat = self.journal.seat().await.ok()?;
        let at = self.clock.now();
        let schema = vertical.map(|vertical| vertical.schema());
        let (open, committed) = self.book.decide(|book| {
            let fact = offered(book.open_ping(errand.ping)?, errand, transfer, schema, at)?;
            let committed = self.record(book, seat, at, &Fact::TransferOffered(fact), None);
            Some((book.open_transfer(errand.ping, errand.copy)?, committed))
        })?;
        committed.wait().await.ok()?;
        self.tasks.spawn(Arc::clone(self).wait_for_report(errand.clone(), open));
        Some(())
    }

    /// Ends a transfer that an earlier process left, if nobody says in time how it went. While nobody was there to hear it,
    /// that could not be said.
    pub(super) async fn wait_again(self: Arc<Self>, errand: Errand, open: OpenTransfer) {
        let again = self.clock.now().min(open.expires).after(HEARD_AGAIN);
        let heard = again.max(open.expires);
        self.wait_until(heard, errand, open).await;
    }

    /// Ends a transfer if nobody says in time how it went.
    pub(super) async fn wait_for_report(self: Arc<Self>, errand: Errand, open: OpenTransfer) {
        self.wait_until(open.expires, errand, open).await;
    }

    async fn wait_until(self: Arc<Self>, end: Moment, errand: Errand, open: OpenTransfer) {
        if !self.pause_until(end.unix_ms()).await {
            return;
        }
        let is_open = |exchange: &Self| {
            exchange.book.decide(|book| book.open_transfer(errand.ping, errand.copy)) == Some(open)
        };
        if is_open(&self) {
            let _recorded = self.conclude(&errand, expired(open.turn)).await;
        }
    }

    /// Takes a source's word, or the operator's, for how a transfer went, and returns what the source hears of its lead then.
    /// The same word again has no second effect. Of a test nothing is recorded: any word is answered as if it were the first.
    ///
    /// # Errors
    ///
    /// If there is no such transfer of this source's, or it has ended otherwise.
    pub async fn report_transfer(
        self: &Arc<Self>,
        id: TransferId,
        by: &Viewer,
        call: Call,
    ) -> Result<Answer, ActError> {
        let TransferId { ping, copy, turn } = id;
        let open = self.book.decide(|book| {
            let open = book.open_ping(ping)?;
            let held = open.copies.get(usize::try_from(copy).ok()?)?;
            let transfer = held.transfer.filter(|open| open.turn == turn)?;
            let errand = Errand::first(ping, copy, open.winner(held)?.clone());
            let own = *by == Viewer::Operator || *by == Viewer::Source(open.auction.source.clone());
            // Nothing is asked with what was erased, but how the call went can still be said.
            (own && held.stage == Stage::Held)
                .then(|| (errand.clone(), transfer, delivery::held(open, &errand).is_some()))
        });
        if let Some((errand, transfer, true)) = open {
            let attempt = reported(call, turn, transfer.connected_seconds);
            let ended = self.conclude(&errand, attempt).await.map_err(|_| ActError::Closed)?;
            if let Some(winner) = ended.and_then(|ended| ended.successor) {
                let next = Arc::clone(self).ship(Errand::first(ping, copy, winner));
                let next = self.tasks.spawn(next);
                let _in_time = tokio::time::timeout(NEXT_MAX, next).await;
            }
        }
        // What was said first may be on its way to the disk yet.
        self.journal.settled().await.map_err(|_| ActError::Closed)?;
        let facts = self.history(ping).await.map_err(|_| ActError::Closed)?;
        let story = Story::of(facts.iter().map(|(_, _, fact)| fact));
        let source = story.auction.as_ref().map(|auction| Viewer::Source(auction.source.clone()));
        let known = facts.iter().any(|(_, _, fact)| match fact {
            Fact::TransferOffered(offered) => offered.copy == copy && offered.turn == turn,
            _ => false,
        });
        if !known || (*by != Viewer::Operator && source.as_ref() != Some(by)) {
            return Err(ActError::NotFound(format!("transfer `{id}` of yours")));
        }
        if story.auction.as_ref().is_some_and(|auction| auction.test) {
            let asked = story.transfer(id).map(|asked| asked.connected_seconds);
            let attempt = reported(call, turn, asked.unwrap_or_default());
            return Ok(story.to_test_report(id, matches!(attempt.outcome, Outcome::Sold { .. })));
        }
        let told = facts.iter().find_map(|(_, _, fact)| match fact {
            Fact::Delivered(told) if told.copy == copy => {
                told.transfer.filter(|of| of.turn == turn).map(|of| (told, of))
            }
            _ => None,
        });
        let Some((delivered, report)) = told else {
            let message = "the lead was settled otherwise before: its contact data was erased";
            return Err(ActError::Conflict(message.to_owned()));
        };
        said_before(delivered, report, call)?;
        Ok(story.to_post(ping))
    }
}

/// Compares a report with the one that stands.
fn said_before(delivered: &Delivered, report: TransferReport, call: Call) -> Result<(), ActError> {
    let conflict = |message: String| Err(ActError::Conflict(message));
    let detail = delivered.detail.as_deref().unwrap_or_default();
    if delivered.ended == Ended::Expired {
        let message = "the time to say how the call went is over, and the lead is not sold";
        return conflict(message.to_owned());
    }
    let same = match call {
        Call::Connected(seconds) => report.seconds == Some(seconds),
        Call::NotConnected(missed) => report.seconds.is_none() && detail == not_connected(missed),
    };
    if same {
        Ok(())
    } else {
        conflict(format!("the call was reported otherwise before: {detail}"))
    }
}
