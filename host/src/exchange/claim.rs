//! The claim of a ping by its post: whether this person may be sold, and which of those who won may have it. All of it
//! is decided before anything is shown to anybody.

use std::sync::Arc;

use super::Exchange;
use super::suppressions::{self, Listed, kind};
use crate::book::{Bar, Entry, OpenPing, State};
use crate::catalog::{Campaign, Market, Reach, Vertical};
use crate::clock::Moment;
use crate::contacts::OpenLead;
use crate::delivery;
use crate::facts::{BidMade, Fact, PassedOver, Person, PingAnswered, PostRefused, Posted, Winner};
use crate::ids::PingId;
use crate::lead::{Lead, PingView, Value};
use crate::reasons::Refusal;

/// Whom a lead is about, as the book knows people.
#[derive(Debug, Default)]
pub(super) struct Whom {
    pub(super) person: Person,
    /// The person as suppression lists have it.
    pub(super) entries: Vec<Entry>,
}

impl Exchange {
    /// Returns whom a full lead is about: by its contact fields `phone` and `email`, and those whose names end so.
    pub(super) fn whom(&self, lead: &Lead) -> Whom {
        let mut whom = Whom::default();
        for (field, value) in lead.values().filter(|(field, _)| field.contact) {
            let Value::Text(text) = value else { continue };
            let Some(reach) = reach_of(&field.name) else { continue };
            let print = self.contacts.person_print(kind(reach), text);
            let print = Some(print).filter(|print| *print != [0; 32]);
            let known = match reach {
                Reach::Phone => &mut whom.person.phone,
                Reach::Email => &mut whom.person.email,
            };
            *known = known.or(print);
            whom.entries.extend(suppressions::spelled(&self.contacts, reach, text));
        }
        whom
    }

    /// Returns the person of a full lead as suppression lists have it.
    pub(super) fn entries(&self, lead: &OpenLead) -> Vec<Entry> {
        let members = lead.as_object().into_iter().flatten();
        let reached = members.filter_map(|(name, value)| Some((reach_of(name)?, value.as_str()?)));
        reached
            .flat_map(|(reach, text)| suppressions::spelled(&self.contacts, reach, text))
            .collect()
    }

    /// Returns the hashed phone numbers and e-mail addresses that a ping brings in fields such as `phone_sha256` and
    /// `email_md5`, as suppression lists have them.
    pub(super) fn hashed(&self, view: &PingView) -> Vec<Entry> {
        let hashes = view.values().filter_map(|(field, value)| {
            let (name, form) = field.name.rsplit_once('_')?;
            let Value::Text(text) = value else { return None };
            if !matches!(form, "md5" | "sha1" | "sha256" | "hash") {
                return None;
            }
            match self.listed(reach_of(name)?, text) {
                Some(Listed::Hashed(entry)) => Some(entry),
                Some(Listed::Plain(_)) | None => None,
            }
        });
        hashes.collect()
    }
}

/// Returns what a contact field reaches, by its name.
fn reach_of(name: &str) -> Option<Reach> {
    match name.rsplit('_').next() {
        Some("phone") => Some(Reach::Phone),
        Some("email") => Some(Reach::Email),
        _ => None,
    }
}

/// Says whether a campaign may bid for the lead of a ping that brings these hashes.
pub(super) fn admits(
    book: &State,
    market: &Market,
    campaign: &Campaign,
    hashes: &[Entry],
    print: [u8; 32],
    at: Moment,
) -> Result<(), Bar> {
    book.suppressed(market.suppressions(), hashes)?;
    book.suppressed(campaign.suppressions.iter().chain(&campaign.buyer.suppressions), hashes)?;
    book.admits(campaign, print, at)
}

/// Returns the fact of a post in time: it claims its ping, or its person may not be sold. A winner that may not have
/// the person is passed over, and its copy goes to whom clearing the recorded bids again gives it. Who gets a copy is
/// asked at once, unless it `waits`.
pub(super) fn claim(
    book: &State,
    market: &Market,
    open: &OpenPing,
    whom: &Whom,
    mut posted: Posted,
    waits: impl Fn(&Winner) -> bool,
    at: Moment,
) -> Fact {
    let auction = &open.auction;
    posted.person = whom.person;
    let Some(vertical) = market.vertical_named(&auction.vertical) else {
        return Fact::Posted(posted);
    };
    let listed = book.suppressed(market.suppressions(), &whom.entries);
    if let Err(bar) = listed {
        return refused(posted, Refusal::Suppressed, bar);
    }
    if let Err(bar) = book.may_sell(vertical, &whom.person, at) {
        return refused(posted, Refusal::DuplicatePerson, bar);
    }
    posted.passed_over = barred(book, vertical, auction, whom, at);
    let is_barred = |campaign: &str, passed: &[PassedOver]| {
        passed.iter().any(|passed| passed.campaign == campaign)
    };
    let mut takers: Vec<String> = auction
        .winners
        .iter()
        .filter(|winner| !is_barred(&winner.campaign, &posted.passed_over))
        .map(|winner| winner.buyer.clone())
        .collect();
    for (copy, winner) in (0_u32..).zip(&auction.winners) {
        if !is_barred(&winner.campaign, &posted.passed_over) {
            continue;
        }
        let free = |bid: &BidMade| {
            !takers.contains(&bid.buyer) && !is_barred(&bid.campaign, &posted.passed_over)
        };
        let successor: Option<Winner> = delivery::successor(book, market, open, free, at);
        takers.extend(successor.as_ref().map(|successor| successor.buyer.clone()));
        let mut passed = posted.passed_over.iter_mut();
        if let Some(passed) = passed.find(|passed| passed.campaign == winner.campaign) {
            (passed.copy, passed.successor) = (Some(copy), successor);
        }
    }
    let in_line = (0_u32..).zip(&auction.winners).filter(|(copy, winner)| {
        let mut passed = posted.passed_over.iter();
        let passed = passed.find(|passed| passed.copy == Some(*copy));
        let taker = passed.map_or(Some(*winner), |passed| passed.successor.as_ref());
        taker.is_some_and(&waits)
    });
    posted.in_line = in_line.map(|(copy, _)| copy).collect();
    Fact::Posted(posted)
}

/// Returns whether a claim leaves somebody who gets the lead.
pub(super) fn hands_over(fact: &Fact, auction: &PingAnswered) -> bool {
    let Fact::Posted(posted) = fact else { return false };
    let passed = posted.passed_over.iter();
    let lost = passed.filter(|passed| passed.copy.is_some() && passed.successor.is_none());
    lost.count() < auction.winners.len()
}

/// Returns the bidders that may not have the person, in the order of the bids.
fn barred(
    book: &State,
    vertical: &Vertical,
    auction: &PingAnswered,
    whom: &Whom,
    at: Moment,
) -> Vec<PassedOver> {
    let bids = auction.bids.iter().filter_map(|bid| {
        let campaign: &Arc<Campaign> = vertical.campaign(&bid.campaign)?;
        let bar = book.may_have(campaign, &whom.person, &whom.entries, at).err()?;
        let (reason, detail) = bar.told();
        Some(PassedOver {
            campaign: bid.campaign.clone(),
            buyer: bid.buyer.clone(),
            reason: reason.code().to_owned(),
            detail,
            copy: None,
            successor: None,
        })
    });
    bids.collect()
}

fn refused(posted: Posted, reason: Refusal, bar: Bar) -> Fact {
    let Posted { ping, body, request, .. } = posted;
    let reason = reason.code().to_owned();
    let (_, detail) = bar.told();
    tracing::debug!(ping = %PingId::from_u128(ping), %reason, "post refused for its person");
    Fact::PostRefused(PostRefused { ping, body, request, reason, detail })
}
