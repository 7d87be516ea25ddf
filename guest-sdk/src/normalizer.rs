//! For a vertical's team: from any source's bytes to one typed lead.

pub use crate::bindings::normalizer::exports::gavel::rules::normalization::{
    Answer, Envelope, Field, Kind, NamedValue, Normalized, Outcome, Refusal, RefusalCode, Schema,
    Stage, Submission, Value, Verdict,
};

/// A vertical: its schema, and how to read every dialect that its sources speak.
pub trait Normalizer {
    /// Returns the vertical's schema.
    fn describe() -> Schema;

    /// Reads one submission.
    fn normalize(submission: Submission) -> Normalized;

    /// Words an answer in the dialect of the submission. The default leaves it to the exchange's own JSON.
    fn render(outcome: Outcome) -> Option<Answer> {
        let _ = outcome;
        None
    }
}

/// Makes a [`Normalizer`] the module's one export. It stands once in a crate.
#[macro_export]
macro_rules! export_normalizer {
    ($normalizer:ty) => {
        const _: () = {
            use $crate::bindings_for_macro::normalizer as bindings;
            use $crate::normalizer as sdk;

            #[cfg(target_arch = "wasm32")]
            #[global_allocator]
            static ARENA: $crate::arena::Arena<{ $crate::arena::NORMALIZER_SCRATCH_BYTES }> =
                $crate::arena::Arena::ready();

            struct Exported;

            impl bindings::exports::gavel::rules::normalization::Guest for Exported {
                fn describe() -> sdk::Schema {
                    <$normalizer as sdk::Normalizer>::describe()
                }

                fn normalize(submission: sdk::Submission) -> sdk::Normalized {
                    <$normalizer as sdk::Normalizer>::normalize(submission)
                }

                fn render(outcome: sdk::Outcome) -> Option<sdk::Answer> {
                    <$normalizer as sdk::Normalizer>::render(outcome)
                }
            }

    bindings::export_normalizer_component!(Exported with_types_in bindings);
        };
    };
}
