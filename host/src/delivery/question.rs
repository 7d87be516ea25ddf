//! What a buyer is asked that was asked before, or waited for its turn.

use std::sync::Arc;

use super::{Errand, held};
use crate::book::State;
use crate::catalog::{Market, StatusPage};
use crate::clock::Moment;

/// What a buyer is asked.
#[derive(Debug)]
pub enum Question {
    /// To take the lead.
    Lead,
    /// What became of the lead. It was tried last then.
    Status { page: Arc<StatusPage>, tried: Moment },
}

/// Returns what a buyer is asked that is to be asked again: of a lead that it may have, what became of it, where it can say
/// so. Returns nothing if it may have the lead and must not get it again, unless the operator wants that.
pub fn question(book: &State, market: &Market, errand: &Errand) -> Option<Question> {
    let copy = held(book.open_ping(errand.ping)?, errand)?;
    let shipment = book.shipment((errand.ping, errand.copy));
    if !copy.uncertain || shipment.is_some_and(|shipment| shipment.resent.is_some()) {
        return Some(Question::Lead);
    }
    let buyer = market.buyer_named(&errand.winner.buyer)?;
    match &buyer.status {
        _ if copy.absent => Some(Question::Lead),
        _ if !buyer.may_be_asked_again() => None,
        Some(page) => {
            let tried = shipment.map_or(Moment::from_unix_ms(i64::MAX), |shipment| shipment.at);
            Some(Question::Status { page: Arc::clone(page), tried })
        }
        None => Some(Question::Lead),
    }
}
