//! What was seen a short time ago, by a key, oldest forgotten first.

use std::collections::VecDeque;
use std::hash::Hash;

use super::named::Map;
use crate::clock::Moment;
use crate::ids::PingId;

/// A bounded memory of keys with the ping they came with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window<K: Eq + Hash, D = ()> {
    seen: Map<K, Seen<D>>,
    order: VecDeque<(Moment, K)>,
}

/// When a key was seen last, and in which ping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen<D> {
    pub(super) at: Moment,
    pub(super) ping: PingId,
    pub(super) detail: D,
}

impl<K: Eq + Hash, D> Default for Window<K, D> {
    fn default() -> Self {
        Self { seen: Map::default(), order: VecDeque::new() }
    }
}

impl<K: Copy + Eq + Hash, D> Window<K, D> {
    pub(super) fn get(&self, key: &K) -> Option<&Seen<D>> {
        self.seen.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Returns whether a new key is remembered without one being forgotten that was seen at or after `oldest`.
    pub(super) fn has_room(&self, limit: usize, oldest: Moment) -> bool {
        self.seen.len() < limit || self.order.front().is_some_and(|(at, _)| *at < oldest)
    }

    /// Remembers a key; beyond `limit` keys the oldest is forgotten.
    pub(super) fn insert(&mut self, key: K, at: Moment, ping: PingId, detail: D, limit: usize) {
        self.seen.insert(key, Seen { at, ping, detail });
        self.order.push_back((at, key));
        while self.order.len() > limit {
            self.forget_oldest();
        }
    }

    pub(super) fn forget_before(&mut self, moment: Moment) {
        while self.order.front().is_some_and(|(at, _)| *at < moment) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((at, key)) = self.order.pop_front() {
            // A key that was seen again since then stands further back in the order too.
            if self.seen.get(&key).is_some_and(|seen| seen.at <= at) {
                self.seen.remove(&key);
            }
        }
    }
}
