//! The hash chain, so plain that a stranger with the database and a SHA-256 can recompute it.
//!
//! ```text
//! hash(n)    = SHA-256( hash(n-1)              32 bytes, all zeros before fact 1
//!                     ‖ seq                     8 bytes
//!                     ‖ at                      8 bytes, milliseconds since 1970-01-01 UTC, signed
//!                     ‖ 0, or 1 and subject     1 byte, or 1 + 16 bytes
//!                     ‖ kind                    2 bytes
//!                     ‖ payload length          8 bytes
//!                     ‖ payload
//!                     ‖ entries(n) )           32 bytes
//!
//! entries(n) = SHA-256( for every leg, in order:
//!                       account length          4 bytes
//!                     ‖ account                 UTF-8
//!                     ‖ amount                  8 bytes, millionths, signed
//!                     ‖ code length             4 bytes
//!                     ‖ code )                  UTF-8
//! ```
//!
//! All numbers are big-endian. What has no fixed length is preceded by its length, so no two facts have the same bytes.

use sha2::{Digest as _, Sha256};

use crate::clock::Moment;
use crate::ids::Digest;
use crate::money::Micros;

/// What a link covers beside the link before and the entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) seq: u64,
    pub(super) at: Moment,
    pub(super) subject: Option<u128>,
    pub(super) kind: u16,
    pub(super) payload: &'a [u8],
}

/// Returns the hash of a fact.
pub(super) fn link(before: Digest, content: Content<'_>, entries: Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(content.seq.to_be_bytes());
    hash.update(content.at.unix_ms().to_be_bytes());
    match content.subject {
        None => hash.update([0]),
        Some(subject) => {
            hash.update([1]);
            hash.update(subject.to_be_bytes());
        }
    }
    hash.update(content.kind.to_be_bytes());
    hash.update(length::<8>(content.payload));
    hash.update(content.payload);
    hash.update(entries.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// Returns the digest of a fact's legs: account, amount and code of each.
pub(super) fn entries<'a>(legs: impl Iterator<Item = (&'a str, Micros, &'a str)>) -> Digest {
    let mut hash = Sha256::new();
    for (account, amount, code) in legs {
        hash.update(length::<4>(account.as_bytes()));
        hash.update(account);
        hash.update(amount.get().to_be_bytes());
        hash.update(length::<4>(code.as_bytes()));
        hash.update(code);
    }
    Digest::from_bytes(hash.finalize().into())
}

/// The length of some bytes as the last `N` bytes of a big-endian number.
fn length<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let wide = (bytes.len() as u128).to_be_bytes();
    let mut narrow = [0; N];
    narrow.iter_mut().rev().zip(wide.iter().rev()).for_each(|(narrow, wide)| *narrow = *wide);
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_gets_the_same_hash_from_the_description() {
        let legs =
            [("cash", Micros::new(5), "deposit"), ("buyer:a:prepaid", Micros::new(-5), "deposit")];
        let mut entries_by_hand = Vec::new();
        for (account, amount, code) in legs {
            entries_by_hand.extend([0, 0, 0, u8::try_from(account.len()).unwrap()]);
            entries_by_hand.extend(account.bytes());
            entries_by_hand.extend(amount.get().to_be_bytes());
            entries_by_hand.extend([0, 0, 0, u8::try_from(code.len()).unwrap()]);
            entries_by_hand.extend(code.bytes());
        }
        let entries_by_hand = Digest::of(&entries_by_hand);
        assert_eq!(entries(legs.into_iter()), entries_by_hand);

        let mut by_hand = vec![9; 32];
        by_hand.extend([0, 0, 0, 0, 0, 0, 0, 7]);
        by_hand.extend([0, 0, 0, 0, 0, 0, 1, 0]);
        by_hand.push(1);
        by_hand.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
        by_hand.extend([0, 2]);
        by_hand.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        by_hand.extend(b"ab");
        by_hand.extend(entries_by_hand.as_bytes());
        let content = Content {
            seq: 7,
            at: Moment::from_unix_ms(256),
            subject: Some(3),
            kind: 2,
            payload: b"ab",
        };
        assert_eq!(
            link(Digest::from_bytes([9; 32]), content, entries_by_hand),
            Digest::of(&by_hand)
        );
    }
}
