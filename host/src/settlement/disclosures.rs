//! To whom a lead was shown: every attempt begins with a durable fact, so this list is whole even after a crash.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::facts::{Delivered, Ended, Fact, StatusAsked};
use crate::ids::PingId;

/// Returns every attempt to hand the full lead to a buyer, in the order in which they began.
///
/// A status call is none: nothing of the lead is sent, but what its buyer says there tells what became of the attempt before.
///
/// `disclosed` says whether the buyer has the lead: `yes`, `no` if it certainly did not reach it, `maybe` while nobody knows.
pub fn disclosures(facts: &[(u64, Moment, Fact)]) -> Vec<Value> {
    let (mut winners, mut begun) = (Vec::new(), Vec::<Attempt>::new());
    let inquired = Inquired::of(facts.iter().map(|(_, _, fact)| fact));
    for (place, (seq, at, fact)) in facts.iter().enumerate() {
        let mut begin = |copy: u32, campaign: &str, buyer: &str, attempt: u32| {
            let (campaign, buyer) = (campaign.to_owned(), buyer.to_owned());
            begun.push(Attempt { seq: *seq, at: *at, copy, campaign, buyer, attempt, ended: None });
        };
        match fact {
            Fact::PingAnswered(auction) if !auction.test => winners.clone_from(&auction.winners),
            Fact::Posted(posted) => {
                let asked = (0..).zip(&winners);
                // Whoever waits is asked when its turn comes.
                for (copy, winner) in asked.filter(|(copy, _)| !posted.in_line.contains(copy)) {
                    begin(copy, &winner.campaign, &winner.buyer, 1);
                }
            }
            Fact::AskedAgain(again) => {
                begin(again.copy, &again.campaign, &again.buyer, again.attempt);
            }
            Fact::Delivered(delivered) => {
                // That a buyer says it does not have a lead does not mean that it never reached it.
                let says_nothing = delivered.ended == Ended::NotSent && inquired.ends_at(place);
                let attempt = begun.iter_mut().rev().find(|attempt| attempt.is_of(delivered));
                if let Some(attempt) = attempt.filter(|_| !says_nothing) {
                    attempt.ended = Some(delivered.ended);
                }
                if let Some(next) = delivered.successor.as_ref().filter(|_| !delivered.in_line) {
                    let (campaign, buyer) = (next.campaign.clone(), next.buyer.clone());
                    let copy = delivered.copy;
                    begun.push(Attempt {
                        seq: *seq,
                        at: *at,
                        copy,
                        campaign,
                        buyer,
                        attempt: 1,
                        ended: None,
                    });
                }
            }
            _ => (),
        }
    }
    begun.iter().map(Attempt::to_json).collect()
}

/// The ends of status calls among a ping's facts. An attempt is one if the last that began of its copy is.
#[derive(Debug, Default)]
pub(super) struct Inquired(BTreeSet<usize>);

impl Inquired {
    /// Reads facts in their order.
    pub(super) fn of<'f>(facts: impl Iterator<Item = &'f Fact>) -> Self {
        let (mut asking, mut ends) = (BTreeSet::new(), BTreeSet::new());
        for (place, fact) in facts.enumerate() {
            match fact {
                Fact::StatusAsked(StatusAsked(asked)) => drop(asking.insert(asked.copy)),
                Fact::AskedAgain(asked) => drop(asking.remove(&asked.copy)),
                Fact::Delivered(ended) if asking.remove(&ended.copy) => drop(ends.insert(place)),
                _ => (),
            }
        }
        Self(ends)
    }

    /// Returns whether the fact at this place is the end of a status call.
    pub(super) fn ends_at(&self, place: usize) -> bool {
        self.0.contains(&place)
    }
}

/// One attempt to hand one copy to one buyer.
struct Attempt {
    seq: u64,
    at: Moment,
    copy: u32,
    campaign: String,
    buyer: String,
    attempt: u32,
    ended: Option<Ended>,
}

impl Attempt {
    fn is_of(&self, delivered: &Delivered) -> bool {
        self.copy == delivered.copy && self.campaign == delivered.campaign
    }

    fn to_json(&self) -> Value {
        let disclosed = match self.ended {
            Some(Ended::Sold | Ended::Rejected) => "yes",
            Some(Ended::NotSent) => "no",
            Some(Ended::Unknown | Ended::Expired) | None => "maybe",
        };
        json!({
            "fact": self.seq,
            "at": self.at.to_string(),
            "copy": self.copy,
            "campaign": self.campaign,
            "buyer": self.buyer,
            "attempt": self.attempt,
            "disclosed": disclosed,
        })
    }
}

/// Returns when a ping's contact data was erased, by whom and why.
pub(super) fn erasure(facts: &[(u64, Moment, Fact)]) -> Option<Value> {
    facts.iter().find_map(|(seq, at, fact)| match fact {
        Fact::ContactErased(erased) => Some(json!({
            "fact": seq,
            "at": at.to_string(),
            "lead_id": PingId::from_u128(erased.ping).lead().to_string(),
            "by": erased.by,
            "why": erased.why,
            "voided": erased.voided,
        })),
        _ => None,
    })
}
