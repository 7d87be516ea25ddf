//! The comparison: what another version of a module would have changed, in verdicts, in awards and in money.
//!
//! It is told of one lead at a time and only counts, so shadows, recorded leads and gates mean the same by a word. Its
//! memory has a bound however many leads there are. What it says does not depend on the order in which they come, as
//! long as [`CAMPAIGNS_MAX`] and [`WORDS_MAX`] are not passed.

mod examples;
mod gate;
mod readings;
mod report;
mod spent;
mod tally;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::facts::Terms;
use crate::ids::PingId;
use crate::money::Micros;

use self::examples::Examples;
use self::spent::Spent;
use self::tally::{Awards, Money, Row, Tally};

pub use self::examples::EXAMPLES_MAX;
pub use self::gate::{reading_shortfalls, shortfalls};
pub use self::readings::{Field, Read, Readings, VALUES_MAX};
pub use self::spent::WORDS_MAX;
pub use self::tally::Change;

/// The most campaigns that have lines of their own; the rest share one.
pub const CAMPAIGNS_MAX: usize = 1_000;
/// The line of the campaigns and words that are too many for lines of their own.
pub const OTHERS: &str = "(others)";

/// What a version says for one campaign about one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Bid(Micros),
    /// A bid whose price its buyer names over the network, and who was not asked then.
    Unpriced,
    /// Not wanted, for this reason.
    Refused(String),
    /// The call failed, so the campaign forfeits the lead.
    Failed,
}

/// One version's part in one auction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// For each campaign of the [`Sight`], in its order.
    pub said: Vec<Said>,
    /// The fuel of the call, or why it failed.
    pub spent: Result<u64, String>,
    /// The campaigns that would have won, of this module or not, in the order of their names.
    pub winners: Vec<String>,
    /// The price of each of them, in the same order.
    pub prices: Vec<Micros>,
    /// What each of them pays with its fees, in the same order.
    pub dues: Vec<Micros>,
}

/// One lead as two versions saw it.
#[derive(Clone, Debug)]
pub struct Sight {
    pub ping: PingId,
    pub terms: Terms,
    /// The campaigns that were asked.
    pub campaigns: Vec<String>,
    pub old: Side,
    pub new: Side,
}

impl Side {
    /// Returns what the buyers would have paid together, their fees included.
    fn paid(&self) -> Micros {
        self.dues.iter().fold(Micros::ZERO, |sum, due| tally::plus(sum, *due))
    }

    /// Returns what of it the source would have been paid: each copy's price is split by itself.
    fn payout(&self, terms: &Terms) -> Micros {
        let parts = self.prices.iter().map(|price| terms.payout(*price));
        parts.fold(Micros::ZERO, tally::plus)
    }
}

/// What two versions of a filter said about the same leads.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    leads: u64,
    verdicts: Tally,
    /// How many bids of each version have a price that is not known.
    unpriced: (u64, u64),
    awards: Awards,
    money: Money,
    old: Spent,
    new: Spent,
    campaigns: BTreeMap<String, Row>,
    examples: Examples,
}

impl Comparison {
    /// Returns how many leads both versions judged.
    pub fn leads(&self) -> u64 {
        self.leads
    }

    /// Returns whether the versions differ in a verdict, an award or a failed call. What they cost may differ.
    pub fn differs(&self) -> bool {
        self.verdicts.changed() > 0
            || self.awards.changed() > 0
            || self.awards.repriced > 0
            || self.old.failed() != self.new.failed()
    }

    /// Counts a lead. `lead` says what of it the filter reads; it is asked only if the lead is to be shown. Returns
    /// whether the versions differ about it.
    pub fn add(&mut self, sight: &Sight, lead: impl Fn() -> Json) -> bool {
        let Sight { terms, campaigns, old, new, .. } = sight;
        self.leads = self.leads.saturating_add(1);
        self.old.add(&old.spent);
        self.new.add(&new.spent);
        let (was, is) = (old.paid(), new.paid());
        self.money.buyers.add(was, is);
        self.money.sources.add(old.payout(terms), new.payout(terms));
        let mut differs = self.awards.add(old, new) || old.spent.is_ok() != new.spent.is_ok();
        let unpriced = |side: &Side| {
            let unpriced = side.said.iter().filter(|said| **said == Said::Unpriced);
            u64::try_from(unpriced.count()).unwrap_or(u64::MAX)
        };
        self.unpriced.0 = self.unpriced.0.saturating_add(unpriced(old));
        self.unpriced.1 = self.unpriced.1.saturating_add(unpriced(new));
        for (campaign, (before, after)) in campaigns.iter().zip(old.said.iter().zip(&new.said)) {
            let change = Change::between(before, after);
            self.verdicts.add(change);
            self.row(campaign).verdicts.add(change);
            if change != Change::Same {
                differs = true;
                self.examples.offer(sight, campaign, (before, after), &lead);
            }
        }
        for (campaign, due) in old.winners.iter().zip(&old.dues) {
            let row = self.row(campaign);
            row.won.0 = row.won.0.saturating_add(1);
            row.paid.add(*due, Micros::ZERO);
        }
        for (campaign, due) in new.winners.iter().zip(&new.dues) {
            let row = self.row(campaign);
            row.won.1 = row.won.1.saturating_add(1);
            row.paid.add(Micros::ZERO, *due);
        }
        differs
    }

    fn row(&mut self, campaign: &str) -> &mut Row {
        let known = self.campaigns.contains_key(campaign);
        let full = !known && self.campaigns.len() >= CAMPAIGNS_MAX;
        let name = if full { OTHERS } else { campaign };
        self.campaigns.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests;
