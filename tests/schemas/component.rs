//! Normalizers made of a schema, in milliseconds and without a compiler: each says the same lead to every submission.
//!
//! The records lie in the module's memory as the canonical ABI lays them out; its functions return their places.

use std::path::Path;

use gavel::lead::{Kind, Value, date_days};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where the records begin.
const BASE: usize = 1_024;

/// One field, and the value that every lead has for it.
struct Field<'f> {
    name: &'f str,
    kind: Kind,
    marks: Vec<&'f str>,
    words: Vec<String>,
    value: Option<Value>,
}

impl<'f> Field<'f> {
    /// Reads `name kind marks.. words=a,b =value`; in a word, `_` is a blank.
    fn read(line: &'f str) -> Self {
        let mut parts = line.split_whitespace();
        let (name, kind) = (parts.next().unwrap(), parts.next().unwrap());
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).unwrap();
        let marks: Vec<&str> = parts.collect();
        let after = |key: &str| marks.iter().find_map(|mark| mark.strip_prefix(key));
        let words =
            after("words=").map(|words| words.split(',').map(|word| word.replace('_', " ")));
        let value = after("=").map(|text| match kind {
            Kind::Text => Value::Text(text.into()),
            Kind::Integer => Value::Integer(text.parse().unwrap()),
            Kind::Decimal => Value::Decimal(text.parse().unwrap()),
            Kind::Boolean => Value::Boolean(text.parse().unwrap()),
            Kind::Date => Value::Date(date_days(text).unwrap()),
            Kind::Texts => Value::Texts(text.split(',').map(Into::into).collect()),
        });
        Self { name, kind, words: words.into_iter().flatten().collect(), marks, value }
    }

    fn is(&self, mark: &str) -> u8 {
        u8::from(self.marks.contains(&mark))
    }
}

/// Makes a normalizer of this version of a vertical's schema, from lines of `name kind marks.. words=a,b =value`. The
/// marks are `ping` and `post` (required there), `contact` and `binding`; with a value, every lead has the field.
pub(crate) fn normalizer(vertical: &str, version: (u32, u32), fields: &str) -> Vec<u8> {
    let lines = fields.lines().filter(|line| !line.trim().is_empty());
    let fields: Vec<Field<'_>> = lines.map(Field::read).collect();
    let mut image = Image::default();
    let described = schema(&mut image, vertical, version, &fields);
    let normalized = lead(&mut image, &fields);
    // No answer, and a list of nothing.
    let rendered = image.put(&[0; 32]);
    let data: String = image.bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let heap = BASE + image.bytes.len();
    let interface = "gavel:rules/normalization@1.0.0";
    let text = format!(
        r#"(module
            (memory (export "memory") 32)
            (global $next (mut i32) (i32.const {heap}))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $place i32)
                (local.set $place (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.set $next (i32.add (local.get $place) (local.get 3)))
                (local.get $place))
            (func (export "{interface}#describe") (result i32) (i32.const {described}))
            (func (export "{interface}#normalize") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
                (result i32) (i32.const {normalized}))
            (func (export "{interface}#dialects") (result i32) (i32.const {rendered}))
            (func (export "{interface}#render") (param i32) (result i32) (i32.const {rendered}))
            (data (i32.const {BASE}) "{data}"))"#
    );
    component(wat::parse_str(text).unwrap())
}

fn component(mut core: Vec<u8>) -> Vec<u8> {
    let mut contract = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v1");
    let (package, _) = contract.push_dir(folder).unwrap();
    let world = contract.select_world(&[package], Some("normalizer")).unwrap();
    embed_component_metadata(&mut core, &contract, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&core).unwrap().encode().unwrap()
}

fn schema(
    image: &mut Image,
    vertical: &str,
    (major, minor): (u32, u32),
    fields: &[Field<'_>],
) -> usize {
    let mut records = Vec::new();
    for field in fields {
        let mut record = image.text(field.name);
        let kind = Kind::ALL.iter().position(|kind| *kind == field.kind).unwrap();
        record.push(kind.try_into().unwrap());
        record.extend(["ping", "post", "contact", "binding"].map(|mark| field.is(mark)));
        record.resize(16, 0);
        let words: Vec<u8> = field.words.iter().flat_map(|word| image.text(word)).collect();
        record.extend(image.list(&words, field.words.len()));
        record.extend(image.text(&format!("what `{}` means", field.name)));
        records.extend(record);
    }
    let mut record = image.text(vertical);
    record.extend([major, minor].map(u32::to_le_bytes).concat());
    record.extend(image.text("leads to test with"));
    record.extend(image.list(&records, fields.len()));
    image.put(&record)
}

/// An envelope that says nothing, and a lead.
fn lead(image: &mut Image, fields: &[Field<'_>]) -> usize {
    let given = || fields.iter().filter_map(|field| Some((field.name, field.value.as_ref()?)));
    let mut pairs = Vec::new();
    for (name, value) in given() {
        let mut pair = image.text(name);
        let kind = Kind::ALL.iter().position(|kind| *kind == value.kind()).unwrap();
        pair.push(kind.try_into().unwrap());
        pair.resize(16, 0);
        pair.extend(match value {
            Value::Text(text) => image.text(text),
            Value::Integer(number) | Value::Decimal(number) => number.to_le_bytes().to_vec(),
            Value::Boolean(yes) => vec![u8::from(*yes)],
            Value::Date(days) => days.to_le_bytes().to_vec(),
            Value::Texts(texts) => {
                let words: Vec<u8> = texts.iter().flat_map(|text| image.text(text)).collect();
                image.list(&words, texts.len())
            }
        });
        pair.resize(24, 0);
        pairs.extend(pair);
    }
    let mut record = vec![0; 68];
    record.extend(image.list(&pairs, given().count()));
    record.resize(96, 0);
    image.put(&record)
}

/// What the module's memory begins with.
#[derive(Default)]
struct Image {
    bytes: Vec<u8>,
}

impl Image {
    /// Keeps bytes, and returns their place.
    fn put(&mut self, bytes: &[u8]) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let place = BASE + self.bytes.len();
        self.bytes.extend(bytes);
        place
    }

    /// Keeps elements, and returns the pair that stands for their list.
    fn list(&mut self, elements: &[u8], count: usize) -> Vec<u8> {
        let place = self.put(elements);
        [place, count].map(|word| u32::try_from(word).unwrap().to_le_bytes()).concat()
    }

    fn text(&mut self, text: &str) -> Vec<u8> {
        self.list(text.as_bytes(), text.len())
    }
}
