//! What the erasure of a lead's contact data does to its open copies.

use super::apply::Back;
use super::{OpenPing, Stage, State};
use crate::facts::ContactErased;
use crate::ids::PingId;

impl OpenPing {
    /// Returns the copies that end if the lead is erased now: posted, held, and certainly with no buyer.
    pub fn unbegun(&self) -> Vec<u32> {
        let posted = self.posted.is_some();
        let held = (0..).zip(&self.copies).filter(|(_, copy)| {
            let begun = copy.asked || copy.uncertain || copy.transfer.is_some();
            posted && copy.stage == Stage::Held && !begun
        });
        held.map(|(index, _)| index).collect()
    }
}

impl State {
    pub(super) fn contact_erased(&mut self, erased: &ContactErased) {
        let ping = PingId::from_u128(erased.ping);
        self.shipments_forgotten(&[erased.ping]);
        let Some(mut open) = self.pings.remove(&ping) else { return };
        open.erased = true;
        for index in &erased.voided {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            let copy = open.copies.get_mut(index).filter(|copy| copy.stage == Stage::Held);
            if let Some(copy) = copy {
                copy.stage = Stage::Void;
                let copy = copy.clone();
                self.release(&copy, Back::Whole);
                if let Some(posted) = &open.posted {
                    self.persons.unsold(&posted.person, ping, copy.campaign);
                }
            }
        }
        if open.held().next().is_some() {
            self.pings.insert(ping, open);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::book::tests::{answered, at, buyer, campaign};
    use crate::catalog::Caps;
    use crate::facts::{Fact, Person, Posted};
    use crate::money::Micros;

    #[test]
    fn a_person_whose_lead_is_erased_before_it_was_shown_was_sold_to_nobody() {
        let mut state = State::default();
        let acme = Arc::new(buyer("acme", Caps::default()));
        let acme = campaign("acme-ca", &acme, Caps::default());
        let counted = state.covers(&acme, [0; 32], Micros::ZERO, at(0)).unwrap();
        let auction = answered(7, &[(&acme, 3, counted)], &[], at(0));
        state.apply(at(0), &Fact::PingAnswered(Arc::new(auction)));
        let person = Person { phone: Some([1; 32]), email: Some([2; 32]) };
        let in_line = vec![0];
        let posted = Posted { ping: 7, person, in_line, ..Posted::default() };
        state.apply(at(0), &Fact::Posted(posted));
        let other = PingId::from_u128(8);
        assert!(state.sold_since("auto-insurance", &person, other, at(0)));
        let voided = state.open_ping(PingId::from_u128(7)).unwrap().unbegun();
        let (by, why) = ("operator".to_owned(), "person-asked".to_owned());
        let erased = ContactErased { ping: 7, by, why, voided };
        state.apply(at(1), &Fact::ContactErased(erased));
        assert!(!state.sold_since("auto-insurance", &person, other, at(0)));
    }
}
