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
            posted && copy.stage == Stage::Held && !copy.asked && !copy.uncertain
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
            }
        }
        if open.held().next().is_some() {
            self.pings.insert(ping, open);
        }
    }
}
