//! Values that come more than once: each is kept, and read, only once.

use super::tree::Found;

/// The most different values of a field that are kept: one more than any reader takes.
const DIFFERENT_MAX: usize = 64;

/// Leaves out what says the same as another value of its field: it would be read for nothing.
pub(super) fn left_out(found: Vec<Found>) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    let mut start = 0_usize;
    for found in found {
        let place = |found: &Found| (found.entry.field, found.element);
        if kept.last().is_some_and(|last| place(last) != place(&found)) {
            start = kept.len();
        }
        let same = kept.get(start..).unwrap_or_default();
        // More than anybody reads are refused, whatever they say.
        if same.len() <= DIFFERENT_MAX && !same.iter().any(|same| same.says_as(&found)) {
            kept.push(found);
        }
    }
    kept
}

impl Found {
    fn says_as(&self, other: &Self) -> bool {
        // Of which part of a lead it is said may name that part.
        let key =
            |found: &Self| (found.entry.is_first, found.entry.factor, found.group, found.is_number);
        self.text == other.text && key(self) == key(other)
    }
}
