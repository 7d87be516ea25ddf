//! The post of a full lead, and what facts keep of whom it is about: prints that only this exchange can make, and who was
//! passed over for them.

use rkyv::{Archive, Deserialize, Serialize};

use super::{Request, Winner};

/// The full lead came for a ping in time.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Posted {
    pub ping: u128,
    /// A keyed digest of the body: it holds contact data, and nobody may try bodies until one fits.
    pub body: [u8; 32],
    pub request: Option<Request>,
    /// Whom the lead is about.
    pub person: Person,
    /// The bidders that may not have this person, in the order of campaigns' names.
    pub passed_over: Vec<PassedOver>,
    /// The copies that wait: their buyers take one lead at a time, or have no room. Nobody is asked for them yet.
    pub in_line: Vec<u32>,
}

/// Prints of the ways to reach a person; the same person has the same prints, and nobody reads the person from them.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub phone: Option<[u8; 32]>,
    pub email: Option<[u8; 32]>,
}

/// A bidder that may not see this person's contact data: nothing was disclosed to it.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct PassedOver {
    pub campaign: String,
    pub buyer: String,
    /// A code of `reasons::Exclusion`.
    pub reason: String,
    pub detail: Option<String>,
    /// The copy that it had won, if it had.
    pub copy: Option<u32>,
    /// The campaign that gets that copy in its place, by clearing the recorded bids again.
    pub successor: Option<Winner>,
}

/// A post came for a ping in time, and its person may not be sold: the holds are void.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct PostRefused {
    pub ping: u128,
    /// A keyed digest of the body: it holds contact data, and nobody may try bodies until one fits.
    pub body: [u8; 32],
    pub request: Option<Request>,
    /// A code of `reasons::Refusal`.
    pub reason: String,
    /// For the operator: which list, which earlier sale.
    pub detail: Option<String>,
}

/// Hashed phone numbers or e-mail addresses were put on a suppression list.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct SuppressionsAdded {
    pub list: String,
    pub entries: Vec<[u8; 16]>,
}

/// Entries were taken off a suppression list.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct SuppressionsRemoved {
    pub list: String,
    /// Empty means all.
    pub entries: Vec<[u8; 16]>,
}
