//! A post that says otherwise than its ping: refused, or auctioned again as the lead is now.

use std::sync::Arc;

use super::entrance::{self, Entered};
use super::{Exchange, Trouble};
use crate::book::State;
use crate::catalog::Market;
use crate::clock::Moment;
use crate::facts::{ChangedPost, Fact, PingAnswered, Superseded};
use crate::ids::PingId;
use crate::ingest::Submission;
use crate::lead::PingView;

/// A ping that made room for another auction.
pub(super) struct Instead {
    pub(super) auction: Arc<PingAnswered>,
    /// The ping that takes its place.
    pub(super) by: PingId,
}

impl Exchange {
    /// Returns the auction that a post is for: its ping's, or, if the post says otherwise and the policy allows it, a
    /// new one of the lead as it is now. Nothing if the ping is not open.
    pub(super) async fn pinged(
        self: &Arc<Self>,
        market: &Market,
        submission: &Submission,
        entered: &Entered,
        ping: PingId,
    ) -> Result<Option<Arc<PingAnswered>>, Trouble> {
        let Some(auction) = self.open_auction(entered, ping) else {
            return Ok(None);
        };
        if entered.test && !auction.test {
            return Err(Trouble::TestOfLive);
        }
        let schema = Arc::clone(entered.lead.schema());
        let offered = PingView::from_frame(schema, &auction.frame).map_err(Trouble::Frame)?;
        let Some(field) = entered.lead.changed_since(&offered) else { return Ok(Some(auction)) };
        if auction.terms.changed_post == ChangedPost::Refuse {
            return Err(Trouble::Changed(field.name.clone()));
        }
        let Some(instead) = self.supersede(auction, submission.received).await? else {
            return Ok(None);
        };
        self.auction(market, submission, entered, Some(instead)).await.map(Some)
    }

    fn open_auction(&self, entered: &Entered, ping: PingId) -> Option<Arc<PingAnswered>> {
        self.book
            .decide(|book| open(book, ping, self.clock.steady()))
            .filter(|auction| auction.source == entered.source.id.as_str())
    }

    /// Ends the holds of a ping, so that the auction that takes its place finds that money free. Nothing if another post
    /// of the same ping came first.
    async fn supersede(
        &self,
        auction: Arc<PingAnswered>,
        at: Moment,
    ) -> Result<Option<Instead>, Trouble> {
        let (ping, by) = (PingId::from_u128(auction.ping), entrance::handle(at)?);
        let seat = self.journal.seat().await.map_err(|_| Trouble::Closed)?;
        Ok(self.book.decide(|book| {
            open(book, ping, self.clock.steady())?;
            let fact = Fact::Superseded(Superseded { ping: ping.as_u128(), by: by.as_u128() });
            // The journal keeps the order, so whoever waits for the auction waits for this as well.
            drop(self.record(book, seat, at, &fact, None));
            Some(Instead { auction, by })
        }))
    }
}

/// Returns the auction of a ping that can be posted.
fn open(book: &State, ping: PingId, steady: Moment) -> Option<Arc<PingAnswered>> {
    let open = book.open_ping(ping).filter(|open| open.posted.is_none())?;
    (steady <= open.auction.held_until()).then(|| Arc::clone(&open.auction))
}
