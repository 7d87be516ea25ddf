//! Headers of a buyer's own: plain ones, and secret ones that are never shown again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::faults::Fault;
use crate::sandbox::{HEADER_NAME_BYTES_MAX, HEADER_VALUE_BYTES_MAX, is_kept_header};

/// The most headers of a buyer.
pub const BUYER_HEADERS_MAX: usize = 16;
/// What stands in answers for a secret; sent back, it leaves the secret as it is.
pub const HIDDEN: &str = "[hidden]";

/// A header as the operator says it: a text, or `{"secret": ".."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text, or {\"secret\": \"..\"}")]
pub enum HeaderSpec {
    Plain(String),
    Secret(SecretSpec),
}

/// A value that is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSpec {
    pub secret: Secret,
}

/// A text that `Debug` hides.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl HeaderSpec {
    fn value(&self) -> &str {
        match self {
            Self::Plain(value) | Self::Secret(SecretSpec { secret: Secret(value) }) => value,
        }
    }

    /// Returns the header with the secret of the one before it, where it only says that there is one.
    ///
    /// # Errors
    ///
    /// If there is none before it.
    pub fn kept(self, before: Option<&Self>) -> Result<Self, &'static str> {
        match (&self, before) {
            (Self::Secret(SecretSpec { secret }), _) if secret.0 != HIDDEN => Ok(self),
            (Self::Secret(_), Some(before @ Self::Secret(_))) => Ok(before.clone()),
            (Self::Secret(_), _) => Err("no secret is kept under this name: say what it is"),
            (Self::Plain(_), _) => Ok(self),
        }
    }
}

/// The headers of a buyer, ready to be sent. `Debug` says their number.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} headers", self.0.len())
    }
}

impl Headers {
    /// Returns the names, in lower case, with the values.
    pub fn all(&self) -> &[(String, String)] {
        &self.0
    }

    pub(super) fn of(what: &str, specs: &BTreeMap<String, HeaderSpec>) -> Result<Self, Fault> {
        let fault = |name: &str, message: String| {
            let name = name.replace('~', "~0").replace('/', "~1");
            Fault::new(&what, &format!("/delivery/headers/{name}"), message)
        };
        if specs.len() > BUYER_HEADERS_MAX {
            let message = format!("at most {BUYER_HEADERS_MAX} headers are possible");
            return Err(Fault::new(&what, "/delivery/headers", message));
        }
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let mut headers = Vec::with_capacity(specs.len());
        for (name, spec) in specs {
            let (lower, value) = (name.to_ascii_lowercase(), spec.value());
            let message = if is_kept_header(&lower) {
                "the exchange sets this header itself: leave it out".to_owned()
            } else if name.is_empty()
                || name.len() > HEADER_NAME_BYTES_MAX
                || !name.bytes().all(token)
            {
                format!("a header's name has 1 to {HEADER_NAME_BYTES_MAX} letters, digits and `-`")
            } else if value.is_empty()
                || value.len() > HEADER_VALUE_BYTES_MAX
                || !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
            {
                format!(
                    "a header's value is 1 to {HEADER_VALUE_BYTES_MAX} printable signs of ASCII on one line"
                )
            } else if headers.iter().any(|(known, _)| *known == lower) {
                "the header is there twice, in other letters: keep one".to_owned()
            } else {
                headers.push((lower, value.to_owned()));
                continue;
            };
            return Err(fault(name, message));
        }
        Ok(Self(headers))
    }
}
