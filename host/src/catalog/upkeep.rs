//! What an operator says about a module: whose it is, what it may use, when it is taken out of service, and what a new
//! version must show before it serves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spec::Percent;
use crate::sandbox::{CallLimits, FilterLimits, Limits};

/// The settings of one module, for all its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModuleSpec {
    /// Who is told when it fails, in the operator's words.
    pub owner: String,
    /// What its calls may use, where that differs from its world's limits.
    pub limits: LimitsSpec,
    /// When it is taken out of service; absent means [`FailingSpec::default`] for a filter and an adapter, and never for a
    /// normalizer, whose input anybody may write. Of an adapter, which buyers share, only the wording of requests counts:
    /// what a buyer answers must not cost the others anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<FailingSpec>,
    pub gate: GateSpec,
}

impl ModuleSpec {
    /// Returns when a module of this world is taken out of service.
    pub fn failing(&self, world: &str) -> FailingSpec {
        let usual = if world == "normalizer" { FailingSpec::NEVER } else { FailingSpec::default() };
        self.failing.unwrap_or(usual)
    }
}

/// What a call may use. What is absent is as in the world's limits, and there as built in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSpec {
    /// WebAssembly operations, roughly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// For each campaign that a filter judges, beside `fuel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_per_campaign: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
}

impl LimitsSpec {
    /// Returns the limits of a world as the sandbox was opened with them; nothing if there is no such world.
    pub fn built_in(world: &str, limits: &Limits) -> Option<Self> {
        let (call, fuel_per_campaign) = match world {
            "filter" => (&limits.filter, Some(limits.filter_fuel_per_slot)),
            "normalizer" => (&limits.normalizer, None),
            "adapter" => (&limits.adapter, None),
            _ => return None,
        };
        Some(Self {
            fuel: Some(call.fuel),
            fuel_per_campaign,
            memory_bytes: u64::try_from(call.memory_bytes).ok(),
            wall_ms: u32::try_from(call.wall.as_millis()).ok(),
            output_bytes: u64::try_from(call.output_bytes).ok(),
        })
    }

    /// Returns a call's limits with these put over them.
    #[must_use]
    pub fn over(&self, usual: &CallLimits) -> CallLimits {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        CallLimits {
            fuel: self.fuel.unwrap_or(usual.fuel),
            memory_bytes: self.memory_bytes.map_or(usual.memory_bytes, bytes),
            wall: self.wall_ms.map_or(usual.wall, |ms| Duration::from_millis(u64::from(ms))),
            output_bytes: self.output_bytes.map_or(usual.output_bytes, bytes),
        }
    }

    /// Returns a filter's limits with these put over them.
    #[must_use]
    pub fn over_filter(&self, usual: &FilterLimits) -> FilterLimits {
        let fuel_per_slot = self.fuel_per_campaign.unwrap_or(usual.fuel_per_slot);
        FilterLimits { call: self.over(&usual.call), fuel_per_slot }
    }

    /// Returns these limits, and `other`'s where these say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            fuel: self.fuel.or(other.fuel),
            fuel_per_campaign: self.fuel_per_campaign.or(other.fuel_per_campaign),
            memory_bytes: self.memory_bytes.or(other.memory_bytes),
            wall_ms: self.wall_ms.or(other.wall_ms),
            output_bytes: self.output_bytes.or(other.output_bytes),
        }
    }
}

/// So many failed calls within so much time take a module out of service. Zero calls means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailingSpec {
    pub calls: u32,
    pub window_seconds: u32,
}

impl FailingSpec {
    /// The most failed calls that can be counted.
    pub const CALLS_MAX: u32 = 10_000;
    /// The longest window.
    pub const WINDOW_SECONDS_MAX: u32 = 3_600;
    pub const NEVER: Self = Self { calls: 0, window_seconds: 1 };
}

impl Default for FailingSpec {
    fn default() -> Self {
        Self { calls: 20, window_seconds: 60 }
    }
}

/// What the comparison of a version with the active one must show before it may be activated. What is absent is not
/// asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateSpec {
    /// The least number of leads that both versions judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_min: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newly_refused_percent_max: Option<Percent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newly_bid_percent_max: Option<Percent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_changed_percent_max: Option<Percent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awards_changed_percent_max: Option<Percent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traps_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_p99_max: Option<u64>,
}

impl GateSpec {
    /// The most leads that can be asked for: ten times what a comparison of recorded leads takes.
    pub const FRAMES_MIN_MAX: u64 = 1_000_000;

    /// Returns whether nothing is asked for.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that a module of this world can be asked for this.
    ///
    /// # Errors
    ///
    /// The member at fault, and what is wrong with it.
    pub fn check(&self, world: &str) -> Result<(), (&'static str, String)> {
        if world == "adapter" && !self.is_open() {
            let message = "has no meaning for an adapter, whose versions are not compared with each other: leave it out, and \
                           try a version with a canary";
            return Err(("", message.to_owned()));
        }
        if self.frames_min.is_some_and(|least| least > Self::FRAMES_MIN_MAX) {
            let message = format!("must be at most {}", Self::FRAMES_MIN_MAX);
            return Err(("frames_min", message));
        }
        if self.fuel_p99_max == Some(0) {
            let message =
                "must be above zero: every call takes fuel; leave it out to ask for nothing";
            return Err(("fuel_p99_max", message.to_owned()));
        }
        let of_filters = [
            ("newly_bid_percent_max", self.newly_bid_percent_max),
            ("price_changed_percent_max", self.price_changed_percent_max),
            ("awards_changed_percent_max", self.awards_changed_percent_max),
        ];
        match of_filters.iter().find(|(_, most)| most.is_some() && world == "normalizer") {
            Some((member, _)) => {
                let message = "has no meaning for a normalizer, which does not bid: leave it out";
                Err((*member, message.to_owned()))
            }
            None => Ok(()),
        }
    }
}
