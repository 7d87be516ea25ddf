//! Every identifier in the exchange, one type per kind.
//!
//! Names are chosen by the operator and stay readable everywhere. Handles are made by the exchange: they carry the
//! moment of their making, so that they sort by time and a table keyed by them grows at its end.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::clock::Moment;

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Why a text is not a name or a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error(
        "a name is 1 to 64 of the characters a-z A-Z 0-9 . _ - and begins with a letter or digit"
    )]
    Name,
    #[error("a handle is `{0}` and 26 characters, exactly as it was given out")]
    Handle(&'static str),
    #[error("a digest is `sha256:` and 64 hexadecimal digits")]
    Digest,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks that the text is a name.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
                let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
                if !first || text.len() > NAME_BYTES_MAX || !text.bytes().all(plain) {
                    return Err(IdError::Name);
                }
                Ok(Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// Who sends pings and leads.
    SourceId
);
name!(
    /// Who bids and pays.
    BuyerId
);
name!(
    /// A buyer's rules with their price, caps and schedule.
    CampaignId
);
name!(
    /// A kind of lead with its own fields.
    VerticalId
);
name!(
    /// By which rules leads are sold.
    PolicyId
);
name!(
    /// What the versions of one Wasm component have in common.
    ModuleName
);

/// The digits of Crockford's base 32, as in ULIDs: no I, L, O or U.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u128);

        impl $name {
            /// Makes a handle from the moment and 80 random bits.
            pub fn new(at: Moment, random: [u8; 10]) -> Self {
                let time = u128::from(at.unix_ms().unsigned_abs()) << 80;
                let mut low = [0; 16];
                low.iter_mut().skip(6).zip(random).for_each(|(byte, random)| *byte = random);
                Self(time | u128::from_be_bytes(low))
            }

            pub const fn from_u128(raw: u128) -> Self {
                Self(raw)
            }

            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// Reads a handle as [`fmt::Display`] writes it.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let fault = IdError::Handle($prefix);
                let digits = text.strip_prefix($prefix).ok_or(fault)?;
                if digits.len() != 26 {
                    return Err(fault);
                }
                let mut raw: u128 = 0;
                for digit in digits.bytes() {
                    let value = BASE32.iter().position(|&b| b == digit).ok_or(fault)?;
                    raw = raw.checked_mul(32).ok_or(fault)? | value as u128;
                }
                Ok(Self(raw))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                for shift in (0..26).rev() {
                    let digit = usize::try_from(self.0 >> (shift * 5) & 31).unwrap_or_default();
                    let digit = BASE32.get(digit).copied().unwrap_or(b'0');
                    write!(f, "{}", char::from(digit))?;
                }
                Ok(())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

handle!(
    /// One ping and the auction it started, from the front door to the receipt.
    PingId,
    "pg_"
);
handle!(
    /// The full lead that a post brought for a ping.
    LeadId,
    "ld_"
);

impl LeadId {
    /// Returns the handle of the ping that the lead was posted for.
    pub const fn ping(self) -> PingId {
        PingId(self.0)
    }
}

impl PingId {
    /// Returns the handle of the lead that a post brings for this ping. One ping has one lead, so it is derived.
    pub const fn lead(self) -> LeadId {
        LeadId(self.0)
    }

    /// Returns the ping that a lead was posted for.
    pub const fn of_lead(lead: LeadId) -> Self {
        Self(lead.0)
    }
}

/// One live transfer: which copy of a lead goes to a buyer as a caller, and which transfer of that copy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferId {
    pub ping: PingId,
    /// From 0.
    pub copy: u32,
    /// From 0.
    pub turn: u32,
}

impl TransferId {
    const PREFIX: &str = "tr_";

    /// Reads a handle as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let fault = IdError::Handle(Self::PREFIX);
        let mut parts = text.strip_prefix(Self::PREFIX).ok_or(fault)?.split('-');
        let mut next = || parts.next().ok_or(fault);
        let ping = PingId::parse(&format!("pg_{}", next()?)).map_err(|_| fault)?;
        let copy = next()?.parse().map_err(|_| fault)?;
        let turn = next()?.parse().map_err(|_| fault)?;
        let read = Self { ping, copy, turn };
        // Only one spelling stands for it.
        if read.to_string() == text { Ok(read) } else { Err(fault) }
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ping = self.ping.to_string();
        let digits = ping.trim_start_matches("pg_");
        write!(f, "{}{digits}-{}-{}", Self::PREFIX, self.copy, self.turn)
    }
}

/// A SHA-256 digest: what a module, a body or a fact is known by.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a digest as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let hex =
            text.strip_prefix("sha256:").filter(|hex| hex.len() == 64).ok_or(IdError::Digest)?;
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = hex.get(index * 2..index * 2 + 2).ok_or(IdError::Digest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| IdError::Digest)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_reads_back_as_it_was_written() {
        let ping = PingId::new(Moment::from_unix_ms(1_767_225_600_000), [7; 10]);
        assert_eq!(PingId::parse(&ping.to_string()), Ok(ping));
        assert_eq!(ping.to_string().len(), 29);
        assert!(PingId::parse("pg_short").is_err());
        assert!(PingId::parse(&ping.lead().to_string()).is_err());
    }

    #[test]
    fn handles_sort_by_time() {
        let early = PingId::new(Moment::from_unix_ms(1_000), [255; 10]);
        let late = PingId::new(Moment::from_unix_ms(1_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn a_name_is_plain() {
        assert!(BuyerId::parse("acme-auto_2.eu").is_ok());
        for text in ["", "-a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert_eq!(BuyerId::parse(text), Err(IdError::Name), "{text}");
        }
    }

    #[test]
    fn a_digest_reads_back_as_it_was_written() {
        let digest = Digest::of(b"gavel");
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
        assert_eq!(Digest::parse("sha256:12"), Err(IdError::Digest));
    }
}
