//! What an operator says about a policy: the body of the operator's API, which is also what the journal keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::spec::{Amount, yes};
use crate::facts::{ChangedPost, PriceRule, Ranking, Rule, Terms};
use crate::ids::{BuyerId, CampaignId, VerticalId};
use crate::money::Micros;

/// A policy: for which leads, in which order, and how they are sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    pub verticals: Vec<VerticalId>,
    /// The policies of a vertical are tried in this order, the lowest number first. No two have the same.
    pub priority: u32,
    /// An expression over the lead's fields and its source, in its text spelling or as JSON; absent means every lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<serde_json::Value>,
    #[serde(default)]
    pub rule: RuleName,
    /// What every winner pays under the rule `fixed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// Who comes first; `weighted` only within tiers.
    #[serde(default)]
    pub rank: RankName,
    /// The campaigns in the order in which they come, where `rank` is `order`; all others come after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<CampaignId>,
    /// The tiers of the rule `tiers`, the highest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<TierSpec>,
    /// What becomes of campaigns that no tier lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<UnlistedName>,
    /// The least price of a copy; absent means the vertical's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Amount>,
    /// What is added to a competing bid to make the price; absent means the vertical's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increment: Option<Amount>,
    /// To how many buyers a lead is sold; absent means the vertical's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// To how many buyers the contact data of one copy may be shown: the first is the winner, the others come after
    /// refusals.
    #[serde(default = "PolicySpec::default_disclosures_max")]
    pub disclosures_max: u32,
    #[serde(default)]
    pub changed_post: ChangedPostName,
    /// Rank each bid by what is left of it after the share of its last posts that the buyer refused. What a winner pays is
    /// still never above its bid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reject_penalty: bool,
    #[serde(default = "yes")]
    pub active: bool,
}

impl PolicySpec {
    /// The most policies that an exchange has.
    pub const POLICIES_MAX: usize = 1_000;
    /// The most verticals of one policy.
    pub const VERTICALS_MAX: usize = 64;
    /// The most tiers of one policy.
    pub const TIERS_MAX: usize = 16;
    /// The most campaigns and buyers that one policy lists.
    pub const LISTED_MAX: usize = 10_000;
    /// The most buyers that may see one copy.
    pub const DISCLOSURES_MAX: u32 = 32;
    /// The largest weight in a draw.
    pub const WEIGHT_MAX: u32 = 1_000_000;

    fn default_disclosures_max() -> u32 {
        Terms::DISCLOSURES_MAX_USUAL
    }
}

/// One tier of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierSpec {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub campaigns: Vec<CampaignId>,
    /// Buyers whose campaigns are in it, but for those that are listed themselves somewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buyers: Vec<BuyerId>,
    #[serde(default)]
    pub rule: PriceName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    #[serde(default)]
    pub rank: RankName,
    /// The weight of each campaign or buyer that the tier lists; absent means 1, so that everyone takes turns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// The least price in this tier; never below the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Amount>,
}

/// How a policy decides, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    #[default]
    SecondPrice,
    FirstPrice,
    Fixed,
    Tiers,
}

/// What a winner pays, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceName {
    #[default]
    SecondPrice,
    FirstPrice,
    Fixed,
}

/// Who comes first, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RankName {
    #[default]
    Bid,
    Order,
    Weighted,
}

/// What becomes of campaigns that no tier lists, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnlistedName {
    /// They make a last tier, at the second price.
    Last,
    /// They are not asked.
    Excluded,
}

/// What becomes of a post that says otherwise than its ping, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedPostName {
    #[default]
    Refuse,
    Reauction,
}

macro_rules! same_names {
    ($($from:ident <=> $to:ident { $($variant:ident),* })*) => { $(
        impl From<$from> for $to {
            fn from(name: $from) -> Self {
                match name { $($from::$variant => Self::$variant,)* }
            }
        }

        impl From<$to> for $from {
            fn from(recorded: $to) -> Self {
                match recorded { $($to::$variant => Self::$variant,)* }
            }
        }
    )* };
}

same_names! {
    RuleName <=> Rule { SecondPrice, FirstPrice, Fixed, Tiers }
    RankName <=> Ranking { Bid, Order, Weighted }
    ChangedPostName <=> ChangedPost { Refuse, Reauction }
}

impl RuleName {
    /// Returns the price rule that it is; none if every tier has its own.
    pub(super) fn price(self) -> Option<PriceName> {
        match self {
            Self::SecondPrice => Some(PriceName::SecondPrice),
            Self::FirstPrice => Some(PriceName::FirstPrice),
            Self::Fixed => Some(PriceName::Fixed),
            Self::Tiers => None,
        }
    }
}

impl PriceName {
    /// Returns the rule with its fixed price, if that is what it is.
    pub fn rule(self, price: Micros) -> PriceRule {
        match self {
            Self::SecondPrice => PriceRule::Second,
            Self::FirstPrice => PriceRule::First,
            Self::Fixed => PriceRule::Fixed(price.get()),
        }
    }

    /// Returns a rule's name and its price.
    pub fn of(rule: PriceRule) -> (Self, Option<Micros>) {
        match rule {
            PriceRule::Second => (Self::SecondPrice, None),
            PriceRule::First => (Self::FirstPrice, None),
            PriceRule::Fixed(price) => (Self::Fixed, Some(Micros::new(price))),
        }
    }
}
