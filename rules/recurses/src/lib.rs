//! Hostile: calls itself without end.

use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};

guest_sdk::fields! { AGE: integer = "age" }

struct Recurses;

impl Filter for Recurses {
    type Settings = AnySettings;
    const SETTINGS: &'static str = "anything";

    fn configure(_settings: AnySettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        Verdict::bid(deeper(lead.get(AGE).unwrap_or_default()))
    }
}

/// Not a tail call: the sum is taken after the call returns.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: i64) -> i64 {
    let below = core::hint::black_box(depth).wrapping_add(1);
    deeper(core::hint::black_box(below)).wrapping_add(below)
}

guest_sdk::export_filter!(Recurses);
