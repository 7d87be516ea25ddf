//! Hostile: answers with 100 MB, made of one text that it lists over and over.

use guest_sdk::bindings_for_macro::filter as bindings;
use guest_sdk::bindings_for_macro::filter::exports::gavel::rules::filtering as wit;

/// The text's length, in bytes.
const TEXT_BYTES: usize = 100_000;
/// How often it is listed.
const TIMES: usize = 1_000;

struct Returns100Mb;

impl wit::Guest for Returns100Mb {
    fn describe() -> wit::Description {
        let needs = vec![wit::Need { name: "age".to_owned(), kind: wit::Kind::Integer }];
        wit::Description { needs, settings: "anything".to_owned() }
    }

    fn configure(_settings: Vec<String>) -> Result<(), wit::SettingsError> {
        Ok(())
    }

    #[expect(
        unsafe_code,
        reason = "one text stands in the list many times, which safe code cannot say"
    )]
    fn evaluate(_frame: Vec<u64>, _slots: Vec<u32>) -> Vec<wit::Verdict> {
        let text = "a".repeat(TEXT_BYTES).leak().as_mut_ptr();
        // SAFETY: none. The host reads the copies and refuses them; nothing frees them.
        let copy =
            |_| wit::Verdict::No(unsafe { String::from_raw_parts(text, TEXT_BYTES, TEXT_BYTES) });
        (0..TIMES).map(copy).collect()
    }
}

bindings::export_filter_component!(Returns100Mb with_types_in bindings);
