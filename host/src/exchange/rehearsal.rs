//! A rehearsal: one recorded auction is held again, from its lead to its winners.
//!
//! What depends on more than the record is taken from it: what the book said before bids were asked for, what remote
//! buyers answered, that the source's
//! deadline had passed, and calls that ended because of the machine and not because of the module.

use std::collections::HashMap;

use super::close::{Closed, close};
use crate::book::Bar;
use crate::catalog::{Campaign, Vertical};
use crate::clock::Moment;
use crate::facts::{Asked, Counted, LeftOut, PingAnswered};
use crate::ids::{PingId, SourceId};
use crate::lead::PingView;
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::sandbox::Forfeit;
use crate::{bidding, matching};

/// Which modules were out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Services {
    /// The catalog says it.
    Known,
    /// It is taken from the record: the catalog is an excerpt.
    AsRecorded,
}

/// An auction that was held again.
pub(super) struct Rehearsed {
    pub(super) closed: Closed,
    /// What remote buyers said, as it was recorded.
    pub(super) asked: Vec<Asked>,
}

/// Holds an auction again. `covers` is the book's word at its end.
pub(super) fn rehearse(
    recorded: &PingAnswered,
    (vertical, lead, source): (&Vertical, &PingView, &SourceId),
    (at, services): (Moment, Services),
    covers: impl Fn(&Campaign, Micros) -> Result<Counted, Bar>,
) -> Rehearsed {
    let told = told(recorded, services);
    let policy = vertical.policy(lead, source.as_str());
    let mut shortlist = matching::shortlist(vertical, lead, source, at, |campaign| {
        policy.place(campaign).ok_or((Exclusion::NotInPolicy, None))?;
        told.get(campaign.id.as_str())
            .map_or(Ok(()), |(exclusion, known)| Err((*exclusion, known.detail.clone())))
    });
    for left in &mut shortlist.left_out {
        let known = told.get(left.campaign.as_str());
        // An adapter is looked at before schedules and criteria are.
        let known = known.filter(|(exclusion, known)| {
            *exclusion == Exclusion::AdapterOutOfService || known.reason == left.reason
        });
        if let Some((_, known)) = known {
            left.clone_from(known);
        }
    }
    let ping = PingId::from_u128(recorded.ping);
    let said = (&recorded.asked[..], &recorded.bids[..], &recorded.left_out[..]);
    let bids =
        bidding::collect_again(vertical, shortlist, &recorded.frame, ping, &recorded.filters, said);
    let asked = bids.asked.clone();
    let deadline = Exclusion::DeadlinePassed.code();
    let late = recorded.left_out.iter().any(|left| left.reason == deadline);
    // Replays compare them with the book's; anywhere else they are the record's word.
    let rejects = |buyer: &str| {
        let bid = recorded.bids.iter().find(|bid| bid.buyer == buyer);
        bid.map_or(0, |bid| bid.rejects)
    };
    let mut closed = close(&recorded.terms, policy, ping, bids, late, covers, rejects);
    if services == Services::AsRecorded {
        detail_as_recorded(&mut closed, recorded);
    }
    Rehearsed { closed, asked }
}

/// Returns what the record says that the book said at the auction's end of a campaign that bid.
pub(super) fn covered(recorded: &PingAnswered, campaign: &str) -> Result<Counted, Bar> {
    let left = recorded.left_out.iter().find(|left| left.campaign == campaign);
    let exclusion = left.and_then(|left| Exclusion::from_code(&left.reason));
    if let Some(exclusion) = exclusion.filter(|exclusion| exclusion.is_of_the_book()) {
        return Err(Bar { exclusion, detail: None });
    }
    let winner = recorded.winners.iter().find(|winner| winner.campaign == campaign);
    Ok(winner.map(|winner| winner.counted).unwrap_or_default())
}

/// What exactly stood against a bid is the book's to say too.
fn detail_as_recorded(closed: &mut Closed, recorded: &PingAnswered) {
    for left in &mut closed.left_out {
        let mut known = recorded.left_out.iter();
        let known =
            known.find(|known| known.campaign == left.campaign && known.reason == left.reason);
        let of_the_book = Exclusion::from_code(&left.reason).is_some_and(Exclusion::is_of_the_book);
        if let Some(known) = known.filter(|_| of_the_book) {
            left.detail.clone_from(&known.detail);
        }
    }
}

/// Returns what is taken as recorded of campaigns before bids are asked for.
fn told(recorded: &PingAnswered, services: Services) -> HashMap<&str, (Exclusion, &LeftOut)> {
    let bid = |campaign: &str| recorded.bids.iter().any(|bid| bid.campaign == campaign);
    let left = recorded.left_out.iter();
    let known = left.filter_map(|left| Some((Exclusion::from_code(&left.reason)?, left)));
    known
        .filter(|(exclusion, left)| match exclusion {
            Exclusion::FilterForfeited => left.detail.as_deref().is_some_and(of_the_machine),
            Exclusion::FilterOutOfService | Exclusion::AdapterOutOfService => {
                services == Services::AsRecorded
            }
            exclusion => exclusion.is_of_the_book() && !bid(&left.campaign),
        })
        .map(|(exclusion, left)| (left.campaign.as_str(), (exclusion, left)))
        .collect()
}

/// Returns whether a call that ended so may end otherwise on another machine or another day.
fn of_the_machine(code: &str) -> bool {
    code == Forfeit::OutOfTime.code() || code == Forfeit::NoRoom.code()
}
