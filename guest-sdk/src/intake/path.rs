//! The segments of a key, and the numbers in them.

use super::too_large;
use crate::normalizer::Refusal;

/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// The most elements of a group that are told apart.
pub(super) const ELEMENTS_MAX: u32 = 64;

/// The segments of a key: `data[vehicles][0][make]` and `data.vehicles.0.make` have the same.
pub(super) struct Path<'k> {
    rest: &'k str,
}

impl<'k> Path<'k> {
    /// Takes a key; one that is too long is refused.
    pub(super) fn new(key: &'k str) -> Result<Self, Refusal> {
        if key.len() > KEY_BYTES_MAX {
            return Err(too_large(format!("a key is longer than {KEY_BYTES_MAX} bytes")));
        }
        Ok(Self { rest: key })
    }

    /// Returns the next segment.
    pub(super) fn next(&mut self) -> Option<&'k str> {
        self.rest = self.rest.trim_start_matches(is_separator);
        let end = self.rest.find(is_separator).unwrap_or(self.rest.len());
        let (segment, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!segment.is_empty()).then_some(segment)
    }

    /// Whether no segment is left.
    pub(super) fn is_done(&self) -> bool {
        self.rest.chars().all(is_separator)
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '[' | ']' | '/')
}

/// Splits off the number at the end of a folded name.
pub(super) fn without_label(name: &str) -> (&str, Option<u32>) {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (bare, name.get(bare.len()..).and_then(number_label))
}

/// Reads a segment that counts: all digits, and few.
pub(super) fn number_label(segment: &str) -> Option<u32> {
    let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    segment.parse().ok().filter(|&label| digits && label < ELEMENTS_MAX)
}
