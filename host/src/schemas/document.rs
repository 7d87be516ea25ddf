//! A schema as the JSON document that an exchange answers with, and back.

use serde_json::{Value, json};

use crate::lead::{Field, Kind, Schema};

/// Why a document is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a schema as an exchange answers it: {0}")]
pub struct Unreadable(String);

/// Writes a version's number: `1.2`.
pub fn version_text((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

/// Reads a version's number as [`version_text`] writes it.
pub fn version_of(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse());
    Some((number(major)?.ok()?, number(minor)?.ok()?))
}

/// Writes a schema with all that it says of its fields.
pub fn to_json(schema: &Schema) -> Value {
    let fields = schema.fields().iter().map(|field| {
        json!({
            "name": field.name,
            "kind": field.kind.name(),
            "required_on_ping": field.required_on_ping,
            "required_on_post": field.required_on_post,
            "contact": field.contact,
            "binding": field.binding,
            "allowed": field.allowed,
            "description": field.description,
        })
    });
    json!({
        "vertical": schema.vertical().as_str(),
        "version": version_text(schema.version()),
        "description": schema.description(),
        "fields": fields.collect::<Vec<Value>>(),
    })
}

/// Reads a schema as [`to_json`] writes it. Members that it does not know are passed over.
///
/// # Errors
///
/// [`Unreadable`] says what is missing or inconsistent.
pub fn from_json(document: &Value) -> Result<Schema, Unreadable> {
    let version = version_of(text(document, "version")?)
        .ok_or_else(|| Unreadable("its version is not two numbers, such as 1.0".to_owned()))?;
    let fields = document.get("fields").and_then(Value::as_array);
    let fields = fields.ok_or_else(|| Unreadable("it has no list of `fields`".to_owned()))?;
    let fields = fields.iter().map(field).collect::<Result<Vec<Field>, Unreadable>>()?;
    let description = text(document, "description")?.to_owned();
    Schema::new(text(document, "vertical")?, version, description, fields)
        .map_err(|faults| Unreadable(faults.to_string()))
}

fn field(document: &Value) -> Result<Field, Unreadable> {
    let name = text(document, "name")?;
    let kind = text(document, "kind")?;
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
    let flag = |member: &str| {
        let flag = document.get(member).and_then(Value::as_bool);
        flag.ok_or_else(|| Unreadable(format!("field `{name}` does not say `{member}`")))
    };
    let allowed = document.get("allowed").and_then(Value::as_array).map(Vec::as_slice);
    let allowed = allowed.unwrap_or_default().iter();
    Ok(Field {
        name: name.to_owned(),
        kind: kind
            .ok_or_else(|| Unreadable(format!("field `{name}` is of a kind that is not known")))?,
        required_on_ping: flag("required_on_ping")?,
        required_on_post: flag("required_on_post")?,
        contact: flag("contact")?,
        binding: flag("binding")?,
        allowed: allowed.filter_map(Value::as_str).map(str::to_owned).collect(),
        description: text(document, "description")?.to_owned(),
    })
}

fn text<'d>(document: &'d Value, member: &str) -> Result<&'d str, Unreadable> {
    let text = document.get(member).and_then(Value::as_str);
    text.ok_or_else(|| Unreadable(format!("it has no text `{member}`")))
}

#[cfg(test)]
mod tests {
    use super::super::properties::schema;
    use super::*;

    #[test]
    fn a_document_reads_back_as_the_schema_it_was() {
        let written = to_json(&schema((3, 14), "zip text ping post binding\nphone text contact"));
        assert_eq!(to_json(&from_json(&written).unwrap()), written);
    }

    #[test]
    fn a_document_that_is_no_schema_is_told_why() {
        let refused = |path: &str, value: Value| {
            let mut document = to_json(&schema((1, 0), "zip text"));
            *document.pointer_mut(path).unwrap() = value;
            from_json(&document).unwrap_err().to_string()
        };
        let about = "this is not a schema as an exchange answers it: ";
        for (path, value, expected) in [
            ("/version", json!("1"), "its version is not two numbers, such as 1.0"),
            ("/version", json!("1.+2"), "its version is not two numbers, such as 1.0"),
            ("/fields", json!({}), "it has no list of `fields`"),
            ("/fields/0/name", json!(7), "it has no text `name`"),
            ("/fields/0/kind", json!("map"), "field `zip` is of a kind that is not known"),
            ("/fields/0/contact", json!("no"), "field `zip` does not say `contact`"),
            ("/fields/0/name", json!("Zip"), "field `Zip`: a name is 1 to 64 of a-z 0-9 _"),
        ] {
            assert_eq!(refused(path, value), format!("{about}{expected}"));
        }
    }

    #[test]
    fn a_number_is_two_numbers() {
        for (text, expected) in [
            ("1.0", Some((1, 0))),
            ("10.200", Some((10, 200))),
            ("1", None),
            ("1.", None),
            (".1", None),
            ("1.0.0", None),
            ("-1.0", None),
            ("4294967296.0", None),
        ] {
            assert_eq!(version_of(text), expected, "{text}");
        }
    }
}
