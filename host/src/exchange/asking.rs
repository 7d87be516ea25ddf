//! Asking for bids: what the corridor knows of a ping, put together for the saleroom.

use std::time::Instant;

use super::entrance::Entered;
use super::{Exchange, close};
use crate::bidding::{self, Bids, Offered, Seen};
use crate::facts::Asked;
use crate::ids::{BuyerId, PingId};
use crate::ingest::Submission;
use crate::lead::PingView;
use crate::matching::Shortlist;

impl Exchange {
    /// Collects the bids. Returns them, what remote buyers said, and the moment when the last one was in. Nobody is asked
    /// about a duplicate.
    pub(super) async fn collect<'m>(
        &self,
        submission: &Submission,
        entered: &'m Entered,
        shortlist: Shortlist<'m>,
        (view, frame, print): (&PingView, &[u64], [u8; 32]),
        ping: PingId,
    ) -> (Bids<'m>, Vec<Asked>, Instant) {
        let (vertical, source, at) = (&entered.vertical, &entered.source, submission.received);
        let lead = (entered.test, print);
        let repeated = self.book.decide(|book| close::duplicate(book, vertical, source, lead, at));
        let shortlist = if repeated.is_some() { Shortlist::default() } else { shortlist };
        let handle = ping.to_string();
        let lead = || view.to_json().to_string();
        let offered = Offered {
            ping: &handle,
            vertical: vertical.id.as_str(),
            currency: &self.currency,
            test: entered.test,
            lead: &lead,
            frame,
            deadline: submission.deadline(entered.envelope.deadline_ms),
        };
        let mut bids = bidding::collect(&self.saleroom, vertical, shortlist, offered, ping).await;
        let asked = std::mem::take(&mut bids.asked);
        (bids, asked, Instant::now())
    }

    /// Returns what can be seen of a buyer's end point for bids; nothing if it was never asked since the start.
    pub fn end_point(&self, buyer: &str) -> Option<Seen> {
        self.saleroom.guards().seen(&BuyerId::parse(buyer).ok()?)
    }
}
