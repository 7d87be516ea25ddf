//! Deliveries that wait for somebody: those whose end nobody knows, and those that were given up.

use std::sync::Arc;

use super::{ActError, Exchange};
use crate::book::{Shipment, ShipmentKey, ShipmentStatus};
use crate::clock::Moment;
use crate::delivery::{Errand, held};
use crate::ids::PingId;
use crate::money::Micros;

/// The most shipments in one list.
pub const SHIPMENTS_LISTED_MAX: usize = 1_000;

/// A shipment as it stands.
#[derive(Clone, Debug)]
pub struct ListedShipment {
    pub key: ShipmentKey,
    pub shipment: Shipment,
    /// What is held of the buyer's money for it.
    pub held: Option<Micros>,
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
                ListedShipment { key, shipment: shipment.clone(), held }
            };
            found.map(one).collect()
        });
        listed.sort_by_key(|one| std::cmp::Reverse(one.key));
        let more = listed.len() > limit;
        listed.truncate(limit);
        (listed, more)
    }

    /// Asks the buyer again for a copy whose end nobody knows, with the same Idempotency-Key. The money stays held until it
    /// has answered.
    ///
    /// # Errors
    /// [`ActError::NotFound`] if no such copy is in doubt, [`ActError::Conflict`] if it cannot be asked now.
    pub fn resend_shipment(self: &Arc<Self>, ping: PingId, copy: u32) -> Result<String, ActError> {
        let errand = self.book.decide(|book| {
            let none =
                || ActError::NotFound(format!("delivery of unknown end for copy {copy} of {ping}"));
            let shipment = book.shipment((ping, copy)).ok_or_else(none)?;
            if shipment.status == ShipmentStatus::Dead {
                return Err(ActError::Conflict(
                    "the delivery was given up: the money is released and the lead's contact data forgotten, so there is nothing to send; its source may offer the lead again".to_owned(),
                ));
            }
            if let Some(again) = shipment.last.again_ms {
                let at = Moment::from_unix_ms(again);
                return Err(ActError::Conflict(format!("the buyer is asked again by itself at {at}")));
            }
            let open = book.open_ping(ping).ok_or_else(none)?;
            let place = usize::try_from(copy).ok().and_then(|copy| open.copies.get(copy));
            let winner = place.and_then(|copy| open.winner(copy)).cloned().ok_or_else(none)?;
            let attempts = shipment.last.attempt;
            let errand = Errand { attempts, ..Errand::first(ping, copy, winner) };
            let free = held(open, &errand).ok_or_else(none)?;
            if open.erased {
                return Err(ActError::Conflict(
                    "the lead's contact data was erased, so it cannot be sent: settle it as sold or rejected".to_owned(),
                ));
            }
            if free.asked {
                return Err(ActError::Conflict("the buyer is being asked at this moment".to_owned()));
            }
            Ok(errand)
        })?;
        let buyer = errand.winner.buyer.clone();
        tracing::info!(%ping, copy, %buyer, "delivery sent again by hand");
        self.tasks.spawn(Arc::clone(self).ship(errand));
        Ok(buyer)
    }
}
