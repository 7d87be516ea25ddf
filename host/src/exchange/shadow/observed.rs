//! What the shadow of a filter or of a normalizer found.

use serde_json::Value as Json;

use crate::comparison::{Comparison, Readings};

/// What the shadows found.
#[derive(Clone, Debug)]
pub(in crate::exchange) enum Observed {
    Filter(Comparison),
    Normalizer(Readings),
}

impl Observed {
    /// Returns how many leads both versions judged.
    pub(in crate::exchange) fn leads(&self) -> u64 {
        match self {
            Self::Filter(comparison) => comparison.leads(),
            Self::Normalizer(readings) => readings.submissions(),
        }
    }

    pub(super) fn world(&self) -> &'static str {
        match self {
            Self::Filter(_) => "filter",
            Self::Normalizer(_) => "normalizer",
        }
    }

    pub(super) fn summary(&self) -> String {
        match self {
            Self::Filter(comparison) => comparison.summary(),
            Self::Normalizer(readings) => readings.summary(),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Filter(comparison) => comparison.to_json(),
            Self::Normalizer(readings) => readings.to_json(),
        }
    }
}
