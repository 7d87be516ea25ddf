//! The most telling leads of a comparison: of each change the few with the largest effect on money.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::tally::minus;
use super::{Change, Said, Sight};
use crate::ids::PingId;
use crate::money::Micros;

/// How many leads are shown of each change.
pub const EXAMPLES_MAX: usize = 5;

/// What comes first: more money moved, a larger step of the bid; then what makes the order the same on every run.
type Rank = (Reverse<u64>, Reverse<u64>, PingId, String);

/// The leads kept so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Examples(BTreeMap<Change, BTreeMap<Rank, Json>>);

impl Examples {
    /// Keeps a lead whose verdict for this campaign changed, if it tells more than those kept so far.
    pub(super) fn offer(
        &mut self,
        sight: &Sight,
        campaign: &str,
        (old, new): (&Said, &Said),
        lead: impl Fn() -> Json,
    ) {
        let change = Change::between(old, new);
        let (was, is) = (sight.old.paid(), sight.new.paid());
        let moved = minus(is, was).get().unsigned_abs();
        let step = minus(amount(new), amount(old)).get().unsigned_abs();
        let rank = (Reverse(moved), Reverse(step), sight.ping, campaign.to_owned());
        let kept = self.0.entry(change).or_default();
        let last = kept.last_key_value().map(|(last, _)| last);
        if kept.len() >= EXAMPLES_MAX && last.is_some_and(|last| *last < rank) {
            return;
        }
        let example = json!({
            "ping": sight.ping.to_string(),
            "campaign": campaign,
            "change": change.code(),
            "old": said(old, &sight.old.spent),
            "new": said(new, &sight.new.spent),
            "winners": {"old": sight.old.winners, "new": sight.new.winners},
            "buyers_pay": {
                "old": was.to_string(),
                "new": is.to_string(),
                "change": minus(is, was).to_string(),
            },
            "lead": lead(),
        });
        kept.insert(rank, example);
        if kept.len() > EXAMPLES_MAX {
            kept.pop_last();
        }
    }

    /// Returns the leads, those that move most money first.
    pub(super) fn to_json(&self) -> Vec<Json> {
        let mut all: Vec<(&Rank, &Json)> = self.0.values().flatten().collect();
        all.sort_by_key(|(rank, _)| *rank);
        all.into_iter().map(|(_, example)| example.clone()).collect()
    }
}

fn amount(said: &Said) -> Micros {
    match said {
        Said::Bid(amount) => *amount,
        Said::Unpriced | Said::Refused(_) | Said::Failed => Micros::ZERO,
    }
}

fn said(said: &Said, spent: &Result<u64, String>) -> Json {
    match (said, spent) {
        (Said::Bid(amount), _) => json!({"bid": amount.to_string()}),
        (Said::Unpriced, _) => json!({"unpriced": "its buyer was not asked"}),
        (Said::Refused(reason), _) => json!({"refused": reason}),
        (Said::Failed, Err(words)) => json!({"failed": words}),
        (Said::Failed, Ok(_)) => json!({"failed": ""}),
    }
}
