//! The demo's market as data: two verticals, five sources in five dialects, eight buyers with twenty campaigns.

use serde_json::{Value, json};

use super::buyers::{Character, TIMEOUT_MS};
use super::dialects::Dialect;
use super::people::Ages;

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
    Vertical { id: MEDICARE, reserve: "9.00", copies: 2, ages: Ages { youngest: 62, oldest: 84 } },
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
            "pings_per_second": 500,
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
    /// Returns the body that makes it, with the address of its system.
    pub(super) fn body(&self, url: &str) -> Value {
        json!({
            "name": self.name, "credit_limit": self.credit_limit,
            "delivery": {"url": url, "timeout_ms": TIMEOUT_MS, "idempotent": true},
        })
    }
}

/// Returns the twenty campaigns as the operator's API takes them, by id.
pub(super) fn campaigns() -> Vec<(&'static str, Value)> {
    let mut campaigns = auto_campaigns();
    campaigns.extend(medicare_campaigns());
    campaigns
}

fn auto_campaigns() -> Vec<(&'static str, Value)> {
    let auto = |buyer: &str, more: Value| campaign(buyer, AUTO, more);
    vec![
        (
            "acorn-sunbelt",
            auto(
                "acorn-mutual",
                json!({
                    "price": "14.50", "criteria": "state in [\"CA\",\"TX\",\"FL\",\"AZ\"] and age between 25 and 64",
                    "caps": {"daily": 5000}, "budget": {"daily": "60000.00"},
                }),
            ),
        ),
        (
            "acorn-insured-owners",
            auto(
                "acorn-mutual",
                json!({
                    "price": "18.25", "criteria": {"all": [
                        {"field": "currently_insured", "eq": true}, {"field": "home_owner", "eq": true},
                        {"field": "age", "between": [30, 70]},
                    ]}, "duplicate_window_seconds": 3600,
                }),
            ),
        ),
        (
            "acorn-new-cars",
            auto(
                "acorn-mutual",
                json!({
                    "price": "16.00", "criteria": "vehicle_year >= 2020",
                }),
            ),
        ),
        (
            "bluebird-california",
            auto(
                "bluebird-auto",
                json!({
                    "price": "17.75", "criteria": "state = \"CA\"", "zone": "America/Los_Angeles",
                }),
            ),
        ),
        (
            "bluebird-metro",
            auto(
                "bluebird-auto",
                json!({
                    "price": "15.20",
                    "filter": {"module": "zip-list", "settings": {"zips": metro_zips()}},
                }),
            ),
        ),
        (
            "cardinal-bands",
            auto(
                "cardinal-direct",
                json!({
                    "filter": {"module": SWAPPED, "settings": bands()},
                }),
            ),
        ),
        (
            "cardinal-weekdays",
            auto(
                "cardinal-direct",
                json!({
                    "price": "11.40", "criteria": "age >= 21",
                    "schedule": {"zone": "America/Chicago", "windows": [
                        {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"},
                    ]},
                }),
            ),
        ),
        (
            "dogwood-priced",
            auto(
                "dogwood-agency",
                json!({
                    "filter": {"module": "priced-by-fields", "settings": price_rules()},
                }),
            ),
        ),
        (
            "dogwood-uninsured",
            auto(
                "dogwood-agency",
                json!({
                    "price": "9.60", "criteria": {"field": "currently_insured", "eq": false},
                    "budget": {"daily": "4000.00", "total": "90000.00"},
                }),
            ),
        ),
        ("elm-everything", auto("elm-street", json!({"price": "12.80"}))),
        (
            "elm-first-fifty",
            auto(
                "elm-street",
                json!({
                    "price": "21.00", "criteria": "state in [\"NY\",\"PA\",\"OH\"]", "caps": {"daily": 10, "total": 50},
                }),
            ),
        ),
    ]
}

fn medicare_campaigns() -> Vec<(&'static str, Value)> {
    let medicare = |buyer: &str, more: Value| campaign(buyer, MEDICARE, more);
    vec![
        (
            "foxglove-turning-65",
            medicare(
                "foxglove-health",
                json!({
                    "price": "34.00", "criteria": "age between 64 and 66",
                }),
            ),
        ),
        (
            "foxglove-florida",
            medicare(
                "foxglove-health",
                json!({
                    "price": "28.50", "criteria": {"field": "state", "in": ["FL", "GA", "NC"]},
                    "zone": "America/New_York",
                }),
            ),
        ),
        (
            "foxglove-wide",
            medicare(
                "foxglove-health",
                json!({
                    "price": "19.00", "criteria": "age >= 65 and tobacco = false",
                }),
            ),
        ),
        (
            "goldenrod-everyone",
            medicare(
                "goldenrod-care",
                json!({
                    "price": "16.40", "criteria": "age between 64 and 85", "budget": {"daily": "20000.00"},
                }),
            ),
        ),
        (
            "goldenrod-texas",
            medicare(
                "goldenrod-care",
                json!({
                    "price": "27.10", "criteria": "state = \"TX\" and age >= 65", "zone": "America/Chicago",
                }),
            ),
        ),
        (
            "goldenrod-capped",
            medicare(
                "goldenrod-care",
                json!({
                    "price": "40.00", "caps": {"daily": 5},
                }),
            ),
        ),
        (
            "harbor-seniors",
            medicare(
                "harbor-senior",
                json!({
                    "price": "22.30", "criteria": {"any": [
                        {"field": "state", "in": ["NY", "PA", "IL", "MI"]}, {"field": "age", "gte": 75},
                    ]},
                }),
            ),
        ),
        (
            "harbor-steady",
            medicare(
                "harbor-senior",
                json!({
                    "price": "13.90", "criteria": "age >= 64", "caps": {"daily": 2000, "total": 100000},
                }),
            ),
        ),
        (
            "harbor-night-desk",
            medicare(
                "harbor-senior",
                json!({
                    "price": "25.00", "schedule": {"zone": "UTC", "windows": [
                        {"days": ["sun"], "from": "02:00", "to": "02:30"},
                    ]},
                }),
            ),
        ),
    ]
}

fn campaign(buyer: &str, vertical: &str, more: Value) -> Value {
    let mut body = json!({"buyer": buyer, "vertical": vertical});
    if let (Some(fields), Value::Object(more)) = (body.as_object_mut(), more) {
        fields.extend(more);
    }
    body
}

/// Every ZIP code of some three-digit areas: six hundred.
fn metro_zips() -> Vec<String> {
    let areas = ["900", "902", "752", "770", "331", "100"];
    areas.iter().flat_map(|area| (0..100).map(move |end| format!("{area}{end:02}"))).collect()
}

/// Prices in cents by the person's credit.
fn bands() -> Value {
    json!({"age_min": 25, "age_max": 64, "bands": [
        {"credit": "excellent", "cents": 1_910}, {"credit": "good", "cents": 1_480},
        {"credit": "fair", "cents": 890},
    ]})
}

/// Cents that a trait of the lead adds to the base; below the floor the lead is not bought.
fn price_rules() -> Value {
    json!({
        "base": 620, "floor": 900, "insured": 350, "home_owner": 180, "new_vehicle": 220,
        "new_since": 2016,
        "states": [{"state": "CA", "add": 300}, {"state": "TX", "add": 240}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_market_is_as_large_as_promised() {
        let campaigns = campaigns();
        assert_eq!(campaigns.len(), 20);
        let filtered = campaigns.iter().filter(|(_, body)| body.get("filter").is_some());
        assert_eq!(filtered.count(), 3);
        let with =
            |name| campaigns.iter().filter(move |(_, body)| body.get(name).is_some()).count();
        assert!(with("schedule") >= 2 && with("caps") >= 3 && with("budget") >= 3);
        let criteria = campaigns.iter().filter_map(|(_, body)| body.get("criteria"));
        let (texts, objects): (Vec<_>, Vec<_>) =
            criteria.partition(|criteria| criteria.is_string());
        assert!(texts.len() >= 5 && objects.len() >= 3, "both spellings are shown");
    }

    #[test]
    fn every_campaign_belongs_to_a_buyer_and_a_vertical() {
        for (id, body) in campaigns() {
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
