//! How a buyer is asked for bids over the network: as the operator says it, and as the saleroom uses it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::headers::Headers;
use super::serving::Serving;
use super::spec::{AdapterSpec, Amount};
use crate::egress::{Destination, Egress};
use crate::money::Micros;
use crate::sandbox::Adapter;

/// Where and how a buyer is asked for bids. Campaigns of it that name no price are asked for there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BiddingSpec {
    /// HTTPS, or HTTP on loopback where that is allowed.
    pub url: String,
    /// How long the buyer's answer is waited for, if the source waits so long.
    #[serde(default = "BiddingSpec::default_timeout_ms")]
    pub timeout_ms: u32,
    /// The most that it may bid; an answer above it is no bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_max: Option<Amount>,
    /// How often a second it is asked at most; absent means no limit but `concurrency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<u32>,
    /// How many questions may wait for its answer at once.
    #[serde(default = "BiddingSpec::default_concurrency")]
    pub concurrency: u32,
    /// Speaks the buyer's dialect; absent means the exchange's own JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterSpec>,
}

impl BiddingSpec {
    /// The longest time that a bid may be waited for.
    pub const TIMEOUT_MS_MAX: u32 = 10_000;
    pub const CALLS_PER_SECOND_MAX: u32 = 100_000;
    pub const CONCURRENCY_MAX: u32 = 1_024;

    fn default_timeout_ms() -> u32 {
        400
    }

    fn default_concurrency() -> u32 {
        128
    }
}

/// Where and how a buyer is asked for bids.
#[derive(Debug)]
pub struct Bidding {
    pub destination: Destination,
    pub timeout: Duration,
    pub bid_max: Option<Micros>,
    pub calls_per_second: Option<u32>,
    pub concurrency: u32,
    /// The buyer's own headers.
    pub headers: Headers,
    /// Speaks the buyer's dialect; without one it is the exchange's own JSON.
    pub adapter: Option<Serving<Adapter>>,
}

impl Bidding {
    /// Returns whether the end point and its limits are the same, whoever words the questions.
    pub fn is_same_end_point(&self, other: &Self) -> bool {
        let limits =
            |bidding: &Self| (bidding.timeout, bidding.calls_per_second, bidding.concurrency);
        self.destination == other.destination && limits(self) == limits(other)
    }
}

/// Checks how a buyer is asked for bids.
pub(super) fn checked(what: &str, spec: &BiddingSpec, egress: &Egress) -> Result<Bidding, Fault> {
    let destination = egress.check(&spec.url);
    let destination =
        destination.map_err(|error| Fault::new(&what, "/bidding/url", error.to_string()))?;
    let limits = [
        ("/bidding/timeout_ms", spec.timeout_ms, BiddingSpec::TIMEOUT_MS_MAX),
        ("/bidding/concurrency", spec.concurrency, BiddingSpec::CONCURRENCY_MAX),
        (
            "/bidding/calls_per_second",
            spec.calls_per_second.unwrap_or(1),
            BiddingSpec::CALLS_PER_SECOND_MAX,
        ),
    ];
    for (pointer, value, most) in limits {
        if !(1..=most).contains(&value) {
            let message = format!("must be 1 to {most}, but is {value}");
            return Err(Fault::new(&what, pointer, message));
        }
    }
    if spec.bid_max.is_some_and(|most| !most.0.is_positive()) {
        return Err(Fault::new(&what, "/bidding/bid_max", "must be above zero"));
    }
    Ok(Bidding {
        destination,
        timeout: Duration::from_millis(u64::from(spec.timeout_ms)),
        bid_max: spec.bid_max.map(|most| most.0),
        calls_per_second: spec.calls_per_second,
        concurrency: spec.concurrency,
        headers: Headers::default(),
        adapter: None,
    })
}
