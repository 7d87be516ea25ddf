//! A schema as JSON Schema, for the tools that sources and buyers already have.
//!
//! It describes a lead in the exchange's own words, as buyers get it and as a source may send it. It forbids no other
//! members, because a newer minor version may have more fields, and a submission says more than the lead.

use serde_json::{Map, Value, json};

use super::document::version_text;
use crate::lead::{Field, Kind, Schema, TEXT_BYTES_MAX, TEXTS_MAX};
use crate::sandbox::Stage;

/// The dialect of JSON Schema that is written.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// A decimal: text, so that no reader rounds it, with at most the six digits that are kept.
const DECIMAL: &str = r"^-?[0-9]{1,13}(\.[0-9]{1,6})?$";

/// Returns the JSON Schema of one step: a ping has no contact data, a post has everything.
pub fn json_schema(schema: &Schema, stage: Stage) -> Value {
    let mut document = Map::from_iter([("$schema".to_owned(), DIALECT.into())]);
    document.insert("$id".to_owned(), id(schema, &format!(":{}", stage_word(stage))).into());
    document.extend(step(schema, stage));
    Value::Object(document)
}

/// Returns the JSON Schema of both steps in one document: `$defs/ping` and `$defs/post`, and either will do.
pub fn json_schemas(schema: &Schema) -> Value {
    json!({
        "$schema": DIALECT,
        "$id": id(schema, ""),
        "title": format!("{} {}", schema.vertical(), version_text(schema.version())),
        "description": schema.description(),
        "anyOf": [{"$ref": "#/$defs/post"}, {"$ref": "#/$defs/ping"}],
        "$defs": {"ping": step(schema, Stage::Ping), "post": step(schema, Stage::Post)},
    })
}

fn id(schema: &Schema, step: &str) -> String {
    format!("urn:gavel:schema:{}:{}{step}", schema.vertical(), version_text(schema.version()))
}

fn step(schema: &Schema, stage: Stage) -> Map<String, Value> {
    let fields = || schema.fields().iter().filter(|field| stage == Stage::Post || !field.contact);
    let required = fields().filter(|field| match stage {
        Stage::Ping => field.required_on_ping,
        Stage::Post => field.required_on_post,
    });
    let required: Vec<Value> = required.map(|field| field.name.as_str().into()).collect();
    let properties: Map<String, Value> =
        fields().map(|field| (field.name.clone(), property(field))).collect();
    let word = stage_word(stage);
    let title = format!("{} {}, {word}", schema.vertical(), version_text(schema.version()));
    Map::from_iter([
        ("title".to_owned(), title.into()),
        ("description".to_owned(), schema.description().into()),
        ("type".to_owned(), "object".into()),
        ("required".to_owned(), required.into()),
        ("properties".to_owned(), properties.into()),
    ])
}

fn property(field: &Field) -> Value {
    let mut property = Map::new();
    if !field.description.is_empty() {
        property.insert("description".to_owned(), field.description.as_str().into());
    }
    if let Value::Object(values) = values(field) {
        property.extend(values);
    }
    for (mark, marked) in [("x-contact", field.contact), ("x-binding", field.binding)] {
        if marked {
            property.insert(mark.to_owned(), true.into());
        }
    }
    Value::Object(property)
}

fn values(field: &Field) -> Value {
    let text = || {
        if field.allowed.is_empty() {
            json!({"type": "string", "maxLength": TEXT_BYTES_MAX})
        } else {
            json!({"type": "string", "enum": field.allowed})
        }
    };
    match field.kind {
        Kind::Text => text(),
        Kind::Integer => json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX}),
        Kind::Decimal => json!({"type": "string", "pattern": DECIMAL}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Date => json!({"type": "string", "format": "date"}),
        Kind::Texts => json!({"type": "array", "items": text(), "maxItems": TEXTS_MAX}),
    }
}

const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Ping => "ping",
        Stage::Post => "post",
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::schema;
    use super::*;

    #[test]
    fn every_kind_has_its_shape_and_contact_data_is_in_the_post_only() {
        let schema = schema(
            (1, 2),
            "zip text ping post binding about=ZIP\nage integer\nincome decimal\nowner boolean\nborn date\n\
             makes texts words=Kia,Saab\nphone text post contact",
        );
        let ping = json_schema(&schema, Stage::Ping);
        assert_eq!(
            ping,
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": "urn:gavel:schema:test:1.2:ping",
                "title": "test 1.2, ping",
                "description": "",
                "type": "object",
                "required": ["zip"],
                "properties": {
                    "zip": {"description": "ZIP", "type": "string", "maxLength": 4096, "x-binding": true},
                    "age": {"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX},
                    "income": {"type": "string", "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,6})?$"},
                    "owner": {"type": "boolean"},
                    "born": {"type": "string", "format": "date"},
                    "makes": {
                        "type": "array", "items": {"type": "string", "enum": ["Kia", "Saab"]}, "maxItems": 64,
                    },
                },
            })
        );
        let post = json_schema(&schema, Stage::Post);
        assert_eq!(post["required"], json!(["zip", "phone"]));
        assert_eq!(post["properties"]["phone"]["x-contact"], json!(true));
        let both = json_schemas(&schema);
        assert_eq!(both["$defs"]["ping"]["properties"], ping["properties"]);
        assert_eq!(both["$defs"]["post"]["properties"], post["properties"]);
    }
}
