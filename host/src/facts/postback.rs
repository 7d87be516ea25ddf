//! What became of postbacks, and by what each of them is known.

use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};

use crate::ids::PingId;

/// Whom a postback goes to.
#[derive(
    Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum Party {
    Source,
    Buyer,
}

impl Party {
    pub const ALL: [Self; 2] = [Self::Source, Self::Buyer];

    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Buyer => "buyer",
        }
    }
}

/// What a postback tells.
#[derive(
    Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum Event {
    /// A copy was sold.
    Sold,
    /// Nobody took a posted lead: every copy was refused or given up.
    Rejected,
    /// A sold copy was given back.
    Returned,
    /// Nobody posted an accepted ping in time.
    Expired,
}

impl Event {
    pub const ALL: [Self; 4] = [Self::Sold, Self::Rejected, Self::Returned, Self::Expired];

    /// Returns the word that stands for it in bodies, settings and lists.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sold => "lead.sold",
            Self::Rejected => "lead.rejected",
            Self::Returned => "lead.returned",
            Self::Expired => "ping.expired",
        }
    }

    /// Returns whether somebody of this kind is told of it at all.
    pub const fn is_for(self, party: Party) -> bool {
        match (self, party) {
            (Self::Sold | Self::Returned, _) | (_, Party::Source) => true,
            (Self::Rejected | Self::Expired, Party::Buyer) => false,
        }
    }

    /// Returns its word in ids, which have no full stops.
    const fn short(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::Expired => "expired",
        }
    }
}

/// What tells one postback from every other. It follows from what is told to whom, so the same news has the same id,
/// whenever and however often it is sent.
#[derive(
    Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub struct PostbackKey {
    pub ping: u128,
    /// Which copy of the lead; 0 where it is about all of them.
    pub copy: u32,
    pub event: Event,
    pub party: Party,
}

impl PostbackKey {
    /// Reads an id.
    pub fn parse(id: &str) -> Option<Self> {
        let mut parts = id.strip_prefix("pb_")?.split('-');
        let mut next = || parts.next();
        let ping = PingId::parse(&format!("pg_{}", next()?)).ok()?.as_u128();
        let copy = next()?.parse().ok()?;
        let (event, party) = (next()?, next()?);
        let event = Event::ALL.into_iter().find(|known| known.short() == event)?;
        let party = Party::ALL.into_iter().find(|known| known.code() == party)?;
        let key = Self { ping, copy, event, party };
        // One spelling only.
        (key.to_string() == id).then_some(key)
    }
}

/// Its id: what receivers know a message again by.
impl fmt::Display for PostbackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ping = PingId::from_u128(self.ping).to_string();
        let ping = ping.trim_start_matches("pg_");
        write!(f, "pb_{ping}-{}-{}-{}", self.copy, self.event.short(), self.party.code())
    }
}

/// How one attempt to send a postback ended.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PostbackTried {
    pub key: PostbackKey,
    /// The source or buyer that it is for.
    pub owner: String,
    /// From 1; it begins anew when the postback is sent again by hand.
    pub attempt: u32,
    pub ended: PostbackEnd,
    /// The HTTP status that came back, 0 if none did.
    pub status: u16,
    /// Why it was not taken; empty if it was.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// When it is tried again.
    pub again_ms: Option<i64>,
}

/// The ends of a postback's attempt.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostbackEnd {
    /// The receiver took it.
    Delivered,
    /// It did not; it is tried again.
    Failed,
    /// It did not, and is not tried again by itself.
    Dead,
}

impl PostbackEnd {
    /// Returns the word that stands for it in receipts and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

/// Somebody wants a postback sent again, now.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PostbackResent {
    pub key: PostbackKey,
    /// The source or buyer that it is for.
    pub owner: String,
    /// Who wants it: `operator`, `source` or `buyer`.
    pub by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_has_no_full_stop() {
        for (event, party) in [(Event::Sold, Party::Buyer), (Event::Expired, Party::Source)] {
            let key = PostbackKey { ping: 7 << 80, copy: 3, event, party };
            let id = key.to_string();
            assert_eq!(PostbackKey::parse(&id), Some(key), "{id}");
            assert!(!id.contains('.'), "{id}");
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let key = PostbackKey { ping: 7, copy: 0, event: Event::Sold, party: Party::Buyer };
        let id = key.to_string();
        for text in [
            "",
            "pb_",
            "pb_x-0-sold-buyer",
            &id.replace("-0-", "-00-"),
            &id.replace("buyer", "operator"),
            &id.replace("sold", "lost"),
            &format!("{id}-x"),
            id.trim_start_matches("pb_"),
        ] {
            assert_eq!(PostbackKey::parse(text), None, "{text}");
        }
    }
}
