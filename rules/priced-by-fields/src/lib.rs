//! Prices auto insurance leads: a base price, and what each trait of the lead adds to it or takes off.

use guest_sdk::filter::{Filter, Lead, Verdict};

guest_sdk::fields! {
    INSURED: boolean = "currently_insured";
    MONTHS_INSURED: integer = "months_insured";
    VEHICLE_YEAR: integer = "vehicle_year";
    VEHICLES: integer = "vehicle_count";
    HOME_OWNER: boolean = "home_owner";
    SR22: boolean = "sr22";
    DUI: boolean = "dui";
    STATE: text = "state";
}

struct PricedByFields(Settings);

/// All amounts in cents; an adjustment may be below zero. What is left out changes nothing.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base: i64,
    /// The lead is not bought below this.
    floor: i64,
    #[serde(default)]
    insured: i64,
    #[serde(default)]
    insured_two_years: i64,
    #[serde(default)]
    home_owner: i64,
    #[serde(default)]
    several_vehicles: i64,
    /// For a first vehicle of `new_since` or younger.
    #[serde(default)]
    new_vehicle: i64,
    #[serde(default)]
    new_since: i64,
    /// For a conviction or a required SR-22.
    #[serde(default)]
    risk: i64,
    #[serde(default)]
    states: Vec<ByState>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ByState {
    state: String,
    add: i64,
}

impl Filter for PricedByFields {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"base": 900, "floor": 500, "insured": 250, "insured_two_years": 100, "home_owner": 150, "several_vehicles": 200, "new_vehicle": 100, "new_since": 2018, "risk": -400, "states": [{"state": "CA", "add": 300}]}: cents"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        if settings.floor <= 0 {
            return Err("the floor is not above 0, and a lead is never free".to_owned());
        }
        Ok(Self(settings))
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let Self(settings) = self;
        let state = lead.get(STATE);
        let by_state = settings.states.iter().find(|by| Some(by.state.as_str()) == state);
        let adjustments = [
            (lead.get(INSURED) == Some(true), settings.insured),
            (
                lead.get(MONTHS_INSURED).is_some_and(|months| months >= 24),
                settings.insured_two_years,
            ),
            (lead.get(HOME_OWNER) == Some(true), settings.home_owner),
            (lead.get(VEHICLES).is_some_and(|vehicles| vehicles > 1), settings.several_vehicles),
            (
                lead.get(VEHICLE_YEAR).is_some_and(|year| year >= settings.new_since),
                settings.new_vehicle,
            ),
            (lead.get(DUI) == Some(true) || lead.get(SR22) == Some(true), settings.risk),
            (by_state.is_some(), by_state.map_or(0, |by| by.add)),
        ];
        let applied = adjustments.into_iter().filter(|(applies, _)| *applies);
        let cents = applied.fold(settings.base, |sum, (_, cents)| sum.saturating_add(cents));
        if cents < settings.floor {
            return Verdict::no("worth-less-than-floor");
        }
        Verdict::bid(cents.saturating_mul(10_000))
    }
}

guest_sdk::export_filter!(PricedByFields);
