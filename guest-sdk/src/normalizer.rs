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
