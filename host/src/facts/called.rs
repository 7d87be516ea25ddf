//! Calls that change something, as their Idempotency-Key remembers them.

use rkyv::{Archive, Deserialize, Serialize};

/// A call with an Idempotency-Key takes effect with the fact that follows this one, in the same transaction.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallMade {
    /// SHA-256 of the caller, the method, the address and the key.
    pub key: [u8; 32],
    /// The keyed digest of the canonical body; in facts of earlier versions its plain SHA-256.
    pub body: [u8; 32],
}

/// How a call with an Idempotency-Key was answered. Durable before it is spoken.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct CallAnswered {
    pub key: [u8; 32],
    pub body: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The rest of the answer, sealed with a key that only the caller can name: it may hold a secret that is shown once.
    pub sealed: Vec<u8>,
}

/// Returns what the facts of one call are found by: no handle of a ping, whose first bytes are a time.
pub(super) fn subject(key: &[u8; 32]) -> u128 {
    let mut first = [0; 16];
    first.iter_mut().zip(key).for_each(|(byte, digest)| *byte = *digest);
    u128::from_be_bytes(first)
}
