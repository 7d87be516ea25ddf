//! Deliveries that wait for somebody: those whose end nobody knows, and those that were given up.

use std::sync::Arc;

use super::{ActError, Exchange};
use crate::book::{Entry, Shipment, ShipmentKey, ShipmentStatus};
use crate::clock::Moment;
use crate::contacts::Sealed;
use crate::delivery::{Errand, Unsendable, resend};
use crate::facts::{Fact, ShipmentResent};
use crate::ids::PingId;
use crate::journal::{ContactChange, ContactRow};
use crate::money::Micros;

/// The most shipments in one list.
pub const SHIPMENTS_LISTED_MAX: usize = 1_000;
/// Contact data is kept until then while it is not known how long its delivery takes.
const UNTIL_DELIVERED: Moment = Moment::from_unix_ms(i64::MAX);

/// A shipment as it stands.
#[derive(Clone, Debug)]
pub struct ListedShipment {
    pub key: ShipmentKey,
    pub shipment: Shipment,
    /// What is held of the buyer's money for it.
    pub held: Option<Micros>,
    /// It was given up, and what it takes to send it again is still there.
    pub kept: bool,
}

impl Exchange {
    /// Returns shipments, those of the newest pings first, at most so many; and whether there are more.
    pub fn shipments(
        &self,
        status: Option<ShipmentStatus>,
        before: Option<ShipmentKey>,
        limit: usize,
    ) -> (Vec<ListedShipment>, bool) {
        let limit = limit.clamp(1, SHIPMENTS_LISTED_MAX);
        let mut listed: Vec<ListedShipment> = self.book.decide(|book| {
            let wanted = ShipmentStatus::ALL.into_iter();
            let wanted = wanted.filter(|one| status.is_none_or(|status| status == *one));
            let found = wanted
                .flat_map(|status| book.shipments(status, before).take(limit.saturating_add(1)));
            let one = |(key, shipment): (ShipmentKey, &Shipment)| {
                let open = book.open_ping(key.0);
                let copy = open.and_then(|open| open.held().find(|(copy, _)| *copy == key.1));
                let winner = open.zip(copy).and_then(|(open, (_, copy))| open.winner(copy));
                let held = winner.map(|winner| Micros::new(winner.price));
                let kept = book.given_up(key).is_some();
                ListedShipment { key, shipment: shipment.clone(), held, kept }
            };
            found.map(one).collect()
        });
        listed.sort_by_key(|one| std::cmp::Reverse(one.key));
        let more = listed.len() > limit;
        listed.truncate(limit);
        (listed, more)
    }

    /// Has a delivery made again, to the buyer that it was for, with the same Idempotency-Key: one whose end nobody knows,
    /// or one that was given up. Once this returns it is made whatever happens to this process.
    ///
    /// # Errors
    /// [`ActError::NotFound`] if no such copy is in doubt or was given up, [`ActError::Conflict`] if it cannot be sent now.
    pub async fn resend_shipment(
        self: &Arc<Self>,
        ping: PingId,
        copy: u32,
    ) -> Result<ShipmentResent, ActError> {
        self.money_moves_for_acts()?;
        // What was forgotten may be on its way out of the journal yet.
        self.journal.settled().await.map_err(|_| ActError::Closed)?;
        let entries = self.entries_of(ping).await?;
        let market = self.catalog.load();
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let at = self.clock.now();
        let (resent, errand, committed) = self.book.decide(|book| {
            let resent = resend(book, &market, (ping, copy), entries.as_deref(), at)?;
            let fact = Fact::ShipmentResent(resent.clone());
            // As long as this delivery needs it, whatever was said when the last one ended.
            let contact = ContactChange::Keep { subject: ping.as_u128(), until: UNTIL_DELIVERED };
            let committed = self.record(book, seat, at, &fact, Some(contact));
            let winner = book.open_ping(ping).and_then(|open| {
                let (_, held) = open.held().find(|(index, _)| *index == copy)?;
                open.winner(held).cloned()
            });
            let attempts = resent.attempts;
            let errand =
                winner.map(|winner| Errand { attempts, ..Errand::first(ping, copy, winner) });
            Ok::<_, Unsendable>((resent, errand, committed))
        })?;
        committed.wait().await.map_err(|_| ActError::Closed)?;
        let (buyer, given_up) = (&resent.buyer, resent.held.is_some());
        tracing::info!(%ping, copy, %buyer, given_up, "delivery sent again by hand");
        if let Some(errand) = errand {
            self.tasks.spawn(Arc::clone(self).ship(errand));
        }
        Ok(resent)
    }

    /// Returns the person of a lead as suppression lists have it; nothing if the contact data is not there.
    async fn entries_of(&self, ping: PingId) -> Result<Option<Vec<Entry>>, ActError> {
        let kept = self.journal.contact(ping.as_u128()).await.map_err(|_| ActError::Closed)?;
        let Some(ContactRow { sealed: lead, key, .. }) = kept else { return Ok(None) };
        let opened = self.open_lead(ping, &Sealed { lead, key });
        Ok(opened.ok().map(|lead| self.entries(&lead)))
    }
}

impl From<Unsendable> for ActError {
    fn from(why: Unsendable) -> Self {
        match why {
            Unsendable::NoShipment { .. } => Self::NotFound(why.to_string()),
            _ => Self::Conflict(why.to_string()),
        }
    }
}
