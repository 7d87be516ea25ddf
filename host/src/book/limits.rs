//! Why the book says no, as exactly as the one who is left out needs it.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Weekday;

use super::counters::{Taken, Used};
use crate::catalog::{Bounds, By, Caps};
use crate::facts::Periods;
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::schedule::weekday;

/// The book's no to a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub exclusion: Exclusion,
    /// What exactly stands against it.
    pub detail: Option<Detail>,
}

/// What exactly stands against a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Limit(Limit),
    /// The person was sold before.
    Sold {
        to: &'static str,
        by: By,
        window_seconds: u32,
    },
    /// The person is on a suppression list.
    List(Arc<str>),
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(limit) => limit.fmt(f),
            Self::Sold { to, by, window_seconds } => {
                write!(f, "{} {to} within {window_seconds} seconds", by.words())
            }
            Self::List(list) => write!(f, "suppression list `{list}`"),
        }
    }
}

impl Bar {
    pub(super) const fn plain(exclusion: Exclusion) -> Self {
        Self { exclusion, detail: None }
    }

    /// Returns the reason with its detail in words.
    pub fn told(self) -> (Exclusion, Option<String>) {
        (self.exclusion, self.detail.map(|detail| detail.to_string()))
    }
}

/// A cap or a budget that another lead would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub whose: Whose,
    pub measure: Measure,
    pub span: Span,
    pub most: i64,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Campaign,
    Buyer,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Sales,
    Posts,
    Money,
}

/// For how long it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Hour,
    Day,
    /// A day that has a number of its own.
    Weekday(Weekday),
    Week,
    Month,
    Total,
}

impl Span {
    fn words(self) -> &'static str {
        match self {
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Weekday(Weekday::Monday) => "Monday's",
            Self::Weekday(Weekday::Tuesday) => "Tuesday's",
            Self::Weekday(Weekday::Wednesday) => "Wednesday's",
            Self::Weekday(Weekday::Thursday) => "Thursday's",
            Self::Weekday(Weekday::Friday) => "Friday's",
            Self::Weekday(Weekday::Saturday) => "Saturday's",
            Self::Weekday(Weekday::Sunday) => "Sunday's",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Total => "total",
        }
    }
}

/// `daily cap of 50`, `buyer's weekly budget of 500.00`, `Saturday's cap of 10 posts`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whose == Whose::Buyer {
            f.write_str("buyer's ")?;
        }
        let (span, most) = (self.span.words(), self.most);
        match self.measure {
            Measure::Sales => write!(f, "{span} cap of {most}"),
            Measure::Posts => write!(f, "{span} cap of {most} posts"),
            Measure::Money => write!(f, "{span} budget of {}", Micros::new(most)),
        }
    }
}

/// Says whether one more lead at this amount stays within caps and budget.
pub(super) fn within(
    caps: &Caps,
    whose: Whose,
    used: &Used,
    periods: Periods,
    amount: Micros,
) -> Result<(), Bar> {
    let sales = |taken: &Taken| taken.sales;
    let posts = |taken: &Taken| taken.posts;
    let spent = |taken: &Taken| taken.spent;
    let passed = passed(&caps.sales, used, periods, sales, 1)
        .map(|passed| (Measure::Sales, passed))
        .or_else(|| {
            let passed = passed(&caps.posts, used, periods, posts, 1)?;
            Some((Measure::Posts, passed))
        })
        .or_else(|| {
            let passed = passed(&caps.money, used, periods, spent, amount.get())?;
            Some((Measure::Money, passed))
        });
    let Some((measure, (span, most))) = passed else { return Ok(()) };
    let exclusion = match measure {
        Measure::Sales | Measure::Posts => Exclusion::CapReached,
        Measure::Money => Exclusion::BudgetSpent,
    };
    let limit = Limit { whose, measure, span, most };
    Err(Bar { exclusion, detail: Some(Detail::Limit(limit)) })
}

/// Returns the first bound that would be passed, shortest period first.
fn passed(
    bounds: &Bounds,
    used: &Used,
    periods: Periods,
    measure: impl Fn(&Taken) -> i64,
    more: i64,
) -> Option<(Span, i64)> {
    if !bounds.any() {
        return None;
    }
    let weekday = weekday(periods.day);
    let place = usize::from(weekday.to_monday_zero_offset().unsigned_abs());
    let today = bounds.days.get(place).copied().unwrap_or_default();
    let day = if today.own { Span::Weekday(weekday) } else { Span::Day };
    let spans = [
        (Span::Hour, bounds.hour, &used.hour),
        (day, today.most, &used.day),
        (Span::Week, bounds.week, &used.week),
        (Span::Month, bounds.month, &used.month),
        (Span::Total, bounds.total, &used.total),
    ];
    spans.into_iter().find_map(|(span, most, taken)| {
        let most = most?;
        (measure(taken).saturating_add(more) > most).then_some((span, most))
    })
}
