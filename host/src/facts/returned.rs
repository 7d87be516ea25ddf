//! Sold leads that are given back: the request and its decision.

use rkyv::{Archive, Deserialize, Serialize};

use super::fees::Charged;
use crate::money::Micros;

/// A buyer asks to give a sold lead back.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ReturnRequested {
    pub ping: u128,
    /// Which copy of the lead, from 0.
    pub copy: u32,
    /// The number of the fact that sold it.
    pub sale: u64,
    pub source: String,
    pub vertical: String,
    pub campaign: String,
    pub buyer: String,
    /// A code of `reasons::ReturnReason`.
    pub reason: String,
    pub evidence: Evidence,
    /// What the buyer wants back, at most what it paid.
    pub amount: i64,
    /// Who asked: `operator` or `buyer`.
    pub by: String,
}

/// What a buyer shows for its reason. Never contact data.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    pub text: String,
    pub url: String,
    /// SHA-256 of a file that the buyer keeps, as `sha256:…`.
    pub hash: String,
    /// The lead that this one repeats, as its buyer knows it.
    pub lead: Option<u128>,
}

/// The end of a return.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ReturnDecided {
    pub ping: u128,
    /// Which copy of the lead, from 0.
    pub copy: u32,
    /// The number of the fact that sold it.
    pub sale: u64,
    pub source: String,
    pub buyer: String,
    pub accepted: bool,
    /// Why, in the words of whoever decided.
    pub why: String,
    /// Who decided: `operator`, or `policy` where the vertical accepts the reason unasked.
    pub by: String,
    /// What the buyer gets back of the price; zero if declined.
    pub price: i64,
    /// What of its fees the buyer gets back.
    pub buyer_fees: Charged,
    /// What the source gives back, less what it gets back of its own fees.
    pub payout: i64,
    /// What of its fees the source gets back.
    pub source_fees: Charged,
}

impl ReturnDecided {
    /// Returns all that the buyer gets back.
    pub fn credit(&self) -> Micros {
        Micros::new(self.price.saturating_add(self.buyer_fees.total()))
    }
}
