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
        // By bytes, since every key of every submission comes through here.
        let bytes = self.rest.as_bytes();
        let start = bytes.iter().position(|byte| !is_separator(byte))?;
        let length = bytes.iter().skip(start).position(is_separator);
        let end = length.map_or(bytes.len(), |length| start.saturating_add(length));
        let segment = self.rest.get(start..end)?;
        self.rest = self.rest.get(end..).unwrap_or("");
        Some(segment)
    }

    /// Whether no segment is left.
    pub(super) fn is_done(&self) -> bool {
        self.rest.as_bytes().iter().all(is_separator)
    }
}

fn is_separator(byte: &u8) -> bool {
    matches!(byte, b'.' | b'[' | b']' | b'/')
}

/// Splits off the number at the end of a folded name.
pub(super) fn without_label(name: &[u8]) -> (&[u8], Option<u32>) {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let parts = name.split_at_checked(name.len().saturating_sub(digits));
    let (bare, label) = parts.unwrap_or((name, &[]));
    (bare, number_label(label))
}

/// Reads a segment that counts: all digits, and few.
pub(super) fn number_label(segment: &[u8]) -> Option<u32> {
    if segment.is_empty() || segment.len() > 3 {
        return None;
    }
    let number = segment
        .iter()
        .try_fold(0_u32, |number, &byte| Some(number * 10 + char::from(byte).to_digit(10)?));
    number.filter(|&label| label < ELEMENTS_MAX)
}
