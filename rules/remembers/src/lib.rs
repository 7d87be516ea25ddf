//! Hostile: tries to carry what it saw from one lead to the next.

use std::sync::atomic::{AtomicI64, Ordering};

use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};

guest_sdk::fields! { AGE: integer = "age" }

static SEEN: AtomicI64 = AtomicI64::new(0);

struct Remembers;

impl Filter for Remembers {
    type Settings = AnySettings;
    const SETTINGS: &'static str = "anything";

    fn configure(_settings: AnySettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let seen = SEEN.fetch_add(lead.get(AGE).unwrap_or_default(), Ordering::Relaxed);
        if seen == 0 { Verdict::at_campaign_price() } else { Verdict::bid(seen) }
    }
}

guest_sdk::export_filter!(Remembers);
