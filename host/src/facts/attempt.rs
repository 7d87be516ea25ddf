//! The fact that an attempt to deliver begins.

use rkyv::{Archive, Deserialize, Serialize};

/// An attempt after the first to hand a lead to one buyer begins. The first needs no fact of its own: the post begins it,
/// or the refusal that names the next buyer; unless that buyer takes one lead at a time, and this one's turn has come.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct AskedAgain {
    pub ping: u128,
    /// Which copy of the lead, from 0.
    pub copy: u32,
    pub campaign: String,
    pub buyer: String,
    /// The number of the attempt that begins: from 2, or 1 for one that stood in line or is made again by hand.
    pub attempt: u32,
}

/// A buyer that may have a lead is asked what became of it, in the place of another attempt to hand it over. Nothing of the
/// lead is sent.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct StatusAsked(pub AskedAgain);
