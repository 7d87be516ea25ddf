//! Live transfers: a source is given a buyer's number, and says how the call went.

use rkyv::{Archive, Deserialize, Serialize};

/// A copy is its buyer's if the source transfers its caller there: the source is given the number. This begins the attempt.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct TransferOffered {
    pub ping: u128,
    /// Which copy of the lead, from 0.
    pub copy: u32,
    pub campaign: String,
    pub buyer: String,
    /// Which transfer of the copy it is, from 0.
    pub turn: u32,
    /// The buyer's, as it is dialled.
    pub number: String,
    /// What the buyer's agent hears before the caller does. It says nothing of who the person is.
    pub whisper: String,
    /// How long the call must be connected to be a sale.
    pub connected_seconds: u32,
    /// Until when it must be said how the call went.
    pub expires_ms: i64,
}

/// How a transfer went.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferReport {
    /// Which transfer of the copy it was.
    pub turn: u32,
    /// How long the caller was connected with the buyer; `None` if never, or if nobody said.
    pub seconds: Option<u32>,
}
