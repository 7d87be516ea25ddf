//! How much a campaign or a buyer takes at most: leads and money, by hour, day, week, month and in total.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::spec::{Amount, VerticalSpec};
use crate::money::Micros;

/// The most of something in each period. What is absent has no end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceilings<T> {
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub hourly: Option<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub daily: Option<T>,
    /// On these days of the week, in place of `daily`.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub weekdays: BTreeMap<Day, T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub weekly: Option<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub monthly: Option<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub total: Option<T>,
}

impl<T> Ceilings<T> {
    /// Returns whether anything has an end.
    fn any(&self) -> bool {
        let periods = [&self.hourly, &self.daily, &self.weekly, &self.monthly, &self.total];
        periods.iter().any(|most| most.is_some()) || !self.weekdays.is_empty()
    }
}

impl<T> Default for Ceilings<T> {
    fn default() -> Self {
        Self {
            hourly: None,
            daily: None,
            weekdays: BTreeMap::new(),
            weekly: None,
            monthly: None,
            total: None,
        }
    }
}

const fn none<T>() -> Option<T> {
    None
}

/// A day of the week, as schedules name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Day> for Weekday {
    fn from(day: Day) -> Self {
        match day {
            Day::Mon => Self::Monday,
            Day::Tue => Self::Tuesday,
            Day::Wed => Self::Wednesday,
            Day::Thu => Self::Thursday,
            Day::Fri => Self::Friday,
            Day::Sat => Self::Saturday,
            Day::Sun => Self::Sunday,
        }
    }
}

/// The most leads: bought ones, those that are held included, and, under `posts`, those that were shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapsSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<u32>,
    /// On these days of the week, in place of `daily`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weekdays: BTreeMap<Day, u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// The most leads with their contact data, whether they are bought in the end or not.
    #[serde(default, skip_serializing_if = "nothing")]
    pub posts: Ceilings<u32>,
}

fn nothing(ceilings: &Ceilings<u32>) -> bool {
    !ceilings.any()
}

/// The most money, that which is held included.
pub type BudgetSpec = Ceilings<Amount>;

/// When a person counts as sold before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicatesSpec {
    #[serde(default)]
    pub by: By,
    /// How long ago the earlier sale may be.
    pub window_seconds: u32,
}

/// What says that two leads are about one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Phone,
    Email,
    /// One of the two is the same.
    #[default]
    Either,
    /// Both are the same, in one earlier lead.
    Both,
}

impl By {
    /// Returns what is the same, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Phone => "the same phone",
            Self::Email => "the same e-mail",
            Self::Either => "the same phone or e-mail",
            Self::Both => "the same phone and e-mail",
        }
    }
}

impl DuplicatesSpec {
    /// How long ago the earlier sale may be.
    pub fn window(self) -> Duration {
        Duration::from_secs(u64::from(self.window_seconds))
    }

    /// Checks the window.
    pub(super) fn check(spec: Option<&Self>, what: &str) -> Result<(), Fault> {
        let Some(spec) = spec else { return Ok(()) };
        if (1..=VerticalSpec::WINDOW_SECONDS_MAX).contains(&spec.window_seconds) {
            return Ok(());
        }
        let message = format!(
            "must be 1 to {}, but is {}; leave `duplicates` out to take everybody",
            VerticalSpec::WINDOW_SECONDS_MAX,
            spec.window_seconds
        );
        Err(Fault::new(&what, "/duplicates/window_seconds", message))
    }
}

/// Caps and budget as the book reads them.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    pub sales: Bounds,
    pub posts: Bounds,
    /// In millionths.
    pub money: Bounds,
}

/// The most of one thing in each period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub hour: Option<i64>,
    /// From Monday on, each with what `daily` says where the day has no number of its own.
    pub days: [DayBound; 7],
    pub week: Option<i64>,
    pub month: Option<i64>,
    pub total: Option<i64>,
    any: bool,
}

/// The most on one day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayBound {
    pub most: Option<i64>,
    /// The number is that day's own.
    pub own: bool,
}

impl Bounds {
    /// The same bound in every period.
    pub fn all(most: i64) -> Self {
        let day = DayBound { most: Some(most), own: false };
        let most = Some(most);
        Self { hour: most, days: [day; 7], week: most, month: most, total: most, any: true }
    }

    /// Returns whether anything is bounded.
    pub const fn any(&self) -> bool {
        self.any
    }

    pub(crate) fn of<T: Copy>(ceilings: &Ceilings<T>, number: impl Fn(T) -> i64) -> Self {
        let number = |most: Option<T>| most.map(&number);
        let daily = DayBound { most: number(ceilings.daily), own: false };
        let mut days = [daily; 7];
        for (day, most) in &ceilings.weekdays {
            let place = Weekday::from(*day).to_monday_zero_offset();
            if let Some(bound) = days.get_mut(usize::from(place.unsigned_abs())) {
                *bound = DayBound { most: number(Some(*most)), own: true };
            }
        }
        Self {
            hour: number(ceilings.hourly),
            days,
            week: number(ceilings.weekly),
            month: number(ceilings.monthly),
            total: number(ceilings.total),
            any: ceilings.any(),
        }
    }
}

impl Caps {
    /// Checks caps and a budget.
    pub(super) fn new(what: &str, caps: &CapsSpec, budget: &BudgetSpec) -> Result<Self, Fault> {
        let weekdays = budget.weekdays.values().map(|amount| ("weekdays", Some(*amount)));
        let amounts = [
            ("hourly", budget.hourly),
            ("daily", budget.daily),
            ("weekly", budget.weekly),
            ("monthly", budget.monthly),
            ("total", budget.total),
        ];
        for (member, amount) in amounts.into_iter().chain(weekdays) {
            if amount.is_some_and(|amount| amount.0 < Micros::ZERO) {
                let pointer = format!("/budget/{member}");
                return Err(Fault::new(&what, &pointer, "must not be negative"));
            }
        }
        let sales = Ceilings {
            hourly: caps.hourly,
            daily: caps.daily,
            weekdays: caps.weekdays.clone(),
            weekly: caps.weekly,
            monthly: caps.monthly,
            total: caps.total,
        };
        Ok(Self {
            sales: Bounds::of(&sales, i64::from),
            posts: Bounds::of(&caps.posts, i64::from),
            money: Bounds::of(budget, |amount| amount.0.get()),
        })
    }

    /// Returns whether anything is bounded.
    pub const fn any(&self) -> bool {
        self.sales.any() || self.posts.any() || self.money.any()
    }
}
