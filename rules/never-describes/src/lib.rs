//! Hostile: never says what it is.

use guest_sdk::bindings_for_macro::filter as bindings;
use guest_sdk::bindings_for_macro::filter::exports::gavel::rules::filtering as wit;

struct NeverDescribes;

impl wit::Guest for NeverDescribes {
    fn describe() -> wit::Description {
        let mut waited = 0_u64;
        loop {
            waited = core::hint::black_box(waited.wrapping_add(1));
        }
    }

    fn configure(_settings: Vec<String>) -> Result<(), wit::SettingsError> {
        Ok(())
    }

    fn evaluate(_frame: Vec<u64>, _slots: Vec<u32>) -> Vec<wit::Verdict> {
        Vec::new()
    }
}

bindings::export_filter_component!(NeverDescribes with_types_in bindings);
