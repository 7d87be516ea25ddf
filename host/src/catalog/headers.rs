//! Headers of a buyer's own: plain ones, and secret ones that are never shown again.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::ways::DeliverySpec;
use crate::contacts::{ContactError, Contacts};
use crate::egress::signing;
use crate::ids::BuyerId;
use crate::sandbox::{HEADER_NAME_BYTES_MAX, HEADER_VALUE_BYTES_MAX, is_kept_header};

/// The most headers of a buyer.
pub const BUYER_HEADERS_MAX: usize = 16;
/// What stands in answers for a secret; sent back, it leaves the secret as it is.
pub const HIDDEN: &str = "[hidden]";

/// A header as the operator says it, a text or `{"secret": ".."}`, and as a secret one is kept: `{"sealed": ".."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text, or {\"secret\": \"..\"}")]
pub enum HeaderSpec {
    Plain(String),
    Secret(SecretSpec),
    Sealed(SealedSpec),
}

/// A value that is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSpec {
    pub secret: Secret,
}

/// A secret as it is kept: base 64 of what [`Contacts::seal_secret`] made for [`owner`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSpec {
    pub sealed: String,
}

/// A text that `Debug` hides.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl HeaderSpec {
    /// Returns what is sent; nothing of a sealed one where the keys are not at hand, for nothing is sent from there.
    ///
    /// # Errors
    ///
    /// If it was sealed under other keys or for somebody else.
    fn value(&self, owner: &str, keys: Option<&Contacts>) -> Result<Option<String>, &'static str> {
        let sealed = match self {
            Self::Plain(value) | Self::Secret(SecretSpec { secret: Secret(value) }) => {
                return Ok(Some(value.clone()));
            }
            Self::Sealed(SealedSpec { sealed }) => sealed,
        };
        let Some(keys) = keys else { return Ok(None) };
        let bytes = STANDARD.decode(sealed).ok();
        let opened = bytes.and_then(|bytes| keys.open_secret(owner, &bytes).ok());
        let text = opened.and_then(|opened| String::from_utf8(opened.to_vec()).ok());
        text.map(Some).ok_or("the secret does not open with this exchange's keys: say it again")
    }

    /// Returns the header as it is kept: a secret is sealed for its owner.
    ///
    /// # Errors
    ///
    /// If it cannot be sealed, as when it is too long.
    pub fn sealed(self, owner: &str, keys: &Contacts) -> Result<Self, ContactError> {
        let Self::Secret(SecretSpec { secret: Secret(text) }) = &self else { return Ok(self) };
        let sealed = keys.seal_secret(owner, text.as_bytes())?;
        Ok(Self::Sealed(SealedSpec { sealed: STANDARD.encode(sealed) }))
    }

    /// Returns the header with the secret of the one before it, where it only says that there is one.
    ///
    /// # Errors
    ///
    /// If there is none before it.
    pub fn kept(self, before: Option<&Self>) -> Result<Self, &'static str> {
        match (&self, before) {
            (Self::Secret(SecretSpec { secret }), _) if secret.0 != HIDDEN => Ok(self),
            (Self::Secret(_), Some(before @ (Self::Secret(_) | Self::Sealed(_)))) => {
                Ok(before.clone())
            }
            (Self::Sealed(_), _) => Err("say the secret itself, as `secret`"),
            (Self::Secret(_), _) => Err("no secret is kept under this name: say what it is"),
            (Self::Plain(_), _) => Ok(self),
        }
    }
}

/// Returns whose secret a buyer's header is.
pub fn owner(buyer: &BuyerId, header: &str) -> String {
    format!("buyer:{buyer}:header:{header}")
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

    pub(super) fn of(
        (what, id): (&str, &BuyerId),
        delivery: &DeliverySpec,
        keys: Option<&Contacts>,
    ) -> Result<Self, Fault> {
        let specs = &delivery.headers;
        let fault = |name: &str, message: String| {
            let name = name.replace('~', "~0").replace('/', "~1");
            Fault::new(&what, &format!("/delivery/headers/{name}"), message)
        };
        if specs.len() > BUYER_HEADERS_MAX {
            let message = format!("at most {BUYER_HEADERS_MAX} headers are possible");
            return Err(Fault::new(&what, "/delivery/headers", message));
        }
        let mut headers = Self::default();
        for (name, spec) in specs {
            let value = spec.value(&owner(id, name), keys);
            let Some(value) = value.map_err(|why| fault(name, why.to_owned()))? else { continue };
            let added = headers.add(name, value, delivery.signing.is_some());
            added.map_err(|message| fault(name, message))?;
        }
        Ok(headers)
    }

    /// Adds a header to what is sent to a buyer, whose leads are signed or not.
    ///
    /// # Errors
    ///
    /// If it is none, is there already, or is the exchange's to set.
    pub fn add(&mut self, name: &str, value: String, is_signed: bool) -> Result<(), String> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let lower = name.to_ascii_lowercase();
        if is_kept_header(&lower) {
            Err("the exchange sets this header itself: leave it out".to_owned())
        } else if is_signed && signing::HEADERS.contains(&&*lower) {
            Err("the exchange sets this header when it signs: leave it, or `signing`, out"
                .to_owned())
        } else if name.is_empty() || name.len() > HEADER_NAME_BYTES_MAX || !name.bytes().all(token)
        {
            Err(format!("a header's name has 1 to {HEADER_NAME_BYTES_MAX} letters, digits and `-`"))
        } else if value.is_empty()
            || value.len() > HEADER_VALUE_BYTES_MAX
            || !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            Err(format!(
                "a header's value is 1 to {HEADER_VALUE_BYTES_MAX} printable signs of ASCII on one line"
            ))
        } else if self.0.iter().any(|(known, _)| *known == lower) {
            Err("the header is there twice, in other letters: keep one".to_owned())
        } else {
            self.0.push((lower, value));
            Ok(())
        }
    }
}
