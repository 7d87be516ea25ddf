//! What an operator says about sources, buyers, verticals and campaigns: the bodies of the operator's API, which are
//! also what the journal keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bidding::BiddingSpec;
use super::caps::{BudgetSpec, CapsSpec, DuplicatesSpec};
use super::fees::FeesSpec;
use super::returns::{ReturnRateSpec, ReturnsSpec};
use super::upkeep::{LimitsSpec, ModuleSpec};
use super::ways::DeliverySpec;
use super::{PolicySpec, PostbackSpec, PricesSpec};
use crate::ids::{BuyerId, CampaignId, Digest, ModuleName, PolicyId, SourceId, VerticalId};

use crate::money::Rounding;

pub use super::texts::{Amount, Percent};

/// A source: who sends pings and leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    #[serde(default)]
    pub name: String,
    /// The verticals it may send to; empty means all.
    #[serde(default)]
    pub verticals: Vec<VerticalId>,
    /// The exchange's part of every price.
    #[serde(default)]
    pub margin_percent: Percent,
    /// How the margin becomes an amount.
    #[serde(default)]
    pub margin_rounding: Rounding,
    /// What it is charged for every lead that is sold.
    #[serde(default, skip_serializing_if = "FeesSpec::is_nothing")]
    pub fees: FeesSpec,
    /// How many pings and posts a second it may send, after a burst of as many.
    #[serde(default = "SourceSpec::default_rate")]
    pub pings_per_second: u32,
    /// Where it hears what became of its leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postback: Option<PostbackSpec>,
    #[serde(default = "yes")]
    pub active: bool,
    /// SHA-256 of each key that opens the door for it.
    #[serde(default)]
    pub key_digests: Vec<Digest>,
    /// SHA-256 of each key with which everything it sends is a test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_key_digests: Vec<Digest>,
}

impl SourceSpec {
    fn default_rate() -> u32 {
        1_000
    }
}

/// A buyer: who bids and pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuyerSpec {
    #[serde(default)]
    pub name: String,
    /// How far below zero its balance may go.
    #[serde(default)]
    pub credit_limit: Amount,
    /// What it pays on top of the price of every lead.
    #[serde(default, skip_serializing_if = "FeesSpec::is_nothing")]
    pub fees: FeesSpec,
    pub delivery: DeliverySpec,
    /// How much of what it buys it may return; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_rate: Option<ReturnRateSpec>,
    /// How it is asked for bids over the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidding: Option<BiddingSpec>,
    /// For all its campaigns together.
    #[serde(default)]
    pub caps: CapsSpec,
    /// For all its campaigns together.
    #[serde(default)]
    pub budget: BudgetSpec,
    /// The time zone in which the days of its caps and its budget begin.
    #[serde(default = "utc")]
    pub zone: String,
    /// A person that any of its campaigns bought is not sold to it again within this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<DuplicatesSpec>,
    /// The people on these suppression lists are not sold to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressions: Vec<String>,
    /// Where it hears what became of the leads that it won.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postback: Option<PostbackSpec>,
    #[serde(default = "yes")]
    pub active: bool,
    /// SHA-256 of each key with which it looks at its own receipts.
    #[serde(default)]
    pub key_digests: Vec<Digest>,
}

/// A buyer's use of an adapter module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterSpec {
    pub module: ModuleName,
    /// Handed to the module when it is configured; it says itself what it takes.
    #[serde(default)]
    pub settings: serde_json::Value,
}

/// A vertical on this exchange: the module that reads it, and the rules of its auctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerticalSpec {
    /// The normalizer.
    pub module: ModuleName,
    /// The major version of its schema; absent means the lowest that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u32>,
    /// The least price of a lead.
    #[serde(default)]
    pub reserve: Amount,
    /// What is added to a competing bid to make the price.
    #[serde(default)]
    pub increment: Amount,
    /// To how many buyers a lead is sold: 1 is exclusive.
    #[serde(default = "VerticalSpec::default_copies")]
    pub copies: u32,
    /// How long a ping's price holds.
    #[serde(default = "VerticalSpec::default_hold_seconds")]
    pub hold_seconds: u32,
    /// How long the same lead from the same source is a duplicate; 0 means never.
    #[serde(default)]
    pub duplicate_window_seconds: u32,
    /// How its leads may be returned.
    #[serde(default)]
    pub returns: ReturnsSpec,
    /// A person that was sold in this vertical is not sold again within this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<DuplicatesSpec>,
    #[serde(default)]
    pub retention: RetentionSpec,
    #[serde(default = "yes")]
    pub active: bool,
}

/// How long something of a person is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSpec {
    /// How long the sealed contact data is kept once every delivery has ended, for returns and as evidence; 0 means not
    /// at all.
    #[serde(default)]
    pub contact_hours: u32,
    /// How long it is kept if a delivery was given up, so that the operator can send it again; 0 means not at all.
    #[serde(default = "RetentionSpec::default_given_up_hours")]
    pub given_up_hours: u32,
    /// For how long after the post a person is found by phone or e-mail, so that its leads can be erased; 0 means never.
    #[serde(default = "RetentionSpec::default_person_days")]
    pub person_days: u32,
}

impl RetentionSpec {
    pub const CONTACT_HOURS_MAX: u32 = 3 * 366 * 24;
    pub const GIVEN_UP_HOURS_MAX: u32 = 30 * 24;
    pub const PERSON_DAYS_MAX: u32 = 10 * 366;

    /// About as long as a postback is tried.
    fn default_given_up_hours() -> u32 {
        72
    }

    fn default_person_days() -> u32 {
        90
    }
}

impl Default for RetentionSpec {
    fn default() -> Self {
        Self {
            contact_hours: 0,
            given_up_hours: Self::default_given_up_hours(),
            person_days: Self::default_person_days(),
        }
    }
}

impl VerticalSpec {
    pub const COPIES_MAX: u32 = 32;
    pub const HOLD_SECONDS_MAX: u32 = 86_400;
    pub const WINDOW_SECONDS_MAX: u32 = 90 * 86_400;

    fn default_copies() -> u32 {
        1
    }

    fn default_hold_seconds() -> u32 {
        300
    }
}

/// A campaign: what a buyer wants, when, how much of it, and at what price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignSpec {
    pub buyer: BuyerId,
    pub vertical: VerticalId,
    /// What it bids, unless its filter names another price. Without either its buyer is asked, see [`BiddingSpec`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// The most that its buyer may bid for it when it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_max: Option<Amount>,
    /// What it bids where that depends on who else gets the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<PricesSpec>,
    /// An expression in its text spelling, or as JSON; absent means every lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<serde_json::Value>,
    #[serde(default)]
    pub caps: CapsSpec,
    #[serde(default)]
    pub budget: BudgetSpec,
    /// The time zone in which its days begin.
    #[serde(default = "utc")]
    pub zone: String,
    /// How long a lead like one it bought is a duplicate to it; 0 means never.
    #[serde(default)]
    pub duplicate_window_seconds: u32,
    /// A person that it bought is not sold to it again within this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<DuplicatesSpec>,
    /// The people on these suppression lists are not sold to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressions: Vec<String>,
    #[serde(default = "yes")]
    pub active: bool,
}

/// A campaign's use of a filter module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSpec {
    pub module: ModuleName,
    /// Handed to the module when it is configured; it says itself what it takes.
    #[serde(default)]
    pub settings: serde_json::Value,
}

/// A named list of texts that criteria name as `@list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSpec {
    pub values: Vec<String>,
}

/// A suppression list: people who are not to be sold, kept as hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuppressionSpec {
    /// What its entries are hashes of. It stays what it is once it is saved.
    pub kind: Reach,
    #[serde(default)]
    pub description: String,
    /// The people on it are not sold to anybody; else to those who name the list.
    #[serde(default)]
    pub everyone: bool,
}

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    Phone,
    Email,
}

impl Reach {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
}

/// Everything that operators saved, as they saved it.
#[derive(Clone, Debug, Default)]
pub struct Register {
    pub sources: BTreeMap<SourceId, SourceSpec>,
    pub buyers: BTreeMap<BuyerId, BuyerSpec>,
    pub verticals: BTreeMap<VerticalId, VerticalSpec>,
    pub campaigns: BTreeMap<CampaignId, CampaignSpec>,
    pub policies: BTreeMap<PolicyId, PolicySpec>,
    pub lists: BTreeMap<String, ListSpec>,
    pub suppressions: BTreeMap<String, SuppressionSpec>,
    pub modules: BTreeMap<ModuleName, ModuleSpec>,
    /// By world: `filter`, `normalizer` or `adapter`.
    pub limits: BTreeMap<String, LimitsSpec>,
}

pub(super) const fn yes() -> bool {
    true
}

fn utc() -> String {
    "UTC".to_owned()
}
