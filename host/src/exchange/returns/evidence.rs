//! What a buyer may show for its reason: words, an address, the hash of a file, and never who the person is.

use crate::exchange::office::invalid;
use crate::exchange::{ActError, REASON_BYTES_MAX};
use crate::facts::Evidence;
use crate::ids::Digest;

/// A run of more digits in a text is taken for a phone number.
const DIGITS_MAX: usize = 6;

/// Refuses evidence that is too long or that holds contact data.
pub(super) fn check(evidence: &Evidence) -> Result<(), ActError> {
    let Evidence { text, url, hash, .. } = evidence;
    for (pointer, value) in [("/evidence/text", text), ("/evidence/url", url)] {
        if value.len() > REASON_BYTES_MAX {
            return Err(invalid(pointer, format!("has at most {REASON_BYTES_MAX} bytes")));
        }
    }
    let mut run = 0_usize;
    let digits = text.chars().any(|c| {
        run = match c {
            '0'..='9' => run.saturating_add(1),
            ' ' | '-' | '.' | '(' | ')' | '+' | '/' => run,
            _ => 0,
        };
        run > DIGITS_MAX
    });
    if digits || text.contains('@') {
        let message = "evidence holds no contact data, neither numbers nor addresses of a person; give the hash of a file instead";
        return Err(invalid("/evidence/text", message));
    }
    if !url.is_empty() && !url.starts_with("https://") {
        return Err(invalid("/evidence/url", "an address of evidence begins with https://"));
    }
    if !hash.is_empty() {
        Digest::parse(hash).map_err(|error| invalid("/evidence/hash", error))?;
    }
    Ok(())
}
