//! Which line of its author's source a module was in: a small table that `gavel module build` puts into the component.
//!
//! Debugging information would say it too, at several times the size of the module, and it would be parsed by whoever
//! catches the trap. This table has only the author's own lines, and is looked at only when a call fails. It says where
//! in which function of the module each line begins. Adding accessors to a module or keeping its state moves its
//! functions, but changes none and leaves their numbers, so the table holds for these as well.

use wasmparser::{Encoding, Parser, Payload};

/// The name of the custom section.
pub const LINES_SECTION: &str = "gavel:lines";

/// The largest table, in bytes; of a larger one nothing is read.
const BYTES_MAX: usize = 512 * 1024;
/// What is shown of a file's or function's name, in bytes.
const NAME_BYTES_MAX: usize = 160;
/// The first byte, for the layout that follows.
const LAYOUT: u8 = 1;

/// Where each line of an author's source begins in a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    names: Vec<String>,
    /// In the order of functions and offsets.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    function: u32,
    /// From the beginning of the function's body, in bytes.
    offset: u32,
    /// What comes from here on, up to the next place; 0 if nobody's line does.
    line: u32,
    file: u32,
    within: u32,
}

impl Lines {
    /// Adds that from this offset on a function of the module is in a line of a file, within this function of the source.
    /// Functions and offsets must come in order; the same line twice is one.
    pub fn add(&mut self, function: u32, offset: u32, at: Option<(&str, u32, &str)>) {
        let (file, line, within) =
            at.map_or((0, 0, 0), |(file, line, within)| (self.name(file), line, self.name(within)));
        let same = self.places.last().is_some_and(|last| {
            (last.function, last.line, last.file, last.within) == (function, line, file, within)
        });
        if !same {
            self.places.push(Place { function, offset, line, file, within });
        }
    }

    fn name(&mut self, name: &str) -> u32 {
        let known = self.names.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u32::try_from(index).unwrap_or_default()
    }

    /// Returns the content of the custom section.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        write(&mut bytes, self.names.len());
        for name in &self.names {
            write(&mut bytes, name.len());
            bytes.extend(name.as_bytes());
        }
        let (mut function, mut offset) = (0_u32, 0_u32);
        for place in &self.places {
            let same = place.function == function;
            write(&mut bytes, place.function.wrapping_sub(function));
            write(&mut bytes, if same { place.offset.wrapping_sub(offset) } else { place.offset });
            write(&mut bytes, place.line);
            if place.line > 0 {
                write(&mut bytes, place.file);
                write(&mut bytes, place.within);
            }
            (function, offset) = (place.function, place.offset);
        }
        bytes
    }

    /// Reads the table of a component; empty if it has none that can be read.
    pub(super) fn of(wasm: &[u8]) -> Self {
        let mut open = 0_usize;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload {
                Ok(Payload::Version {
                    encoding: Encoding::Module | Encoding::Component, ..
                }) => {
                    open += 1;
                }
                Ok(Payload::End(_)) => open = open.saturating_sub(1),
                Ok(Payload::CustomSection(section))
                    if open == 1 && section.name() == LINES_SECTION =>
                {
                    return Self::decode(section.data()).unwrap_or_default();
                }
                Ok(_) => (),
                Err(_) => break,
            }
        }
        Self::default()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = bytes.strip_prefix(&[LAYOUT]).filter(|bytes| bytes.len() <= BYTES_MAX)?;
        let mut lines = Self::default();
        for _ in 0..read(&mut bytes)? {
            let length = usize::try_from(read(&mut bytes)?).ok()?;
            let (name, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            let mut name = String::from_utf8_lossy(name).replace(char::is_control, "?");
            name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
            lines.names.push(name);
        }
        let (mut function, mut offset) = (0_u32, 0_u32);
        while !bytes.is_empty() {
            let further = read(&mut bytes)?;
            let next = read(&mut bytes)?;
            offset = if further == 0 { offset.checked_add(next)? } else { next };
            function = function.checked_add(further)?;
            let line = read(&mut bytes)?;
            let (file, within) =
                if line > 0 { (read(&mut bytes)?, read(&mut bytes)?) } else { (0, 0) };
            lines.places.push(Place { function, offset, line, file, within });
        }
        Some(lines)
    }

    /// Returns where in the source a function of the module is at this offset: the file, the line, and the function of
    /// the source. Nothing if the line is none of the author's.
    pub(super) fn find(&self, function: u32, offset: u32) -> Option<(&str, u32, &str)> {
        let at = |place: &Place| (place.function, place.offset);
        let after = self.places.partition_point(|place| at(place) <= (function, offset));
        let place = self.places.get(after.checked_sub(1)?)?;
        let name = |index: u32| self.names.get(usize::try_from(index).ok()?).map(String::as_str);
        let found = place.function == function && place.line > 0;
        found.then_some((name(place.file)?, place.line, name(place.within)?))
    }
}

/// Writes a number, 7 bits in each byte, the low ones first.
pub(super) fn write(bytes: &mut Vec<u8>, number: impl TryInto<u32>) {
    let mut number = number.try_into().unwrap_or(u32::MAX);
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

fn read(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..32).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        let mut lines = Lines::default();
        lines.add(3, 0, Some(("src/lib.rs", 10, "mine::evaluate")));
        lines.add(3, 4, Some(("src/lib.rs", 10, "mine::evaluate")));
        lines.add(3, 9, None);
        lines.add(3, 300, Some(("src/prices.rs", 700, "mine::price")));
        lines.add(900, 2, Some(("src/lib.rs", 12, "mine::evaluate")));
        lines
    }

    #[test]
    fn a_place_in_the_module_is_a_line_of_the_source() {
        let read = Lines::decode(&lines().encode()).unwrap();
        assert_eq!(read, lines());
        let evaluate = |line| Some(("src/lib.rs", line, "mine::evaluate"));
        for (function, offset, expected) in [
            (2, 0, None),
            (3, 0, evaluate(10)),
            (3, 8, evaluate(10)),
            (3, 9, None),
            (3, 299, None),
            (3, 300, Some(("src/prices.rs", 700, "mine::price"))),
            (3, u32::MAX, Some(("src/prices.rs", 700, "mine::price"))),
            (4, 0, None),
            (900, 1, None),
            (900, 2, evaluate(12)),
            (901, 0, None),
        ] {
            assert_eq!(read.find(function, offset), expected, "{function} {offset}");
        }
    }

    #[test]
    fn a_table_that_is_none_says_nothing() {
        let whole = lines().encode();
        for end in 0..whole.len() {
            // Cut off it may be a shorter table, but never one that says something else.
            let cut = Lines::decode(&whole[..end]).unwrap_or_default();
            assert!(cut.places.len() < lines().places.len() || cut.names.is_empty());
        }
        assert_eq!(Lines::decode(&[9]), None);
        assert_eq!(Lines::decode(&[LAYOUT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(Lines::decode(&vec![LAYOUT; BYTES_MAX + 2]), None);
        let mut odd = Lines::default();
        odd.add(0, 0, Some(("src/\u{1b}[31m.rs", 1, &"x".repeat(1_000))));
        let read = Lines::decode(&odd.encode()).unwrap();
        let (file, _, within) = read.find(0, 0).unwrap();
        assert_eq!((file, within.len()), ("src/?[31m.rs", NAME_BYTES_MAX));
    }
}
