//! Facts about contact data. None of them holds any.

use rkyv::{Archive, Deserialize, Serialize};

/// A lead's contact data was erased at somebody's word: its key, the sealed data, and by what the person was found.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ContactErased {
    pub ping: u128,
    /// Who said so.
    pub by: String,
    /// Why, as a code such as `person-asked`.
    pub why: String,
    /// Copies whose delivery had not begun, or had certainly failed: they end here. A copy that a buyer may have stays
    /// with it until its end is known.
    pub voided: Vec<u32>,
}

/// Contact data and prints whose time was over were forgotten.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ContactsSwept {
    /// The pings whose contact data went.
    pub pings: Vec<u128>,
    /// Prints that were to be kept until before this went.
    pub persons_before_ms: i64,
}

/// Every key of a lead was wrapped by another master key.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct MasterKeyRotated {
    /// The number of the master key before.
    pub from: [u8; 8],
    /// The number of the master key from here on.
    pub to: [u8; 8],
    /// How many leads' keys there were.
    pub keys: u64,
    pub by: String,
}
