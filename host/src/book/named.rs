//! What is kept by name, found by number: a name is hashed once per decision and never copied.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// A map with a seeded hash that is quick for short keys.
pub(super) type Map<K, V> = HashMap<K, V, RandomState>;

/// Values by name. Numbers are given in the order of first mention, so a replay gives the same ones.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named<T> {
    numbers: Map<Box<str>, u32>,
    values: Vec<T>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { numbers: Map::default(), values: Vec::new() }
    }
}

impl<T: Default> Named<T> {
    /// Returns the number of a name that was mentioned before.
    pub(super) fn known(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Returns the number of a name.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.into(), number);
        self.values.push(T::default());
        number
    }

    /// Returns what is kept under a name.
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.values.get(usize::try_from(self.known(name)?).ok()?)
    }

    /// Returns every name with what is kept under it, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.named(&self.values)
    }

    /// Returns every name with what stands at its number, in no order.
    pub(super) fn named<'a, V>(
        &'a self,
        by_number: &'a [V],
    ) -> impl Iterator<Item = (&'a str, &'a V)> {
        let value = |number: u32| by_number.get(usize::try_from(number).ok()?);
        self.numbers.iter().filter_map(move |(name, number)| Some((&**name, value(*number)?)))
    }

    /// Returns how many names there are.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Returns what is kept under a number that this gave out.
    #[expect(
        clippy::expect_used,
        reason = "numbers come from here, and nothing is ever taken away"
    )]
    pub(super) fn at(&mut self, number: u32) -> &mut T {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.values.get_mut(place).expect("the number was given out")
    }

    /// Returns what is kept under a name, made anew if there is nothing.
    pub(super) fn of(&mut self, name: &str) -> &mut T {
        let number = self.number(name);
        self.at(number)
    }
}
