//! The noun that walks through the rooms: a vertical's schema, a lead's values, and the view that buyers may see.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use lead_frame::{FieldId, Frame, Writer};

use crate::ids::VerticalId;
use crate::money::Micros;

/// The most fields a schema may declare.
pub const SCHEMA_FIELDS_MAX: usize = 512;
/// The longest text value, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// The most elements in a list of texts.
pub const TEXTS_MAX: usize = 64;

/// The type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    Texts,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Integer, Self::Decimal, Self::Boolean, Self::Date, Self::Texts];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Texts => "texts",
        }
    }
}

/// One value of a lead.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    Text(Box<str>),
    Integer(i64),
    /// Exact, in millionths.
    Decimal(i64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    Texts(Box<[Box<str>]>),
}

impl Value {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Integer(_) => Kind::Integer,
            Self::Decimal(_) => Kind::Decimal,
            Self::Boolean(_) => Kind::Boolean,
            Self::Date(_) => Kind::Date,
            Self::Texts(_) => Kind::Texts,
        }
    }

    /// Returns the value as JSON: decimals as text, so that no reader rounds them; dates as `YYYY-MM-DD`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_ref().into(),
            Self::Integer(number) => (*number).into(),
            Self::Decimal(millionths) => {
                let decimal = Micros::new(*millionths);
                decimal.with_decimals(decimal.decimals()).into()
            }
            Self::Boolean(yes) => (*yes).into(),
            Self::Date(days) => date_text(*days).into(),
            Self::Texts(texts) => texts.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into(),
        }
    }

    /// Reads a value of this kind as [`Value::to_json`] writes it; a whole number is also a decimal.
    pub fn from_json(kind: Kind, json: &serde_json::Value) -> Option<Self> {
        Some(match kind {
            Kind::Text => Self::Text(json.as_str()?.into()),
            Kind::Integer => Self::Integer(json.as_i64()?),
            Kind::Decimal => {
                let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
                Self::Decimal(Micros::parse(&text).ok()?.get())
            }
            Kind::Boolean => Self::Boolean(json.as_bool()?),
            Kind::Date => Self::Date(date_days(json.as_str()?)?),
            Kind::Texts => {
                let texts = json.as_array()?.iter();
                Self::Texts(texts.map(|text| Some(text.as_str()?.into())).collect::<Option<_>>()?)
            }
        })
    }
}

/// Says the kind only: a value may be somebody's name.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.kind().name())
    }
}

/// Returns the day as `YYYY-MM-DD`; one that no calendar has, as its number.
pub fn date_text(days: i32) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    let span = jiff::Span::new().try_days(days);
    span.and_then(|span| epoch.checked_add(span))
        .map_or_else(|_| days.to_string(), |date| date.to_string())
}

/// Reads `YYYY-MM-DD` as days since 1970-01-01.
pub fn date_days(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.parse().ok()?;
    jiff::civil::date(1970, 1, 1).until(date).ok().map(|span| span.get_days())
}

/// One field that a lead of a vertical may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub required_on_ping: bool,
    pub required_on_post: bool,
    /// Says who the person is; absent from the ping view.
    pub contact: bool,
    /// A post may not change it.
    pub binding: bool,
    /// The words a text may be; empty means any.
    pub allowed: Vec<String>,
    pub description: String,
}

/// Everything wrong with a schema, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SchemaFaults(pub Vec<String>);

/// What is known of a vertical's leads. Only [`Schema::new`] makes one, so it is consistent.
#[derive(Clone, Debug)]
pub struct Schema {
    vertical: VerticalId,
    major: u32,
    minor: u32,
    description: String,
    fields: Vec<Field>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<FieldId, usize>,
}

impl Schema {
    /// Checks a schema: plain unique names without a shared id, no allowed words on what is not text.
    pub fn new(
        vertical: &str,
        (major, minor): (u32, u32),
        description: String,
        fields: Vec<Field>,
    ) -> Result<Self, SchemaFaults> {
        let mut faults = Vec::new();
        let vertical = VerticalId::parse(vertical).map_err(|error| {
            SchemaFaults(vec![format!("the vertical is called `{vertical}`, but {error}")])
        })?;
        if fields.is_empty() || fields.len() > SCHEMA_FIELDS_MAX {
            faults.push(format!(
                "it declares {} fields; 1 to {SCHEMA_FIELDS_MAX} are possible",
                fields.len()
            ));
        }
        let (mut by_name, mut by_id) = (HashMap::new(), HashMap::new());
        for (index, field) in fields.iter().enumerate() {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            let name = &field.name;
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                faults.push(format!("field `{name}`: a name is 1 to 64 of a-z 0-9 _"));
            }
            if by_name.insert(name.clone(), index).is_some() {
                faults.push(format!("field `{name}` is declared twice"));
            } else if by_id.insert(FieldId::of(name), index).is_some() {
                faults.push(format!("field `{name}` has the same id as another; rename it"));
            }
            if !field.allowed.is_empty() && !matches!(field.kind, Kind::Text | Kind::Texts) {
                faults.push(format!("field `{name}` is not text, so it cannot list allowed words"));
            }
            if field.contact && field.required_on_ping {
                faults.push(format!("field `{name}` is contact data, so a ping cannot require it"));
            }
        }
        if !faults.is_empty() {
            return Err(SchemaFaults(faults));
        }
        Ok(Self { vertical, major, minor, description, fields, by_name, by_id })
    }

    pub fn vertical(&self) -> &VerticalId {
        &self.vertical
    }

    /// Returns the major and the minor version.
    pub fn version(&self) -> (u32, u32) {
        (self.major, self.minor)
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns a field's place among the fields, and the field.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        let index = *self.by_name.get(name)?;
        Some((index, self.fields.get(index)?))
    }
}

/// A lead whose values fit its schema. Only `normalize` makes one.
#[derive(Clone)]
pub struct Lead {
    schema: Arc<Schema>,
    values: Box<[Option<Value>]>,
}

impl Lead {
    /// Takes values by their field's place in the schema. The caller has checked them against it.
    pub(crate) fn new(schema: Arc<Schema>, values: Box<[Option<Value>]>) -> Self {
        Self { schema, values }
    }

    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Returns the value of the field at this place in the schema.
    pub fn at(&self, index: usize) -> Option<&Value> {
        self.values.get(index)?.as_ref()
    }

    /// Returns the value of the field with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.at(self.schema.field(name)?.0)
    }

    /// Returns every field that has a value, in the schema's order.
    pub fn values(&self) -> impl Iterator<Item = (&Field, &Value)> {
        let pairs = self.schema.fields.iter().zip(&self.values);
        pairs.filter_map(|(field, value)| Some((field, value.as_ref()?)))
    }

    /// Returns the lead without contact data.
    pub fn ping_view(&self) -> PingView {
        let fields = self.schema.fields.iter().zip(&self.values);
        let values = fields.map(|(field, value)| value.clone().filter(|_| !field.contact));
        PingView(Self { schema: Arc::clone(&self.schema), values: values.collect() })
    }

    /// Returns the first field by which buyers price that the lead has otherwise than its ping.
    pub fn changed_since(&self, ping: &PingView) -> Option<&Field> {
        let fields = self.schema.fields.iter();
        let mut binding = fields.filter(|field| field.binding && !field.contact);
        binding.find(|field| match (self.get(&field.name), ping.0.get(&field.name)) {
            (Some(now), Some(then)) => now != then,
            (None, _) | (_, None) => false,
        })
    }

    /// Returns the lead with what its ping said and a post need not say again.
    #[must_use]
    pub fn completed_by(&self, ping: &PingView) -> Self {
        let own = self.schema.fields.iter().zip(&self.values);
        let values = own.map(|(field, own)| own.as_ref().or(ping.0.get(&field.name)).cloned());
        Self { schema: Arc::clone(&self.schema), values: values.collect() }
    }

    /// Returns the lead as a JSON object, in the schema's order.
    pub fn to_json(&self) -> serde_json::Value {
        let pairs = self.values().map(|(field, value)| (field.name.clone(), value.to_json()));
        serde_json::Value::Object(pairs.collect())
    }
}

/// Names the fields only: the values may say who the person is.
impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values().map(|(field, _)| &field.name)).finish()
    }
}

/// A lead as filters and remote buyers see it before the sale. It has no contact data by construction: the only ways
/// to make one are [`Lead::ping_view`] and a frame, which was written from one.
#[derive(Clone, Debug)]
pub struct PingView(Lead);

impl PingView {
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// Returns the value of the field at this place in the schema.
    pub fn at(&self, index: usize) -> Option<&Value> {
        self.0.at(index)
    }

    /// Returns the value of the field with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns every field that has a value, in the schema's order.
    pub fn values(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.0.values()
    }

    /// Returns the view as a JSON object, in the schema's order.
    pub fn to_json(&self) -> serde_json::Value {
        self.0.to_json()
    }

    /// Writes the view as filters read it; done once per ping, however many filters there are.
    pub fn frame(&self) -> Vec<u64> {
        let mut frame = Writer::default();
        for (field, value) in self.values() {
            let id = FieldId::of(&field.name);
            match value {
                Value::Text(text) => frame.text(id, text),
                Value::Integer(number) => frame.integer(id, *number),
                Value::Decimal(millionths) => frame.decimal(id, *millionths),
                Value::Boolean(yes) => frame.boolean(id, *yes),
                Value::Date(days) => frame.date(id, *days),
                Value::Texts(texts) => frame.texts(id, texts.iter().map(AsRef::as_ref)),
            }
        }
        frame.finish()
    }

    /// Reads a recorded frame back. Fields that the schema lacks or marks as contact data are left out.
    pub fn from_frame(schema: Arc<Schema>, words: &[u64]) -> Result<Self, lead_frame::Damage> {
        let mut values = vec![None; schema.fields.len()];
        for (id, value) in Frame::open(words)?.fields() {
            let Some(&index) = schema.by_id.get(&id) else { continue };
            let contact = schema.fields.get(index).is_none_or(|field| field.contact);
            if let Some(place) = values.get_mut(index).filter(|_| !contact) {
                *place = Some(match value {
                    lead_frame::Value::Text(text) => Value::Text(text.into()),
                    lead_frame::Value::Integer(number) => Value::Integer(number),
                    lead_frame::Value::Decimal(millionths) => Value::Decimal(millionths),
                    lead_frame::Value::Boolean(yes) => Value::Boolean(yes),
                    lead_frame::Value::Date(days) => Value::Date(days),
                    lead_frame::Value::Texts(texts) => {
                        Value::Texts(texts.iter().map(Into::into).collect())
                    }
                });
            }
        }
        Ok(Self(Lead { schema, values: values.into() }))
    }
}
