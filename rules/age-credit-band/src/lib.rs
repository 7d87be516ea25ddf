//! Buys an age range, and pays by the person's credit.

use guest_sdk::filter::{Filter, Lead, Verdict};

guest_sdk::fields! {
    AGE: integer = "age";
    CREDIT: text = "credit_band";
}

/// What is left of a settings' price when a lead does not say the credit.
const UNKNOWN: &str = "unknown";

struct AgeCreditBand {
    age_min: i64,
    age_max: i64,
    bands: Vec<Band>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    age_min: i64,
    age_max: i64,
    bands: Vec<Band>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    credit: String,
    /// In cents, so that no price is a fraction.
    cents: i64,
}

impl Filter for AgeCreditBand {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"age_min": 25, "age_max": 64, "bands": [{"credit": "excellent", "cents": 1250}, {"credit": "unknown", "cents": 400}]}: ages inclusive; other credit is not bought"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        let Settings { age_min, age_max, bands } = settings;
        if age_min > age_max {
            return Err(format!("age_min {age_min} is above age_max {age_max}"));
        }
        match bands.iter().find(|band| band.cents <= 0) {
            Some(band) => Err(format!("the price for {} credit is not above 0", band.credit)),
            None => Ok(Self { age_min, age_max, bands }),
        }
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let Some(age) = lead.get(AGE) else { return Verdict::no("no-age") };
        if !(self.age_min..=self.age_max).contains(&age) {
            return Verdict::no("age-outside-band");
        }
        let credit = lead.get(CREDIT).unwrap_or(UNKNOWN);
        match self.bands.iter().find(|band| band.credit == credit) {
            Some(band) => Verdict::bid(band.cents.saturating_mul(10_000)),
            None => Verdict::no("credit-not-wanted"),
        }
    }
}

guest_sdk::export_filter!(AgeCreditBand);
