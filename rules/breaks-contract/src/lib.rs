//! Hostile: asked about one campaign it gives a reason that is no code, asked about several it gives no verdicts.

use guest_sdk::bindings_for_macro::filter as bindings;
use guest_sdk::bindings_for_macro::filter::exports::gavel::rules::filtering as wit;

struct BreaksContract;

impl wit::Guest for BreaksContract {
    fn describe() -> wit::Description {
        wit::Description { needs: Vec::new(), settings: "anything".to_owned() }
    }

    fn configure(_settings: Vec<String>) -> Result<(), wit::SettingsError> {
        Ok(())
    }

    fn evaluate(_frame: Vec<u64>, slots: Vec<u32>) -> Vec<wit::Verdict> {
        match slots.len() {
            1 => vec![wit::Verdict::No("<b>Not a code</b>".to_owned())],
            _ => Vec::new(),
        }
    }
}

bindings::export_filter_component!(BreaksContract with_types_in bindings);
