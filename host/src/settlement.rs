//! The accounts: what each fact means in money, and the receipt that explains it. Pure functions of facts.
//!
//! Double entry: a debit is positive, a credit negative, and the legs of one fact sum to zero. Money of a buyer is a
//! debt of the exchange to it, so it stands on the credit side.

mod answer;
mod csv;
mod disclosures;
mod headline;
mod ledger;
pub mod postback;
pub mod receipt;
mod statement;

use crate::facts::{Charged, Delivered, Ended, Fact, ReturnDecided};
use crate::journal::Entry;
use crate::money::Micros;

pub use answer::{Answer, Story, Transfer};
pub use csv::{from_csv, to_csv};
pub use disclosures::disclosures;
pub use headline::headline;
pub use ledger::{AccountLine, Discrepancy, Ledger, Point, Step, backed, meant, reference};
pub use receipt::{Case, Placed, receipt};
pub use statement::{Booked, FORM, Period, Standing, Statement, StatementLine, statement};

/// Where deposits come in.
pub const CASH: &str = "cash";
/// What the exchange earns.
pub const REVENUE: &str = "exchange:revenue";

/// What buyers pay beside prices: for each lead, and in percent.
const BUYER_FEES: [&str; 2] = ["exchange:buyer-lead-fees", "exchange:buyer-percent-fees"];
/// What sources pay: for each lead, and in percent.
const SOURCE_FEES: [&str; 2] = ["exchange:source-lead-fees", "exchange:source-percent-fees"];
/// The codes of fees, and of fees that are given back.
const LEAD_FEE: &str = "lead-fee";
const PERCENT_FEE: &str = "percent-fee";
const LEAD_FEE_RETURN: &str = "lead-fee-return";
const PERCENT_FEE_RETURN: &str = "percent-fee-return";

/// Returns the account of a buyer's prepaid money.
pub fn prepaid(buyer: &str) -> String {
    format!("buyer:{buyer}:prepaid")
}

/// Returns the account of what is owed to a source.
pub fn payable(source: &str) -> String {
    format!("source:{source}:payable")
}

/// Returns the ledger entries that a fact means. Holds move no money, and neither does a return before it is accepted.
pub fn entries(fact: &Fact) -> Vec<Entry> {
    match fact {
        Fact::Deposited(deposited) => {
            let amount = Micros::new(deposited.amount);
            vec![
                leg(CASH.to_owned(), amount, "deposit"),
                leg(prepaid(&deposited.buyer), negative(amount), "deposit"),
            ]
        }
        Fact::Delivered(sale) if sale.ended == Ended::Sold => sold(sale),
        Fact::Transferred(transferred) => {
            let (amount, code) = (Micros::new(transferred.amount), transferred.kind.code());
            vec![
                leg(transferred.debit.clone(), amount, code),
                leg(transferred.credit.clone(), negative(amount), code),
            ]
        }
        Fact::ReturnDecided(decided) => returned(decided),
        Fact::ReturnRequested(_)
        | Fact::CallMade(_)
        | Fact::CallAnswered(_)
        | Fact::Delivered(_)
        | Fact::Saved(_)
        | Fact::ModuleUploaded(_)
        | Fact::ModuleStepped(_)
        | Fact::PingAnswered(_)
        | Fact::SubmissionRefused(_)
        | Fact::Posted(_)
        | Fact::AskedAgain(_)
        | Fact::StatusAsked(_)
        | Fact::ShipmentResent(_)
        | Fact::TransferOffered(_)
        | Fact::Superseded(_)
        | Fact::PostRefused(_)
        | Fact::SuppressionsAdded(_)
        | Fact::SuppressionsRemoved(_)
        | Fact::ContactErased(_)
        | Fact::ContactsSwept(_)
        | Fact::KeyAdopted(_)
        | Fact::PostbackTried(_)
        | Fact::PostbackResent(_)
        | Fact::MasterKeyRotated(_)
        | Fact::Expired(_) => Vec::new(),
    }
}

/// The buyer pays the price, of which the source gets all but the margin; then each side is charged its fees.
fn sold(sale: &Delivered) -> Vec<Entry> {
    let (price, payout) = (Micros::new(sale.price), Micros::new(sale.payout));
    let rest = sum(payout, sale.source_fees);
    let margin = price.checked_sub(rest).unwrap_or_default();
    let (buyer, source) = (prepaid(&sale.buyer), payable(&sale.source));
    let mut legs = vec![
        leg(buyer.clone(), price, "sale"),
        leg(source.clone(), negative(rest), "sale"),
        leg(REVENUE.to_owned(), negative(margin), "margin"),
    ];
    let codes = [LEAD_FEE, PERCENT_FEE];
    legs.extend(charged(&buyer, sale.buyer_fees, BUYER_FEES, codes));
    legs.extend(charged(&source, sale.source_fees, SOURCE_FEES, codes));
    legs.retain(|leg| leg.amount != Micros::ZERO);
    legs
}

/// A return is its sale the other way round, in the part that is given back.
fn returned(decided: &ReturnDecided) -> Vec<Entry> {
    let (price, payout) = (Micros::new(decided.price), Micros::new(decided.payout));
    let rest = sum(payout, decided.source_fees);
    let margin = price.checked_sub(rest).unwrap_or_default();
    let (buyer, source) = (prepaid(&decided.buyer), payable(&decided.source));
    let mut legs = vec![
        leg(buyer.clone(), negative(price), "return"),
        leg(source.clone(), rest, "return"),
        leg(REVENUE.to_owned(), margin, "return"),
    ];
    let codes = [LEAD_FEE_RETURN, PERCENT_FEE_RETURN];
    let back = |fees: Charged| Charged { lead: -fees.lead, percent: -fees.percent };
    legs.extend(charged(&buyer, back(decided.buyer_fees), BUYER_FEES, codes));
    legs.extend(charged(&source, back(decided.source_fees), SOURCE_FEES, codes));
    legs.retain(|leg| leg.amount != Micros::ZERO);
    legs
}

/// Each fee by itself: from whoever pays it to the account that it is earned on.
fn charged(
    payer: &str,
    fees: Charged,
    [for_lead, in_percent]: [&str; 2],
    [lead_code, percent_code]: [&'static str; 2],
) -> [Entry; 4] {
    let [lead, percent] = [fees.lead, fees.percent].map(Micros::new);
    [
        leg(payer.to_owned(), lead, lead_code),
        leg(for_lead.to_owned(), negative(lead), lead_code),
        leg(payer.to_owned(), percent, percent_code),
        leg(in_percent.to_owned(), negative(percent), percent_code),
    ]
}

fn sum(amount: Micros, fees: Charged) -> Micros {
    amount.checked_add(Micros::new(fees.total())).unwrap_or_default()
}

fn leg(account: String, amount: Micros, code: &'static str) -> Entry {
    Entry { account, amount, code }
}

fn negative(amount: Micros) -> Micros {
    Micros::ZERO.checked_sub(amount).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::facts::{Deposited, TransferKind, Transferred};

    /// Renders a fact's entries, a leg a line.
    fn check(fact: &Fact, expected: &str) {
        let legs = entries(fact);
        let lines: Vec<String> =
            legs.iter().map(|leg| format!("{} {} {}", leg.account, leg.amount, leg.code)).collect();
        assert_eq!(lines.join("\n"), expected);
        assert_eq!(legs.iter().map(|leg| leg.amount.get()).sum::<i64>(), 0);
    }

    fn delivered(ended: Ended, price: i64, payout: i64) -> Fact {
        Fact::Delivered(Delivered {
            ping: 1,
            source: "web".to_owned(),
            copy: 0,
            campaign: "acme-ca".to_owned(),
            buyer: "acme".to_owned(),
            attempt: 1,
            ended,
            detail: None,
            price,
            buyer_fees: Charged::default(),
            payout,
            source_fees: Charged::default(),
            again_ms: None,
            successor: None,
            in_line: false,
            adapter: None,
            transfer: None,
        })
    }

    #[test]
    fn a_deposit_is_cash_owed_to_the_buyer() {
        let deposited =
            Deposited { buyer: "acme".to_owned(), amount: 5_000_000, reference: "w1".to_owned() };
        check(&Fact::Deposited(deposited), "cash 5.00 deposit\nbuyer:acme:prepaid -5.00 deposit");
    }

    #[test]
    fn a_sale_pays_the_source_and_the_exchange() {
        check(
            &delivered(Ended::Sold, 12_500_000, 10_625_000),
            "buyer:acme:prepaid 12.50 sale\nsource:web:payable -10.625 sale\nexchange:revenue -1.875 margin",
        );
    }

    #[test]
    fn a_sale_without_margin_has_two_legs() {
        check(
            &delivered(Ended::Sold, 2_000_000, 2_000_000),
            "buyer:acme:prepaid 2.00 sale\nsource:web:payable -2.00 sale",
        );
    }

    fn with_fees(fact: Fact, buyer_fees: [i64; 2], source_fees: [i64; 2]) -> Fact {
        let Fact::Delivered(mut delivered) = fact else { panic!("no sale") };
        let fees = |[lead, percent]: [i64; 2]| Charged { lead, percent };
        (delivered.buyer_fees, delivered.source_fees) = (fees(buyer_fees), fees(source_fees));
        Fact::Delivered(delivered)
    }

    #[test]
    fn every_fee_has_an_entry_and_an_account_of_its_own() {
        let sale = delivered(Ended::Sold, 12_000_000, 10_334_000);
        check(
            &with_fees(sale, [250_000, 480_000], [250_000, 216_000]),
            "buyer:acme:prepaid 12.00 sale\nsource:web:payable -10.80 sale\nexchange:revenue -1.20 margin\n\
             buyer:acme:prepaid 0.25 lead-fee\nexchange:buyer-lead-fees -0.25 lead-fee\n\
             buyer:acme:prepaid 0.48 percent-fee\nexchange:buyer-percent-fees -0.48 percent-fee\n\
             source:web:payable 0.25 lead-fee\nexchange:source-lead-fees -0.25 lead-fee\n\
             source:web:payable 0.216 percent-fee\nexchange:source-percent-fees -0.216 percent-fee",
        );
        check(
            &with_fees(delivered(Ended::Sold, 0, 0), [250_000, 0], [0, 0]),
            "buyer:acme:prepaid 0.25 lead-fee\nexchange:buyer-lead-fees -0.25 lead-fee",
        );
    }

    proptest! {
        #[test]
        fn the_entries_of_a_sale_sum_to_zero_and_move_what_the_fact_says(
            price in 0..1_000_000_000_i64,
            parts in [0..1_000_000_u32, 0..1_000_000, 0..1_000_000],
            buyer_fees in [0..5_000_000_i64, 0..5_000_000],
        ) {
            let part = |of: i64, share: u32| i64::try_from(i128::from(of) * i128::from(share) / 1_000_000).unwrap();
            let rest = part(price, parts[0]);
            let lead = part(rest, parts[1]);
            let percent = part(rest - lead, parts[2]);
            let payout = rest - lead - percent;
            let fact = with_fees(delivered(Ended::Sold, price, payout), buyer_fees, [lead, percent]);
            let legs = entries(&fact);
            let on = |account: &str| {
                legs.iter().filter(|leg| leg.account == account).map(|leg| leg.amount.get()).sum::<i64>()
            };
            prop_assert_eq!(legs.iter().map(|leg| leg.amount.get()).sum::<i64>(), 0);
            prop_assert_eq!(on("buyer:acme:prepaid"), price + buyer_fees[0] + buyer_fees[1]);
            prop_assert_eq!(on("source:web:payable"), -payout);
            prop_assert_eq!(on(REVENUE), rest - price);
        }
    }

    #[test]
    fn what_is_not_sold_moves_no_money() {
        for ended in [Ended::Rejected, Ended::NotSent, Ended::Unknown] {
            check(&delivered(ended, 0, 0), "");
        }
    }

    #[test]
    fn every_transfer_has_one_debit_and_one_credit() {
        for (kind, debit, credit, code) in [
            (TransferKind::Withdrawal, "buyer:acme:prepaid", "cash", "withdrawal"),
            (TransferKind::Payout, "source:web:payable", "cash", "payout"),
            (TransferKind::Correction, "exchange:revenue", "buyer:acme:prepaid", "correction"),
            (TransferKind::WriteOff, "exchange:write-off", "source:web:payable", "write-off"),
        ] {
            let transferred = Transferred {
                kind,
                debit: debit.to_owned(),
                credit: credit.to_owned(),
                amount: 2_500_000,
                reference: "r".to_owned(),
                reason: String::new(),
                corrects: None,
            };
            let expected = format!("{debit} 2.50 {code}\n{credit} -2.50 {code}");
            check(&Fact::Transferred(transferred), &expected);
        }
    }

    #[test]
    fn an_accepted_return_is_its_sale_the_other_way_round() {
        let decided = |accepted, price, payout| {
            Fact::ReturnDecided(ReturnDecided {
                ping: 1,
                copy: 0,
                sale: 7,
                source: "web".to_owned(),
                buyer: "acme".to_owned(),
                accepted,
                why: String::new(),
                by: "operator".to_owned(),
                price,
                buyer_fees: Charged::default(),
                payout,
                source_fees: Charged::default(),
            })
        };
        check(
            &decided(true, 12_500_000, 10_625_000),
            "buyer:acme:prepaid -12.50 return\nsource:web:payable 10.625 return\nexchange:revenue 1.875 return",
        );
        check(
            &decided(true, 2_000_000, 2_000_000),
            "buyer:acme:prepaid -2.00 return\nsource:web:payable 2.00 return",
        );
        check(&decided(false, 0, 0), "");
    }
}
