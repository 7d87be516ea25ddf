//! Two more closing checks: that who wanted to hear of its leads did, and that fees stand where they belong.

use super::checks::{Accounts, Check, Evidence, named};
use super::postbacks::{HEARS, Heard};
use crate::money::Micros;

/// Where fees are earned: of buyers and of sources, for each lead and in percent.
const FEES: [&str; 4] = [
    "exchange:buyer-lead-fees",
    "exchange:buyer-percent-fees",
    "exchange:source-lead-fees",
    "exchange:source-percent-fees",
];

/// Holds what the source and the buyer heard against what they are paid and what they bought.
pub(super) fn who_wants_to_hear_is_told(evidence: &Evidence) -> Check {
    let accounts = evidence.ledger.as_ref().cloned().unwrap_or_default();
    let (mut faults, mut told) = (Vec::new(), Vec::new());
    for owner in HEARS {
        let nothing = Heard::default();
        let heard = evidence.heard.get(owner).unwrap_or(&nothing);
        let (party, name) = owner.split_once('/').unwrap_or_default();
        let (sold, expected) = match party {
            "buyers" => {
                let book = evidence.books.get(name);
                let prices = book.into_iter().flat_map(|book| book.bought.values());
                let prices = prices.map(|bought| bought.price);
                (book.map_or(0, |book| book.bought.len()), sum(prices))
            }
            _ => {
                let owed = accounts.amount(&format!("source:{name}:payable"));
                (heard.sold.len(), Micros::ZERO.checked_sub(owed).unwrap_or_default())
            }
        };
        told.push(format!("{name} of {} sales for {}", heard.sold.len(), heard.sum()));
        if heard.sold.len() != sold || heard.sum() != expected {
            faults.push(format!("{name} was told of {} and not of {expected}", heard.sum()));
        }
        if heard.unsigned > 0 {
            faults.push(format!("{} messages to {name} are not signed", heard.unsigned));
        }
    }
    let any = evidence.heard.values().any(|heard| !heard.sold.is_empty());
    Check {
        claim: "a source and a buyer are told of every sale of theirs in signed postbacks",
        holds: faults.is_empty() && any && evidence.ledger.is_ok(),
        details: format!("{}{}", told.join(", "), named(&faults)),
    }
}

/// Holds the accounts of fees against what buyers pay and what sources get.
pub(super) fn fees_have_accounts_of_their_own(evidence: &Evidence) -> Check {
    let accounts = evidence.ledger.as_ref().cloned().unwrap_or_default();
    let credit = |name: &str| Micros::ZERO.checked_sub(accounts.amount(name)).unwrap_or_default();
    let charged = sum(evidence.books.values().map(|book| book.fees()));
    let of_buyers = sum(FEES.iter().take(2).map(|name| credit(name)));
    let of_sources = sum(FEES.iter().skip(2).map(|name| credit(name)));
    let paid = sum(evidence.books.values().map(super::buyers::Ledger::spent));
    let kept = [credit("exchange:revenue"), of_buyers, of_sources, accounts.owed_to_sources()];
    let mut faults = Vec::new();
    if charged != of_buyers {
        faults.push(format!("buyers booked {charged} of fees, the exchange {of_buyers}"));
    }
    if sum(kept.into_iter()) != paid {
        faults.push(format!("{paid} came in, {} is accounted for", sum(kept.into_iter())));
    }
    let [margin, .., owed] = kept;
    Check {
        claim: "what buyers pay is what sources get, the margin, and fees on accounts of their own",
        holds: faults.is_empty() && evidence.ledger.is_ok() && of_buyers.is_positive(),
        details: format!(
            "{paid} paid: {owed} to sources, {margin} margin, {of_buyers} fees of buyers, {of_sources} of sources{}",
            named(&faults)
        ),
    }
}

impl Accounts {
    /// Returns what all sources are owed.
    pub(super) fn owed_to_sources(&self) -> Micros {
        let payable = self.named("source:");
        payable.fold(Micros::ZERO, |sum, amount| sum.checked_sub(amount).unwrap_or(sum))
    }
}

fn sum(amounts: impl Iterator<Item = Micros>) -> Micros {
    amounts.fold(Micros::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
}
