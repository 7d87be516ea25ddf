//! How deliveries end.

use rkyv::{Archive, Deserialize, Serialize};

use super::{Charged, ModuleUsed, TransferReport, Winner};
use crate::money::Micros;

/// How one attempt to hand a lead to one buyer ended.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Delivered {
    pub ping: u128,
    pub source: String,
    /// Which copy of the lead, from 0.
    pub copy: u32,
    pub campaign: String,
    pub buyer: String,
    pub attempt: u32,
    pub ended: Ended,
    /// The buyer's reference of a sale, or why there is none.
    pub detail: Option<String>,
    /// The price if this is a sale; else zero.
    pub price: i64,
    /// What the buyer pays on top of it.
    pub buyer_fees: Charged,
    /// What of the price the source gets, its fees taken off.
    pub payout: i64,
    /// What the source is charged of it.
    pub source_fees: Charged,
    /// When the same buyer is asked again.
    pub again_ms: Option<i64>,
    /// The campaign that gets the copy next, by clearing the recorded bids again.
    pub successor: Option<Winner>,
    /// The successor waits: it takes one lead at a time, or has no room. Nobody is asked yet.
    pub in_line: bool,
    /// The adapter that spoke with the buyer, with the fuel of both its calls.
    pub adapter: Option<ModuleUsed>,
    /// What of it was said about a live transfer.
    pub transfer: Option<TransferReport>,
}

impl Delivered {
    /// Returns what the buyer pays: the price with its fees.
    pub fn due(&self) -> Micros {
        Micros::new(self.price.saturating_add(self.buyer_fees.total()))
    }

    /// Returns whether nobody is asked any more although the buyer was not reached. A caller who was not transferred is gone.
    pub fn gives_up(&self) -> bool {
        self.ended == Ended::NotSent && self.closes() && self.transfer.is_none()
    }

    /// Returns whether the copy is settled by this: sold, or refused with nobody left to take it.
    pub fn closes(&self) -> bool {
        let ended = match self.ended {
            Ended::Sold => return true,
            Ended::Rejected | Ended::NotSent | Ended::Expired => true,
            Ended::Unknown => false,
        };
        ended && self.again_ms.is_none() && self.successor.is_none()
    }
}

/// The ends of a delivery's attempt.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The buyer took the lead; the hold is posted.
    Sold,
    /// The buyer refused it; the hold is void.
    Rejected,
    /// It certainly did not reach the buyer; it is tried again, or given up and the hold is void.
    NotSent,
    /// Nobody knows; the hold stays until it is known.
    Unknown,
    /// Nobody said in time how a live transfer went; the hold is void, and nobody else gets the copy.
    Expired,
}

impl Ended {
    /// Returns the word that stands for it in receipts and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Rejected => "rejected",
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
        }
    }
}
