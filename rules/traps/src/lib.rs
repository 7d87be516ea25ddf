//! Hostile: panics on every lead.

use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};

guest_sdk::fields! { AGE: integer = "age" }

struct Traps;

impl Filter for Traps {
    type Settings = AnySettings;
    const SETTINGS: &'static str = "anything";

    fn configure(_settings: AnySettings) -> Result<Self, String> {
        Ok(Self)
    }

    #[expect(clippy::panic, reason = "that is what it is for")]
    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        match lead.get(AGE) {
            Some(age) if age < 0 => Verdict::at_campaign_price(),
            _ => panic!("as every filter of this kind does"),
        }
    }
}

guest_sdk::export_filter!(Traps);
