//! Room that several share: how many may be busy at once, and whose turn is next.
//!
//! They are shared as parties share a memory ([`may_have_more`]): one that never gives back gets half of the berths, n of
//! them get n parts of n + 1, and the last part stays free for the others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::book::may_have_more;

/// Berths that several share.
#[derive(Clone, Debug)]
pub struct Berths(Arc<Mutex<Quay>>);

/// Room for one. Dropped, it is another's.
#[derive(Debug)]
pub struct Berth {
    berths: Berths,
    whose: String,
}

/// How many berths are taken, and how many wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    pub under_way: usize,
    pub waiting: usize,
}

#[derive(Debug)]
struct Quay {
    most: usize,
    /// How many ever came.
    came: u64,
    under_way: usize,
    /// How many wait, and have not been seen to have gone.
    waiting: usize,
    /// By who has berths or waits for one.
    moored: HashMap<String, Moored>,
}

/// What one has, and what it waits for.
#[derive(Debug, Default)]
struct Moored {
    under_way: usize,
    /// As they came.
    waiting: VecDeque<(u64, oneshot::Sender<Berth>)>,
}

impl Berths {
    /// Returns so many berths, all free.
    pub fn new(most: usize) -> Self {
        let moored = HashMap::new();
        Self(Arc::new(Mutex::new(Quay { most, came: 0, under_way: 0, waiting: 0, moored })))
    }

    /// Waits for a berth. Whoever stops waiting has left the queue. There is none only once the berths are gone.
    pub async fn berth(&self, whose: &str) -> Option<Berth> {
        let berth = self.quay().come(whose);
        self.hand_out();
        berth.await.ok()
    }

    /// Returns a berth, if one can be had without waiting.
    pub fn try_berth(&self, whose: &str) -> Option<Berth> {
        let mut quay = self.quay();
        if !quay.has_room(whose) {
            return None;
        }
        quay.under_way = quay.under_way.saturating_add(1);
        let moored = quay.moored.entry(whose.to_owned()).or_default();
        moored.under_way = moored.under_way.saturating_add(1);
        Some(Berth { berths: self.clone(), whose: whose.to_owned() })
    }

    /// Says whether [`Self::try_berth`] would find one.
    pub fn has_room(&self, whose: &str) -> bool {
        self.quay().has_room(whose)
    }

    /// Returns how many are taken and waited for.
    pub fn busy(&self) -> Busy {
        let quay = self.quay();
        Busy { under_way: quay.under_way, waiting: quay.waiting }
    }

    fn quay(&self) -> MutexGuard<'_, Quay> {
        // A count is whole between its operations, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self) {
        loop {
            let next = self.quay().next();
            let Some((whose, sender)) = next else { return };
            // If nobody takes it after all, it is dropped here, and so handed out again.
            drop(sender.send(Berth { berths: self.clone(), whose }));
        }
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.berths.quay().leave(&self.whose);
        self.berths.hand_out();
    }
}

impl Quay {
    /// Says whether one with so many under way may have one more.
    fn may_begin(&self, own: usize) -> bool {
        may_have_more(own, self.under_way, self.most)
    }

    fn has_room(&self, whose: &str) -> bool {
        match self.moored.get(whose) {
            Some(moored) => moored.waiting.is_empty() && self.may_begin(moored.under_way),
            None => self.may_begin(0),
        }
    }

    fn come(&mut self, whose: &str) -> oneshot::Receiver<Berth> {
        let (sender, receiver) = oneshot::channel();
        self.came = self.came.saturating_add(1);
        self.waiting = self.waiting.saturating_add(1);
        let moored = self.moored.entry(whose.to_owned()).or_default();
        moored.waiting.push_back((self.came, sender));
        receiver
    }

    /// Returns who gets a berth: of those who may have one more, whose first has waited longest.
    fn next(&mut self) -> Option<(String, oneshot::Sender<Berth>)> {
        if self.waiting == 0 {
            return None;
        }
        let (all, most, mut gone) = (self.under_way, self.most, 0);
        let mut longest = None;
        for (whose, moored) in &mut self.moored {
            while moored.waiting.pop_front_if(|(_, sender)| sender.is_closed()).is_some() {
                gone += 1;
            }
            let may = may_have_more(moored.under_way, all, most);
            let first = moored.waiting.front().filter(|_| may);
            let Some((came, _)) = first else { continue };
            if longest.as_ref().is_none_or(|(longest, _, _)| came < longest) {
                longest = Some((*came, whose, moored));
            }
        }
        self.waiting = self.waiting.saturating_sub(gone);
        let (_, whose, moored) = longest?;
        let (_, sender) = moored.waiting.pop_front()?;
        moored.under_way = moored.under_way.saturating_add(1);
        self.under_way = self.under_way.saturating_add(1);
        self.waiting = self.waiting.saturating_sub(1);
        Some((whose.clone(), sender))
    }

    fn leave(&mut self, whose: &str) {
        self.under_way = self.under_way.saturating_sub(1);
        let Some(moored) = self.moored.get_mut(whose) else { return };
        moored.under_way = moored.under_way.saturating_sub(1);
        if moored.under_way == 0 && moored.waiting.is_empty() {
            self.moored.remove(whose);
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
        settled().await;
        hanging
    }

    async fn settled() {
        // At each turn some of the others go on.
        for _ in 0..100 {
            yield_now().await;
        }
    }

    fn under_way(berths: &Berths, buyer: &str) -> usize {
        berths.quay().moored.get(buyer).map_or(0, |moored| moored.under_way)
    }

    #[tokio::test]
    async fn who_does_not_answer_never_takes_the_last_berths() {
        let berths = Berths::new(512);
        hang(&berths, "alfa", 512).await;
        assert_eq!(berths.busy(), Busy { under_way: 512 / 2, waiting: 512 / 2 });
        hang(&berths, "bravo", 512).await;
        hang(&berths, "charlie", 512).await;
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
            settled().await;
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
            settled().await;
        }
        assert_eq!(berths.busy(), Busy { under_way: 1, waiting: 0 });
        waiting[1].abort();
        settled().await;
        assert_eq!(berths.busy(), Busy { under_way: 0, waiting: 0 });
        assert!(berths.quay().moored.is_empty());
    }
    #[tokio::test]
    async fn who_does_not_wait_gets_one_or_none() {
        let berths = Berths::new(4);
        let alfa: Vec<Berth> = std::iter::from_fn(|| berths.try_berth("alfa")).collect();
        let bravo = berths.try_berth("bravo").unwrap();
        assert!(alfa.len() == 2 && berths.try_berth("bravo").is_none());
        assert!(!berths.has_room("bravo") && berths.has_room("charlie"));
        drop((alfa, bravo));
        assert!(berths.has_room("alfa") && berths.quay().moored.is_empty());
    }
}
