//! Hostile: takes all the memory there is.

use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};

guest_sdk::fields! { AGE: integer = "age" }

struct EatsMemory;

impl Filter for EatsMemory {
    type Settings = AnySettings;
    const SETTINGS: &'static str = "anything";

    fn configure(_settings: AnySettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        loop {
            taken.push(vec![1; 64 * 1024]);
            if core::hint::black_box(taken.len()) == usize::MAX {
                return Verdict::bid(lead.get(AGE).unwrap_or_default());
            }
        }
    }
}

guest_sdk::export_filter!(EatsMemory);
