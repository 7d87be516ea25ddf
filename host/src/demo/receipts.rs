//! An auction's receipt, as anybody with the operator's key can read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::api::{Api, ApiError};
use super::market::CAMPAIGNS;
use super::tally::Tally;
use crate::exchange::{Means, verify};
use crate::money::Micros;
use crate::sandbox::Compiler;

/// How often the view looks at the latest receipt.
const SAMPLE_EVERY: Duration = Duration::from_millis(125);

/// What a receipt says, as far as the demo holds it against other books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Receipt {
    /// `accepted`, `sold`, `unsold`, `pending`, …
    pub(super) status: String,
    pub(super) vertical: String,
    pub(super) copies: u64,
    pub(super) normalizer: Option<String>,
    /// The digests of the filters that were asked, by name.
    pub(super) filters: BTreeMap<String, String>,
    /// The campaigns that won the auction, with the price.
    pub(super) winners: BTreeMap<String, Micros>,
    /// The campaigns that bid, with the amount.
    pub(super) bids: BTreeMap<String, Micros>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) sales: Vec<Delivered>,
    /// Why its signature and contents do not hold, if they do not.
    pub(super) unproven: Option<String>,
}

/// A campaign that did not win, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) campaign: String,
    pub(super) code: String,
    pub(super) detail: Option<String>,
}

/// A delivery that ended in a sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) campaign: String,
    pub(super) buyer: String,
    pub(super) price: Micros,
    pub(super) payout: Micros,
}

impl Receipt {
    /// Reads a receipt; what it lacks stays empty, for the checks to notice.
    pub(super) fn read(json: &Value) -> Self {
        let named_amounts = |list: &str, amount: &str| {
            each(json, list).map(|item| (text(item, "campaign"), micros(item, amount))).collect()
        };
        let filters = json.pointer("/modules").into_iter();
        let filters = filters.flat_map(|modules| each(modules, "filters"));
        let sold = each(json, "deliveries").filter(|item| text(item, "outcome") == "sold");
        Self {
            status: text(json, "status"),
            vertical: text(json, "vertical"),
            copies: json.pointer("/terms/copies").and_then(Value::as_u64).unwrap_or_default(),
            normalizer: json
                .pointer("/modules/normalizer/digest")
                .and_then(Value::as_str)
                .map(str::to_owned),
            filters: filters.map(|item| (text(item, "name"), text(item, "digest"))).collect(),
            winners: named_amounts("winners", "price"),
            bids: named_amounts("bids", "amount"),
            left_out: each(json, "left_out")
                .map(|item| LeftOut {
                    campaign: text(item, "campaign"),
                    code: text(item, "code"),
                    detail: item.get("detail").and_then(Value::as_str).map(str::to_owned),
                })
                .collect(),
            sales: sold
                .map(|item| Delivered {
                    campaign: text(item, "campaign"),
                    buyer: text(item, "buyer"),
                    price: micros(item, "price"),
                    payout: micros(item, "payout"),
                })
                .collect(),
            unproven: None,
        }
    }

    /// Returns what the source is paid for the copies that are sold.
    pub(super) fn payout(&self) -> Micros {
        let payouts = self.sales.iter().map(|sale| sale.payout);
        payouts.fold(Micros::ZERO, |sum, payout| sum.checked_add(payout).unwrap_or(sum))
    }
}

/// Asks for the receipt of a ping.
pub(super) async fn fetch(api: &Api, ping_id: &str) -> Result<Receipt, ApiError> {
    let json = api.get(&format!("/v1/auctions/{ping_id}")).await?;
    Ok(Receipt { unproven: unproven(&json), ..Receipt::read(&json) })
}

/// Checks a receipt as anybody can who has nothing else.
fn unproven(json: &Value) -> Option<String> {
    let means = Means { keys: &[], modules: None, compiler: Compiler::InProcess };
    match verify(&json.to_string(), &means) {
        Ok(verified) => verified
            .findings
            .into_iter()
            .find(|finding| !finding.holds)
            .map(|finding| finding.found),
        Err(error) => Some(error.to_string()),
    }
}

/// What filters said, in the receipts that were looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct FilterWords {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) receipts: u64,
}

/// The shared form of [`FilterWords`].
#[derive(Clone, Debug, Default)]
pub(super) struct Listener(Arc<Mutex<FilterWords>>);

impl Listener {
    /// Returns what was heard so far.
    pub(super) fn heard(&self) -> FilterWords {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the receipt of the latest accepted ping, again and again.
    pub(super) async fn listen(self, api: Api, tally: Arc<Tally>) {
        let modules = filters_of_campaigns();
        let mut ticks = tokio::time::interval(SAMPLE_EVERY);
        loop {
            ticks.tick().await;
            let Some(ping_id) = tally.take_latest_accepted() else { continue };
            // A receipt that cannot be had now is no loss to the view; the closing checks miss none.
            let Ok(receipt) = fetch(&api, &ping_id).await else { continue };
            let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            words.hear(&receipt, &modules);
        }
    }
}

impl FilterWords {
    fn hear(&mut self, receipt: &Receipt, modules: &BTreeMap<&str, &str>) {
        self.receipts += 1;
        for campaign in receipt.bids.keys() {
            if let Some(module) = modules.get(campaign.as_str()) {
                *self.counts.entry(format!("{module} yes")).or_default() += 1;
            }
        }
        for LeftOut { campaign, code, detail } in &receipt.left_out {
            let Some(module) = modules.get(campaign.as_str()) else { continue };
            if code.starts_with("filter-") {
                let word = detail.as_ref().unwrap_or(code);
                *self.counts.entry(format!("{module} {word}")).or_default() += 1;
            }
        }
    }
}

fn filters_of_campaigns() -> BTreeMap<&'static str, &'static str> {
    let module = |body: &'static Value| body.pointer("/filter/module")?.as_str();
    CAMPAIGNS.iter().filter_map(|(id, body)| Some((id.as_str(), module(body)?))).collect()
}

fn each<'a>(json: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    json.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(json: &Value, name: &str) -> String {
    json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn micros(json: &Value, name: &str) -> Micros {
    let text = json.get(name).and_then(Value::as_str);
    text.and_then(|text| Micros::parse(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn receipt() -> Receipt {
        Receipt::read(&json!({
            "status": "sold", "vertical": "auto-insurance", "terms": {"copies": 1},
            "modules": {
                "normalizer": {"name": "auto-insurance", "version": 1, "digest": "sha256:aa"},
                "filters": [{"name": "zip-list", "version": 1, "digest": "sha256:bb"}],
            },
            "bids": [{"campaign": "elm-everything", "buyer": "elm-street", "amount": "12.80"}],
            "winners": [{"campaign": "elm-everything", "buyer": "elm-street", "bid": "12.80", "price": "9.61"}],
            "left_out": [
                {"campaign": "bluebird-metro", "code": "filter-declined", "detail": "zip-not-on-list"},
            ],
            "deliveries": [
                {"campaign": "a", "buyer": "b", "outcome": "rejected", "price": "0.00", "payout": "0.00"},
                {"campaign": "elm-everything", "buyer": "elm-street", "outcome": "sold",
                 "price": "9.61", "payout": "8.17"},
            ],
        }))
    }

    #[test]
    fn a_receipt_is_read_whole() {
        let receipt = receipt();
        assert_eq!((receipt.status.as_str(), receipt.copies), ("sold", 1));
        assert_eq!(receipt.normalizer.as_deref(), Some("sha256:aa"));
        assert_eq!(receipt.filters.get("zip-list").map(String::as_str), Some("sha256:bb"));
        assert_eq!(receipt.winners.get("elm-everything").unwrap().to_string(), "9.61");
        assert_eq!(receipt.payout().to_string(), "8.17");
        assert_eq!(receipt.sales.len(), 1);
    }

    #[test]
    fn the_words_of_filters_are_told_by_module() {
        let mut words = FilterWords::default();
        words.hear(&receipt(), &filters_of_campaigns());
        assert_eq!(words.counts, BTreeMap::from([("zip-list zip-not-on-list".to_owned(), 1)]));
        assert_eq!(words.receipts, 1);
    }
}
