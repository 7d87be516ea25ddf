//! For a vertical's team: from any source's bytes to one typed lead.

pub use crate::bindings::normalizer::exports::gavel::rules::normalization::{
    Answer, Dialect, Envelope, Field, Kind, NamedValue, Normalized, Outcome, Refusal, RefusalCode,
    Schema, Stage, Submission, Syntax, Value, Verdict,
};

use crate::answers::{self, Family};

/// A vertical: its schema, how to read every dialect that its sources speak, and how to answer in it.
pub trait Normalizer {
    /// The dialects in which it answers: all that this kit knows. One with dialects of its own names the same list in
    /// [`Vertical::answers`](crate::intake::Vertical::answers).
    const FAMILIES: &'static [&'static Family] = answers::FAMILIES;

    /// Returns the vertical's schema.
    fn describe() -> Schema;

    /// Reads one submission.
    fn normalize(submission: Submission) -> Normalized;

    /// Returns the names by which an address can choose a dialect.
    fn dialects() -> Vec<Dialect> {
        answers::dialects(Self::FAMILIES)
    }

    /// Words an answer in the dialect of the submission; nothing leaves it to the exchange's own JSON.
    fn render(outcome: Outcome) -> Option<Answer> {
        answers::render(Self::FAMILIES, &outcome)
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

                fn dialects() -> Vec<sdk::Dialect> {
                    <$normalizer as sdk::Normalizer>::dialects()
                }

                fn render(outcome: sdk::Outcome) -> Option<sdk::Answer> {
                    <$normalizer as sdk::Normalizer>::render(outcome)
                }
            }

    bindings::export_normalizer_component!(Exported with_types_in bindings);
        };
    };
}
