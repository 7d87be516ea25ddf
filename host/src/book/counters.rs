//! What a campaign bought: in all, and on the newest of its days.

use crate::money::Micros;

/// Leads and money, holds included. The days are those of the campaign's time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) leads: u64,
    pub(super) spent: Micros,
    day: i32,
    day_leads: u64,
    day_spent: Micros,
}

impl Counters {
    pub(super) fn leads_on(&self, day: i32) -> u64 {
        if day > self.day { 0 } else { self.day_leads }
    }

    pub(super) fn spent_on(&self, day: i32) -> Micros {
        if day > self.day { Micros::ZERO } else { self.day_spent }
    }

    /// Counts a hold. A clock that was set back does not open yesterday again: its holds count for the newest day.
    pub(super) fn count(&mut self, day: i32, price: Micros) {
        if day > self.day {
            (self.day, self.day_leads, self.day_spent) = (day, 0, Micros::ZERO);
        }
        self.leads = self.leads.saturating_add(1);
        self.day_leads = self.day_leads.saturating_add(1);
        self.spent = self.spent.checked_add(price).unwrap_or(self.spent);
        self.day_spent = self.day_spent.checked_add(price).unwrap_or(self.day_spent);
    }

    /// Takes a hold back that ended without a sale. A day that is over stays as it was.
    pub(super) fn uncount(&mut self, day: i32, price: Micros) {
        self.leads = self.leads.saturating_sub(1);
        self.spent = self.spent.checked_sub(price).unwrap_or(self.spent);
        if day == self.day {
            self.day_leads = self.day_leads.saturating_sub(1);
            self.day_spent = self.day_spent.checked_sub(price).unwrap_or(self.day_spent);
        }
    }
}
