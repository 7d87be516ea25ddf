//! The queues before the shadows: one for each trial, bounded in number and in bytes, and nobody waits at its end.
//!
//! They are served by the time that each has taken, so a trial that is slow waits for itself and not the others for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many pings may wait for one shadow.
pub const QUEUE_MAX: usize = 1_024;
/// How many bytes of submissions may wait for the shadow of one normalizer.
pub const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// From how many queues on those that are empty are forgotten, with the time that they have taken.
const QUEUES_KEPT_MAX: usize = 64;

/// The end at which pings leave something.
#[derive(Debug)]
pub(super) struct Queue<K, T>(Arc<Shared<K, T>>);

/// The end at which it is taken.
#[derive(Debug)]
pub(super) struct Waiting<K, T>(Arc<Shared<K, T>>);

#[derive(Debug)]
struct Shared<K, T> {
    lanes: Mutex<Lanes<K, T>>,
    left: Condvar,
}

#[derive(Debug)]
struct Lanes<K, T> {
    lanes: BTreeMap<K, Lane<T>>,
    /// The time that the queue had taken that was served last. One that was empty begins there: it saves no time up.
    now: Duration,
    open: bool,
}

/// What waits for one trial.
#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<(T, usize)>,
    bytes: usize,
    taken: Duration,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, taken: Duration::ZERO }
    }
}

/// Returns both ends of the queues.
pub(super) fn queue<K, T>() -> (Queue<K, T>, Waiting<K, T>) {
    let lanes = Lanes { lanes: BTreeMap::new(), now: Duration::ZERO, open: true };
    let shared = Arc::new(Shared { lanes: Mutex::new(lanes), left: Condvar::new() });
    (Queue(Arc::clone(&shared)), Waiting(shared))
}

impl<K, T> Shared<K, T> {
    fn lanes(&self) -> MutexGuard<'_, Lanes<K, T>> {
        // A queue is whole between its operations, so a panic elsewhere leaves it usable.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Ord, T> Queue<K, T> {
    /// Leaves something of so many bytes for a trial, if there is room. Returns whether there was.
    pub(super) fn leave(&self, key: &K, left: T, bytes: usize) -> bool {
        let mut lanes = self.0.lanes();
        let now = lanes.now;
        if lanes.lanes.len() >= QUEUES_KEPT_MAX && !lanes.lanes.contains_key(key) {
            lanes.lanes.retain(|_, lane| !lane.waiting.is_empty());
        }
        let lane = lanes.lanes.entry(key.clone()).or_default();
        let bytes_then = lane.bytes.saturating_add(bytes);
        if lane.waiting.len() >= QUEUE_MAX || bytes_then > QUEUE_BYTES_MAX {
            return false;
        }
        if lane.waiting.is_empty() {
            lane.taken = lane.taken.max(now);
        }
        lane.bytes = bytes_then;
        lane.waiting.push_back((left, bytes));
        drop(lanes);
        self.0.left.notify_one();
        true
    }
}

impl<K, T> Drop for Queue<K, T> {
    fn drop(&mut self) {
        self.0.lanes().open = false;
        self.0.left.notify_all();
    }
}

impl<K: Clone + Ord, T> Waiting<K, T> {
    /// Waits for the next of the trial that has taken the least time; nothing once the other end is gone and all was taken.
    pub(super) fn next(&self) -> Option<(K, T)> {
        let mut lanes = self.0.lanes();
        loop {
            let full = lanes.lanes.iter().filter(|(_, lane)| !lane.waiting.is_empty());
            let due = full.min_by_key(|(_, lane)| lane.taken).map(|(key, _)| key.clone());
            if let Some(key) = due
                && let Some(lane) = lanes.lanes.get_mut(&key)
                && let Some((left, bytes)) = lane.waiting.pop_front()
            {
                lane.bytes = lane.bytes.saturating_sub(bytes);
                lanes.now = lane.taken;
                return Some((key, left));
            }
            if !lanes.open {
                return None;
            }
            lanes = self.0.left.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Counts the time that something took.
    pub(super) fn took(&self, key: &K, time: Duration) {
        if let Some(lane) = self.0.lanes().lanes.get_mut(key) {
            lane.taken = lane.taken.saturating_add(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn what_finds_the_queue_full_is_not_taken() {
        let (queue, waiting) = queue();
        let left = (0..2 * QUEUE_MAX).filter(|ping| queue.leave(&"zips", *ping, 0)).count();
        assert_eq!(left, QUEUE_MAX);
        assert!(queue.leave(&"ages", 9, 0));
        assert_eq!(waiting.next(), Some(("ages", 9)));
        assert_eq!(waiting.next(), Some(("zips", 0)));
        assert!(queue.leave(&"zips", 7, 0) && !queue.leave(&"zips", 8, 0));
        drop(queue);
        assert_eq!(std::iter::from_fn(|| waiting.next()).last(), Some(("zips", 7)));
    }

    #[test]
    fn what_has_too_many_bytes_is_not_taken() {
        let (queue, waiting) = queue();
        let leave = |ping, bytes| queue.leave(&"cars", ping, bytes);
        assert!(leave(1, QUEUE_BYTES_MAX) && !leave(2, 1) && leave(3, 0));
        assert_eq!(waiting.next(), Some(("cars", 1)));
        assert!(leave(4, 1) && !leave(5, QUEUE_BYTES_MAX));
    }

    #[test]
    fn a_slow_trial_waits_for_itself_alone() {
        let (queue, waiting) = queue();
        for ping in 0..100 {
            assert!(queue.leave(&"slow", ping, 0) && queue.leave(&"quick", ping, 0));
        }
        let mut served = HashMap::new();
        for _ in 0..101 {
            let (key, _) = waiting.next().unwrap();
            let time = if key == "slow" { 1_000 } else { 10 };
            waiting.took(&key, Duration::from_millis(time));
            *served.entry(key).or_insert(0) += 1;
        }
        assert_eq!((served["quick"], served["slow"]), (100, 1));
        // What was idle has saved nothing up.
        for _ in 0..2 {
            assert_eq!(waiting.next().unwrap().0, "slow");
            waiting.took(&"slow", Duration::from_secs(1));
        }
        assert!(queue.leave(&"quick", 100, 0));
        assert_eq!(waiting.0.lanes().lanes["quick"].taken, Duration::from_secs(2));
    }
}
