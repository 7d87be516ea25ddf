//! JSON, event by event: no recursion, numbers stay text, no key comes twice in one object.

use std::borrow::Cow;
use std::collections::BTreeSet;

use json_event_parser::{JsonEvent, SliceJsonParser};

use super::key::Hash;
use super::tree::{DEPTH_MAX, Leaves, Scope};
use super::{malformed, too_large};
use crate::normalizer::Refusal;

/// An object or list that is open.
struct Level<'b> {
    scope: Scope,
    /// In an object, the key whose value comes next; of a list, the key that it is the value of.
    key: Cow<'b, str>,
    /// Of a list: where its key stood, and how many elements came.
    list: Option<(Scope, u32)>,
    /// Tells its keys from those of other objects.
    serial: u32,
    /// Of an element of a list: `{"name": "zip", "value": "33139"}` says what `{"zip": "33139"}` says.
    pair: Option<Pair<'b>>,
}

#[derive(Default)]
struct Pair<'b> {
    name: Option<(Cow<'b, str>, Cow<'b, str>)>,
    value: Option<Cow<'b, str>>,
    outer: Option<Scope>,
}

/// Reads one object, or a list of one.
pub(super) fn read(leaves: &mut Leaves<'_>, text: &str) -> Result<(), Refusal> {
    let mut reader =
        Reader { leaves, levels: Vec::with_capacity(8), seen: BTreeSet::new(), serial: 0 };
    let only_key = only_member(text);
    let mut parser = SliceJsonParser::new(text.as_bytes());
    loop {
        let event = parser.parse_next().map_err(|error| {
            let place = error.location().start;
            let (line, column) = (place.line.saturating_add(1), place.column.saturating_add(1));
            malformed(&format!("the body is not JSON: line {line}, column {column}"))
        })?;
        if matches!(event, JsonEvent::Eof) {
            return Ok(());
        }
        reader.take(event, only_key)?;
    }
}

struct Reader<'l, 'v, 'b> {
    leaves: &'l mut Leaves<'v>,
    levels: Vec<Level<'b>>,
    seen: BTreeSet<(u32, Hash)>,
    serial: u32,
}

impl<'b> Reader<'_, '_, 'b> {
    fn take(&mut self, event: JsonEvent<'b>, only_key: bool) -> Result<(), Refusal> {
        match event {
            JsonEvent::StartObject => self.open(false, only_key),
            JsonEvent::StartArray => self.open(true, only_key),
            JsonEvent::EndObject | JsonEvent::EndArray => self.close(),
            JsonEvent::ObjectKey(key) => {
                let Some(level) = self.levels.last_mut() else { return Ok(()) };
                let hash = Hash::EMPTY.text(key.as_bytes());
                level.key = key;
                if self.seen.insert((level.serial, hash)) {
                    return Ok(());
                }
                Err(malformed("an object of the body has the same key twice"))
            }
            JsonEvent::String(text) => self.value(text, false),
            JsonEvent::Number(digits) => self.value(digits, true),
            JsonEvent::Boolean(yes) => {
                self.value(Cow::Borrowed(if yes { "true" } else { "false" }), false)
            }
            JsonEvent::Null => self.value(Cow::Borrowed(""), false),
            JsonEvent::Eof => Ok(()),
        }
    }

    fn open(&mut self, is_list: bool, only_key: bool) -> Result<(), Refusal> {
        if self.levels.len() >= DEPTH_MAX {
            return Err(too_large(format!("the body is nested deeper than {DEPTH_MAX} levels")));
        }
        self.leaves.count_one()?;
        self.serial = self.serial.saturating_add(1);
        let is_second = self.levels.len() == 1;
        let mut pair = None;
        let (scope, outer, key) = match self.levels.last_mut() {
            None => (Scope::TOP, Scope::TOP, Cow::Borrowed("")),
            Some(Level { scope, list: Some((outer, count)), key, .. }) => {
                let element = scope.element(*count);
                *count = count.saturating_add(1);
                pair = (!is_list).then(|| Pair { outer: Some(*scope), ..Pair::default() });
                (element, *outer, key.clone())
            }
            // The one member of the whole body wraps it, whatever its name.
            Some(level) if is_second && only_key && !is_list => {
                let name = level.key.clone();
                let is_known = self.leaves.is_container(&name);
                let scope =
                    if is_known { self.leaves.enter(level.scope, &name)? } else { level.scope };
                (scope, level.scope, name)
            }
            Some(level) => {
                (self.leaves.enter(level.scope, &level.key)?, level.scope, level.key.clone())
            }
        };
        let list = is_list.then_some((outer, 0));
        self.levels.push(Level { scope, key, list, serial: self.serial, pair });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let Some(Pair { name: Some((key, name)), value, outer: Some(outer) }) = level.pair else {
            return Ok(());
        };
        match value {
            Some(value) => self.leaves.leaf(outer, &name, &value, false),
            None => self.leaves.leaf(level.scope, &key, &name, false),
        }
    }

    fn value(&mut self, text: Cow<'b, str>, is_number: bool) -> Result<(), Refusal> {
        // In `"values": ["33139"]` the pair belongs to the object around the list.
        let Some(level) = self.levels.last() else {
            return Err(malformed("the body is JSON but no object"));
        };
        let (scope, key) = match &level.list {
            Some((outer, _)) => (*outer, level.key.clone()),
            None => (level.scope, level.key.clone()),
        };
        let owner = match level.list {
            Some(_) => self.levels.len().checked_sub(2),
            None => self.levels.len().checked_sub(1),
        };
        let owner = owner.and_then(|owner| self.levels.get_mut(owner));
        if let Some(pair) = owner.and_then(|level| level.pair.as_mut()) {
            if is_pair_name(&key) && pair.name.is_none() {
                pair.name = Some((key, text));
                return Ok(());
            }
            if is_pair_value(&key) && pair.value.is_none() {
                pair.value = Some(text);
                return Ok(());
            }
        }
        self.leaves.leaf(scope, &key, &text, is_number)
    }
}

/// Whether the key names what the `value` beside it is.
pub(super) fn is_pair_name(key: &str) -> bool {
    ["name", "key", "field", "id", "label", "question"]
        .iter()
        .any(|known| key.eq_ignore_ascii_case(known))
}

/// Whether the key holds the value of what is named beside it.
pub(super) fn is_pair_value(key: &str) -> bool {
    ["value", "values", "answer"].iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// Whether the text is an object with one member that is an object too. Damage is left to the parser.
fn only_member(text: &str) -> bool {
    let (mut depth, mut in_text, mut is_escaped, mut members) = (0_u32, false, false, 0_u32);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => (),
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 1 => members = members.saturating_add(1),
            b',' if depth == 1 => return false,
            _ => (),
        }
    }
    members == 1
}
