//! Which dialect a submission wants its answer in.

use super::table::{Ask, Dialect, Family};
use super::{OWN, OWN_JSON};
use crate::intake::key::{Hash, folded};
use crate::normalizer::Syntax;

/// The most different keys by which all families of a vertical are known.
const MARKS_MAX: usize = 64;
/// The most sets of keys by which they are known.
const SETS_MAX: usize = 64;

/// All that says which dialect is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard<'h> {
    /// The last word of the address.
    pub(crate) word: Option<&'h str>,
    /// The family whose keys the submission has, by its place.
    pub(crate) marked: Option<usize>,
    /// What a field of the submission asks for.
    pub(crate) field: Option<Syntax>,
    /// What the Accept header asks for.
    pub(crate) accept: Option<Syntax>,
    /// What the submission is written in.
    pub(crate) sent: Option<Syntax>,
}

/// Chooses one of the families and of its dialects; nothing stands for the exchange's own JSON.
pub(crate) fn choose<'f>(
    families: &[&'f Family],
    heard: &Heard<'_>,
) -> Option<(&'f Family, &'f Dialect)> {
    let (family, fixed) = match heard.word {
        Some(OWN_JSON) => return None,
        Some(word) => families.iter().find_map(|family| named(family, word))?,
        None => (unnamed(families, heard)?, None),
    };
    let spoken = |syntax: Syntax| family.dialects.iter().find(|dialect| dialect.syntax == syntax);
    let asked = || {
        family.asks.iter().find_map(|ask| {
            let syntax = match ask {
                Ask::Field => heard.field,
                Ask::Accept => heard.accept,
                Ask::Sent => heard.sent,
            };
            syntax.and_then(spoken)
        })
    };
    let dialect = fixed.or_else(asked).or_else(|| family.dialects.first())?;
    Some((family, dialect))
}

/// Returns the family with this name, or with one of its dialects'.
fn named<'f>(family: &'f Family, word: &str) -> Option<(&'f Family, Option<&'f Dialect>)> {
    let rest = word.strip_prefix(family.name)?;
    if rest.is_empty() {
        return Some((family, None));
    }
    let syntax = rest.strip_prefix('-').filter(|_| family.dialects.len() > 1)?;
    let dialect = family.dialects.iter().find(|dialect| dialect.syntax_word() == syntax)?;
    Some((family, Some(dialect)))
}

fn unnamed<'f>(families: &[&'f Family], heard: &Heard<'_>) -> Option<&'f Family> {
    if let Some(place) = heard.marked {
        return families.get(place).copied();
    }
    let asked = heard.field.or(heard.accept);
    asked.filter(|syntax| *syntax == Syntax::Xml)?;
    families.iter().find(|family| family.name == OWN.name).copied()
}

/// The keys by which families are known, ready to be looked up for each key of a submission.
pub(crate) struct Marks {
    /// A bit for each residue that some key has: most keys of a submission end here.
    sieve: u64,
    keys: [u64; MARKS_MAX],
    key_count: usize,
    /// Which keys a family is known by, as bits, and its place.
    sets: [(u64, usize); SETS_MAX],
    set_count: usize,
}

impl Marks {
    /// Builds the table when the module is compiled. Too many keys do not compile.
    #[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a panic is an error")]
    pub(crate) const fn new(families: &[&Family]) -> Self {
        let mut marks = Self {
            sieve: 0,
            keys: [0; MARKS_MAX],
            key_count: 0,
            sets: [(0, 0); SETS_MAX],
            set_count: 0,
        };
        let mut place = 0;
        while place < families.len() {
            let mut set = 0;
            while set < families[place].marks.len() {
                let bits = marks.add(families[place].marks[set].as_bytes());
                assert!(bits != 0, "a family is known by no key");
                assert!(marks.set_count < SETS_MAX, "the families have too many sets of keys");
                marks.sets[marks.set_count] = (bits, place);
                marks.set_count += 1;
                set += 1;
            }
            place += 1;
        }
        marks
    }

    /// Adds the keys of a set and returns their bits.
    #[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a panic is an error")]
    const fn add(&mut self, set: &[u8]) -> u64 {
        let (mut bits, mut position) = (0, 0);
        while position < set.len() {
            let mut hash = Hash::EMPTY;
            while position < set.len() && !set[position].is_ascii_whitespace() {
                if let Some(byte) = folded(set[position]) {
                    hash = hash.byte(byte);
                }
                position += 1;
            }
            position += 1;
            let mut key = 0;
            while key < self.key_count && self.keys[key] != hash.get() {
                key += 1;
            }
            assert!(key < MARKS_MAX, "the families have too many keys");
            self.keys[key] = hash.get();
            if key == self.key_count {
                self.key_count += 1;
            }
            self.sieve |= 1 << (hash.get() % 64);
            bits |= 1 << key;
        }
        bits
    }

    /// Returns the bit of the key with this hash; none if no family is known by it.
    pub(crate) fn bit(&self, hash: Hash) -> u64 {
        if self.sieve & (1 << (hash.get() % 64)) == 0 {
            return 0;
        }
        let keys = self.keys.iter().take(self.key_count);
        keys.zip(0_u32..).find(|(key, _)| **key == hash.get()).map_or(0, |(_, bit)| 1 << bit)
    }

    /// Returns the first family whose keys are all among those that came.
    pub(crate) fn family(&self, came: u64) -> Option<usize> {
        let sets = self.sets.iter().take(self.set_count);
        sets.filter(|(bits, _)| came & bits == *bits).map(|&(_, place)| place).min()
    }
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Marks").field("keys", &self.key_count).finish_non_exhaustive()
    }
}
