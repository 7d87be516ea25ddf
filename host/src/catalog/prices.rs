//! What a campaign bids where that depends on who else gets the lead.

use serde::{Deserialize, Serialize};

use super::spec::{Amount, CampaignSpec};
use crate::money::Micros;

/// Prices by the number of buyers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricesSpec {
    /// For the lead alone: nobody else gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Amount>,
    /// For a copy, while others may get one as well; the campaign's `price` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Amount>,
}

impl CampaignSpec {
    /// Returns what it bids for a copy, and for the lead alone.
    pub fn bids(&self) -> (Option<Micros>, Option<Micros>) {
        let prices = self.prices.unwrap_or_default();
        let shared = self.price.or(prices.shared).map(|price| price.0);
        (shared, prices.exclusive.map(|price| price.0))
    }
}

/// What is bid for a copy, and for the lead alone.
type Prices = (Option<Micros>, Option<Micros>);

/// Returns what a campaign bids for a copy and for the lead alone, or which member is wrong and why.
pub(super) fn prices(
    spec: &CampaignSpec,
    elsewhere: bool,
) -> Result<Prices, (&'static str, &'static str)> {
    let named = spec.prices.unwrap_or_default();
    let amounts = [
        ("/price", spec.price),
        ("/prices/shared", named.shared),
        ("/prices/exclusive", named.exclusive),
    ];
    for (pointer, amount) in amounts {
        if amount.is_some_and(|amount| !amount.0.is_positive()) {
            return Err((pointer, "must be above zero"));
        }
    }
    if spec.price.is_some() && named.shared.is_some() {
        return Err(("/prices/shared", "says the same as `price`: name one of them"));
    }
    let (shared, exclusive) = spec.bids();
    if shared.is_some() && exclusive.is_some() && exclusive < shared {
        let message = "must be at least what a shared copy is worth to the campaign";
        return Err(("/prices/exclusive", message));
    }
    if shared.is_none() && exclusive.is_none() && !elsewhere {
        return Err((
            "/price",
            "name a price, a filter that does, or the buyer's `bidding`, by which it is asked",
        ));
    }
    Ok((shared, exclusive))
}
