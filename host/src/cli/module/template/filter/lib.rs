//! Buys leads of people of the right age in some states, and pays more for those who own their home.

use guest_sdk::filter::{Filter, Lead, Verdict};

// The fields that are read, by their names in the vertical's schema: `gavel module inspect` on its normalizer lists them.
// A lead may lack any of them, and contact data is not among them.
guest_sdk::fields! {
    AGE: integer = "age";
    STATE: text = "state";
    HOME_OWNER: boolean = "home_owner";
}

/// Prices come in whole cents and go out in millionths.
const MICROS_PER_CENT: i64 = 10_000;

/// What a campaign sets, as JSON. A filter serves many campaigns, each with settings of its own.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    states: Vec<String>,
    age_min: i64,
    age_max: i64,
    cents: i64,
    /// What a home owner's lead is worth besides.
    #[serde(default)]
    home_owner_cents: i64,
}

/// The rule, ready to judge.
pub struct Rule(Settings);

impl Filter for Rule {
    type Settings = Settings;
    /// Shown to the person who fills in the settings: an example says most.
    const SETTINGS: &'static str = r#"{"states": ["CA", "NV"], "age_min": 25, "age_max": 64, "cents": 1250, "home_owner_cents": 200}"#;

    /// Runs once for each campaign, when it or the module changes. Whatever makes `evaluate` quick belongs here.
    fn configure(mut settings: Settings) -> Result<Self, String> {
        if settings.age_min > settings.age_max {
            return Err(format!(
                "age_min {} is above age_max {}",
                settings.age_min, settings.age_max
            ));
        }
        if settings.cents <= 0 {
            return Err(format!(
                "cents is {}, and a lead is never free",
                settings.cents
            ));
        }
        settings.states.sort();
        Ok(Self(settings))
    }

    /// Runs for each lead. There is no clock, no network and no memory of earlier leads.
    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let Self(settings) = self;
        let Some(age) = lead.get(AGE) else {
            return Verdict::no("no-age");
        };
        if !(settings.age_min..=settings.age_max).contains(&age) {
            return Verdict::no("age-outside-band");
        }
        let wanted = |state| {
            settings
                .states
                .binary_search_by(|known| known.as_str().cmp(state))
                .is_ok()
        };
        if !lead.get(STATE).is_some_and(wanted) {
            return Verdict::no("state-not-wanted");
        }
        let more = if lead.get(HOME_OWNER) == Some(true) {
            settings.home_owner_cents
        } else {
            0
        };
        Verdict::bid(
            settings
                .cents
                .saturating_add(more)
                .saturating_mul(MICROS_PER_CENT),
        )
    }
}

guest_sdk::export_filter!(Rule);

#[cfg(test)]
mod tests {
    use guest_sdk::lead_frame::{FieldId, Frame, Writer};

    use super::*;

    #[test]
    fn a_home_owner_is_worth_more() {
        let states = vec!["CA".to_owned()];
        let settings = Settings {
            states,
            age_min: 18,
            age_max: 99,
            cents: 1_000,
            home_owner_cents: 250,
        };
        let rule = Rule::configure(settings).ok().unwrap();
        let mut frame = Writer::default();
        frame.integer(FieldId::of("age"), 40);
        frame.text(FieldId::of("state"), "CA");
        frame.boolean(FieldId::of("home_owner"), true);
        let words = frame.finish();
        let lead = Lead::new(Frame::open(&words).unwrap());
        assert_eq!(rule.evaluate(&lead), Verdict::bid(12_500_000));
    }
}
