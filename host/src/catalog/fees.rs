//! What an operator says about fees: what a buyer pays on top of every price, and a source out of what is left to it.

use serde::{Deserialize, Serialize};

use super::spec::{Amount, Percent, SourceSpec};
use super::{Fault, Vertical};
use crate::facts::{BuyerFee, Fee, OnReturn};
use crate::money::{Micros, Rounding, Share};

/// Fees for every lead that is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeesSpec {
    /// For each lead, whatever its price.
    #[serde(default)]
    pub per_lead: Amount,
    /// Of a buyer's price, on top of it; of what a source is left after the margin, out of it.
    #[serde(default)]
    pub percent: Percent,
    /// How the percentage becomes an amount.
    #[serde(default)]
    pub rounding: Rounding,
    /// What becomes of the fees when the lead is given back.
    #[serde(default)]
    pub on_return: OnReturn,
}

impl FeesSpec {
    /// The largest fee for each lead, whatever its price.
    pub const PER_LEAD_MAX: Micros = Micros::new(10_000_000_000);

    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Checks one side's fees.
    pub(super) fn check(&self, what: &str) -> Result<(), Fault> {
        let fault = |pointer: &str, message: String| Err(Fault::new(&what, pointer, message));
        let per_lead = self.per_lead.0;
        if per_lead.is_negative() {
            return fault("/fees/per_lead", "must not be negative: a fee is charged".to_owned());
        }
        if per_lead > Self::PER_LEAD_MAX {
            return fault("/fees/per_lead", format!("must be at most {}", Self::PER_LEAD_MAX));
        }
        if self.rounding.is_to_cent() && per_lead.decimals() > 2 {
            let message = format!(
                "{per_lead} is no whole number of cents, and the fees are rounded to cents: take two digits after the point, or another `rounding`"
            );
            return fault("/fees/per_lead", message);
        }
        Ok(())
    }

    /// Checks a source's fees with its margin: something must be left to it.
    pub(super) fn check_source(spec: &SourceSpec, what: &str) -> Result<(), Fault> {
        spec.fees.check(what)?;
        if spec.fees.percent.0 == Share::WHOLE {
            let message = "would leave the source nothing of any price: take less than 100";
            return Err(Fault::new(&what, "/fees/percent", message));
        }
        if spec.margin_percent.0 == Share::WHOLE && !Fee::from(spec.fees).is_nothing() {
            let message = "the margin takes the whole price already, so there is nothing to charge a fee of: lower `margin_percent` or leave `fees` out";
            return Err(Fault::new(&what, "/fees", message));
        }
        Ok(())
    }
}

impl From<FeesSpec> for Fee {
    fn from(spec: FeesSpec) -> Self {
        Self {
            per_lead: spec.per_lead.0.get(),
            percent: spec.percent.0.millionths(),
            rounding: spec.rounding,
            on_return: spec.on_return,
        }
    }
}

impl From<Fee> for FeesSpec {
    fn from(fee: Fee) -> Self {
        Self {
            per_lead: Amount(Micros::new(fee.per_lead)),
            percent: Percent(Share::from_millionths(fee.percent)),
            rounding: fee.rounding,
            on_return: fee.on_return,
        }
    }
}

impl Vertical {
    /// Returns the fees of the buyers of these campaigns that have some, by the buyers' names.
    pub(super) fn fees_of(campaigns: &[std::sync::Arc<super::Campaign>]) -> Vec<BuyerFee> {
        let buyers = campaigns.iter().map(|campaign| &campaign.buyer);
        let charged = buyers.filter(|buyer| !buyer.fee.is_nothing());
        let mut fees: Vec<BuyerFee> = charged
            .map(|buyer| BuyerFee { buyer: buyer.id.as_str().to_owned(), fee: buyer.fee })
            .collect();
        fees.sort_by(|one, other| one.buyer.cmp(&other.buyer));
        fees.dedup();
        fees
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_fee_of_a_lead_can_be_charged_and_a_millionth_more_cannot() {
        let charged = |per_lead: i64| {
            let per_lead = Amount(Micros::new(per_lead));
            FeesSpec { per_lead, ..FeesSpec::default() }.check("source `web`")
        };
        let most = FeesSpec::PER_LEAD_MAX.get();
        assert!(charged(most).is_ok());
        let said = charged(most + 1).unwrap_err().to_string();
        assert!(said.ends_with("must be at most 10000.00"), "{said}");
    }
}
