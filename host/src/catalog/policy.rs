//! Policies: by which rules a lead is sold, chosen by what it is and where it comes from.
//!
//! A vertical's policies are tried in the order of their priorities, the lowest number first. The first whose
//! expression holds makes the terms; the vertical's own settings are the last resort.

mod build;
mod check;
mod spec;

use std::collections::HashMap;

use super::spec::VerticalSpec;
use super::{Campaign, Source};
use crate::criteria::Criteria;
use crate::facts::{BuyerFee, ChangedPost, PriceRule, Ranking, Rule, Terms, Tier};
use crate::ids::{BuyerId, CampaignId, PolicyId};
use crate::lead::PingView;
use crate::money::Micros;

pub(super) use check::{check, orders};
pub use spec::{
    ChangedPostName, PolicySpec, PriceName, RankName, RuleName, TierSpec, UnlistedName,
};

/// How leads are sold that a policy, or a vertical without one, decides about.
#[derive(Debug)]
pub struct Policy {
    /// `None` for a vertical's own settings.
    pub id: Option<PolicyId>,
    when: Criteria,
    pub rule: Rule,
    pub copies: u32,
    pub reserve: Micros,
    pub increment: Micros,
    pub disclosures_max: u32,
    pub changed_post: ChangedPost,
    pub reject_penalty: bool,
    tiers: Vec<Tier>,
    campaigns: HashMap<CampaignId, Place>,
    buyers: HashMap<BuyerId, Place>,
    unlisted: Option<Place>,
}

/// Where a campaign stands in a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub tier: u32,
    /// Its place where the tier has an order, its weight where it draws.
    pub standing: u32,
}

impl Policy {
    /// Returns the policy that a vertical's own settings make: the second price for everyone.
    pub(super) fn of_vertical(spec: &VerticalSpec) -> Self {
        let reserve = spec.reserve.0;
        let (ranking, price) = (Ranking::Bid, PriceRule::Second);
        Self {
            id: None,
            when: Criteria::any(),
            rule: Rule::SecondPrice,
            copies: spec.copies,
            reserve,
            increment: spec.increment.0,
            disclosures_max: Terms::DISCLOSURES_MAX_USUAL,
            changed_post: ChangedPost::Refuse,
            reject_penalty: false,
            tiers: vec![Tier { ranking, price, reserve: reserve.get() }],
            campaigns: HashMap::new(),
            buyers: HashMap::new(),
            unlisted: Some(Place::default()),
        }
    }

    /// Makes a policy for one vertical of a specification that was checked; what it leaves out is the vertical's.
    pub(super) fn new(
        id: &PolicyId,
        spec: &PolicySpec,
        when: Criteria,
        vertical: &VerticalSpec,
    ) -> Self {
        let reserve = spec.reserve.unwrap_or(vertical.reserve).0;
        let mut policy = Self {
            id: Some(id.clone()),
            when,
            rule: spec.rule.into(),
            copies: spec.copies.unwrap_or(vertical.copies),
            reserve,
            increment: spec.increment.unwrap_or(vertical.increment).0,
            disclosures_max: spec.disclosures_max,
            changed_post: spec.changed_post.into(),
            reject_penalty: spec.reject_penalty,
            tiers: Vec::new(),
            campaigns: HashMap::new(),
            buyers: HashMap::new(),
            unlisted: None,
        };
        let Some(price) = spec.rule.price() else {
            policy.add_tiers(spec);
            return policy;
        };
        let ranking = spec.rank.into();
        let price = price.rule(spec.price.unwrap_or_default().0);
        policy.tiers.push(Tier { ranking, price, reserve: reserve.get() });
        for (standing, campaign) in (0_u32..).zip(&spec.order) {
            policy.campaigns.insert(campaign.clone(), Place { tier: 0, standing });
        }
        // Whom the order does not name comes after all that it names.
        policy.unlisted = Some(Place { tier: 0, standing: u32::MAX });
        policy
    }

    fn add_tiers(&mut self, spec: &PolicySpec) {
        for (tier, listed) in (0_u32..).zip(&spec.tiers) {
            let reserve = listed.reserve.map_or(self.reserve, |reserve| reserve.0);
            self.tiers.push(Tier {
                ranking: listed.rank.into(),
                price: listed.rule.rule(listed.price.unwrap_or_default().0),
                reserve: reserve.max(self.reserve).get(),
            });
            let place = |standing: u32, id: &str| match listed.rank {
                RankName::Weighted => listed.weights.get(id).copied().unwrap_or(1),
                RankName::Order => standing,
                RankName::Bid => 0,
            };
            let mut standing = 0_u32..;
            for (standing, id) in standing.by_ref().zip(&listed.campaigns) {
                let standing = place(standing, id.as_str());
                self.campaigns.insert(id.clone(), Place { tier, standing });
            }
            for (standing, id) in standing.zip(&listed.buyers) {
                let standing = place(standing, id.as_str());
                self.buyers.insert(id.clone(), Place { tier, standing });
            }
        }
        if spec.unlisted == Some(UnlistedName::Last) {
            let tier = u32::try_from(self.tiers.len()).unwrap_or(u32::MAX);
            let (ranking, price) = (Ranking::Bid, PriceRule::Second);
            self.tiers.push(Tier { ranking, price, reserve: self.reserve.get() });
            self.unlisted = Some(Place { tier, standing: 0 });
        }
    }

    /// Says whether the policy is for this lead from this source.
    pub fn is_for(&self, lead: &PingView, source: &str) -> bool {
        self.when.matches(lead, source)
    }

    /// Returns where a campaign stands; nothing if the policy does not sell to it. A campaign that is listed itself
    /// stands there, wherever its buyer is.
    pub fn place(&self, campaign: &Campaign) -> Option<Place> {
        let listed = self.campaigns.get(&campaign.id);
        let listed = listed.or_else(|| self.buyers.get(&campaign.buyer.id));
        listed.copied().or(self.unlisted)
    }

    /// Fixes the terms of an auction for a source's lead. `fees` are the buyers', by name; `least` is what the source asks
    /// for at least, margin and fees added.
    pub fn terms(&self, source: &Source, fees: &[BuyerFee], least: Micros) -> Terms {
        let tiers = self.tiers.iter().map(|tier| {
            let reserve = tier.reserve.max(least.get());
            Tier { reserve, ..tier.clone() }
        });
        Terms {
            policy: self.id.as_ref().map(|id| id.as_str().to_owned()),
            rule: self.rule,
            copies: self.copies,
            reserve: self.reserve.max(least).get(),
            increment: self.increment.get(),
            margin: source.margin.millionths(),
            margin_rounding: source.margin_rounding,
            source_fee: source.fee,
            buyer_fees: fees.to_vec(),
            least: least.get(),
            tiers: tiers.collect(),
            disclosures_max: self.disclosures_max,
            changed_post: self.changed_post,
            reject_penalty: self.reject_penalty,
        }
    }
}
