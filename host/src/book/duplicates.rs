//! What was seen a short time ago, by a key, oldest forgotten first.

use std::collections::VecDeque;
use std::hash::Hash;

use super::named::Map;
use super::shares::{Shares, may_have_more};
use crate::clock::Moment;
use crate::facts::Request;
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
        let seen = self.seen.len();
        seen < limit || seen.saturating_sub(self.older(oldest).count()) < limit
    }

    /// Returns the keys at the head that were seen before a moment and not since.
    pub(super) fn older(&self, oldest: Moment) -> impl Iterator<Item = &K> {
        let older = self.order.iter().take_while(move |(at, _)| *at < oldest);
        let newest = |at, key| self.seen.get(key).is_some_and(|seen| seen.at <= at);
        older.filter(move |(at, key)| newest(*at, key)).map(|(_, key)| key)
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

    /// Forgets what was seen longest ago. Returns the key, unless it was seen again since.
    fn forget_oldest(&mut self) -> Option<K> {
        let (at, key) = self.order.pop_front()?;
        // A key that was seen again since then stands further back in the order too.
        let last = self.seen.get(&key).is_some_and(|seen| seen.at <= at);
        last.then(|| self.seen.remove(&key)).map(|_| key)
    }
}

/// The requests of all sources by their Idempotency-Keys: one memory, of which each source has its share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Requests {
    seen: Window<(u32, [u8; 32]), Request>,
    shares: Shares,
}

impl Requests {
    pub(super) fn get(&self, source: u32, key: [u8; 32]) -> Option<&Seen<Request>> {
        self.seen.get(&(source, key))
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    pub(super) const fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Returns whether a source may have one more remembered, among those that were made at or after `oldest`.
    pub(super) fn has_room(&self, source: Option<u32>, limit: usize, oldest: Moment) -> bool {
        let own = source.map_or(0, |source| self.shares.of(source));
        if may_have_more(own, self.len(), limit) {
            return true;
        }
        // What is too old is forgotten with the next fact, which may be the one that this is asked for.
        let (mut own, mut taken) = (own, self.len());
        for (whose, _) in self.seen.older(oldest) {
            taken = taken.saturating_sub(1);
            own = own.saturating_sub(usize::from(source == Some(*whose)));
        }
        may_have_more(own, taken, limit)
    }

    /// Remembers a request; beyond `limit` of them the oldest is forgotten.
    pub(super) fn insert(
        &mut self,
        source: u32,
        at: Moment,
        ping: PingId,
        request: Request,
        limit: usize,
    ) {
        let key = (source, request.key);
        if self.seen.get(&key).is_none() {
            self.shares.add(source);
        }
        self.seen.insert(key, at, ping, request, usize::MAX);
        while self.seen.order.len() > limit {
            self.forget_oldest();
        }
    }

    pub(super) fn forget_before(&mut self, moment: Moment) {
        while self.seen.order.front().is_some_and(|(at, _)| *at < moment) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((source, _)) = self.seen.forget_oldest() {
            self.shares.take(source);
        }
    }
}
