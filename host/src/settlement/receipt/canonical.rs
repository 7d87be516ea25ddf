//! One way to write JSON, so that a hash or a signature over it can be checked with any tool.
//!
//! It is RFC 8785 (the JSON Canonicalization Scheme) without its one hard part, because no number here is a float:
//!
//! - no white space; the members of an object in the order of their names, by UTF-16 code units;
//! - text in UTF-8, with `\"`, `\\`, `\b`, `\t`, `\n`, `\f`, `\r` and `\u00xx` in lower case for other controls, and nothing
//!   else escaped;
//! - numbers are whole, between -(2^53 - 1) and 2^53 - 1, in decimal digits. What is larger or has a point is text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The largest whole number that every JSON reader keeps as it is.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// A number that the canonical form does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a whole number between -(2^53 - 1) and 2^53 - 1")]
pub struct NotWhole(String);

/// Returns a value's canonical bytes.
///
/// # Errors
///
/// [`NotWhole`] names a number that is a float or too large.
pub fn canonical(value: &Value) -> Result<Vec<u8>, NotWhole> {
    let mut out = Vec::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut Vec<u8>, value: &Value) -> Result<(), NotWhole> {
    match value {
        Value::Null | Value::Bool(_) => out.extend(value.to_string().bytes()),
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
            if !size.is_some_and(|size| size <= NUMBER_MAX) {
                return Err(NotWhole(number.to_string()));
            }
            out.extend(number.to_string().bytes());
        }
        Value::String(text) => quote(out, text),
        Value::Array(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, element)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            out.push(b'{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                quote(out, name);
                out.push(b':');
                write(out, member)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn quote(out: &mut Vec<u8>, text: &str) {
    // serde_json escapes exactly what the canonical form escapes.
    out.extend(Value::String(text.to_owned()).to_string().bytes());
}

/// Reads JSON that says nothing twice: of two members with one name, different readers take different ones.
///
/// # Errors
///
/// Where it is not JSON, or which name stands twice.
pub fn read_strictly(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Strict>(text).map(|strict| strict.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Err(E::custom(NotWhole(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(member))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("`{name}` stands twice in one object")));
            }
            object.insert(name, member);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(String::from_utf8(canonical(value).unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_stranger_gets_the_same_bytes() {
        check(
            &json!({"b": [1, -2, true, null], "a": {"z": "", "y": "€"}}),
            r#"{"a":{"y":"€","z":""},"b":[1,-2,true,null]}"#,
        );
        check(
            &json!("\u{8}\t\n\u{c}\r\"\\/\u{1f}\u{7f}"),
            "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u001f\u{7f}\"",
        );
        // By UTF-16 code units, where a letter beyond the first plane comes before U+FB33.
        check(
            &json!({"\u{fb33}": 1, "\u{1f600}": 2, "\u{20ac}": 3}),
            "{\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}",
        );
        check(&json!(9_007_199_254_740_991_u64), "9007199254740991");
    }

    #[test]
    fn numbers_that_readers_change_are_refused() {
        for number in
            [json!(0.5), json!(9_007_199_254_740_992_u64), json!(-9_007_199_254_740_992_i64)]
        {
            assert!(canonical(&number).is_err(), "{number}");
        }
        assert!(read_strictly("[1.0]").is_err());
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let message = read_strictly(r#"{"a":{"price":"1","price":"2"}}"#).unwrap_err().to_string();
        assert!(message.starts_with("`price` stands twice in one object"), "{message}");
        assert_eq!(
            read_strictly(r#"{"a":[{"b":1},{"b":-1}]}"#).unwrap(),
            json!({"a": [{"b": 1}, {"b": -1}]})
        );
    }
}
