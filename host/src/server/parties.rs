//! How many calls of each buyer and source are remembered by their Idempotency-Keys, as far as they were made since the
//! start: what a call is known by does not say whose it was.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::book::CALLS_KEPT_MS;
use crate::clock::Moment;

/// When the remembered calls were made, oldest first, by party.
#[derive(Clone, Debug, Default)]
pub(super) struct Parties(Arc<Mutex<HashMap<String, VecDeque<Moment>>>>);

impl Parties {
    /// Returns how many calls of a party are remembered.
    pub(super) fn own(&self, party: &str, at: Moment) -> usize {
        let mut parties = self.parties();
        let Some(made) = parties.get_mut(party) else { return 0 };
        let oldest = at.unix_ms().saturating_sub(CALLS_KEPT_MS);
        while made.front().is_some_and(|made| made.unix_ms() <= oldest) {
            made.pop_front();
        }
        made.len()
    }

    /// Notes a call that is remembered.
    pub(super) fn made(&self, party: String, at: Moment) {
        self.parties().entry(party).or_default().push_back(at);
    }

    fn parties(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Moment>>> {
        // A list of moments is whole between its operations, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partys_calls_count_for_a_day_and_for_nobody_else() {
        let parties = Parties::default();
        let at = Moment::from_unix_ms;
        for made in [1, 2, 2] {
            parties.made("buyer:acme".to_owned(), at(made));
        }
        let own = |party, ms| parties.own(party, at(ms));
        assert_eq!((own("buyer:acme", 3), own("buyer:best", 3)), (3, 0));
        assert_eq!(own("buyer:acme", CALLS_KEPT_MS), 3);
        assert_eq!(own("buyer:acme", CALLS_KEPT_MS + 1), 2);
        assert_eq!(own("buyer:acme", CALLS_KEPT_MS + 2), 0);
    }
}
