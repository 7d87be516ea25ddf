//! How many deliveries may be under way at once, and whose is the next.
//!
//! A buyer's delivery begins while fewer of its own are under way than berths are free: the dynamic threshold by which
//! queues share one memory (Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). One buyer that does not
//! answer gets half of the berths, n of them get n parts of n + 1, and the last part stays free for the others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How many deliveries may be under way at once.
pub const BERTHS_MAX: usize = 512;

/// The berths of an exchange.
#[derive(Clone, Debug)]
pub(super) struct Berths(Arc<Mutex<Quay>>);

/// Room for one attempt. Dropped, it is another's.
#[derive(Debug)]
pub(super) struct Berth {
    berths: Berths,
    buyer: String,
}

/// What there is to do in deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    pub under_way: usize,
    /// For a berth. What waits for another attempt's time, or for those before it in line, is not counted.
    pub waiting: usize,
}

#[derive(Debug)]
struct Quay {
    most: usize,
    /// How many ever came.
    came: u64,
    under_way: usize,
    buyers: BTreeMap<String, Moored>,
}

/// A buyer with a delivery under way, or one that waits.
#[derive(Debug, Default)]
struct Moored {
    under_way: usize,
    /// As they came.
    waiting: VecDeque<(u64, oneshot::Sender<Berth>)>,
}

impl Berths {
    /// Returns so many berths, all free.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Quay { most, came: 0, under_way: 0, buyers: BTreeMap::new() })))
    }

    /// Waits for a berth. Whoever stops waiting has left the queue. There is none only once the berths are gone.
    pub(super) async fn berth(&self, buyer: &str) -> Option<Berth> {
        let berth = self.quay().come(buyer);
        self.hand_out();
        berth.await.ok()
    }

    /// Says whether a buyer's next delivery could begin at once.
    pub(super) fn has_room(&self, buyer: &str) -> bool {
        let quay = self.quay();
        let free = quay.free();
        match quay.buyers.get(buyer) {
            Some(moored) => moored.waiting.is_empty() && moored.under_way < free,
            None => free > 0,
        }
    }

    /// Returns how much there is to do.
    pub(super) fn busy(&self) -> Busy {
        let quay = self.quay();
        let waiting = quay.buyers.values().map(|moored| moored.waiting.len()).sum();
        Busy { under_way: quay.under_way, waiting }
    }

    fn quay(&self) -> MutexGuard<'_, Quay> {
        // A count is whole between its operations, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self) {
        loop {
            let next = self.quay().next();
            let Some((buyer, sender)) = next else { return };
            // If nobody takes it after all, it is dropped here, and so handed out again.
            drop(sender.send(Berth { berths: self.clone(), buyer }));
        }
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.berths.quay().leave(&self.buyer);
        self.berths.hand_out();
    }
}

impl Quay {
    fn free(&self) -> usize {
        self.most.saturating_sub(self.under_way)
    }

    fn come(&mut self, buyer: &str) -> oneshot::Receiver<Berth> {
        let (sender, receiver) = oneshot::channel();
        self.came = self.came.saturating_add(1);
        let moored = self.buyers.entry(buyer.to_owned()).or_default();
        moored.waiting.push_back((self.came, sender));
        receiver
    }

    /// Returns who gets a berth: of the buyers that may have one more, the one whose next has waited longest.
    fn next(&mut self) -> Option<(String, oneshot::Sender<Berth>)> {
        let free = self.free();
        let longest = |moored: &mut Moored| {
            while moored.waiting.front().is_some_and(|(_, sender)| sender.is_closed()) {
                moored.waiting.pop_front();
            }
            moored.waiting.front().filter(|_| moored.under_way < free).map(|(came, _)| *came)
        };
        let waiting = self.buyers.iter_mut();
        let waiting = waiting.filter_map(|(buyer, moored)| Some((longest(moored)?, buyer, moored)));
        let (_, buyer, moored) = waiting.min_by_key(|(came, ..)| *came)?;
        let (_, sender) = moored.waiting.pop_front()?;
        moored.under_way = moored.under_way.saturating_add(1);
        self.under_way = self.under_way.saturating_add(1);
        Some((buyer.clone(), sender))
    }

    fn leave(&mut self, buyer: &str) {
        self.under_way = self.under_way.saturating_sub(1);
        let Some(moored) = self.buyers.get_mut(buyer) else { return };
        moored.under_way = moored.under_way.saturating_sub(1);
        if moored.under_way == 0 && moored.waiting.is_empty() {
            self.buyers.remove(buyer);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    /// Comes for so many berths, and keeps what it gets.
    async fn hang(berths: &Berths, buyer: &'static str, times: usize) -> Vec<JoinHandle<()>> {
        let hang = |_| {
            let berths = berths.clone();
            tokio::spawn(async move {
                let _berth = berths.berth(buyer).await;
                std::future::pending::<()>().await;
            })
        };
        let hanging = (0..times).map(hang).collect();
        settled(berths).await;
        hanging
    }

    async fn settled(berths: &Berths) {
        let mut before = None;
        while before != Some(berths.busy()) {
            before = Some(berths.busy());
            yield_now().await;
        }
    }

    fn under_way(berths: &Berths, buyer: &str) -> usize {
        berths.quay().buyers.get(buyer).map_or(0, |moored| moored.under_way)
    }

    #[tokio::test]
    async fn who_does_not_answer_never_takes_the_last_berths() {
        let berths = Berths::new(BERTHS_MAX);
        hang(&berths, "alfa", BERTHS_MAX).await;
        assert_eq!(berths.busy(), Busy { under_way: BERTHS_MAX / 2, waiting: BERTHS_MAX / 2 });
        hang(&berths, "bravo", BERTHS_MAX).await;
        hang(&berths, "charlie", BERTHS_MAX).await;
        let each = ["alfa", "bravo", "charlie"].map(|buyer| under_way(&berths, buyer));
        assert_eq!(each, [256, 128, 64]);
        for _ in 0..1_000 {
            assert!(berths.berth("prompt").await.is_some());
        }
        assert_eq!(under_way(&berths, "prompt"), 0);
    }

    #[tokio::test]
    async fn what_one_has_too_much_is_shared_as_it_comes_back() {
        let berths = Berths::new(12);
        let alfa = hang(&berths, "alfa", 20).await;
        hang(&berths, "bravo", 20).await;
        assert_eq!((under_way(&berths, "alfa"), under_way(&berths, "bravo")), (6, 3));
        for hanging in alfa.iter().take(3) {
            hanging.abort();
            settled(&berths).await;
        }
        assert_eq!((under_way(&berths, "alfa"), under_way(&berths, "bravo")), (4, 4));
        assert_eq!(berths.busy(), Busy { under_way: 8, waiting: 29 });
    }

    #[tokio::test]
    async fn the_first_to_come_is_the_first_to_go_and_who_left_is_passed_over() {
        let berths = Berths::new(2);
        let first = hang(&berths, "alfa", 1).await;
        let waiting = hang(&berths, "alfa", 2).await;
        assert_eq!(berths.busy(), Busy { under_way: 1, waiting: 2 });
        for gone in [&waiting[0], &first[0]] {
            gone.abort();
            settled(&berths).await;
        }
        assert_eq!(berths.busy(), Busy { under_way: 1, waiting: 0 });
        waiting[1].abort();
        settled(&berths).await;
        assert_eq!(berths.busy(), Busy { under_way: 0, waiting: 0 });
        assert!(berths.quay().buyers.is_empty());
    }
}
