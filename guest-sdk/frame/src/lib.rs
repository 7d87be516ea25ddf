//! The lead frame: how a lead crosses into a module, read in place with no parsing.
//!
//! A frame is a list of 64-bit little-endian words, so that it lies 8-aligned wherever the canonical ABI puts it. It
//! is an [`rkyv`] archive (little-endian, 32-bit relative offsets, aligned) of four parts, in this order:
//!
//! ```text
//! texts    the UTF-8 bytes of every text, one after another, no separators
//! spans    one 8-byte entry for each element of a list of texts
//!            +0  u32  offset of the element's first byte in `texts`
//!            +4  u32  its length in bytes
//! fields   one 16-byte entry for each field that has a value, ascending by id
//!            +0  i64  the value, see below
//!            +8  u32  the field's id: 32-bit FNV-1a of its name
//!           +12  u32  the kind: 0 text, 1 integer, 2 decimal, 3 boolean, 4 date, 5 texts
//! root     the last 32 bytes of the frame
//!            +0  u64  `MAGIC`, the bytes "GAVELF01"
//!            +8  i32  distance from here to the first byte of `texts`;   +12  u32  its length in bytes
//!           +16  i32  distance from here to the first entry of `spans`;  +20  u32  its number of entries
//!           +24  i32  distance from here to the first entry of `fields`; +28  u32  its number of entries
//! ```
//!
//! A distance is counted from the address of the number itself and is negative. The 64-bit value of a field is, by
//! kind: text, the offset in `texts` in the low half and the length in bytes in the high half; integer, itself;
//! decimal, millionths; boolean, 0 or 1; date, days since 1970-01-01; texts, the index of the first span in the low
//! half and the number of spans in the high half.
//!
//! A field is found by a binary search for its id, so a module skips fields that are newer than itself. The layout
//! never changes under one magic; `vectors/` holds frames with their contents, for readers in other languages.

#![no_std]
extern crate alloc;

use alloc::vec::Vec;
use core::fmt;

use rkyv::rancor::{Failure, Panic};
use rkyv::{Archive, Serialize};

/// The first eight bytes of the root: the layout and its version.
pub const MAGIC: u64 = u64::from_le_bytes(*b"GAVELF01");

/// The largest frame that a host writes and a guest needs to take, in bytes.
pub const FRAME_BYTES_MAX: usize = 16 * 1024;

/// A field's id in a frame: the 32-bit FNV-1a hash of its name.
///
/// The name decides the id, so no registry is needed, and a module's constants are computed when it is compiled. The
/// exchange refuses a schema in which two names share an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(u32);

impl FieldId {
    /// Returns the id of a field's name.
    ///
    /// Constants from the definition of FNV-1a by Fowler, Noll and Vo.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash: u32 = 0x811c_9dc5;
        let mut index = 0;
        while index < bytes.len() {
            #[expect(clippy::indexing_slicing, reason = "the loop's condition bounds the index")]
            let byte = bytes[index];
            hash = (hash ^ byte as u32).wrapping_mul(0x0100_0193);
            index += 1;
        }
        Self(hash)
    }

    /// Returns the id as the number that stands in the frame.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// One field's value, as it lies in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'f> {
    /// UTF-8 text.
    Text(&'f str),
    /// A whole number.
    Integer(i64),
    /// An exact decimal, in millionths.
    Decimal(i64),
    /// Yes or no.
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Several texts.
    Texts(Texts<'f>),
}

#[derive(Archive, Serialize)]
struct Layout {
    magic: u64,
    texts: Vec<u8>,
    spans: Vec<Span>,
    fields: Vec<Field>,
}

#[derive(Archive, Serialize, Clone, Copy)]
struct Span {
    offset: u32,
    length: u32,
}

#[derive(Archive, Serialize, Clone, Copy)]
struct Field {
    value: i64,
    id: u32,
    kind: u32,
}

/// Why some words are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Shorter than a root, or an offset leads outside.
    Truncated,
    /// The root does not begin with [`MAGIC`].
    OtherLayout,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Truncated => "the frame is cut short or an offset leads outside it",
            Self::OtherLayout => "the frame is of another layout than GAVELF01",
        })
    }
}

impl core::error::Error for Damage {}

/// A lead that is read where it lies.
#[derive(Clone, Copy)]
pub struct Frame<'f> {
    layout: &'f ArchivedLayout,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.fields()).finish()
    }
}

impl<'f> Frame<'f> {
    /// Checks the root and every offset, and opens the frame. Copies nothing.
    ///
    /// # Errors
    ///
    /// [`Damage`] when the words are not a whole frame of this layout.
    pub fn open(words: &'f [u64]) -> Result<Self, Damage> {
        let bytes: &[u8] = bytemuck::cast_slice(words);
        let layout =
            rkyv::access::<ArchivedLayout, Failure>(bytes).map_err(|_| Damage::Truncated)?;
        if layout.magic.to_native() != MAGIC {
            return Err(Damage::OtherLayout);
        }
        Ok(Self { layout })
    }

    /// Returns a field's value, or `None` if the lead has none.
    #[must_use]
    pub fn get(&self, id: FieldId) -> Option<Value<'f>> {
        let fields = self.layout.fields.as_slice();
        let index = fields.binary_search_by_key(&id.0, |field| field.id.to_native()).ok()?;
        self.value(fields.get(index)?)
    }

    /// Returns every field that has a value, ascending by id.
    pub fn fields(&self) -> impl Iterator<Item = (FieldId, Value<'f>)> + use<'f> {
        let frame = *self;
        let fields = self.layout.fields.as_slice().iter();
        fields.filter_map(move |field| Some((FieldId(field.id.to_native()), frame.value(field)?)))
    }

    fn value(&self, field: &'f ArchivedField) -> Option<Value<'f>> {
        let raw = field.value.to_native();
        Some(match field.kind.to_native() {
            0 => Value::Text(self.text(unpack(raw))?),
            1 => Value::Integer(raw),
            2 => Value::Decimal(raw),
            3 => Value::Boolean(raw != 0),
            4 => Value::Date(i32::try_from(raw).ok()?),
            5 => {
                let (first, count) = unpack(raw);
                let spans = self.layout.spans.as_slice();
                let spans = spans.get(first..first.checked_add(count)?)?;
                Value::Texts(Texts { frame: *self, spans })
            }
            _ => return None,
        })
    }

    fn text(&self, (offset, length): (usize, usize)) -> Option<&'f str> {
        let bytes = self.layout.texts.as_slice().get(offset..offset.checked_add(length)?)?;
        core::str::from_utf8(bytes).ok()
    }
}

/// The elements of a list of texts, in the order in which the source sent them.
#[derive(Clone, Copy)]
pub struct Texts<'f> {
    frame: Frame<'f>,
    spans: &'f [ArchivedSpan],
}

impl<'f> Texts<'f> {
    /// Returns the elements.
    pub fn iter(&self) -> impl Iterator<Item = &'f str> + use<'f> {
        let frame = self.frame;
        self.spans.iter().filter_map(move |span| {
            frame.text((widen(span.offset.to_native()), widen(span.length.to_native())))
        })
    }
}

impl PartialEq for Texts<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// Writes a frame. Fields may be added in any order; of two values for one id the first counts.
#[derive(Default)]
pub struct Writer {
    texts: Vec<u8>,
    spans: Vec<Span>,
    fields: Vec<Field>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Writer").field("fields", &self.fields.len()).finish_non_exhaustive()
    }
}

impl Writer {
    /// Adds a text.
    pub fn text(&mut self, id: FieldId, text: &str) {
        let span = self.append(text);
        self.push(id, 0, pack(span.offset, span.length));
    }

    /// Adds a whole number.
    pub fn integer(&mut self, id: FieldId, number: i64) {
        self.push(id, 1, number);
    }

    /// Adds a decimal, in millionths.
    pub fn decimal(&mut self, id: FieldId, millionths: i64) {
        self.push(id, 2, millionths);
    }

    /// Adds a yes or no.
    pub fn boolean(&mut self, id: FieldId, yes: bool) {
        self.push(id, 3, i64::from(yes));
    }

    /// Adds a date, in days since 1970-01-01.
    pub fn date(&mut self, id: FieldId, days: i32) {
        self.push(id, 4, i64::from(days));
    }

    /// Adds a list of texts.
    pub fn texts<'t>(&mut self, id: FieldId, texts: impl IntoIterator<Item = &'t str>) {
        let first = self.spans.len();
        for text in texts {
            let span = self.append(text);
            self.spans.push(span);
        }
        let count = self.spans.len().saturating_sub(first);
        self.push(id, 5, pack(narrow(first), narrow(count)));
    }

    /// Returns the finished frame.
    #[must_use]
    pub fn finish(mut self) -> Vec<u64> {
        self.fields.sort_by_key(|field| field.id);
        self.fields.dedup_by_key(|field| field.id);
        let Self { texts, spans, fields } = self;
        let layout = Layout { magic: MAGIC, texts, spans, fields };
        let bytes = match rkyv::to_bytes::<Panic>(&layout) {
            Ok(bytes) => bytes,
            Err(never) => match never {},
        };
        bytemuck::pod_collect_to_vec(&bytes)
    }

    fn append(&mut self, text: &str) -> Span {
        let offset = narrow(self.texts.len());
        self.texts.extend_from_slice(text.as_bytes());
        Span { offset, length: narrow(text.len()) }
    }

    fn push(&mut self, id: FieldId, kind: u32, value: i64) {
        self.fields.push(Field { value, id: id.0, kind });
    }
}

fn pack(low: u32, high: u32) -> i64 {
    (u64::from(high) << 32 | u64::from(low)).cast_signed()
}

fn unpack(raw: i64) -> (usize, usize) {
    let raw = raw.cast_unsigned();
    (widen(low_half(raw)), widen(low_half(raw >> 32)))
}

#[expect(clippy::expect_used, reason = "a frame of 4 GiB cannot be written: offsets have 32 bits")]
fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("a frame is smaller than 4 GiB")
}

const fn widen(length: u32) -> usize {
    length as usize
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
const fn low_half(raw: u64) -> u32 {
    raw as u32
}

#[cfg(test)]
mod tests;
