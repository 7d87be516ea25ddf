//! What a vertical and a buyer agree on about leads that are given back.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Fault, Percent};
use crate::money::Share;
use crate::reasons::ReturnReason;

/// How leads of a vertical may be returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnsSpec {
    /// For how many days after its sale a lead may be returned; 0 means never.
    #[serde(default = "ReturnsSpec::default_window_days")]
    pub window_days: u32,
    /// The reasons that are accepted unasked; every other waits for the operator.
    #[serde(default)]
    pub accept: Vec<ReturnReason>,
}

impl ReturnsSpec {
    /// The longest window.
    pub const WINDOW_DAYS_MAX: u32 = 365;

    /// Two weeks, the field's usual longest.
    fn default_window_days() -> u32 {
        14
    }
}

impl Default for ReturnsSpec {
    fn default() -> Self {
        Self { window_days: Self::default_window_days(), accept: Vec::new() }
    }
}

/// How much a buyer may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnRateSpec {
    /// Of the leads that it bought in the last `days`, rounded up to whole leads.
    pub percent_max: Percent,
    #[serde(default = "ReturnRateSpec::default_days")]
    pub days: u32,
}

impl ReturnRateSpec {
    /// The longest time over which a rate is measured.
    pub const DAYS_MAX: u32 = 90;

    fn default_days() -> u32 {
        14
    }

    pub(super) fn check(rate: Option<Self>, what: &str) -> Result<(), Fault> {
        if rate.is_none_or(|rate| (1..=Self::DAYS_MAX).contains(&rate.days)) {
            return Ok(());
        }
        let message = format!("must be 1 to {}", Self::DAYS_MAX);
        Err(Fault::new(&what, "/return_rate/days", message))
    }

    /// Returns how many of so many leads may be returned.
    pub fn allows(&self, sold: u64) -> u64 {
        let whole = u128::from(Share::WHOLE.millionths());
        let allowed =
            (u128::from(sold) * u128::from(self.percent_max.0.millionths())).div_ceil(whole);
        u64::try_from(allowed).unwrap_or(u64::MAX)
    }
}

impl Serialize for ReturnReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for ReturnReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|reason| reason.code()).collect();
            let all = all.join(", ");
            serde::de::Error::custom(format!("`{code}` is no reason for a return; one of {all}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_allows_whole_leads_rounded_up() {
        let percent = |text| Percent(Share::parse_percent(text).unwrap());
        let rate = |text| ReturnRateSpec { percent_max: percent(text), days: 14 };
        for (text, sold, allowed) in
            [("30", 10, 3), ("30", 1, 1), ("30", 11, 4), ("0", 100, 0), ("100", 7, 7), ("30", 0, 0)]
        {
            assert_eq!(rate(text).allows(sold), allowed, "{text} % of {sold}");
        }
    }
}
