//! Suppression lists: people who are not to be sold, as sorted hashes of 16 bytes each.

use std::collections::HashSet;

use super::named::Named;
use crate::facts::{SuppressionsAdded, SuppressionsRemoved};

/// The most entries of all suppression lists together: 16 bytes of memory each.
pub const SUPPRESSIONS_MAX: usize = 20_000_000;

/// What an entry is kept as.
pub type Entry = [u8; 16];

/// Every suppression list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Suppressions {
    lists: Named<List>,
    entries: usize,
}

impl Suppressions {
    /// Returns how many entries a list has.
    pub(super) fn entries_of(&self, list: &str) -> usize {
        self.lists.get(list).map_or(0, List::len)
    }

    /// Returns how many entries there are in all.
    pub(super) const fn entries(&self) -> usize {
        self.entries
    }

    /// Returns whether one of these is on the list.
    pub(super) fn has_any(&self, list: &str, entries: &[Entry]) -> bool {
        let list = self.lists.get(list);
        list.is_some_and(|list| entries.iter().any(|entry| list.has(entry)))
    }

    pub(super) fn add(&mut self, added: &SuppressionsAdded) {
        self.entries += self.lists.of(&added.list).add(&added.entries);
    }

    pub(super) fn remove(&mut self, removed: &SuppressionsRemoved) {
        self.entries -= self.lists.of(&removed.list).remove(&removed.entries);
    }
}

/// One list: runs of sorted entries, each less than half as long as the one before it. So adding a million entries in
/// small parts moves each of them about twenty times, and there is no entry twice.
#[derive(Clone, Debug, Default, PartialEq)]
struct List {
    runs: Vec<Vec<Entry>>,
}

impl List {
    fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    fn has(&self, entry: &Entry) -> bool {
        self.runs.iter().any(|run| run.binary_search(entry).is_ok())
    }

    /// Adds what is not there yet, and returns how many that were.
    fn add(&mut self, entries: &[Entry]) -> usize {
        let mut run: Vec<Entry> =
            entries.iter().filter(|entry| !self.has(entry)).copied().collect();
        run.sort_unstable();
        run.dedup();
        let added = run.len();
        if added == 0 {
            return 0;
        }
        while self.runs.last().is_some_and(|last| last.len() <= run.len().saturating_mul(2)) {
            let last = self.runs.pop().unwrap_or_default();
            run = merged(&last, &run);
        }
        run.shrink_to_fit();
        self.runs.push(run);
        added
    }

    /// Takes entries off, all of them if none is named, and returns how many that were.
    fn remove(&mut self, entries: &[Entry]) -> usize {
        let before = self.len();
        if entries.is_empty() {
            self.runs.clear();
            return before;
        }
        let entries: HashSet<&Entry> = entries.iter().collect();
        for run in &mut self.runs {
            run.retain(|entry| !entries.contains(entry));
        }
        self.runs.retain(|run| !run.is_empty());
        before - self.len()
    }
}

fn merged(left: &[Entry], right: &[Entry]) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let next = if one < other { left.next() } else { right.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        let mut entry = Entry::default();
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        entry.iter_mut().zip(mixed.to_be_bytes()).for_each(|(to, from)| *to = from);
        entry
    }

    fn entries(numbers: std::ops::Range<u64>) -> Vec<Entry> {
        numbers.map(entry).collect()
    }

    #[test]
    fn a_list_counts_every_entry_once_and_finds_it() {
        let mut list = List::default();
        for part in 0..100 {
            // Every part repeats half of the one before it.
            assert_eq!(
                list.add(&entries(part * 50..part * 50 + 100)),
                if part == 0 { 100 } else { 50 }
            );
        }
        assert_eq!(list.len(), 5_050);
        assert!((0..5_050).all(|number| list.has(&entry(number))));
        assert!(!list.has(&entry(5_050)));
        assert!(list.runs.windows(2).all(|pair| pair[0].len() > 2 * pair[1].len()));
        assert!(list.runs.iter().all(|run| run.is_sorted()));
    }

    #[test]
    fn what_is_taken_off_is_gone() {
        let mut list = List::default();
        list.add(&entries(0..1_000));
        list.add(&entries(1_000..1_010));
        assert_eq!(list.remove(&entries(990..1_005)), 15);
        assert_eq!(list.remove(&entries(990..1_005)), 0);
        assert!(!list.has(&entry(1_000)) && list.has(&entry(1_005)) && list.has(&entry(0)));
        assert_eq!(list.remove(&[]), 995);
        assert_eq!(list.len(), 0);
    }

    #[test]
    fn a_million_entries_take_16_bytes_each() {
        let mut list = List::default();
        for part in 0..20 {
            list.add(&entries(part * 50_000..(part + 1) * 50_000));
        }
        assert_eq!(list.len(), 1_000_000);
        let kept: usize = list.runs.iter().map(Vec::capacity).sum();
        assert!(kept <= 1_000_000, "{kept}");
    }
}
