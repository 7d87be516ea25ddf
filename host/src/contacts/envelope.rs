//! The bytes of what is sealed: XChaCha20-Poly1305, layout 1.
//!
//! ```text
//! 0      the layout: 1
//! 1..25  the nonce, random
//! 25..   the content, encrypted, then 16 bytes that prove it
//! ```
//!
//! What goes into the proof beside the content: what it is for (`gavel/contact/1/lead`, `…/key` or `…/prints`), a zero
//! byte, and the ping's 16 bytes, big-endian; so nothing that was sealed for one lead or one use opens as another. A secret
//! has its owner's name in the ping's place.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// The length of every key.
pub const KEY_BYTES: usize = 32;
/// The length of a nonce: long enough to be random without ever meeting itself.
pub(super) const NONCE_BYTES: usize = 24;
/// The layout that is written.
const LAYOUT: u8 = 1;

/// What sealed bytes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A lead, under its own key.
    Lead,
    /// A lead's key, under the master key.
    Key,
    /// The key of prints, under the master key.
    Prints,
}

impl Purpose {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Lead => b"gavel/contact/1/lead\0",
            Self::Key => b"gavel/contact/1/key\0",
            Self::Prints => b"gavel/contact/1/prints\0",
        }
    }

    fn bound_to(self, subject: u128) -> Vec<u8> {
        [self.name(), &subject.to_be_bytes()].concat()
    }
}

/// Why sealed bytes do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("it is of layout {0}, which this version of the program does not know")]
    Layout(u8),
    #[error("it ends too early")]
    Short,
    #[error("it was sealed under another key or for another lead, or it is damaged")]
    Refused,
}

/// Seals some content. A nonce is used once.
pub(super) fn seal(
    key: &[u8; KEY_BYTES],
    purpose: Purpose,
    subject: u128,
    content: &[u8],
    nonce: &[u8; NONCE_BYTES],
) -> Vec<u8> {
    seal_for(key, &purpose.bound_to(subject), content, nonce)
}

/// Seals some content with something else that goes into its proof.
#[expect(clippy::expect_used, reason = "a key has its length, and content fits in memory")]
pub(super) fn seal_for(
    key: &[u8; KEY_BYTES],
    bound_to: &[u8],
    content: &[u8],
    nonce: &[u8; NONCE_BYTES],
) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new_from_slice(key).expect("a key has its length");
    let payload = Payload { msg: content, aad: bound_to };
    let sealed = cipher.encrypt(&XNonce::from(*nonce), payload).expect("content fits in memory");
    [&[LAYOUT], nonce.as_slice(), &sealed].concat()
}

/// Opens sealed bytes, checking every one of them.
pub(super) fn open(
    key: &[u8; KEY_BYTES],
    purpose: Purpose,
    subject: u128,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    open_for(key, &purpose.bound_to(subject), sealed)
}

/// Opens sealed bytes that have this in their proof.
pub(super) fn open_for(
    key: &[u8; KEY_BYTES],
    bound_to: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let (layout, rest) = sealed.split_first().ok_or(EnvelopeError::Short)?;
    if *layout != LAYOUT {
        return Err(EnvelopeError::Layout(*layout));
    }
    let (nonce, content) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(EnvelopeError::Short)?;
    let cipher = XChaCha20Poly1305::new_from_slice(key).map_err(|_| EnvelopeError::Refused)?;
    let payload = Payload { msg: content, aad: bound_to };
    let opened = cipher.decrypt(&XNonce::from(*nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| EnvelopeError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What another program must come to as well.
    #[test]
    fn a_sealed_lead_has_these_bytes() {
        let key: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|place| u8::try_from(0x40 + place).unwrap());
        let subject = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;
        let lead = br#"{"email":"dana@example.com"}"#;
        let sealed = seal(&key, Purpose::Lead, subject, lead, &nonce);
        assert_eq!(hex(&sealed), VECTOR);
        assert_eq!(open(&key, Purpose::Lead, subject, &sealed).unwrap().as_slice(), lead);
    }

    const VECTOR: &str = "01404142434445464748494a4b4c4d4e4f5051525354555657af1b601db1891534b5d6e3dfc1fd25f7eadbc0b47f3c7df9055cdf389738c9aad26c313cd62b1bacbb83a898";

    #[test]
    fn every_changed_bit_and_every_other_use_is_refused() {
        let (key, nonce) = ([7; 32], [9; 24]);
        let sealed = seal(&key, Purpose::Key, 5, b"content", &nonce);
        assert!(open(&key, Purpose::Key, 5, &sealed).is_ok());
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, Purpose::Key, 5, &changed).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&key, Purpose::Key, 5, &sealed[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(open(&key, Purpose::Lead, 5, &sealed), Err(EnvelopeError::Refused));
        assert_eq!(open(&key, Purpose::Key, 6, &sealed), Err(EnvelopeError::Refused));
        assert_eq!(open(&[8; 32], Purpose::Key, 5, &sealed), Err(EnvelopeError::Refused));
        assert_eq!(open(&key, Purpose::Key, 5, &[2; 60]), Err(EnvelopeError::Layout(2)));
    }
}
