//! Holds the layout still: frames in `vectors/` with their contents, read three ways.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use serde_json::Value as Json;

use super::{Damage, FieldId, Frame, MAGIC, Value, Writer};

struct Vector {
    name: String,
    /// Name, kind and value of each field, in the order in which they are written.
    fields: Vec<(String, String, Json)>,
    bytes: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let file: Json = serde_json::from_str(include_str!("../vectors/frames.json")).unwrap();
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let field = |json: &Json| (text(&json["name"]), text(&json["kind"]), json["value"].clone());
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    let vector = |json: &Json| Vector {
        name: text(&json["frame"]),
        fields: json["fields"].as_array().unwrap().iter().map(field).collect(),
        bytes: text(&json["hex"].as_array().unwrap().iter().map(text).collect::<String>().into())
            .as_bytes()
            .chunks(2)
            .map(byte)
            .collect(),
    };
    file.as_array().unwrap().iter().map(vector).collect()
}

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

fn write(fields: &[(String, String, Json)]) -> Vec<u64> {
    let mut frame = Writer::default();
    for (name, kind, value) in fields {
        let id = FieldId::of(name);
        match kind.as_str() {
            "text" => frame.text(id, value.as_str().unwrap()),
            "integer" => frame.integer(id, value.as_i64().unwrap()),
            "decimal" => frame.decimal(id, value.as_i64().unwrap()),
            "boolean" => frame.boolean(id, value.as_bool().unwrap()),
            "date" => frame.date(id, value.as_i64().unwrap().try_into().unwrap()),
            "texts" => {
                frame.texts(id, value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()))
            }
            _ => panic!("{kind} is no kind"),
        }
    }
    frame.finish()
}

fn json(value: Value<'_>) -> (&'static str, Json) {
    match value {
        Value::Text(text) => ("text", text.into()),
        Value::Integer(number) => ("integer", number.into()),
        Value::Decimal(millionths) => ("decimal", millionths.into()),
        Value::Boolean(yes) => ("boolean", yes.into()),
        Value::Date(days) => ("date", days.into()),
        Value::Texts(texts) => ("texts", texts.iter().collect::<Vec<_>>().into()),
    }
}

/// Reads a frame as its documentation describes it, byte by byte, with nothing of this crate.
fn by_hand(frame: &[u8]) -> BTreeMap<u32, (&'static str, Json)> {
    let u32_at = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
    let i64_at = |at: usize| i64::from_le_bytes(frame[at..at + 8].try_into().unwrap());
    // A list: its distance from the number itself, and its length beside it.
    let list_at = |at: usize| {
        let distance = i32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
        (at.checked_add_signed(distance as isize).unwrap(), u32_at(at + 4) as usize)
    };
    let root = frame.len() - 32;
    assert_eq!(&frame[root..root + 8], b"GAVELF01");
    let (texts, texts_length) = list_at(root + 8);
    let (spans, spans_count) = list_at(root + 16);
    let (fields, fields_count) = list_at(root + 24);
    let text = |offset: u32, length: u32| {
        assert!(offset as usize + length as usize <= texts_length);
        let from = texts + offset as usize;
        Json::from(core::str::from_utf8(&frame[from..from + length as usize]).unwrap())
    };
    let field = |index: usize| {
        let at = fields + index * 16;
        let (low, high) = (u32_at(at), u32_at(at + 4));
        let value = match u32_at(at + 12) {
            0 => ("text", text(low, high)),
            1 => ("integer", i64_at(at).into()),
            2 => ("decimal", i64_at(at).into()),
            3 => ("boolean", (i64_at(at) == 1).into()),
            4 => ("date", i64_at(at).into()),
            5 => {
                assert!((low + high) as usize <= spans_count);
                let span = |index: u32| {
                    let at = spans + index as usize * 8;
                    text(u32_at(at), u32_at(at + 4))
                };
                ("texts", (low..low + high).map(span).collect::<Vec<_>>().into())
            }
            kind => panic!("{kind} is no kind"),
        };
        (u32_at(at + 8), value)
    };
    let ids: Vec<u32> = (0..fields_count).map(|index| field(index).0).collect();
    assert!(ids.is_sorted(), "fields ascend by id");
    (0..fields_count).map(field).collect()
}

#[test]
fn the_writer_writes_the_vectors() {
    for vector in vectors() {
        let hex: String = bytemuck::cast_slice(&write(&vector.fields))
            .iter()
            .map(|byte: &u8| format!("{byte:02x}"))
            .collect();
        let expected: String = vector.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected, "{}", vector.name);
    }
}

#[test]
fn the_reader_and_the_documented_layout_agree_with_the_vectors() {
    for vector in vectors() {
        let words = words(&vector.bytes);
        let frame = Frame::open(&words).unwrap();
        let by_hand = by_hand(&vector.bytes);
        for (name, kind, value) in &vector.fields {
            let id = FieldId::of(name);
            let expected = (kind.as_str(), value.clone());
            assert_eq!(frame.get(id).map(json), Some(expected.clone()), "{}: {name}", vector.name);
            assert_eq!(by_hand[&id.number()], expected, "{}: {name}", vector.name);
        }
        assert_eq!(frame.fields().count(), vector.fields.len(), "{}", vector.name);
        assert_eq!(by_hand.len(), vector.fields.len(), "{}", vector.name);
        assert_eq!(frame.get(FieldId::of("absent")), None);
    }
}

/// Reads whatever can be read.
fn read_all(words: &[u64]) -> usize {
    let Ok(frame) = Frame::open(words) else { return 0 };
    frame.fields().map(|(id, value)| format!("{value:?}{:?}", frame.get(id)).len()).sum()
}

#[test]
fn a_frame_that_is_cut_short_is_refused() {
    for vector in vectors() {
        let words = words(&vector.bytes);
        for length in 0..words.len() {
            assert!(Frame::open(&words[..length]).is_err(), "{} cut to {length}", vector.name);
            if length > 0 && vector.fields.len() > 1 {
                assert!(Frame::open(&words[length..]).is_err(), "{} from {length}", vector.name);
            }
        }
    }
}

#[test]
fn a_damaged_frame_is_read_without_a_panic() {
    for vector in vectors() {
        for at in 0..vector.bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = vector.bytes.clone();
                bytes[at] ^= flip;
                read_all(&words(&bytes));
            }
        }
    }
    for noise in [0, 1, u64::MAX, MAGIC, 0x8080_8080_8080_8080] {
        for length in 0..20 {
            read_all(&vec![noise; length]);
        }
    }
}

#[test]
fn a_frame_of_another_layout_is_named() {
    let mut words = write(&[]);
    let root = words.len() - 4;
    words[root] = u64::from_le_bytes(*b"GAVELF02");
    assert_eq!(Frame::open(&words).err(), Some(Damage::OtherLayout));
}

#[test]
fn the_first_of_two_values_counts() {
    let mut frame = Writer::default();
    frame.integer(FieldId::of("age"), 40);
    frame.integer(FieldId::of("age"), 41);
    assert_eq!(
        Frame::open(&frame.finish()).unwrap().get(FieldId::of("age")),
        Some(Value::Integer(40))
    );
}

#[test]
fn an_id_is_the_fnv_1a_of_the_name() {
    for (name, id) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] {
        assert_eq!(FieldId::of(name).number(), id, "{name}");
    }
}
