//! The rule by which parties share one memory: a party may have one more while it has fewer than are free.
//!
//! It is the dynamic threshold by which queues share a memory (Choudhury and Hahne, IEEE/ACM Transactions on Networking
//! 6(2), 1998). One party that takes all it can gets half, n of them get n parts of n + 1, and the last part stays free
//! for the others.

use super::named::Map;

/// Returns how many all parties together may have of `most`, for one with `own` of them to have one more.
pub const fn room_beside(own: usize, most: usize) -> usize {
    most.saturating_sub(own)
}

/// Says whether a party that has `own` of all that are `taken` may have one more, if there are `most`.
pub const fn may_have_more(own: usize, taken: usize, most: usize) -> bool {
    taken < room_beside(own, most)
}

/// How many each party has, by the number of its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shares(Map<u32, usize>);

impl Shares {
    pub(super) fn of(&self, party: u32) -> usize {
        self.0.get(&party).copied().unwrap_or_default()
    }

    /// Returns how many that party has that has most.
    pub(super) fn largest(&self) -> usize {
        self.0.values().copied().max().unwrap_or_default()
    }

    pub(super) fn add(&mut self, party: u32) {
        let own = self.0.entry(party).or_default();
        *own = own.saturating_add(1);
    }

    pub(super) fn take(&mut self, party: u32) {
        let Some(own) = self.0.get_mut(&party) else { return };
        *own = own.saturating_sub(1);
        if *own == 0 {
            self.0.remove(&party);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets each of these parties in turn take all it can, and returns what each has then.
    fn fill<const PARTIES: usize>(most: usize) -> [usize; PARTIES] {
        let mut shares = Shares::default();
        let mut taken = 0;
        for party in 0..u32::try_from(PARTIES).unwrap() {
            while may_have_more(shares.of(party), taken, most) {
                shares.add(party);
                taken += 1;
            }
        }
        assert!(taken < most && may_have_more(0, taken, most), "somebody else finds room");
        std::array::from_fn(|party| shares.of(u32::try_from(party).unwrap()))
    }

    #[test]
    fn who_takes_all_it_can_leaves_as_much_as_it_has() {
        assert_eq!(fill(1_000), [500]);
        assert_eq!(fill(1_000), [500, 250, 125]);
        assert_eq!(fill(2), [1]);
        assert!(!may_have_more(0, 0, 0) && !may_have_more(0, 7, 7) && !may_have_more(9, 1, 7));
    }

    #[test]
    fn parties_that_take_turns_have_the_same() {
        let (mut shares, mut taken) = (Shares::default(), 0);
        for party in (0..3).cycle().take(3_000) {
            if may_have_more(shares.of(party), taken, 1_000) {
                shares.add(party);
                taken += 1;
            }
        }
        assert_eq!([0, 1, 2].map(|party| shares.of(party)), [250; 3]);
        assert_eq!(shares.largest(), 250);
        (0..250).for_each(|_| shares.take(2));
        assert_eq!((shares.of(2), shares.largest()), (0, 250));
    }
}
