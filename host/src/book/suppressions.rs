//! Suppression lists: people who are not to be sold, as sorted hashes of 16 bytes each.

use std::collections::BTreeMap;

use super::State;
use super::named::Named;
use crate::facts::{SuppressionsAdded, SuppressionsRemoved};

/// The most entries of all suppression lists together: about 20 bytes of memory each.
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
        self.lists.get(list).map_or(0, |list| list.entries)
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

impl State {
    /// Returns those of the entries that are on a suppression list, or those that are not.
    pub fn entries_that_are(&self, on: bool, list: &str, entries: &[Entry]) -> Vec<Entry> {
        let Some(list) = self.suppressions.lists.get(list) else {
            return if on { Vec::new() } else { entries.to_vec() };
        };
        entries.iter().filter(|entry| list.has(entry) == on).copied().collect()
    }
}

/// One list: its entries in order, on shelves by their first bytes. Entries are keyed prints, so all shelves grow alike,
/// and a few hundred entries at most are moved to put one in its place or to take it off.
#[derive(Clone, Debug, Default, PartialEq)]
struct List {
    shelves: BTreeMap<[u8; 2], Vec<Entry>>,
    entries: usize,
}

impl List {
    fn has(&self, entry: &Entry) -> bool {
        let shelf = self.shelves.get(&shelf(entry));
        shelf.is_some_and(|shelf| shelf.binary_search(entry).is_ok())
    }

    /// Adds what is not there yet, and returns how many that were.
    fn add(&mut self, entries: &[Entry]) -> usize {
        let before = self.entries;
        for entry in entries {
            let shelf = self.shelves.entry(shelf(entry)).or_default();
            let Err(place) = shelf.binary_search(entry) else { continue };
            if shelf.len() == shelf.capacity() {
                // Doubling would leave a third of the memory empty.
                shelf.reserve_exact(shelf.len() / 8 + 1);
            }
            shelf.insert(place, *entry);
            self.entries += 1;
        }
        self.entries - before
    }

    /// Takes entries off, all of them if none is named, and returns how many that were.
    fn remove(&mut self, entries: &[Entry]) -> usize {
        let before = self.entries;
        if entries.is_empty() {
            *self = Self::default();
        }
        for entry in entries {
            let Some(shelf) = self.shelves.get_mut(&shelf(entry)) else { continue };
            if let Ok(place) = shelf.binary_search(entry) {
                shelf.remove(place);
                self.entries -= 1;
            }
        }
        before - self.entries
    }
}

const fn shelf(entry: &Entry) -> [u8; 2] {
    let [first, second, ..] = *entry;
    [first, second]
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
        assert_eq!(list.entries, 5_050);
        assert!((0..5_050).all(|number| list.has(&entry(number))));
        assert!(!list.has(&entry(5_050)));
        assert!(list.shelves.values().all(|shelf| shelf.is_sorted()));
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
        assert_eq!(list.entries, 0);
    }

    #[test]
    fn which_entries_are_on_a_list_is_told_as_it_is() {
        let mut state = State::default();
        let list = "dnc".to_owned();
        let whole = entries(0..10);
        assert_eq!(state.entries_that_are(false, &list, &whole), whole);
        state.suppressions.add(&SuppressionsAdded { list: list.clone(), entries: entries(3..5) });
        assert_eq!(state.entries_that_are(true, &list, &whole), entries(3..5));
        assert_eq!(state.entries_that_are(false, &list, &entries(0..5)), entries(0..3));
        assert!(state.entries_that_are(true, "other", &whole).is_empty());
    }

    #[test]
    fn of_a_million_entries_few_are_moved_for_one_and_they_take_little_more_than_16_bytes_each() {
        let mut list = List::default();
        for part in 0..20 {
            list.add(&entries(part * 50_000..(part + 1) * 50_000));
        }
        assert_eq!(list.entries, 1_000_000);
        let longest = list.shelves.values().map(Vec::len).max();
        assert!(longest < Some(100), "{longest:?}");
        let kept: usize = list.shelves.values().map(Vec::capacity).sum();
        assert!(kept <= 1_200_000, "{kept}");
    }
}
