//! The fact about the exchange's own keys.

use rkyv::{Archive, Deserialize, Serialize};

/// The exchange signs its receipts with this key from here on. Keys before it stay known: what they signed stays checkable.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct KeyAdopted {
    /// The ed25519 public key.
    pub public: [u8; 32],
}
