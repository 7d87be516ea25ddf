//! A campaign's settings: whatever serde can read, out of JSON, by a reader that adds a few kilobytes to a module.
//!
//! A general JSON library brings along exact floating point in both directions, Unicode tables and the errors of files;
//! of that, a filter pays here for what its settings have. Faults are worded for the person who filled the settings in,
//! and say which of them is meant.

mod fault;
mod json;
#[cfg(test)]
mod tests;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor, value::StrDeserializer,
};

use fault::Fault;
use json::Json;

/// Reads settings.
///
/// # Errors
///
/// What is wrong with them, and with which of them.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut json = Json::new(text);
    let read = T::deserialize(&mut json).and_then(|settings| {
        json.finish()?;
        Ok(settings)
    });
    read.map_err(|fault| fault.told(text))
}

type Result<T, E = Fault> = core::result::Result<T, E>;

impl<'t> Json<'t> {
    /// Returns the fault that what stands here is not what the settings have.
    #[cold]
    fn mismatch(&mut self, expected: &dyn Expected) -> Fault {
        match self.unexpected() {
            Ok(unexpected) => Fault::invalid_type(unexpected, expected),
            Err(fault) => fault,
        }
    }

    fn unexpected(&mut self) -> Result<Unexpected<'static>> {
        Ok(match self.peek() {
            Some(b'"') => Unexpected::Other("text"),
            Some(b'{') => Unexpected::Map,
            Some(b'[') => Unexpected::Seq,
            Some(b't' | b'f') => Unexpected::Bool(self.boolean()?),
            Some(b'n') => {
                self.null()?;
                Unexpected::Unit
            }
            _ => match whole(self.number()?) {
                Some(number) => number.unexpected(),
                None => Unexpected::Other("a number with a fraction"),
            },
        })
    }

    fn text<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => visitor.visit_str(&self.string()?),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn whole<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        if !self.is_at_number() {
            return Err(self.mismatch(&visitor));
        }
        match whole(self.number()?) {
            Some(Whole::Positive(number)) => visitor.visit_u64(number),
            Some(Whole::Negative(number)) => visitor.visit_i64(number),
            None => {
                let fraction = Unexpected::Other("a number with a fraction, or one too large");
                Err(Fault::invalid_type(fraction, &visitor))
            }
        }
    }

    fn fraction<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        if !self.is_at_number() {
            return Err(self.mismatch(&visitor));
        }
        let number = self.number()?.parse().map_err(|_| Fault::custom("this is no number"))?;
        visitor.visit_f64(number)
    }

    fn list<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        if self.peek() != Some(b'[') {
            return Err(self.mismatch(&visitor));
        }
        self.open()?;
        let value = visitor.visit_seq(Elements { json: self, count: 0 })?;
        match self.close(b']') {
            true => Ok(value),
            false => Err(Fault::custom("the list has too many elements")),
        }
    }

    fn object<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        if self.peek() != Some(b'{') {
            return Err(self.mismatch(&visitor));
        }
        self.open()?;
        let value = visitor.visit_map(Members { json: self, key: None })?;
        match self.close(b'}') {
            true => Ok(value),
            false => Err(self.syntax("`,` or `}` is missing")),
        }
    }
}

/// A whole number of 64 bits.
enum Whole {
    Positive(u64),
    Negative(i64),
}

impl Whole {
    fn unexpected(&self) -> Unexpected<'static> {
        match *self {
            Self::Positive(number) => Unexpected::Unsigned(number),
            Self::Negative(number) => Unexpected::Signed(number),
        }
    }
}

fn whole(number: &str) -> Option<Whole> {
    match number.starts_with('-') {
        true => number.parse().ok().map(Whole::Negative),
        false => number.parse().ok().map(Whole::Positive),
    }
}

macro_rules! forward {
    ($to:ident: $($method:ident)+) => {$(
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
            self.$to(visitor)
        }
    )+};
}

impl<'t> Deserializer<'t> for &mut Json<'t> {
    type Error = Fault;

    forward! { whole: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }
    forward! { whole: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }
    forward! { fraction: deserialize_f32 deserialize_f64 }
    forward! { text: deserialize_str deserialize_string deserialize_char deserialize_identifier }
    forward! { list: deserialize_seq deserialize_bytes deserialize_byte_buf }
    forward! { object: deserialize_map }

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => self.text(visitor),
            Some(b'[') => self.list(visitor),
            Some(b'{') => self.object(visitor),
            Some(b't' | b'f') => visitor.visit_bool(self.boolean()?),
            Some(b'n') => {
                self.null()?;
                visitor.visit_unit()
            }
            _ => {
                let number = self.number()?;
                match whole(number) {
                    Some(Whole::Positive(number)) => visitor.visit_u64(number),
                    Some(Whole::Negative(number)) => visitor.visit_i64(number),
                    None => visitor.visit_f64(number.parse().map_err(Fault::custom)?),
                }
            }
        }
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b't' | b'f') => visitor.visit_bool(self.boolean()?),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == Some(b'n') {
            self.null()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == Some(b'n') {
            self.null()?;
            return visitor.visit_unit();
        }
        Err(self.mismatch(&visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.list(visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.object(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => {
                let name = self.string()?;
                let name: StrDeserializer<'_, Fault> = name.as_ref().into_deserializer();
                visitor.visit_enum(name)
            }
            Some(b'{') => {
                self.open()?;
                let value = visitor.visit_enum(Tagged(self))?;
                match self.close(b'}') {
                    true => Ok(value),
                    false => Err(Fault::custom("this object has more than one member")),
                }
            }
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }
}

/// The elements of a list.
struct Elements<'j, 't> {
    json: &'j mut Json<'t>,
    count: usize,
}

impl<'t> SeqAccess<'t> for Elements<'_, 't> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.json.next_of(b']', self.count == 0)? {
            return Ok(None);
        }
        let place = self.count;
        self.count = place.saturating_add(1);
        seed.deserialize(&mut *self.json).map(Some).map_err(|fault| fault.in_element(place))
    }
}

/// The members of an object.
struct Members<'j, 't> {
    json: &'j mut Json<'t>,
    key: Option<String>,
}

impl<'t> MapAccess<'t> for Members<'_, 't> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.json.next_of(b'}', self.key.is_none())? {
            return Ok(None);
        }
        let key = self.json.key()?;
        let read = seed.deserialize(Key(&key)).map(Some);
        self.key = Some(key.into_owned());
        read
    }

    fn next_value_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<T::Value> {
        let key = self.key.as_deref().unwrap_or_default();
        seed.deserialize(&mut *self.json).map_err(|fault| fault.in_member(key))
    }
}

/// `{"variant": …}`.
struct Tagged<'j, 't>(&'j mut Json<'t>);

impl<'t> EnumAccess<'t> for Tagged<'_, 't> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self)> {
        let name = self.0.key()?;
        Ok((seed.deserialize(Key(&name))?, self))
    }
}

impl<'t> VariantAccess<'t> for Tagged<'_, 't> {
    type Error = Fault;

    fn unit_variant(self) -> Result<()> {
        self.0.null()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.0.list(visitor)
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.0.object(visitor)
    }
}

/// The key of a member, which may stand for a number.
struct Key<'k>(&'k str);

impl Key<'_> {
    fn whole<'t, V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match whole(self.0) {
            Some(Whole::Positive(number)) => visitor.visit_u64(number),
            Some(Whole::Negative(number)) => visitor.visit_i64(number),
            None => Err(Fault::invalid_type(Unexpected::Str(self.0), &visitor)),
        }
    }
}

impl<'t> Deserializer<'t> for Key<'_> {
    type Error = Fault;

    forward! { whole: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }
    forward! { whole: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let name: StrDeserializer<'_, Fault> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}
