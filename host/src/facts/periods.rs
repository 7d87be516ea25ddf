//! The periods that a hold counts for: recorded, so that it is taken back from where it was counted.

use rkyv::{Archive, Deserialize, Serialize};

/// The hour, day, week and month of a moment in one time zone, each counted from a fixed beginning.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Periods {
    /// Sixty minutes, from the full hour of the clock on the wall.
    pub hour: i32,
    /// Days since 1970-01-01.
    pub day: i32,
    /// From Monday to Sunday.
    pub week: i32,
    /// Twelve times the year, plus the months before this one.
    pub month: i32,
}

/// The periods whose caps and budgets a hold counts for.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// In the campaign's time zone.
    pub campaign: Periods,
    /// In the buyer's time zone.
    pub buyer: Periods,
}
