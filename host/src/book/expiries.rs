//! When open pings expire, by the second: what ends is counted and not searched for.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::ids::PingId;

/// Milliseconds in one bucket.
const BUCKET_MS: i64 = 1_000;
/// So many ended pings may stand here before they are swept out.
pub const ENDED_MAX: usize = 1_000_000;

/// Pings by the moment of their expiry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expiries {
    buckets: BTreeMap<i64, Bucket>,
    ended: usize,
}

/// The pings that expire within one second.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bucket {
    pings: Vec<(Moment, PingId)>,
    ended: usize,
}

impl Expiries {
    pub(super) fn insert(&mut self, expires: Moment, ping: PingId) {
        let bucket = self.buckets.entry(expires.unix_ms().div_euclid(BUCKET_MS)).or_default();
        bucket.pings.push((expires, ping));
    }

    /// Notes that a ping does not wait any more. `waits` says so of any ping.
    pub(super) fn end(&mut self, expires: Moment, waits: impl Fn(PingId) -> bool) {
        let second = expires.unix_ms().div_euclid(BUCKET_MS);
        let Some(bucket) = self.buckets.get_mut(&second) else { return };
        bucket.ended += 1;
        self.ended += 1;
        if bucket.ended >= bucket.pings.len() {
            self.ended -= bucket.ended;
            self.buckets.remove(&second);
        }
        if self.ended > ENDED_MAX {
            for bucket in self.buckets.values_mut() {
                bucket.pings.retain(|(_, ping)| waits(*ping));
                bucket.ended = 0;
            }
            self.buckets.retain(|_, bucket| !bucket.pings.is_empty());
            self.ended = 0;
        }
    }

    /// Returns the earliest expiry of a ping that waits.
    pub(super) fn next(&self, waits: impl Fn(PingId) -> bool) -> Option<Moment> {
        self.buckets.values().find_map(|bucket| {
            let waiting = bucket.pings.iter().filter(|(_, ping)| waits(*ping));
            waiting.map(|(expires, _)| *expires).min()
        })
    }

    /// Returns the pings that wait and expired before this moment, oldest first, at most `limit`.
    pub(super) fn overdue(
        &self,
        at: Moment,
        limit: usize,
        waits: impl Fn(PingId) -> bool,
    ) -> Vec<PingId> {
        let mut overdue = Vec::new();
        for bucket in self.buckets.range(..=at.unix_ms().div_euclid(BUCKET_MS)).map(|(_, b)| b) {
            let due = bucket.pings.iter().copied();
            let due = due.filter(|(expires, ping)| *expires < at && waits(*ping));
            let mut due: Vec<(Moment, PingId)> = due.collect();
            due.sort_unstable();
            overdue.extend(due.into_iter().map(|(_, ping)| ping).take(limit - overdue.len()));
            if overdue.len() >= limit {
                break;
            }
        }
        overdue
    }
}
