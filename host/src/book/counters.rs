//! What a campaign or a buyer took: in all, and in the newest of its hours, days, weeks and months.

use crate::facts::Periods;
use crate::money::Micros;

/// How many periods of each kind are remembered. A clock that jumps ahead and back finds its periods as it left them.
pub const PERIODS_KEPT: usize = 4;

/// No period; earlier than any.
const NEVER: i32 = i32::MIN;

/// Leads bought, leads shown, and money; holds included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Copies that were bought or are held.
    pub sales: i64,
    /// Copies whose contact data was shown, or will be if their holds are claimed.
    pub posts: i64,
    /// In millionths.
    pub spent: i64,
}

impl Taken {
    /// What a hold takes until it ends.
    pub(super) const fn by_hold(price: Micros) -> Self {
        Self { sales: 1, posts: 1, spent: price.get() }
    }

    /// What a hold gives back that ends without a sale after the lead was shown.
    pub(super) const fn but_shown(self) -> Self {
        Self { posts: 0, ..self }
    }

    fn add(&mut self, other: Self) {
        self.sales = self.sales.saturating_add(other.sales);
        self.posts = self.posts.saturating_add(other.posts);
        self.spent = self.spent.saturating_add(other.spent);
    }

    fn take(&mut self, other: Self) {
        self.sales = self.sales.saturating_sub(other.sales);
        self.posts = self.posts.saturating_sub(other.posts);
        self.spent = self.spent.saturating_sub(other.spent);
    }
}

/// What was taken in each period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    hours: Ring,
    days: Ring,
    weeks: Ring,
    months: Ring,
    total: Taken,
}

/// What was taken in the hour, day, week and month of one moment, and in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub hour: Taken,
    pub day: Taken,
    pub week: Taken,
    pub month: Taken,
    pub total: Taken,
}

impl Counters {
    /// Returns the periods that a hold at this moment counts for. Where a clock was set back beyond what is remembered,
    /// that is the oldest remembered period: nothing that is over opens again.
    pub(super) fn effective(&self, periods: Periods) -> Periods {
        Periods {
            hour: self.hours.effective(periods.hour),
            day: self.days.effective(periods.day),
            week: self.weeks.effective(periods.week),
            month: self.months.effective(periods.month),
        }
    }

    /// Returns what was taken in these periods.
    pub(super) fn used(&self, periods: Periods) -> Used {
        Used {
            hour: self.hours.taken(periods.hour),
            day: self.days.taken(periods.day),
            week: self.weeks.taken(periods.week),
            month: self.months.taken(periods.month),
            total: self.total,
        }
    }

    /// Counts a hold.
    pub(super) fn count(&mut self, periods: Periods, taken: Taken) {
        self.hours.add(periods.hour, taken);
        self.days.add(periods.day, taken);
        self.weeks.add(periods.week, taken);
        self.months.add(periods.month, taken);
        self.total.add(taken);
    }

    /// Takes back, in the periods in which it was counted. A period that is forgotten stays as it was.
    pub(super) fn uncount(&mut self, periods: Periods, taken: Taken) {
        self.hours.take(periods.hour, taken);
        self.days.take(periods.day, taken);
        self.weeks.take(periods.week, taken);
        self.months.take(periods.month, taken);
        self.total.take(taken);
    }
}

/// The newest periods of one kind, in no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ring {
    periods: [i32; PERIODS_KEPT],
    taken: [Taken; PERIODS_KEPT],
}

impl Default for Ring {
    fn default() -> Self {
        Self { periods: [NEVER; PERIODS_KEPT], taken: [Taken::default(); PERIODS_KEPT] }
    }
}

impl Ring {
    fn oldest(&self) -> i32 {
        self.periods.iter().copied().fold(i32::MAX, i32::min)
    }

    fn effective(&self, period: i32) -> i32 {
        period.max(self.oldest())
    }

    fn taken(&self, period: i32) -> Taken {
        let mut kept = self.periods.iter().zip(&self.taken);
        kept.find(|(known, _)| **known == period).map_or_else(Taken::default, |(_, taken)| *taken)
    }

    fn find(&mut self, period: i32) -> Option<&mut Taken> {
        let mut kept = self.periods.iter().zip(&mut self.taken);
        kept.find(|(known, _)| **known == period).map(|(_, taken)| taken)
    }

    fn add(&mut self, period: i32, more: Taken) {
        if let Some(taken) = self.find(period) {
            taken.add(more);
            return;
        }
        let oldest = self.oldest();
        let mut kept = self.periods.iter_mut().zip(&mut self.taken);
        if let Some((known, taken)) = kept.find(|(known, _)| **known == oldest) {
            (*known, *taken) = (period, more);
        }
    }

    fn take(&mut self, period: i32, less: Taken) {
        if let Some(taken) = self.find(period) {
            taken.take(less);
        }
    }
}
