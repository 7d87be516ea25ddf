//! The closing checks: the sources' answers, the buyers' books, the receipts and the ledger must tell one story.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::buyers::Ledger;
use super::market::{BUYERS, CAMPAIGNS, SWAPPED, VERTICALS};
use super::postbacks::Heard;
use super::receipts::Receipt;
use super::swap::Swap;
use super::tally::{Counts, Sale};
use super::telling::{fees_have_accounts_of_their_own, who_wants_to_hear_is_told};
use crate::money::Micros;

/// How many offenders a check names.
const NAMED_MAX: usize = 3;

/// Something that must hold, and whether it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// What must hold.
    pub(super) claim: &'static str,
    pub(super) holds: bool,
    /// The figures that it rests on, or what contradicts it.
    pub(super) details: String,
}

/// Everything that was said on all sides.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) counts: Counts,
    /// Every lead that its source was told is sold, with its receipt.
    pub(super) sales: Vec<(Sale, Result<Receipt, String>)>,
    /// Leads whose outcome stayed open past all patience.
    pub(super) still_open: usize,
    /// The buyers' own books, by buyer.
    pub(super) books: BTreeMap<&'static str, Ledger>,
    /// What was told in postbacks, by whom it was told.
    pub(super) heard: BTreeMap<&'static str, Heard>,
    /// The exchange's ledger.
    pub(super) ledger: Result<Accounts, String>,
    pub(super) swap: Result<Swap, String>,
}

/// The exchange's ledger: what every account holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    amounts: BTreeMap<String, Micros>,
}

impl Accounts {
    /// Reads `{"accounts": {name: amount}}`.
    pub(super) fn read(json: &Value) -> Self {
        let micros = |value: &Value| Micros::parse(value.as_str()?).ok();
        let accounts = json.get("accounts").and_then(Value::as_object);
        let amounts = accounts.into_iter().flatten();
        Self {
            amounts: amounts
                .filter_map(|(name, amount)| Some((name.clone(), micros(amount)?)))
                .collect(),
        }
    }

    pub(super) fn amount(&self, name: &str) -> Micros {
        self.amounts.get(name).copied().unwrap_or_default()
    }

    /// Returns the amounts of all accounts whose names begin so.
    pub(super) fn named<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Micros> + 'a {
        let named = self.amounts.iter().filter(move |(name, _)| name.starts_with(prefix));
        named.map(|(_, amount)| *amount)
    }
}

/// Holds the evidence against every claim.
pub(super) fn all(evidence: &Evidence) -> Vec<Check> {
    vec![
        every_offer_is_answered(&evidence.counts),
        every_no_has_a_reason(&evidence.counts),
        every_outcome_is_known(evidence),
        every_sale_has_a_receipt(evidence),
        no_lead_is_sold_too_often(evidence),
        a_repeated_post_hears_the_same(&evidence.counts),
        buyers_owe_what_they_bought(evidence),
        sources_get_what_they_were_told(evidence),
        fees_have_accounts_of_their_own(evidence),
        who_wants_to_hear_is_told(evidence),
        the_filter_was_swapped(evidence),
    ]
}

fn every_offer_is_answered(counts: &Counts) -> Check {
    let why = counts.last_unanswered.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    Check {
        claim: "every ping got an answer",
        holds: counts.offered > 0 && counts.answered == counts.offered && counts.unanswered == 0,
        details: format!(
            "{} offered, {} answered, {} calls without an answer{why}",
            counts.offered, counts.answered, counts.unanswered,
        ),
    }
}

fn every_no_has_a_reason(counts: &Counts) -> Check {
    let noes: u64 = counts.said_no.values().sum();
    let quotes: Vec<&str> =
        counts.unexplained_quotes.iter().take(NAMED_MAX).map(String::as_str).collect();
    let mut details = format!(
        "{noes} times no with a reason, {} refused with a code, {} unexplained",
        counts.refusals(),
        counts.unexplained,
    );
    if !quotes.is_empty() {
        details.push_str(&format!(": {}", quotes.join(" | ")));
    }
    Check {
        claim: "every answer has a status, and every no a reason",
        holds: counts.unexplained == 0,
        details,
    }
}

fn every_outcome_is_known(evidence: &Evidence) -> Check {
    Check {
        claim: "every posted lead has an outcome",
        holds: evidence.still_open == 0,
        details: format!("{} posted, {} still open", evidence.counts.posted, evidence.still_open),
    }
}

fn every_sale_has_a_receipt(evidence: &Evidence) -> Check {
    let campaigns = campaigns_by_vertical();
    let faults = evidence.sales.iter().filter_map(|(sale, receipt)| {
        let fault = match receipt {
            Ok(receipt) => receipt_fault(receipt, &campaigns)?,
            Err(error) => error.clone(),
        };
        Some(format!("{}: {fault}", sale.ping_id))
    });
    let faults: Vec<String> = faults.collect();
    let left_out: usize = evidence
        .sales
        .iter()
        .filter_map(|(_, receipt)| Some(receipt.as_ref().ok()?.left_out.len()))
        .sum();
    Check {
        claim: "every sale has a signed receipt with modules, winner, price, and a reason for everyone else",
        holds: faults.is_empty() && !evidence.sales.is_empty(),
        details: format!(
            "{} sales, {left_out} campaigns left out with a reason{}",
            evidence.sales.len(),
            named(&faults),
        ),
    }
}

/// Says what a receipt lacks.
fn receipt_fault(receipt: &Receipt, campaigns: &BTreeMap<&str, BTreeSet<&str>>) -> Option<String> {
    let is_digest = |digest: &str| digest.starts_with("sha256:");
    if let Some(fault) = &receipt.unproven {
        return Some(format!("it does not verify: {fault}"));
    }
    if receipt.status != "sold" {
        return Some(format!("its status is `{}`", receipt.status));
    }
    if !receipt.normalizer.as_deref().is_some_and(is_digest) {
        return Some("it does not name its normalizer".to_owned());
    }
    if let Some((name, _)) = receipt.filters.iter().find(|(_, digest)| !is_digest(digest)) {
        return Some(format!("the filter {name} has no digest"));
    }
    if receipt.sales.is_empty() || receipt.sales.iter().any(|sale| !sale.price.is_positive()) {
        return Some("it names no buyer with a price".to_owned());
    }
    let above = |sale: &&super::receipts::Delivered| {
        receipt.bids.get(&sale.campaign).is_none_or(|bid| sale.price > *bid)
    };
    if let Some(sale) = receipt.sales.iter().find(above) {
        return Some(format!("{} pays more than it bid", sale.campaign));
    }
    if let Some(left) = receipt.left_out.iter().find(|left| left.code.is_empty()) {
        return Some(format!("{} was left out without a reason", left.campaign));
    }
    let explained = |campaign: &&&str| {
        receipt.winners.contains_key(**campaign)
            || receipt.left_out.iter().any(|left| left.campaign == **campaign)
    };
    let Some(expected) = campaigns.get(receipt.vertical.as_str()) else {
        return Some(format!("its vertical is `{}`", receipt.vertical));
    };
    let missing = expected.iter().find(|campaign| !explained(campaign))?;
    Some(format!("it does not say why {missing} did not win"))
}

fn no_lead_is_sold_too_often(evidence: &Evidence) -> Check {
    let verticals = vertical_of_campaigns();
    let mut buyers_of: BTreeMap<&str, (usize, u32)> = BTreeMap::new();
    for book in evidence.books.values() {
        for (lead, bought) in &book.bought {
            let vertical = verticals.get(bought.campaign.as_str());
            let vertical = VERTICALS.iter().find(|known| Some(&known.id) == vertical);
            let copies = vertical.map_or(1, |vertical| vertical.copies);
            buyers_of.entry(lead).or_insert((0, copies)).0 += 1;
        }
    }
    let twice = evidence.books.values().flat_map(|book| book.sold_twice.iter().cloned());
    let mut faults: Vec<String> = twice.collect();
    let too_often = buyers_of.iter().filter(|(_, (buyers, copies))| {
        u32::try_from(*buyers).is_ok_and(|buyers| buyers > *copies)
    });
    faults.extend(too_often.map(|(lead, _)| (*lead).to_owned()));
    let exclusive = buyers_of.values().filter(|(_, copies)| *copies == 1).count();
    Check {
        claim: "no lead is sold more often than allowed, by the buyers' own books",
        holds: faults.is_empty(),
        details: format!(
            "{} leads bought, {exclusive} of them exclusive{}",
            buyers_of.len(),
            named(&faults),
        ),
    }
}

fn a_repeated_post_hears_the_same(counts: &Counts) -> Check {
    Check {
        claim: "a post that is sent twice under one key hears the same twice",
        holds: counts.repeated_differently == 0,
        details: format!(
            "{} repeated, {} heard something else",
            counts.repeated, counts.repeated_differently,
        ),
    }
}

fn buyers_owe_what_they_bought(evidence: &Evidence) -> Check {
    let accounts = evidence.ledger.as_ref().cloned().unwrap_or_default();
    let mut faults = Vec::new();
    let mut gross = Micros::ZERO;
    for buyer in BUYERS {
        let spent = evidence.books.get(buyer.id).map(Ledger::spent).unwrap_or_default();
        gross = gross.checked_add(spent).unwrap_or(gross);
        let deposit = Micros::parse(buyer.deposit).unwrap_or_default();
        // The exchange owes the buyer its money, so the account is on the credit side, below zero.
        let held = accounts.amount(&format!("buyer:{}:prepaid", buyer.id));
        let charged = deposit.checked_add(held).unwrap_or_default();
        if charged != spent {
            faults.push(format!("{} bought for {spent}, was charged {charged}", buyer.id));
        }
    }
    Check {
        claim: "the buyers' own books equal what they were charged",
        holds: evidence.ledger.is_ok() && faults.is_empty(),
        details: format!("{} buyers, {gross} in all{}", BUYERS.len(), named(&faults)),
    }
}

fn sources_get_what_they_were_told(evidence: &Evidence) -> Check {
    let accounts = evidence.ledger.as_ref().cloned().unwrap_or_default();
    let (payable, told) = (accounts.owed_to_sources(), evidence.counts.payout);
    Check {
        claim: "sources are owed exactly what they were told",
        holds: evidence.ledger.is_ok() && payable == told,
        details: format!("told {told}, owed {payable}"),
    }
}

fn the_filter_was_swapped(evidence: &Evidence) -> Check {
    const CLAIM: &str =
        "a filter was swapped under traffic, no ping was lost, and receipts name the new one";
    let swap = match &evidence.swap {
        Ok(swap) => swap,
        Err(error) => return Check { claim: CLAIM, holds: false, details: error.clone() },
    };
    let asked = evidence
        .sales
        .iter()
        .filter_map(|(sale, receipt)| Some((sale, receipt.as_ref().ok()?.filters.get(SWAPPED)?)));
    let (mut old, mut new) = (0_u64, 0_u64);
    let mut faults = Vec::new();
    for (sale, digest) in asked {
        match digest {
            digest if *digest == swap.to.digest => new += 1,
            digest if *digest == swap.from.digest => old += 1,
            digest => faults.push(format!("{} names {digest}", sale.ping_id)),
        }
        if sale.sent > swap.done && *digest != swap.to.digest {
            faults.push(format!("{} came after the swap and met the old version", sale.ping_id));
        }
    }
    Check {
        claim: CLAIM,
        holds: swap.watch.lost == 0
            && swap.watch.all > 0
            && old > 0
            && new > 0
            && faults.is_empty(),
        details: format!(
            "{}; {old} receipts name v{}, {new} name v{}{}",
            swap.in_words(),
            swap.from.version,
            swap.to.version,
            named(&faults),
        ),
    }
}

fn vertical_of_campaigns() -> BTreeMap<&'static str, &'static str> {
    let vertical = |body: &'static Value| body.get("vertical")?.as_str();
    CAMPAIGNS.iter().filter_map(|(id, body)| Some((id.as_str(), vertical(body)?))).collect()
}

fn campaigns_by_vertical() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut by_vertical: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (campaign, vertical) in vertical_of_campaigns() {
        by_vertical.entry(vertical).or_default().insert(campaign);
    }
    by_vertical
}

/// Names the first of some offenders.
pub(super) fn named(faults: &[String]) -> String {
    if faults.is_empty() {
        return String::new();
    }
    let first: Vec<&str> = faults.iter().take(NAMED_MAX).map(String::as_str).collect();
    format!("; {} wrong: {}", faults.len(), first.join(" | "))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::super::buyers::Bought;
    use super::super::market::AUTO;
    use super::super::opening::ModuleVersion;
    use super::super::receipts::{Delivered, LeftOut};
    use super::super::tally::Watch;
    use super::*;

    fn micros(text: &str) -> Micros {
        Micros::parse(text).unwrap()
    }

    fn version(version: u64) -> ModuleVersion {
        ModuleVersion { version, digest: format!("sha256:{version}") }
    }

    fn receipt(filter_version: u64) -> Receipt {
        let auto = campaigns_by_vertical().remove(AUTO).unwrap().into_iter();
        let left_out = auto.filter(|campaign| *campaign != "elm-everything").map(|campaign| {
            LeftOut { campaign: campaign.into(), code: "outbid".into(), detail: None }
        });
        Receipt {
            status: "sold".into(),
            vertical: AUTO.into(),
            copies: 1,
            normalizer: Some("sha256:0".into()),
            filters: BTreeMap::from([(SWAPPED.to_owned(), version(filter_version).digest)]),
            winners: BTreeMap::from([("elm-everything".to_owned(), micros("10"))]),
            bids: BTreeMap::from([("elm-everything".to_owned(), micros("12.80"))]),
            left_out: left_out.collect(),
            sales: vec![Delivered {
                campaign: "elm-everything".into(),
                buyer: "elm-street".into(),
                price: micros("10"),
                payout: micros("8.5"),
            }],
            unproven: None,
        }
    }

    /// A demo in which two leads were sold, one before and one after the swap, and everything is in order.
    fn evidence() -> Evidence {
        let before = Instant::now();
        let done = Instant::now();
        let sale = |number: u32, sent| Sale {
            ping_id: format!("pg_{number}"),
            payout: micros("8.5"),
            sent,
        };
        let bought = |number| {
            (
                format!("ld_{number}"),
                Bought {
                    campaign: "elm-everything".into(),
                    price: micros("10"),
                    fees: micros("0.25"),
                },
            )
        };
        let after = done + std::time::Duration::from_secs(1);
        let mut book = Ledger::default();
        book.bought.extend([bought(1), bought(2)]);
        let mut heard = Heard::default();
        heard.sold.extend([("pb_1".to_owned(), micros("8.5")), ("pb_2".to_owned(), micros("8.5"))]);
        let deposits = BUYERS.iter().map(|buyer| {
            let spent = if buyer.id == "elm-street" { micros("20.50") } else { Micros::ZERO };
            let held = spent.checked_sub(micros(buyer.deposit)).unwrap();
            (format!("buyer:{}:prepaid", buyer.id), held)
        });
        let mut amounts: BTreeMap<String, Micros> = deposits.collect();
        amounts.insert("source:roadside-quotes:payable".into(), micros("-17"));
        amounts.insert("exchange:buyer-lead-fees".into(), micros("-0.50"));
        amounts.insert("exchange:revenue".into(), micros("-3"));
        let credit = amounts.values().map(|amount| amount.get()).sum::<i64>();
        amounts.insert("cash".into(), Micros::new(-credit));
        let mut counts = Counts::default();
        (counts.offered, counts.answered, counts.payout) = (3, 3, micros("17"));
        Evidence {
            counts,
            sales: vec![(sale(1, before), Ok(receipt(1))), (sale(2, after), Ok(receipt(2)))],
            still_open: 0,
            books: BTreeMap::from([("elm-street", book)]),
            heard: BTreeMap::from([("sources/roadside-quotes", heard)]),
            ledger: Ok(Accounts { amounts }),
            swap: Ok(Swap {
                from: version(1),
                to: version(2),
                done,
                watch: Watch { all: 40, open: 0, lost: 0 },
            }),
        }
    }

    /// Spoils the evidence and compares the claims that then do not hold.
    #[track_caller]
    fn check(spoil: impl FnOnce(&mut Evidence), expected: &[&str]) {
        let mut evidence = evidence();
        spoil(&mut evidence);
        let failed = all(&evidence).into_iter().filter(|check| !check.holds);
        let failed: Vec<String> =
            failed.map(|check| format!("{} ({})", check.claim, check.details)).collect();
        assert_eq!(failed.len(), expected.len(), "{failed:#?}");
        for (failed, expected) in failed.iter().zip(expected) {
            assert!(failed.contains(expected), "`{expected}` is not in `{failed}`");
        }
    }

    fn first_receipt(evidence: &mut Evidence) -> &mut Receipt {
        evidence.sales[0].1.as_mut().unwrap()
    }

    #[test]
    fn an_orderly_market_holds() {
        check(|_| (), &[]);
    }

    #[test]
    fn a_lost_ping_is_noticed() {
        check(|evidence| evidence.counts.offered += 1, &["4 offered, 3 answered"]);
        check(|evidence| evidence.counts.unanswered += 1, &["1 calls without an answer"]);
    }

    #[test]
    fn an_unexplained_no_is_noticed() {
        check(
            |evidence| {
                evidence.counts.unexplained = 1;
                evidence.counts.unexplained_quotes.push("500 oops".into());
            },
            &["1 unexplained: 500 oops"],
        );
        check(|evidence| evidence.still_open = 1, &["1 still open"]);
        check(|evidence| evidence.counts.repeated_differently = 1, &["1 heard something else"]);
    }

    #[test]
    fn a_receipt_that_explains_too_little_is_noticed() {
        check(|evidence| first_receipt(evidence).status = "unsold".into(), &["status is `unsold`"]);
        check(|evidence| first_receipt(evidence).normalizer = None, &["name its normalizer"]);
        check(|evidence| first_receipt(evidence).vertical = "x".into(), &["vertical is `x`"]);
        check(|evidence| first_receipt(evidence).sales.clear(), &["no buyer with a price"]);
        check(
            |evidence| drop(first_receipt(evidence).left_out.pop()),
            &["why elm-first-fifty did not win"],
        );
        check(
            |evidence| first_receipt(evidence).left_out[0].code.clear(),
            &["left out without a reason"],
        );
        check(
            |evidence| first_receipt(evidence).sales[0].price = micros("12.81"),
            &["elm-everything pays more than it bid"],
        );
        check(|evidence| evidence.sales[1].1 = Err("404".into()), &["pg_2: 404", "0 name v2"]);
    }

    #[test]
    fn a_lead_that_is_sold_too_often_is_noticed() {
        let again = |evidence: &mut Evidence, campaign: &str| {
            let mut other = Ledger::default();
            let (price, fees) = (Micros::ZERO, Micros::ZERO);
            let bought = Bought { campaign: campaign.into(), price, fees };
            other.bought.insert("ld_1".into(), bought);
            evidence.books.insert("dogwood-agency", other);
        };
        check(
            |evidence| again(evidence, "acorn-new-cars"),
            &["2 of them exclusive; 1 wrong: ld_1"],
        );
        check(
            |evidence| evidence.books.get_mut("elm-street").unwrap().sold_twice.push("ld_2".into()),
            &["1 wrong: ld_2"],
        );
    }

    #[test]
    fn money_that_does_not_agree_is_noticed() {
        check(
            |evidence| evidence.books.get_mut("elm-street").unwrap().bought.clear(),
            &["elm-street bought for 0.00, was charged 20.50", "buyers booked 0.00 of fees"],
        );
        check(|evidence| evidence.counts.payout = micros("16.99"), &["told 16.99, owed 17.00"]);
        let amount = |evidence: &mut Evidence, account: &str, amount: &str| {
            let accounts = evidence.ledger.as_mut().unwrap();
            accounts.amounts.insert(account.to_owned(), micros(amount));
        };
        check(
            |evidence| amount(evidence, "exchange:revenue", "-2"),
            &["20.50 came in, 19.50 is accounted for"],
        );
        check(
            |evidence| evidence.ledger = Err("503".into()),
            &["own books", "owed exactly", "accounts of their own", "signed postbacks"],
        );
    }

    #[test]
    fn news_that_did_not_come_or_came_unsigned_is_noticed() {
        let heard = |evidence: &mut Evidence, change: fn(&mut Heard)| {
            change(evidence.heard.get_mut("sources/roadside-quotes").unwrap());
        };
        check(
            |evidence| heard(evidence, |heard| drop(heard.sold.pop_first())),
            &["roadside-quotes was told of 8.50 and not of 17.00"],
        );
        check(|evidence| heard(evidence, |heard| heard.unsigned = 1), &["1 messages to roadside"]);
        check(|evidence| evidence.heard.clear(), &["was told of 0.00 and not of 17.00"]);
    }

    #[test]
    fn a_swap_that_loses_a_ping_or_changes_nothing_is_noticed() {
        check(|evidence| evidence.swap.as_mut().unwrap().watch.lost = 1, &["in flight, 1 lost"]);
        check(|evidence| evidence.sales[1].1 = Ok(receipt(1)), &["pg_2 came after the swap"]);
        check(|evidence| evidence.sales[0].1 = Ok(receipt(3)), &["pg_1 names sha256:3"]);
        check(|evidence| evidence.swap = Err("no module".into()), &["no module"]);
    }

    #[test]
    fn the_ledger_is_read_as_it_is_written() {
        let accounts =
            Accounts::read(&json!({"total": "0.00", "accounts": {"cash": "5.00", "x": "-5.00"}}));
        assert_eq!(accounts.amount("x"), micros("-5"));
        assert_eq!(Accounts::read(&json!({})).amount("x"), Micros::ZERO);
    }
}
