//! What is to be sent when: the outbox's postbacks in memory, with a lane for each owner, so that an end point that does
//! not answer holds up nobody but itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::catalog::Owner;
use crate::clock::Clock;
use crate::facts::PostbackKey;

/// How many postbacks of one owner may be under way at once.
pub const LANE_MAX: usize = 4;
/// How many postbacks of one owner may wait. Beyond it the newest are dead at once, until there is room.
pub const WAITING_MAX: usize = 100_000;

/// After how long one is sent again whose attempt could not be made or recorded.
const PUT_BACK: Duration = Duration::from_secs(5);

/// A postback that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) key: PostbackKey,
    pub(super) owner: Arc<Owner>,
    /// How often it was tried.
    pub(super) attempts: u32,
    pub(super) due_ms: i64,
    /// The fact that must be durable before it is sent.
    pub(super) after: u64,
    /// It is one too many for its owner: nobody is called, it is recorded as dead.
    pub(super) surplus: bool,
}

/// What is to be sent when.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    known: Mutex<Known>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Known {
    jobs: BTreeMap<PostbackKey, (Job, Stand)>,
    /// Those that wait for their time.
    times: BTreeSet<(i64, PostbackKey)>,
    lanes: HashMap<Arc<Owner>, Lane>,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// Among the times.
    Waiting,
    /// It is time, but its lane is full.
    Held,
    UnderWay,
}

#[derive(Debug, Default)]
struct Lane {
    jobs: usize,
    under_way: usize,
    held: BTreeSet<(i64, PostbackKey)>,
    /// Nothing is sent before.
    rests_until_ms: i64,
}

/// A postback that somebody carries. Dropped before its attempt is ended, it is to be sent again in a while.
#[derive(Debug)]
pub(super) struct Carried<'c> {
    agenda: &'c Agenda,
    clock: &'c Clock,
    job: &'c Job,
    ended: bool,
}

impl<'c> Carried<'c> {
    pub(super) fn new(agenda: &'c Agenda, clock: &'c Clock, job: &'c Job) -> Self {
        Self { agenda, clock, job, ended: false }
    }

    /// Ends the attempt: the postback is tried again then, after so many attempts, or it is done.
    pub(super) fn end(mut self, again: Option<(i64, u32)>) {
        self.ended = true;
        self.agenda.end(self.job.key, again);
    }
}

impl Drop for Carried<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let again = self.clock.now().after(PUT_BACK).unix_ms();
            self.agenda.end(self.job.key, Some((again, self.job.attempts)));
        }
    }
}

impl Agenda {
    fn known(&self) -> MutexGuard<'_, Known> {
        // It is whole between its operations, so a panic elsewhere leaves it usable.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a postback. One that is there already stays as it is.
    pub(super) fn add(
        &self,
        key: PostbackKey,
        owner: Owner,
        (due_ms, attempts, after): (i64, u32, u64),
    ) {
        let mut known = self.known();
        if known.jobs.contains_key(&key) {
            return;
        }
        let owner = match known.lanes.get_key_value(&owner) {
            Some((owner, _)) => Arc::clone(owner),
            None => Arc::new(owner),
        };
        let lane = known.lanes.entry(Arc::clone(&owner)).or_default();
        let surplus = lane.jobs >= WAITING_MAX;
        lane.jobs = lane.jobs.saturating_add(1);
        known.times.insert((due_ms, key));
        let job = Job { key, owner, attempts, due_ms, after, surplus };
        known.jobs.insert(key, (job, Stand::Waiting));
        known.count();
        drop(known);
        self.changed.notify_one();
    }

    /// Returns what is to be sent now, and when the next of the others is due. Whoever takes a job carries it.
    pub(super) fn take(&self, now_ms: i64) -> (Vec<Job>, Option<i64>) {
        let mut known = self.known();
        let mut taken = Vec::new();
        while let Some((due_ms, key)) = known.times.first().copied() {
            if due_ms > now_ms {
                return (taken, Some(due_ms));
            }
            known.times.pop_first();
            let Known { jobs, lanes, times } = &mut *known;
            let Some((job, stand)) = jobs.get_mut(&key) else { continue };
            let Some(lane) = lanes.get_mut(&job.owner) else { continue };
            if lane.rests_until_ms > now_ms && !job.surplus {
                (job.due_ms, *stand) = (lane.rests_until_ms, Stand::Waiting);
                times.insert((job.due_ms, key));
                continue;
            }
            if lane.under_way >= LANE_MAX && !job.surplus {
                *stand = Stand::Held;
                lane.held.insert((due_ms, key));
                continue;
            }
            lane.under_way = lane.under_way.saturating_add(1);
            *stand = Stand::UnderWay;
            taken.push(job.clone());
        }
        (taken, None)
    }

    /// Has an owner told nothing until then.
    pub(super) fn rest(&self, owner: &Owner, until_ms: i64) {
        if let Some(lane) = self.known().lanes.get_mut(owner) {
            lane.rests_until_ms = lane.rests_until_ms.max(until_ms);
        }
    }

    fn end(&self, key: PostbackKey, again: Option<(i64, u32)>) {
        let mut known = self.known();
        let Known { jobs, lanes, times } = &mut *known;
        let Some((job, stand)) = jobs.get_mut(&key) else { return };
        let Some(lane) = lanes.get_mut(&job.owner) else { return };
        lane.under_way = lane.under_way.saturating_sub(1);
        // Whoever waited for this place is looked at next.
        if let Some((due_ms, held)) = lane.held.pop_first() {
            times.insert((due_ms, held));
        }
        match again {
            Some((due_ms, attempts)) => {
                (job.due_ms, job.attempts, *stand) = (due_ms, attempts, Stand::Waiting);
                times.insert((due_ms, key));
            }
            None => {
                lane.jobs = lane.jobs.saturating_sub(1);
                let owner = Arc::clone(&job.owner);
                let empty = lane.jobs == 0;
                jobs.remove(&key);
                if empty {
                    lanes.remove(&owner);
                }
            }
        }
        known.count();
        drop(known);
        self.changed.notify_one();
    }

    /// Returns what is to be sent before a key, that of the newest pings first, as far as `wanted`.
    pub(super) fn waiting(
        &self,
        before: Option<PostbackKey>,
        limit: usize,
        wanted: impl Fn(&Job) -> bool,
    ) -> Vec<Job> {
        let known = self.known();
        let newest = known.jobs.iter().rev().map(|(_, (job, _))| job);
        let newest = newest.filter(|job| before.is_none_or(|before| job.key < before));
        newest.filter(|job| wanted(job)).take(limit).cloned().collect()
    }

    /// Returns a postback that is to be sent.
    pub(super) fn job(&self, key: PostbackKey) -> Option<Job> {
        self.known().jobs.get(&key).map(|(job, _)| job.clone())
    }

    /// Returns whether a postback is being sent.
    pub(super) fn is_under_way(&self, key: PostbackKey) -> bool {
        self.known().jobs.get(&key).is_some_and(|(_, stand)| *stand == Stand::UnderWay)
    }

    /// Has a postback sent now, as if it had never been tried, though its owner's lane rests. One that is under way stays as
    /// it is.
    pub(super) fn hasten(&self, key: PostbackKey, owner: Owner, now_ms: i64) {
        {
            let mut known = self.known();
            let Known { jobs, times, lanes } = &mut *known;
            if let Some(lane) = lanes.get_mut(&owner) {
                lane.rests_until_ms = 0;
            }
            match jobs.get_mut(&key) {
                Some((job, Stand::Waiting)) => {
                    times.remove(&(job.due_ms, key));
                    times.insert((now_ms, key));
                    (job.due_ms, job.attempts) = (now_ms, 0);
                }
                Some((job, Stand::Held)) => job.attempts = 0,
                Some((_, Stand::UnderWay)) | None => (),
            }
        }
        self.add(key, owner, (now_ms, 0, 0));
        self.changed.notify_one();
    }

    /// Returns how many postbacks of an owner are to be sent.
    pub(super) fn waiting_of(&self, owner: &Owner) -> usize {
        self.known().lanes.get(owner).map_or(0, |lane| lane.jobs)
    }

    /// Waits until there may be something else to do than before.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Known {
    fn count(&self) {
        let waiting = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        metrics::gauge!("gavel_postbacks_waiting").set(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::facts::{Event, Party};

    fn key(ping: u128) -> PostbackKey {
        PostbackKey { ping, copy: 0, event: Event::Sold, party: Party::Source }
    }

    fn owner(name: &str) -> Owner {
        Owner { party: Party::Source, name: name.to_owned() }
    }

    fn pings(jobs: &[Job]) -> Vec<u128> {
        jobs.iter().map(|job| job.key.ping).collect()
    }

    #[test]
    fn an_owner_that_does_not_answer_holds_up_nobody_else() {
        let agenda = Agenda::default();
        for ping in 1..=10 {
            agenda.add(key(ping), owner("silent"), (0, 0, 1));
        }
        agenda.add(key(11), owner("prompt"), (0, 0, 1));
        let (taken, next) = agenda.take(5);
        assert_eq!((pings(&taken), next), (vec![1, 2, 3, 4, 11], None));
        assert_eq!(agenda.take(5).0, []);
        agenda.add(key(12), owner("prompt"), (0, 0, 1));
        assert_eq!(pings(&agenda.take(5).0), [12]);
        agenda.end(key(2), None);
        agenda.end(key(3), Some((100, 1)));
        let (taken, next) = agenda.take(5);
        assert_eq!((pings(&taken), next), (vec![5, 6], Some(100)));
        assert_eq!(
            (agenda.waiting_of(&owner("silent")), agenda.waiting_of(&owner("prompt"))),
            (9, 2)
        );
    }

    #[test]
    fn an_owner_that_has_too_much_to_do_is_left_alone_with_all_of_it() {
        let agenda = Agenda::default();
        for ping in 1..=10 {
            agenda.add(key(ping), owner("busy"), (0, 0, 1));
        }
        agenda.add(key(11), owner("prompt"), (0, 0, 1));
        agenda.take(5);
        agenda.rest(&owner("busy"), 1_000);
        agenda.rest(&owner("busy"), 900);
        agenda.end(key(1), Some((2_000, 1)));
        agenda.end(key(2), None);
        agenda.end(key(11), None);
        agenda.add(key(12), owner("prompt"), (6, 0, 1));
        let (taken, next) = agenda.take(6);
        assert_eq!((pings(&taken), next), (vec![12], Some(1_000)));
        assert_eq!(agenda.take(999), (Vec::new(), Some(1_000)));
        let (taken, next) = agenda.take(1_000);
        assert_eq!((pings(&taken), next), (vec![5, 6], Some(2_000)));
        // An operator's word ends the rest.
        agenda.rest(&owner("busy"), 9_000);
        agenda.end(key(5), Some((3_000, 1)));
        assert_eq!(pings(&agenda.take(1_001).0), [0; 0]);
        agenda.hasten(key(5), owner("busy"), 1_001);
        assert_eq!(pings(&agenda.take(1_001).0), [5]);
    }

    #[test]
    fn what_was_dropped_before_its_end_is_sent_again_and_takes_nobodys_place() {
        let (agenda, clock) = (Agenda::default(), Clock::standing(Moment::from_unix_ms(1_000)));
        agenda.add(key(1), owner("web"), (0, 3, 1));
        for at in (0..).map(|turn| 5_000 * turn).take(LANE_MAX + 2) {
            clock.set(Moment::from_unix_ms(at));
            let (taken, _) = agenda.take(at);
            assert_eq!((pings(&taken), taken[0].attempts), (vec![1], 3), "{at}");
            drop(Carried::new(&agenda, &clock, &taken[0]));
            assert!(!agenda.is_under_way(key(1)));
        }
        let (taken, _) = agenda.take(1_000_000);
        Carried::new(&agenda, &clock, &taken[0]).end(None);
        assert_eq!(agenda.job(key(1)), None);
    }

    #[test]
    fn what_is_there_is_not_taken_up_twice_and_goes_when_it_is_done() {
        let agenda = Agenda::default();
        agenda.add(key(1), owner("web"), (50, 2, 7));
        agenda.add(key(1), owner("web"), (0, 0, 9));
        assert_eq!(agenda.take(10), (Vec::new(), Some(50)));
        let (taken, _) = agenda.take(50);
        assert_eq!((taken[0].attempts, taken[0].after), (2, 7));
        assert_eq!(agenda.waiting(None, 9, |_| true), taken);
        assert_eq!(agenda.waiting(Some(key(1)), 9, |_| true), []);
        agenda.end(key(1), None);
        assert_eq!(agenda.job(key(1)), None);
        assert_eq!(agenda.waiting_of(&owner("web")), 0);
        agenda.end(key(1), None);
    }

    #[test]
    fn beyond_what_may_wait_the_newest_are_surplus_at_once_until_there_is_room() {
        let agenda = Agenda::default();
        let most = u128::try_from(WAITING_MAX).unwrap();
        for ping in 1..=most + 2 {
            agenda.add(key(ping), owner("silent"), (0, 0, 1));
        }
        let (taken, next) = agenda.take(5);
        // The lane's own, and the two that nobody will be called for.
        assert_eq!((pings(&taken), next), (vec![1, 2, 3, 4, most + 1, most + 2], None));
        let surplus = |jobs: &[Job]| jobs.iter().filter(|job| job.surplus).count();
        assert_eq!(surplus(&taken), 2);
        taken[2..].iter().for_each(|job| agenda.end(job.key, None));
        agenda.add(key(most + 3), owner("silent"), (0, 0, 1));
        agenda.add(key(most + 4), owner("silent"), (0, 0, 1));
        agenda.add(key(most + 5), owner("silent"), (0, 0, 1));
        let (taken, _) = agenda.take(5);
        assert_eq!(pings(&taken), [5, 6, most + 5]);
        assert_eq!(surplus(&taken), 1);
    }
}
