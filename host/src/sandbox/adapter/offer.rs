//! What an adapter is told of an offer, and what it may reply.

use std::fmt;

use serde_json::Value as Json;

use super::wit;
use crate::lead::Schema;
use crate::money::Micros;
use crate::sandbox::call::Forfeit;

/// The longest text of a reply, in bytes; the rest is cut.
pub const REPLY_BYTES_MAX: usize = 1_000;
/// The longest name that a buyer gives its bid or its lead, in bytes.
pub const HANDLE_BYTES_MAX: usize = 1_024;

/// An offer without contact data.
#[derive(Clone, Copy, Debug)]
pub struct PingOffer<'a> {
    pub ping: &'a str,
    pub vertical: &'a str,
    /// The buyer's campaigns that may have the lead.
    pub campaigns: &'a [&'a str],
    pub currency: &'a str,
    pub deadline_ms: u32,
    pub test: bool,
    /// The lead's [ping view](crate::lead::PingView::frame).
    pub frame: &'a [u64],
}

/// What a buyer says to a ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PingReply {
    /// Wanted, at a price above zero.
    Bid { amount: Micros, campaign: Option<String>, handle: Option<String> },
    /// Not wanted.
    NoBid { reason: Option<String> },
    /// The answer cannot be understood.
    Invalid { reason: String },
}

/// A lead that a buyer has won.
#[derive(Clone, Copy)]
pub struct PostOffer<'a> {
    pub lead: &'a str,
    pub ping: &'a str,
    pub vertical: &'a str,
    pub campaign: &'a str,
    pub price: Micros,
    pub currency: &'a str,
    /// What the buyer called its bid.
    pub handle: Option<&'a str>,
    pub idempotency_key: &'a str,
    pub test: bool,
    /// The full lead: an object of field names and values, as [`crate::lead::Lead::to_json`] writes it.
    pub fields: &'a Json,
    /// Says of which kinds the values are; without it, their looks do.
    pub schema: Option<&'a Schema>,
}

/// Without the lead.
impl fmt::Debug for PostOffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostOffer").field("lead", &self.lead).finish_non_exhaustive()
    }
}

/// What a buyer says to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostReply {
    /// The buyer has taken the lead.
    Sold { reference: Option<String> },
    /// The buyer has clearly not taken the lead.
    Rejected { reason: String },
    /// The buyer says that it has this person already.
    Duplicate { reason: String },
    /// What became of the lead is not certain.
    Unknown { why: String },
}

impl PostReply {
    /// Returns what a status says by itself, whatever the body says: an adapter is not asked about these.
    pub fn by_status(status: u16) -> Option<Self> {
        let answered = format!("answered {status}");
        match status {
            // These say that the request was not handled here. Other redirects may point to the result of handling it.
            301 | 307 | 308 => Some(Self::Rejected {
                reason: format!("{answered}: redirects are not followed, use the final address"),
            }),
            200..=299 | 400..=407 | 409..=499 => None,
            _ => Some(Self::Unknown { why: answered }),
        }
    }
}

pub(super) fn ping_offer(offer: &PingOffer<'_>) -> wit::PingOffer {
    wit::PingOffer {
        ping: offer.ping.to_owned(),
        vertical: offer.vertical.to_owned(),
        campaigns: offer.campaigns.iter().map(|&campaign| campaign.to_owned()).collect(),
        currency: offer.currency.to_owned(),
        deadline_ms: offer.deadline_ms,
        test: offer.test,
    }
}

pub(super) fn post_offer(offer: &PostOffer<'_>) -> wit::PostOffer {
    wit::PostOffer {
        lead: offer.lead.to_owned(),
        ping: offer.ping.to_owned(),
        vertical: offer.vertical.to_owned(),
        campaign: offer.campaign.to_owned(),
        price: offer.price.get(),
        currency: offer.currency.to_owned(),
        handle: offer.handle.map(str::to_owned),
        idempotency_key: offer.idempotency_key.to_owned(),
        test: offer.test,
    }
}

pub(super) fn ping_reply(reply: wit::PingReply) -> Result<PingReply, Forfeit> {
    Ok(match reply {
        wit::PingReply::Bid(wit::Bid { amount, .. }) if amount <= 0 => {
            let fault = "a bid is above zero: what is not is no bid";
            return Err(Forfeit::BadOutput(fault.to_owned()));
        }
        wit::PingReply::Bid(wit::Bid { amount, campaign, handle }) => PingReply::Bid {
            amount: Micros::new(amount),
            campaign: campaign.map(|name| named("the bid's campaign", name)).transpose()?,
            handle: handle.map(|name| named("the bid's handle", name)).transpose()?,
        },
        wit::PingReply::NoBid(reason) => {
            PingReply::NoBid { reason: reason.map(|reason| cut(reason, REPLY_BYTES_MAX)) }
        }
        wit::PingReply::Invalid(reason) => {
            PingReply::Invalid { reason: cut(reason, REPLY_BYTES_MAX) }
        }
    })
}

pub(super) fn post_reply(reply: wit::PostReply) -> Result<PostReply, Forfeit> {
    let cut = |text| cut(text, REPLY_BYTES_MAX);
    Ok(match reply {
        wit::PostReply::Sold(reference) => PostReply::Sold {
            reference: reference.map(|name| named("the lead's reference", name)).transpose()?,
        },
        wit::PostReply::Rejected(reason) => PostReply::Rejected { reason: cut(reason) },
        wit::PostReply::Duplicate(reason) => PostReply::Duplicate { reason: cut(reason) },
        wit::PostReply::Unknown(why) => PostReply::Unknown { why: cut(why) },
    })
}

/// Takes a name that is sent back or kept.
fn named(what: &str, name: String) -> Result<String, Forfeit> {
    let fault = if name.is_empty() || name.len() > HANDLE_BYTES_MAX {
        format!("{what} has {} bytes, and can have 1 to {HANDLE_BYTES_MAX}", name.len())
    } else if name.chars().any(char::is_control) {
        format!("{what} has a control character")
    } else {
        return Ok(name);
    };
    Err(Forfeit::BadOutput(fault))
}

pub(super) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
