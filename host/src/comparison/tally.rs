//! The counts of a comparison.

use super::{Said, Side};
use crate::money::Micros;

/// How a version's word about a lead stands to the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Same,
    /// A bid became none: refused, or the call failed.
    NewlyRefused,
    NewlyBid,
    PriceUp,
    PriceDown,
    /// A bid either way, and one of the prices is not known.
    PriceUnknown,
    /// No bid either way, for another reason.
    ReasonChanged,
}

impl Change {
    /// Every change, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Same,
        Self::NewlyRefused,
        Self::NewlyBid,
        Self::PriceUp,
        Self::PriceDown,
        Self::PriceUnknown,
        Self::ReasonChanged,
    ];

    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::NewlyRefused => "newly_refused",
            Self::NewlyBid => "newly_bid",
            Self::PriceUp => "price_up",
            Self::PriceDown => "price_down",
            Self::PriceUnknown => "price_unknown",
            Self::ReasonChanged => "reason_changed",
        }
    }

    pub(super) fn between(old: &Said, new: &Said) -> Self {
        match (old, new) {
            (Said::Bid(old), Said::Bid(new)) => match new.cmp(old) {
                std::cmp::Ordering::Equal => Self::Same,
                std::cmp::Ordering::Greater => Self::PriceUp,
                std::cmp::Ordering::Less => Self::PriceDown,
            },
            (Said::Bid(_), Said::Unpriced) | (Said::Unpriced, Said::Bid(_)) => Self::PriceUnknown,
            (Said::Bid(_) | Said::Unpriced, Said::Refused(_) | Said::Failed) => Self::NewlyRefused,
            (Said::Refused(_) | Said::Failed, Said::Bid(_) | Said::Unpriced) => Self::NewlyBid,
            (old, new) if old == new => Self::Same,
            _ => Self::ReasonChanged,
        }
    }
}

/// How many verdicts changed in which way. A verdict is one campaign's about one lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally([u64; Change::ALL.len()]);

impl Tally {
    pub(super) fn add(&mut self, change: Change) {
        for (count, _) in self.0.iter_mut().zip(Change::ALL).filter(|(_, other)| *other == change) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn of(&self, change: Change) -> u64 {
        let all = self.0.iter().zip(Change::ALL);
        all.filter(|(_, other)| *other == change).map(|(count, _)| *count).sum()
    }

    pub(super) fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn changed(&self) -> u64 {
        self.all().saturating_sub(self.of(Change::Same))
    }
}

/// Returns what percentage a part is of the whole, as text with as many digits as tell it from none and all.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let scaled = u128::from(part).saturating_mul(100_000_000) / u128::from(whole.max(1));
    let percent = Micros::new(i64::try_from(scaled).unwrap_or(i64::MAX));
    // As many as a threshold can have, and more where those would show nothing.
    let decimals = if scaled >= 100 { 4 } else { 6 };
    let shown = percent.with_decimals(decimals.min(percent.decimals()));
    match shown.split_once('.') {
        Some((whole, digits)) => match digits.trim_end_matches('0') {
            "" => whole.to_owned(),
            digits => format!("{whole}.{digits}"),
        },
        None => shown,
    }
}

/// How many auctions would have ended otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Awards {
    pub(super) same: u64,
    /// The same winners at another price.
    pub(super) repriced: u64,
    /// Other winners.
    pub(super) other_winners: u64,
    /// Winners where there were none.
    pub(super) new: u64,
    /// No winners where there were some.
    pub(super) lost: u64,
}

impl Awards {
    /// Returns whether the auction ends otherwise.
    pub(super) fn add(&mut self, old: &Side, new: &Side) -> bool {
        let count = match (old.winners.is_empty(), new.winners.is_empty()) {
            (true, true) => &mut self.same,
            (true, false) => &mut self.new,
            (false, true) => &mut self.lost,
            (false, false) if old.winners != new.winners => &mut self.other_winners,
            (false, false) if old.prices != new.prices => &mut self.repriced,
            (false, false) => &mut self.same,
        };
        *count = count.saturating_add(1);
        !(old.winners == new.winners && old.prices == new.prices)
    }

    /// Returns how many have other winners.
    pub(super) fn changed(&self) -> u64 {
        self.other_winners.saturating_add(self.new).saturating_add(self.lost)
    }
}

/// An amount with each version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) old: Micros,
    pub(super) new: Micros,
}

impl Amounts {
    pub(super) fn add(&mut self, old: Micros, new: Micros) {
        self.old = plus(self.old, old);
        self.new = plus(self.new, new);
    }

    /// Returns by how much the new one is more.
    pub(super) fn change(self) -> Micros {
        minus(self.new, self.old)
    }

    /// Returns these amounts without those that are part of them.
    pub(super) fn without(self, part: Self) -> Self {
        Self { old: minus(self.old, part.old), new: minus(self.new, part.new) }
    }
}

/// What would have been paid, if every winner had taken its copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Money {
    pub(super) buyers: Amounts,
    /// What of it the sources would have been paid; the exchange keeps the rest.
    pub(super) sources: Amounts,
}

/// What became of one campaign. It may be of another module, or of none, and win what this one leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) verdicts: Tally,
    /// How many leads it wins, with the old and the new version.
    pub(super) won: (u64, u64),
    pub(super) paid: Amounts,
}

impl Row {
    pub(super) fn changed(&self) -> bool {
        self.verdicts.changed() > 0 || self.won.0 != self.won.1 || self.paid.old != self.paid.new
    }
}

/// The largest amount is its own more.
pub(super) fn plus(one: Micros, other: Micros) -> Micros {
    Micros::new(one.get().saturating_add(other.get()))
}

/// The least amount is its own less.
pub(super) fn minus(one: Micros, other: Micros) -> Micros {
    Micros::new(one.get().saturating_sub(other.get()))
}
