//! An auction's terms and bids as a recording writes them. What a plain second-price auction lacks is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{Amount, ChangedPostName, FeesSpec, Percent, PriceName, RankName, RuleName};
use crate::facts::{BidMade, BuyerFee, Terms, Tier};
use crate::money::{Micros, Rounding, Share};

#[derive(Serialize, Deserialize)]
pub(super) struct TermsLine {
    copies: u32,
    reserve: Amount,
    increment: Amount,
    margin_percent: Percent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    more: Option<MoreLine>,
}

/// What sets an auction apart from the usual one.
#[derive(Serialize, Deserialize)]
struct MoreLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    rule: RuleName,
    least: Amount,
    tiers: Vec<TierLine>,
    disclosures_max: u32,
    changed_post: ChangedPostName,
    #[serde(default)]
    margin_rounding: Rounding,
    #[serde(default)]
    source_fees: FeesSpec,
    /// By buyer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    buyer_fees: BTreeMap<String, FeesSpec>,
    reject_penalty: bool,
}

#[derive(Serialize, Deserialize)]
struct TierLine {
    rank: RankName,
    rule: PriceName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Amount>,
    reserve: Amount,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BidLine {
    campaign: String,
    buyer: String,
    amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exclusive: Option<Amount>,
    #[serde(default, skip_serializing_if = "is_zero")]
    tier: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    standing: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    rejects: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn amount(micros: i64) -> Amount {
    Amount(Micros::new(micros))
}

impl TermsLine {
    pub(super) fn of(terms: &Terms) -> Self {
        let Terms { copies, reserve, increment, margin, .. } = *terms;
        let usual = *terms == Terms::second_price(copies, reserve, increment, margin);
        Self {
            copies,
            reserve: amount(reserve),
            increment: amount(increment),
            margin_percent: Percent(Share::from_millionths(margin)),
            more: (!usual).then(|| MoreLine::of(terms)),
        }
    }

    pub(super) fn terms(self) -> Terms {
        let (reserve, increment) = (self.reserve.0.get(), self.increment.0.get());
        let margin = self.margin_percent.0.millionths();
        let usual = Terms::second_price(self.copies, reserve, increment, margin);
        match self.more {
            None => usual,
            Some(more) => Terms {
                policy: more.policy,
                rule: more.rule.into(),
                least: more.least.0.get(),
                tiers: more.tiers.into_iter().map(TierLine::tier).collect(),
                disclosures_max: more.disclosures_max,
                changed_post: more.changed_post.into(),
                margin_rounding: more.margin_rounding,
                source_fee: more.source_fees.into(),
                buyer_fees: more
                    .buyer_fees
                    .into_iter()
                    .map(|(buyer, fees)| BuyerFee { buyer, fee: fees.into() })
                    .collect(),
                reject_penalty: more.reject_penalty,
                ..usual
            },
        }
    }
}

impl MoreLine {
    fn of(terms: &Terms) -> Self {
        Self {
            policy: terms.policy.clone(),
            rule: terms.rule.into(),
            least: amount(terms.least),
            tiers: terms.tiers.iter().map(TierLine::of).collect(),
            disclosures_max: terms.disclosures_max,
            changed_post: terms.changed_post.into(),
            margin_rounding: terms.margin_rounding,
            source_fees: terms.source_fee.into(),
            buyer_fees: terms
                .buyer_fees
                .iter()
                .map(|known| (known.buyer.clone(), known.fee.into()))
                .collect(),
            reject_penalty: terms.reject_penalty,
        }
    }
}

impl TierLine {
    fn of(tier: &Tier) -> Self {
        let (rule, price) = PriceName::of(tier.price);
        Self {
            rank: tier.ranking.into(),
            rule,
            price: price.map(Amount),
            reserve: amount(tier.reserve),
        }
    }

    fn tier(self) -> Tier {
        Tier {
            ranking: self.rank.into(),
            price: self.rule.rule(self.price.map(|price| price.0).unwrap_or_default()),
            reserve: self.reserve.0.get(),
        }
    }
}

impl BidLine {
    pub(super) fn of(bid: &BidMade) -> Self {
        Self {
            campaign: bid.campaign.clone(),
            buyer: bid.buyer.clone(),
            amount: amount(bid.amount),
            exclusive: bid.exclusive.map(amount),
            tier: bid.tier,
            standing: bid.standing,
            rejects: bid.rejects,
        }
    }

    pub(super) fn made(self) -> BidMade {
        BidMade {
            campaign: self.campaign,
            buyer: self.buyer,
            amount: self.amount.0.get(),
            exclusive: self.exclusive.map(|exclusive| exclusive.0.get()),
            tier: self.tier,
            standing: self.standing,
            rejects: self.rejects,
        }
    }
}
