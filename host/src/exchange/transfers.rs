//! Live transfers: the number that a source is given, and what it says of the call.

use std::sync::Arc;
use std::time::Duration;

use super::{ActError, Exchange};
use crate::book::{OpenTransfer, Stage};
use crate::catalog::{Transfer, Vertical};
use crate::delivery::transfer::{Call, expired, offered, reported};
use crate::delivery::{Errand, may_ask};
use crate::facts::{Delivered, Ended, Fact, TransferReport};
use crate::ids::TransferId;
use crate::settlement::receipt::view::Viewer;
use crate::settlement::{Answer, Story};

/// How long a report waits for what becomes of the lead after a refusal.
const NEXT_MAX: Duration = Duration::from_secs(5);

impl Exchange {
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

    /// Ends a transfer if nobody says in time how it went.
    pub(super) async fn wait_for_report(self: Arc<Self>, errand: Errand, open: OpenTransfer) {
        if !self.pause_until(open.expires.unix_ms()).await {
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
    /// The same word again has no second effect.
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
            (own && held.stage == Stage::Held)
                .then(|| (errand.clone(), transfer, may_ask(open, &errand)))
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
        Call::NotConnected(missed) => {
            report.seconds.is_none() && detail == format!("not connected: {}", missed.code())
        }
    };
    if same {
        Ok(())
    } else {
        conflict(format!("the call was reported otherwise before: {detail}"))
    }
}
