//! A lead in JSON as an adapter reads it: a frame.

use lead_frame::{FieldId, Writer};
use serde_json::Value as Json;

use crate::lead::{Kind, Schema, Value, date_days};
use crate::sandbox::unset::Need;

/// Writes the fields of a lead, each of the kind that the schema gives it; without that, of the kind for which the
/// adapter takes it, and else of the kind that it looks like. A value of another kind is left out.
pub fn frame(needs: &[Need], schema: Option<&Schema>, lead: &Json) -> Vec<u64> {
    let mut frame = Writer::default();
    for (name, json) in lead.as_object().into_iter().flatten() {
        let known = schema.and_then(|schema| schema.field(name)).map(|(_, field)| field.kind);
        let needed = || needs.iter().find(|need| need.name == *name).map(|need| need.kind);
        let kind = known.or_else(needed).or_else(|| looks(json));
        let Some(value) = kind.and_then(|kind| Value::from_json(kind, json)) else { continue };
        let id = FieldId::of(name);
        match value {
            Value::Text(text) => frame.text(id, &text),
            Value::Integer(number) => frame.integer(id, number),
            Value::Decimal(millionths) => frame.decimal(id, millionths),
            Value::Boolean(yes) => frame.boolean(id, yes),
            Value::Date(days) => frame.date(id, days),
            Value::Texts(texts) => frame.texts(id, texts.iter().map(AsRef::as_ref)),
        }
    }
    frame.finish()
}

/// Returns the kind that a value looks like; a text such as `2026-01-31` is a day.
fn looks(json: &Json) -> Option<Kind> {
    Some(match json {
        Json::Null | Json::Object(_) => return None,
        Json::Bool(_) => Kind::Boolean,
        Json::Number(number) if number.is_i64() => Kind::Integer,
        Json::Number(_) => Kind::Decimal,
        Json::String(text) if date_days(text).is_some() => Kind::Date,
        Json::String(_) => Kind::Text,
        Json::Array(_) => Kind::Texts,
    })
}

#[cfg(test)]
mod tests {
    use lead_frame::Frame;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_of_the_kind_that_it_is_needed_as_or_looks_like() {
        let needs = [Need { name: "zip".to_owned(), kind: Kind::Text }];
        let lead = json!({
            "zip": 90_210, "age": 40, "dob": "1985-04-12", "state": "CA", "owns": true, "loan": 12.5,
            "interests": ["a", "b"], "nothing": null, "deep": {"a": 1},
        });
        let words = frame(&needs, None, &lead);
        let frame = Frame::open(&words).unwrap();
        let show = |name: &str| format!("{:?}", frame.get(FieldId::of(name)));
        assert_eq!(show("zip"), "None", "a number is no text");
        assert_eq!(show("age"), "Some(Integer(40))");
        assert_eq!(show("dob"), "Some(Date(5580))");
        assert_eq!(show("state"), "Some(Text(\"CA\"))");
        assert_eq!(show("owns"), "Some(Boolean(true))");
        assert_eq!(show("loan"), "Some(Decimal(12500000))");
        assert!(show("interests").starts_with("Some(Texts("));
        assert_eq!(show("nothing") + &show("deep"), "NoneNone");
    }
}
