//! The fact that an operator has a delivery made again.

use rkyv::{Archive, Deserialize, Serialize};

use super::Winner;

/// A delivery is to be made again, now: one whose end nobody knows, or one that was given up. The attempt itself begins
/// with an [`AskedAgain`](super::AskedAgain).
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ShipmentResent {
    pub ping: u128,
    /// Which copy of the lead, from 0.
    pub copy: u32,
    pub campaign: String,
    pub buyer: String,
    /// How many attempts the next one counts on; it begins anew for a delivery that was given up.
    pub attempts: u32,
    /// What is held anew for a delivery that was given up, at the price that was held before; nothing if the money is held
    /// yet.
    pub held: Option<Winner>,
    /// The buyer takes one lead at a time: the copy waits behind those that wait already.
    pub in_line: bool,
}
