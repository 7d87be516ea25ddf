//! One shape for every body: leaves at the end of paths. Each leaf is looked up when it is met, and only what the
//! vertical knows is kept, so a body of any size costs its reading and no more.

use super::key::{self, Entry, Hash};
use super::path::{ELEMENTS_MAX, Path, number_label, without_label};
use super::table::Vertical;
use super::{repeats, too_large};
use crate::normalizer::{Refusal, RefusalCode};

/// The most values, objects, lists and tags that a submission may have, known or not.
const PARTS_MAX: usize = 2_000;
/// How deep objects, lists and tags may be nested.
pub(super) const DEPTH_MAX: usize = 32;
/// The longest value of a field that the vertical knows, in bytes.
const VALUE_BYTES_MAX: usize = 4_096;

/// The group of numbered keys that name none.
const NUMBERED: u8 = 31;

/// Which element of its group a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// No number was given: the first.
    None,
    /// Counted from 0, in a list or among tags of one name.
    Position(u32),
    /// As the source numbers it: from 0 if it uses 0, or else from 1.
    Label(u32),
}

/// A value of a field that the vertical knows.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What its key stands for.
    pub(super) entry: Entry,
    /// What the source sent.
    pub(super) text: String,
    /// JSON wrote it as a number, so leading zeros are lost.
    pub(super) is_number: bool,
    /// Which element of its group it belongs to, from 0. Known once everything is read.
    pub(super) element: u32,
    pub(super) group: Option<u8>,
    number: Number,
}

/// Where a path has come so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// The segments that are no wrappers; inside a group, those after it.
    joined: Hash,
    is_empty: bool,
    /// The segment before, when all up to it are wrappers: `insurance` in `Lead.Insurance.Company`.
    wrapper: Option<Hash>,
    group: Option<u8>,
    /// As `joined`, behind the group's name and a slash.
    grouped: Hash,
    number: Number,
    /// Inside the second or a later element of a list that is no group.
    is_repeated: bool,
}

impl Scope {
    /// Before the first segment.
    pub(super) const TOP: Self = Self {
        joined: Hash::EMPTY,
        is_empty: true,
        wrapper: None,
        group: None,
        grouped: Hash::EMPTY,
        number: Number::None,
        is_repeated: false,
    };

    /// Returns the scope of an element of a list, or of one among several tags of the same name.
    pub(super) fn element(self, position: u32) -> Self {
        if self.group.is_some() && self.is_empty {
            return Self { number: Number::Position(position), ..self };
        }
        Self { is_repeated: self.is_repeated || position > 0, ..self }
    }

    fn labelled(self, label: u32) -> Self {
        if self.group.is_some() && self.number == Number::None {
            return Self { number: Number::Label(label), ..self };
        }
        self
    }

    fn in_group(self, place: u8, name: &str) -> Self {
        let grouped = Hash::EMPTY.text(name.as_bytes()).byte(b'/');
        let group = Some(place);
        Self { joined: Hash::EMPTY, is_empty: true, wrapper: None, group, grouped, ..self }
    }

    fn joined(self, name: &[u8]) -> Self {
        let (joined, grouped) = (self.joined.text(name), self.grouped.text(name));
        Self { joined, grouped, is_empty: false, wrapper: None, ..self }
    }
}

/// The values that a submission has for a vertical.
#[derive(Debug)]
pub(super) struct Leaves<'v> {
    vertical: &'v Vertical,
    found: Vec<Found>,
    count: usize,
    folded: Vec<u8>,
    /// By group: whether its labels begin with 0, and which elements have a value.
    zero_labels: u32,
    elements: Vec<(u8, Number)>,
    /// The keys by which a family of dialects is known, as bits.
    came: u64,
}

impl<'v> Leaves<'v> {
    pub(super) fn new(vertical: &'v Vertical) -> Self {
        let (found, elements) = (Vec::with_capacity(64), Vec::new());
        let folded = Vec::with_capacity(64);
        Self { vertical, found, count: 0, folded, zero_labels: 0, elements, came: 0 }
    }

    /// Returns which of the keys came by which a family of dialects is known.
    pub(super) fn came(&self) -> u64 {
        self.came
    }

    /// Whether repeated tags of this name are elements of something rather than several values.
    pub(super) fn is_container(&mut self, name: &str) -> bool {
        key::fold_into(&mut self.folded, name);
        let exact = |word: &&str| word.as_bytes() == self.folded;
        self.vertical.groups.iter().any(|group| group.words.iter().any(exact))
            || key::is_wrapper(&self.folded)
    }

    /// Goes into an object or tag.
    pub(super) fn enter(&mut self, scope: Scope, name: &str) -> Result<Scope, Refusal> {
        let mut path = Path::new(name)?;
        let mut scope = scope;
        while let Some(segment) = path.next() {
            scope = self.step(scope, segment);
        }
        Ok(scope)
    }

    /// Counts an object, list, tag or value, so that a body of empty ones has an end, too.
    pub(super) fn count_one(&mut self) -> Result<(), Refusal> {
        self.count = self.count.saturating_add(1);
        if self.count > PARTS_MAX {
            return Err(too_large(format!("the body has more than {PARTS_MAX} values")));
        }
        Ok(())
    }

    /// Takes the value at the end of a path.
    pub(super) fn leaf(
        &mut self,
        scope: Scope,
        name: &str,
        text: &str,
        is_number: bool,
    ) -> Result<(), Refusal> {
        self.count_one()?;
        let (mut path, mut scope) = (Path::new(name)?, scope);
        let mut last = path.next().unwrap_or_default();
        let mut trailing = Number::None;
        while let Some(segment) = path.next() {
            // A number at the end tells the elements of a list apart, not their names.
            match number_label(segment.as_bytes()).filter(|_| path.is_done()) {
                Some(label) => trailing = Number::Label(label),
                None => {
                    scope = self.step(scope, last);
                    last = segment;
                }
            }
        }
        key::fold_into(&mut self.folded, last);
        if scope.group.is_none() {
            self.came |= self.vertical.marks.bit(scope.joined.text(&self.folded));
        }
        let blank = text.trim().is_empty();
        let mut place = self.place(scope);
        if place.group.is_some() && place.number == Number::None {
            place.number = trailing;
        }
        if let Some(group) = place.group {
            self.saw_element(group, place.number, blank);
        }
        let Some(entry) = place.entry else { return Ok(()) };
        if blank {
            return Ok(());
        }
        if scope.is_repeated {
            let message =
                "the body repeats a part that a lead has once; send one lead in each request";
            return Err(Refusal {
                code: RefusalCode::Malformed,
                field: None,
                message: message.into(),
            });
        }
        if text.len() > VALUE_BYTES_MAX {
            let field =
                self.vertical.field(usize::from(entry.field)).map_or("", |field| field.name);
            return Err(too_large(format!("`{field}` is longer than {VALUE_BYTES_MAX} bytes")));
        }
        let (group, number) = (place.group, place.number);
        self.found.push(Found { entry, text: text.into(), is_number, element: 0, group, number });
        Ok(())
    }

    /// Returns the values that came, ordered by field, the element of the group, and the field's key.
    pub(super) fn take(&mut self) -> Vec<Found> {
        let mut found = std::mem::take(&mut self.found);
        for found in &mut found {
            found.element = self.ordinal(found.group, found.number);
        }
        found.sort_by_key(|found| (found.entry.field, found.element, found.entry.rank));
        repeats::left_out(found)
    }

    /// Returns how many elements of the group were listed; nothing if the source did not number them.
    pub(super) fn elements(&self, name: &str) -> Option<u32> {
        let place = self.vertical.groups.iter().position(|group| group.name == name)?;
        let mut seen = 0_u64;
        for &(group, number) in &self.elements {
            if usize::from(group) == place {
                seen |= 1_u64.checked_shl(self.ordinal(Some(group), number)).unwrap_or(0);
            }
        }
        Some(seen.count_ones()).filter(|&count| count > 0)
    }

    fn ordinal(&self, group: Option<u8>, number: Number) -> u32 {
        match (number, group) {
            (Number::Position(position), Some(_)) => position,
            (Number::Label(label), Some(group)) => {
                let from_zero =
                    self.zero_labels & 1_u32.checked_shl(group.into()).unwrap_or(0) != 0;
                label.saturating_sub(u32::from(!from_zero))
            }
            _ => 0,
        }
    }

    fn saw_element(&mut self, group: u8, number: Number, blank: bool) {
        if number == Number::Label(0) {
            self.zero_labels |= 1_u32.checked_shl(group.into()).unwrap_or(0);
        }
        let is_told_apart = match number {
            Number::None => false,
            Number::Position(number) | Number::Label(number) => number < ELEMENTS_MAX,
        };
        if !blank && is_told_apart && !self.elements.contains(&(group, number)) {
            self.elements.push((group, number));
        }
    }

    fn step(&mut self, scope: Scope, segment: &str) -> Scope {
        if let Some(label) = number_label(segment.as_bytes()) {
            return scope.labelled(label);
        }
        key::fold_into(&mut self.folded, segment);
        let name = self.folded.as_slice();
        let group = Prefix::of(self.vertical, name);
        if let Some(prefix) = group.filter(|prefix| prefix.rest.is_empty() && scope.is_empty) {
            // A list of the first person's vehicles is a list of vehicles; another person's is not.
            let first = matches!(scope.number, Number::None | Number::Position(0));
            let outer = scope.group.and_then(|place| self.vertical.groups.get(usize::from(place)));
            if scope.group == Some(prefix.place) {
                return Scope { number: prefix.number_or(scope.number), ..scope };
            }
            if outer.is_none_or(|outer| outer.is_person && first) {
                let scope = Scope { number: Number::None, ..scope };
                let inner = scope.in_group(prefix.place, prefix.name);
                return Scope { number: prefix.number, ..inner };
            }
        }
        if key::is_wrapper(name) {
            let wrapper = scope.is_empty.then(|| Hash::EMPTY.text(name));
            return Scope { wrapper, ..scope };
        }
        match group {
            Some(prefix) if scope.group.is_none() && scope.is_empty => {
                let inner = scope.in_group(prefix.place, prefix.name);
                Scope { number: prefix.number, ..inner }.joined(prefix.rest)
            }
            _ => scope.joined(name),
        }
    }

    /// Looks up the folded name at the end of a path.
    fn place(&self, scope: Scope) -> Place {
        let name = self.folded.as_slice();
        let index = &self.vertical.index;
        if scope.group.is_some() {
            return self.place_in_group(scope, name);
        }
        let behind_wrapper = scope.wrapper.and_then(|wrapper| index.get(wrapper.text(name)));
        let entry = behind_wrapper.or_else(|| index.get(scope.joined.text(name)));
        if entry.is_some() || !scope.is_empty {
            return Place { entry, group: None, number: Number::None };
        }
        if let Some(prefix) =
            Prefix::of(self.vertical, name).filter(|prefix| !prefix.rest.is_empty())
        {
            let inner = scope.in_group(prefix.place, prefix.name);
            return self.place_in_group(Scope { number: prefix.number, ..inner }, prefix.rest);
        }
        // `gender_1` names no group, but it is the first of something all the same.
        let (bare, label) = without_label(name);
        let behind_wrapper = scope.wrapper.and_then(|wrapper| index.get(wrapper.text(bare)));
        let entry =
            label.and_then(|_| behind_wrapper.or_else(|| index.get(scope.joined.text(bare))));
        let number = label.map_or(Number::None, Number::Label);
        Place { entry, group: entry.map(|_| NUMBERED), number }
    }

    fn place_in_group(&self, scope: Scope, name: &[u8]) -> Place {
        let Scope { group, number, .. } = scope;
        let entry = self.entry_in_group(scope, name);
        let (bare, label) = without_label(name);
        if let (None, Number::None, Some(label)) = (entry, number, label) {
            let entry = self.entry_in_group(scope, bare);
            return Place { entry, group, number: Number::Label(label) };
        }
        Place { entry, group, number }
    }

    fn entry_in_group(&self, scope: Scope, name: &[u8]) -> Option<Entry> {
        let index = &self.vertical.index;
        let group = self.vertical.groups.get(usize::from(scope.group?))?;
        let own = index.get(scope.grouped.text(name));
        if own.is_some() {
            return own;
        }
        let behind_wrapper = scope.wrapper.and_then(|wrapper| index.get(wrapper.text(name)));
        let outside = || behind_wrapper.or_else(|| index.get(scope.joined.text(name)));
        let shared = if group.is_person { outside() } else { None };
        // `Bank.BankName` says its group's name again.
        let mut rests = group.words.iter().filter_map(|word| key::after(name, word));
        shared.or_else(|| rests.find_map(|rest| index.get(scope.grouped.text(rest))))
    }
}

struct Place {
    entry: Option<Entry>,
    group: Option<u8>,
    number: Number,
}

/// A name that begins with a group's word: `vehicle1make` is `vehicle`, 1, `make`.
#[derive(Clone, Copy)]
struct Prefix<'n> {
    place: u8,
    name: &'static str,
    number: Number,
    rest: &'n [u8],
}

impl<'n> Prefix<'n> {
    fn of(vertical: &Vertical, name: &'n [u8]) -> Option<Self> {
        let mut best: Option<Self> = None;
        for (place, group) in (0_u8..).zip(vertical.groups) {
            for after in group.words.iter().filter_map(|word| key::after(name, word)) {
                let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (digits, rest) = after.split_at_checked(digits).unwrap_or((&[], after));
                let number = number_label(digits).map_or(Number::None, Number::Label);
                // Of `vehicle` and `vehicles` the longer word counts.
                if best.is_none_or(|best| rest.len() < best.rest.len()) {
                    best = Some(Self { place, name: group.name, number, rest });
                }
            }
        }
        best
    }

    fn number_or(&self, outer: Number) -> Number {
        if self.number == Number::None { outer } else { self.number }
    }
}
