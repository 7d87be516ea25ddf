//! Amounts, percentages, names and digests as JSON has them: as text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{
    BuyerId, CampaignId, Digest, IdError, ModuleName, PolicyId, SourceId, VerticalId,
};
use crate::money::{Micros, Share};

/// An amount as JSON writes it: text, because a JSON number is a float to most readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount(pub Micros);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an amount as text, such as \"12.50\"", Micros::parse).map(Self)
    }
}

/// A percentage as text, such as `"12.5"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percent(pub Share);

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A percentage has four digits after the point where an amount has six.
        let percent = Micros::new(i64::from(self.0.millionths()).saturating_mul(100));
        serializer.collect_str(&percent.with_decimals(percent.decimals()))
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a percentage from 0 to 100 as text, such as \"12.5\"", |percent| {
            Share::parse_percent(percent).map_err(|error| match error {
                crate::money::AmountError::TooLarge => {
                    "a percentage is between 0 and 100".to_owned()
                }
                other => other.to_string(),
            })
        })
        .map(Self)
    }
}

fn text<'de, D, T, E>(
    deserializer: D,
    expecting: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    struct TextVisitor(&'static str);

    impl serde::de::Visitor<'_> for TextVisitor {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }

    let text = deserializer.deserialize_str(TextVisitor(expecting))?;
    parse(&text).map_err(serde::de::Error::custom)
}

macro_rules! serde_name {
    ($($name:ident)*) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text(deserializer, "a name", |name| -> Result<Self, IdError> { Self::parse(name) })
            }
        }
    )* };
}

serde_name!(SourceId BuyerId CampaignId VerticalId PolicyId ModuleName);

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a digest such as \"sha256:…\"", Self::parse)
    }
}
