//! The demo's market as data: two verticals, five sources in five dialects, eight buyers with twenty-four campaigns, of
//! which four have no price: their buyers are asked for bids over the network.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::buyers::{Character, TIMEOUT_MS};
use super::dialects::Dialect;
use super::people::Ages;
use crate::mock;

pub(super) const AUTO: &str = "auto-insurance";
pub(super) const MEDICARE: &str = "medicare-health";

/// The filter that is swapped while traffic flows.
pub(super) const SWAPPED: &str = "age-credit-band";

/// The modules that the market needs: two normalizers, three filters.
pub(super) const MODULES: [&str; 5] = [AUTO, MEDICARE, "zip-list", SWAPPED, "priced-by-fields"];

/// A vertical with the rules of its auctions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vertical {
    pub(super) id: &'static str,
    pub(super) reserve: &'static str,
    /// To how many buyers a lead is sold.
    pub(super) copies: u32,
    pub(super) ages: Ages,
}

pub(super) const VERTICALS: [Vertical; 2] = [
    Vertical { id: AUTO, reserve: "5.00", copies: 1, ages: Ages { youngest: 18, oldest: 78 } },
    Vertical { id: MEDICARE, reserve: "12.00", copies: 2, ages: Ages { youngest: 62, oldest: 84 } },
];

impl Vertical {
    /// Returns the body that makes it.
    pub(super) fn body(&self) -> Value {
        json!({
            "module": self.id, "reserve": self.reserve, "increment": "0.01", "copies": self.copies,
            "hold_seconds": 60, "duplicate_window_seconds": 60,
        })
    }
}

/// A source with the dialect it has always spoken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) dialect: Dialect,
    pub(super) vertical: usize,
    pub(super) margin_percent: &'static str,
    /// The key that it brings along from where it sold before; the others get one.
    pub(super) old_key: Option<&'static str>,
}

pub(super) const SOURCES: [Source; 5] = [
    Source {
        id: "roadside-quotes",
        name: "Roadside Quotes",
        dialect: Dialect::NumberedForm,
        vertical: 0,
        margin_percent: "15",
        old_key: Some("roadside-key-from-before-4711"),
    },
    Source {
        id: "quote-river",
        name: "Quote River",
        dialect: Dialect::NestedJson,
        vertical: 0,
        margin_percent: "12.5",
        old_key: None,
    },
    Source {
        id: "plains-partners",
        name: "Plains Partners",
        dialect: Dialect::Xml,
        vertical: 0,
        margin_percent: "18",
        old_key: None,
    },
    Source {
        id: "golden-health",
        name: "Golden Health",
        dialect: Dialect::CodedForm,
        vertical: 1,
        margin_percent: "15",
        old_key: None,
    },
    Source {
        id: "silver-direct",
        name: "Silver Direct",
        dialect: Dialect::FlatJson,
        vertical: 1,
        margin_percent: "20",
        old_key: None,
    },
];

impl Source {
    /// Returns the body that makes it.
    pub(super) fn body(&self) -> Value {
        let vertical = VERTICALS.get(self.vertical).map(|vertical| vertical.id);
        let mut body = json!({
            "name": self.name, "verticals": [vertical], "margin_percent": self.margin_percent,
            "pings_per_second": 500, "fees": fees_of(self.id),
        });
        if let (Some(key), Some(fields)) = (self.old_key, body.as_object_mut()) {
            fields.insert("key".to_owned(), key.into());
        }
        body
    }
}

/// A buyer: its money and its system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buyer {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) character: Character,
    pub(super) deposit: &'static str,
    pub(super) credit_limit: &'static str,
}

pub(super) const BUYERS: [Buyer; 8] = [
    buyer("acorn-mutual", "Acorn Mutual", Character::Prompt, "250000.00", "0.00"),
    buyer("bluebird-auto", "Bluebird Auto", Character::Picky, "250000.00", "0.00"),
    buyer("cardinal-direct", "Cardinal Direct", Character::Slow, "250000.00", "500.00"),
    buyer("dogwood-agency", "Dogwood Agency", Character::Flaky, "250000.00", "0.00"),
    // Runs out of money while one watches.
    buyer("elm-street", "Elm Street Brokers", Character::Prompt, "400.00", "0.00"),
    buyer("foxglove-health", "Foxglove Health", Character::Forgetful, "250000.00", "0.00"),
    buyer("goldenrod-care", "Goldenrod Care", Character::Picky, "250000.00", "0.00"),
    buyer("harbor-senior", "Harbor Senior", Character::Slow, "250000.00", "1000.00"),
];

const fn buyer(
    id: &'static str,
    name: &'static str,
    character: Character,
    deposit: &'static str,
    credit_limit: &'static str,
) -> Buyer {
    Buyer { id, name, character, deposit, credit_limit }
}

impl Buyer {
    /// Returns the body that makes it, with the addresses of its system: for leads, and for bids if it is asked.
    pub(super) fn body(&self, url: &str, bids: Option<String>) -> Value {
        let mut body = json!({
            "name": self.name, "credit_limit": self.credit_limit, "fees": fees_of(self.id),
            "delivery": {"url": url, "timeout_ms": TIMEOUT_MS, "idempotent": true},
        });
        if let (Some(url), Some(members)) = (bids, body.as_object_mut()) {
            members.insert("bidding".to_owned(), json!({"url": url}));
        }
        body
    }
}

/// What is charged beside prices: to a buyer on top of them, to a source out of what is left to it.
fn fees_of(id: &str) -> Value {
    match id {
        "acorn-mutual" => json!({"per_lead": "0.25", "percent": "2"}),
        "quote-river" => json!({"per_lead": "0.10"}),
        _ => json!({}),
    }
}

/// The buyers that are asked for bids, and how their end points for that behave.
pub(super) const ASKED: [(&str, mock::Character); 4] = [
    ("bluebird-auto", mock::Character::Prompt),
    ("cardinal-direct", mock::Character::Slow),
    ("dogwood-agency", mock::Character::Hanging),
    ("harbor-senior", mock::Character::Flapping),
];

/// The campaigns by id, each as the operator's API takes it.
pub(super) static CAMPAIGNS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    // A test holds that it reads; an empty market would fail every check.
    serde_json::from_str(include_str!("campaigns.json")).unwrap_or_default()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_market_is_as_large_as_promised() {
        assert_eq!(CAMPAIGNS.len(), 24);
        let unpriced = |body: &&Value| body.get("price").is_none() && body.get("filter").is_none();
        assert_eq!(CAMPAIGNS.values().filter(unpriced).count(), ASKED.len());
        let with = |name| CAMPAIGNS.values().filter(move |body| body.get(name).is_some()).count();
        assert_eq!(with("filter"), 3);
        assert!(with("schedule") >= 2 && with("caps") >= 3 && with("budget") >= 3);
        let criteria = CAMPAIGNS.values().filter_map(|body| body.get("criteria"));
        let (texts, objects): (Vec<_>, Vec<_>) =
            criteria.partition(|criteria| criteria.is_string());
        assert!(texts.len() >= 5 && objects.len() >= 3, "both spellings are shown");
    }

    #[test]
    fn every_campaign_belongs_to_a_buyer_and_a_vertical() {
        for (id, body) in &*CAMPAIGNS {
            let is = |name: &str, known: &str| body.get(name).is_some_and(|value| value == known);
            assert!(BUYERS.iter().any(|buyer| is("buyer", buyer.id)), "{id}");
            assert!(VERTICALS.iter().any(|vertical| is("vertical", vertical.id)), "{id}");
        }
    }

    #[test]
    fn every_source_has_a_vertical_of_its_own_kind() {
        for source in SOURCES {
            assert!(VERTICALS.get(source.vertical).is_some(), "{}", source.id);
        }
    }
}
