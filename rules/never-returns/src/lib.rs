//! Hostile: judges for ever.

use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};

guest_sdk::fields! { AGE: integer = "age" }

struct NeverReturns;

impl Filter for NeverReturns {
    type Settings = AnySettings;
    const SETTINGS: &'static str = "anything";

    fn configure(_settings: AnySettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let mut age = lead.get(AGE).unwrap_or_default();
        loop {
            age = core::hint::black_box(age.wrapping_add(1));
        }
    }
}

guest_sdk::export_filter!(NeverReturns);
