//! Deliveries that did not end as they should: held in doubt, waiting for another attempt, or given up.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Copy, OpenPing, Stage, State};
use crate::clock::Moment;
use crate::facts::{ContactErased, Delivered, Ended, ShipmentResent};
use crate::ids::PingId;

/// The most deliveries that were given up that lists show; the oldest ping's is forgotten first. The receipts have all.
pub const SHIPMENTS_DEAD_MAX: usize = 100_000;
/// The most leads that are kept to be sent again although all their deliveries have ended; the oldest is let go first.
pub const SHIPMENTS_KEPT_MAX: usize = 20_000;

/// One copy of a lead, by which a shipment is known. They sort by the time of their pings.
pub type ShipmentKey = (PingId, u32);

/// The shipments that lists show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shipments {
    /// At most as many as copies are held.
    open: BTreeMap<ShipmentKey, Shipment>,
    dead: BTreeMap<ShipmentKey, Shipment>,
    /// Pings of which nothing is open any more, and a copy was given up.
    kept: BTreeMap<PingId, OpenPing>,
}

impl Shipments {
    /// Keeps a ping whose copies are all settled, if one of them was given up.
    pub(super) fn keep(&mut self, ping: PingId, open: OpenPing) {
        if open.copies.iter().all(|copy| copy.stage != Stage::GivenUp) {
            return;
        }
        self.kept.insert(ping, open);
        while self.kept.len() > SHIPMENTS_KEPT_MAX {
            self.kept.pop_first();
        }
    }

    /// Gives back a ping that was kept.
    pub(super) fn reopen(&mut self, ping: PingId) -> Option<OpenPing> {
        self.kept.remove(&ping)
    }

    /// Returns how many are remembered: given up and listed, and leads of which nothing else is open.
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.dead.len(), self.kept.len())
    }
}

/// How a shipment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShipmentStatus {
    /// The buyer was not reached; it is tried again. The money stays held.
    Waiting,
    /// The buyer may have the lead, and nobody knows. The money stays held.
    Unknown,
    /// No buyer was reached, and nobody is asked any more. No money is held.
    Dead,
}

impl ShipmentStatus {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Unknown, Self::Dead];

    /// Returns the word that stands for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
            Self::Dead => "dead",
        }
    }
}

/// A delivery that did not end as it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Shipment {
    pub status: ShipmentStatus,
    /// Since when it stands so.
    pub since: Moment,
    /// When it was tried last, and what came of it.
    pub at: Moment,
    pub last: Delivered,
    /// When it was sent again by hand, until it is known what came of that.
    pub resent: Option<Moment>,
}

impl State {
    /// Returns the shipments before a key that stand so, those of the newest pings first.
    pub fn shipments(
        &self,
        status: ShipmentStatus,
        before: Option<ShipmentKey>,
    ) -> impl Iterator<Item = (ShipmentKey, &Shipment)> {
        let known = match status {
            ShipmentStatus::Waiting | ShipmentStatus::Unknown => &self.shipments.open,
            ShipmentStatus::Dead => &self.shipments.dead,
        };
        let before = before.map_or(Bound::Unbounded, Bound::Excluded);
        let newest = known.range((Bound::Unbounded, before)).rev();
        newest.map(|(key, one)| (*key, one)).filter(move |(_, one)| one.status == status)
    }

    /// Returns a copy's shipment, if it did not end as it should.
    pub fn shipment(&self, key: ShipmentKey) -> Option<&Shipment> {
        self.shipments.open.get(&key).or_else(|| self.shipments.dead.get(&key))
    }

    /// Returns a copy that was given up, with its ping, as long as it can be sent again.
    pub fn given_up(&self, (ping, copy): ShipmentKey) -> Option<(&OpenPing, &Copy)> {
        let open = self.pings.get(&ping).or_else(|| self.shipments.kept.get(&ping))?;
        let copy = open.copies.get(usize::try_from(copy).ok()?)?;
        (copy.stage == Stage::GivenUp && !open.erased).then_some((open, copy))
    }

    /// Takes in that a delivery is made again.
    pub(super) fn shipment_resent(&mut self, at: Moment, resent: &ShipmentResent) {
        let key = (PingId::from_u128(resent.ping), resent.copy);
        let Shipments { open, dead, .. } = &mut self.shipments;
        if let Some(dead) = dead.remove(&key).filter(|_| resent.held.is_some()) {
            open.insert(key, Shipment { status: ShipmentStatus::Waiting, since: at, ..dead });
        }
        if let Some(shipment) = open.get_mut(&key) {
            shipment.resent = Some(at);
        }
    }

    /// Takes in that nothing is left to send of these pings' leads.
    pub(super) fn shipments_forgotten(&mut self, pings: &[u128]) {
        for ping in pings {
            self.shipments.kept.remove(&PingId::from_u128(*ping));
        }
    }

    /// Takes in how an attempt ended, once the copy has.
    pub(super) fn shipped(&mut self, at: Moment, delivered: &Delivered) {
        let key = (PingId::from_u128(delivered.ping), delivered.copy);
        let open = self.open_ping(key.0);
        let copy = open.and_then(|open| open.copies.get(usize::try_from(key.1).ok()?));
        let status = match delivered.ended {
            // A call that nobody reported cannot be sent again.
            Ended::Sold | Ended::Rejected | Ended::Expired => None,
            Ended::Unknown => Some(ShipmentStatus::Unknown),
            Ended::NotSent
                if copy.is_some_and(|copy| copy.uncertain && copy.stage == Stage::Held) =>
            {
                Some(ShipmentStatus::Unknown)
            }
            Ended::NotSent if delivered.again_ms.is_some() => Some(ShipmentStatus::Waiting),
            Ended::NotSent => delivered.gives_up().then_some(ShipmentStatus::Dead),
        };
        let Shipments { open, dead, .. } = &mut self.shipments;
        let before = open.remove(&key);
        let Some(status) = status else { return };
        let since = before.filter(|before| before.status == status).map_or(at, |one| one.since);
        let shipment = Shipment { status, since, at, last: delivered.clone(), resent: None };
        if status != ShipmentStatus::Dead {
            open.insert(key, shipment);
            return;
        }
        dead.insert(key, shipment);
        while dead.len() > SHIPMENTS_DEAD_MAX {
            dead.pop_first();
        }
    }

    pub(super) fn shipments_erased(&mut self, erased: &ContactErased) {
        let ping = PingId::from_u128(erased.ping);
        for copy in &erased.voided {
            self.shipments.open.remove(&(ping, *copy));
        }
        // Nobody is asked any more by itself.
        for (_, left) in self.shipments.open.range_mut((ping, 0)..=(ping, u32::MAX)) {
            left.last.again_ms = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::book::tests::{answered, buyer, campaign};
    use crate::catalog::Caps;
    use crate::facts::{Charged, ContactsSwept, Fact, Posted};
    use crate::money::Micros;

    fn delivered(ping: u128, ended: Ended, again_ms: Option<i64>) -> Fact {
        let (source, buyer) = ("web".to_owned(), "acme".to_owned());
        Fact::Delivered(Delivered {
            ping,
            source,
            copy: 0,
            campaign: "acme-ca".to_owned(),
            buyer,
            attempt: 1,
            ended,
            detail: None,
            price: 0,
            buyer_fees: Charged::default(),
            payout: 0,
            source_fees: Charged::default(),
            again_ms,
            successor: None,
            in_line: false,
            adapter: None,
            transfer: None,
        })
    }

    #[test]
    fn a_shipment_stands_in_one_list_since_it_stands_so() {
        let mut state = State::default();
        let key = (PingId::from_u128(7), 0);
        let steps = [
            (Ended::NotSent, Some(5), Some((ShipmentStatus::Waiting, 1))),
            (Ended::NotSent, Some(9), Some((ShipmentStatus::Waiting, 1))),
            (Ended::Unknown, None, Some((ShipmentStatus::Unknown, 3))),
            (Ended::NotSent, None, Some((ShipmentStatus::Dead, 4))),
            (Ended::Unknown, None, Some((ShipmentStatus::Unknown, 5))),
        ];
        for (at, (ended, again, expected)) in (1..).zip(steps) {
            state.apply(Moment::from_unix_ms(at), &delivered(7, ended, again));
            let known = state.shipment(key).map(|one| (one.status, one.since.unix_ms()));
            assert_eq!(known, expected, "{at}");
        }
        state.apply(Moment::from_unix_ms(6), &delivered(7, Ended::Sold, None));
        assert_eq!(state.shipments(ShipmentStatus::Unknown, None).count(), 0);
    }

    /// Sells a lead to a buyer that is not there, until it is given up.
    fn give_up(state: &mut State, ping: u128) {
        let at = Moment::from_unix_ms(i64::try_from(ping).unwrap());
        let acme = Arc::new(buyer("acme", Caps::default()));
        let acme = campaign("acme-ca", &acme, Caps::default());
        let counted = state.covers(&acme, [0; 32], Micros::ZERO, at).unwrap();
        let auction = answered(ping, &[(&acme, 3, counted)], &[], at);
        state.apply(at, &Fact::PingAnswered(Arc::new(auction)));
        state.apply(at, &Fact::Posted(Posted { ping, ..Posted::default() }));
        state.apply(at, &delivered(ping, Ended::NotSent, None));
    }

    #[test]
    fn of_those_given_up_the_newest_can_be_sent_again() {
        let mut state = State::default();
        let newest = u128::try_from(SHIPMENTS_KEPT_MAX).unwrap() + 1;
        for ping in 1..=newest {
            give_up(&mut state, ping);
        }
        let key = |ping| (PingId::from_u128(ping), 0);
        let kept = |state: &State, ping| state.given_up(key(ping)).is_some();
        assert!(!kept(&state, 1) && kept(&state, 2) && kept(&state, newest));
        let full = state.kept().into_iter().find(|kept| kept.what == "leads-given-up").unwrap();
        assert_eq!((full.count, full.most), (SHIPMENTS_KEPT_MAX, SHIPMENTS_KEPT_MAX));
        assert!(state.shipment(key(1)).is_some(), "it is listed all the same");
        let erased = |ping| ContactErased {
            ping,
            by: "operator".to_owned(),
            why: "person-asked".to_owned(),
            voided: Vec::new(),
        };
        state.apply(Moment::from_unix_ms(1), &Fact::ContactErased(erased(2)));
        let swept = ContactsSwept { pings: vec![3], persons_before_ms: 1 };
        state.apply(Moment::from_unix_ms(1), &Fact::ContactsSwept(swept));
        assert!(!kept(&state, 2) && !kept(&state, 3) && kept(&state, 4));
        assert_eq!(state.open_pings(), 0);
    }

    #[test]
    fn of_those_given_up_the_oldest_is_forgotten_first() {
        let mut state = State::default();
        let most = u128::try_from(SHIPMENTS_DEAD_MAX).unwrap();
        for ping in 1..=most + 1 {
            state.apply(Moment::from_unix_ms(1), &delivered(ping, Ended::NotSent, None));
        }
        assert_eq!(state.shipments(ShipmentStatus::Dead, None).count(), SHIPMENTS_DEAD_MAX);
        assert!(state.shipment((PingId::from_u128(1), 0)).is_none());
    }
}
