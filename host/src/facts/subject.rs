//! What each fact is about, by which its history is found.

use super::{Fact, StatusAsked};
use crate::ids::PingId;

impl Fact {
    /// Returns the ping that the fact is about, by which a receipt finds it; of a call, what its facts are found by.
    pub fn subject(&self) -> Option<PingId> {
        match self {
            Self::PingAnswered(fact) => Some(PingId::from_u128(fact.ping)),
            Self::Posted(fact) => Some(PingId::from_u128(fact.ping)),
            Self::AskedAgain(fact) | Self::StatusAsked(StatusAsked(fact)) => {
                Some(PingId::from_u128(fact.ping))
            }
            Self::ShipmentResent(fact) => Some(PingId::from_u128(fact.ping)),
            Self::TransferOffered(fact) => Some(PingId::from_u128(fact.ping)),
            Self::Delivered(fact) => Some(PingId::from_u128(fact.ping)),
            Self::Superseded(fact) => Some(PingId::from_u128(fact.ping)),
            Self::PostRefused(fact) => Some(PingId::from_u128(fact.ping)),
            Self::ContactErased(fact) => Some(PingId::from_u128(fact.ping)),
            Self::ReturnRequested(fact) => Some(PingId::from_u128(fact.ping)),
            Self::ReturnDecided(fact) => Some(PingId::from_u128(fact.ping)),
            Self::PostbackTried(fact) => Some(PingId::from_u128(fact.key.ping)),
            Self::PostbackResent(fact) => Some(PingId::from_u128(fact.key.ping)),
            Self::CallMade(fact) => Some(PingId::from_u128(super::called::subject(&fact.key))),
            Self::CallAnswered(fact) => Some(PingId::from_u128(super::called::subject(&fact.key))),
            Self::Transferred(_)
            | Self::KeyAdopted(_)
            | Self::Saved(_)
            | Self::SuppressionsAdded(_)
            | Self::SuppressionsRemoved(_)
            | Self::ModuleUploaded(_)
            | Self::ModuleStepped(_)
            | Self::Deposited(_)
            | Self::SubmissionRefused(_)
            | Self::ContactsSwept(_)
            | Self::MasterKeyRotated(_)
            | Self::Expired(_) => None,
        }
    }
}
