//! Whether a delivery may be made again by hand, and as what fact: to the buyer that it was for, and to no other.
//!
//! One in doubt keeps the money that is held for it. One that was given up holds it anew, at the price of before, if its
//! buyer may have the person and can pay by now; so it is nobody else's, and sold once at most.

use super::takes_in_order;
use crate::book::{
    Bar, Entry, OpenPing, SHIPMENTS_KEPT_MAX, Shipment, ShipmentKey, ShipmentStatus, State,
};
use crate::catalog::{Campaign, Market, Way};
use crate::clock::Moment;
use crate::facts::{PingAnswered, ShipmentResent, Winner};
use crate::ids::PingId;

/// Why a delivery is not made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// It ended as it should, or there is none.
    #[error("delivery that is in doubt or was given up for copy {copy} of {ping}")]
    NoShipment { ping: PingId, copy: u32 },
    #[error("it was sent again at {0}, and it is not known yet what came of that")]
    Resent(Moment),
    #[error("the buyer is asked again by itself at {0}")]
    ByItself(Moment),
    #[error("the buyer is being asked at this moment")]
    Asking,
    #[error(
        "the lead's contact data was erased, so it cannot be sent: settle it as sold or rejected"
    )]
    Erased,
    #[error(
        "the lead's contact data is not kept any more, so there is nothing to send; its source may offer the lead again"
    )]
    Forgotten,
    #[error(
        "only the newest {SHIPMENTS_KEPT_MAX} leads that were given up can be sent again, and this one is older; its source may offer the lead again"
    )]
    LetGo,
    #[error("campaign `{0}` does not buy any more: it or its buyer is paused, or its vertical is")]
    Paused(String),
    #[error("buyer `{0}` takes callers now, and no leads")]
    TakesCallers(String),
    #[error("buyer `{buyer}` cannot have it now: {why}")]
    Barred { buyer: String, why: String },
    #[error(
        "the person was sold in this vertical since this lead came: sent now, it would be sold twice"
    )]
    SoldSince,
}

/// Returns the fact that has a delivery made again. `entries` is the person as suppression lists have it; nothing if the
/// contact data is not there.
///
/// # Errors
///
/// [`Unsendable`] says what stands against it.
pub fn resend(
    state: &State,
    market: &Market,
    (ping, copy): ShipmentKey,
    entries: Option<&[Entry]>,
    at: Moment,
) -> Result<ShipmentResent, Unsendable> {
    let shipment = state.shipment((ping, copy));
    let shipment = shipment.ok_or(Unsendable::NoShipment { ping, copy })?;
    if let Some(resent) = shipment.resent {
        return Err(Unsendable::Resent(resent));
    }
    asked_or_erased(state, (ping, copy))?;
    if let Some(again) = shipment.last.again_ms {
        return Err(Unsendable::ByItself(Moment::from_unix_ms(again)));
    }
    let (winner, held) = match shipment.status {
        ShipmentStatus::Dead => {
            let entries = entries.ok_or(Unsendable::Forgotten)?;
            let winner = anew(state, market, (ping, copy), entries, at)?;
            (winner.clone(), Some(winner))
        }
        ShipmentStatus::Waiting | ShipmentStatus::Unknown => {
            (in_doubt(state, (ping, copy), entries)?, None)
        }
    };
    let Winner { campaign, buyer, .. } = winner.clone();
    let takes_callers = |buyer: &str| {
        let buyer = market.buyer_named(buyer);
        buyer.is_some_and(|buyer| matches!(buyer.way, Way::Transfer(_)))
    };
    if takes_callers(&buyer) {
        return Err(Unsendable::TakesCallers(buyer));
    }
    let attempts = attempts(shipment);
    let in_line = takes_in_order(market, &winner);
    Ok(ShipmentResent { ping: ping.as_u128(), copy, campaign, buyer, attempts, held, in_line })
}

/// Says whether somebody is asked for a copy at this moment, or nobody can be any more.
fn asked_or_erased(state: &State, (ping, copy): ShipmentKey) -> Result<(), Unsendable> {
    let Some(open) = state.open_ping(ping) else { return Ok(()) };
    let Some((_, held)) = open.held().find(|(index, _)| *index == copy) else { return Ok(()) };
    match (held.asked, open.erased) {
        (true, _) => Err(Unsendable::Asking),
        (false, true) => Err(Unsendable::Erased),
        (false, false) => Ok(()),
    }
}

/// One that was given up is tried on the whole schedule again.
fn attempts(shipment: &Shipment) -> u32 {
    match shipment.status {
        ShipmentStatus::Dead => 0,
        ShipmentStatus::Waiting | ShipmentStatus::Unknown => shipment.last.attempt,
    }
}

/// Returns who may have a copy whose end nobody knows.
fn in_doubt(
    state: &State,
    (ping, copy): ShipmentKey,
    entries: Option<&[Entry]>,
) -> Result<Winner, Unsendable> {
    let none = || Unsendable::NoShipment { ping, copy };
    let open = state.open_ping(ping).ok_or_else(none)?;
    let (_, held) = open.held().find(|(index, _)| *index == copy).ok_or_else(none)?;
    entries.ok_or(Unsendable::Forgotten)?;
    open.winner(held).cloned().ok_or_else(none)
}

/// Returns who gets a copy that was given up, if the same buyer may have it and can pay for it by now.
fn anew(
    state: &State,
    market: &Market,
    key: ShipmentKey,
    entries: &[Entry],
    at: Moment,
) -> Result<Winner, Unsendable> {
    let (open, copy) = state.given_up(key).ok_or(Unsendable::LetGo)?;
    let winner = open.winner(copy).ok_or(Unsendable::LetGo)?;
    let paused = || Unsendable::Paused(winner.campaign.clone());
    let OpenPing { auction, posted, .. } = open;
    let vertical = market.vertical_named(&auction.vertical).filter(|vertical| vertical.active);
    let vertical = vertical.ok_or_else(paused)?;
    let campaign: Option<&Campaign> = vertical.campaign(&winner.campaign).map(AsRef::as_ref);
    let campaign = campaign.filter(|campaign| campaign.active && campaign.buyer.active);
    let campaign = campaign.ok_or_else(paused)?;
    let person = posted.as_ref().map(|posted| posted.person).unwrap_or_default();
    let PingAnswered { fingerprint, received_ms, .. } = **auction;
    if state.sold_since(&auction.vertical, &person, key.0, Moment::from_unix_ms(received_ms)) {
        return Err(Unsendable::SoldSince);
    }
    let barred = |bar: Bar| {
        let (reason, detail) = bar.told();
        let detail = detail.map_or(String::new(), |detail| format!(" ({detail})"));
        let why = format!("{}{detail}", reason.message());
        Unsendable::Barred { buyer: winner.buyer.clone(), why }
    };
    state.suppressed(market.suppressions(), entries).map_err(barred)?;
    state.may_sell(vertical, &person, at).map_err(barred)?;
    state.may_have(campaign, &person, entries, at).map_err(barred)?;
    let counted = state.covers(campaign, fingerprint, winner.due(), at).map_err(barred)?;
    Ok(Winner { counted, ..winner.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Charged, Delivered, Ended, Fact};

    #[test]
    fn a_lead_that_was_let_go_is_not_called_forgotten() {
        let mut state = State::default();
        let given_up = Delivered {
            ping: 7,
            source: "web".to_owned(),
            copy: 0,
            campaign: "acme-ca".to_owned(),
            buyer: "acme".to_owned(),
            attempt: 1,
            ended: Ended::NotSent,
            detail: None,
            price: 0,
            buyer_fees: Charged::default(),
            payout: 0,
            source_fees: Charged::default(),
            again_ms: None,
            successor: None,
            in_line: false,
            adapter: None,
            transfer: None,
        };
        let at = Moment::from_unix_ms(1);
        // Of its ping nothing is known any more.
        state.apply(at, &Fact::Delivered(given_up));
        let sent = |entries: Option<&[Entry]>| {
            resend(&state, &Market::default(), (PingId::from_u128(7), 0), entries, at)
        };
        assert_eq!(sent(Some(&[])), Err(Unsendable::LetGo));
        assert_eq!(sent(None), Err(Unsendable::Forgotten));
    }
}
