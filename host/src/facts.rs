//! The facts: everything that ever changed the exchange, as the journal keeps it.
//!
//! These are wire types. Their layout is the archive's: a fact that must change gets a new kind, never a new layout
//! under the old number. Amounts are millionths of the currency, times are milliseconds since 1970-01-01 UTC. No fact
//! holds contact data.

mod asked;
mod fees;
mod attempt;
mod auction;
mod called;
mod contact;
mod delivered;
mod key;
mod module;
mod offered;
mod postback;
mod resent;
mod returned;
mod subject;
mod transferred;
mod periods;
mod person;
mod terms;

use std::sync::Arc;

use rkyv::rancor::Error;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};

pub use asked::Asked;
pub use attempt::{AskedAgain, StatusAsked};
pub use called::{CallAnswered, CallMade};
pub use contact::{ContactErased, ContactsSwept, MasterKeyRotated};
pub use delivered::{Delivered, Ended};
pub use fees::{BuyerFee, Charged, Fee, OnReturn, Parts};
pub use key::KeyAdopted;
pub use module::{ModuleStepped, ModuleUploaded, Passed, Step};
pub use offered::{TransferOffered, TransferReport};
pub use periods::{Counted, Periods};
pub use person::{PassedOver, Person, PostRefused, Posted, SuppressionsAdded, SuppressionsRemoved};
pub use postback::{Event, Party, PostbackEnd, PostbackKey, PostbackResent, PostbackTried};
pub use resent::ShipmentResent;
pub use returned::{Evidence, ReturnDecided, ReturnRequested};
pub use terms::{BidMade, ChangedPost, PriceRule, Ranking, Rule, Superseded, Terms, Tier};
pub use transferred::{TransferKind, Transferred};

/// Something that happened. What it means in money is `settlement`'s to say, what it obliges to is `delivery`'s.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An operator saved a source, buyer, vertical, campaign, list, or the settings of a module or world.
    Saved(Saved),
    /// A buyer paid money in.
    Deposited(Deposited),
    /// A ping was answered; the auction as it was held.
    PingAnswered(Arc<PingAnswered>),
    /// A submission of a known source was refused before it became a lead.
    SubmissionRefused(SubmissionRefused),
    /// A post claimed its ping; deliveries are due.
    Posted(Posted),
    /// A buyer is about to be asked again.
    AskedAgain(AskedAgain),
    /// A buyer is about to be asked what became of a lead.
    StatusAsked(StatusAsked),
    /// A delivery was attempted, or an operator said how it ended.
    Delivered(Delivered),
    /// An operator has a delivery made again.
    ShipmentResent(ShipmentResent),
    /// A source was given a buyer's number, to transfer its caller there.
    TransferOffered(TransferOffered),
    /// Holds ended because nobody posted in time.
    Expired(Expired),
    /// A module's version was admitted and kept.
    ModuleUploaded(ModuleUploaded),
    /// A module's version took a step in its life.
    ModuleStepped(ModuleStepped),
    /// An operator moved money: a withdrawal, a payout, a correction, a write-off.
    Transferred(Transferred),
    /// A buyer asks to give a sold lead back.
    ReturnRequested(ReturnRequested),
    /// A return was accepted or declined.
    ReturnDecided(ReturnDecided),
    /// A call with an Idempotency-Key takes effect with the next fact.
    CallMade(CallMade),
    /// A call with an Idempotency-Key was answered.
    CallAnswered(CallAnswered),
    /// A ping made room for another auction of the same lead.
    Superseded(Superseded),
    /// A post claimed its ping, and its person may not be sold.
    PostRefused(PostRefused),
    /// Entries were put on a suppression list.
    SuppressionsAdded(SuppressionsAdded),
    /// Entries were taken off a suppression list.
    SuppressionsRemoved(SuppressionsRemoved),
    /// The exchange signs with another key.
    KeyAdopted(KeyAdopted),
    /// A lead's contact data was erased.
    ContactErased(ContactErased),
    /// Contact data was forgotten because its time was over.
    ContactsSwept(ContactsSwept),
    /// Leads' keys were wrapped by another master key.
    MasterKeyRotated(MasterKeyRotated),
    /// A postback was attempted.
    PostbackTried(PostbackTried),
    /// A postback is to be sent again, now.
    PostbackResent(PostbackResent),
}

/// The body of a saved object, as the operator's API takes it.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Saved {
    /// `source`, `buyer`, `vertical`, `campaign`, `list`, `suppression`, `module` or `limits`.
    pub what: String,
    pub id: String,
    /// JSON. A source's key is in it as a digest only.
    pub body: String,
}

/// Money from a buyer. The reference is unique per buyer, so a deposit that is sent twice counts once.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Deposited {
    pub buyer: String,
    pub amount: i64,
    pub reference: String,
}

/// The request that caused a fact, so that the same key gets the same answer.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// SHA-256 of the Idempotency-Key.
    pub key: [u8; 32],
    /// The body's digest, as of the fact that it caused.
    pub body: [u8; 32],
}

/// A ping with everything that decided it: what is recorded here replays to the same award, bit for bit.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct PingAnswered {
    pub ping: u128,
    pub source: String,
    pub vertical: String,
    /// The version of the catalog that the ping saw from beginning to end.
    pub catalog: u64,
    pub received_ms: i64,
    /// SHA-256 of a ping's body; of one that is posted at once or again, and so holds contact data, a keyed digest.
    pub body: [u8; 32],
    /// A test: decided the same way, without money.
    pub test: bool,
    pub normalizer: ModuleUsed,
    pub filters: Vec<ModuleUsed>,
    /// The ping view, as filters saw it.
    pub frame: Vec<u64>,
    pub terms: Terms,
    /// Every campaign that did not win, with its reason.
    pub left_out: Vec<LeftOut>,
    /// Every bid that was made, in the order of campaigns' names.
    pub bids: Vec<BidMade>,
    /// Every campaign whose buyer was to be asked over the network.
    pub asked: Vec<Asked>,
    pub winners: Vec<Winner>,
    /// The earlier ping that this one repeats.
    pub duplicate_of: Option<u128>,
    /// The ping that this one takes the place of, because its post said otherwise.
    pub replaces: Option<u128>,
    /// What the same lead from the same source has in common.
    pub fingerprint: [u8; 32],
    /// Until when the price holds, by the wall's clock: what the source is told.
    pub expires_ms: i64,
    /// Until when the money is held, by the clock that only the passing of time moves.
    pub held_until_ms: i64,
    pub request: Option<Request>,
}

/// A module's version that took part, and what its call cost.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ModuleUsed {
    pub name: String,
    pub version: u32,
    pub digest: [u8; 32],
    pub fuel: u64,
}

/// A campaign that did not get the lead.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct LeftOut {
    pub campaign: String,
    /// A code of `reasons::Exclusion`.
    pub reason: String,
    /// What exactly: the unmet criterion, the filter's own code.
    pub detail: Option<String>,
}

/// A winning bid with the money that is held for it.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Winner {
    pub campaign: String,
    pub buyer: String,
    pub bid: i64,
    pub price: i64,
    /// What it pays on top of the price.
    pub fees: Charged,
    /// The buyer has the word that nobody else gets the lead.
    pub exclusive: bool,
    /// The periods whose caps and budgets it counts for.
    pub counted: Counted,
}

/// A submission that did not become a lead.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct SubmissionRefused {
    pub source: String,
    pub vertical: String,
    pub post: bool,
    pub code: String,
    pub field: Option<String>,
    pub message: String,
    /// A keyed digest of the body.
    pub body: [u8; 32],
}

/// Pings whose holds ended unused.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Expired {
    pub pings: Vec<u128>,
}

/// Why bytes of the journal are not a fact.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("fact kind {0} is unknown: it was written by another version of this program")]
    Kind(u16),
    #[error("a fact of kind {kind} does not read back")]
    Layout {
        kind: u16,
        #[source]
        source: Error,
    },
}

macro_rules! kinds {
    ($($number:literal $name:literal $variant:ident($wire:ty) $wrap:expr;)*) => {
        impl Fact {
            /// Returns the number that stands for the fact's layout in the journal.
            pub const fn kind(&self) -> u16 {
                match self { $(Self::$variant(_) => $number,)* }
            }

            /// Returns what the kind is called, for people.
            pub fn kind_name(kind: u16) -> &'static str {
                match kind { $($number => $name,)* _ => "unknown" }
            }

            /// Writes the fact as the journal keeps it.
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Self::$variant(fact) => archive::<$wire>(fact),)* }
            }

            /// Reads a fact back, checking every byte.
            pub fn decode(kind: u16, payload: &[u8]) -> Result<Self, Unreadable> {
                let mut aligned = AlignedVec::<16>::with_capacity(payload.len());
                aligned.extend_from_slice(payload);
                match kind {
                    $($number => rkyv::from_bytes::<$wire, Error>(&aligned)
                        .map(|fact| Self::$variant($wrap(fact)))
                        .map_err(|source| Unreadable::Layout { kind, source }),)*
                    _ => Err(Unreadable::Kind(kind)),
                }
            }
        }
    };
}

kinds! {
    1 "saved" Saved(Saved) std::convert::identity;
    4 "deposited" Deposited(Deposited) std::convert::identity;
    5 "ping-answered" PingAnswered(PingAnswered) Arc::new;
    6 "submission-refused" SubmissionRefused(SubmissionRefused) std::convert::identity;
    7 "posted" Posted(Posted) std::convert::identity;
    8 "delivered" Delivered(Delivered) std::convert::identity;
    9 "expired" Expired(Expired) std::convert::identity;
    10 "asked-again" AskedAgain(AskedAgain) std::convert::identity;
    11 "module-uploaded" ModuleUploaded(ModuleUploaded) std::convert::identity;
    12 "module-stepped" ModuleStepped(ModuleStepped) std::convert::identity;
    35 "transferred" Transferred(Transferred) std::convert::identity;
    36 "return-requested" ReturnRequested(ReturnRequested) std::convert::identity;
    37 "return-decided" ReturnDecided(ReturnDecided) std::convert::identity;
    38 "call-made" CallMade(CallMade) std::convert::identity;
    39 "call-answered" CallAnswered(CallAnswered) std::convert::identity;
    20 "post-refused" PostRefused(PostRefused) std::convert::identity;
    21 "suppressions-added" SuppressionsAdded(SuppressionsAdded) std::convert::identity;
    22 "suppressions-removed" SuppressionsRemoved(SuppressionsRemoved) std::convert::identity;
    25 "superseded" Superseded(Superseded) std::convert::identity;
    30 "key-adopted" KeyAdopted(KeyAdopted) std::convert::identity;
    57 "shipment-resent" ShipmentResent(ShipmentResent) std::convert::identity;
    58 "transfer-offered" TransferOffered(TransferOffered) std::convert::identity;
    59 "status-asked" StatusAsked(StatusAsked) std::convert::identity;
    40 "contact-erased" ContactErased(ContactErased) std::convert::identity;
    41 "contacts-swept" ContactsSwept(ContactsSwept) std::convert::identity;
    42 "master-key-rotated" MasterKeyRotated(MasterKeyRotated) std::convert::identity;
    55 "postback-tried" PostbackTried(PostbackTried) std::convert::identity;
    56 "postback-resent" PostbackResent(PostbackResent) std::convert::identity;
}

#[expect(clippy::expect_used, reason = "writing to memory fails only when memory is out")]
fn archive<T>(fact: &T) -> Vec<u8>
where
    T: for<'a> Serialize<
        rkyv::api::high::HighSerializer<AlignedVec, rkyv::ser::allocator::ArenaHandle<'a>, Error>,
    >,
{
    rkyv::to_bytes::<Error>(fact).expect("a fact fits in memory").into_vec()
}

impl Fact {
    /// The kinds of the facts that make catalogs: saved objects, versions of modules and their steps.
    pub const CATALOG_KINDS: [u16; 3] = [1, 11, 12];
    /// The kind of the fact that answers a ping.
    pub const AUCTION_KIND: u16 = 5;

    /// Returns whether pings see another catalog after this fact.
    pub fn changes_catalog(&self) -> bool {
        match self {
            Self::Saved(_) | Self::ModuleUploaded(_) => true,
            Self::ModuleStepped(stepped) => stepped.step != Step::Retired,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Micros;

    #[test]
    fn a_fact_reads_back_as_it_was_written() {
        let fact = Fact::Posted(Posted {
            ping: 7,
            body: [1; 32],
            request: Some(Request { key: [2; 32], body: [1; 32] }),
            person: Person { phone: Some([3; 32]), email: None },
            passed_over: Vec::new(),
            in_line: vec![1],
        });
        assert_eq!(Fact::decode(fact.kind(), &fact.encode()).unwrap(), fact);
    }

    #[test]
    fn a_fact_of_an_unknown_kind_is_refused() {
        assert_eq!(
            Fact::decode(99, &[]).unwrap_err().to_string(),
            "fact kind 99 is unknown: it was written by another version of this program"
        );
    }

    #[test]
    fn the_kinds_that_are_read_alone_are_those_that_make_catalogs() {
        let named = |kind: &u16| Fact::kind_name(*kind);
        let names = Fact::CATALOG_KINDS.each_ref().map(named);
        assert_eq!(names, ["saved", "module-uploaded", "module-stepped"]);
        assert_eq!(Fact::kind_name(Fact::AUCTION_KIND), "ping-answered");
    }

    #[test]
    fn a_damaged_fact_is_refused() {
        let bytes = Fact::Expired(Expired { pings: vec![1, 2] }).encode();
        assert!(Fact::decode(9, bytes.get(..bytes.len() - 4).unwrap()).is_err());
    }

    #[test]
    fn payout_and_margin_are_the_price() {
        let terms = Terms::second_price(1, 0, 0, 150_000);
        let price = Micros::new(12_345_677);
        let Parts { payout, margin, .. } = terms.parts(price);
        assert_eq!(payout.checked_add(margin), Some(price));
        assert_eq!(margin, Micros::new(1_851_852));
    }
}
