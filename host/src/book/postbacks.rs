//! How the last attempt of each postback ended: what lists show. The journal knows every attempt; what waits for its
//! first one is in the outbox.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::State;
use crate::clock::Moment;
use crate::facts::{PostbackEnd, PostbackKey, PostbackResent, PostbackTried};

/// The most delivered postbacks that lists show; the one of the oldest ping is forgotten first.
pub const POSTBACKS_DELIVERED_MAX: usize = 10_000;
/// The most postbacks whose last attempt failed that lists show; the one of the oldest ping is forgotten first.
pub const POSTBACKS_FAILED_MAX: usize = 100_000;

/// The last attempts of postbacks, by key, so by the time of their pings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Postbacks {
    delivered: BTreeMap<PostbackKey, LastTry>,
    failed: BTreeMap<PostbackKey, LastTry>,
}

impl Postbacks {
    /// Returns how many are remembered: delivered, and failed.
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.delivered.len(), self.failed.len())
    }
}

/// The last attempt of a postback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTry {
    pub at: Moment,
    pub tried: PostbackTried,
}

impl State {
    /// Returns the last attempts of postbacks before a key, those of the newest pings first.
    pub fn postbacks(
        &self,
        ended: PostbackEnd,
        before: Option<PostbackKey>,
    ) -> impl Iterator<Item = &LastTry> {
        let known = match ended {
            PostbackEnd::Delivered => &self.postbacks.delivered,
            PostbackEnd::Failed | PostbackEnd::Dead => &self.postbacks.failed,
        };
        let before = before.map_or(Bound::Unbounded, Bound::Excluded);
        let newest = known.range((Bound::Unbounded, before)).rev().map(|(_, last)| last);
        newest.filter(move |last| last.tried.ended == ended)
    }

    /// Returns the last attempt of a postback, if it is remembered.
    pub fn postback(&self, key: PostbackKey) -> Option<&LastTry> {
        self.postbacks.failed.get(&key).or_else(|| self.postbacks.delivered.get(&key))
    }

    pub(super) fn postback_tried(&mut self, at: Moment, tried: &PostbackTried) {
        let Postbacks { delivered, failed } = &mut self.postbacks;
        let (known, other, most) = match tried.ended {
            PostbackEnd::Delivered => (delivered, failed, POSTBACKS_DELIVERED_MAX),
            PostbackEnd::Failed | PostbackEnd::Dead => (failed, delivered, POSTBACKS_FAILED_MAX),
        };
        other.remove(&tried.key);
        known.insert(tried.key, LastTry { at, tried: tried.clone() });
        while known.len() > most {
            known.pop_first();
        }
    }

    pub(super) fn postback_resent(&mut self, resent: &PostbackResent) {
        self.postbacks.failed.remove(&resent.key);
        self.postbacks.delivered.remove(&resent.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Event, Fact, Party};

    fn tried(ping: u128, ended: PostbackEnd) -> PostbackTried {
        let key = PostbackKey { ping, copy: 0, event: Event::Sold, party: Party::Source };
        let (owner, detail) = ("web".to_owned(), String::new());
        PostbackTried {
            key,
            owner,
            attempt: 1,
            ended,
            status: 500,
            detail,
            took_ms: 3,
            again_ms: None,
        }
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_what_is_dead_outlives_what_was_delivered() {
        let (mut state, at) = (State::default(), Moment::from_unix_ms(1));
        state.apply(at, &Fact::PostbackTried(tried(1, PostbackEnd::Dead)));
        let newest = u128::try_from(POSTBACKS_DELIVERED_MAX).unwrap() + 3;
        for ping in 2..=newest {
            state.apply(at, &Fact::PostbackTried(tried(ping, PostbackEnd::Delivered)));
        }
        let pings = |ended| -> Vec<u128> {
            state.postbacks(ended, None).map(|last| last.tried.key.ping).collect()
        };
        let delivered = pings(PostbackEnd::Delivered);
        assert_eq!(delivered.len(), POSTBACKS_DELIVERED_MAX);
        assert_eq!((delivered.first(), delivered.last()), (Some(&newest), Some(&4)));
        assert_eq!(pings(PostbackEnd::Dead), [1]);
        for ping in 1..=u128::try_from(POSTBACKS_FAILED_MAX).unwrap() {
            state.apply(at, &Fact::PostbackTried(tried(newest + ping, PostbackEnd::Dead)));
        }
        assert_eq!(state.postbacks(PostbackEnd::Dead, None).count(), POSTBACKS_FAILED_MAX);
        assert_eq!(state.postback(tried(1, PostbackEnd::Dead).key), None);
    }

    #[test]
    fn a_postback_stands_in_one_list_until_it_is_sent_again() {
        let (mut state, at) = (State::default(), Moment::from_unix_ms(1));
        let key = tried(1, PostbackEnd::Dead).key;
        state.apply(at, &Fact::PostbackTried(tried(1, PostbackEnd::Delivered)));
        state.apply(at, &Fact::PostbackTried(tried(1, PostbackEnd::Failed)));
        assert_eq!(state.postbacks(PostbackEnd::Delivered, None).count(), 0);
        assert_eq!(state.postbacks(PostbackEnd::Dead, None).count(), 0);
        assert_eq!(state.postbacks(PostbackEnd::Failed, None).count(), 1);
        assert_eq!(state.postbacks(PostbackEnd::Failed, Some(key)).count(), 0);
        let (owner, by) = ("web".to_owned(), "operator".to_owned());
        state.apply(at, &Fact::PostbackResent(PostbackResent { key, owner, by }));
        assert_eq!(state, State::default());
    }
}
